"""Grants that stay: the role has them, its configuration does not grant them, and no plan deletes them.

Terraform deletes what its state has. The state was lost, or it has another key since the environment was renamed; or a
person created the grants, and the role's first entry is released already.
"""

from dataclasses import dataclass
from typing import assert_never

from iam.documents.grants import (
    GLUE_TRUST,
    LIVE_ROLE_ADDRESS,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    PolicyGrant,
    policy_grants,
)
from plans.plan import Plan, ResourceChange
from plans.values import Hidden, Unknown, attributes, items


@dataclass(frozen=True)
class StayingGrants:
    """The grants that a plan leaves on a role although its configuration does not grant them.

    Attributes:
        certain: those that the role has.
        undecided: those that a released role may have, because the plan does not contain its policies.
    """

    certain: tuple[PolicyGrant, ...] = ()
    undecided: tuple[PolicyGrant, ...] = ()


def staying_grants(plan: Plan) -> StayingGrants:
    """Return the grants that stay after a plan of one of this project's stacks; none for any other plan.

    A released role that this project adopted has the blocks of its grants, without instances; of one that another
    stack owns, only the role is read.
    """
    own = {change.address: change for change in plan.changes}
    left = [grant for grant in policy_grants() if grant.address not in own]
    has_blocks = any(plan.configuration.block("", grant.address, "") for grant in policy_grants())
    role = own.get(GLUE_TRUST.address)
    is_adopted = role is not None and "after" in role.snapshots and role.actions != ("forget",) and has_blocks
    if not (is_adopted or (_reads_a_role(plan) and not has_blocks)):
        return StayingGrants()
    has = {grant: _has(role, grant) if role else None for grant in left}
    return StayingGrants(
        tuple(grant for grant in left if has[grant]),
        tuple(grant for grant in left if has[grant] is None and not grant.is_optional),
    )


def _reads_a_role(plan: Plan) -> bool:
    """Return whether the configuration reads a role as a stack of this project does, and does not adopt it."""
    reads, adopts = (plan.configuration.block("", address, "") for address in (LIVE_ROLE_ADDRESS, GLUE_TRUST.address))
    return reads is not None and adopts is None


def _has(role: ResourceChange, grant: PolicyGrant) -> bool | None:
    """Return whether a role that the plan read has a policy, None if the plan does not say."""
    match grant:
        case ManagedPolicyGrant():
            listed = role.get("before", "managed_policy_arns")
            found = any(map(grant.is_arn, items(listed)))
        case InlinePolicyGrant():
            listed = role.get("before", "inline_policy")
            found = any(attributes(block).get("name") == grant.policy_name for block in items(listed))
        case _:
            assert_never(grant)
    return None if listed is None or isinstance(listed, Unknown | Hidden) else found
