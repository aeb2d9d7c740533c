import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repository import ROOT

# programs that the tested recipes need, without terraform and python3
TOOLS = ("make", "bash", "awk", "env")
SANDBOX_REQUIREMENTS = ("sandbox/kernel-requirements.txt", "sandbox/session-requirements.txt")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder to use as PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        path = shutil.which(name)
        assert path
        (folder / name).symlink_to(path)
    return folder


def clone_of(tools: Path) -> Path:
    return tools.parent / "a clone"


def make(tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make on this Makefile in an empty clone without a set-up; its path has a space."""
    clone = clone_of(tools)
    if not clone.exists():
        (clone / "terraform_cli").mkdir(parents=True)
        python = ("__init__.py", "environment.py", "installation.py")
        for name in ("Makefile", "Pipfile.lock", *(f"terraform_cli/{each}" for each in python)):
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


def add_program(path: Path, script: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)


def add_python(tools: Path) -> None:
    add_program(tools / "python3", f'exec "{sys.executable}" "$@"')


def add_terraform(tools: Path) -> None:
    add_program(tools / "terraform", """echo '{"terraform_version": "1.11.4"}'""")


def add_terraform_and_stamps(tools: Path) -> None:
    """Add a terraform, and the stamps of a finished set-up."""
    add_terraform(tools)
    make(tools)
    for stamp in (
        "package-lock.json",
        "cdk-terrain/package-lock.json",
        ".venv/bin/pipenv",
        ".venv/packages",
        "node_modules/.cdktf",
    ):
        (clone_of(tools) / stamp).parent.mkdir(parents=True, exist_ok=True)
        (clone_of(tools) / stamp).touch()


def test_make_alone_lists_the_targets(tools: Path) -> None:
    ended = make(tools)
    assert ended.returncode == 0
    assert [line.split()[1] for line in ended.stdout.splitlines()] == [
        "help",
        "demo",
        "test",
        "test-terraform",
        "test-fast",
        "test-pythons",
        "matrix-row",
        "check",
        "bench",
        "plan",
        "apply",
        "drift",
        "synth",
        "state-bucket",
        "pipeline-access",
        "pipeline-setup",
        "provider-lock",
        "expected",
        "pipeline-calls",
        "comment-pictures",
        "setup",
        "clean",
    ]


@pytest.mark.parametrize(
    "target", ["demo", "test", "test-fast", "plan", "apply", "drift", "state-bucket", "pipeline-access"]
)
def test_a_missing_terraform_is_reported_in_one_line_before_any_set_up(tools: Path, target: str) -> None:
    add_python(tools)
    ended = make(tools, target)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0] == (
        "terraform is not on PATH: install Terraform 1.10 or newer, https://developer.hashicorp.com/terraform/install"
    )
    assert not (clone_of(tools) / ".venv").exists()


@pytest.mark.parametrize("script", [None, "exit 1"])
def test_a_missing_or_old_python_is_reported_in_one_line(tools: Path, script: str | None) -> None:
    if script:
        add_program(tools / "python3", script)
    ended = make(tools, "demo")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0] == (
        "python3 is not Python 3.11 or newer: install one, or name it: make PYTHON=python3.12"
    )
    assert not (clone_of(tools) / ".venv").exists()


def test_the_state_bucket_is_not_created_without_a_terminal(tools: Path) -> None:
    add_python(tools)
    add_terraform_and_stamps(tools)
    ended = make(tools, "state-bucket")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0] == (
        "there is no terminal to approve on: use one, or ./glue-sessions create-state-bucket, plan state-bucket and"
        " apply-plan state-bucket"
    )


@pytest.mark.parametrize("target", ["help", "plan", "clean"])
def test_an_unknown_library_is_refused_in_one_line(tools: Path, target: str) -> None:
    ended = make(tools, "CDK=nonsense", target)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.endswith('CDK is "nonsense": supply cdktf, or cdktn for CDK Terrain.  Stop.')


@pytest.mark.parametrize("target", ["check", "test", "bench"])
def test_what_needs_cdktf_is_refused_in_one_line_before_any_set_up(tools: Path, target: str) -> None:
    add_python(tools)
    add_terraform(tools)
    ended = make(tools, "CDK=cdktn", target)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[0] == (
        f"this needs CDKTF: make CDK=cdktf {target}; with CDK Terrain, run test-fast and test-terraform"
    )
    assert not (clone_of(tools) / ".local").exists()


@pytest.mark.parametrize(
    ("set_up", "arguments", "library"),
    [
        ((), (), "cdktf"),
        ((), ("CDK=cdktn",), "cdktn"),
        ((), ("GLUE_SESSIONS_CDK=cdktn",), "cdktn"),
        ((".local/cdktn/.venv/packages",), (), "cdktn"),
        ((".local/cdktn/.venv/packages",), ("CDK=cdktf",), "cdktf"),
        ((".local/cdktn/.venv/packages", ".venv/packages"), (), "cdktf"),
    ],
)
def test_each_library_is_installed_from_its_lock_into_its_own_environment(
    tools: Path, set_up: tuple[str, ...], arguments: tuple[str, ...], library: str
) -> None:
    add_python(tools)
    add_terraform(tools)
    make(tools)
    for file in ("package-lock.json", "cdk-terrain/package-lock.json", *SANDBOX_REQUIREMENTS, *set_up):
        (clone_of(tools) / file).parent.mkdir(parents=True, exist_ok=True)
        (clone_of(tools) / file).touch()
        os.utime(clone_of(tools) / file, (0, 0))  # older than Pipfile.lock
    ended = make(tools, "--dry-run", "setup", *arguments)
    assert ended.returncode == 0, ended.stderr
    home = ".local/cdktn/" if library == "cdktn" else ""
    assert f'pipenv sync --categories "packages {library} sandbox"' in ended.stdout
    assert f'--prefix "{clone_of(tools)}/{home}"' in ended.stdout
    touched = {line.split()[-1] for line in ended.stdout.splitlines() if line.startswith("touch ")}
    stamps = (".venv/packages", ".venv/notebook", ".venv/dev-packages", f"node_modules/.{library}")
    assert touched == {home + stamp for stamp in stamps} | {".local/glue-5.0/packages"}


@pytest.mark.parametrize(("library", "home"), [("cdktf", ""), ("cdktn", ".local/cdktn/")])
def test_the_command_line_of_an_activated_shell_asks_nobody_for_updates(tools: Path, library: str, home: str) -> None:
    for name in ("chmod", "cp", "mkdir", "rm", "touch"):
        (tools / name).symlink_to(str(shutil.which(name)))
    add_terraform_and_stamps(tools)
    clone = clone_of(tools)
    stamps = (f"{home}.venv/bin/pipenv", f"{home}.venv/packages")
    for file in (*stamps, f"{home}node_modules/.bin/{library}", "cdk-terrain/package.json"):
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        (clone / file).touch()
    installed = clone / f"{home}node_modules/.bin/{library}"
    add_program(installed, 'echo "$CHECKPOINT_DISABLE $DISABLE_VERSION_CHECK $*"')
    (clone / f"{home}node_modules/.{library}").unlink(missing_ok=True)
    add_program(tools / "npm", "")
    program = clone / f"{home}.venv/bin/{library}"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.symlink_to(installed)  # as earlier set-ups made it
    made = make(tools, f"CDK={library}", f"{home}node_modules/.{library}")
    assert made.returncode == 0, made.stderr

    def says(**variables: str) -> str:
        environment = {"PATH": str(tools), **variables}
        return subprocess.run(
            [program, "plan", "a b"], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert says() == "1 1 plan a b\n"
    assert says(CHECKPOINT_DISABLE="", DISABLE_VERSION_CHECK="0") == " 0 plan a b\n"


def test_clean_keeps_a_state_that_has_no_other_copy(tools: Path) -> None:
    for name in ("find", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    make(tools)
    lost = clone_of(tools) / "cdktf.out/stacks/glue-sessions-dev-team/errored.tfstate"
    lost.parent.mkdir(parents=True)
    lost.write_text("{}")
    ended = make(tools, "clean")
    assert ended.returncode == 2
    assert "cdktf.out/stacks/glue-sessions-dev-team/errored.tfstate" in ended.stderr
    lost.unlink()
    for folder in (".venv", "node_modules", ".local/cdktn/.venv", ".local/cdktn/node_modules"):
        (clone_of(tools) / folder).mkdir(parents=True)
    assert make(tools, "clean").returncode == 0
    left = {path.name for path in clone_of(tools).iterdir()}
    assert left == {"Makefile", "Pipfile.lock", "terraform_cli"}


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("pipeline-stacks",), "python -m commands.pipeline stacks"),
        (("pipeline-show", "STACK=a-*"), 'python -m commands.pipeline show "a-*"'),
        (("pipeline-mirror-provider", "VERSION=~> 6.0"), 'python -m commands.pipeline mirror-provider "~> 6.0"'),
        (("pipeline-review", "FOLDER=pull-request"), 'python -m commands.pipeline review "pull-request"'),
        (
            ("pipeline-setup", "OWNERS=@acme/platform @jo", "APPROVALS=0"),
            'python -m commands.pipeline.setup --approvals "0" --owners @acme/platform @jo',
        ),
        (("pipeline-setup",), "python -m commands.pipeline.setup --owners"),
        (("pipeline-changes",), "python3 -m commands.pipeline.changes"),
        (("drift", "STACK=a"), "python -m commands.drift a"),
        (("plan", "STACK=a"), "python -m commands.plan a"),
        (("apply",), "python -m commands.apply"),
        (("synth",), "python main.py"),
        (("state-bucket",), "python -m commands.apply state-bucket"),
        (("pipeline-access",), "python -m commands.apply pipeline-access"),
        (("matrix-rows",), "python3 -m tests.matrix"),
        (("matrix-row", "ROW=python-3.12"), 'python3 -m tests.matrix "python-3.12"'),
        (
            ("matrix-row", "ROW=python-3.12", "PYTHON=python3"),
            'python3 -m tests.matrix --python "python3" "python-3.12"',
        ),
    ],
)
def test_variables_are_passed_to_the_command(tools: Path, arguments: tuple[str, ...], command: str) -> None:
    ended = make(tools, "--dry-run", *arguments)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1].split() == command.split()


def test_the_tests_of_a_row_have_its_home_folder(tools: Path) -> None:
    add_python(tools)
    add_terraform_and_stamps(tools)
    (clone_of(tools) / "sandbox").mkdir()
    for name in SANDBOX_REQUIREMENTS:
        (clone_of(tools) / name).touch()
    for target in ("test", "test-terraform"):
        last = make(tools, "--dry-run", target, "TEST_HOME=/a home").stdout.splitlines()[-1]
        assert last.startswith('HOME="/a home" pytest --quiet '), last


def test_the_set_up_installs_the_packages_of_the_tests_and_checks_too(tools: Path) -> None:
    make(tools)
    for name in ("package-lock.json", *SANDBOX_REQUIREMENTS):
        (clone_of(tools) / name).parent.mkdir(exist_ok=True)
        (clone_of(tools) / name).touch()
    ended = make(tools, "--dry-run", "setup")
    assert ended.returncode == 0
    installed = {name for names in re.findall('--categories "([^"]+)"', ended.stdout) for name in names.split()}
    groups = tomllib.loads((ROOT / "Pipfile").read_text()).keys() - {"pipenv", "scripts"}
    assert groups - installed == {"cdktn", "data"}  # make CDK=cdktn setup; to refresh the data sets
    assert "npm ci" in ended.stdout


def test_only_installed_pythons_are_tested(tools: Path) -> None:
    add_python(tools)
    add_terraform_and_stamps(tools)
    ended = make(tools, "test-pythons", "PYTHONS=python3.98 python3.99")
    assert ended.returncode == 2
    assert ended.stdout.splitlines() == [f"python3.{minor}: not installed, skipped" for minor in (98, 99)]
    assert ended.stderr.splitlines()[0] == "none of these Pythons is installed: python3.98 python3.99"


def test_the_tests_run_on_each_python_in_its_own_environment(tools: Path) -> None:
    add_python(tools)
    add_terraform_and_stamps(tools)
    for version in ("3.98", "3.99"):
        environment = clone_of(tools) / f".local/python{version}"
        environment.joinpath("bin").mkdir(parents=True)
        environment.joinpath("packages").touch()
        add_program(environment / "bin/python", f'echo "{version} $VIRTUAL_ENV"')
        add_program(tools / f"python{version}", f"echo {version}")
    ended = make(tools, "test-pythons", "PYTHONS=python3.98 python3.99")
    assert (ended.returncode, ended.stderr) == (0, "")
    local = clone_of(tools) / ".local"
    assert ended.stdout.splitlines() == [
        "python3.98: Python 3.98",
        f"3.98 {local}/python3.98",
        "python3.99: Python 3.99",
        f"3.99 {local}/python3.99",
    ]


def test_cdktf_starts_the_app_from_a_path_with_a_space(tmp_path: Path) -> None:
    environment = tmp_path / "with space" / ".venv"
    environment.joinpath("bin").mkdir(parents=True)
    add_program(environment / "bin/python", 'echo "$@"')
    app = json.loads((ROOT / "cdktf.json").read_text())["app"]
    variables = {**os.environ, "VIRTUAL_ENV": str(environment)}
    ended = subprocess.run(["sh", "-c", app], env=variables, check=True, capture_output=True, text=True)
    assert ended.stdout == "-O main.py\n"
