"""Rules about the plan as a whole."""

from collections.abc import Iterator

from plans.assembly import EVALUATED
from plans.plan import Plan, ResourceChange
from review.rules.rule import Hit, PlanRule


def _check_failed(plan: Plan) -> Iterator[Hit]:
    for check in plan.failed_checks:
        yield Hit(check.name, check.message)


CHECK_FAILED = PlanRule(
    id="check-failed",
    severity="medium",
    raised="a check in the configuration failed during planning",
    remedy="read the message of the check",
    judge=_check_failed,
)


def _incomplete(plan: Plan) -> Iterator[Hit]:
    if plan.errored:
        yield Hit("", "planning ended with an error, so the plan is incomplete")


INCOMPLETE = PlanRule(
    id="plan-incomplete",
    severity="high",
    raised="Terraform stopped with an error during planning: the plan lacks changes",
    remedy="fix the error and plan again",
    judge=_incomplete,
)


def _shared_attachment(plan: Plan) -> Iterator[Hit]:
    for change in plan.changes:
        if change.type == "aws_iam_policy_attachment" and change.changes and "after" in change.snapshots:
            policy = change.text("after", "policy_arn") or "its policy"
            yield Hit(change.address, f"{policy} is detached from everyone else")


SHARED_ATTACHMENT = PlanRule(
    id="shared-attachment",
    severity="medium",
    raised="aws_iam_policy_attachment detaches its policy from everyone that it does not list",
    remedy="use aws_iam_role_policy_attachment",
    judge=_shared_attachment,
)


def _not_judged(plan: Plan) -> Iterator[Hit]:
    for change in plan.changes:
        if change.changes and (why := _not_evaluated(change)):
            yield Hit(change.address, f"{change.type} ({', '.join(change.actions)}): {why}")


def _not_evaluated(change: ResourceChange) -> str:
    if change.type in EVALUATED:
        return ""
    if "_iam_" in change.type or change.type.startswith(("aws_ssoadmin_", "aws_identitystore_")):
        return "not evaluated"
    for values in change.values.values():
        if any(isinstance(value, str) and '"Statement"' in value for value in values.values()):
            return "its policy document is not evaluated"
    return ""


NOT_JUDGED = PlanRule(
    id="not-judged",
    severity="low",
    raised="a resource that controls access changes and is not evaluated: users, groups, resource policies, others",
    remedy="review it by hand",
    judge=_not_judged,
)
