"""The Condition element as a set of comparisons, and whether one set implies others.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple
context keys or values".
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iam import wildcards


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

    def implies(self, other: "Comparison") -> Answer:
        """Say whether `other` holds in every request in which this one does."""
        if self == other:
            return Answer.YES
        if self.key != other.key:
            return Answer.NO
        if (self.each, self.operator) != (other.each, other.operator):
            return Answer.UNDECIDED
        if self.positive:
            holds = all(any(self._fits(wide, value) for wide in other.values) for value in self.values)
            holds = holds and (other.if_exists or not self.if_exists)
        elif self.operator in _NEGATIVE:
            holds = all(any(self._fits(wide, value) for wide in self.values) for value in other.values)
        else:
            return Answer.UNDECIDED
        if not holds and any(map(wildcards.has_variable, self.values | other.values)):
            return Answer.UNDECIDED
        return Answer.YES if holds else Answer.NO

    def _fits(self, wide: str, value: str) -> bool:
        return wildcards.covers(wide, value) if self.operator in _PATTERNS else wide == value

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
            tests.add(
                Comparison(
                    each,
                    _SAME.get(operator, operator),
                    if_exists,
                    key.lower(),
                    frozenset(_value(operator, value, variables=variables) for value in found),
                )
            )
    return frozenset(tests)


def _value(operator: str, value: Any, *, variables: bool) -> str:
    if isinstance(value, (list, Mapping)):
        raise ValueError(f"supply condition values as strings, got {value!r}")
    text = str(value).lower() if isinstance(value, bool) or operator in _CASELESS else str(value)
    if not variables:
        text = wildcards.without_variables(text)
    if operator in _EXACT:
        text = wildcards.escape(text)
    return wildcards.canonical(text) if _SAME.get(operator, operator) in _PATTERNS else text


def implied(narrow: Condition, wides: Sequence[Condition]) -> Answer:
    """Say whether in every request in which `narrow` holds, one of `wides` does.

    Keys are taken as independent of each other.
    """
    missing: list[list[Comparison]] = []
    undecided = False
    for wide in wides:
        answers = {test: _any_implies(narrow, test) for test in wide}
        if all(answer is Answer.YES for answer in answers.values()):
            return Answer.YES
        missing.append([test for test, answer in answers.items() if answer is not Answer.YES])
        undecided = undecided or Answer.NO not in answers.values()
    keys = {test.key for tests in missing for test in tests}
    for test in narrow:
        parts = test.split() if test.key in keys else [test]
        if len(parts) > 1:
            answers_by_part = [implied(narrow - {test} | {part}, wides) for part in parts]
            if Answer.NO in answers_by_part:
                return Answer.NO
            return Answer.YES if set(answers_by_part) == {Answer.YES} else Answer.UNDECIDED
    if undecided or _may_complement(missing):
        return Answer.UNDECIDED
    return Answer.NO


def _any_implies(tests: Iterable[Comparison], wanted: Comparison) -> Answer:
    answers = [test.implies(wanted) for test in tests]
    related = sum(test.key == wanted.key for test in tests)
    if Answer.YES in answers:
        return Answer.YES
    return Answer.UNDECIDED if Answer.UNDECIDED in answers or related > 1 else Answer.NO


def _may_complement(missing: Sequence[Sequence[Comparison]]) -> bool:
    """Say whether the tests might leave no request between them, as `is a` and `is not a` do."""
    kinds: dict[str, set[tuple[str, bool]]] = {}
    for tests in missing:
        for test in tests:
            kinds.setdefault(test.key, set()).add((test.operator, test.positive))
    return len(missing) > 1 and any(len(kind) > 1 or not next(iter(kind))[1] for kind in kinds.values())


def words(condition: Condition, spelling: Mapping[str, str]) -> str:
    """Return the condition as a phrase to follow "when", tests in a fixed order; "" for none."""
    return " and ".join(sorted(test.words(spelling) for test in condition))
