"""Apply saved plans: check each plan, read its roles again, apply.

outcomes = apply_plans(find(["glue-sessions-dev-*"]), Terraform(settings_folder()))
sys.exit(report(outcomes))
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from applying import saved_plan
from applying.saved_plan import SavedPlan
from applying.trust_check import CurrentRoles
from aws.errors import AWS_ERRORS, in_words
from plans.plan import PlanError
from terraform_cli.stacks import PLAN, Outcomes, Stack, for_each
from terraform_cli.terraform import Done, Terraform, TerraformError

UNSAVED_STATE = "errored.tfstate"
"""The file in a stack's folder where Terraform leaves a state that it could not save."""

_STALE = "Saved plan is stale"
_NOT_LOCKED = "Error acquiring the state lock"
_NOT_UNLOCKED = "Error releasing the state lock"


@dataclass(frozen=True)
class Applied:
    """The plan was applied, or has no changes; `summary` is one line, `outputs` are the stack's after an apply."""

    summary: str
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """The plan was not applied and nothing was changed; `reasons` has one line each."""

    reasons: tuple[str, ...]


def apply_plans(
    stacks: Iterable[Stack],
    terraform: Terraform,
    *,
    despite_failed_checks: bool = False,
    parallelism: int | None = None,
) -> Outcomes[Applied | Refused]:
    """Apply the saved plans of stacks, in parallel; a refused or failed plan does not stop the others.

    Args:
        stacks: the stacks; the plan of each is in its folder.
        terraform: runs in the folders.
        despite_failed_checks: whether to apply plans whose checks fail.
        parallelism: number of stacks in parallel, by default the number of processors.
    """
    roles = CurrentRoles()

    def work(stack: Stack) -> Applied | Refused:
        return apply(stack, terraform=terraform, roles=roles, despite_failed_checks=despite_failed_checks)

    return for_each(stacks, work, step="plans applied", parallelism=parallelism)


def report(outcomes: Outcomes[Applied | Refused]) -> int:
    """Print one line per stack; return the exit status: 0 applied, 1 a plan was refused, 2 one failed."""
    refused = False
    for stack, outcome in outcomes.done:
        match outcome:
            case Applied(summary, outputs):
                print(f"{stack.name}: {summary}")
                for name, value in outputs.items():
                    print(f"{name} = {value}")
            case Refused(reasons):
                refused = True
                for reason in reasons:
                    print(f"{stack.name}: refused: {reason}", file=sys.stderr)
    outcomes.report_failed()
    return 2 if outcomes.failed else int(refused)


def apply(stack: Stack, *, terraform: Terraform, roles: CurrentRoles, despite_failed_checks: bool) -> Applied | Refused:
    """Apply the saved plan in a stack's folder, unless it is dangerous or out of date.

    Raises:
        TerraformError: the plan is missing, it or its roles cannot be read, or the apply failed.
    """
    file = stack.folder / PLAN
    if not file.is_file():
        raise TerraformError(f"there is no saved plan {file}: run ./glue-sessions plan {stack.name} first")

    def reasons(plan: SavedPlan) -> Iterator[str]:
        yield from dangers(plan)
        if not despite_failed_checks:
            for check in plan.failed_checks:
                yield f"{check} To apply the plan anyway: --despite-failed-checks"

    return apply_unless(
        reasons, stack, terraform=terraform, roles=roles, again=f"plan again: ./glue-sessions plan {stack.name}"
    )


