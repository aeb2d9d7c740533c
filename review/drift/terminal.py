"""Drift on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from review.drift.report import Reading, verdict

_STYLES = {"drifted": "bold red", "not read": "bold red", "not applied": "yellow", "as applied": "green"}


def show(readings: Sequence[Reading], console: Console) -> None:
    """Print each stack with what there is to say of it, then how it stands altogether."""
    for reading in readings:
        style = _STYLES[reading.state]
        console.print(Text.assemble((reading.state, style), "  ", (reading.stack, "bold")), soft_wrap=True)
        for title, lines in reading.sections:
            console.print(Text(f"  {title}"), soft_wrap=True)
            for line in lines:
                console.print(Text(f"    {line}"), soft_wrap=True)
    console.print(verdict(readings), soft_wrap=True)
