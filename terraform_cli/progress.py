"""Progress bars, on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int], Callable[[], object]]
"""Opens a step, given its name and its number of items; the returned function is called after each item."""


@contextmanager
def shown() -> Iterator[Progress]:
    """Show progress on stderr if it is a terminal, and remove it at the end."""
    if not sys.stderr.isatty():
        yield lambda step, total: lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def opened(step: str, total: int) -> Callable[[], object]:
            task = bars.add_task(step, total=total)
            return lambda: bars.advance(task)

        yield opened
