"""Decisions from documents alone: what is settled, and what stays open."""

from typing import Any

import pytest

from iam.engine.decision import Request, Verdict, decide, decide_trust
from iam.engine.statements import Policy, permissions_policy, trust_policy

GLUE = "glue.amazonaws.com"
SESSION = "arn:aws:glue:eu-west-1:111122223333:session/1"
OWNED = Request(
    "glue:RunStatement", SESSION, {"aws:userid": ("AROA:SageMaker",), "aws:resourcetag/owner": ("AROA:SageMaker",)}
)


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    whole = [{"Effect": "Allow", "Action": "*", "Resource": "*", **statement} for statement in statements]
    for statement in whole:
        for name in ("Action", "Resource"):
            if f"Not{name}" in statement:
                del statement[name]
    return permissions_policy({"Version": version, "Statement": whole})


def verdict(*statements: dict[str, Any], request: Request = OWNED, version: str = "2012-10-17") -> Verdict:
    return decide(request, {"p": policy(*statements, version=version)}).verdict


ALLOW: dict[str, Any] = {}
DENY = {"Effect": "Deny"}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({}, "allowed"),
        ({"Action": "glue:*"}, "allowed"),
        ({"Action": "GLUE:run?tatement"}, "allowed"),
        ({"Action": "glue:GetSession"}, "denied"),
        ({"NotAction": "glue:Get*"}, "allowed"),
        ({"NotAction": "glue:*"}, "denied"),
        ({"Resource": "arn:aws:glue:*:*:session/*"}, "allowed"),
        ({"Resource": "arn:aws:glue:*:*:job/*"}, "denied"),
        ({"NotResource": "arn:aws:glue:*:*:job/*"}, "allowed"),
        ({"NotResource": "arn:aws:glue:*:*:session/*"}, "denied"),
        ({"Resource": "arn:aws:glue:*:${aws:PrincipalAccount}:session/*"}, "undecided"),
        ({"Resource": "arn:aws:glue:*:${aws:userid}:job/*"}, "denied"),
    ],
)
def test_actions_and_resources_are_matched(statement: dict[str, Any], expected: str) -> None:
    assert verdict(statement) == expected


OWNER = "aws:ResourceTag/owner"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {OWNER: "${aws:userid}"}}, "allowed"),
        ({"StringEquals": {"AWS:resourcetag/OWNER": "${aws:userid}"}}, "allowed"),
        ({"StringEquals": {OWNER: "AROA:other"}}, "denied"),
        ({"StringEquals": {OWNER: ["AROA:other", "AROA:SageMaker"]}}, "allowed"),
        ({"StringEquals": {OWNER: "AROA:*"}}, "denied"),
        ({"StringLike": {OWNER: "AROA:*"}}, "allowed"),
        ({"StringNotLike": {OWNER: "AROA:*"}}, "denied"),
        ({"StringNotEquals": {OWNER: ["a", "b"]}}, "allowed"),
        ({"StringEqualsIgnoreCase": {OWNER: "aroa:sagemaker"}}, "allowed"),
        ({"StringEquals": {OWNER: "${aws:PrincipalTag/owner}"}}, "undecided"),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, "undecided"),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, "undecided"),
        ({"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}, "undecided"),
        ({"Null": {OWNER: "false"}}, "allowed"),
        ({"Null": {OWNER: "true"}}, "denied"),
        ({"NumericLessThan": {OWNER: "3"}}, "undecided"),
        ({"ForAnyValue:StringEquals": {OWNER: "AROA:SageMaker"}}, "allowed"),
        ({"ForAllValues:StringEquals": {OWNER: ["AROA:SageMaker"]}}, "allowed"),
        ({"Null": {OWNER: ["true", "false"], "aws:SourceVpc": ["true", "false"]}}, "allowed"),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}, "StringLike": {"aws:SourceVpc": "eni-*"}}, "denied"),
        ({"StringEquals": {"aws:SourceVpc": "*"}, "StringEqualsIgnoreCase": {"aws:SourceVpc": "x"}}, "denied"),
        ({"StringEquals": {OWNER: "${AWS:UserId}"}}, "allowed"),
        ({"StringEquals": {OWNER: "${ aws:userid ,  'none'}"}}, "allowed"),
        # one that fails settles the matter, whatever the unknown one is
        ({"StringEquals": {OWNER: "x", "aws:SourceVpc": "vpc-1"}}, "denied"),
    ],
)
def test_conditions_are_evaluated_where_keys_are_known(condition: dict[str, Any], expected: str) -> None:
    assert verdict({"Condition": condition}) == expected


