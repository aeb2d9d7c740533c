"""Undecided gains that somebody else has decided: which changes that ends, and which not."""

from typing import Any

import pytest

from iam.engine.difference import Kind, difference
from iam.engine.refuted import without_gains
from iam.engine.statements import Policy, permissions_policy
from tests.plan_builder import allow, document

VARIABLE = "arn:aws:s3:::data/${aws:username}/x"
PATTERN = "arn:aws:s3:::data/?*/x"
LIKE = {"Condition": {"StringLike": {"aws:PrincipalTag/age": "1*"}}}
LESS = {"Condition": {"NumericLessThan": {"aws:PrincipalTag/age": "20"}}}


def policy(*statements: Any) -> Policy:
    return permissions_policy(document(*statements))


def deny(resource: str) -> dict[str, Any]:
    return {**allow("s3:GetObject", resource), "Effect": "Deny"}


READS, READS_OWN = allow("s3:GetObject", PATTERN), allow("s3:GetObject", VARIABLE)


@pytest.mark.parametrize(
    ("before", "after", "given", "kinds"),
    [
        # (kind, decided) before, then after
        (
            [policy(READS)],
            [policy(READS_OWN)],
            [0],
            ([(Kind.GAINED, False), (Kind.LOST, True)], [(Kind.LOST, True)]),
        ),
        (
            [policy(READS)],
            [policy(READS_OWN, allow("s3:PutObject"))],
            [0],
            (
                [(Kind.GAINED, False), (Kind.GAINED, True), (Kind.LOST, True)],
                [(Kind.GAINED, True), (Kind.LOST, True)],
            ),
        ),
        # of the other policy nothing is known
        (
            [policy(READS)],
            [policy(allow("s3:ListBucket")), policy(READS_OWN)],
            [0],
            (
                [(Kind.GAINED, True), (Kind.GAINED, False), (Kind.LOST, True)],
                [(Kind.GAINED, True), (Kind.GAINED, False), (Kind.LOST, True)],
            ),
        ),
        (
            [policy(allow("s3:GetObject", **LIKE))],
            [policy(allow("s3:GetObject", **LESS))],
            [0],
            ([(Kind.ALTERED, False)], [(Kind.NARROWED, False)]),
        ),
        # the new statement may be in the policy of which nothing is known
        (
            [policy(allow("s3:GetObject", **LIKE))],
            [policy(allow("s3:ListBucket")), policy(allow("s3:GetObject", **LESS))],
            [0],
            ([(Kind.GAINED, True), (Kind.ALTERED, False)], [(Kind.GAINED, True), (Kind.ALTERED, False)]),
        ),
        (
            [policy(allow("s3:GetObject", "arn:aws:s3:::data/a/x"), READS)],
            [policy(allow("s3:GetObject", "arn:aws:s3:::data/a/x"), READS_OWN)],
            [],
            ([(Kind.GAINED, False), (Kind.LOST, True)], [(Kind.GAINED, False), (Kind.LOST, True)]),
        ),
        # a Deny that is lost concerns other policies
        (
            [policy(allow("s3:*"), deny(VARIABLE))],
            [policy(allow("s3:*"), deny(PATTERN))],
            [0],
            ([(Kind.GAINED, True), (Kind.LOST, False)], [(Kind.GAINED, True), (Kind.LOST, False)]),
        ),
    ],
)
def test_what_is_refuted(
    before: list[Policy], after: list[Policy], given: list[int], kinds: tuple[list[Any], list[Any]]
) -> None:
    found = difference(before, after)
    left = without_gains(found, given)
    assert [(change.kind, change.decided) for change in found.changes] == kinds[0]
    assert [(change.kind, change.decided) for change in left.changes] == kinds[1]
    assert (left.before, left.after) == (found.before, found.after)


def test_what_is_not_gained_counts_as_kept() -> None:
    found = difference([policy(READS)], [policy(READS_OWN)])
    assert found.kept == ()
    (kept,) = without_gains(found, [0]).kept
    assert kept.resource.patterns == (VARIABLE,)


def test_an_unchanged_policy_next_to_it_makes_no_difference() -> None:
    same = policy(allow("s3:ListBucket"))
    found = difference([same, policy(allow("s3:GetObject", **LIKE))], [same, policy(allow("s3:GetObject", **LESS))])
    assert [change.kind for change in without_gains(found, [1]).changes] == [Kind.NARROWED]
