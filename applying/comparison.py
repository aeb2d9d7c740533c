"""Whether a plan does what a reviewed plan does, or the rest of it after an apply that stopped halfway; by value.

Three things are compared. What a plan writes: actions, imports, moves, and each attribute that changes, before and
after, with its unknown and sensitive parts; with what it runs besides, such as provider actions. What it writes to: all
unchanged attributes except tags; of a role, whose other attributes belong to others, only name, path, ARN and unique
ID. What its review relies on: the roles that it reads, documents of policies, accounts, regions and checks; other data
sources are read again by the apply anyway.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iam.engine import sentences
from iam.engine.difference import difference
from iam.engine.statements import Policy, permissions_policy, trust_policy
from plans.plan import SNAPSHOTS, Plan, ResourceChange, Snapshot
from plans.programs import programs
from plans.values import SENSITIVE, UNKNOWN, Attributes, Hidden, Unknown, Value, visible

_DOCUMENTS = {"assume_role_policy": trust_policy, "policy": permissions_policy}
"""The attributes that are policies."""

_ROLE = "aws_iam_role"
_IDENTITY_OF_ROLES = ("name", "path")
"""Attributes that identify a role, besides its ARN and unique ID."""

_NO_IDENTITY = ("tags", "tags_all")
"""Attributes that identify nothing; all others of a resource that is no role do."""

_LONGEST = 300
"""Longest value in a line, in characters."""

_WHEN: Mapping[Snapshot, str] = {"before": "before the apply", "after": "after the apply"}


@dataclass(frozen=True)
class Difference:
    """One thing that differs between two plans.

    Attributes:
        address: address of the resource.
        attribute: the attribute, or `action`, `import` or `move`.
        reviewed: its value in the reviewed plan, None for none.
        now: its value in the other plan, None for none.
        snapshot: for an attribute that the plan writes, when it has the value.
    """

    address: str
    attribute: str
    reviewed: Value
    now: Value
    snapshot: Snapshot | None = None

    def __str__(self) -> str:
        when = f" {_WHEN[self.snapshot]}" if self.snapshot else ""
        line = f"{self.address}: {self.attribute}{when}: reviewed {_shown(self.reviewed)}, now {_shown(self.now)}"
        words = _in_words(self)
        return visible(f"{line} ({words})" if words else line)


def differences(reviewed: Plan, plan: Plan) -> Iterator[Difference]:
    """Yield what a plan does, or leaves undone, unlike the reviewed plan; nothing if it does the same or the rest.

    Args:
        reviewed: the reviewed plan.
        plan: a plan made later.
    """
    known, current = _identities(reviewed), _identities(plan)
    for name, identity in current.items():
        for attribute, value in identity.items():
            if value != (seen := known.get(name, {}).get(attribute)):
                yield Difference(f"role {name}", attribute, seen, value)
    yield from _of_context(reviewed, plan)
    yield from _of_invocations(reviewed, plan)
    yield from _of_programs(reviewed, plan)
    for address in plan.deferred:
        if address not in reviewed.deferred:
            yield Difference(address, "action", None, "defer")
    for part in plan.unread:
        if part not in reviewed.unread:
            yield Difference(part.address or "the plan", "part that is not known", None, part.part)
    before = {each.address: each for each in (*reviewed.changes, *reviewed.outputs) if each.changes}
    now = {each.address: each for each in (*plan.changes, *plan.outputs)}
    for address in sorted({*before, *(address for address, each in now.items() if each.changes)}):
        yield from _of_resource(address, before.get(address), now.get(address))


def _of_context(reviewed: Plan, plan: Plan) -> Iterator[Difference]:
    """Yield differences in what the reviewed plan claims about AWS: whoever forges one could have it say anything."""
    written = {
        (change.text(snapshot, "arn"), _normal(change.get("after", "policy")))
        for change in reviewed.changes
        for snapshot in SNAPSHOTS
        if change.type == "aws_iam_policy" and isinstance(change.get("after", "policy"), str)
    }
    for arn, document in reviewed.known_policies.items():
        current = plan.known_policies.get(arn)
        if current is None or (_normal(document) != _normal(current) and (arn, _normal(current)) not in written):
            yield Difference(f"policy {arn}", "policy", document, current)
    for address in sorted({*reviewed.known_accounts, *plan.known_accounts}):
        accounts = reviewed.known_accounts.get(address), plan.known_accounts.get(address)
        if accounts[0] != accounts[1]:
            yield Difference(address, "account_id", *accounts)
    failed = {check.name for check in reviewed.failed_checks}
    for check in plan.failed_checks:
        if check.name not in failed:  # its message names the values of a resource, which are compared there
            yield Difference(check.name, "failed check", None, check.message)
    if reviewed.regions != plan.regions:
        yield Difference("the provider", "region", list(reviewed.regions), list(plan.regions))


def _of_invocations(reviewed: Plan, plan: Plan) -> Iterator[Difference]:
    """Yield differences in the actions that an apply invokes, with their arguments.

    An action that a resource triggers is not invoked again once the resource has changed.
    """
    known, now = (
        {(each.address, json.dumps(each.trigger, sort_keys=True)): each for each in of.invocations}
        for of in (reviewed, plan)
    )
    changing = {each.address for each in plan.changes if each.changes}
    for key in sorted({*known, *now}):
        address, _ = key
        before, after = known.get(key), now.get(key)
        if before and after:
            yield from _of_arguments(address, before.config, after.config)
        elif after:
            yield Difference(address, "action", None, "invoke")
        elif before and (not before.resource or before.resource in changing):
            yield Difference(address, "action", "invoke", None)


def _of_programs(reviewed: Plan, plan: Plan) -> Iterator[Difference]:
    known = {(each.address, each.what): each for each in programs(reviewed)}
    for each in programs(plan):
        before = known.get((each.address, each.what))
        if before is None:
            yield Difference(each.address, "action", None, each.what)
        else:
            yield from _of_arguments(each.address, before.arguments, each.arguments)


def _of_arguments(address: str, reviewed: Attributes, now: Attributes) -> Iterator[Difference]:
    for name in sorted({*reviewed, *now}):
        values = reviewed.get(name), now.get(name)
        if _normal(values[0]) != _normal(values[1]):
            yield Difference(address, name, *values)


def _of_resource(address: str, reviewed: ResourceChange | None, now: ResourceChange | None) -> Iterator[Difference]:
    operations = _operations(reviewed) if reviewed else set()
    removes = operations in ({"delete"}, {"forget"})
    if reviewed is None or now is None:
        if not removes:  # what the reviewed plan removes may be gone already
            yield Difference(address, "action", _action(reviewed), _action(now))
        return
    if reviewed.type != now.type:
        yield Difference(address, "type", reviewed.type, now.type)
        return
    rest = _operations(now)
    reordered = len(rest) > 1 and now.actions != reviewed.actions
    if not rest <= operations or reordered or (removes and not rest):
        yield Difference(address, "action", _action(reviewed), _action(now))
        return
    if now.importing not in ("", reviewed.importing) and "create" not in operations:
        yield Difference(address, "import", reviewed.importing or None, now.importing)
    if now.moved_from not in ("", reviewed.moved_from):
        yield Difference(address, "move", reviewed.moved_from or None, now.moved_from)
    yield from _of_attributes(address, reviewed, now)


def _of_attributes(address: str, reviewed: ResourceChange, now: ResourceChange) -> Iterator[Difference]:
    names = sorted({name for each in (reviewed, now) for values in each.values.values() for name in values})
    for name in names:
        if _writes(now, name):
            # after half a replacement the object is gone already
            replaced = "before" in reviewed.snapshots and "before" not in now.snapshots
            snapshots: tuple[Snapshot, ...] = ("after",) if replaced else SNAPSHOTS
            for snapshot in snapshots:
                values = reviewed.get(snapshot, name), now.get(snapshot, name)
                if _normal(values[0]) != _normal(values[1]):
                    yield Difference(address, name, *values, snapshot)
        elif _writes(reviewed, name):
            wanted, found = reviewed.get("after", name), now.get("after", name)
            if not _is_done(_normal(wanted), _normal(found)):
                yield Difference(address, name, wanted, found, "after")
        elif now.changes and _identifies(name, now):
            wanted, found = reviewed.get("after", name), now.get("after", name)
            if _normal(wanted) != _normal(found):
                yield Difference(address, name, wanted, found)


def _identifies(attribute: str, change: ResourceChange) -> bool:
    """Return whether an attribute that a change does not write says what it writes to."""
    return attribute in _IDENTITY_OF_ROLES if change.type == _ROLE else attribute not in _NO_IDENTITY


def _operations(change: ResourceChange) -> set[str]:
    return {*change.actions} - {"no-op", "read"}


def _action(change: ResourceChange | None) -> str | None:
    if change is None:
        return None
    state = [word for word, value in (("import", change.importing), ("move", change.moved_from)) if value]
    return ", ".join([*state, *(each for each in change.actions if each in _operations(change))]) or None


def _writes(change: ResourceChange, attribute: str) -> bool:
    before, after = (_normal(change.get(snapshot, attribute)) for snapshot in SNAPSHOTS)
    return before != after


def _is_done(wanted: Value, found: Value) -> bool:
    """Return whether a value is the reviewed one, which may have parts that were known only after the apply."""
    if isinstance(wanted, Unknown):
        return True
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return wanted.keys() == found.keys() and all(_is_done(value, found[name]) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_is_done, wanted, found))
    return wanted == found


def _normal(value: Value) -> Value:
    """Return a value to compare, without the order of keys in JSON and of lists in policies, which means nothing."""
    if isinstance(value, Hidden):
        content: Any = _normal(value.content)
        return Hidden(content)
    if isinstance(value, str):
        return _normal_document(value)
    if isinstance(value, bool):
        return {"": str(value)}  # to Python, True is 1
    if isinstance(value, Mapping):
        return {name: _normal(each) for name, each in value.items()}
    return [_normal(each) for each in value] if isinstance(value, list) else value


def _normal_document(text: str) -> str:
    if not text.startswith(("{", "[")):
        return text
    try:
        body = json.loads(text, object_pairs_hook=_object)
        return json.dumps(_sorted(body) if _is_policy(body) else body, sort_keys=True)
    except (ValueError, RecursionError):
        return text


def _is_policy(body: Any) -> bool:
    """Return whether a value has the statements of a policy: the order of any other list, as of commands, counts."""
    found = body.get("Statement") if isinstance(body, dict) else None
    listed = [found] if isinstance(found, dict) else found
    return isinstance(listed, list) and all(isinstance(each, dict) and "Effect" in each for each in listed)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(_sorted, value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def _identities(plan: Plan) -> dict[str, dict[str, Value]]:
    """Return ARN and unique ID of each role that the plan has read, by name."""
    adopted = [each.values["before"] for each in plan.changes if each.type == _ROLE and "before" in each.snapshots]
    roles = [*plan.known_roles.values(), *adopted]
    return {str(role.get("name")): {key: role.get(key) for key in ("arn", "unique_id")} for role in roles}


def _in_words(of: Difference) -> str:
    """Return the difference of two policies in IAM terms, "" if it has none."""
    parse = _DOCUMENTS.get(of.attribute)
    if parse is None or not (isinstance(of.reviewed, str) and isinstance(of.now, str)):
        return ""
    try:
        policies: list[Policy] = [parse(of.reviewed), parse(of.now)]
        changes = difference(policies[:1], policies[1:])
    except ValueError:
        return ""
    return "; ".join(sentences.lines(changes, trust=parse is trust_policy))


def _shown(value: Value) -> str:
    if value is None:
        return "none"
    if isinstance(value, Hidden | Unknown):
        return _mark(value)
    if isinstance(value, str):
        text = value if value.startswith(("{", "[")) else f'"{value}"' if value else '""'
    else:
        text = json.dumps(value, default=_mark, sort_keys=True)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _mark(value: object) -> str:
    return SENSITIVE if isinstance(value, Hidden) else f"({UNKNOWN.why})"
