"""What AWS accepts as a policy document, and what it refuses; each refusal beside a document that it accepts."""

import json
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from iam.engine import conditions
from iam.validation import OPERATORS, Kind, PolicyError, errors, parse
from tests import trust_policies

ACCOUNT = "arn:aws:iam::111122223333"
S3 = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
BUCKET = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
STATEMENTS: dict[Kind, dict[str, Any]] = {Kind.IDENTITY: S3, Kind.TRUST: TRUST, Kind.RESOURCE: BUCKET}


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **more})


def refused(kind: Kind, **elements: Any) -> tuple[str, ...]:
    """Return the errors of a document of one statement with some elements replaced; None removes one."""
    statement = {key: value for key, value in {**STATEMENTS[kind], **elements}.items() if value is not None}
    return errors(document(statement), kind)


def principals(**names: Any) -> dict[str, Any]:
    return {"Principal": names}


def condition(operator: str, value: Any = "1", key: str = "aws:SourceAccount") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


PAIRS: dict[str, tuple[Kind, dict[str, Any], dict[str, Any]]] = {
    "a Sid with a space": (Kind.IDENTITY, {"Sid": "Read data"}, {"Sid": "ReadData"}),
    "a Sid with a hyphen, of a role's trust": (Kind.TRUST, {"Sid": "glue-trust"}, {"Sid": ""}),
    "a Sid that is a number": (Kind.RESOURCE, {"Sid": 1}, {"Sid": "Enable IAM User Permissions"}),
    "a Principal in an identity-based policy": (Kind.IDENTITY, {"Principal": "*"}, {}),
    "a Resource in a trust policy": (Kind.TRUST, {"Resource": "*"}, {}),
    "no Principal": (Kind.RESOURCE, {"Principal": None}, {"Resource": None}),
    "no Resource": (Kind.IDENTITY, {"Resource": None}, {"Resource": None, "NotResource": "*"}),
    "no Action": (Kind.IDENTITY, {"Action": None}, {"Action": None, "NotAction": "iam:*"}),
    "Action and NotAction": (Kind.IDENTITY, {"NotAction": "iam:*"}, {}),
    "an unknown key": (Kind.IDENTITY, {"Conditions": {}}, {"Condition": {}}),
    "an effect in lower case": (Kind.IDENTITY, {"Effect": "allow"}, {"Effect": "Deny"}),
    "no effect": (Kind.IDENTITY, {"Effect": None}, {}),
    "no actions": (Kind.IDENTITY, {"Action": []}, {"Action": ["s3:GetObject"]}),
    "no resources": (Kind.IDENTITY, {"Resource": []}, {"Resource": ["*"]}),
    "an action without a service": (Kind.IDENTITY, {"Action": "GetObject"}, {"Action": "*"}),
    "an action with two colons": (Kind.IDENTITY, {"Action": "s3:Get:Object"}, {"Action": "*:*"}),
    "a service with a wildcard": (Kind.IDENTITY, {"Action": "s*:GetObject"}, {"Action": "s3:G?t*"}),
    "an action of another service in a trust policy": (Kind.TRUST, {"Action": "s3:*"}, {"Action": "sts:*"}),
    "a resource that is no ARN": (Kind.IDENTITY, {"Resource": "data/*"}, {"Resource": "arn:aws:sqs"}),
    "an ARN without a service": (Kind.IDENTITY, {"Resource": "arn:aws"}, {"Resource": "arn:*:s3:::data"}),
    "an ARN of another partition": (Kind.IDENTITY, {"Resource": "arn:az:s3:::d"}, {"Resource": "arn:aws-cn:s3:::d"}),
    "a bucket with a region": (
        Kind.IDENTITY,
        {"Resource": "arn:aws:s3:us-east-1::data"},
        {"Resource": "arn:aws:s3:us-east-1:111122223333:accesspoint/data"},
    ),
    "a role with a region": (
        Kind.IDENTITY,
        {"Resource": "arn:aws:iam:us-east-1:111122223333:role/a"},
        {"Resource": "arn:aws:iam:*:111122223333:role/a"},
    ),
    "an object that is no ARN, except where a service has its own names": (
        Kind.RESOURCE,
        {"Resource": "arn:aws:s3:us-east-1::data"},
        {"Resource": "execute-api:/*"},
    ),
    "a principal that is no ARN": (Kind.TRUST, principals(AWS="not-an-arn"), principals(AWS="111122223333")),
    "a user group": (Kind.TRUST, principals(AWS=f"{ACCOUNT}:group/g"), principals(AWS=f"{ACCOUNT}:user/path/u")),
    "a part of a name": (Kind.TRUST, principals(AWS=f"{ACCOUNT}:role/*"), principals(AWS="*")),
    "an account of too few digits": (Kind.TRUST, principals(AWS="1"), principals(AWS=f"{ACCOUNT}:root")),
    "a role session without its name": (
        Kind.TRUST,
        principals(AWS="arn:aws:sts::111122223333:assumed-role/a"),
        principals(AWS="arn:aws:sts::111122223333:assumed-role/a/session"),
    ),
    "a principal that only buckets know": (
        Kind.TRUST,
        principals(AWS="arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"),
        principals(AWS="AROAEXAMPLEROLE12345Z"),
    ),
    "a service without a domain": (
        Kind.TRUST,
        principals(Service="glue"),
        principals(Service=["states.eu-west-1.amazonaws.com", "ec2.amazonaws.com.cn"]),
    ),
    "an identity provider that is a role": (
        Kind.TRUST,
        principals(Federated=f"{ACCOUNT}:role/a"),
        principals(Federated=[f"{ACCOUNT}:saml-provider/a", "cognito-identity.amazonaws.com"]),
    ),
    "an unknown type of principal": (Kind.TRUST, principals(Services="a.b"), principals(AWS="*")),
    "a misspelt operator": (Kind.IDENTITY, condition("StringEqual"), condition("ForAnyValue:StringEqualsIfExists")),
    "an unknown set operator": (Kind.IDENTITY, condition("ForSome:Bool"), condition("ForAllValues:Bool", True)),
    "Null with IfExists": (Kind.IDENTITY, condition("NullIfExists"), condition("Null", "true")),
    "a condition key without its service": (
        Kind.IDENTITY,
        condition("StringLike", key="SourceAccount"),
        condition("StringLike", key="token.example.com:sub"),
    ),
    "null as a value": (Kind.IDENTITY, condition("NumericLessThan", None), condition("NumericLessThan", [1, "2"])),
}