def apply_unless(
    reasons: Callable[[SavedPlan], Iterable[str]],
    stack: Stack,
    *,
    terraform: Terraform,
    roles: CurrentRoles,
    again: str,
) -> Applied | Refused:
    """Apply the saved plan in a stack's folder, unless there are reasons to refuse it or its role has changed.

    Args:
        reasons: returns the reasons to refuse a plan, one line each.
        stack: the stack.
        terraform: runs in its folder.
        roles: reads the role again.
        again: how to plan again, completes a sentence.

    Raises:
        TerraformError: the plan or its roles cannot be read, or the apply failed.
    """
    file = stack.folder / PLAN
    if (stack.folder / UNSAVED_STATE).exists():
        return Refused((f"an earlier apply could not save its state. {_push_state(stack)}",))
    shown = terraform.run(stack.folder, "show", "-json", "-no-color", PLAN).or_raise()
    try:
        plan = saved_plan.parse(shown.stdout, str(file))
    except PlanError as error:
        raise TerraformError(str(error)) from None
    if plan.errored:
        raise TerraformError(f"{file}: the plan failed and cannot be applied, {again}")
    if refused := tuple(reasons(plan)):
        return Refused(refused)
    if not plan.has_changes:
        return Applied("nothing to apply, the plan has no changes")
    try:
        mismatches = tuple(roles.mismatches(plan))
    except AWS_ERRORS as error:
        raise TerraformError(f"its role cannot be read again, nothing was applied: {in_words(error)}") from None
    if mismatches:
        return Refused(tuple(f"{each}; {again}" for each in mismatches))
    return _outcome(stack, terraform.run(stack.folder, "apply", "-json", "-input=false", PLAN), again)


def dangers(plan: SavedPlan) -> Iterator[str]:
    """Yield a reason to refuse the plan for each role that it deletes or replaces, and for what is not known here."""
    for address in plan.deleted_roles:
        yield f"the plan deletes the role {address} with all its policies"
    for address in plan.replaced_roles:
        yield f"the plan creates another role in place of {address}, which it forgets"
    for each in plan.content.unknown_operations:
        yield f"{each}: not known to this version of glue-sessions, which has to be updated"


def _outcome(stack: Stack, done: Done, again: str) -> Applied | Refused:
    if done.status == 0:
        summaries = [each["@message"] for each in done.events if each.get("type") == "change_summary"]
        summary = "applied: " + summaries[-1].removeprefix("Apply complete! Resources: ").rstrip(".")
        outputs = [
            output for each in done.events if each.get("type") == "outputs" for output in each["outputs"].items()
        ]
        return Applied(summary, {name: output["value"] for name, output in outputs if "value" in output})
    if any(each["summary"] == _STALE for each in done.diagnostics()):
        return Refused((f"the plan is stale, the state has changed since it was made; {again}",))
    raise TerraformError(*(done.errors or ["terraform was killed"]), *_remedies(stack, done, again), output=done.output)


def locked(stack: Stack, done: Done) -> list[str]:
    """Return what to do about a lock that another run holds, if that is why a plan or an apply failed."""
    return [
        f"nothing was applied: wait for the run that holds the lock; if that run is dead: {_unlock(stack, each)}"
        for each in done.diagnostics()
        if each["summary"] == _NOT_LOCKED
    ]


def _remedies(stack: Stack, done: Done, again: str) -> Iterator[str]:
    """Yield what was applied and what to do next after an apply that failed."""
    if held := locked(stack, done):
        yield from held
        return
    for each in done.diagnostics():
        if each["summary"] == _NOT_UNLOCKED:
            yield f"the lock was not released: {_unlock(stack, each)}"
    if (stack.folder / UNSAVED_STATE).exists():
        yield _push_state(stack)
        return
    hooks = [(each.get("type"), each.get("hook")) for each in done.events]
    applied = [hook["resource"]["addr"] for kind, hook in hooks if kind == "apply_complete" and hook]
    so_far = f"applied before that: {', '.join(applied)}" if applied else "nothing was applied"
    yield f"{so_far}; for the rest {again}"


def _unlock(stack: Stack, diagnostic: Mapping[str, Any]) -> str:
    lock_id = re.search(r"\bID: +(\S+)", diagnostic.get("detail", ""))
    return f"terraform -chdir={stack.folder} force-unlock {lock_id[1] if lock_id else 'ID'}"


def _push_state(stack: Stack) -> str:
    return (
        f"The only copy of the state is {stack.folder / UNSAVED_STATE}: save it with"
        f" terraform -chdir={stack.folder} state push {UNSAVED_STATE}, delete the file, then plan again"
    )
