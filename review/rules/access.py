"""Rules about resources other than roles that bear on access, by the data set of resource types."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from plans import assembly, resource_policies, resource_types
from plans.plan import Plan, ResourceChange, Snapshot
from plans.programs import programs
from plans.values import Attributes, Hidden, Unknown, Value
from review.rules.rule import AT_MOST, Hit, PlanRule
from review.rules.subject import Subject, place_only, subject, token, value_text

_EVALUATED = assembly.EVALUATED | resource_policies.EVALUATED


def _not_judged(plan: Plan) -> Iterator[Hit]:
    unknown: dict[str, None] = {}
    for change in plan.changes:
        if not change.changes or change.type in _EVALUATED:
            continue
        if change.type.startswith("aws_") and resource_types.resource_type(change.type) is None:
            unknown.setdefault(change.type)
        if why := _not_evaluated(change, plan):
            actions = ", ".join(change.actions)
            yield Hit(change.address, f"{change.type} ({actions}): {why}", place_only(change.address, actions))
    yield from _executed(plan)
    for part in (each.part for each in plan.unread if not each.is_operation):
        yield Hit("", f"{part}: a part of the plan that is not known to this review", place_only("", part))
    if unknown:
        names = ", ".join(list(unknown)[:AT_MOST])
        more = f" and {len(unknown) - AT_MOST:,} more" if len(unknown) > AT_MOST else ""
        yield Hit("", f"not in the data set of resource types: {names}{more}", subject(map(token, unknown)))


def _executed(plan: Plan) -> Iterator[Hit]:
    """Yield what an apply runs that may change access without being a change of a resource."""
    for invocation in plan.invocations:
        after = f" after a change of {invocation.resource}" * bool(invocation.resource)
        found = _with_arguments(invocation.address, invocation.trigger, invocation.config)
        yield Hit(invocation.address, f"the apply invokes this action{after}; not evaluated", found)
    for program in programs(plan):
        found = _with_arguments(program.address, program.arguments)
        yield Hit(program.address, f"the apply {program.what}; not evaluated", found)


def _with_arguments(address: str, *arguments: Attributes) -> Subject:
    values = [each for of in arguments for each in of.items()]
    return subject([token(address), *(f"{token(name)} {value_text(value)}" for name, value in values)])


def _not_evaluated(change: ResourceChange, plan: Plan) -> str:
    """Return why a change bears on access, "" if it does not."""
    known = resource_types.resource_type(change.type)
    if known is None:
        mentions = any(
            isinstance(value, str) and '"Statement"' in value
            for values in change.values.values()
            for value in values.values()
        )
        return "not evaluated" if "_iam_" in change.type else "its policy document is not evaluated" * mentions
    if known.grants:
        return f"{known.grants}; not evaluated"
    return "its policy document is not evaluated" * _differs(change, plan, known.documents)


NOT_JUDGED = PlanRule(
    id="not-judged",
    severity="low",
    raised="something that controls access, or may, changes or runs and is not evaluated",
    remedy="review it by hand",
    judge=_not_judged,
)


def _service_role(plan: Plan) -> Iterator[Hit]:
    for change in plan.changes:
        if change.type in assembly.EVALUATED or not change.changes or "after" not in change.snapshots:
            continue
        known = resource_types.resource_type(change.type)
        if known is None or not _differs(change, plan, known.roles):
            continue
        before, after = (list(_found(change, snapshot, known.roles)) for snapshot in ("before", "after"))
        roles = list(dict.fromkeys(_shown(value) for value in after if value not in before))
        if roles:
            parts = (f"{change.type} runs with {_role_part(role, change)}" for role in after if role not in before)
            yield Hit(change.address, f"{change.type} runs with {', '.join(roles)}", subject(parts))


SERVICE_ROLE_CHANGED = PlanRule(
    id="service-role-changed",
    severity="medium",
    raised="a resource such as a job or a function gets a role to run with: whoever can use it acts as that role",
    remedy="make sure that everyone who can use or change the resource may have the role's permissions",
    judge=_service_role,
)


def _differs(change: ResourceChange, plan: Plan, names: Collection[str]) -> bool:
    """Return whether any of the arguments changes; an unknown one counts if the configuration sets it."""
    before, after = change.values["before"], change.values["after"]
    block = plan.configuration.block(change.module, change.address, change.index)
    for argument in before.keys() | after.keys():
        old, new = before.get(argument), after.get(argument)
        if old == new or (isinstance(new, Unknown) and block and argument not in block.references):
            continue
        if argument in names:
            if old or new:
                return True
        elif list(_nested(old, names)) != list(_nested(new, names)):
            return True
    return False


def _found(change: ResourceChange, snapshot: Snapshot, names: Collection[str]) -> Iterator[Value]:
    return _nested(change.values[snapshot], names)


def _nested(value: Value, names: Collection[str]) -> Iterator[Value]:
    """Yield the values of arguments at any depth, without empty ones."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key not in names:
                yield from _nested(each, names)
            elif isinstance(each, Sequence) and not isinstance(each, str):
                yield from each
            elif each:
                yield each
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _nested(each, names)


def _role_part(role: Value, change: ResourceChange) -> str:
    return token(role) if isinstance(role, str) else f"{_shown(role)} at {token(change.address)}"


def _shown(value: Value) -> str:
    return f"a role that is {value.why}" if isinstance(value, Unknown | Hidden) else str(value)
