"""What a plan of a newer Terraform or OpenTofu has that this project does not know, and therefore cannot evaluate.

Minor versions of the format may add properties at any place, and action_invocations came without a new version at all.
So the parts that say what an apply does are compared with the parts known here.

Source of the known ones: the plans of Terraform 0.12 to 1.17 and OpenTofu 1.6 to 1.13.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from plans.shapes import list_of, object_of
from plans.values import Json, text

ACTIONS = frozenset(
    {
        ("no-op",),
        ("create",),
        ("read",),
        ("update",),
        ("delete",),
        ("forget",),
        ("delete", "create"),
        ("create", "delete"),
        ("create", "forget"),  # Terraform 1.7
        ("forget", "create"),  # OpenTofu 1.12
    }
)
"""What a plan does to one resource."""

MODES = ("managed", "data", "ephemeral")
"""Kinds of resources; only OpenTofu, from 1.11 on, lists ephemeral ones."""

_PLAN = frozenset(
    {
        "action_invocations", "applyable", "checks", "complete", "configuration", "deferred_action_invocations",
        "deferred_changes", "errored", "format_version", "output_changes", "planned_values", "prior_state",
        "proposed_unknown", "relevant_attributes", "resource_changes", "resource_drift", "terraform_version",
        "timestamp", "variables",
    }
)  # fmt: skip
_ENTRY = frozenset(
    {
        "action_reason", "address", "change", "deposed", "index", "index_unknown", "mode", "module_address", "name",
        "previous_address", "provider_name", "type",
    }
)  # fmt: skip
_INVOCATION = frozenset(
    {
        "address", "config_sensitive", "config_unknown", "config_values", "invoke_action_trigger",
        "lifecycle_action_trigger", "name", "provider_name", "type",
    }
)  # fmt: skip
_CHANGE = frozenset(
    {
        "actions", "after", "after_identity", "after_sensitive", "after_unknown", "before", "before_identity",
        "before_sensitive", "generated_config", "importing", "replace_paths",
    }
)  # fmt: skip


class Unread(NamedTuple):
    """A part of a plan that is not evaluated."""

    address: str
    """The resource that it is about, "" for the plan."""
    part: str
    """What it is: a key, or the value of a key."""
    is_operation: bool = False
    """Whether it is what the plan does to a resource."""

    def __str__(self) -> str:
        return f"{self.address}: {self.part}" if self.address else self.part


def unread(body: dict[str, Json]) -> Iterator[Unread]:
    """Yield what is not known of a plan, each kind of property once. Raises ShapeError."""
    properties = _properties("", body, _PLAN)
    for list_name in ("resource_changes", "resource_drift"):
        for index, each in enumerate(list_of(body.get(list_name), list_name)):
            place = f"{list_name}[{index}]"
            entry = object_of(each, place)
            change = object_of(entry.get("change"), f"{place}.change")
            address, mode = text(entry.get("address")), entry.get("mode", "managed")
            if mode not in MODES:
                yield Unread(address, f"mode {mode}", is_operation=True)
            elif mode == "managed" and (actions := _unknown_actions(change, place)):
                yield Unread(address, f"actions {actions}", is_operation=True)
            properties |= _properties(list_name, entry, _ENTRY) | _properties(f"{list_name}.change", change, _CHANGE)
    for each in list_of(body.get("action_invocations"), "action_invocations"):
        properties |= _properties("action_invocations", object_of(each, "action_invocations"), _INVOCATION)
    yield from (Unread("", each) for each in properties)


_EMPTY: tuple[Json, ...] = (None, False, "", [], {})


def _properties(place: str, of: dict[str, Json], known: Collection[str]) -> dict[str, None]:
    """Return the properties of an object that are not known and have a value."""
    names = (key for key, value in of.items() if key not in known and value not in _EMPTY)
    return dict.fromkeys(f"{place}.{name}" if place else name for name in names)


def _unknown_actions(change: dict[str, Json], place: str) -> str:
    """Return what is done in words, "" if it is known."""
    actions = [str(each) for each in list_of(change.get("actions"), f"{place}.change.actions")]
    return "" if tuple(actions) in ACTIONS else ", ".join(actions)