@pytest.mark.parametrize(("kind", "wrong", "right"), PAIRS.values(), ids=PAIRS.keys())
def test_a_statement_is_refused_and_a_similar_one_is_accepted(
    kind: Kind, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    assert len(refused(kind, **wrong)) == 1
    assert refused(kind, **right) == ()


def test_a_bucket_knows_principals_that_a_role_does_not() -> None:
    names = ["arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", "0f" * 32]
    assert refused(Kind.RESOURCE, Principal={"AWS": names, "CanonicalUser": "0f" * 32}) == ()
    assert len(refused(Kind.TRUST, Principal={"AWS": names})) == 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (document(), "Statement: supply at least one statement, got []"),
        ("{}", "Statement: supply at least one statement, the key is missing"),
        (document(S3, Version=["2012-10-17"]), 'Version: supply "2012-10-17" or "2008-10-17", got ["2012-10-17"]'),
        (document(S3, Extra=1), "Extra: no such key in an identity-based policy, supply one of Version, Id, Statement"),
        ("[" * 100_000, "supply an identity-based policy, got JSON nested too deeply"),
        ('{"Version": "2012-10-17", "Version": ""}', 'supply each key once, got "Version" twice in one object'),
        ('{"Statement": NaN}', "supply JSON, got NaN, which JSON does not have"),
    ],
)
def test_a_document_is_refused_with_one_line(text: str, error: str) -> None:
    assert errors(text, Kind.IDENTITY) == (error,)


def test_the_sids_of_iam_are_unique() -> None:
    twice = [{**S3, "Sid": "A"}, {**S3, "Sid": "A"}]
    assert len(errors(document(*twice), Kind.IDENTITY)) == 1
    assert errors(document({**S3, "Sid": "A"}, {**S3, "Sid": "B"}, {**S3, "Sid": ""}, S3), Kind.IDENTITY) == ()
    assert errors(document({**BUCKET, "Sid": "A b"}, {**BUCKET, "Sid": "A b"}), Kind.RESOURCE) == ()


def test_the_default_policy_of_a_key_is_accepted() -> None:
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    assert errors(document(statement, Id="key-default-1"), Kind.RESOURCE) == ()


def test_every_managed_policy_that_aws_publishes_is_accepted() -> None:
    policies = json.loads(aws_managed_policies_data)
    assert len(policies) > 1_000
    texts = {name: json.dumps(policy["Document"]) for name, policy in policies.items()}
    assert {name: found for name, text in texts.items() if (found := errors(text, Kind.IDENTITY))} == {}


def test_every_trust_policy_that_occurs_in_practice_is_accepted() -> None:
    accepted = {name: json.dumps(policy) for name, policy in trust_policies.ACCEPTED.items()}
    assert {name: found for name, text in accepted.items() if (found := errors(text, Kind.TRUST))} == {}


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_the_engine_knows_every_operator(operator: str) -> None:
    assert len(conditions.parse({operator: {"aws:SourceAccount": "1"}}, variables=True, spelling={})) == 1


def test_a_document_is_returned_as_it_is_written() -> None:
    text = document({**BUCKET, "Sid": "b"}, Id="i")
    assert json.dumps(parse(text, Kind.RESOURCE)) == text
    with pytest.raises(PolicyError, match="got neither"):
        parse(text.replace("Principal", "Sid "), Kind.RESOURCE)
