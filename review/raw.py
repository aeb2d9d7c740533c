"""A plan's changes as Terraform means them, address by address, policy documents line by line."""

import json
from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from plans.plan import ResourceChange, Unseen

_SIGNS = {"create": "+", "delete": "-", "update": "~", "read": "<=", "forget": ".", "no-op": " "}


def lines(change: ResourceChange) -> Iterator[str]:
    """Yield a heading and the attributes that change; sensitive values are not shown."""
    sign = "/".join(_SIGNS.get(action, action) for action in change.actions)
    notes = [f"imported from {change.importing}"] if change.importing else []
    notes += [f"moved from {change.moved_from}"] if change.moved_from else []
    notes += [f"replaced because of {', '.join(change.replace_paths)}"] if change.replace_paths else []
    yield f"# {sign} {change.address}" + (f" ({'; '.join(notes)})" if notes else "")
    names = sorted(change.values["before"].keys() | change.values["after"].keys() | _unknown(change))
    for name in names:
        before, after = change.get("before", name), change.get("after", name)
        if "after" not in change.sides and name not in ("assume_role_policy", "policy", "policy_arn", "name"):
            continue
        if before != after and after is not before:
            yield from _attribute(name, _laid_out(before), _laid_out(after))


def _unknown(change: ResourceChange) -> set[str]:
    return {name for name, mark in change.unknown.items() if mark is True} if change.unknown else set()


def _attribute(name: str, before: list[str], after: list[str]) -> Iterator[str]:
    if len(before) < 2 and len(after) < 2:
        yield from (f"-   {name} = {text}" for text in before)
        yield from (f"+   {name} = {text}" for text in after)
        return
    yield f"    {name}:"
    for line in list(unified_diff(before, after, lineterm="", n=3))[2:]:
        yield f"{line[0]}     {line[1:]}" if not line.startswith("@@") else f"      {line}"


def _laid_out(value: Any) -> list[str]:
    if isinstance(value, Unseen):
        return [f"({value.why})"]
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return [json.dumps(value)]
    text = json.dumps(value, indent=2 if isinstance(value, (dict, list)) else None, sort_keys=True)
    return text.splitlines()
