"""What one condition implies of others, checked in every request of a small world."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.engine.answers import Answer, Budget, OutOfStepsError
from iam.engine.conditions import Condition, parse, words
from iam.engine.coverage import Dimension, ValueSet, condition_factors, covered, outside_condition

VALUES = ("a", "b", "ab", "cd", "a*", "*", "?")
ONE_OR_NONE = [frozenset[str](), *(frozenset([value]) for value in VALUES)]
SOME = [frozenset(found) for length in range(4) for found in combinations(VALUES, length)]
SINGLE = [{"k": k, "l": other} for k in ONE_OR_NONE for other in ONE_OR_NONE]
SETS = [{"k": k, "l": other} for k in SOME for other in SOME]
"""Requests: each key is absent or has a value; for set operators, values."""

operators = st.sampled_from(
    [
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringNotLikeIfExists",
    ]
)
values = st.lists(st.sampled_from(["a", "b", "ab", "a*", "*", "?"]), min_size=1, max_size=3, unique=True)
keys = st.sampled_from(["k", "k", "l"])
one_valued = st.tuples(operators, keys, values)
absence = st.tuples(st.just("Null"), keys, st.sampled_from([["true"], ["false"]]))
many_valued = st.tuples(
    st.sampled_from(["ForAnyValue:StringEquals", "ForAllValues:StringEquals", "ForAllValues:StringLike"]),
    keys,
    values,
)


def blocks(tests: Any) -> Any:
    return st.lists(tests, max_size=2, unique_by=lambda test: test[:2]).map(list)


def condition(tests: list[Any]) -> Condition:
    block: dict[str, dict[str, Any]] = {}
    for operator, key, found in tests:
        block.setdefault(operator, {})[key] = found
    return parse(block, variables=True, spelling={})


def holds(tests: list[Any], request: dict[str, frozenset[str]]) -> bool:
    return all(one_holds(operator, request[key], found) for operator, key, found in tests)


def one_holds(operator: str, given_values: frozenset[str], found: list[str]) -> bool:
    each, _, operator = operator.rpartition(":")
    if operator == "Null":
        return (not given_values) == (found == ["true"])
    if_exists = operator.endswith("IfExists")
    operator = operator.removesuffix("IfExists")
    negated = "Not" in operator

    def fits(value: str) -> bool:
        like = "Like" in operator
        return any(fnmatchcase(value, one) if like else value == one for one in found) != negated

    if each == "ForAllValues":
        return all(map(fits, given_values))
    if each == "ForAnyValue":
        return any(map(fits, given_values))
    if not given_values:
        return negated or if_exists
    return fits(next(iter(given_values)))


def implied(of: Condition, others: list[Condition]) -> Answer:
    """Return whether in every request in which a condition holds, one of the others does."""

    def outside(dimension: Dimension, sets: Sequence[ValueSet]) -> tuple[Answer, int]:
        return outside_condition(of, dimension, sets)

    dimensions = sorted({dimension for dimension, _ in condition_factors(of)})
    try:
        return covered(outside, dimensions, map(condition_factors, others), Budget())
    except OutOfStepsError:
        return Answer.UNDECIDED


def check(subset: list[Any], others: list[list[Any]], requests: list[dict[str, frozenset[str]]]) -> None:
    truly = all(any(holds(other, request) for other in others) for request in requests if holds(subset, request))
    answer = implied(condition(subset), [condition(other) for other in others])
    assert answer is not Answer.YES or truly
    assert answer is not Answer.NO or not truly


@settings(max_examples=300, deadline=None)
@given(blocks(one_valued | absence), st.lists(blocks(one_valued | absence), max_size=3))
def test_an_answer_about_single_values_is_right_or_undecided(subset: list[Any], others: list[list[Any]]) -> None:
    check(subset, others, SINGLE)


@settings(max_examples=100, deadline=None)
@given(blocks(many_valued), st.lists(blocks(many_valued), max_size=2))
def test_an_answer_about_sets_of_values_is_right_or_undecided(subset: list[Any], others: list[list[Any]]) -> None:
    check(subset, others, SETS)


@given(blocks(one_valued | absence | many_valued))
def test_a_condition_implies_itself(tests: list[Any]) -> None:
    assert implied(condition(tests), [condition(tests)]) is Answer.YES


def test_a_condition_in_words_has_a_fixed_order() -> None:
    tests = [("StringEquals", "b", ["2"]), ("StringEquals", "a", ["1"])]
    assert words(condition(tests), {}) == "a is 1 and b is 2"
    assert words(condition(tests[::-1]), {}) == "a is 1 and b is 2"
