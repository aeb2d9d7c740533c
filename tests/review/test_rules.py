"""Every rule: a plan that must raise it, and a similar one that must not.

One file, because its table must cover every rule.
"""

import json
from typing import Any

import pytest

from iam.documents.grants import LIVE_ROLE_ADDRESS
from iam.policy_document import size
from plans import plan as plans
from review import report
from review.rules import RULES
from review.rules.quotas import TRUST_POLICY_QUOTA
from tests.plan_builder import (
    ACCOUNT,
    FULL_ACCESS,
    GLUE,
    GLUE_SESSIONS,
    SAGEMAKER,
    allow,
    attachment,
    change,
    document,
    plan,
    role,
    role_policy,
    trust,
)
from tests.review.stack_plans import BEFORE, RECIPE, Stack
from tests.review.test_access_analyzer import RULE_IDS as ACCESS_ANALYZER

OWN = f"arn:aws:iam::{ACCOUNT}:role/exec"
OTHER = "arn:aws:iam::999999999999:root"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.example.com"
TO_GLUE = {"Condition": {"StringEquals": {"iam:PassedToService": GLUE}}}
RECIPE_INLINE = document(allow(["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"]))
TRUSTED = trust(SAGEMAKER)
STAYS = role(TRUSTED, TRUSTED)


def gains(*statements: Any) -> bytes:
    """Return a plan that gives an existing role an inline policy."""
    return plan(STAYS, role_policy(None, document(*statements)))


def trusts(before: str | None, after: str, **more: Any) -> bytes:
    return plan(role(before, after, **more))


def by_web_identity(**condition: Any) -> str:
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": OIDC},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"token.example.com:aud": "sts.amazonaws.com"}, **condition},
        }
    )


