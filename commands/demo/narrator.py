"""What the demo writes: in colour and with a running clock on a terminal, as plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

_WIDTH = 100


class Narrator:
    """Writes the demo's text to standard output.

    Args:
        console: where to; a test gives one of its own.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    @property
    def colours(self) -> bool:
        """Whether colours are shown."""
        return self._console.color_system is not None and self._console.is_terminal

    def heading(self, text: str) -> None:
        """Begin a step."""
        self._console.print()
        self._console.print(Text(text, style="bold cyan"), soft_wrap=True)

    def say(self, text: str) -> None:
        """Tell what happens and why, in sentences; each line of `text` is a paragraph."""
        width = min(_WIDTH, self._console.width) if self._console.is_terminal else _WIDTH
        for paragraph in text.splitlines():
            # names and ARNs stay whole
            lines = fill(paragraph, width, break_long_words=False, break_on_hyphens=False)
            self._console.print(Text(lines), soft_wrap=True)

    def typed(self, command: str) -> None:
        """Show a command as it is typed."""
        self._console.print(Text.assemble(("$ ", "dim"), (command, "bold")), soft_wrap=True)

    def output(self, line: str) -> None:
        """Show a line that a command has written, colours included."""
        self._console.print(Text.from_ansi(f"  {line}".rstrip()), soft_wrap=True)

    def proved(self, text: str) -> None:
        """Tell what was checked and found right."""
        self._console.print(Text.assemble(("ok ", "green"), text), soft_wrap=True)

    @contextmanager
    def running(self, what: str) -> Iterator[None]:
        """Show, while something runs, what it is and for how long; then how long it took."""
        started = time.monotonic()
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}", style="dim"), TimeElapsedColumn())
            with Progress(*columns, console=self._console, transient=True) as progress:
                progress.add_task(what, total=None)
                yield
        else:
            yield
        self._console.print(Text(f"  ({time.monotonic() - started:.1f} s)", style="dim"))
