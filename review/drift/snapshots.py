"""A role in three snapshots: as last applied (the state), as it is in AWS, and as the next apply leaves it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from iam.engine.difference import difference
from plans.assembly import roles
from plans.plan import Plan
from plans.roles import TRUST_POLICY, Held, PolicyName, Role
from plans.values import Attributes
from review.drift.entries import (
    AttributesChange,
    BoundaryChange,
    Entry,
    PolicyGained,
    PolicyLost,
    PolicyNotCompared,
    StatementChange,
    split,
)
from review.own.last_apply import changed_since


class Snapshots(NamedTuple):
    """One policy of a role: in the state, in AWS, and planned; None if absent."""

    state: Held | None
    current: Held | None
    planned: Held | None


@dataclass(frozen=True)
class RoleSnapshots:
    """A role's trust policy and policies in three snapshots.

    Attributes:
        name: the role's name.
        planned: what the plan does to it, None if it does nothing and grants nothing.
        attributes: of the role in AWS; empty if the plan does not read it.
        trust: its trust policy; all None if this stack does not manage it.
        policies: its other policies by name.
        others: other attributes that changed outside of Terraform.
    """

    name: str
    planned: Role | None
    attributes: Attributes
    trust: Snapshots
    policies: dict[PolicyName, Snapshots]
    others: Sequence[Entry] = field(default=())


def role_snapshots(plan: Plan) -> Iterator[RoleSnapshots]:
    """Yield each role that the plan describes or that changed outside of Terraform."""
    planned = {role.name: role for role in roles(plan, plan.changes) if role.kind == "role"}
    drifted = {role.name: role for role in changed_since(plan) if role.kind == "role"}
    for name in dict.fromkeys([*planned, *drifted]):
        yield _role(name, planned.get(name), drifted.get(name), plan.known_roles.get(name, {}))


def _role(name: str, planned: Role | None, drifted: Role | None, read: Attributes) -> RoleSnapshots:
    now = dict(planned.before.policies()) if planned else {}
    after = dict(planned.after.policies()) if planned else {}
    state_before = dict(drifted.before.policies()) if drifted else {}
    state_after = dict(drifted.after.policies()) if drifted else {}
    policies = {}
    for policy in dict.fromkeys([*now, *after, *state_before, *state_after]):
        is_drifted = policy in state_before or policy in state_after
        is_planned = policy in now or policy in after
        current = now.get(policy) or state_after.get(policy)
        policies[policy] = Snapshots(
            state_before.get(policy) if is_drifted else current, current, after.get(policy) if is_planned else current
        )
    own = planned if planned and planned.change else None
    current_trust = own.before.trust if own else None
    state_trust = drifted.before.trust if drifted and drifted.change else current_trust
    return RoleSnapshots(
        name,
        planned,
        own.change.values["before"] if own and own.change else read,
        Snapshots(state_trust, current_trust, own.after.trust if own else None),
        policies,
        tuple(_others(drifted)) if drifted else (),
    )


_COMPARED = {"assume_role_policy", "inline_policy", "managed_policy_arns", "permissions_boundary"}


def _others(drifted: Role) -> Iterator[Entry]:
    if drifted.before.boundary != drifted.after.boundary:
        yield BoundaryChange(drifted.before.boundary, drifted.after.boundary)
    if drifted.change and drifted.change.actions == ("update",):
        before, after = (drifted.change.values[snapshot] for snapshot in ("before", "after"))
        changed = (name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if names := sorted(set(changed) - _COMPARED):
            yield AttributesChange(tuple(names))


def trust_changes(before: Held | None, after: Held | None) -> list[Entry]:
    """Return what changed in who may assume the role, gains and losses split."""
    return [] if before is None or after is None else _changes(TRUST_POLICY, before, after)


def policy_changes(name: PolicyName, before: Held | None, after: Held | None) -> list[Entry]:
    """Return what changed in a policy of a role, gains and losses split."""
    if before and after:
        return _changes(name, before, after)
    if after:
        return [PolicyGained(name, after)]
    return [PolicyLost(name, before)] if before else []


def _changes(name: PolicyName, before: Held, after: Held) -> list[Entry]:
    if before.policy is None or after.policy is None:
        same = (before.gap, before.detail, before.hidden) == (after.gap, after.detail, after.hidden)
        return [] if same else [PolicyNotCompared(name, after.problem or before.problem)]
    if before.policy is after.policy:
        return []
    compared = difference([before.policy], [after.policy])
    return [each for change in compared.changes for each in split(StatementChange(name, change, compared.spelling))]
