"""Policies of resources put together from the resources of a plan."""

from typing import Any

import pytest

from plans.plan import parse
from plans.providers import Providers
from plans.resource_policies import EVALUATED, resource_policies
from plans.resource_types import resource_type
from plans.roles import RESOURCE_POLICY, Gap, Role
from tests.plan_builder import ACCOUNT, change, document, plan

OPEN = document({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"})
OWN = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject", "Resource": "*"})
BUCKET = "aws_s3_bucket.data"
POLICY = "aws_s3_bucket_policy.data"


def resources(*changes: Any, **more: Any) -> list[Role]:
    read = parse(plan(*changes, **more), "dev")
    return resource_policies(read, read.changes, Providers(read, read.changes))


def configured(**expressions: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration: the expressions of each address, in which `__` stands for a dot."""
    blocks = [{"address": key.replace("__", "."), "expressions": each} for key, each in expressions.items()]
    return {"configuration": {"root_module": {"resources": blocks}}}


def kinds(role: Role) -> list[tuple[str, str]]:
    return [(str(each.kind), each.effect) for each in role.trust.changes]


def test_the_data_set_knows_every_type_that_is_evaluated() -> None:
    for name in EVALUATED:
        known = resource_type(name)
        assert known
        assert known.documents == ("policy",) or known.grants


def test_a_policy_is_that_of_the_bucket_it_names() -> None:
    bucket = {"bucket": "data"}
    (role,) = resources(change(BUCKET, bucket, bucket), change(POLICY, None, {"bucket": "data", "policy": OPEN}))
    assert role.name == "S3 bucket data"
    assert kinds(role) == [("gained", "Allow")]


def test_a_forgotten_policy_stays_unless_another_resource_writes_that_of_the_same_bucket() -> None:
    held, other = {"bucket": "data", "policy": OPEN}, {"bucket": "else", "policy": OPEN}
    (role,) = resources(change(POLICY, held, None, actions=["forget"]))
    assert kinds(role) == []
    moved = change(POLICY, held, other, actions=["forget", "create"])
    assert {role.name: kinds(role) for role in resources(moved)} == {
        "S3 bucket data": [],
        "S3 bucket else": [("gained", "Allow")],
    }
    again = change("aws_s3_bucket_policy.again", None, {"bucket": "data", "policy": OWN})
    forgotten = change(POLICY, held, None, actions=["forget"])
    for order in ((forgotten, again), (again, forgotten)):
        (role,) = resources(*order)
        assert kinds(role) == [("narrowed", "Allow")]


def test_a_policy_is_that_of_the_bucket_it_refers_to() -> None:
    more = configured(
        aws_s3_bucket__data={},
        aws_s3_bucket_policy__data={
            "bucket": {"references": ["aws_s3_bucket.data.id", "aws_s3_bucket.data"]},
            "policy": {},
        },
    )
    bucket = change(BUCKET, None, {"bucket": "data"}, unknown={"id": True, "policy": True})
    (role,) = resources(bucket, change(POLICY, None, {"policy": OPEN}, unknown={"bucket": True}), **more)
    assert role.name == "S3 bucket data"
    assert (role.before.exists, role.after.trust.address) == (False, POLICY)


def test_a_deleted_policy_is_lost_though_the_bucket_still_lists_it() -> None:
    bucket = {"bucket": "data", "policy": OWN}
    policy = change(POLICY, bucket, None)
    for more in ({}, configured(aws_s3_bucket__data={})):
        (role,) = resources(change(BUCKET, bucket, bucket), policy, **more)
        assert kinds(role) == [("lost", "Allow")]
    (role,) = resources(
        change(BUCKET, bucket, bucket), policy, **configured(aws_s3_bucket__data={"policy": {"constant_value": OWN}})
    )
    assert kinds(role) == []


def test_a_new_policy_replaces_the_one_that_the_bucket_lists() -> None:
    bucket = {"bucket": "data", "policy": OWN}
    (role,) = resources(change(BUCKET, bucket, bucket), change(POLICY, None, {"bucket": "data", "policy": OPEN}))
    assert [kind for kind, _ in kinds(role)] != []
    assert role.before.trust.address == BUCKET


def test_a_policy_argument_that_the_configuration_does_not_set_stays() -> None:
    bucket = {"bucket": "data", "policy": OWN}
    new = {"bucket": "data", "tags": {"a": "b"}}
    entry = change(BUCKET, bucket, new, unknown={"policy": True})
    (role,) = resources(entry, **configured(aws_s3_bucket__data={"bucket": {}}))
    assert not role.changes
    (role,) = resources(entry, **configured(aws_s3_bucket__data={"policy": {"references": ["local.p"]}}))
    assert role.changes


def test_a_policy_under_another_address_is_one_policy() -> None:
    values = {"bucket": "data", "policy": OWN}
    old, new = change("aws_s3_bucket_policy.old", values, None), change("aws_s3_bucket_policy.new", None, values)
    for changes in ((old, new), (new, old)):
        (role,) = resources(*changes)
        assert kinds(role) == []
        assert role.readdressed == {RESOURCE_POLICY: ("aws_s3_bucket_policy.old", "aws_s3_bucket_policy.new")}


def test_two_resources_that_write_one_policy_are_both_evaluated() -> None:
    first, second = ({"bucket": "data", "policy": text} for text in (OWN, OPEN))
    changes = change("aws_s3_bucket_policy.a", None, first), change("aws_s3_bucket_policy.b", None, second)
    assert [role.address for role in resources(*changes)] == ["aws_s3_bucket_policy.a", "aws_s3_bucket_policy.b"]


@pytest.mark.parametrize(
    "other",
    [
        change(POLICY, {"bucket": "data", "policy": OWN}, {"bucket": "data", "policy": OWN}),
        change(POLICY, None, {"bucket": "data", "policy": OWN}),
        change(POLICY, {"bucket": "data", "policy": OWN}, None),
        change(POLICY, {"bucket": "data", "policy": OWN}, None, actions=["forget"]),
    ],
    ids=["stays", "created", "deleted", "forgotten"],
)
def test_a_policy_argument_that_changes_is_evaluated_whatever_another_resource_writes(other: dict[str, Any]) -> None:
    bucket = change(BUCKET, {"bucket": "data", "policy": OWN}, {"bucket": "data", "policy": OPEN})
    for changes in ((bucket, other), (other, bucket)):
        found = resources(*changes)
        assert any(role.changes and role.after.trust.document == OPEN for role in found)


def test_a_policy_argument_that_is_not_known_is_named_beside_what_another_resource_writes() -> None:
    values = {"bucket": "data", "policy": OWN}
    bucket = change(BUCKET, values, {"bucket": "data"}, unknown={"policy": True})
    policy = change(POLICY, values, values)
    found = resources(bucket, policy, **configured(aws_s3_bucket__data={"policy": {"references": ["local.p"]}}))
    assert [role.after.trust.gap for role in found] == [None, Gap.UNKNOWN]
    (alone,) = resources(bucket, policy, **configured(aws_s3_bucket__data={"bucket": {}}))
    assert alone.after.trust.gap is None


def test_a_policy_argument_with_what_another_resource_writes_too_is_one_policy() -> None:
    bucket = change(BUCKET, {"bucket": "data", "policy": OWN}, {"bucket": "data", "policy": OPEN})
    (role,) = resources(bucket, change(POLICY, None, {"bucket": "data", "policy": OPEN}))
    assert role.after.trust.address == POLICY


def test_a_policy_that_a_resource_gets_is_evaluated_though_the_plan_deletes_the_resource() -> None:
    bucket, policy = {"bucket": "data", "policy": OWN}, {"bucket": "data", "policy": OPEN}
    (role,) = resources(change(BUCKET, bucket, None), change(POLICY, None, policy))
    assert role.changes
    assert role.after.trust.document == OPEN
    (role,) = resources(change(BUCKET, bucket, None), change(POLICY, policy, policy))
    assert not role.after.exists
    (role,) = resources(change(BUCKET, bucket, None), change(POLICY, policy, None))
    assert not role.after.exists


def test_the_whole_policy_of_a_function_is_that_of_the_function_it_names() -> None:
    arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"
    function = {"function_name": "f", "arn": arn}
    policy = change("aws_lambda_resource_policy.p", None, {"resource_arn": arn, "policy": OPEN})
    (role,) = resources(change("aws_lambda_function.f", function, function), policy)
    assert (role.name, role.account, kinds(role)) == ("Lambda function f", ACCOUNT, [("gained", "Allow")])
    (role,) = resources(policy)
    assert (role.name, role.account, kinds(role)) == (f"Lambda function {arn}", ACCOUNT, [("gained", "Allow")])


def test_a_sensitive_name_is_replaced_by_the_address() -> None:
    values = {"bucket": "secret-name", "policy": OPEN}
    (role,) = resources(change(POLICY, None, values, after_sensitive={"bucket": True}))
    assert role.name == f"S3 bucket {POLICY}"
    own = {"bucket": "secret-name", "arn": "arn:aws:s3:::secret-name", "policy": OPEN}
    (role,) = resources(change(BUCKET, None, own, after_sensitive={"bucket": True}))
    assert role.name == f"S3 bucket {BUCKET}"


def test_a_bucket_that_changes_otherwise_is_not_named_as_what_writes_its_policy() -> None:
    old, new = {"bucket": "data"}, {"bucket": "data", "tags": {"a": "b"}}
    (role,) = resources(change(BUCKET, old, new), change(POLICY, None, {"bucket": "data", "policy": OPEN}))
    assert list(role.declared) == [POLICY]


def test_a_permission_with_arguments_of_another_type_is_unreadable() -> None:
    values = {"principal": "*", "action": ["x"], "source_arn": {"a": None}}
    (role,) = resources(
        change("aws_lambda_permission.p", None, values, unknown={"source_arn": {"a": True}, "action": [True]})
    )
    assert role.after.trust.gap is Gap.UNREADABLE