ABSENT = Request("glue:GetTags", SESSION, {"iam:passedtoservice": ()})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"iam:PassedToService": GLUE}}, "denied"),
        ({"StringEqualsIfExists": {"iam:PassedToService": GLUE}}, "allowed"),
        ({"StringNotEquals": {"iam:PassedToService": GLUE}}, "allowed"),
        ({"ForAllValues:StringEquals": {"iam:PassedToService": GLUE}}, "allowed"),
        ({"ForAnyValue:StringEquals": {"iam:PassedToService": GLUE}}, "denied"),
        ({"ForAnyValue:StringNotEquals": {"iam:PassedToService": GLUE}}, "denied"),
        ({"Null": {"iam:PassedToService": "true"}}, "allowed"),
        ({"Null": {"iam:PassedToService": ["true", "false"]}}, "allowed"),
        ({"NumericLessThanIfExists": {"iam:PassedToService": "1"}}, "allowed"),
        # of an absent key, AWS documents that IfExists holds and that ForAnyValue does not
        ({"ForAnyValue:StringEqualsIfExists": {"iam:PassedToService": GLUE}}, "undecided"),
    ],
)
def test_a_key_that_a_request_lacks_is_evaluated_as_iam_does(condition: dict[str, Any], expected: str) -> None:
    assert verdict({"Condition": condition}, request=ABSENT) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["owner", "team"]}}, "allowed"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["owner"]}}, "denied"),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["owner"]}}, "allowed"),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["owner"]}}, "allowed"),
        ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["owner"]}}, "denied"),
    ],
)
def test_keys_of_several_values_are_evaluated_value_by_value(condition: dict[str, Any], expected: str) -> None:
    request = Request("glue:CreateSession", SESSION, {"aws:tagkeys": ("owner", "team")})
    assert verdict({"Condition": condition}, request=request) == expected


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "expected"),
    [
        ("NumericLessThan", "3", "2.99", "allowed"),
        ("NumericEquals", "111122223333", "111122229999", "denied"),
        ("NumericNotEquals", ["1", "2"], "2.0", "denied"),
        ("NumericLessThan", "3", "some", "undecided"),
        ("DateGreaterThan", "2027-01-01T00:00:00Z", "2027-01-01T00:30:00+01:00", "denied"),
        ("DateLessThanEquals", "1798761600", "2027-01-01T00:00:00Z", "allowed"),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", "allowed"),
        ("NotIpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", "denied"),
        ("IpAddress", "${aws:x}", "10.1.2.3", "undecided"),
        ("Bool", "true", "True", "allowed"),
        ("BinaryEquals", "YQ==", "YQ==", "allowed"),
        ("BinaryEquals", "YQ==", "Yg==", "denied"),
        ("StringEqualsIgnoreCase", "a*", "A*", "allowed"),
        ("StringEqualsIgnoreCase", "a*", "Ab", "denied"),
        ("StringEquals", "a*", "a*", "allowed"),
        ("StringLike", "a${*}", "a*", "allowed"),
        ("StringLike", "a${*}", "ab", "denied"),
    ],
)
def test_values_of_each_kind_are_compared(operator: str, wanted: Any, value: str, expected: str) -> None:
    request = Request("a:B", "*", {"k": (value,)})
    assert verdict({"Condition": {operator: {"k": wanted}}}, request=request) == expected


