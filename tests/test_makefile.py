import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import ROOT

# what the recipes that are run here need, and nothing of terraform or python3
TOOLS = ("make", "bash", "awk", "env")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder to be the whole PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def make(tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make on this Makefile in an empty clone, where no set-up has been made."""
    clone = tools.parent / "clone"
    if not clone.exists():
        (clone / "terraform_cli").mkdir(parents=True)
        for name in ("Makefile", "Pipfile.lock", "terraform_cli/__init__.py", "terraform_cli/installation.py"):
            shutil.copy(ROOT / name, clone / name)
    environment = {"PATH": str(tools), "HOME": os.environ["HOME"]}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def add_python(tools: Path) -> None:
    program = tools / "python3"
    program.write_text(f'#!/usr/bin/env bash\nexec "{sys.executable}" "$@"\n')
    program.chmod(0o755)


def test_make_alone_lists_the_targets(tools: Path) -> None:
    ended = make(tools)
    assert ended.returncode == 0
    assert [line.split()[1] for line in ended.stdout.splitlines()] == [
        "help",
        "demo",
        "test",
        "check",
        "bench",
        "plan",
        "apply",
        "drift",
        "state-bucket",
        "pipeline-access",
        "expected",
        "comment-pictures",
        "setup",
        "clean",
    ]


@pytest.mark.parametrize("target", ["demo", "test", "plan", "apply", "drift", "state-bucket", "pipeline-access"])
def test_without_terraform_one_line_says_so_before_any_set_up(tools: Path, target: str) -> None:
    add_python(tools)
    ended = make(tools, target)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0] == (
        "terraform is not on PATH: install Terraform 1.10 or newer, https://developer.hashicorp.com/terraform/install"
    )
    assert not (tools.parent / "clone" / ".venv").exists()


@pytest.mark.parametrize("says", [None, "#!/usr/bin/env bash\nexit 1\n"])
def test_without_a_python_that_is_new_enough_one_line_says_so(tools: Path, says: str | None) -> None:
    if says:
        (tools / "python3").write_text(says)
        (tools / "python3").chmod(0o755)
    ended = make(tools, "demo")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0] == (
        "python3 is not Python 3.11 or newer: install one, or name it: make PYTHON=python3.12"
    )
    assert not (tools.parent / "clone" / ".venv").exists()


@pytest.mark.parametrize("target", ["apply", "state-bucket", "pipeline-access"])
def test_what_has_to_be_approved_is_not_begun_without_a_terminal(tools: Path, target: str) -> None:
    add_python(tools)
    terraform = tools / "terraform"
    terraform.write_text('#!/usr/bin/env bash\necho \'{"terraform_version": "1.11.4"}\'\n')
    terraform.chmod(0o755)
    make(tools)
    for stamp in ("package-lock.json", ".venv/bin/pipenv", ".venv/packages", "node_modules/.cdktf"):
        (tools.parent / "clone" / stamp).parent.mkdir(parents=True, exist_ok=True)
        (tools.parent / "clone" / stamp).touch()
    ended = make(tools, target)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0] == (
        f"there is no terminal to approve on: use one, or give its cdktf command (make -n {target}) --auto-approve"
    )


def test_clean_keeps_a_state_that_is_nowhere_else(tools: Path) -> None:
    for name in ("find", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    make(tools)
    lost = tools.parent / "clone" / "cdktf.out/stacks/glue-sessions-dev-team/errored.tfstate"
    lost.parent.mkdir(parents=True)
    lost.write_text("{}")
    refused = make(tools, "clean")
    assert refused.returncode == 2
    assert "cdktf.out/stacks/glue-sessions-dev-team/errored.tfstate" in refused.stderr
    lost.unlink()
    assert make(tools, "clean").returncode == 0
    assert not (tools.parent / "clone" / "cdktf.out").exists()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("pipeline-stacks",), "python -m commands.pipeline stacks"),
        (("pipeline-show", "STACK=a-*"), 'python -m commands.pipeline show "a-*"'),
        (("pipeline-mirror-provider", "VERSION=~> 6.0"), 'python -m commands.pipeline mirror-provider "~> 6.0"'),
        (("drift", "STACK=a"), "python -m commands.drift a"),
    ],
)
def test_what_is_named_is_handed_to_the_command(tools: Path, arguments: tuple[str, ...], command: str) -> None:
    asked = make(tools, "--dry-run", *arguments)
    assert asked.returncode == 0
    assert asked.stdout.splitlines()[-1].split() == command.split()
