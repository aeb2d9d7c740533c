"""A role three times: as it was last applied, as it is, and as it will be after the next apply."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from iam.engine import sentences
from iam.engine.difference import difference
from iam.engine.statements import merged
from plans.plan import Plan
from plans.roles import Held, Role, drifted_roles, roles

AT_MOST = 12
"""How many actions, resources or principals of a statement are named, and statements of a policy."""


class Sides(NamedTuple):
    """Something of a role as last applied, as it is, and after the next apply; None where it is not there."""

    state: Held | None
    live: Held | None
    after: Held | None


@dataclass(frozen=True)
class ThreeSides:
    """A role's trust policy and policies on three sides.

    Attributes:
        name: the role's name.
        planned: what the plan does to it, None where it does nothing and holds nothing.
        attributes: of the role as it is; empty where the plan does not read it.
        trust: its trust policy; all None where it is not this stack's.
        policies: by what they are called, "inline policy …" or "managed policy …".
        others: other attributes that changed outside of Terraform, a line each.
    """

    name: str
    planned: Role | None
    attributes: Mapping[str, Any]
    trust: Sides
    policies: dict[str, Sides]
    others: Sequence[str] = field(default=())


def three_sides(plan: Plan) -> Iterator[ThreeSides]:
    """Yield each role that a plan holds or that something happened to."""
    planned = {role.name: role for role in roles(plan, plan.changes) if role.kind == "role"}
    happened = {role.name: role for role in drifted_roles(plan) if role.kind == "role"}
    for name in dict.fromkeys([*planned, *happened]):
        yield _role(name, planned.get(name), happened.get(name), plan.known_roles.get(name, {}))


def _role(name: str, planned: Role | None, happened: Role | None, read: Mapping[str, Any]) -> ThreeSides:
    now = dict(planned.before.policies()) if planned else {}
    after = dict(planned.after.policies()) if planned else {}
    state_before = dict(happened.before.policies()) if happened else {}
    state_after = dict(happened.after.policies()) if happened else {}
    policies = {}
    for policy in dict.fromkeys([*now, *after, *state_before, *state_after]):
        known = policy in state_before or policy in state_after
        live = now.get(policy) or state_after.get(policy)
        planned_for = policy in now or policy in after
        policies[policy] = Sides(
            state_before.get(policy) if known else live, live, after.get(policy) if planned_for else live
        )
    own = planned if planned and planned.change else None
    live_trust = own.before.trust if own else None
    drifted = happened is not None and happened.change is not None
    state_trust = happened.before.trust if happened and drifted else live_trust
    return ThreeSides(
        name,
        planned,
        own.change.values["before"] if own and own.change else read,
        Sides(state_trust, live_trust, own.after.trust if own else None),
        policies,
        tuple(_others(happened)) if happened else (),
    )


_JUDGED = {"assume_role_policy", "inline_policy", "managed_policy_arns", "permissions_boundary"}


def _others(happened: Role) -> Iterator[str]:
    if happened.before.boundary != happened.after.boundary:
        yield f"boundary {happened.before.boundary or 'none'} → {happened.after.boundary or 'none'}"
    if happened.change and happened.change.actions == ("update",):
        before, after = (happened.change.values[side] for side in ("before", "after"))
        if names := sorted(
            n for n in before.keys() | after.keys() if before.get(n) != after.get(n) and n not in _JUDGED
        ):
            yield f"changed: {', '.join(names)}"


def trust_lines(before: Held | None, after: Held | None) -> list[str]:
    """Say in a line each what changed in who may assume the role."""
    return _lines("the trust policy", before, after, trust=True)


def policy_lines(name: str, before: Held | None, after: Held | None) -> list[str]:
    """Say in a line each what changed in a policy of a role."""
    if before is None and after is None:
        return []
    if before and after:
        return _lines(name, before, after, trust=False)
    held, kind = (after, "gained") if after else (before, "lost")
    assert held
    return [f"{kind}: {name}{_content(held)}"]


def _content(held: Held) -> str:
    """Say what a policy allows, unless its name says it: AWS's own policies are long and known."""
    if held.problem or held.note:
        return f" ({held.problem or held.note})"
    assert held.policy
    said = [
        sentences.statement(each, held.policy.spelling, trust=False, at_most=AT_MOST)
        for each in merged(held.policy.statements)
    ]
    more = [f"{len(said) - AT_MOST:,} more"] if len(said) > AT_MOST else []
    return f" ({'; '.join([*said[:AT_MOST], *more])})"


def _lines(name: str, before: Held | None, after: Held | None, *, trust: bool) -> list[str]:
    if before is None or after is None or before.policy is after.policy is not None:
        return []
    if before.policy is None or after.policy is None:
        return [] if before.problem == after.problem else [f"changed: {name} ({after.problem or before.problem})"]
    changed = difference([before.policy], [after.policy])
    place = "" if trust else f"{name}: "
    return [place + sentences.change(each, changed.spelling, trust=trust, at_most=AT_MOST) for each in changed.changes]
