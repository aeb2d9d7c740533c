"""The stacks that `cdktf synth` wrote, and work on many of them in parallel.

terraform = Terraform(settings_folder())
stacks = find(["glue-sessions-dev-*"], configuration)
outcomes = for_each(stacks, lambda stack: terraform.run(stack.folder, "plan").or_raise(), step="plans")
outcomes.report_failed()
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from terraform_cli import interruption, progress
from terraform_cli.interruption import ignore_interrupts, sigterm_as_interrupt
from terraform_cli.terraform import NOT_STARTED, TerraformError, interrupt_all

if TYPE_CHECKING:
    from configuration import Configuration, RoleStack

PLAN = "plan"
"""File name of a saved plan in a stack's folder, the same as that of `cdktf plan`."""

LOG = "failed.log"
"""File name of Terraform's output in a stack's folder, written when Terraform fails."""

APPS = {"state-bucket": "state_bucket.py", "pipeline-access": "pipeline_access.py"}
"""The stacks of the other apps, beside the roles' in main.py: selected by their names alone.

The output of each is in a folder of cdktf's output that has its name.
"""

_SHOWN = 5


class StacksError(Exception):
    """No such stacks; the message names the remedy."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_AnyStack = TypeVar("_AnyStack", bound=_Named)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: its name, its folder, and its settings if it is a role's."""

    name: str
    folder: Path
    settings: "RoleStack | None" = None


def output_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that cdktf writes to: CDKTF_OUTDIR, by default `cdktf.out` in the current folder."""
    return Path(environment.get("CDKTF_OUTDIR") or "cdktf.out")


def settings_folder() -> Path:
    """Return the folder for the settings of the Terraform runs of this project."""
    return output_folder() / "terraform"


def find(
    patterns: Sequence[str],
    configuration: "Configuration | None" = None,
    environment: Mapping[str, str] = os.environ,
) -> list[Stack]:
    """Return the synthesized stacks that match the patterns, in the order of the app; without patterns, all roles'.

    Args:
        patterns: names, optionally with `*`, `?` and `[…]`.
        configuration: its role stacks become the `settings` of the stacks with the same name.
        environment: names the folder that cdktf writes to.

    Raises:
        StacksError: nothing is synthesized, or a pattern matches no stack.
    """
    folder = output_folder(environment)
    others, of_roles = by_app(patterns)
    found = [stack for name in others for stack in _written(folder / name, name)]
    if of_roles is None:
        return found
    settings = {stack.name: stack for stack in configuration.role_stacks} if configuration else {}
    roles = [replace(stack, settings=settings.get(stack.name)) for stack in _written(folder)]
    return [*found, *chosen(roles, of_roles)]


def by_app(patterns: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Return which of the other apps' stacks are named, and the patterns for roles; None if no role is meant."""
    others = [name for name in APPS if name in patterns]
    of_roles = [pattern for pattern in patterns if pattern not in APPS]
    return others, of_roles if of_roles or not others else None


def _written(folder: Path, name: str = "") -> list[Stack]:
    """Return the stacks that an app wrote into a folder, the only one if it has a name. Raises StacksError."""
    plan = f"./glue-sessions plan {name}".rstrip()
    manifest = folder / "manifest.json"
    try:
        entries = json.loads(manifest.read_bytes())["stacks"].values()
        return [Stack(entry["name"], folder / entry["workingDirectory"]) for entry in entries]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StacksError(f"{manifest}: {why}, run {plan}, or name cdktf's output in CDKTF_OUTDIR") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StacksError(f"{manifest}: not a manifest of cdktf, run {plan} again") from None


def chosen(stacks: Sequence[_AnyStack], patterns: Sequence[str]) -> list[_AnyStack]:
    """Return the stacks that match the patterns, in the order of `stacks`; without patterns, all.

    Raises:
        StacksError: a pattern matches no stack.
    """
    for pattern in patterns:
        if not any(fnmatchcase(stack.name, pattern) for stack in stacks):
            known = ", ".join(stack.name for stack in stacks[:_SHOWN]) + (", …" if len(stacks) > _SHOWN else "")
            raise StacksError(f'no stack matches "{pattern}"; stacks: {known or "none"}')
    return [stack for stack in stacks if not patterns or any(fnmatchcase(stack.name, each) for each in patterns)]


@dataclass(frozen=True)
class Outcomes(Generic[_Result]):
    """Results and failures, in the order of the stacks."""

    done: list[tuple[Stack, _Result]]
    failed: list[tuple[Stack, TerraformError]]

    def report_failed(self) -> None:
        """Print the errors of the failed stacks on stderr, and write Terraform's output to LOG in their folders."""
        alike = len(self.failed) > 1 and len({error.lines for _, error in self.failed}) == 1
        logs = []
        for stack, error in self.failed:
            if error.output:
                logs.append(stack.folder / LOG)
                logs[-1].write_text(error.output)
            for line in () if alike else error.lines:
                print(f"{stack.name}: {line}", file=sys.stderr)
        for line in self.failed[0][1].lines if alike else ():
            print(line, file=sys.stderr)
        total = len(self.done) + len(self.failed)
        if self.failed and total > 1:
            names = ", ".join(stack.name for stack, _ in self.failed)
            print(f"{len(self.failed)} of {total} stacks failed: {names}", file=sys.stderr)
        if logs:
            more = f", and {len(logs) - 1} more like it" if len(logs) > 1 else ""
            print(f"Terraform's full output: {logs[0]}{more}", file=sys.stderr)


def for_each(
    stacks: Iterable[Stack], work: Callable[[Stack], _Result], *, step: str, parallelism: int | None = None
) -> Outcomes[_Result]:
    """Run `work` for each stack, in parallel; a TerraformError of one stack does not stop the others.

    Progress is shown on a terminal. On Ctrl-C or SIGTERM it starts no further stack, interrupts the running Terraform
    processes and waits for them to finish; stacks that were not started count as failed.

    Args:
        stacks: the stacks.
        work: called with each stack; raises TerraformError if it fails.
        step: name of the work in the progress display.
        parallelism: number of stacks in parallel, by default the number of processors.
    """
    stacks = list(stacks)

    def one(stack: Stack) -> _Result | TerraformError:
        try:
            return work(stack)
        except TerraformError as error:
            return error
        finally:
            advance()

    with progress.shown() as steps, sigterm_as_interrupt():
        advance = steps(step, len(stacks))
        with ThreadPoolExecutor(parallelism or os.cpu_count()) as pool:
            running = [pool.submit(one, stack) for stack in stacks]
            try:
                wait(running)
            except KeyboardInterrupt:
                interruption.note()
                with ignore_interrupts(), interrupt_all():
                    print("interrupted, waiting for Terraform to finish its current calls", file=sys.stderr)
                    pool.shutdown(cancel_futures=True)
    outcomes = Outcomes[_Result]([], [])
    for stack, each in zip(stacks, running, strict=True):
        result = TerraformError(NOT_STARTED) if each.cancelled() else each.result()
        if isinstance(result, TerraformError):
            outcomes.failed.append((stack, result))
        else:
            outcomes.done.append((stack, result))
    return outcomes
