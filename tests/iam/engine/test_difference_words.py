"""Reviewed cases: two documents, and the exact words for what changed between them; one file, a table."""

from typing import Any

import pytest

from iam.engine import sentences
from iam.engine.difference import difference
from iam.engine.statements import permissions_policy, trust_policy

Statements = list[dict[str, Any]]

ROLE = "arn:aws:iam::111122223333:role/service-role/exec"


def policy(statements: Statements, version: str | None = "2012-10-17") -> dict[str, Any]:
    return {"Statement": statements} | ({"Version": version} if version else {})


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(actions, resources, **more), "Effect": "Deny"}


def trust(principal: Any, actions: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": actions, **more}


def service(*names: str) -> dict[str, Any]:
    return {"Service": [f"{name}.amazonaws.com" for name in names]}


def when(operator: str, key: str, *values: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


PASSED = when("StringEquals", "iam:PassedToService", "glue.amazonaws.com")

TRUST_CASES: dict[str, tuple[Statements, Statements, list[str]]] = {
    "the recipe on a console-made role": (
        [trust(service("sagemaker"))],
        [trust(service("glue", "sagemaker"))],
        ["gained: glue.amazonaws.com may sts:AssumeRole"],
    ),
    "the recipe on a role that serves more": (
        [trust(service("sagemaker", "forecast")), trust({"AWS": "arn:aws:iam::111122223333:root"})],
        [trust(service("glue", "sagemaker"))],
        [
            "gained: glue.amazonaws.com may sts:AssumeRole",
            "lost: account 111122223333, forecast.amazonaws.com may sts:AssumeRole",
        ],
    ),
    "one statement split into two": (
        [trust(service("glue", "sagemaker"))],
        [trust(service("sagemaker")), trust(service("glue"))],
        [],
    ),
    "an account by number and by root user": (
        [trust({"AWS": "111122223333"})],
        [trust({"AWS": ["arn:aws:iam::111122223333:root"]})],
        [],
    ),
    "everyone in two spellings": ([trust("*")], [trust({"AWS": "*"})], []),
    "everyone covers a service": (
        [trust("*"), trust(service("glue"))],
        [trust("*")],
        [],
    ),
    "opened to everyone": (
        [trust(service("glue"))],
        [trust("*")],
        ["widened: glue.amazonaws.com may sts:AssumeRole → anyone may sts:AssumeRole"],
    ),
    "a source condition added": (
        [trust(service("sagemaker"))],
        [trust(service("sagemaker"), **when("ArnLike", "aws:SourceArn", "arn:aws:sagemaker:*:111122223333:*"))],
        [
            "narrowed: sagemaker.amazonaws.com may sts:AssumeRole → sagemaker.amazonaws.com may "
            "sts:AssumeRole when aws:SourceArn matches arn:aws:sagemaker:*:111122223333:*"
        ],
    ),
    "a source condition dropped": (
        [trust(service("sagemaker"), **when("StringEquals", "aws:SourceAccount", "111122223333"))],
        [trust(service("sagemaker"))],
        [
            "widened: sagemaker.amazonaws.com may sts:AssumeRole when aws:SourceAccount is 111122223333 → "
            "sagemaker.amazonaws.com may sts:AssumeRole"
        ],
    ),
    "another external id": (
        [trust({"AWS": "999999999999"}, **when("StringEquals", "sts:ExternalId", "old"))],
        [trust({"AWS": "999999999999"}, **when("StringEquals", "sts:ExternalId", "new"))],
        [
            "altered: account 999999999999 may sts:AssumeRole when sts:ExternalId is old → "
            "account 999999999999 may sts:AssumeRole when sts:ExternalId is new"
        ],
    ),
    "source identity lost": (
        [trust(service("sagemaker"), ["sts:AssumeRole", "sts:SetSourceIdentity"])],
        [trust(service("sagemaker"))],
        ["lost: sagemaker.amazonaws.com may sts:SetSourceIdentity"],
    ),
    "session tags gained": (
        [trust(service("datazone"))],
        [trust(service("datazone"), ["sts:AssumeRole", "sts:TagSession", "sts:SetContext"])],
        ["gained: datazone.amazonaws.com may sts:SetContext, sts:TagSession"],
    ),
    "a role named beside its account": (
        [trust({"AWS": "111122223333"})],
        [trust({"AWS": ["111122223333", ROLE]})],
        [f"gained: {ROLE} may sts:AssumeRole"],
    ),
    "a session of a role that is trusted": (
        [trust({"AWS": ROLE})],
        [trust({"AWS": [ROLE, "arn:aws:sts::111122223333:assumed-role/exec/SageMaker"]})],
        [],
    ),
    "a member of a denied account denied": (
        [trust("*"), {**trust({"AWS": "111122223333"}), "Effect": "Deny"}],
        [trust("*"), {**trust({"AWS": ["111122223333", ROLE]}), "Effect": "Deny"}],
        [],
    ),
    "a denial added": (
        [trust(service("glue"))],
        [trust(service("glue")), {**trust({"AWS": "999999999999"}), "Effect": "Deny"}],
        ["newly denied: sts:AssumeRole for account 999999999999"],
    ),
    "the exception grows": (
        [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}],
        [{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, "111122223333"]}, "Action": "sts:AssumeRole"}],
        [
            f"denied more narrowly: sts:AssumeRole for anyone but {ROLE} → sts:AssumeRole for anyone but "
            f"account 111122223333, {ROLE} (undecided: the meanings may be the same)",
        ],
    ),
    "two identity providers' conditions that mean the same": (
        [],
        [
            trust({"Federated": "p"}, **when("StringLike", "p:sub", "repo:*")),
            trust({"Federated": "p"}, **when("StringLike", "p:sub", "repo:*", "repo:acme/*")),
        ],
        ["gained: p may sts:AssumeRole when p:sub matches repo:*"],
    ),
    "everyone beside those a denial leaves": (
        [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}],
        [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}, trust("*")],
        ["gained: anyone may sts:AssumeRole (undecided: the meanings may be the same)"],
    ),
    "everyone beside those a denial leaves, with their account": (
        [{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, "111122223333"]}, "Action": "sts:AssumeRole"}],
        [{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, "111122223333"]}, "Action": "sts:AssumeRole"}, trust("*")],
        ["gained: anyone may sts:AssumeRole"],
    ),
    "an identity provider": (
        [],
        [
            trust(
                {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.example.com"},
                "sts:AssumeRoleWithWebIdentity",
                **when("StringLike", "token.example.com:sub", "repo:team/*"),
            )
        ],
        [
            "gained: arn:aws:iam::111122223333:oidc-provider/token.example.com may "
            "sts:AssumeRoleWithWebIdentity when token.example.com:sub matches repo:team/*"
        ],
    ),
}

