"""The skeleton of all commands: arguments, help texts, output streams, interrupts and the exit status.

    def main(arguments: Sequence[str] | None = None) -> int:
        options = command_line.parse(parser(), arguments)
        …

    if __name__ == "__main__":
        command_line.run(main)

Each command's `__main__` has `main` and `parser`, and INTERRUPTED if an interrupt needs a line of its own.
"""

import argparse
import errno
import os
import sys
import textwrap
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from commands import streams
from terraform_cli import interruption
from terraform_cli.environment import UnusableEnvironmentError, check_certificates, check_workspace

EXIT_CANNOT_RUN = 2
"""Exit status of wrong input, and of a command that could not do its work."""

EXIT_INTERRUPTED = 130
"""Exit status after Ctrl-C or SIGTERM, whatever was done until then; as shells report it."""

STARTED_IN = "GLUE_SESSIONS_STARTED_IN"
"""The variable with the folder that `./glue-sessions` was started in; the commands run in the project's folder."""

_ITEM = "  - "
"""Begins an item of a list in a help text; its further lines are indented."""

_FORMATS = ("terminal", "markdown", "json")


class _Formatter(argparse.HelpFormatter):
    """Fills the paragraphs of a description to the width, and the items of lists in it."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks: list[list[str]] = []
        for line in text.splitlines():
            goes_on = blocks and line and blocks[-1][-1] and not line.startswith(_ITEM)
            if goes_on and blocks[-1][0].startswith(_ITEM) == line.startswith(" "):
                blocks[-1].append(line.strip())
            else:
                blocks.append([line])
        return "\n".join(self._filled(" ".join(lines), width) for lines in blocks)

    def _filled(self, paragraph: str, width: int) -> str:
        hanging = " " * len(_ITEM) if paragraph.startswith(_ITEM) else ""
        return textwrap.fill(paragraph, width, subsequent_indent=hanging, break_on_hyphens=False)


def parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return a parser that fills the description and the epilog to the width of the terminal.

    Args:
        name: of the command.
        description: paragraphs, and lists of items that begin with "  - ".
        epilog: the same; ends with the exit statuses.
    """
    return argparse.ArgumentParser(
        prog=f"glue-sessions {name}".rstrip(), description=description, epilog=epilog, formatter_class=_Formatter
    )


def parse(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, *, calls_aws: bool = False
) -> argparse.Namespace:
    """Return the parsed arguments; exit with 2 if they are wrong, or if the environment selects other states.

    Args:
        parser: the command's.
        arguments: the words of the command line.
        calls_aws: whether the command always calls AWS, which needs the file that AWS_CA_BUNDLE names. Whoever runs
            Terraform for that checks it there, too.
    """
    options = parser.parse_args(arguments)
    try:
        check_workspace(os.environ)
        if calls_aws:
            check_certificates(os.environ)
    except UnusableEnvironmentError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_CANNOT_RUN) from None
    return options


def add_stacks(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add STACK…, names or patterns, as `stacks`. No STACK selects all stacks, unless one is required."""
    what = "stack names or patterns like 'glue-sessions-dev-*'"
    parser.add_argument(
        "stacks", nargs="+" if required else "*", metavar="STACK", help=what if required else f"{what} (default: all)"
    )


def add_parallelism(parser: argparse.ArgumentParser) -> None:
    """Add --parallelism as `parallelism`, None for the number of processors."""
    parser.add_argument(
        "--parallelism", type=_positive, metavar="N", help="stacks in parallel (default: number of processors)"
    )


def add_format(parser: argparse.ArgumentParser, *, markdown: bool = False) -> None:
    """Add --format as `format`, terminal by default, and its short form --json."""
    formats = [each for each in _FORMATS if markdown or each != "markdown"]
    parser.add_argument("--format", choices=formats, default="terminal", help="(default: terminal)")
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")


def typed_path(text: str) -> str:
    """Return a path that was typed as an argument; it is relative to the folder that the user is in. `-` stays."""
    folder = os.environ.get(STARTED_IN)
    if text == "-" or not folder or Path(folder) == Path.cwd():
        return text
    return str(Path(folder, text))


def run(
    command: Callable[[Sequence[str] | None], int | None],
    arguments: Sequence[str] | None = None,
    *,
    interrupted: str = "interrupted",
) -> NoReturn:
    """Run a command and exit with its status.

    Ctrl-C and SIGTERM print `interrupted` and exit with 130. A reader that leaves (`| head`) changes no exit status.
    Where standard output or another file cannot be written, one line says so, and the status is 2. A traceback, which
    is a bug, exits with 2 too: 1 means that something was found.
    """
    streams.forgive()
    with interruption.sigterm_as_interrupt():
        try:
            status = status_of(command, arguments, interrupted=interrupted)
            if reason := streams.failure():
                print(f"standard output cannot be written: {reason}", file=sys.stderr)
                status = EXIT_CANNOT_RUN
        except KeyboardInterrupt:  # a second one
            status = EXIT_INTERRUPTED
    sys.exit(status)


def status_of(
    command: Callable[[Sequence[str] | None], int | None],
    arguments: Sequence[str] | None,
    *,
    interrupted: str = "interrupted",
) -> int:
    """Run a command and return the exit status that `run` exits with, as far as the streams do not change it."""
    try:
        status = command(arguments) or 0
        return EXIT_INTERRUPTED if interruption.happened() else status
    except SystemExit as end:  # argparse and `exit_with_error` have printed the reason
        return end.code if isinstance(end.code, int) else EXIT_CANNOT_RUN if end.code else 0
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or interrupted, file=sys.stderr)
        return EXIT_INTERRUPTED
    except ModuleNotFoundError as error:
        print(f"the set-up is out of date, {error.name} is not installed: run make setup", file=sys.stderr)
        return EXIT_CANNOT_RUN
    except OSError as error:
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            traceback.print_exc()
        else:
            place = f"{error.filename}: " if error.filename is not None else ""
            print(f"{place}{(error.strerror or str(error)).lower()}", file=sys.stderr)
        return EXIT_CANNOT_RUN
    except Exception:
        traceback.print_exc()
        return EXIT_CANNOT_RUN


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"supply a number, 1 or more, got {text}")
    return int(text)
