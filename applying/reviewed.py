"""Apply what was reviewed: plan stacks from the merged code, and apply each plan that does what was reviewed.

The reviewed plans are read and compared, never applied: whoever forges one has his own plan refused, or the one
applied that this code makes anyway.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from applying.apply import Applied, Refused, apply_unless, dangers, locked
from applying.comparison import differences
from applying.saved_plan import SavedPlan
from applying.trust_check import CurrentRoles
from plans.plan import Plan, PlanError, parse
from terraform_cli.stacks import PLAN, Outcomes, Stack, for_each
from terraform_cli.terraform import Terraform, TerraformError

REVIEWED = "plan.json"
"""File name of a reviewed plan, in a folder with the name of its stack."""

_AGAIN = "run this job again: it applies the rest of what was reviewed, or refuses it"
_REVIEW_AGAIN = "plan and review again in another pull request"


def apply_reviewed(
    stacks: Iterable[Stack],
    terraform: Terraform,
    reviewed: Path,
    *,
    objections: Callable[[Plan], Iterable[str]] = lambda _: (),
) -> Outcomes[Applied | Refused]:
    """Plan stacks, and apply the plans that do what was reviewed or the rest of it; a refused one stops no other.

    Failed checks of a plan refuse nothing: the reviewers have seen them.

    Args:
        stacks: the synthesized stacks.
        terraform: runs in their folders.
        reviewed: folder of the reviewed plans: `STACK/plan.json`, the output of `terraform show -json`.
        objections: returns more reasons to refuse the plan that would be applied, which has the stack's name.
    """
    roles = CurrentRoles()

    def work(stack: Stack) -> Applied | Refused:
        file = reviewed / stack.name / REVIEWED
        try:
            plan = _reviewed(file)
        except PlanError as error:
            return Refused((f"{error}; {_REVIEW_AGAIN}",))

        def reasons(own: SavedPlan) -> Iterator[str]:
            yield from dangers(own)
            if found := [str(difference) for difference in differences(plan, own.content)]:
                yield from found
                yield f"the merged code does not do what was reviewed, and nothing was applied: {_REVIEW_AGAIN}"
            yield from objections(replace(own.content, name=stack.name))

        (stack.folder / PLAN).unlink(missing_ok=True)  # a failed plan must not leave an older one behind
        planned = terraform.run(stack.folder, "plan", "-json", "-input=false", f"-out={PLAN}")
        try:
            planned.or_raise()
        except TerraformError as error:
            raise TerraformError(*error.lines, *locked(stack, planned), output=error.output) from None
        return apply_unless(reasons, stack, terraform=terraform, roles=roles, again=_AGAIN)

    return for_each(stacks, work, step="stacks applied")


def _reviewed(file: Path) -> Plan:
    """Return a reviewed plan. Raises PlanError: it is missing, is no plan, or failed."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PlanError(f"{file}: the reviewed plan cannot be read: {(error.strerror or str(error)).lower()}") from None
    plan = parse(content, file.parent.name, str(file))
    if plan.errored:
        raise PlanError(f"{file}: the reviewed plan failed")
    return plan