PERMISSION_CASES: dict[str, tuple[Statements, Statements, list[str]]] = {
    "the recipe's inline policy": (
        [],
        [allow(["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"])],
        ["gained: iam:GetRole, iam:PassRole, sts:GetCallerIdentity on *"],
    ),
    "from the recipe to least privilege": (
        [allow(["iam:GetRole", "iam:PassRole"])],
        [allow("iam:GetRole", ROLE), allow("iam:PassRole", ROLE, **PASSED)],
        [
            f"narrowed: iam:GetRole on * → iam:GetRole on {ROLE}",
            f"narrowed: iam:PassRole on * → iam:PassRole on {ROLE} when iam:PassedToService is glue.amazonaws.com",
        ],
    ),
    "two actions narrowed alike": (
        [allow(["iam:GetRole", "iam:PassRole"])],
        [allow(["iam:GetRole", "iam:PassRole"], ROLE)],
        [f"narrowed: iam:GetRole, iam:PassRole on * → iam:GetRole, iam:PassRole on {ROLE}"],
    ),
    "only the case of actions": ([allow("S3:GETOBJECT")], [allow("s3:GetObject")], []),
    "only the case of condition keys": (
        [allow("iam:PassRole", **when("StringEquals", "IAM:passedtoservice", "glue.amazonaws.com"))],
        [allow("iam:PassRole", **PASSED)],
        [],
    ),
    "only string or list": ([allow("s3:GetObject", ["a"])], [allow(["s3:GetObject"], "a")], []),
    "a statement covered by another": ([allow("s3:*")], [allow("s3:*"), allow("s3:GetObject", "a")], []),
    "an action covered by a wildcard": (
        [allow("s3:Get*")],
        [allow(["s3:Get*", "s3:GetObject", "s3:PutObject"])],
        ["gained: s3:PutObject on *"],
    ),
    "a wildcard replaced by two": (
        [allow("s3:*")],
        [allow(["s3:Get*", "s3:Put*"])],
        ["narrowed: s3:* on * → s3:Get*, s3:Put* on *"],
    ),
    "everything, in two halves": (
        [allow("*")],
        [allow("iam:*"), {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [],
    ),
    "everything but one service": (
        [allow("*")],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        ["narrowed: every action on * → every action but iam:* on *"],
    ),
    "the exception grows": (
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}],
        ["narrowed: every action but iam:* on * → every action but iam:*, sts:* on *"],
    ),
    "an exception within an exception": (
        [{"Effect": "Allow", "NotAction": ["iam:*", "iam:Get*"], "Resource": "*"}],
        [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}],
        [],
    ),
    "every resource but some": (
        [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::private/*"}],
        [allow("s3:GetObject")],
        [
            "widened: s3:GetObject on everything but arn:aws:s3:::private/* → s3:GetObject on *",
        ],
    ),
    "a denial of what is allowed": (
        [allow("s3:*")],
        [allow("s3:*"), deny("s3:*", "arn:aws:s3:::private/*")],
        ["newly denied: s3:* on arn:aws:s3:::private/*"],
    ),
    "a denial lost": (
        [allow("s3:*"), deny("s3:DeleteObject")],
        [allow("s3:*")],
        ["no longer denied: s3:DeleteObject on *"],
    ),
    "an allowance that a denial takes away": (
        [deny("s3:*")],
        [deny("s3:*"), allow("s3:GetObject")],
        [],
    ),
    "a denial narrowed": (
        [deny("s3:*")],
        [deny("s3:DeleteObject")],
        ["denied more narrowly: s3:* on * → s3:DeleteObject on *"],
    ),
    "a resource more": (
        [allow("s3:GetObject", ["a", "b"])],
        [allow("s3:GetObject", ["a", "c"])],
        ["gained: s3:GetObject on c", "lost: s3:GetObject on b"],
    ),
    "a folder of one's own": (
        [allow("s3:GetObject", "arn:aws:s3:::home/*")],
        [allow("s3:GetObject", "arn:aws:s3:::home/${aws:username}/*")],
        ["narrowed: s3:GetObject on arn:aws:s3:::home/* → s3:GetObject on arn:aws:s3:::home/${aws:username}/*"],
    ),
    "the folder of another variable": (
        [allow("s3:GetObject", "home/${aws:username}/*")],
        [allow("s3:GetObject", "home/${aws:userid}/*")],
        [
            "gained: s3:GetObject on home/${aws:userid}/*",
            "lost: s3:GetObject on home/${aws:username}/*",
        ],
    ),
    "every resource but a variable's": (
        [allow("s3:GetObject", "home/x")],
        [{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "home/${aws:username}"}],
        [
            "gained: s3:GetObject on everything but home/${aws:username}",
            "lost: s3:GetObject on home/x (undecided: the meanings may be the same)",
        ],
    ),
    "one service more in a condition": (
        [allow("iam:PassRole", **PASSED)],
        [
            allow(
                "iam:PassRole",
                **when("StringEquals", "iam:PassedToService", "glue.amazonaws.com", "lambda.amazonaws.com"),
            )
        ],
        [
            "widened: iam:PassRole on * when iam:PassedToService is glue.amazonaws.com → iam:PassRole on * "
            "when iam:PassedToService is glue.amazonaws.com or lambda.amazonaws.com"
        ],
    ),
    "condition values split over statements": (
        [allow("iam:PassRole", **when("StringEquals", "iam:PassedToService", "a", "b"))],
        [
            allow("iam:PassRole", **when("StringEquals", "iam:PassedToService", "a")),
            allow("iam:PassRole", **when("StringEquals", "iam:PassedToService", "b")),
        ],
        [],
    ),
    "StringLike without wildcards": (
        [allow("iam:PassRole", **when("StringLike", "iam:PassedToService", "glue.amazonaws.com"))],
        [allow("iam:PassRole", **PASSED)],
        [],
    ),
    "ArnEquals and ArnLike": (
        [allow("sns:Publish", **when("ArnEquals", "aws:SourceArn", "arn:aws:s3:::b*"))],
        [allow("sns:Publish", **when("ArnLike", "aws:SourceArn", "arn:aws:s3:::b*"))],
        [],
    ),
    "a network": (
        [allow("s3:GetObject", **when("IpAddress", "aws:SourceIp", "10.0.0.0/8"))],
        [allow("s3:GetObject", **when("IpAddress", "aws:SourceIp", "10.1.0.0/16"))],
        [
            "narrowed: s3:GetObject on * when aws:SourceIp is in 10.0.0.0/8 → s3:GetObject on * when "
            "aws:SourceIp is in 10.1.0.0/16"
        ],
    ),
    "MFA no longer asked for": (
        [allow("s3:*", **when("Bool", "aws:MultiFactorAuthPresent", True))],
        [allow("s3:*")],
        ["widened: s3:* on * when aws:MultiFactorAuthPresent is true → s3:* on *"],
    ),
    "a date": (
        [allow("s3:*", **when("DateLessThan", "aws:CurrentTime", "2027-01-01T00:00:00Z"))],
        [],
        ["lost: s3:* on * when aws:CurrentTime is before 2027-01-01T00:00:00Z"],
    ),
    "tags, all of them, some of them": (
        [],
        [
            allow(
                "glue:CreateSession",
                Condition={
                    "ForAnyValue:StringEquals": {"aws:TagKeys": ["owner"]},
                    "StringEquals": {"aws:RequestTag/owner": "${aws:userid}"},
                },
            ),
            allow("ec2:CreateTags", **when("ForAllValues:StringEquals", "aws:TagKeys", "glue")),
        ],
        [
            "gained: ec2:CreateTags on * when every aws:TagKeys is glue",
            "gained: glue:CreateSession on * when aws:RequestTag/owner is ${aws:userid} and some aws:TagKeys is owner",
        ],
    ),
    "absent, if exists, not": (
        [],
        [
            allow("a:b", **when("Null", "aws:TokenIssueTime", True)),
            allow("a:c", **when("StringNotLikeIfExists", "aws:PrincipalArn", "*admin*", "*root*")),
            allow("a:d", **when("NumericLessThanEquals", "s3:max-keys", 10)),
        ],
        [
            "gained: a:b on * when aws:TokenIssueTime is absent",
            "gained: a:c on * when aws:PrincipalArn does not match *admin* nor *root* where present",
            "gained: a:d on * when s3:max-keys ≤ 10",
        ],
    ),
    "a run of wildcards": ([allow("s3:**", "a?*b")], [allow("s3:*", "a*?b")], []),
    "two exceptions that mean the same": (
        [],
        [
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            {"Effect": "Allow", "NotAction": ["iam:*", "iam:Create*"], "Resource": "*"},
        ],
        ["gained: every action but iam:* on *"],
    ),
    "two conditions that mean the same": (
        [],
        [
            allow("s3:*", **when("StringNotEquals", "aws:SourceVpc", "vpc-1")),
            allow("s3:*", **when("StringNotEqualsIfExists", "aws:SourceVpc", "vpc-1")),
        ],
        ["gained: s3:* on * when aws:SourceVpc is not vpc-1"],
    ),
    "two exceptions among resources that mean the same, lost": (
        [
            {"Effect": "Deny", "Action": "s3:*", "NotResource": ["a*", "ab"]},
            {"Effect": "Deny", "Action": "s3:*", "NotResource": "a*"},
        ],
        [],
        ["no longer denied: s3:* on everything but a*"],
    ),
    "two statements that mean the same": (
        [],
        [allow("s3:*", ["a?*", "a*?"]), allow("s3:*", "a?*")],
        ["gained: s3:* on a?*"],
    ),
    "ARNs field by field": (
        [allow("a:b", **when("ArnLike", "aws:SourceArn", "arn:aws:logs:*:111122223333:*"))],
        [
            allow(
                "a:b",
                **when("ArnLike", "aws:SourceArn", "arn:aws:logs:us-east-1:666666666666:log-group:111122223333:*"),
            )
        ],
        [
            "altered: a:b on * when aws:SourceArn matches arn:aws:logs:*:111122223333:* → a:b on * when aws:SourceArn "
            "matches arn:aws:logs:us-east-1:666666666666:log-group:111122223333:*"
        ],
    ),
    "a denial on other ARNs": (
        [{**deny("a:b"), **when("ArnLike", "aws:SourceArn", "arn:aws:logs:*:1:*")}],
        [
            {**deny("a:b"), **when("ArnLike", "aws:SourceArn", "arn:aws:logs:*:1:*")},
            allow("a:b", **when("ArnLike", "aws:SourceArn", "arn:aws:logs:x:6:log-group:1:*")),
        ],
        ["gained: a:b on * when aws:SourceArn matches arn:aws:logs:x:6:log-group:1:*"],
    ),
    "an ARN pattern of fewer fields": (
        [allow("a:b", **when("ArnLike", "aws:SourceArn", "arn:aws:logs:*"))],
        [allow("a:b", **when("ArnLike", "aws:SourceArn", "arn:aws:logs:*:*:*"))],
        [
            "altered: a:b on * when aws:SourceArn matches arn:aws:logs:* → a:b on * when aws:SourceArn matches "
            "arn:aws:logs:*:*:* (undecided: the meanings may be the same)"
        ],
    ),
    "an ARN pattern of fewer fields, one a variable": (
        [allow("a:b", **when("ArnLike", "aws:SourceArn", "arn:aws:iam::${aws:PrincipalAccount}"))],
        [],
        ["lost: a:b on * when aws:SourceArn is arn:aws:iam::${aws:principalaccount}"],
    ),
    "an incomplete ARN": ([allow("sqs:*", "arn:aws:sqs")], [allow("sqs:*", "arn:aws:sqs:*:*:*")], []),
    "a field of a resource's ARN": (
        [allow("iam:*", "arn:aws:iam::*2:role/x")],
        [allow("iam:*", "arn:aws:iam::1:2:role/x")],
        ["gained: iam:* on arn:aws:iam::1:2:role/x", "lost: iam:* on arn:aws:iam::*2:role/x"],
    ),
    "a later time": (
        [allow("a:b", **when("NumericLessThan", "aws:EpochTime", "1700000000"))],
        [allow("a:b", **when("NumericLessThan", "aws:EpochTime", "1700004999"))],
        [
            "widened: a:b on * when aws:EpochTime < 1700000000 → a:b on * when aws:EpochTime < 1700004999",
        ],
    ),
    "another account as a number": (
        [allow("a:b", **when("NumericEquals", "aws:SourceAccount", "111122223333"))],
        [allow("a:b", **when("NumericEquals", "aws:SourceAccount", 111122229999))],
        [
            "altered: a:b on * when aws:SourceAccount = 111122223333 → a:b on * when aws:SourceAccount = 111122229999",
        ],
    ),
    "a number in two spellings": (
        [allow("a:b", **when("NumericLessThanEquals", "s3:max-keys", "10"))],
        [allow("a:b", **when("NumericLessThanEquals", "s3:max-keys", "10.0"))],
        [],
    ),
    "an instant in two spellings": (
        [allow("a:b", **when("DateLessThan", "aws:CurrentTime", "2027-01-01T00:00:00Z"))],
        [allow("a:b", **when("DateLessThan", "aws:CurrentTime", "2027-01-01T01:00:00+01:00"))],
        [],
    ),
    "two conditions that together are none": (
        [allow("a:b", **when("NumericLessThan", "n", "5")), allow("a:b", **when("NumericGreaterThanEquals", "n", "5"))],
        [allow("a:b", **when("Null", "n", "false"))],
        [],
    ),
    "present or absent": ([allow("a:b", **when("Null", "k", "true", "false"))], [allow("a:b")], []),
    "a condition that contradicts itself": (
        [],
        [allow("a:b", Condition={"StringEquals": {"k": "x"}, "StringLike": {"k": "y*"}})],
        [],
    ),
    "some value where there is none, if it exists": (
        [allow("a:b", **when("ForAnyValue:StringEquals", "k", "x"))],
        [allow("a:b", **when("ForAnyValue:StringEqualsIfExists", "k", "x"))],
        [
            "widened: a:b on * when some k is x → a:b on * when some k is x where present "
            "(undecided: the meanings may be the same)"
        ],
    ),
    "a star as itself, in any case": (
        [allow("a:b", **when("StringEquals", "k", "a*"))],
        [allow("a:b", **when("StringEqualsIgnoreCase", "k", "A*"))],
        ["widened: a:b on * when k is a* → a:b on * when k is a* in any case"],
    ),
    "a variable in two spellings": (
        [allow("s3:GetObject", ["home/${aws:username}", "team/${aws:PrincipalTag/team, 'none'}"])],
        [allow("s3:GetObject", ["home/${AWS:UserName}", "team/${ aws:principaltag/TEAM,'none' }"])],
        [],
    ),
    "a variable whose key is compared": (
        [allow("s3:GetObject", "home/${aws:username}", **when("StringEquals", "aws:username", "bob"))],
        [allow("s3:GetObject", "home/bob", **when("StringEquals", "aws:username", "bob"))],
        [
            "gained: s3:GetObject on home/bob when aws:username is bob (undecided: the meanings may be the same)",
            "lost: s3:GetObject on home/${aws:username} when aws:username is bob (undecided: the meanings may be the "
            "same)",
        ],
    ),
    "every action, spelled out": ([allow("*:*")], [allow("*")], []),
}


@pytest.mark.parametrize(("before", "after", "words"), TRUST_CASES.values(), ids=TRUST_CASES)
def test_a_change_of_trust_in_words(before: Statements, after: Statements, words: list[str]) -> None:
    found = difference([trust_policy(policy(before))], [trust_policy(policy(after))])
    assert sentences.lines(found, trust=True) == words


@pytest.mark.parametrize(("before", "after", "words"), PERMISSION_CASES.values(), ids=PERMISSION_CASES)
def test_a_change_of_permissions_in_words(before: Statements, after: Statements, words: list[str]) -> None:
    found = difference([permissions_policy(policy(before))], [permissions_policy(policy(after))])
    assert sentences.lines(found, trust=False) == words


def test_without_the_version_of_2012_a_variable_is_plain_text() -> None:
    statements = [allow("s3:GetObject", "home/${aws:username}")]
    found = difference([permissions_policy(policy(statements, None))], [permissions_policy(policy(statements))])
    assert sentences.lines(found, trust=False) == [
        "gained: s3:GetObject on home/${aws:username}",
        "lost: s3:GetObject on home/${$}{aws:username}",
    ]


def test_a_statement_moved_from_one_policy_to_another_is_no_change() -> None:
    one, other = (permissions_policy(policy([allow(action)])) for action in ("s3:GetObject", "sqs:SendMessage"))
    both = permissions_policy(policy([allow("s3:GetObject"), allow("sqs:SendMessage")]))
    assert difference([one, other], [both]).changes == ()
    assert difference([both], [other, one]).changes == ()


def test_what_stays_is_said_too() -> None:
    found = difference(
        [trust_policy(policy([trust(service("sagemaker"))]))],
        [trust_policy(policy([trust(service("sagemaker", "glue"))]))],
    )
    assert [sentences.statement(row, found.spelling, trust=True) for row in found.kept] == [
        "sagemaker.amazonaws.com may sts:AssumeRole"
    ]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "supply a policy document in JSON"),
        ("[]", "supply a policy document with a Statement, got []"),
        ('{"Version": "2020-01-01", "Statement": []}', 'supply Version "2012-10-17" or "2008-10-17"'),
        ('{"Statement": ["x"]}', "supply statements as objects"),
        (policy([allow("a:b", Principal="*")]), "got Principal"),
        (policy([{**allow("a:b"), "Effect": "allow"}]), 'supply Effect "Allow" or "Deny", got \'allow\''),
        (policy([{**allow("a:b"), "NotAction": "a:c"}]), "supply either Action or NotAction"),
        (policy([allow([])]), "supply Action as a string or a list of strings, got []"),
        (policy([allow("a:b", Condition=[])]), "supply a Condition as an object"),
        (policy([allow("a:b", Condition={"StringEquals": "x"})]), "with an object of keys"),
        (policy([allow("a:b", Condition={"StringEquals": {"k": {}}})]), "supply condition values as strings"),
    ],
)
def test_what_aws_would_refuse_is_refused_in_one_line(document: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"^supply ") as raised:
        permissions_policy(document)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_trust_policy_needs_principals() -> None:
    with pytest.raises(ValueError, match="supply either Principal or NotPrincipal"):
        trust_policy(policy([{"Effect": "Allow", "Action": "sts:AssumeRole"}]))
    with pytest.raises(ValueError, match='supply Principal as "\\*" or an object'):
        trust_policy(policy([trust({"Services": "x"})]))
