"""Which values of one condition key satisfy some comparisons and fail others.

A key is absent, or has one value; a key that a set operator (ForAllValues, ForAnyValue) compares may have several. The
values of each family of operators are sets that can be computed with exactly: languages of patterns for strings and
ARNs, numbers and instants in order, networks that contain each other or are disjoint. A comparison outside of that (a
variable among numbers, a number that is none) is opaque: nothing is known of it but that it equals itself.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import assert_never

from iam.engine import pattern_syntax, wildcards
from iam.engine.answers import Answer, all_of, answer, any_of
from iam.engine.conditions import Comparison, Condition, Family
from iam.engine.pattern_syntax import Pattern, Syntax
from iam.engine.wildcards import Union

Wanted = tuple[Comparison, bool]
"""A comparison, and whether it has to hold or to fail."""


@lru_cache(maxsize=65_536)
def exists(wanted: tuple[Wanted, ...]) -> tuple[Answer, int]:
    """Return whether some value of a key, or its absence, is as wanted; and the steps.

    All comparisons are of one key; the order in which they stand has no part in the answer.
    """
    absent = all_of(_absent(test, holds) for test, holds in wanted)
    if absent is Answer.YES:
        return absent, 1
    present, steps = _present(wanted)
    return any_of([absent, present]), steps + 1


@lru_cache(maxsize=16_384)
def possible(condition: Condition) -> Answer:
    """Return whether a condition may hold in some request: comparisons that contradict each other never do."""
    keys = sorted({test.key for test in condition})
    tests = sorted(condition, key=Comparison.sort_key)
    return all_of([exists(tuple((test, True) for test in tests if test.key == key))[0] for key in keys])


def _absent(test: Comparison, holds: bool) -> Answer:
    actual = test.holds_absent()
    if actual is None:
        return Answer.UNDECIDED
    return Answer.YES if actual is holds else Answer.NO


def _present(wanted: Iterable[Wanted]) -> tuple[Answer, int]:
    families: dict[Family, list[Wanted]] = {}
    opaque: dict[Comparison, bool] = {}
    for test, holds in wanted:
        if test.family is Family.NULL:
            if ("false" in test.values) is not holds:
                return Answer.NO, 1
            continue
        present = replace(test, if_exists=False)
        if is_opaque(test):
            if opaque.setdefault(present, holds) is not holds:
                return Answer.NO, 1
        elif (present, not holds) in families.setdefault(test.family, []):
            return Answer.NO, 1
        else:
            families[test.family].append((present, holds))
    answers, steps = [], 1
    for tests in families.values():
        each, more = _one_family(tests)
        answers.append(each)
        steps += more
    whole = all_of(answers)
    # Nothing is known of a value that is compared as values of two families, or in another way than it is opaquely.
    certain = len(families) + len(opaque) < 2
    return (whole if certain or whole is Answer.NO else Answer.UNDECIDED), steps


def _one_family(tests: Sequence[Wanted]) -> tuple[Answer, int]:
    single = [(test, holds) for test, holds in tests if not test.each]
    several = [(test, holds) for test, holds in tests if test.each]
    one, steps = _value(tests)
    if one is Answer.YES or not several:
        return one, steps
    # Several values: some hold for each of them, some ask for one that is as wanted.
    every = [(test, holds) for test, holds in several if (test.each == "forallvalues") is holds]
    some = [(test, holds) for test, holds in several if (test.each == "forallvalues") is not holds]
    answers = []
    for asked in some or (None,):
        each, more = _value([*every, *([asked] if asked else [])])
        answers.append(each)
        steps += more
    whole = all_of(answers)
    # A key of several values that an operator for one value compares: AWS documents no answer.
    return (Answer.UNDECIDED if single and whole is Answer.YES else whole), steps


_Set = tuple[Comparison, bool]
"""The values that match (True) or do not match (False) some value of a comparison, or are in its order."""


def _value(sets: Sequence[_Set]) -> tuple[Answer, int]:
    """Return whether one value is in all of the sets."""
    if not sets:
        return Answer.YES, 1
    match sets[0][0].family:
        case Family.STRING:
            return _string(sets)
        case Family.NUMERIC:
            return _ordered(sets, _number)
        case Family.DATE:
            return _ordered(sets, _instant)
        case Family.BOOL:
            return _listed(sets, ("true", "false"), str)
        case Family.BINARY:
            return _listed(sets, ("\uffff", *_constants(sets)), _bytes)
        case Family.IP:
            return _address(sets)
        case Family.NULL:
            return Answer.YES, 1
        case _ as never:
            assert_never(never)


def _constants(sets: Iterable[_Set]) -> list[str]:
    return sorted({value for test, _ in sets for value in test.values})


# strings and ARNs


def patterns(test: Comparison) -> Union:
    """Return the values of a comparison of strings or ARNs as patterns."""
    match test.operator:
        case "stringlike" | "stringnotlike":
            found = [(value, Syntax.TEXT) for value in test.values]
        case "arnlike" | "arnnotlike":
            found = [(value, Syntax.TEXT if value == "*" else Syntax.ARN) for value in test.values]
        case _:
            found = [(pattern_syntax.escape(value), Syntax.CASELESS) for value in test.values]
    return tuple(sorted(found, key=lambda pattern: (pattern[0], pattern[1].value)))


def _string(sets: Iterable[_Set]) -> tuple[Answer, int]:
    inside: list[Union] = []
    outside: list[Pattern] = []
    for test, holds in sets:
        if test.negated is holds:
            outside += patterns(test)
        else:
            inside.append(patterns(test))
    return wildcards.exists(tuple(sorted(set(inside), key=str)), tuple(sorted(set(outside), key=str)))


# values in order

_Parse = Callable[[str], Fraction | None]


def _ordered(sets: Sequence[_Set], parse: _Parse) -> tuple[Answer, int]:
    """Try each value named, one between each two, one before and one after: some are in every set of values."""
    points = sorted({point for value in _constants(sets) if (point := parse(value)) is not None})
    candidates = [*points, *((low + high) / 2 for low, high in pairwise(points))]
    candidates += [points[0] - 1, points[-1] + 1] if points else [Fraction(0)]
    found = any(all(_is_in_order(test, point, parse) is holds for test, holds in sets) for point in candidates)
    return (Answer.YES if found else Answer.NO), len(candidates) * len(sets)


def _is_in_order(test: Comparison, point: Fraction, parse: _Parse) -> bool:
    values = [value for text in test.values if (value := parse(text)) is not None]
    match test.operator.removeprefix("numeric").removeprefix("date"):
        case "equals":
            return point in values
        case "notequals":
            return point not in values
        case "lessthan":
            return any(point < value for value in values)
        case "lessthanequals":
            return any(point <= value for value in values)
        case "greaterthan":
            return any(point > value for value in values)
        case _:
            return any(point >= value for value in values)


_NUMBER = re.compile(r"[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][+-]?\d{1,3})?", re.ASCII)


@lru_cache(maxsize=4_096)
def _number(text: str) -> Fraction | None:
    """Return a decimal number exactly; None for what is none."""
    return Fraction(text) if _NUMBER.fullmatch(text) else None


_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(?P<part>\.\d{1,18})?(Z|[+-]\d\d:\d\d))?", re.ASCII)
_EPOCH = re.compile(r"\d{5,18}", re.ASCII)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4_096)
def _instant(text: str) -> Fraction | None:
    """Return a date in seconds since 1970; None for what is none, or a year that could be seconds as well.

    Source: IAM User Guide, "Date condition operators": ISO 8601 in the form of W3C, or seconds since 1970.
    """
    if _EPOCH.fullmatch(text):
        return Fraction(text)
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    part = match["part"] or ""
    try:
        date = datetime.fromisoformat(text.replace(part, "", 1))
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - _BEGINNING) // timedelta(seconds=1)
        return seconds + Fraction(f"0{part}")
    except (ValueError, OverflowError):
        return None


# values of which only some count


def _listed(sets: Sequence[_Set], candidates: Iterable[str], parse: Callable[[str], Hashable]) -> tuple[Answer, int]:
    matching = [(frozenset(map(parse, test.values)), holds) for test, holds in sets]
    found = any(all((parse(value) in values) is holds for values, holds in matching) for value in candidates)
    return (Answer.YES if found else Answer.NO), len(sets)


def _bytes(text: str) -> Hashable:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text


# networks

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SPACES: tuple[_Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@lru_cache(maxsize=4_096)
def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(sets: Sequence[_Set]) -> tuple[Answer, int]:
    """Try the first address of each network, and the one after its last: some are in every set of addresses."""
    networks = [network for value in _constants(sets) if (network := _network(value))]
    candidates: list[_Address] = [space[0] for space in _SPACES]
    candidates += [network[0] for network in networks]
    candidates += [network[-1] + 1 for network in networks if network[-1] not in (space[-1] for space in _SPACES)]
    found = any(all(_is_inside(test, address) is holds for test, holds in sets) for address in candidates)
    return (Answer.YES if found else Answer.NO), len(candidates) * len(sets)


def _is_inside(test: Comparison, address: _Address) -> bool:
    networks = (_network(value) for value in test.values)
    return any(network is not None and address in network for network in networks) is not test.negated


# one value


def matches(test: Comparison, value: str) -> Answer:
    """Return whether one value of a key is as a comparison asks, whatever its variables stand for."""
    if is_opaque(test):
        return Answer.UNDECIDED
    match test.family:
        case Family.STRING:
            found = any_of(_pattern_matches(pattern, value) for pattern in patterns(test))
            return ~found if test.negated else found
        case Family.NUMERIC | Family.DATE:
            parse = _number if test.family is Family.NUMERIC else _instant
            point = parse(value)
            return answer(None if point is None else _is_in_order(test, point, parse))
        case Family.BOOL:
            return answer(value.lower() in test.values)
        case Family.BINARY:
            return answer(_bytes(value) in set(map(_bytes, test.values)))
        case Family.IP:
            network = _network(value)
            return answer(None if network is None else _is_inside(test, network[0]))
        case Family.NULL:
            return answer("false" in test.values)
        case _ as never:
            assert_never(never)


def _pattern_matches(pattern: Pattern, value: str) -> Answer:
    text, syntax = pattern
    literal = pattern_syntax.escape(pattern_syntax.without_variables(value))
    if wildcards.covers(text, literal, syntax):
        return Answer.YES
    return answer(None if pattern_syntax.has_variable(text) and wildcards.overlap(text, literal, syntax) else False)


# what is opaque


@lru_cache(maxsize=65_536)
def is_opaque(test: Comparison) -> bool:
    """Return whether nothing is known of a comparison but that it equals itself."""
    match test.family:
        case Family.STRING:
            if test.operator.startswith("arn"):
                return any(value != "*" and pattern_syntax.fields(value) < 6 for value in test.values)
            caseless = test.operator.endswith("ignorecase")
            return caseless and any(map(pattern_syntax.has_variable, test.values))
        case Family.NUMERIC:
            return any(_number(value) is None for value in test.values)
        case Family.DATE:
            return any(_instant(value) is None for value in test.values)
        case Family.BOOL:
            return not test.values <= {"true", "false"}
        case Family.IP:
            return any(_network(value) is None for value in test.values)
        case Family.BINARY:
            return any(map(pattern_syntax.has_variable, test.values))
        case Family.NULL:
            return False
        case _ as never:
            assert_never(never)
