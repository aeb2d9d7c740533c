"""One stack's saved plan: judged, its roles read once more, applied."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from applying import saved_plan
from applying.saved_plan import SavedPlan
from applying.trust_check import LiveRoles
from aws.errors import AWS_ERRORS, in_words
from plans.plan import PlanError
from terraform_cli.stacks import PLAN, Stack
from terraform_cli.terraform import Done, Terraform, TerraformError

UNSAVED_STATE = "errored.tfstate"
"""The file in a stack's folder that terraform leaves a state in that it could not save."""

_STALE = "Saved plan is stale"
_NOT_LOCKED = "Error acquiring the state lock"
_NOT_UNLOCKED = "Error releasing the state lock"


@dataclass(frozen=True)
class Applied:
    """The plan was applied, or there was nothing to apply; what terraform said, without its adornment."""

    said: str


@dataclass(frozen=True)
class Refused:
    """The plan was not applied, for these reasons, a line each; nothing was changed."""

    reasons: tuple[str, ...]


def apply(
    stack: Stack, *, terraform: Terraform, live_roles: LiveRoles, despite_failed_checks: bool
) -> Applied | Refused:
    """Apply the plan that is saved in a stack's folder, unless it is harmful or no longer what it was made for.

    Raises:
        TerraformError: there is no plan, it or the roles cannot be read, or it could not be applied to its end.
    """
    file = stack.folder / PLAN
    if not file.is_file():
        raise TerraformError(f"there is no saved plan, {file}: run cdktf plan {stack.name} first")
    if (stack.folder / UNSAVED_STATE).exists():
        return Refused((f"an earlier apply could not save its state. {_push_state(stack)}",))
    shown = terraform.run(stack.folder, "show", "-json", "-no-color", PLAN).or_raise()
    try:
        plan = saved_plan.parse(shown.stdout, str(file))
    except PlanError as error:
        raise TerraformError(str(error)) from None
    if plan.errored:
        raise TerraformError(f"{file}: the plan failed and cannot be applied, run cdktf plan {stack.name} again")
    if reasons := tuple(_harm(plan, despite_failed_checks)):
        return Refused(reasons)
    if not plan.changes_something:
        return Applied("nothing to apply, the plan has no changes")
    try:
        departures = tuple(live_roles.departures(plan))
    except AWS_ERRORS as error:
        raise TerraformError(f"its role cannot be read once more, nothing was applied: {in_words(error)}") from None
    if departures:
        return Refused(tuple(f"{each}; {_plan_again(stack)}" for each in departures))
    return _outcome(stack, terraform.run(stack.folder, "apply", "-json", "-input=false", PLAN))


def _harm(plan: SavedPlan, despite_failed_checks: bool) -> Iterator[str]:
    for address in plan.destroyed_roles:
        yield f"the plan deletes the role {address}, with all the policies it has"
    if not despite_failed_checks:
        for check in plan.failed_checks:
            yield f"{check} To apply the plan all the same: --despite-failed-checks"


def _outcome(stack: Stack, done: Done) -> Applied | Refused:
    if done.status == 0:
        told = [each["@message"] for each in done.events if each.get("type") == "change_summary"]
        return Applied("applied: " + told[-1].removeprefix("Apply complete! Resources: ").rstrip("."))
    if any(each["summary"] == _STALE for each in done.diagnostics()):
        return Refused(
            (f"the state is not the one the plan was made for, it has been written since; {_plan_again(stack)}",)
        )
    raise TerraformError(
        *(done.errors or ["terraform was ended from outside"]), *_go_on(stack, done), output=done.output
    )


def _go_on(stack: Stack, done: Done) -> Iterator[str]:
    """Yield what is to be known and done after an apply that failed."""
    locks = {each["summary"]: each.get("detail", "") for each in done.diagnostics() if "state lock" in each["summary"]}
    if _NOT_LOCKED in locks:
        unlock = _unlock(stack, locks[_NOT_LOCKED])
        yield f"nothing was applied: wait for whoever holds the lock; if that run is dead: {unlock}"
        return
    if _NOT_UNLOCKED in locks:
        yield f"the lock is left behind: {_unlock(stack, locks[_NOT_UNLOCKED])}"
    if (stack.folder / UNSAVED_STATE).exists():
        yield _push_state(stack)
        return
    hooks = [(each.get("type"), each.get("hook")) for each in done.events]
    applied = [hook["resource"]["addr"] for kind, hook in hooks if kind == "apply_complete" and hook]
    so_far = f"applied before that: {', '.join(applied)}" if applied else "nothing was applied"
    yield f"{so_far}; for the rest {_plan_again(stack)}"


def _unlock(stack: Stack, detail: str) -> str:
    found = re.search(r"\bID: +(\S+)", detail)
    return f"terraform -chdir={stack.folder} force-unlock {found[1] if found else 'ID'}"


def _push_state(stack: Stack) -> str:
    return (
        f"The state is in {stack.folder / UNSAVED_STATE} and nowhere else: save it with"
        f" terraform -chdir={stack.folder} state push {UNSAVED_STATE}, delete the file, then plan again"
    )


def _plan_again(stack: Stack) -> str:
    return f"plan again: cdktf plan {stack.name}"
