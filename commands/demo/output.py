"""What the demo prints: one line per step, or everything with `--verbose`; a running clock on a terminal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import fill

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

_WIDTH = 100
_INDENT = "   "


class Output:
    """Prints the demo's steps on standard output.

    Without `verbose`, a step is one line: what it does, its results, its duration. The details of a step that fails
    are printed in full.

    Args:
        console: prints to it; by default standard output.
        verbose: whether to print the details of all steps.
    """

    def __init__(self, console: Console | None = None, *, verbose: bool = False) -> None:
        self._console = console or Console(highlight=False)
        self._verbose = verbose
        self._details: list[Text] = []
        self._results: list[str] = []

    @property
    def colors(self) -> bool:
        """Whether colors are shown."""
        return self._console.color_system is not None and self._console.is_terminal

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a step, with its results and duration at its end."""
        self._details, self._results = [], []
        started = time.monotonic()
        if self._verbose:
            self._print(Text(f"\n{title}", style="bold cyan"))
        try:
            with self._clock(title):
                yield
        except BaseException:
            if not self._verbose:
                for each in (Text(title, style="bold cyan"), *self._details):
                    self._print(each)
            raise
        duration = Text(f"  ({time.monotonic() - started:.1f} s)", style="dim")
        if self._verbose:
            self._print(duration)
        else:
            result = f": {', '.join(self._results)}" if self._results else ""
            self._print(self._wrapped(Text.assemble(("ok ", "green"), f"{title}{result}", duration)))

    def _wrapped(self, text: Text) -> Text:
        """Break a line that is longer than the terminal, and indent what follows."""
        if not self._console.is_terminal or len(text) <= self._console.width:
            return text
        first, *rest = text.wrap(self._console, self._console.width - len(_INDENT))
        return Text("\n").join([first, *(Text(_INDENT) + line for line in rest)])

    def note(self, text: str) -> None:
        """Explain a step; each line of `text` is a paragraph."""
        width = min(_WIDTH, self._console.width) if self._console.is_terminal else _WIDTH
        for paragraph in text.splitlines():
            # names and ARNs are not broken
            self._detail(Text(fill(paragraph, width, break_long_words=False, break_on_hyphens=False)))

    def command(self, command: str) -> None:
        """Show a command line."""
        self._detail(Text.assemble(("$ ", "dim"), (command, "bold")))

    def line(self, line: str) -> None:
        """Show a line of a command's output, with its colors."""
        self._detail(Text.from_ansi(f"  {line}".rstrip()))

    def result(self, text: str) -> None:
        """Show a result of the step that was checked."""
        self._results.append(text)
        self._detail(Text.assemble(("ok ", "green"), text))

    def end(self, text: str) -> None:
        """Print the closing text, a line each."""
        self._print(Text(f"\n{text}"))

    def _detail(self, text: Text) -> None:
        self._details.append(text)
        if self._verbose:
            self._print(text)

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def _clock(self, title: str) -> Iterator[None]:
        if not self._console.is_terminal:
            yield
            return
        columns = (SpinnerColumn(), TextColumn("{task.description}", style="dim"), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            progress.add_task(title, total=None)
            yield
