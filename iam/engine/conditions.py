"""The Condition element: comparisons of one key each, as values and in words.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or
values".
"""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iam.engine import pattern_syntax


class Family(enum.Enum):
    """What the values of an operator are."""

    STRING = "string"
    """Strings and ARNs."""
    NUMERIC = "numeric"
    DATE = "date"
    BOOL = "bool"
    BINARY = "binary"
    IP = "ip"
    NULL = "null"
    """Whether the key is in the request."""


_ORDERS = ("lessthan", "lessthanequals", "greaterthan", "greaterthanequals")
_FAMILIES = {
    **dict.fromkeys(("stringlike", "stringnotlike", "arnlike", "arnnotlike"), Family.STRING),
    **dict.fromkeys(("stringequalsignorecase", "stringnotequalsignorecase"), Family.STRING),
    **{f"numeric{order}": Family.NUMERIC for order in ("equals", "notequals", *_ORDERS)},
    **{f"date{order}": Family.DATE for order in ("equals", "notequals", *_ORDERS)},
    "bool": Family.BOOL,
    "binaryequals": Family.BINARY,
    "ipaddress": Family.IP,
    "notipaddress": Family.IP,
    "null": Family.NULL,
}
"""The operators after those that mean the same have become one."""

_EXACT = {"stringequals": "stringlike", "stringnotequals": "stringnotlike"}
"""StringEquals is StringLike of values whose wildcards are escaped."""
_SAME = {"arnequals": "arnlike", "arnnotequals": "arnnotlike", **_EXACT}
_PATTERNS = {"stringlike", "stringnotlike", "arnlike", "arnnotlike"}
_LOWER = {"stringequalsignorecase", "stringnotequalsignorecase", "bool", "null"}
_POSITIVE = {
    *("stringlike", "arnlike", "stringequalsignorecase", "bool"),
    *("numericequals", "dateequals", "binaryequals"),
}

_WORDS = {
    "stringequalsignorecase": ("is", "in any case"),
    "stringnotequalsignorecase": ("is not", "in any case"),
    "numericequals": ("=", ""),
    "numericnotequals": ("≠", ""),
    "numericlessthan": ("<", ""),
    "numericlessthanequals": ("≤", ""),
    "numericgreaterthan": (">", ""),
    "numericgreaterthanequals": ("≥", ""),
    "dateequals": ("is at", ""),
    "datenotequals": ("is not at", ""),
    "datelessthan": ("is before", ""),
    "datelessthanequals": ("is not after", ""),
    "dategreaterthan": ("is after", ""),
    "dategreaterthanequals": ("is not before", ""),
    "bool": ("is", ""),
    "binaryequals": ("is", "in base64"),
    "ipaddress": ("is in", ""),
    "notipaddress": ("is not in", ""),
}
_EACH = {"": "", "forallvalues": "every ", "foranyvalue": "some "}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One key compared with values: holds when a value matches or, with a negated operator, when none does."""

    each: str
    """"", "forallvalues" or "foranyvalue"."""
    operator: str
    """Lower case; operators that mean the same are one."""
    if_exists: bool
    key: str
    """Lower case: condition keys are compared without regard to case."""
    values: frozenset[str]
    """As written, but for escaped wildcards, and lower case where case does not count."""

    @property
    def family(self) -> Family:
        """What the values are."""
        return _FAMILIES[self.operator]

    @property
    def positive(self) -> bool:
        """Whether this asks that a value matches, and not that none does or an order."""
        return self.operator in _POSITIVE

    @property
    def negated(self) -> bool:
        """Whether this asks that no value matches."""
        return "not" in self.operator

    def holds_absent(self) -> bool | None:
        """Return whether this holds in a request without the key; None where AWS documents two answers.

        For an absent key IfExists is documented to hold, and ForAnyValue not to.
        """
        if self.family is Family.NULL:
            return "true" in self.values
        if self.each == "foranyvalue":
            return None if self.if_exists else False
        return self.each == "forallvalues" or self.negated or self.if_exists

    def sort_key(self) -> tuple[object, ...]:
        """Return a key that sorts comparisons in the same order in every run."""
        return self.key, self.operator, self.each, self.if_exists, sorted(self.values)

    def words(self, spelling: Mapping[str, str]) -> str:
        """Return a phrase; `spelling` maps lower-case keys to the document's spelling."""
        key = spelling.get(self.key, self.key)
        if self.operator == "null":
            states = {"true": "absent", "false": "present"}
            return f"{key} is {' or '.join(states.get(value, value) for value in sorted(self.values))}"
        values = sorted(self.values)
        if self.operator in _PATTERNS:
            literal = all(map(pattern_syntax.is_literal, values))
            verb = (
                ("is not" if self.negated else "is") if literal else ("does not match" if self.negated else "matches")
            )
            values, after = [pattern_syntax.unescape(value) if literal else value for value in values], ""
        else:
            verb, after = _WORDS[self.operator]
        values = [value or '""' for value in values] or ["nothing"]
        either = (" nor " if self.negated else " or ").join(values)
        absent = "where present" if self.if_exists else ""
        return " ".join(filter(None, [_EACH[self.each] + key, verb, either, after, absent]))


