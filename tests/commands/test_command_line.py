"""What all commands share: help, output that cannot be written, interrupts; and `./glue-sessions`."""

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from commands import command_line
from commands.__main__ import COMMANDS, module, version
from commands.__main__ import parser as first_parser
from commands.completion.__main__ import candidates
from commands.pipeline import setup
from commands.pipeline.__main__ import STEPS
from tests.repository import AS_SHIPPED, ROOT

NAMED = {"TF_STATE_BUCKET": "states", "AWS_REGION": "eu-west-1", "SAGEMAKER_ROLE_NAME": "team"}
FOLDERS = sorted(each.parent.name for each in (ROOT / "commands").glob("*/__main__.py"))


def parser_of(name: str) -> argparse.ArgumentParser:
    own: argparse.ArgumentParser = importlib.import_module(
        "sandbox.__main__" if name == "sandbox" else module(name)
    ).parser()
    return own


def environment(**variables: str) -> dict[str, str]:
    """Return an environment in which only the given variables select a library, a configuration or an encoding."""
    names = ("GLUE_SESSIONS_CDK", "GLUE_SESSIONS_CONFIG", "CDKTF_OUTDIR", "PYTHONIOENCODING", "TF_WORKSPACE")
    own = {name: value for name, value in os.environ.items() if name not in names}
    return {**own, "PYTHONPATH": str(ROOT), **variables}


def test_every_command_is_listed() -> None:
    assert sorted({name.replace("-", "_") for name in COMMANDS} - {"sandbox"}) == FOLDERS


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_80_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = (parser_of(name) if name else first_parser()).format_help()
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "Exit status" in text


@pytest.mark.parametrize("step", ["setup", *STEPS])
def test_the_help_of_the_pipelines_steps_fits_80_columns(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (steps,) = (each for each in parser_of("pipeline")._actions if isinstance(each, argparse._SubParsersAction))
    own = setup.parser() if step == "setup" else steps.choices[step]
    assert [line for line in own.format_help().splitlines() if len(line) > 80] == []


def test_help_fills_paragraphs_and_keeps_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "42")
    text = command_line.parser("x", f"Refused if\n  - {'a ' * 29}a\n    b\n  - c\n{'d ' * 24}d\n\ne", "f").format_help()
    assert text.splitlines()[2:11] == [
        "Refused if",
        f"  - {'a ' * 18}".rstrip(),
        f"    {'a ' * 12}b",
        "  - c",
        ("d " * 20).rstrip(),
        ("d " * 5).rstrip(),
        "",
        "e",
        "",
    ]


