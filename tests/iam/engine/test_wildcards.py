"""Wildcard patterns, checked against every short string."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.engine.wildcards import (
    canonical,
    cells,
    covers,
    escape,
    has_variable,
    is_literal,
    overlap,
    unescape,
    widest,
    without_variables,
)

SHORT_STRINGS = ["".join(letters) for length in range(7) for letters in product("abz", repeat=length)]
patterns = st.text(alphabet="ab*?", max_size=4)


def matched(pattern: str) -> frozenset[str]:
    expression = re.compile(pattern.replace("*", ".*").replace("?", "."))
    return frozenset(string for string in SHORT_STRINGS if expression.fullmatch(string))


@given(patterns, patterns)
def test_covering_is_inclusion_of_the_matched_strings(wide: str, narrow: str) -> None:
    assert covers(canonical(wide), canonical(narrow)) == (matched(wide) >= matched(narrow))


@given(patterns, patterns)
def test_patterns_overlap_when_a_string_matches_both(one: str, other: str) -> None:
    assert overlap(one, other) == bool(matched(one) & matched(other))


@given(st.lists(patterns, max_size=3))
def test_cells_are_the_sets_of_patterns_that_some_string_matches(some: list[str]) -> None:
    languages = {canonical(pattern): matched(pattern) for pattern in some}
    expected = {
        frozenset(pattern for pattern, strings in languages.items() if string in strings) for string in SHORT_STRINGS
    }
    assert cells(languages) == expected


@given(patterns)
def test_the_canonical_spelling_matches_the_same_strings(pattern: str) -> None:
    assert matched(canonical(pattern)) == matched(pattern)


@given(st.text(alphabet="ab*?$", max_size=5))
def test_an_escaped_string_matches_itself_alone(text: str) -> None:
    assert is_literal(escape(text))
    assert unescape(escape(text)) == text
    assert covers("*", escape(text))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("home/*", "home/${aws:username}/*", True),
        ("home/${aws:username}/*", "home/*", False),
        ("home/${aws:username}/*", "home/bob/x", False),
        ("home/${aws:username}/*", "home/${aws:username}/x", True),
        ("home/${aws:userid}/*", "home/${aws:username}/x", False),
        ("home/?/x", "home/${aws:username}/x", False),
        ("*", "${aws:username}", True),
        ("a${*}", "a*", False),
        ("a*", "a${*}", True),
    ],
)
def test_a_variable_is_one_unknown_string(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


def test_a_variable_may_stand_for_what_another_pattern_names() -> None:
    assert overlap("home/${aws:username}/*", "home/bob/x")
    assert not overlap("home/${aws:username}/*", "work/bob/x")


def test_without_variables_a_dollar_brace_is_plain_text() -> None:
    assert not has_variable(without_variables("home/${aws:username}"))
    assert not covers("home/${aws:username}", without_variables("home/${aws:username}"))


def test_escapes_are_no_variables() -> None:
    assert has_variable("home/${aws:username}")
    assert not has_variable("home/${*}")


def test_only_the_widest_patterns_are_kept() -> None:
    assert list(widest(["s3:get*", "s3:getobject", "s3:*", "sqs:*"])) == ["s3:*", "sqs:*"]
