"""Grants that stay on a released role: the role has them, and its state does not, so that no plan deletes them.

The state was lost, or it has another key since the environment was renamed; or a person created the grants, and the
role's first entry is released already.
"""

from dataclasses import dataclass
from typing import assert_never

from iam.documents.grants import GLUE_TRUST, InlinePolicyGrant, ManagedPolicyGrant, PolicyGrant, policy_grants
from plans.plan import Plan, ResourceChange
from plans.values import Hidden, Unknown, attributes, items

LIVE_ROLE = "data.aws_iam_role.live"
"""The address at which each stack of a role reads it."""


@dataclass(frozen=True)
class StayingGrants:
    """The grants that a plan leaves on a released role.

    Attributes:
        certain: those that the role has.
        undecided: those that it may have, because the plan does not contain its policies.
    """

    certain: tuple[PolicyGrant, ...] = ()
    undecided: tuple[PolicyGrant, ...] = ()


def staying_grants(plan: Plan) -> StayingGrants:
    """Return the grants that stay after a plan of a released role; none for any other plan.

    A released role that this project adopted has the blocks of its grants, without instances; of one that another
    stack owns, only the role is read.
    """
    own = {change.address: change for change in plan.changes}
    kept = [grant for grant in policy_grants() if grant.address in own and "after" in own[grant.address].snapshots]
    if kept:
        return StayingGrants()
    blocks = [plan.configuration.block("", grant.address, "") for grant in policy_grants()]
    role = own.get(GLUE_TRUST.address)
    left = [grant for grant in policy_grants() if grant.address not in own]
    if role and "after" in role.snapshots and role.actions != ("forget",) and all(blocks):
        has = {grant: _has(role, grant) for grant in left}
        return StayingGrants(
            tuple(grant for grant in left if has[grant]), tuple(grant for grant in left if has[grant] is None)
        )
    if not any(blocks) and plan.configuration.block("", LIVE_ROLE, "") and not _is_adopted(plan):
        return StayingGrants(undecided=tuple(left))
    return StayingGrants()


def _is_adopted(plan: Plan) -> bool:
    return plan.configuration.block("", GLUE_TRUST.address, "") is not None


def _has(role: ResourceChange, grant: PolicyGrant) -> bool | None:
    """Return whether a role that the plan read has a policy, None if the plan does not say."""
    match grant:
        case ManagedPolicyGrant():
            listed = role.get("before", "managed_policy_arns")
            found = any(str(arn).endswith(f":iam::aws:policy/{grant.policy_path}") for arn in items(listed))
        case InlinePolicyGrant():
            listed = role.get("before", "inline_policy")
            found = any(attributes(block).get("name") == grant.policy_name for block in items(listed))
        case _:
            assert_never(grant)
    return None if listed is None or isinstance(listed, Unknown | Hidden) else found
