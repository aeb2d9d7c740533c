"""What a plan does to a role of this project, recognized by what happens at this project's addresses."""

import enum
import json
from collections.abc import Iterator

from iam.documents.grants import GLUE_TRUST, policy_grants
from iam.policy_document import statements
from plans.plan import Plan, ResourceChange, Snapshot
from plans.roles import PolicyName, Role
from review.drift.snapshots import Snapshots, policy_changes, role_snapshots, trust_changes
from review.own import grants as own_grants
from review.own.last_apply import changed_back, only_reads_back


class Intent(enum.Enum):
    """What happens to a role."""

    ADOPTION = "adoption"
    """The role is imported, and its grants are new or imported too."""
    OWNERSHIP = "ownership"
    """Another one of authoritative, additive and external owns the trust policy."""
    TRUST = "trust"
    """The configured trust policy changes, its owner stays."""
    PERMISSIONS = "permissions"
    """Other grants than before."""
    RELEASE = "release"
    """All grants are taken back, and the role stays."""
    REPAIR = "repair"
    """What others changed since the last apply is changed back."""
    REFRESH = "refresh"
    """The state takes over what changed in AWS, beside this project's grants; nothing is changed there."""
    OTHER = "other"
    """None of these, or nothing of this project."""


def intents(plan: Plan, role: Role | None) -> tuple[Intent, ...]:
    """Return what a plan does to a role, or (for None) what a plan does that changes no role; several at once if so."""
    if role is None:
        changes = any(change.changes for change in plan.changes)
        return (Intent.OTHER,) if changes or only_reads_back(plan) else (Intent.REFRESH,)
    if not own_grants.is_own(role):
        return (Intent.OTHER,)
    found = _own(plan, role)
    others = any(each.changes for address, each in role.declared.items() if address not in own_grants.ADDRESSES)
    return tuple(dict.fromkeys([*found, *[Intent.OTHER] * others]))


def _own(plan: Plan, role: Role) -> tuple[Intent, ...]:
    """Return what the plan does to a role at this project's addresses."""
    if own_grants.is_release(role):
        return (Intent.RELEASE,)
    adopted = own_grants.adopted(role)
    if adopted and adopted.actions == ("forget",):
        return (Intent.OWNERSHIP,)
    if adopted and adopted.actions not in (("update",), ("no-op",)):
        return (Intent.OTHER,)
    if adopted and adopted.importing:
        in_state = any("before" in each.snapshots and not each.importing for each in own_grants.grants(role))
        return (Intent.OWNERSHIP if in_state else Intent.ADOPTION,)
    return tuple(dict.fromkeys(_updates(plan, role))) or (Intent.OTHER,)


def _updates(plan: Plan, role: Role) -> Iterator[Intent]:
    """Yield what the plan does at the addresses of a role that stays managed."""
    addresses = {grant.address for grant in policy_grants()}
    drifted = changed_back(plan)
    for each in role_snapshots(plan):
        if each.name != role.name:
            continue
        repaired, configured = _origins(each.trust, None)
        adopted = own_grants.adopted(role)
        # a document may be written in another way, such as by another owner, and mean the same
        if adopted and adopted.actions == ("update",) and adopted.address not in drifted:
            configured = True
        if repaired:
            yield Intent.REPAIR
        if configured:
            yield Intent.OWNERSHIP if _marks(role, "before") != _marks(role, "after") else Intent.TRUST
        for name, snapshots in each.policies.items():
            if any(held and held.address in addresses for held in snapshots):
                repaired, configured = _origins(snapshots, name)
                if repaired:
                    yield Intent.REPAIR
                if configured:
                    yield Intent.PERMISSIONS


def _origins(snapshots: Snapshots, policy: PolicyName | None) -> tuple[bool, bool]:
    """Return whether a plan changes back what others did to a policy, and whether it applies other configuration."""
    pairs = ((0, 1), (1, 2), (0, 2))
    happened, planned, altogether = (
        trust_changes(snapshots[old], snapshots[new])
        if policy is None
        else policy_changes(policy, snapshots[old], snapshots[new])
        for old, new in pairs
    )
    if not planned:
        return False, False
    return any(each not in altogether for each in happened), any(each not in happened for each in altogether)


def _marks(role: Role, snapshot: Snapshot) -> bool:
    """Return whether the trust policy has the statement that marks other owners beside this project."""
    change: ResourceChange | None = role.change
    try:
        document = json.loads(change.text(snapshot, "assume_role_policy")) if change else {}
        return any(each.get("Sid") == GLUE_TRUST.sid for each in statements(document))
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return False
