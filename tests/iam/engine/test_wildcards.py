"""Wildcard patterns, checked against every short string."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.engine.answers import Answer
from iam.engine.pattern_syntax import (
    Syntax,
    canonical,
    completed,
    escape,
    has_variable,
    is_literal,
    unescape,
    without_variables,
)
from iam.engine.wildcards import WORD_STEPS, covers, exists, overlap

SHORT_STRINGS = ["".join(letters) for length in range(7) for letters in product("abz", repeat=length)]
patterns = st.text(alphabet="ab*?", max_size=4)


def matched(pattern: str) -> frozenset[str]:
    expression = re.compile(pattern.replace("*", ".*").replace("?", "."))
    return frozenset(string for string in SHORT_STRINGS if expression.fullmatch(string))


@given(patterns, patterns)
def test_a_pattern_covers_another_when_it_matches_a_superset(superset: str, subset: str) -> None:
    assert covers(canonical(superset), canonical(subset)) == (matched(superset) >= matched(subset))


@given(patterns, patterns)
def test_patterns_overlap_when_a_string_matches_both(one: str, other: str) -> None:
    assert overlap(one, other) == bool(matched(one) & matched(other))


unions = st.lists(patterns, min_size=1, max_size=3)


@given(st.lists(unions, max_size=3), unions)
def test_a_string_in_every_union_and_in_no_other_pattern_exists_exactly_when_one_is_found(
    all_of: list[list[str]], none_of: list[str]
) -> None:
    found = set(SHORT_STRINGS)
    for union in all_of:
        found &= set().union(*map(matched, union))
    found -= set().union(*map(matched, none_of))
    required = tuple(tuple((pattern, Syntax.TEXT) for pattern in union) for union in all_of)
    answer, steps = exists(required, tuple((pattern, Syntax.TEXT) for pattern in none_of))
    assert answer is (Answer.YES if found else Answer.NO)
    assert steps < WORD_STEPS


@given(patterns)
def test_every_union_of_no_pattern_is_empty(pattern: str) -> None:
    assert exists(((), ((pattern, Syntax.TEXT),)), ())[0] is Answer.NO


@given(patterns)
def test_the_canonical_spelling_matches_the_same_strings(pattern: str) -> None:
    assert matched(canonical(pattern)) == matched(pattern)


@given(st.text(alphabet="ab*?$", max_size=5))
def test_an_escaped_string_matches_itself_alone(text: str) -> None:
    assert is_literal(escape(text))
    assert unescape(escape(text)) == text
    assert covers("*", escape(text))


@pytest.mark.parametrize(
    ("superset", "subset", "expected"),
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
def test_a_variable_is_one_unknown_string(superset: str, subset: str, expected: bool) -> None:
    assert covers(superset, subset) is expected


def test_a_variable_may_stand_for_what_another_pattern_names() -> None:
    assert overlap("home/${aws:username}/*", "home/bob/x")
    assert not overlap("home/${aws:username}/*", "work/bob/x")


def test_without_variables_a_dollar_brace_is_plain_text() -> None:
    assert not has_variable(without_variables("home/${aws:username}"))
    assert not covers("home/${aws:username}", without_variables("home/${aws:username}"))


def test_escapes_are_no_variables() -> None:
    assert has_variable("home/${aws:username}")
    assert not has_variable("home/${*}")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("${AWS:UserName}", "${aws:username}"),
        ("${ aws:username }", "${aws:username}"),
        ("${aws:PrincipalTag/team,  'x'}", "${aws:principaltag/team, 'x'}"),
        ("${*}${AWS:x}**", "${*}${aws:x}*"),
    ],
)
def test_a_variable_has_one_spelling(written: str, expected: str) -> None:
    assert canonical(written) == expected


@pytest.mark.parametrize(
    ("pattern", "resource", "syntax", "expected"),
    [
        # a `*` that ends a field of a resource expands beyond the colon, another does not
        ("arn:aws:dynamodb:*:table/x", "arn:aws:dynamodb:eu-west-1:111122223333:table/x", Syntax.RESOURCE, True),
        ("arn:aws:dynamodb:*t:table/x", "arn:aws:dynamodb:a:b:t:table/x", Syntax.RESOURCE, False),
        ("arn:aws:s3:::a?b", "arn:aws:s3:::a:b", Syntax.RESOURCE, True),
        ("arn:aws:s3:?:1:x", "arn:aws:s3:::1:x", Syntax.RESOURCE, False),
        ("a*b", "a:b", Syntax.RESOURCE, True),
        # ArnLike compares the fields one by one
        ("arn:aws:logs:*:111122223333:*", "arn:aws:logs:x:6:log-group:111122223333:*", Syntax.ARN, False),
        ("arn:aws:logs:*:6:*", "arn:aws:logs:x:6:log-group:111122223333:*", Syntax.ARN, True),
        ("arn:aws:logs:*:*:*", "arn:aws:logs:x:6:log-group:111122223333", Syntax.ARN, True),
        ("arn:aws:logs:*", "arn:aws:logs:x:6:log-group:111122223333", Syntax.TEXT, True),
        ("ab", "aB", Syntax.CASELESS, True),
    ],
)
def test_how_far_a_wildcard_reaches_depends_on_what_it_matches(
    pattern: str, resource: str, syntax: Syntax, expected: bool
) -> None:
    assert covers(pattern, resource, syntax) is expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:sqs", "arn:aws:sqs:*:*:*"),
        ("arn:aws:sqs:eu-west-1:111122223333", "arn:aws:sqs:eu-west-1:111122223333:*"),
        ("arn:${aws:partition}:sqs", "arn:${aws:partition}:sqs:*:*:*"),
        ("arn:aws:sqs:${*}", "arn:aws:sqs:${*}:*:*"),
        ("arn:aws:sqs:*", "arn:aws:sqs:*"),
        ("arn:aws:sqs:*:queue", "arn:aws:sqs:*:queue"),
        ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket"),
        ("*", "*"),
    ],
)
def test_an_incomplete_arn_is_completed_as_aws_does(arn: str, expected: str) -> None:
    assert completed(arn) == expected


UUIDS = "arn:aws:s3:::data/*-????????-????-????-????-????????????/*"


def test_a_run_of_question_marks_takes_few_steps() -> None:
    answer, steps = exists((((UUIDS, Syntax.RESOURCE),),), ((UUIDS[:-1] + "x*", Syntax.RESOURCE),))
    assert answer is Answer.YES
    assert steps < 2_000
    answer, steps = exists((((UUIDS[:-1] + "x*", Syntax.RESOURCE),),), ((UUIDS, Syntax.RESOURCE),))
    assert answer is Answer.NO
    assert steps < 2_000


def test_a_question_that_takes_too_many_steps_is_undecided() -> None:
    required = tuple(((f"*{'?' * length}{letter}*", Syntax.TEXT),) for length, letter in enumerate("abcdefgh", 9))
    answer, steps = exists(required, (("*h*a*", Syntax.TEXT), ("*b*a*", Syntax.TEXT), ("*d*c*?*", Syntax.TEXT)))
    assert answer is Answer.UNDECIDED
    assert steps < WORD_STEPS + 100
