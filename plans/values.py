"""Values of a plan's JSON, in which unknown and sensitive parts are marked at any depth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Unknown:
    """A value that is known only after apply."""

    why = "known after apply"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True, repr=False, eq=False)
class Hidden:
    """A value that is marked sensitive: it can be compared, and is never shown."""

    content: Json
    """For comparison only."""
    why = "marked sensitive"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and self.content == other.content

    def __hash__(self) -> int:
        return hash(str(self.content))

    def __repr__(self) -> str:
        return "HIDDEN"


Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | Unknown | Hidden | None"
Attributes: TypeAlias = Mapping[str, Value]

Name: TypeAlias = str | Hidden
"""A name or an ARN; sensitive ones are compared, and shown as SENSITIVE."""

SENSITIVE = "(sensitive)"
"""What is shown in place of a sensitive name."""


def marked(value: Json, sensitive: Json, unknown: Json = None) -> Value:
    """Return a value with its sensitive and unknown parts replaced by HIDDEN and UNKNOWN values.

    Args:
        value: a value of a plan.
        sensitive: marks in the shape of the value, as in `after_sensitive`: true stands for a whole part.
        unknown: the same for parts known only after apply, as in `after_unknown`; those may be missing in `value`.
    """
    if sensitive is True:
        return Hidden(value)
    if unknown is True:
        return UNKNOWN
    if not (_has_mark(sensitive) or _has_mark(unknown)):
        return value
    if isinstance(value, dict) or (value is None and isinstance(unknown, dict)):
        content = value or {}
        hidden = sensitive if isinstance(sensitive, dict) else {}
        later = unknown if isinstance(unknown, dict) else {}
        names = [*content, *(name for name, mark in later.items() if name not in content and _has_mark(mark))]
        return {name: marked(content.get(name), hidden.get(name), later.get(name)) for name in names}
    if isinstance(value, list) or (value is None and isinstance(unknown, list)):
        items: list[Json] = value or []
        hidden_items = sensitive if isinstance(sensitive, list) else []
        later_items = unknown if isinstance(unknown, list) else []
        length = max(len(items), len(later_items))
        return [
            marked(*(each[index] if index < len(each) else None for each in (items, hidden_items, later_items)))
            for index in range(length)
        ]
    return value


def _has_mark(marks: Json) -> bool:
    if isinstance(marks, dict):
        return any(map(_has_mark, marks.values()))
    if isinstance(marks, list):
        return any(map(_has_mark, marks))
    return marks is True


def text(value: Value) -> str:
    """Return a string as it is, "" for anything else."""
    return value if isinstance(value, str) else ""


def name(value: Value) -> Name | None:
    """Return a name, which may be sensitive; None for anything else and for an empty one."""
    if isinstance(value, Hidden):
        return value if isinstance(value.content, str) else None
    return text(value) or None


def shown(of: Name) -> str:
    """Return a name as it may be shown."""
    return SENSITIVE if isinstance(of, Hidden) else of


def items(value: Value) -> Sequence[Value]:
    """Return the elements of a list, each sensitive where the list is; none of anything else."""
    if isinstance(value, Hidden):
        return [Hidden(each) for each in value.content] if isinstance(value.content, list) else []
    return value if isinstance(value, Sequence) and not isinstance(value, str) else []


def attributes(value: Value) -> Attributes:
    """Return an object's attributes, each sensitive where the object is; none of anything else."""
    if isinstance(value, Hidden):
        content = value.content if isinstance(value.content, dict) else {}
        return {key: Hidden(each) for key, each in content.items()}
    return value if isinstance(value, Mapping) else {}


def visible(text: str) -> str:
    """Return text with control and format characters written as `\\u001b`.

    Names in a plan may contain escape sequences, which a terminal or a comment would interpret.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