def test_a_default_stands_for_a_variable_without_a_value() -> None:
    home = {"Resource": "home/${aws:PrincipalTag/team, 'none'}/*"}
    request = Request("s3:GetObject", "home/none/x", {"aws:principaltag/team": ()})
    assert verdict(home, request=request) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("arn:aws:iam::*:role/*", "allowed"),
        ("arn:aws:iam::111122223333:role/other", "denied"),
        # a wildcard of an account does not reach over the colon after it
        ("arn:aws:iam::1111*", "undecided"),
        ("arn:aws:iam::*b", "undecided"),
        ("arn:*:iam::role/*", "undecided"),
    ],
)
def test_arns_are_compared_part_by_part(pattern: str, expected: str) -> None:
    request = Request("a:B", "*", {"aws:principalarn": ("arn:aws:iam::111122223333:role/a",)})
    assert verdict({"Condition": {"ArnLike": {"aws:PrincipalArn": pattern}}}, request=request) == expected


def test_a_variable_is_plain_text_in_the_old_version() -> None:
    owned = {"Condition": {"StringEquals": {OWNER: "${aws:userid}"}}}
    assert verdict(owned, version="2008-10-17") is Verdict.DENIED


def test_a_deny_overrides_every_allow() -> None:
    assert decide(OWNED, {"a": policy(ALLOW), "b": policy(DENY)}) == (Verdict.DENIED, "b denies it")


def test_an_open_deny_leaves_it_undecided_and_names_the_key() -> None:
    network = {**DENY, "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}
    assert decide(OWNED, {"a": policy(ALLOW), "b": policy(network)}) == (
        Verdict.UNDECIDED,
        "whether b denies it depends on aws:SourceVpc",
    )


def test_an_open_deny_does_not_matter_where_nothing_is_allowed() -> None:
    network = {**DENY, "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}
    assert decide(OWNED, {"b": policy(network)}) == (Verdict.DENIED, "no policy allows it")


def test_an_open_allow_beside_a_sure_one_does_not_matter() -> None:
    open_one = {"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}
    assert decide(OWNED, {"a": policy(open_one), "b": policy(ALLOW)}) == (Verdict.ALLOWED, "b allows it")


def test_a_policy_that_could_not_be_read_may_deny() -> None:
    decision = decide(OWNED, {"a": policy(ALLOW), "b": None})
    assert decision == (Verdict.UNDECIDED, "whether b denies it is unknown, it could not be read")


def test_a_boundary_must_allow_it_too() -> None:
    decision = decide(OWNED, {"a": policy(ALLOW)}, {"b": policy({"Action": "s3:*"})})
    assert decision == (Verdict.DENIED, "the permissions boundary b does not allow it")


def test_a_boundary_alone_allows_nothing() -> None:
    assert decide(OWNED, {}, {"b": policy(ALLOW)}) == (Verdict.DENIED, "no policy allows it")


def test_a_boundary_that_could_not_be_read_leaves_it_undecided() -> None:
    assert decide(OWNED, {"a": policy(ALLOW)}, {"b": None}).verdict is Verdict.UNDECIDED


def trust(**statement: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": GLUE}, "Action": "sts:AssumeRole", **statement}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([trust()], "allowed"),
        ([trust(Principal={"Service": ["sagemaker.amazonaws.com", GLUE]})], "allowed"),
        ([trust(Action="sts:*")], "allowed"),
        ([trust(Action="sts:TagSession")], "denied"),
        ([trust(Principal={"Service": "sagemaker.amazonaws.com"})], "denied"),
        ([trust(Principal={"AWS": "arn:aws:iam::111122223333:root"})], "denied"),
        ([trust(Principal="*")], "undecided"),
        ([trust(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})], "undecided"),
        ([trust(), trust(Effect="Deny")], "denied"),
        ([trust(), trust(Effect="Deny", Principal="*")], "denied"),
        ([trust(), trust(Effect="Deny", Principal="*", Action="sts:TagSession")], "allowed"),
        ([trust(), trust(Effect="Deny", Principal={"AWS": "arn:aws:iam::111122223333:role/a"})], "allowed"),
    ],
)
def test_trust_in_a_service_is_evaluated(statements: list[dict[str, Any]], expected: str) -> None:
    assert decide_trust(trust_policy({"Statement": statements}), GLUE).verdict == expected


def test_what_not_principal_leaves_is_open() -> None:
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}
    assert decide_trust(trust_policy({"Statement": [trust(), deny]}), GLUE).verdict is Verdict.UNDECIDED