Condition = frozenset[Comparison]
"""Comparisons that must all hold; empty is no condition."""


def parse(block: Any, *, variables: bool, spelling: dict[str, str]) -> Condition:
    """Return the comparisons of a Condition element.

    Args:
        block: `{operator: {key: value or values}}`.
        variables: whether `${…}` is a variable (Version 2012-10-17) or plain text.
        spelling: receives how each key was written.

    Raises:
        ValueError: the block has another shape, or an operator that IAM does not know; in one line.
    """
    if not isinstance(block, Mapping):
        raise ValueError(f"supply a Condition as an object of operators, got {block!r}")
    comparisons = set()
    for written, keys in block.items():
        each, _, operator = str(written).lower().rpartition(":")
        if_exists = operator.endswith("ifexists")
        operator = operator.removesuffix("ifexists")
        normal = _SAME.get(operator, operator)
        if each not in _EACH or not isinstance(keys, Mapping):
            raise ValueError(f"supply a condition operator with an object of keys, got {written!r}: {keys!r}")
        if normal not in _FAMILIES:
            raise ValueError(f"supply a condition operator that IAM has, like StringEquals, got {written!r}")
        for key, values in keys.items():
            spelling.setdefault(str(key).lower(), str(key))
            listed = values if isinstance(values, list) else [values]
            texts = frozenset(_value(operator, value, variables=variables) for value in listed)
            comparisons.add(Comparison(each, normal, if_exists, str(key).lower(), texts))
    return frozenset(test for test in comparisons if not _is_trivial(test))


def _is_trivial(test: Comparison) -> bool:
    """Return whether a comparison holds in every request."""
    if test.family is Family.NULL:
        return test.values >= {"true", "false"}
    return test.operator in ("stringlike", "arnlike") and "*" in test.values and test.holds_absent() is True


def _value(operator: str, value: Any, *, variables: bool) -> str:
    match value:
        case bool():
            text = str(value).lower()
        case str() | int() | float():
            text = str(value)
        case _:
            shown = json.dumps(value, default=repr)
            raise ValueError(f"supply condition values as strings, numbers or true and false, got {shown}")
    if operator in _LOWER:
        text = text.lower() if "${" not in text else text
    if not variables:
        text = pattern_syntax.without_variables(text)
    if operator in _EXACT:
        text = pattern_syntax.escape(text)
    return pattern_syntax.canonical(text) if _SAME.get(operator, operator) in _PATTERNS else text


def words(condition: Condition, spelling: Mapping[str, str]) -> str:
    """Return the condition as a phrase to follow "when", comparisons in a fixed order; "" for none."""
    return " and ".join(sorted(test.words(spelling) for test in condition))