@pytest.mark.parametrize("name", [each for each in COMMANDS if each != "sandbox"])
def test_a_full_disk_is_one_line_and_a_reader_that_leaves_is_none(name: str) -> None:
    """The standard output of --help stands for all output: every command prints through the same streams."""
    command = [sys.executable, "-m", "commands", name, "--help"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command, cwd=ROOT, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (2, "standard output cannot be written: no space left on device\n")
    reading, writing = os.pipe()
    os.close(reading)
    ascii_only = environment(PYTHONIOENCODING="ascii")
    ended = subprocess.run(
        command, cwd=ROOT, env=ascii_only, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def run_program(program: str, *, encoding: str = "utf-8", command: str = "{}") -> subprocess.CompletedProcess[str]:
    """Run a command whose main is `program`, with a shell command around it."""
    source = (
        "import sys, os\nfrom commands import command_line\n"
        f"def main(arguments):\n    {program}\ncommand_line.run(main)\n"
    )
    python = f"'{sys.executable}' -c '{source}'"
    return subprocess.run(
        ["bash", "-c", "set -o pipefail; " + command.format(python)],
        env=environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("program", "encoding", "command", "expected"),
    [
        pytest.param(
            'from rich.console import Console\n    print("x\\n" * 99999)\n    Console().print("y")\n    return 1',
            "utf-8",
            "{} | head -1",
            (1, "x\n", ""),
            id="head keeps the exit status, 1 here",
        ),
        pytest.param('print("a → b… é")', "ascii", "{}", (0, "a -> b... \\xe9\n", ""), id="ASCII only"),
        pytest.param("print(1)", "utf-8", "{} >&-", (0, "", ""), id="standard output is closed"),
        pytest.param("print(1, file=sys.stderr)", "utf-8", "{} 2>&-", (0, "", ""), id="standard error is closed"),
        pytest.param(
            "from terraform_cli import interruption\n    interruption.note()\n    return 1",
            "utf-8",
            "{}",
            (130, "", ""),
            id="an interrupt that was handled, and its effects reported",
        ),
        pytest.param(
            "import not_there",
            "utf-8",
            "{}",
            (2, "", "the set-up is out of date, not_there is not installed: run make setup\n"),
            id="a package is missing",
        ),
        pytest.param('sys.exit("wrong")', "utf-8", "{}", (2, "", ""), id="no status 1 by accident"),
        pytest.param(
            'open("/nowhere/x", "w")',
            "utf-8",
            "{}",
            (2, "", "/nowhere/x: no such file or directory\n"),
            id="a file cannot be written",
        ),
        pytest.param(
            'with open("/dev/full", "w") as file: file.write("x")',
            "utf-8",
            "{}",
            (2, "", "no space left on device\n"),
            id="full",
        ),
    ],
)
def test_output_never_changes_what_an_exit_status_means(
    program: str, encoding: str, command: str, expected: tuple[int, str, str]
) -> None:
    ended = run_program(program, encoding=encoding, command=command)
    assert (ended.returncode, ended.stdout, ended.stderr) == expected


def test_a_bug_exits_with_2() -> None:
    ended = run_program("raise ValueError(1)")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "ValueError: 1"


@pytest.mark.parametrize(
    ("arguments", "variable", "file", "line"),
    [
        (("plan",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml", "interrupted"),
        (("drift",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml", "interrupted"),
        (("verify",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml", "interrupted"),
        (("pipeline", "stacks"), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml", "interrupted"),
        (("create-state-bucket",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml", "interrupted"),
        (("apply-plan", "*"), "CDKTF_OUTDIR", "manifest.json", "interrupted"),
        (("review", "plan.json"), "PWD", "plan.json", "interrupted"),
    ],
)
def test_an_interrupted_command_prints_one_line(
    tmp_path: Path, arguments: tuple[str, ...], variable: str, file: str, line: str
) -> None:
    """Ctrl-C while a command waits for its input file, which is a pipe that nobody writes into."""
    pipe = tmp_path / file
    os.mkfifo(pipe)
    named = pipe if variable == "GLUE_SESSIONS_CONFIG" else tmp_path
    with subprocess.Popen(
        [sys.executable, "-m", "commands", *arguments],
        cwd=tmp_path,
        env=environment(**{variable: str(named)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # the default in a terminal; a test runner in the background may ignore the signal
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        writing = opened_for_writing(pipe, process)
        process.send_signal(signal.SIGINT)
        os.close(writing)  # ends the read if the signal came just before it
        output = process.communicate(timeout=60)
    assert (process.returncode, *output) == (130, "", f"{line}\n")


def opened_for_writing(pipe: Path, process: "subprocess.Popen[str]") -> int:
    """Wait until the process reads the pipe; return the pipe's other end."""
    while process.poll() is None:
        with contextlib.suppress(OSError):  # nobody reads it yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    pytest.fail(f"the command ended without reading {pipe}: {process.communicate()}")


@pytest.mark.parametrize("name", [each for each in COMMANDS if each not in ("sandbox", "demo", "completion")])
def test_another_workspace_is_refused_by_every_command(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_WORKSPACE", "staging")
    words = {"apply-plan": ["x"], "review": ["x"], "pipeline": ["stacks"]}.get(name, [])
    status = command_line.status_of(importlib.import_module(module(name)).main, words)
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith('TF_WORKSPACE is "staging", which has other states: unset TF_WORKSPACE')


@pytest.mark.parametrize("name", ["apply", "apply-plan", "create-state-bucket", "discover", "drift", "plan", "verify"])
def test_a_missing_file_of_certificates_is_one_line_of_every_command_that_always_calls_aws(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = tmp_path / "certificate-authority.pem"
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    words = {"apply-plan": ["x"]}.get(name, [])
    assert command_line.status_of(importlib.import_module(module(name)).main, words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"AWS_CA_BUNDLE is {bundle}, which is missing: is the sandbox running? ")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with `glue-sessions` and what it needs, set up; its path has a space."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    shutil.copy(ROOT / "glue-sessions", folder)
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    for name in ("commands", "configuration", "iam", "plans", "review", "aws", "terraform_cli"):
        (folder / name).symlink_to(ROOT / name)
    add_environment(folder, f'exec "{sys.executable}" "$@"')
    return folder


def add_environment(folder: Path, script: str) -> None:
    """Add what the set-up leaves in a folder; its Python is a shell script."""
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    (folder / ".venv/packages").touch()


def launch(program: Path | str, *arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    own = environment(**variables)
    del own["PYTHONPATH"]
    return subprocess.run([str(program), *arguments], cwd=folder, env=own, capture_output=True, text=True, check=False)


def test_the_launcher_works_from_any_folder_and_through_links(clone: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    (elsewhere / "bin").mkdir(parents=True)
    (elsewhere / "link").symlink_to(clone / "glue-sessions")
    (elsewhere / "bin/glue-sessions").symlink_to("../link")
    (clone / "glue-sessions.yaml").write_text(AS_SHIPPED.read_text())
    path = f"{elsewhere / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for program in (clone / "glue-sessions", elsewhere / "bin/glue-sessions", "glue-sessions"):
        ended = launch(program, "pipeline", "stacks", folder=elsewhere, PATH=path, CDPATH="/", **NAMED)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "glue-sessions-default-team\n", "")


def test_paths_in_arguments_are_relative_to_the_current_folder(clone: Path, tmp_path: Path) -> None:
    ended = launch(clone / "glue-sessions", "review", "no plan", folder=tmp_path)
    assert (ended.returncode, ended.stderr) == (2, f"{tmp_path}/no plan: cannot be read: no such file or directory\n")
    ended = launch(clone / "glue-sessions", "review", "no plan", folder=clone)
    assert ended.stderr == "no plan: cannot be read: no such file or directory\n"


@pytest.mark.parametrize("missing", [".venv/packages", ".venv/bin/python"])
def test_a_clone_that_is_not_set_up_says_so_in_one_line(clone: Path, missing: str) -> None:
    (clone / missing).unlink()
    ended = launch(clone / "glue-sessions", "plan", folder=clone)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"glue-sessions is not set up: run make setup in {clone}\n"


@pytest.mark.parametrize(
    ("set_up", "variable", "home"),
    [
        (("", ".local/cdktn"), None, ""),
        (("", ".local/cdktn"), "cdktn", ".local/cdktn"),
        (("", ".local/cdktn"), "cdktf", ""),
        ((".local/cdktn",), None, ".local/cdktn"),
    ],
)
def test_the_launcher_starts_the_python_of_the_chosen_library(
    clone: Path, set_up: tuple[str, ...], variable: str | None, home: str
) -> None:
    shutil.rmtree(clone / ".venv")
    for each in set_up:
        add_environment(clone / each, 'echo "$0|$VIRTUAL_ENV|$GLUE_SESSIONS_CDK|${PATH%%:/usr*}"')
    variables = {"GLUE_SESSIONS_CDK": variable} if variable else {}
    ended = launch(clone / "glue-sessions", folder=clone, PATH="/usr/bin:/bin", **variables)
    environment = clone / home / ".venv"
    path = f"{environment}/bin:{clone / home}/node_modules/.bin"
    library = "cdktn" if home else "cdktf"
    assert ended.stdout.splitlines() == [f"{environment}/bin/python|{environment}|{library}|{path}"]


@pytest.mark.parametrize(
    ("variable", "error"),
    [
        ("cdktn", "glue-sessions is not set up: run make CDK=cdktn setup in {clone}"),
        ("pulumi", 'set GLUE_SESSIONS_CDK to "cdktf" or "cdktn", got "pulumi"'),
    ],
)
def test_a_library_that_is_missing_or_unknown_is_one_line(clone: Path, variable: str, error: str) -> None:
    ended = launch(clone / "glue-sessions", "plan", folder=clone, GLUE_SESSIONS_CDK=variable)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", error.format(clone=clone) + "\n")


def test_without_a_command_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    from commands.__main__ import main

    assert main([]) == 0
    listed = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n    {name}" not in listed] == []
    assert main(["paln"]) == main(["xyzzy"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        'there is no command "paln", did you mean "plan"?',
        'there is no command "xyzzy", ./glue-sessions lists the commands',
    ]


def test_the_version_is_the_changelogs(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.0] - 2027-01-01\n\n## [1.1.0]\n")
    assert version(tmp_path) == "glue-sessions 1.2.0"
    assert version().startswith("glue-sessions unreleased")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dri"], ["drift"]),
        (["review", "--for"], ["--format"]),
        (["review", "--format", ""], ["terminal", "markdown", "json"]),
        (["review", "--format", "=", "j"], ["json"]),
        (["review", "--format", "="], ["terminal", "markdown", "json"]),
        (["review", "p"], []),
        (["plan", "--parallelism", ""], []),
        (["plan", "glue"], ["glue-sessions-default-team"]),
        (["pipeline", "sh"], ["show"]),
        (["pipeline", "show", "glue"], ["glue-sessions-default-team"]),
        (["sandbox", "--verb"], ["--verbose"]),
        (["unknown", ""], []),
    ],
)
def test_command_lines_are_completed(words: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NAMED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(AS_SHIPPED))
    assert candidates(words) == expected


def test_bash_completes_with_the_printed_script(clone: Path) -> None:
    script = subprocess.run(
        [sys.executable, "-m", "commands", "completion", "bash"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.replace(str(ROOT), str(clone))
    (clone / "sandbox").symlink_to(ROOT / "sandbox")
    words = 'COMP_WORDS=(./glue-sessions review --fail-on ""); COMP_CWORD=3; _glue_sessions; echo "${COMPREPLY[@]}"'
    ended = launch("bash", "-c", f"{script}\n{words}", folder=clone)
    assert ended.stdout == "critical high medium low never\n"
