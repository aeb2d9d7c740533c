"""Subjects of findings: the same for the same values, different for different ones."""

import pytest

from iam.engine.statements import permissions_policy, trust_policy
from plans.values import UNKNOWN, Hidden
from review.rules.subject import MAX_PARTS, Subject, place_only, statement_subject, token, value_text
from tests.plan_builder import allow, document


def of(*statements: dict[str, object], trust: bool = False) -> Subject:
    policy = (trust_policy if trust else permissions_policy)(document(*statements))
    return tuple(part for each in policy.written for part in statement_subject(each, trust=trust))


def test_order_and_the_case_of_actions_and_keys_make_no_difference() -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ["2", "1"]}, "Bool": {"aws:SecureTransport": "true"}}
    same = {"Bool": {"AWS:secureTransport": "true"}, "StringEquals": {"aws:sourceAccount": ["1", "2"]}}
    assert of(allow(["s3:b", "S3:A"], ["y", "x"], Condition=condition)) == of(
        allow(["s3:a", "s3:B"], ["x", "y"], Condition=same)
    )


def test_a_part_names_principal_action_resource_and_condition() -> None:
    trusted = {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"}
    condition = {"StringEquals": {"sts:ExternalId": "x"}}
    assert of({**trusted, "Condition": condition}, trust=True) == (
        "AWS:222222222222 sts:assumerole when stringlike sts:externalid [x]",
    )
    assert of({"Effect": "Deny", "NotAction": ["s3:a", "s3:b"], "Resource": "*"}) == ("Deny all but [s3:a, s3:b] on *",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"StringEquals": {"a": ["x", "y"]}}, {"StringEquals": {"a": "x, y"}}),
        ({"StringEquals": {"a": "x"}}, {"StringEqualsIfExists": {"a": "x"}}),
        ({"StringEquals": {"a": "x"}}, {"ForAnyValue:StringEquals": {"a": "x"}}),
        ({"StringEquals": {"a": "x", "b": "y"}}, {"StringEquals": {"a": "x] and stringequals b [y"}}),
        ({"StringEquals": {"a": "x"}}, {"StringEquals": {"a [x] and stringequals a": "x"}}),
        ({"StringEquals": {"a": "x"}}, {"StringEquals": {"a": "X"}}),
    ],
)
def test_other_conditions_have_other_parts(one: object, other: object) -> None:
    assert set(of(allow("s3:A", Condition=one))).isdisjoint(of(allow("s3:A", Condition=other)))


def test_a_statement_of_too_many_parts_is_one_part() -> None:
    names = [f"s3:a{number}" for number in range(MAX_PARTS)]
    assert len(of(allow(names))) == MAX_PARTS
    (part,) = of(allow([*names, "s3:more"]))
    assert part.endswith("s3:more] on *")


def test_what_is_sensitive_or_unknown_is_not_in_a_part() -> None:
    assert (
        value_text({"b": [Hidden("hunter2")], "a": UNKNOWN}) == '{"a": "known after apply", "b": ["marked sensitive"]}'
    )


def test_control_characters_are_quoted() -> None:
    assert token("\u001b[2J\u202e") == '"\\u001b[2J\\u202e"'
    assert place_only("") == ("the plan",)
