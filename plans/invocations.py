"""The provider actions that an apply invokes, such as a call of a Lambda function (Terraform 1.14 and newer).

Source of the shapes: `action_invocations` in the plans of Terraform 1.14 to 1.17.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from plans.shapes import list_of, object_of
from plans.values import Attributes, Json, attributes, marked, text


@dataclass(frozen=True, slots=True)
class Invocation:
    """An action that an apply invokes; one action may be invoked several times."""

    address: str
    config: Attributes
    """Its arguments, unknown and sensitive ones marked."""
    resource: str
    """The address of the resource whose change triggers it, "" if the command line does (`-invoke`)."""
    trigger: Attributes
    """All that the plan says about what triggers it."""


def invocations(entries: Json, place: str) -> Iterator[Invocation]:
    """Yield the invocations in a list of the plan. Raises ShapeError."""
    for index, each in enumerate(list_of(entries, place)):
        entry = object_of(each, f"{place}[{index}]")
        trigger = {
            name: value
            for kind in ("lifecycle_action_trigger", "invoke_action_trigger")
            for name, value in object_of(entry.get(kind), f"{place}[{index}].{kind}").items()
        }
        config = marked(entry.get("config_values"), entry.get("config_sensitive"), entry.get("config_unknown"))
        yield Invocation(
            text(entry.get("address")),
            attributes(config),
            text(trigger.get("triggering_resource_address")),
            attributes(marked(trigger, None)),
        )
