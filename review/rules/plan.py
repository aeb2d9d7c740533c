"""Rules about the plan as a whole."""

from collections.abc import Iterator

from plans.plan import Plan
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
        yield Hit("", "planning ended with an error")
    for address in plan.deferred:
        yield Hit(address, "the change is deferred to a later plan")
    if not (plan.complete or plan.errored or plan.deferred):
        yield Hit("", "the plan covers a part of the configuration, as with -target")


INCOMPLETE = PlanRule(
    id="plan-incomplete",
    severity="high",
    raised="the plan lacks changes: planning ended with an error, changes are deferred, or resources were targeted",
    remedy="fix the error, or plan everything, and review that plan",
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
