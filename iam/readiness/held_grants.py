"""Which of this project's grants a role has."""

import enum
from dataclasses import dataclass
from typing import assert_never

from iam.documents.grants import (
    GRANTS,
    Grantee,
    GrantSettings,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    PolicyGrant,
    TrustGrant,
)
from iam.documents.recipe import PERMISSION_LEVELS, Permissions
from iam.engine.decision import Decision, decide_trust
from iam.engine.difference import Difference, difference
from iam.engine.statements import permissions_policy, trust_policy
from iam.policy_document import Document
from iam.role import Role


class Presence(enum.Enum):
    """Whether a role has a policy."""

    ABSENT = "absent"
    PRESENT = "present"
    UNREADABLE = "unreadable"
    """The policy, or the list of the role's policies, could not be read."""


@dataclass(frozen=True)
class HeldPolicy:
    """A grant that is a policy, as one role has it.

    Attributes:
        grant: the grant.
        presence: whether the role has a policy of this name.
        levels: the permission levels that grant exactly this policy; empty if the role has another one, or none.
    """

    grant: PolicyGrant
    presence: Presence
    levels: tuple[Permissions, ...] = ()


@dataclass(frozen=True)
class HeldTrust:
    """A service's trust, as one role has it.

    Attributes:
        grant: the grant.
        decision: whether the trust policy lets the service assume the role.
    """

    grant: TrustGrant
    decision: Decision


HeldGrant = HeldPolicy | HeldTrust


def held_grants(role: Role) -> tuple[HeldGrant, ...]:
    """Return the state of each grant of the registry, in its order."""
    return tuple(_held(grant, role) for grant in GRANTS)


def _held(grant: PolicyGrant | TrustGrant, role: Role) -> HeldGrant:
    match grant:
        case ManagedPolicyGrant():
            return _attached(grant, role)
        case InlinePolicyGrant():
            return _inline(grant, role)
        case TrustGrant():
            return HeldTrust(grant, decide_trust(trust_policy(role.trust_policy), grant.service))
        case _:
            assert_never(grant)


def _attached(grant: ManagedPolicyGrant, role: Role) -> HeldPolicy:
    if role.attached_policies is None:
        return HeldPolicy(grant, Presence.UNREADABLE)
    if grant.arn(role.arn.partition) not in role.attached_policies:
        return HeldPolicy(grant, Presence.ABSENT)
    levels = (level for level in PERMISSION_LEVELS if grant.is_granted(GrantSettings(level)))
    return HeldPolicy(grant, Presence.PRESENT, tuple(levels))


def _inline(grant: InlinePolicyGrant, role: Role) -> HeldPolicy:
    if role.inline_policies is None:
        return HeldPolicy(grant, Presence.UNREADABLE)
    if grant.policy_name not in role.inline_policies:
        return HeldPolicy(grant, Presence.ABSENT)
    current = role.inline_policies[grant.policy_name]
    if current is None:
        return HeldPolicy(grant, Presence.UNREADABLE)
    levels = (level for level in PERMISSION_LEVELS if _is_granted_at(level, grant, current, role))
    return HeldPolicy(grant, Presence.PRESENT, tuple(levels))


def _is_granted_at(level: Permissions, grant: InlinePolicyGrant, current: Document, role: Role) -> bool:
    declared = grant.document(GrantSettings(level), Grantee.of(role.arn))
    return declared is not None and not inline_policy_changes(declared, current).changes


def inline_policy_changes(declared: Document, current: Document) -> Difference:
    """Return what a role's inline policy allows and denies beyond, or short of, the declared one."""
    return difference([permissions_policy(declared)], [permissions_policy(current)])
