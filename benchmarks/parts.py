"""What each part of fast_cdktf buys: the synthesis of one role and of many, with one part more in each row."""

import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks import fleet
from benchmarks.measure import Way
from benchmarks.report import table

SIZES = (1, 200)

# the parts that GLUE_SESSIONS_FAST names, in the order in which they are added
ROWS: Mapping[str, str] = {
    "CDKTF as it is installed": "",
    "a subset of the AWS provider": "subset",
    "one Node, started ahead": "subset,node",
    "no garbage collection": "subset,node,gc",
    "no waiting between constructs": "subset,node,gc,pipelining",
}


@dataclass(frozen=True)
class Times:
    """Seconds of each round: by the clock, and of all processors."""

    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


Measured = Mapping[str, Mapping[int, Times]]


def run(work: Path, *, rounds: int, progress: Callable[[str], None], sizes: Sequence[int] = SIZES) -> Measured:
    """Measure all rows in turns, so that other work of the machine affects them alike.

    Args:
        work: an empty folder.
        rounds: how often each row is measured, after one run that is not counted.
        progress: called with a line after each run.
        sizes: numbers of roles.

    Returns:
        The times by row and number of roles.

    Raises:
        FailedError: the program failed.
    """
    measured = {row: {size: Times() for size in sizes} for row in ROWS}
    ways = {(row, size): _way(work, size, parts) for size in sizes for row, parts in ROWS.items()}
    for number in range(rounds + 1):
        for (row, size), way in ways.items():
            clock, processor = _measure(way)
            progress(f"{row}, {size} roles: round {number} of {rounds}, {clock:.2f} s, {processor:.2f} s of processors")
            if number:
                measured[row][size].clock.append(clock)
                measured[row][size].processor.append(processor)
    return measured


def report(measured: Measured) -> str:
    """Return a table of the rows: median times, and which share of the row above each saves.

    The share is the median of the rounds' shares, since runs of a round follow each other.
    """
    sizes = [*next(iter(measured.values()))]
    head = ["with this and all above"]
    for size in sizes:
        head += [f"{size:,} role{'s' if size > 1 else ''}", "saves", "processors", "saves"]
    rows = []
    for before, now in pairwise([None, *measured]):
        assert now
        cells = [now]
        for size in sizes:
            times, reference = measured[now][size], measured[before][size] if before else None
            cells += _cells(times.clock, reference.clock if reference else None)
            cells += _cells(times.processor, reference.processor if reference else None)
        rows.append(cells)
    return table(head, rows)


def _cells(seconds: list[float], before: list[float] | None) -> list[str]:
    if before is None:
        return [f"{median(seconds):.2f} s", ""]
    saving = median(1 - after / ahead for ahead, after in zip(before, seconds, strict=True))
    return [f"{median(seconds):.2f} s", f"{round(100 * saving)} %"]


def _way(work: Path, size: int, parts: str) -> Way:
    way = fleet.synthesis(work, size, work / "out")
    return replace(way, environment={**way.environment, "GLUE_SESSIONS_FAST": parts})


def _measure(way: Way) -> tuple[float, float]:
    """Run it and return its seconds by the clock and of processors, those of its child processes included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = way.seconds()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
