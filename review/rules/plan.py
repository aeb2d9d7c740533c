"""Rules about the plan as a whole."""

from collections.abc import Iterator

from plans.plan import Plan, ResourceChange
from review.rules.rule import Hit, PlanRule
from review.rules.subject import Subject, place_only, token, value_text

TRUST_CHECK = "check.trust_statements_kept"
"""The check of this project's stacks that lists the trust statements an authoritative document removes."""


def _check_failed(plan: Plan) -> Iterator[Hit]:
    for check in plan.failed_checks:
        yield Hit(check.name, check.message, (f"{token(check.name)}: {token(check.message)}",))


CHECK_FAILED = PlanRule(
    id="check-failed",
    severity="medium",
    raised="a check in the configuration failed during planning",
    remedy="read the message of the check",
    judge=_check_failed,
)


def _incomplete(plan: Plan) -> Iterator[Hit]:
    if plan.errored:
        yield Hit("", "planning ended with an error", place_only("", "ended with an error"))
    for address in plan.deferred:
        yield Hit(address, "deferred to a later plan", place_only(address))
    for each in plan.unknown_operations:
        yield Hit(each.address, f"{each.part}: not known to this review", place_only(each.address, each.part))
    if not (plan.complete or plan.errored or plan.deferred):
        why = "the plan covers a part of the configuration, as with -target"
        yield Hit("", why, place_only("", "covers a part of the configuration"))


INCOMPLETE = PlanRule(
    id="plan-incomplete",
    severity="high",
    raised="changes are missing, or cannot be understood: an error, deferred changes, `-target`, unknown actions",
    remedy="fix the error, or plan everything, and review that plan; for unknown actions, update this project",
    judge=_incomplete,
)


def _shared_attachment(plan: Plan) -> Iterator[Hit]:
    for change in plan.changes:
        if change.type == "aws_iam_policy_attachment" and change.changes and "after" in change.snapshots:
            policy = change.text("after", "policy_arn") or "its policy"
            yield Hit(change.address, f"{policy} is detached from everyone else", _attached(change))


def _attached(change: ResourceChange) -> Subject:
    """Return the policy with everyone who keeps it."""
    policy = change.text("after", "policy_arn")
    if not policy:
        return place_only(change.address)
    kept = (f"{kind} {value_text(change.get('after', kind) or [])}" for kind in ("groups", "roles", "users"))
    return (f"{token(policy)} only for {', '.join(kept)}",)


SHARED_ATTACHMENT = PlanRule(
    id="shared-attachment",
    severity="medium",
    raised="aws_iam_policy_attachment detaches its policy from everyone that it does not list",
    remedy="use aws_iam_role_policy_attachment, aws_iam_user_policy_attachment or aws_iam_group_policy_attachment",
    judge=_shared_attachment,
)
