"""What the command lines of all commands share: arguments, help texts, and the exit status of an interrupt."""

import argparse
import sys
from collections.abc import Callable

EXIT_CANNOT_RUN = 2
"""Exit status of wrong input, and of a command that could not do its work."""


def parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """Return a parser that prints the description and the epilog with their own line breaks."""
    return argparse.ArgumentParser(
        prog=name, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


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


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"supply a number, 1 or more, got {text}")
    return int(text)


def exit_cleanly_on_interrupt(
    command: Callable[[], int | None], *, message: str = "interrupted", status: int = EXIT_CANNOT_RUN
) -> int | None:
    """Run a command and return its exit status; on Ctrl-C print the message on stderr and return `status`."""
    try:
        return command()
    except KeyboardInterrupt:
        print(message, file=sys.stderr)
        return status
