"""`./glue-sessions COMMAND`: run a command by name, list the commands, complete a command line."""

import argparse
import importlib
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from commands import command_line

COMMANDS = {
    "discover": "find domains, users, spaces and their execution roles; write glue-sessions.yaml",
    "plan": "plan a role and explain the plan; or plan many roles in parallel",
    "apply": "plan, show the plan, and apply exactly it after your approval",
    "apply-plan": "apply a saved plan if the role is still the one it was planned for",
    "review": "explain what plans mean in IAM terms, with findings",
    "drift": "report what others have changed since the last apply",
    "verify": "check whether the roles are ready for Glue sessions",
    "create-state-bucket": "create the bucket of Terraform's states; make state-bucket also configures it",
    "pipeline": "the steps of the workflows",
    "sandbox": "start the local AWS to work with it by hand",
    "demo": "run the whole journey on the local AWS",
    "completion": "print the completion for bash, zsh or fish",
}
"""What each command does, in one line."""

_PROJECT = Path(__file__).resolve().parents[1]
_DESCRIPTION = "AWS Glue interactive sessions for SageMaker execution roles."
_EPILOG = """\
Each command has --help. Commands read glue-sessions.yaml and write cdktf.out in the project's folder, whatever the
current folder is (GLUE_SESSIONS_CONFIG and CDKTF_OUTDIR name others). Paths in arguments are relative to the current
folder.

docs/commands.md says more.

Exit status: 0 success; 1 something was found or refused; 2 wrong input, or the command could not do its work; 130
interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        close = get_close_matches(arguments[0], COMMANDS, 1)
        hint = f'did you mean "{close[0]}"?' if close else "./glue-sessions lists the commands"
        print(f'there is no command "{arguments[0]}", {hint}', file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    options = parser().parse_args(arguments[:1])
    if options.version:
        print(version())
        return 0
    if options.command is None:
        parser().print_help()
        return 0
    if options.command == "sandbox":  # a program of its own, which no command may import
        sys.argv[1:] = arguments[1:]
        os.chdir(os.environ.get(command_line.STARTED_IN) or Path.cwd())
        runpy.run_module("sandbox", run_name="__main__", alter_sys=True)
    command = importlib.import_module(module(options.command))
    try:
        status: int = command.main(arguments[1:])
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(str(interrupt) or getattr(command, "INTERRUPTED", "")) from None
    return status


def parser() -> argparse.ArgumentParser:
    """Return the parser of the first argument."""
    result = command_line.parser("", _DESCRIPTION, _EPILOG)
    result.add_argument("--version", action="store_true", help="print the version")
    commands = result.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, what in COMMANDS.items():
        commands.add_parser(name, help=what, add_help=False)
    return result


def module(name: str) -> str:
    """Return the name of a command's module."""
    return f"commands.{name.replace('-', '_')}.__main__"


def version(project: Path = _PROJECT) -> str:
    """Return the newest version of CHANGELOG.md, and the commit if this is a clone with git."""
    headings = re.findall(r"^## \[(.+?)\]", (project / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    newest = headings[0].lower() if headings else "unknown"
    try:
        git = subprocess.run(
            ["git", "-C", str(project), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        )
        commit = git.stdout.strip()
    except OSError:
        commit = ""
    return f"glue-sessions {newest}" + (f", commit {commit}" if commit else "")


if __name__ == "__main__":
    command_line.run(main)
