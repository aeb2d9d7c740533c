"""Run programs, and measure how long each takes and how much memory it needs, all its processes together."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_BETWEEN_SAMPLES = 0.02  # seconds


class FailedError(Exception):
    """A program that is measured has failed; says which, with what status, and its last lines."""


@dataclass(frozen=True)
class Way:
    """One way to do the thing that is compared.

    Attributes:
        name: what the tables call it.
        command: the program with its arguments.
        folder: where it runs.
        environment: the whole environment it runs in.
        prepare: called before each run, outside of the measured time.
    """

    name: str
    command: tuple[str | Path, ...]
    folder: Path
    environment: Mapping[str, str]
    prepare: Callable[[], object] = lambda: None

    def seconds(self) -> float:
        """Run it to its end and return the time from start to exit.

        Raises:
            FailedError: it ended with another status than 0.
        """
        self.prepare()
        started = time.perf_counter()
        process = self._start()
        output = process.communicate()[0]
        seconds = time.perf_counter() - started
        self._judge(process.returncode, output)
        return seconds

    def peak_memory(self) -> int:
        """Run it to its end and return the most memory that it and its children had at a time, in bytes.

        What processes share is counted once. Sampled, and so never measured in the same run as the time.

        Raises:
            FailedError: it ended with another status than 0.
        """
        self.prepare()
        process = self._start()
        output: list[str] = []
        reader = threading.Thread(target=lambda: output.append(process.communicate()[0]))
        reader.start()
        peak = 0
        while reader.is_alive():
            peak = max(peak, sum(map(_memory_of, _with_children(process.pid))))
            reader.join(_BETWEEN_SAMPLES)
        self._judge(process.returncode, output[0])
        return peak

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _judge(self, status: int, output: str) -> None:
        if status != 0:
            last = "\n".join(output.splitlines()[-15:])
            raise FailedError(f"{self.name}: {self.command[0]} ended with {status}\n{last}")


@dataclass(frozen=True)
class Result:
    """What was measured of one way: medians."""

    seconds: float
    memory: int


def side_by_side(ways: list[Way], *, rounds: int, say: Callable[[str], None]) -> dict[str, Result]:
    """Measure all ways in turns, so that what else the machine does meets each alike.

    Args:
        ways: what is compared.
        rounds: how often the time of each is taken, after one run that is not counted.
        say: told what is being done.

    Returns:
        The median time, and the peak memory of one more run, by name.

    Raises:
        FailedError: a program has failed.
    """
    for way in ways:
        say(f"{way.name}: once to warm up")
        way.seconds()
    seconds: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(1, rounds + 1):
        for way in ways:
            seconds[way.name].append(way.seconds())
            say(f"{way.name}: round {number} of {rounds}, {seconds[way.name][-1]:.2f} s")
    return {way.name: Result(median(seconds[way.name]), way.peak_memory()) for way in ways}


def _with_children(process_id: int) -> list[int]:
    """Return a process and all that descend from it, as far as they run."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended since
            continue
        children.setdefault(int(parent), []).append(int(folder.name))
    found, unseen = [], [process_id]
    while unseen:
        found.append(unseen.pop())
        unseen += children.get(found[-1], [])
    return found


def _memory_of(process_id: int) -> int:
    try:
        rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    except OSError:  # it has ended since
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def kept_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what would change the programs measured, and with `more`."""
    distorting = ("GLUE_SESSIONS_", "JSII_", "CDKTF_", "NODE_", "PYTHON", "TF_LOG", "COV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(distorting)} | more
