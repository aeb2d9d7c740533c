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
    """A measured program failed; the message has its name, exit status and last lines."""


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
        """Run the program and return the seconds from start to exit.

        Raises:
            FailedError: the exit status is not 0.
        """
        self.prepare()
        started = time.perf_counter()
        process = self._start()
        output = process.communicate()[0]
        seconds = time.perf_counter() - started
        self._check(process.returncode, output)
        return seconds

    def peak_memory(self) -> int:
        """Run the program and return the peak memory of all its processes together, in bytes.

        Memory that processes share is counted once. Sampling takes time, so that time is measured in other runs.

        Raises:
            FailedError: the exit status is not 0.
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
        self._check(process.returncode, output[0])
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

    def _check(self, status: int, output: str) -> None:
        if status != 0:
            last = "\n".join(output.splitlines()[-15:])
            raise FailedError(f"{self.name}: {self.command[0]} exited with {status}\n{last}")


@dataclass(frozen=True)
class Result:
    """What was measured of one way: medians."""

    seconds: float
    memory: int


def side_by_side(ways: list[Way], *, rounds: int, progress: Callable[[str], None]) -> dict[str, Result]:
    """Measure all ways in turns, so that other work of the machine affects them alike.

    Args:
        ways: what is compared.
        rounds: how often each is timed, after one run that is not counted.
        progress: called with a line after each run.

    Returns:
        The median time, and the peak memory of one more run, by name.

    Raises:
        FailedError: a program failed.
    """
    for way in ways:
        progress(f"{way.name}: once to warm up")
        way.seconds()
    seconds: dict[str, list[float]] = {way.name: [] for way in ways}
    for number in range(1, rounds + 1):
        for way in ways:
            seconds[way.name].append(way.seconds())
            progress(f"{way.name}: round {number} of {rounds}, {seconds[way.name][-1]:.2f} s")
    return {way.name: Result(median(seconds[way.name]), way.peak_memory()) for way in ways}


def _with_children(process_id: int) -> list[int]:
    """Return a running process and all its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:  # it exited meanwhile
            continue
        children.setdefault(int(parent), []).append(int(folder.name))
    processes, unseen = [], [process_id]
    while unseen:
        processes.append(unseen.pop())
        unseen += children.get(processes[-1], [])
    return processes


def _memory_of(process_id: int) -> int:
    try:
        rollup = Path(f"/proc/{process_id}/smaps_rollup").read_text()
    except OSError:  # it exited meanwhile
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def kept_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without variables that change the measured programs, and with `more`."""
    distorting = ("GLUE_SESSIONS_", "JSII_", "CDKTF_", "NODE_", "PYTHON", "TF_LOG", "COV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(distorting)} | more
