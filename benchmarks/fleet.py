"""What each further role costs: the synthesis of a fleet, and plan and apply of all its stacks."""

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import shop
from benchmarks.environments import PYTHON, REPOSITORY
from benchmarks.measure import Way, kept_environment, side_by_side
from sandbox.launcher import Sandbox
from terraform_cli import installation


@dataclass(frozen=True)
class Synthesis:
    """Synthesis of `roles` roles: median seconds, peak memory in bytes, and the files it writes."""

    roles: int
    seconds: float
    memory: int
    files: int
    bytes_written: int


@dataclass(frozen=True)
class Change:
    """One step for the stacks of `roles` roles, run in parallel: seconds, and the AWS API requests of all."""

    roles: int
    step: str
    seconds: float
    requests: Counter[str]


def synthesize(work: Path, sizes: list[int], *, rounds: int, progress: Callable[[str], None]) -> list[Synthesis]:
    """Measure the synthesis of fleets of these sizes, in turns.

    Raises:
        FailedError: the program failed.
    """
    folders = {size: work / f"fleet of {size}" for size in sizes}
    ways = {size: synthesis(work, size, out) for size, out in folders.items()}
    results = side_by_side([*ways.values()], rounds=rounds, progress=progress)
    syntheses = []
    for size, out in folders.items():
        result = results[ways[size].name]
        files = [file for file in out.rglob("*") if file.is_file()]
        syntheses.append(
            Synthesis(size, result.seconds, result.memory, len(files), sum(file.stat().st_size for file in files))
        )
    return syntheses


def synthesis(work: Path, size: int, out: Path) -> Way:
    """Return the synthesis of a fleet into the folder `out`."""
    configuration = shop.write_configuration(work / f"{size}.yaml", shop.role_names(size))
    environment = kept_environment(GLUE_SESSIONS_CONFIG=str(configuration), CDKTF_OUTDIR=str(out))
    return Way(
        f"synthesis of {size} roles",
        (PYTHON, "-O", "main.py"),
        REPOSITORY,
        environment,
        # as in a pipeline: some file systems take ten times as long to overwrite a file as to write a new one
        prepare=lambda: shutil.rmtree(out, ignore_errors=True),
    )


def change(work: Path, sizes: list[int], *, progress: Callable[[str], None]) -> list[Change]:
    """Adopt fleets of these sizes, each without any state: initialize, plan and apply all stacks, then plan twice more.

    With plain Terraform, as many stacks in parallel as the machine has processors; the last time with this project's
    command, which synthesizes as well.

    Raises:
        TerraformMissingError: terraform is not installed.
        FailedError: a program failed.
    """
    changes = []
    for size in sizes:
        out = work / f"change of {size}"
        with shop.account(shop.role_names(size)) as aws:
            synthesized = synthesis(work, size, out)
            synthesized.seconds()
            environment = kept_environment(**aws.environment, **installation.settings(work / "terraform"))
            stacks = sorted((out / "stacks").iterdir())
            of_project = {**synthesized.environment, **environment}
            steps: dict[str, Callable[[], float]] = {
                **{step: partial(_all, stacks, step, arguments, environment) for step, arguments in _STEPS.items()},
                COMMAND: Way(COMMAND, (PYTHON, "-m", "commands.plan", "--json"), REPOSITORY, of_project).seconds,
            }
            for step, run in steps.items():
                seconds, requests = _counted(run, aws)
                changes.append(Change(size, step, seconds, requests))
                progress(f"{step} of {size} roles: {seconds:.1f} s, {requests.total() / size:.1f} requests a role")
        shutil.rmtree(out)
    return changes


COMMAND = "plan again, by python -m commands.plan"
_OPTIONS = ("-input=false", "-no-color")
_STEPS = {
    "init": ("init", *_OPTIONS),
    "plan": ("plan", *_OPTIONS, "-out=plan"),
    "apply": ("apply", *_OPTIONS, "plan"),
    "plan again, nothing changed": ("plan", *_OPTIONS, "-detailed-exitcode"),
}


def _all(stacks: list[Path], step: str, arguments: tuple[str, ...], environment: dict[str, str]) -> float:
    ways = [Way(f"{step} in {stack.name}", (installation.binary(), *arguments), stack, environment) for stack in stacks]
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(Way.seconds, ways))
    return time.perf_counter() - started


def _counted(run: Callable[[], float], aws: Sandbox) -> tuple[float, Counter[str]]:
    """Run a step; return its seconds, and the requests that reached AWS during it."""
    seen = aws.log_file.stat().st_size
    seconds = run()
    with aws.log_file.open() as log:
        log.seek(seen)
        return seconds, Counter(filter(None, map(_service, log)))


def _service(line: str) -> str | None:
    """Return the service that a line of the sandbox's log is a request to; None for another line."""
    request = re.match(r"[A-Z]+ (\S+) (\S+) \d{3} ", line)
    if request is None:
        return None
    if request[2] == "-":
        return "S3"
    return "STS" if request[2] == "GetCallerIdentity" or request[2].startswith("AssumeRole") else "IAM"
