"""The command `drift`: see docs/drift.md."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from review.drift.report import Reading


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, 1 if something drifted, 2 if a stack could not be read."""
    options = command_line.parse(parser(), arguments, calls_aws=True)
    # imported here, so that --help and errors in the arguments are fast
    from review.drift.planning import CANNOT_READ, read
    from review.drift.report import exit_status

    try:
        readings = read(options.stacks)
    except CANNOT_READ as error:
        print(error, file=sys.stderr)
        return 2
    _show(readings, options.format)
    return exit_status(readings)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser(
        "drift",
        "Report what others changed in the roles since the last apply, who is affected, and what apply would do. Reads"
        " only, takes no lock.",
        "Exit status: 0 nothing drifted; 1 something drifted, or a role keeps grants that are not configured; 2 a stack"
        " could not be read.",
    )
    command_line.add_stacks(result)
    command_line.add_format(result, markdown=True)
    return result


def _show(readings: "Sequence[Reading]", format_: str) -> None:
    from rich.console import Console

    from commands.drift.advice import advice
    from commands.page import show_advice
    from review.drift.renderers import as_json, markdown, show

    if format_ == "json":
        print(json.dumps(as_json(readings), indent=2))
    elif format_ == "markdown":
        print(markdown(readings), end="")
    else:
        console = Console(highlight=False)
        show(readings, console)
        show_advice(console, advice(readings))


if __name__ == "__main__":
    command_line.run(main)
