"""Which deleted inline policies say no more than this project grants: `apply` asks again before it deletes others."""

import json
from typing import Any

import pytest

from iam.documents.access import Access, access_policy
from iam.documents.grants import ACCESS_POLICY, SETUP_POLICY
from iam.documents.recipe import PERMISSION_LEVELS, Permissions
from plans import plan as plans
from plans.assembly import described
from review.own.grants import own_deletions
from tests.review.stack_plans import ACCOUNT, RECIPE, Stack

ONE = Stack("one")
ACCESS = access_policy(
    Access("eu-west-1", read_buckets=("s3://sales/curated/",), read_databases=("sales",)),
    partition="aws",
    account_id=ACCOUNT,
)
assert ACCESS


def deletions(*changes: Any, adopted: bool = True) -> frozenset[str]:
    role = [ONE.role(RECIPE, RECIPE)] if adopted else []
    plan = plans.parse(ONE.plan(*role, *changes), "one")
    return frozenset[str]().union(*map(own_deletions, described(plan, plan.changes)))


def with_statements(document: Any, *more: Any) -> str:
    return json.dumps({**document, "Statement": [*document["Statement"], *more]})


THEIRS = {"Sid": "Theirs", "Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}


@pytest.mark.parametrize("level", PERMISSION_LEVELS)
def test_the_policy_of_each_level_is_own_and_with_a_statement_of_others_it_is_not(level: Permissions) -> None:
    document = ONE.document(level)
    assert deletions(ONE.policy(document, None)) == {SETUP_POLICY.address}
    assert deletions(ONE.policy(with_statements(json.loads(document), THEIRS), None)) == frozenset()


@pytest.mark.parametrize("more", [THEIRS, {**THEIRS, "Effect": "Deny"}])
def test_so_is_the_policy_of_access(more: dict[str, str]) -> None:
    assert deletions(ONE.access(json.dumps(ACCESS), None)) == {ACCESS_POLICY.address}
    assert deletions(ONE.access(with_statements(ACCESS, more), None)) == frozenset()


def test_a_part_of_what_is_granted_is_own_and_what_cannot_be_read_is_not() -> None:
    narrowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}}
    assert deletions(ONE.policy(json.dumps(narrowed), None)) == {SETUP_POLICY.address}
    without_effect = {"Version": "2012-10-17", "Statement": {"Action": "iam:GetRole", "Resource": "*"}}
    for unreadable in ("{", json.dumps(without_effect), json.dumps({**narrowed, "Statement": "x"})):
        assert deletions(ONE.policy(unreadable, None)) == deletions(ONE.access(unreadable, None)) == frozenset()


def test_so_is_that_of_a_role_that_another_stack_owns() -> None:
    assert deletions(ONE.policy(ONE.inline, None), adopted=False) == {SETUP_POLICY.address}


def test_what_is_not_deleted_is_no_deletion() -> None:
    assert deletions(ONE.policy(ONE.inline, ONE.document("isolated"))) == frozenset()
