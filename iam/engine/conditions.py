"""The Condition element as a set of comparisons, and whether one set implies others.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple
context keys or values".
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Any

from iam.engine import wildcards


class Answer(enum.Enum):
    """What a comparison found; UNDECIDED where telling for sure would take more than is modelled here."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


# Operators that mean the same are one: StringEquals is StringLike of values whose wildcards are escaped.
_EXACT = {"stringequals": "stringlike", "stringnotequals": "stringnotlike"}
_SAME = {"arnequals": "arnlike", "arnnotequals": "arnnotlike", **_EXACT}
_PATTERNS = {"stringlike", "stringnotlike", "arnlike", "arnnotlike"}
_CASELESS = {"stringequalsignorecase", "stringnotequalsignorecase", "bool", "null"}
_POSITIVE = {
    *("stringlike", "arnlike", "stringequalsignorecase", "bool"),
    *("numericequals", "dateequals", "binaryequals"),
}
_NEGATIVE = {
    *("stringnotlike", "arnnotlike", "stringnotequalsignorecase"),
    *("numericnotequals", "datenotequals"),
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
    """One key compared with values: holds when a value fits or, with a negated operator, when none does."""

    each: str
    """"", "forallvalues" or "foranyvalue"."""
    operator: str
    """Lower case; operators that mean the same are one."""
    if_exists: bool
    key: str
    """Lower case: condition keys are compared without regard to case."""
    values: frozenset[str]

    @property
    def positive(self) -> bool:
        """Whether the question is that a value fits, and not that none does or an order."""
        return self.operator in _POSITIVE

    @property
    def always(self) -> bool:
        """Whether this holds in every request: any value will do, and so will none."""
        return self.operator in ("stringlike", "arnlike") and "*" in self.values and self.holds(None) is True

    def implies(self, other: "Comparison") -> bool:
        """Say whether `other` surely holds in every request in which this one does."""
        if self == other:
            return True
        if (self.each, self.operator, self.key) != (other.each, other.operator, other.key):
            return False
        if self.positive:
            inside = all(any(self._fits(wide, value) for wide in other.values) for value in self.values)
            return inside and (other.if_exists or not self.if_exists)
        if self.operator in _NEGATIVE:
            return all(any(self._fits(wide, value) for wide in self.values) for value in other.values)
        return False

    def holds(self, given: str | None) -> bool | None:
        """Say whether this holds where the key has the one value `given`, or none; None if not modelled."""
        if self.operator == "null":
            return (given is None) == (self.values == {"true"}) if len(self.values) == 1 else None
        if self.operator not in _POSITIVE | _NEGATIVE:
            return None
        negated = self.operator in _NEGATIVE
        if given is None:
            return self.each == "forallvalues" or (not self.each and (negated or self.if_exists))
        given = given.lower() if self.operator in _CASELESS else given
        return any(self._fits(value, given) for value in self.values) != negated

    def _fits(self, wide: str, value: str) -> bool:
        return wildcards.covers(wide, value) if self.operator in _PATTERNS else wide == value

    def samples(self) -> set[str]:
        """Return values of the key that this tells apart."""
        return {wildcards.sample(value) if self.operator in _PATTERNS else value for value in self.values}

    def split(self) -> list["Comparison"]:
        """Return comparisons of one value each that this is the union of; itself where none are."""
        if not self.positive or self.each == "forallvalues":
            return [self]
        return [
            Comparison(self.each, self.operator, self.if_exists, self.key, frozenset([value]))
            for value in sorted(self.values)
        ]

    def words(self, spelling: Mapping[str, str]) -> str:
        """Return a phrase; `spelling` maps lower-case keys to the document's spelling."""
        key = spelling.get(self.key, self.key)
        if self.operator == "null":
            states = {"true": "absent", "false": "present"}
            return f"{key} is {' or '.join(states.get(value, value) for value in sorted(self.values))}"
        values = sorted(self.values)
        negated = "not" in self.operator
        if self.operator in _PATTERNS:
            literal = all(map(wildcards.is_literal, values))
            verb = ("is not" if negated else "is") if literal else ("does not match" if negated else "matches")
            values, after = [wildcards.unescape(value) if literal else value for value in values], ""
        else:
            verb, after = _WORDS.get(self.operator, (self.operator, ""))
        values = [value or '""' for value in values] or ["nothing"]
        either = (" nor " if negated else " or ").join(values)
        absent = "where present" if self.if_exists else ""
        return " ".join(filter(None, [_EACH[self.each] + key, verb, either, after, absent]))


Condition = frozenset[Comparison]
"""Comparisons that must all hold; empty is no condition."""


def parse(block: Any, *, variables: bool, spelling: dict[str, str]) -> Condition:
    """Return a Condition element as tests.

    `block` is `{operator: {key: value or values}}`. `variables` says whether `${…}` is one (Version
    2012-10-17) or plain text. Adds to `spelling` how each key was written. Raises ValueError with one line
    when the shape is another.
    """
    if not isinstance(block, Mapping):
        raise ValueError(f"supply a Condition as an object of operators, got {block!r}")
    tests = set()
    for written, keys in block.items():
        each, _, operator = written.lower().rpartition(":")
        if_exists = operator.endswith("ifexists")
        operator = operator.removesuffix("ifexists")
        if each not in _EACH or not isinstance(keys, Mapping):
            raise ValueError(f"supply a condition operator with an object of keys, got {written!r}: {keys!r}")
        for key, values in keys.items():
            spelling.setdefault(key.lower(), key)
            found = values if isinstance(values, list) else [values]
            normal = frozenset(_value(operator, value, variables=variables) for value in found)
            tests.add(Comparison(each, _SAME.get(operator, operator), if_exists, key.lower(), normal))
    return frozenset(test for test in tests if not test.always)


def _value(operator: str, value: Any, *, variables: bool) -> str:
    if isinstance(value, (list, Mapping)):
        raise ValueError(f"supply condition values as strings, got {value!r}")
    if operator.startswith("numeric"):
        try:
            return f"{float(value):g}"
        except ValueError:
            return str(value)
    text = str(value).lower() if isinstance(value, bool) or operator in _CASELESS else str(value)
    if not variables:
        text = wildcards.without_variables(text)
    if operator in _EXACT:
        text = wildcards.escape(text)
    return wildcards.canonical(text) if _SAME.get(operator, operator) in _PATTERNS else text


def implied(narrow: Condition, wides: Sequence[Condition]) -> Answer:
    """Say whether in every request in which `narrow` holds, one of `wides` does.

    Yes is reasoned, no is shown by a request; keys are taken as independent of each other.
    """
    if any(all(any(test.implies(asked) for test in narrow) for asked in wide) for wide in wides):
        return Answer.YES
    if _refuted(narrow, wides):
        return Answer.NO
    for test in narrow:
        parts = test.split()
        if len(parts) > 1:
            each_part = (implied(narrow - {test} | {part}, wides) for part in parts)
            return Answer.YES if all(answer is Answer.YES for answer in each_part) else Answer.UNDECIDED
    return Answer.UNDECIDED


MAX_REQUESTS = 4_096
"""How many requests are tried before a condition is given up as undecided."""


def _refuted(narrow: Condition, wides: Sequence[Condition]) -> bool:
    """Say whether some request was found in which `narrow` holds and none of `wides` does."""
    tests: dict[str, list[Comparison]] = {}
    for test in chain(narrow, *wides):
        tests.setdefault(test.key, []).append(test)
    given: list[list[str | None]] = []
    for key, found in tests.items():
        values = {None, wildcards.ANY_OTHER * 2}.union(*(test.samples() for test in found))
        own = [test for test in narrow if test.key == key]
        given.append([value for value in values if all(test.holds(value) for test in own)])
    return any(
        all(any(test.holds(request[test.key]) is False for test in wide) for wide in wides)
        for request in (dict(zip(tests, values, strict=True)) for values in islice(product(*given), MAX_REQUESTS))
    )


def words(condition: Condition, spelling: Mapping[str, str]) -> str:
    """Return the condition as a phrase to follow "when", tests in a fixed order; "" for none."""
    return " and ".join(sorted(test.words(spelling) for test in condition))
