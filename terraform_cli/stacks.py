"""The stacks that `cdktf synth` wrote, and work on many of them at a time.

terraform = Terraform(settings_folder())
stacks = find(["glue-sessions-dev-*"], configuration)
outcomes = for_each(stacks, lambda stack: terraform.run(stack.folder, "plan").or_raise(), step="plans")
outcomes.report_broken()
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from terraform_cli import progress
from terraform_cli.interruption import terminated_as_interrupted, uninterrupted
from terraform_cli.terraform import NOT_BEGUN, TerraformError, interrupting

if TYPE_CHECKING:
    from configuration import Configuration, RoleStack

PLAN = "plan"
"""File in a stack's folder with its saved plan, where `cdktf plan` leaves it as well."""

LOG = "failed.log"
"""File in a stack's folder with everything that terraform said when it failed."""

_SHOWN = 5


class StacksError(Exception):
    """There are no such stacks; says in one line what to do."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_AnyStack = TypeVar("_AnyStack", bound=_Named)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: its name, its folder, and what the configuration says of it, where it does."""

    name: str
    folder: Path
    settings: "RoleStack | None" = None


def output_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder cdktf writes to: CDKTF_OUTDIR, or `cdktf.out` right here."""
    return Path(environment.get("CDKTF_OUTDIR") or "cdktf.out")


def settings_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder for the settings of the terraforms that our commands run."""
    return output_folder(environment) / "terraform"


def find(
    patterns: Sequence[str],
    configuration: "Configuration | None" = None,
    environment: Mapping[str, str] = os.environ,
) -> list[Stack]:
    """Give the synthesized stacks that patterns name, all of them without any pattern, in the order of the app.

    Args:
        patterns: names, also with `*`, `?` and `[…]`.
        configuration: what is configured; its stacks of the same name become `settings`.
        environment: tells where cdktf writes to.

    Raises:
        StacksError: nothing is synthesized, or a pattern matches nothing.
    """
    folder = output_folder(environment)
    manifest = folder / "manifest.json"
    settings = {stack.name: stack for stack in configuration.role_stacks} if configuration else {}
    try:
        entries = json.loads(manifest.read_bytes())["stacks"].values()
        stacks = [
            Stack(entry["name"], folder / entry["workingDirectory"], settings.get(entry["name"])) for entry in entries
        ]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StacksError(f"{manifest}: {why}, run cdktf synth first or name cdktf's output in CDKTF_OUTDIR") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StacksError(f"{manifest}: is not as cdktf writes it, run cdktf synth again") from None
    return chosen(stacks, patterns)


def chosen(stacks: Sequence[_AnyStack], patterns: Sequence[str]) -> list[_AnyStack]:
    """Give the stacks that patterns name, in their own order; all of them without any pattern.

    Raises:
        StacksError: a pattern matches nothing.
    """
    for pattern in patterns:
        if not any(fnmatchcase(stack.name, pattern) for stack in stacks):
            known = ", ".join(stack.name for stack in stacks[:_SHOWN]) + (", …" if len(stacks) > _SHOWN else "")
            raise StacksError(f'no stack is named "{pattern}", there are: {known or "none"}')
    return [stack for stack in stacks if not patterns or any(fnmatchcase(stack.name, each) for each in patterns)]


@dataclass(frozen=True)
class Outcomes(Generic[_Result]):
    """What became of each stack, in the stacks' order."""

    done: list[tuple[Stack, _Result]]
    broken: list[tuple[Stack, TerraformError]]

    def report_broken(self) -> None:
        """Say on stderr what is wrong with the broken stacks, and name them; write terraform's words beside each."""
        for stack, error in self.broken:
            if error.output:
                (stack.folder / LOG).write_text(error.output)
            for line in error.lines:
                print(f"{stack.name}: {line}", file=sys.stderr)
        if self.broken and len(self.done) + len(self.broken) > 1:
            names = ", ".join(stack.name for stack, _ in self.broken)
            total = len(self.done) + len(self.broken)
            print(f"could not be done for {len(self.broken)} of {total} stacks: {names}", file=sys.stderr)
        if any(error.output for _, error in self.broken):
            print(f"all that terraform said is in {LOG} in the stack's folder", file=sys.stderr)


def for_each(
    stacks: Iterable[Stack], work: Callable[[Stack], _Result], *, step: str, parallelism: int | None = None
) -> Outcomes[_Result]:
    """Do a work for each stack, several at a time; a TerraformError of one stops no other.

    Progress is shown on a terminal. Interrupted, by SIGTERM as well, it begins no further stack, has the terraforms
    that run end in order and waits for them; the stacks that were not done are then broken.

    Args:
        stacks: the stacks.
        work: is given one of them; raises TerraformError where that is broken.
        step: what is being done, as progress names it.
        parallelism: how many at a time, by default as many as there are processors.
    """
    stacks = list(stacks)

    def one(stack: Stack) -> _Result | TerraformError:
        try:
            return work(stack)
        except TerraformError as error:
            return error
        finally:
            advance()

    with progress.shown() as steps, terminated_as_interrupted():
        advance = steps(step, len(stacks))
        with ThreadPoolExecutor(parallelism or os.cpu_count()) as pool:
            running = [pool.submit(one, stack) for stack in stacks]
            try:
                wait(running)
            except KeyboardInterrupt:
                with uninterrupted(), interrupting():
                    print("interrupted, waiting for terraform to end what it has begun", file=sys.stderr)
                    pool.shutdown(cancel_futures=True)
    outcomes = Outcomes[_Result]([], [])
    for stack, each in zip(stacks, running, strict=True):
        result = TerraformError(NOT_BEGUN) if each.cancelled() else each.result()
        if isinstance(result, TerraformError):
            outcomes.broken.append((stack, result))
        else:
            outcomes.done.append((stack, result))
    return outcomes
