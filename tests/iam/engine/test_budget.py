"""Work counted in steps: the largest policies are answered, and what takes too many steps is undecided."""

import itertools
import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest

from iam.engine.answers import COMPARISON_STEPS, Answer, Budget, OutOfStepsError
from iam.engine.difference import Difference, Kind, difference
from iam.engine.statement_sets import Doubt
from iam.engine.statements import permissions_policy

Statements = list[dict[str, Any]]

UUIDS = "arn:aws:s3:::data/*-????????-????-????-????-????????????/*"
NAMES = ["".join(letters) for letters in itertools.product("abcdefghij", repeat=3)]
INLINE_POLICIES_QUOTA = 10_240


def allow(actions: Any, resources: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": {"StringEquals": condition}} if condition else statement


def compared(before: Statements, after: Statements) -> tuple[Difference, int]:
    """Return the difference, and the steps it took."""
    budget = Budget()
    sides = []
    for statements in (before, after):
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
        assert len(text) <= INLINE_POLICIES_QUOTA
        sides.append([permissions_policy(text)])
    return difference(*sides, budget=budget), budget.spent


def kinds(found: Difference) -> list[tuple[Kind, Doubt]]:
    return [(change.kind, change.doubt) for change in found.changes]


def test_a_run_of_question_marks_is_decided_in_few_steps() -> None:
    found, steps = compared([allow("s3:GetObject", UUIDS)], [allow("s3:GetObject", UUIDS[:-1] + "x*")])
    assert kinds(found) == [(Kind.NARROWED, Doubt.NONE)]
    assert steps < 2_000


ACTIONS = [f"s3:*{number:02}*" for number in range(20)]
BUCKETS = [f"arn:aws:s3:::*{number:02}*" for number in range(20)]


@pytest.mark.parametrize(
    ("after", "expected", "most"),
    [
        ([allow(action, BUCKETS) for action in ACTIONS], [], 1_000),
        ([allow(action, bucket) for action in ACTIONS[:7] for bucket in BUCKETS], [Kind.LOST], 700_000),
        ([allow(ACTIONS[1:], BUCKETS)], [Kind.LOST], 100_000),
        ([allow(ACTIONS[1:], BUCKETS[1:])], [Kind.LOST, Kind.LOST], 100_000),
        ([allow([*ACTIONS, "s3:*5"], BUCKETS)], [Kind.GAINED], 100_000),
        ([], [Kind.LOST], 250_000),
    ],
)
def test_twenty_patterns_times_twenty_are_decided(after: Statements, expected: list[Kind], most: int) -> None:
    found, steps = compared([allow(ACTIONS, BUCKETS)], after)
    assert [change.kind for change in found.changes] == expected
    assert all(change.decided for change in found.changes)
    assert steps < most


KEYS = {f"aws:RequestTag/k{number}": ["a", "b", "c"] for number in range(14)}


def test_a_condition_of_fourteen_keys_is_the_union_of_its_parts() -> None:
    parts = [allow("s3:*", **{**KEYS, "aws:RequestTag/k0": value}) for value in "abc"]
    found, steps = compared([allow("s3:*", **KEYS)], parts)
    assert found.changes == ()
    assert steps < 2_000


def test_a_condition_of_fourteen_keys_is_compared_key_by_key() -> None:
    fewer = {key: values[:2] for key, values in KEYS.items()}
    found, steps = compared([allow("s3:*", **KEYS)], [allow("s3:*", **fewer)])
    assert kinds(found) == [(Kind.NARROWED, Doubt.NONE)]
    assert steps < 2_000
    dice = random.Random(1)
    some = [allow("s3:*", **{key: dice.sample(values, 2) for key, values in KEYS.items()}) for _ in range(12)]
    found, steps = compared([allow("s3:*", **KEYS)], some)
    assert kinds(found) == [(Kind.LOST, Doubt.NONE)]
    assert steps < 10_000


@pytest.mark.thorough
@pytest.mark.parametrize("wildcard", ["", "*"])
def test_the_largest_products_are_answered(wildcard: str) -> None:
    actions = [f"s3:{wildcard}{name}" for name in NAMES[:450]]
    resources = [f"{wildcard}{name}{wildcard}" for name in NAMES[:450]]
    found, steps = compared([allow(actions, resources)], [allow(actions[1:], resources[1:])])
    assert {change.kind for change in found.changes} == {Kind.LOST}
    assert steps < 2 * COMPARISON_STEPS
    found, steps = compared([allow(actions, resources)], [allow(actions, [f"{name}z" for name in resources])])
    assert {change.kind for change in found.changes} <= {Kind.LOST, Kind.GAINED}
    assert steps < 2 * COMPARISON_STEPS


EXCLUDED = [{"Effect": "Allow", "NotAction": f"s3:*{name}*", "NotResource": f"*{name}*"} for name in NAMES[:120]]


def test_what_takes_too_many_steps_is_undecided_and_says_so() -> None:
    found, steps = compared([allow("*")], EXCLUDED)
    assert kinds(found) == [(Kind.LOST, Doubt.STEPS)]
    assert steps < 2 * COMPARISON_STEPS


def test_an_unchanged_statement_stays_unchanged_when_no_steps_are_left() -> None:
    budget = Budget(1)
    budget.count(2)
    same, other = (
        permissions_policy({"Statement": [allow("s3:*", "a"), allow("s3:Get*", resource)]}) for resource in "bc"
    )
    found = difference([same], [other], budget=budget)
    assert kinds(found) == [(Kind.GAINED, Doubt.STEPS), (Kind.LOST, Doubt.STEPS)]
    assert [change.after or change.before for change in found.changes] == [
        (other.statements[1],),
        (same.statements[1],),
    ]


def test_many_comparisons_share_one_budget() -> None:
    review = Budget(100)
    one, other = review.share(80), review.share(80)
    one.spend(60)
    with pytest.raises(OutOfStepsError):
        other.spend(60)
    assert review.spent == 120
    assert one.is_spent


def test_a_result_that_many_comparisons_get_counts_once_for_all() -> None:
    review = Budget()
    before, after = (permissions_policy({"Statement": allow("s3:*", resource)}) for resource in ("a*b", "a?b"))
    for _ in range(3):
        assert kinds(difference([before], [after], budget=review.share())) == [(Kind.NARROWED, Doubt.NONE)]
    alone = Budget()
    difference([before], [after], budget=alone)
    assert alone.spent <= review.spent < 2 * alone.spent


def test_a_result_from_a_cache_costs_the_steps_it_took_first() -> None:
    first = compared([allow("s3:*x*", "a*b?")], [allow("s3:*x", "a?b*")])[1]
    assert compared([allow("s3:*x*", "a*b?")], [allow("s3:*x", "a?b*")])[1] == first


def test_a_budget_is_charged_for_an_answer() -> None:
    budget = Budget(10)
    assert budget.charge((Answer.NO, 9)) is Answer.NO
    with pytest.raises(OutOfStepsError):
        budget.charge((Answer.YES, 1))


PROGRAM = """
import json, sys
from iam.engine import sentences
from iam.engine.answers import Budget
from iam.engine.difference import difference
from iam.engine.statements import permissions_policy
before, after = json.load(sys.stdin)
budget = Budget()
found = difference([permissions_policy(before)], [permissions_policy(after)], budget=budget)
print(budget.spent, *sentences.lines(found, trust=False), sep="\\n")
"""


def test_neither_steps_nor_words_depend_on_the_seed_of_hashes() -> None:
    dice = random.Random(2)
    sides = [
        {
            "Version": "2012-10-17",
            "Statement": [
                *(allow("s3:*", **{key: dice.sample(values, 2) for key, values in KEYS.items()}) for _ in range(6)),
                *EXCLUDED[side : side + 6],
                allow(dice.sample(ACTIONS, 6), dice.sample(BUCKETS, 6)),
            ],
        }
        for side in (0, 3)
    ]
    printed = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=json.dumps(sides),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(printed) == 1
