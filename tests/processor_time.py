"""A pytest plugin that reports the processor time of tests: `pytest -p tests.processor_time tests/e2e`.

Counted are the process of the tests and all that it starts: Terraform, providers, the local AWS, kernels. What several
tests share counts for the first one. Runs of Terraform are counted by command.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree, which
from tempfile import mkdtemp
from typing import Any

import psutil
import pytest

_SHOWN = 40
_FOLDER = "PROCESSOR_TIME_FOLDER"
_SHIM = '#!/bin/sh\necho "${{1%%=*}}" >> "{}/runs-$PYTEST_XDIST_WORKER"\nexec "{}" "$@"\n'


def pytest_configure(config: pytest.Config) -> None:
    """Create the folder of the measurements in the first process, and put a Terraform that counts on PATH."""
    if _FOLDER in os.environ:
        return
    folder = Path(os.environ.setdefault(_FOLDER, mkdtemp(prefix="processor-time-")))
    terraform = folder / "bin" / "terraform"
    terraform.parent.mkdir()
    terraform.write_text(_SHIM.format(folder, which("terraform")))
    terraform.chmod(0o755)
    os.environ["PATH"] = os.pathsep.join([str(terraform.parent), os.environ["PATH"]])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Measure a test with its fixtures."""
    seconds, runs = _seconds(), _runs()
    result = yield
    measured = [round(_seconds() - seconds, 2), item.nodeid, _runs() - runs]
    with (Path(os.environ[_FOLDER]) / f"tests-{os.getpid()}").open("a") as file:
        file.write(json.dumps(measured) + "\n")
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the costliest tests, and the sums."""
    folder = Path(os.environ[_FOLDER])
    files = folder.glob("tests-*")
    tests = sorted((json.loads(line) for file in files for line in file.read_text().splitlines()), reverse=True)
    rmtree(folder)
    terminalreporter.section("processor time in seconds")
    for seconds, name, runs in tests[:_SHOWN]:
        terminalreporter.line(f"{seconds:8.2f} {name} {_text(runs)}")
    total = sum((Counter(runs) for _, _, runs in tests), Counter[str]())
    terminalreporter.line(f"{sum(seconds for seconds, _, _ in tests):8.2f} of {len(tests)} tests; {_text(total)}")


def _text(runs: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(runs.items()))


def _seconds() -> float:
    this = psutil.Process()
    total = 0.0
    for process in [this, *this.children(recursive=True)]:
        try:
            total += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


def _runs() -> Counter[str]:
    file = Path(os.environ[_FOLDER]) / f"runs-{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    return Counter(file.read_text().split()) if file.exists() else Counter()