def long(length: int) -> str:
    """Return a policy of about this many characters."""
    return document(allow(["s3:GetObject"], [f"arn:aws:s3:::bucket-{n:05}/*" for n in range(length // 31)]))


def everyone(**more: Any) -> str:
    return document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", **more})


ORGANISATION = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"


def lets_in(principal: Any, **more: Any) -> bytes:
    """Return a plan that lets a principal send messages to an existing queue."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": QUEUE, **more}
    return plan(change("aws_sqs_queue.q", {"arn": QUEUE}, {"arn": QUEUE, "policy": document(statement)}))


DENIES = document(allow("s3:*"), {**allow("s3:DeleteObject"), "Effect": "Deny"})
ATTACHED = {f"arn:aws:iam::{ACCOUNT}:policy/p{n}" for n in range(10)}
SET = "aws_iam_role_policies_exclusive"

WITHOUT_MFA = {
    "Effect": "Deny",
    "Principal": {"AWS": OTHER},
    "Action": "sts:AssumeRole",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}

CASES: dict[str, tuple[bytes, bytes]] = {
    "role-destroyed": (
        plan(role(TRUSTED, None)),
        plan(role(TRUSTED, TRUSTED, actions=["forget"])),
    ),
    "role-replaced": (
        plan(role(TRUSTED, TRUSTED, actions=["delete", "create"], replace_paths=[["path"]])),
        plan(role(TRUSTED, trust(SAGEMAKER, GLUE))),
    ),
    "role-forgotten": (
        plan(role(TRUSTED, TRUSTED, actions=["forget"])),
        plan(STAYS),
    ),
    "adoption-changes-more": (
        plan(
            change(
                "aws_iam_role.exec",
                {"name": "exec", "assume_role_policy": TRUSTED, "tags": {"owner": "team"}},
                {"name": "exec", "assume_role_policy": TRUSTED, "tags": None},
                importing={"id": "exec"},
            )
        ),
        trusts(TRUSTED, trust(SAGEMAKER, GLUE), importing={"id": "exec"}),
    ),
    "boundary-changed": (
        trusts(TRUSTED, TRUSTED, boundary=("arn:aws:iam::aws:policy/PowerUserAccess", "")),
        trusts(TRUSTED, TRUSTED, boundary=("", "arn:aws:iam::aws:policy/PowerUserAccess")),
    ),
    "trust-lost": (
        trusts(trust(SAGEMAKER, "forecast.amazonaws.com"), trust(SAGEMAKER, GLUE)),
        trusts(TRUSTED, trust(SAGEMAKER, GLUE)),
    ),
    "trust-opened-to-everyone": (
        trusts(TRUSTED, everyone()),
        trusts(TRUSTED, everyone(**ORGANISATION)),
    ),
    "trust-opened-to-everyone-on-condition": (
        trusts(TRUSTED, everyone(**ORGANISATION)),
        trusts(everyone(**ORGANISATION), everyone(**ORGANISATION)),
    ),
    "trust-opened-to-account": (
        trusts(TRUSTED, trust(SAGEMAKER, AWS=OTHER)),
        trusts(TRUSTED, trust(SAGEMAKER, AWS=f"arn:aws:iam::{ACCOUNT}:role/ci")),
    ),
    "trust-opened-to-service": (
        trusts(TRUSTED, trust(SAGEMAKER, "lambda.amazonaws.com")),
        trusts(TRUSTED, trust(SAGEMAKER, GLUE)),
    ),
    "trust-opened-to-identity-provider": (
        trusts(None, by_web_identity()),
        trusts(None, by_web_identity(StringLike={"token.example.com:sub": "repo:team/*"})),
    ),
    "deleted-principal": (
        trusts(TRUSTED, trust(SAGEMAKER, AWS="AROAEXAMPLEEXAMPLE12")),
        trusts(TRUSTED, trust(SAGEMAKER, AWS=f"arn:aws:iam::{ACCOUNT}:role/AROA")),
    ),
    "resource-opened-to-everyone": (lets_in("*"), lets_in("*", **ORGANISATION)),
    "resource-opened-to-everyone-on-condition": (lets_in("*", **ORGANISATION), lets_in({"AWS": OWN}, **ORGANISATION)),
    "resource-opened-to-account": (lets_in({"AWS": OTHER}), lets_in({"AWS": OWN})),
    "resource-opened-to-service": (lets_in({"Service": "s3.amazonaws.com"}), lets_in({"AWS": OWN})),
    "resource-access-lost": (
        plan(change("aws_sqs_queue.q", *[{"arn": QUEUE, "policy": text} for text in (everyone(), document())])),
        lets_in({"AWS": OWN}),
    ),
    "everything-allowed": (
        gains(allow("*")),
        gains(allow("s3:*")),
    ),
    "pass-any-role": (
        plan(STAYS, role_policy(None, RECIPE_INLINE)),
        gains(allow("iam:PassRole", OWN, **TO_GLUE)),
    ),
    "pass-any-role-to-service": (
        gains(allow("iam:PassRole", "arn:aws:iam::*:role/*", **TO_GLUE)),
        gains(allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/service-role/*", **TO_GLUE)),
    ),
    "pass-role-to-any-service": (
        gains(allow("iam:PassRole", OWN)),
        gains(allow("iam:PassRole", OWN, **TO_GLUE)),
    ),
    "other-roles-to-glue": (
        Stack("exec", "least-privilege").adopted(),
        Stack("exec", "isolated").adopted(),
    ),
    "privilege-escalation": (
        plan(STAYS, role_policy(None, RECIPE_INLINE), attachment(GLUE_SESSIONS)),
        plan(
            STAYS,
            role_policy(None, document(allow("iam:PassRole", OWN, **TO_GLUE))),
            attachment(GLUE_SESSIONS),
        ),
    ),
    "admin-wildcard": (
        gains(allow("iam:*", OWN)),
        gains(allow("iam:Get*", OWN)),
    ),
    "permissions-wildcard": (
        gains(allow("s3:*")),
        gains(allow("s3:*", ["arn:aws:s3:::data", "arn:aws:s3:::data/*"])),
    ),
    "permissions-lost": (
        plan(
            STAYS,
            role_policy(document(allow(["s3:GetObject", "s3:PutObject"])), document(allow("s3:GetObject"))),
        ),
        plan(STAYS, role_policy(document(allow("s3:GetObject")), document(allow("s3:*")))),
    ),
    "denial-lost": (
        plan(STAYS, role_policy(DENIES, document(allow("s3:*")))),
        plan(STAYS, role_policy(document(allow("s3:*")), DENIES)),
    ),
    "policy-may-be-deleted": (
        plan(
            STAYS,
            {**role_policy(document(allow("s3:GetObject")), None), "address": "aws_iam_role_policy.old"},
            role_policy(None, document(allow("s3:GetObject"))),
        ),
        plan(STAYS, role_policy(document(allow("s3:GetObject")), document(allow("s3:PutObject")))),
    ),
    "policy-written-twice": (
        plan(
            STAYS,
            {**role_policy(None, document(allow("s3:*"))), "address": "aws_iam_role_policy.another"},
            role_policy(None, document(allow("s3:GetObject"))),
        ),
        plan(
            STAYS,
            {**role_policy(None, document(allow("s3:GetObject"))), "address": "aws_iam_role_policy.another"},
            role_policy(None, document(allow(["s3:GetObject"]))),
        ),
    ),
    "grants-released": (Stack("exec").released(), Stack("exec").adopted()),
    "grants-stay": (Stack("exec").released_without_state(), Stack("exec").released()),
    "grants-may-stay": (Stack("exec").plan(blocks=[LIVE_ROLE_ADDRESS]), Stack("exec").released_without_state()),
    "glue-denied": (
        Stack("exec").adopted(BEFORE, document(*json.loads(RECIPE)["Statement"], {**WITHOUT_MFA, "Principal": "*"})),
        Stack("exec").adopted(BEFORE, document(*json.loads(RECIPE)["Statement"], WITHOUT_MFA)),
    ),
    "unknown-action": (
        gains(allow("glue:CreateSesion")),
        gains(allow("glue:CreateSession")),
    ),
    "unknown-service": (
        trusts(TRUSTED, trust(SAGEMAKER, "gleu.amazonaws.com")),
        trusts(TRUSTED, trust(SAGEMAKER, "states.eu-west-1.amazonaws.com", "export.rds.amazonaws.com")),
    ),
    "resource-never-matches": (
        gains(allow(["sts:GetCallerIdentity"], "arn:aws:iam::*:role/GlueServiceRole*")),
        gains(allow(["s3:GetObject", "s3:ListBucket"], "*"), allow("s3:GetObject", "arn:aws:s3:::b/*")),
    ),
    "condition-never-matches": (
        gains(allow("iam:GetRole", OWN, **TO_GLUE)),
        gains(allow("iam:PassRole", OWN, **TO_GLUE)),
    ),
    "trust-policy-too-long": (
        trusts(TRUSTED, trust(AWS=[f"arn:aws:iam::{ACCOUNT}:role/role-{n:05}" for n in range(60)])),
        trusts(TRUSTED, trust(AWS=[f"arn:aws:iam::{ACCOUNT}:role/role-{n:05}" for n in range(30)])),
    ),
    "inline-policies-too-long": (
        plan(STAYS, role_policy(None, long(6_000), name="a"), role_policy(None, long(6_000), name="b")),
        plan(STAYS, role_policy(None, long(4_000), name="a"), role_policy(None, long(4_000), name="b")),
    ),
    "managed-policy-too-long": (
        plan(change("aws_iam_policy.p", None, {"name": "p", "policy": long(7_000)})),
        plan(change("aws_iam_policy.p", None, {"name": "p", "policy": long(5_000)})),
    ),
    "too-many-attached-policies": (
        plan(role(TRUSTED, TRUSTED, managed=(ATTACHED, ATTACHED)), attachment(GLUE_SESSIONS)),
        plan(role(TRUSTED, TRUSTED, managed=(ATTACHED, ATTACHED)), attachment(sorted(ATTACHED)[0])),
    ),
    "policy-unknown": (
        plan(
            STAYS,
            change(
                "aws_iam_role_policy.p",
                None,
                {"name": "p", "role": "exec"},
                unknown={"policy": True, "id": True},
            ),
        ),
        gains(allow("s3:GetObject")),
    ),
    "policy-hidden": (
        plan(STAYS, role_policy(None, document(allow("*")), after_sensitive={"policy": True})),
        plan(STAYS, role_policy(None, document(allow("*")), after_sensitive={"tags": {}})),
    ),
    "policy-unreadable": (
        gains({**allow("s3:GetObject"), "Principal": "*"}),
        gains(allow("s3:GetObject")),
    ),
    "policy-not-at-hand": (
        plan(STAYS, attachment("arn:aws:iam::aws:policy/AlexaForBusinessFullAccess")),
        plan(STAYS, attachment(FULL_ACCESS)),
    ),
    "undecided": (
        plan(
            STAYS,
            role_policy(
                document(allow("s3:GetObject", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3*"}})),
                document(allow("s3:GetObject", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s*"}})),
            ),
        ),
        plan(STAYS, role_policy(document(allow("s3:GetObject")), document(allow("s3:*")))),
    ),
    "exclusive-removes-unseen": (
        plan(change(f"{SET}.x", None, {"role_name": "exec", "policy_names": ["a"]})),
        plan(role(TRUSTED, TRUSTED), change(f"{SET}.x", None, {"role_name": "exec", "policy_names": ["a"]})),
    ),
    "check-failed": (
        plan(
            checks=[
                {
                    "address": {"to_display": "check.trust"},
                    "status": "fail",
                    "instances": [
                        {
                            "address": {"to_display": "check.trust"},
                            "status": "fail",
                            "problems": [{"message": "this plan takes away: Allow Service x"}],
                        }
                    ],
                }
            ]
        ),
        plan(
            checks=[
                {
                    "address": {"to_display": "check.trust"},
                    "status": "pass",
                    "instances": [{"status": "pass"}],
                }
            ]
        ),
    ),
    "plan-incomplete": (plan(errored=True), plan(errored=False)),
    "shared-attachment": (
        plan(change("aws_iam_policy_attachment.x", None, {"roles": ["exec"], "policy_arn": FULL_ACCESS})),
        plan(STAYS, attachment(FULL_ACCESS)),
    ),
    "service-role-changed": (
        plan(change("aws_glue_job.j", {"role_arn": OWN}, {"role_arn": f"{OWN}-admin"})),
        plan(change("aws_glue_job.j", {"role_arn": OWN, "timeout": 1}, {"role_arn": OWN, "timeout": 2})),
    ),
    "not-judged": (
        plan(change("aws_iam_access_key.bob", None, {"user": "bob"})),
        plan(change("aws_iam_access_key.bob", {"user": "bob"}, {"user": "bob"})),
    ),
}


def raised(content: bytes) -> set[str]:
    return {finding.rule for finding in report.review(plans.parse(content, "plan")).findings}


def test_every_rule_has_two_plans() -> None:
    # the others decide nothing themselves, see test_access_analyzer.py
    assert CASES.keys() | ACCESS_ANALYZER == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_is_raised_where_it_must_be(rule: str) -> None:
    assert rule in raised(CASES[rule][0])


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_is_not_raised_where_it_must_not_be(rule: str) -> None:
    assert rule not in raised(CASES[rule][1])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_names_its_remedy_in_one_line(rule: Any) -> None:
    for text in (rule.raised, rule.remedy):
        assert text
        assert "\n" not in text
        assert not text.endswith(".")


def test_the_grants_of_a_role_are_no_drift_of_the_attributes_that_list_them() -> None:
    inline, managed = {"inline": RECIPE_INLINE}, [GLUE_SESSIONS]
    held = {"role": "exec", "policy_arn": GLUE_SESSIONS}
    drifted = role(TRUSTED, TRUSTED, inline=({}, inline), managed=([], [*managed, FULL_ACCESS]))
    content = plan(
        role(TRUSTED, TRUSTED, inline=(inline, inline), managed=(managed, managed)),
        role_policy(RECIPE_INLINE, RECIPE_INLINE),
        change("aws_iam_role_policy_attachment.g", held, held),
        resource_drift=[drifted],
    )
    (found,) = report.review(plans.parse(content, "dev")).drift
    assert [str(name) for name, _ in found.after.policies()] == [f"managed policy {FULL_ACCESS}"]


@pytest.mark.parametrize(
    ("call", "resource", "opens"),
    [
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:role/admin", False),
        ("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/admin", True),
        ("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/*", True),
        ("iam:PutUserPolicy", "*", True),
    ],
)
def test_a_call_that_cannot_be_used_on_its_resource_opens_no_path(call: str, resource: str, opens: bool) -> None:
    assert ("privilege-escalation" in raised(gains(allow(call, resource)))) == opens


def reasons(content: bytes, rule: str) -> list[tuple[str, str]]:
    """Return reason and remedy of each finding of a rule."""
    found = report.review(plans.parse(content, "dev")).findings
    return [(finding.reason, finding.remedy) for finding in found if finding.rule == rule]


@pytest.mark.parametrize(
    ("calls", "anywhere", "named", "acts_as"),
    [
        (
            "glue:UpdateDevEndpoint",
            "arn:aws:glue:eu-west-1:*:devEndpoint/*",
            f"arn:aws:glue:*:{ACCOUNT}:devEndpoint/team",
            "the role of any Glue development endpoint",
        ),
        (
            "sagemaker:CreatePresignedNotebookInstanceUrl",
            "*",
            f"arn:aws:sagemaker:*:{ACCOUNT}:notebook-instance/team-*",
            "the role of any SageMaker notebook instance",
        ),
        (
            "lambda:UpdateFunctionCode",
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:*",
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:own",
            "the role of any Lambda function",
        ),
        ("ssm:SendCommand", "*", "arn:aws:ssm:*:*:document/*", "the role of any EC2 instance"),
        ("sts:AssumeRole", "arn:aws:iam::*:role/*", "arn:aws:iam::*:role/ci", "any role whose trust policy allows it"),
    ],
)
def test_a_call_on_resources_of_any_name_can_act_as_their_roles(
    calls: str, anywhere: str, named: str, acts_as: str
) -> None:
    assert reasons(gains(allow(calls, anywhere)), "privilege-escalation") == [
        (
            f"{calls} can act as {acts_as}",
            "remove the calls, or name the resources whose roles the caller may act as",
        )
    ]
    assert reasons(gains(allow(calls, named)), "privilege-escalation") == []


def test_an_unknown_action_of_a_trust_policy_is_named() -> None:
    misspelt = {"Effect": "Allow", "Principal": {"Service": GLUE}, "Action": ["sts:AssumeRole", "sts:AssumeRol"]}
    ((reason, _),) = reasons(trusts(TRUSTED, document(misspelt)), "unknown-action")
    assert reason.startswith("sts:AssumeRol is not an AWS action")


def test_a_policy_is_measured_as_the_configuration_and_the_plan_measure_it() -> None:
    def padded(text: str) -> str:
        condition = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": text}}}
        return document({**json.loads(trust(SAGEMAKER))["Statement"][0], **condition})

    # Terraform sends & as six characters, and counts white space in strings
    long, short = padded("& " * 300), padded("a " * 300)
    assert len(long) == len(short) < TRUST_POLICY_QUOTA
    assert reasons(trusts(TRUSTED, long), "trust-policy-too-long")[0][0].startswith(f"{size(json.loads(long)):,} ")
    assert reasons(trusts(TRUSTED, short), "trust-policy-too-long") == []


def test_a_path_of_several_calls_needs_all_of_them_on_any_resource() -> None:
    rest = ["sagemaker:StopNotebookInstance", "sagemaker:StartNotebookInstance"]
    update = "sagemaker:UpdateNotebookInstance"
    own = f"arn:aws:sagemaker:*:{ACCOUNT}:notebook-instance/own"
    lifecycle = allow("sagemaker:CreateNotebookInstanceLifecycleConfig")
    assert len(reasons(gains(lifecycle, allow([*rest, update])), "privilege-escalation")) == 1
    assert reasons(gains(lifecycle, allow(rest), allow(update, own)), "privilege-escalation") == []
    assert reasons(gains(allow([*rest, update])), "privilege-escalation") == []


def test_resources_selected_by_a_tag_are_not_those_of_any_name() -> None:
    tagged = {"Condition": {"StringEquals": {"ssm:resourceTag/team": "data"}}}
    assert reasons(gains(allow("ssm:StartSession", **tagged)), "privilege-escalation") == []
    elsewhere = {"Condition": {"StringNotEquals": {"ssm:resourceTag/team": "data"}}}
    assert len(reasons(gains(allow("ssm:StartSession", **elsewhere)), "privilege-escalation")) == 1


def test_what_the_managed_policy_of_the_recipe_opens_is_no_finding_where_it_is_attached() -> None:
    update = role_policy(None, document(allow("glue:UpdateDevEndpoint")))
    assert reasons(plan(STAYS, attachment(GLUE_SESSIONS)), "privilege-escalation") == []
    assert reasons(plan(STAYS, attachment(GLUE_SESSIONS), update), "privilege-escalation") == []
    assert len(reasons(plan(STAYS, update), "privilege-escalation")) == 1


def test_the_remedy_of_an_escalation_fits_what_was_found() -> None:
    by_passing = reasons(gains(allow(["iam:PassRole", "ec2:RunInstances"])), "privilege-escalation")
    assert by_passing == [
        (
            "iam:PassRole with ec2:RunInstances runs code as any role that trusts ec2.amazonaws.com",
            "remove the calls that complete the path, or name the roles of iam:PassRole",
        )
    ]
    (by_writing,) = reasons(gains(allow("iam:PutUserPolicy")), "privilege-escalation")
    assert "PassRole" not in by_writing[1]


@pytest.mark.parametrize("service", ["organizations", "account", "identitystore", "sso-directory", "kms"])
def test_a_wildcard_of_an_administrative_service_is_found_and_a_wildcard_of_reads_is_not(service: str) -> None:
    assert "admin-wildcard" in raised(gains(allow(f"{service}:*")))
    assert "admin-wildcard" not in raised(gains(allow(f"{service}:Get*")))


NO_SOURCE = [
    {"StringLike": {"aws:SourceAccount": "*"}},
    {"StringLike": {"aws:SourceAccount": ["111122223333", "?*"]}},
    {"StringNotEquals": {"aws:SourceAccount": "0"}},
    {"StringEqualsIfExists": {"aws:SourceAccount": "111122223333"}},
    {"ForAllValues:StringEquals": {"aws:SourceAccount": "111122223333"}},
    {"StringLike": {"aws:SourceIdentity": "alice"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:own"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
]
A_SOURCE = [
    {"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}},
    {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}},
    {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/*"}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:111122223333:function:*"}},
    {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::own-bucket"}},
]


@pytest.mark.parametrize(("condition", "limits"), [(c, False) for c in NO_SOURCE] + [(c, True) for c in A_SOURCE])
def test_a_condition_limits_a_service_only_if_it_names_whose_resources(condition: Any, limits: bool) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    opened = trusts(TRUSTED, document({**service, "Condition": condition}))
    assert ("trust-opened-to-service" in raised(opened)) != limits


def by_provider(provider: str, **condition: Any) -> str:
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }
    )


@pytest.mark.parametrize(
    ("provider", "condition", "is_open"),
    [
        (OIDC, {"StringLike": {"token.example.com:sub": "repo:*"}}, True),
        (OIDC, {"StringLike": {"token.example.com:sub": "repo:*:ref:refs/heads/main"}}, True),
        (OIDC, {"StringLike": {"token.example.com:sub": "repo:acme*"}}, True),
        (OIDC, {"StringLike": {"token.example.com:sub": "?*"}}, True),
        (OIDC, {"StringLike": {"token.example.com:sub": "*:*"}}, True),
        (OIDC, {"StringLike": {"token.example.com:sub": ["repo:acme/app:*", "repo:*"]}}, True),
        (OIDC, {"StringNotLike": {"token.example.com:sub": "repo:acme/app:*"}}, True),
        (OIDC, {"ForAllValues:StringLike": {"token.example.com:sub": "repo:acme/app:*"}}, True),
        (OIDC, {"StringLikeIfExists": {"token.example.com:sub": "repo:acme/app:*"}}, True),
        (OIDC, {"StringLike": {"other.example.com:sub": "repo:acme/app:*"}}, True),
        (OIDC, {"StringLike": {"token.example.com:sub": "repo:acme/*"}}, False),
        (OIDC, {"StringEquals": {"token.example.com:sub": "repo:acme/app:environment:prod"}}, False),
        (OIDC, {"StringLike": {"token.example.com:sub": "system:serviceaccount:team:*"}}, False),
        ("accounts.google.com", {}, True),
        ("accounts.google.com", {"StringEquals": {"accounts.google.com:aud": "app"}}, False),
        ("cognito-identity.amazonaws.com", {}, True),
        ("cognito-identity.amazonaws.com", {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}}, False),
        ("www.amazon.com", {"StringEquals": {"www.amazon.com:app_id": "app"}}, False),
        ("graph.facebook.com", {"StringLike": {"graph.facebook.com:app_id": "*"}}, True),
    ],
)
def test_an_identity_provider_is_open_unless_a_condition_fixes_an_owner(
    provider: str, condition: dict[str, Any], is_open: bool
) -> None:
    found = raised(trusts(TRUSTED, by_provider(provider, **condition)))
    assert ("trust-opened-to-identity-provider" in found) == is_open


@pytest.mark.parametrize("principal", [{"Service": "*"}, {"Federated": "*"}, {"AWS": "*"}])
def test_a_wildcard_of_any_kind_of_principal_is_everyone(principal: dict[str, str]) -> None:
    text = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    assert "trust-opened-to-everyone" in raised(trusts(TRUSTED, text))


def test_a_saml_provider_of_another_account_is_another_account() -> None:
    for account, foreign in ((ACCOUNT, False), ("999999999999", True)):
        text = by_provider(f"arn:aws:iam::{account}:saml-provider/corp")
        assert ("trust-opened-to-account" in raised(trusts(TRUSTED, text))) == foreign


BOB_DENIED = {
    "Effect": "Deny",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
}
ACCOUNT_TRUSTED = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (document(ACCOUNT_TRUSTED), True),
        (document(ACCOUNT_TRUSTED, {**BOB_DENIED, "Action": "sts:TagSession"}), True),
        (document(ACCOUNT_TRUSTED, {**BOB_DENIED, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}), True),
        (document({**BOB_DENIED, "Action": "sts:*"}, ACCOUNT_TRUSTED), False),
        (document(*({**BOB_DENIED, "Action": action} for action in BOB_DENIED["Action"]), ACCOUNT_TRUSTED), False),
    ],
)
def test_a_denial_lost_from_the_trust_policy_is_a_denial_lost(after: str, lost: bool) -> None:
    assert ("denial-lost" in raised(trusts(document(ACCOUNT_TRUSTED, BOB_DENIED), after))) == lost


LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/limit"
IAM_DENIED = {**allow("iam:*"), "Effect": "Deny"}


def limits(before: Any, after: Any) -> dict[str, Any]:
    """Return the change of the managed policy that is the boundary of `LIMITED`."""
    sides = ({"name": "limit", "arn": LIMIT, "policy": document(allow("*"), *each)} for each in (before, after))
    return change("aws_iam_policy.limit", *sides)


LIMITED = role(TRUSTED, TRUSTED, boundary=(LIMIT, LIMIT))
SAME_DENIED = role_policy(document(IAM_DENIED), document(IAM_DENIED))
ATTACHMENT = {"role": "exec", "policy_arn": LIMIT}


@pytest.mark.parametrize(
    "others",
    [
        [],
        [SAME_DENIED, change("aws_iam_role_policy_attachment.limit", ATTACHMENT, ATTACHMENT)],
        [attachment(LIMIT)],
    ],
    ids=["only a boundary", "attached beside another policy that denies the same", "attached by this plan"],
)
@pytest.mark.parametrize("lost", [True, False])
def test_a_denial_lost_from_the_document_of_a_boundary_is_a_denial_lost(others: Any, lost: bool) -> None:
    content = plan(LIMITED, limits([IAM_DENIED], [] if lost else [{**IAM_DENIED, "Sid": "Iam"}]), *others)
    found = report.review(plans.parse(content, "plan")).findings
    where = [each.address for each in found if each.rule == "denial-lost"]
    assert where == ["aws_iam_policy.limit"] * lost


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


@pytest.mark.parametrize("kind", ["user", "group"])
@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("policy", {"name": "p", "policy": document(allow("*"))}),
        ("policy_attachment", {"policy_arn": ADMIN}),
    ],
)
def test_a_user_and_a_group_are_evaluated_as_a_role_is(kind: str, part: str, values: dict[str, Any]) -> None:
    of = {kind: "mallory", **values}
    (found,) = report.review(plans.parse(plan(change(f"aws_iam_{kind}_{part}.x", None, of)), "dev")).findings
    assert (found.rule, found.role) == ("everything-allowed", "mallory")
    assert found.reason == f"{kind} mallory: every action on everything is allowed"
    assert raised(plan(change(f"aws_iam_{kind}_{part}.x", of, of))) == set()


def test_an_attachment_to_several_names_each() -> None:
    values = {"name": "a", "users": ["mallory"], "groups": ["devs"], "roles": ["exec"], "policy_arn": ADMIN}
    found = report.review(plans.parse(plan(change("aws_iam_policy_attachment.a", None, values)), "dev")).findings
    assert [each.role for each in found if each.rule == "everything-allowed"] == ["exec", "mallory", "devs"]


def test_a_user_without_its_boundary_is_reported() -> None:
    bounded, free = ({"name": "bob", "permissions_boundary": boundary} for boundary in (BOUNDARY, None))
    assert raised(plan(change("aws_iam_user.bob", bounded, free))) == {"boundary-changed"}
    assert raised(plan(change("aws_iam_user.bob", free, bounded))) == set()


def test_a_deleted_user_is_reported_and_a_created_one_is_not() -> None:
    assert raised(plan(change("aws_iam_user.bob", {"name": "bob"}, None))) == {"role-destroyed"}
    assert raised(plan(change("aws_iam_user.bob", None, {"name": "bob"}))) == set()


@pytest.mark.parametrize(("kind", "quota"), [("user", 2_048), ("group", 5_120)])
def test_the_quota_of_inline_policies_is_that_of_the_kind(kind: str, quota: int) -> None:
    for length, too_long in ((quota - 300, False), (quota + 300, True)):
        values = {"name": "p", kind: "x", "policy": long(length)}
        found = raised(plan(change(f"aws_iam_{kind}_policy.p", None, values)))
        assert ("inline-policies-too-long" in found) == too_long
