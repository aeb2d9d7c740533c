"""Resources that others may use: whom a policy lets in, and what it takes away."""

from pathlib import Path
from typing import Any

import pytest

from commands.review.__main__ import main
from plans.plan import parse
from review.report import review
from review.rules import Finding
from tests.plan_builder import ACCOUNT, change, document, plan

OTHER = "999999999999"
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:alarms"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"


def allowed(principal: Any, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": QUEUE}
    return {**statement, "Condition": condition} if condition else statement


def queue_policy(before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
    url = f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs"
    values = [None if text is None else {"queue_url": url, "policy": text} for text in (before, after)]
    return change("aws_sqs_queue_policy.jobs", *values, **more)


def findings(*changes: Any, **more: Any) -> list[Finding]:
    return list(review(parse(plan(*changes, **more), "dev")).findings)


def rules(*changes: Any, **more: Any) -> list[str]:
    return [finding.rule for finding in findings(*changes, **more)]


def opened(principal: Any, **condition: Any) -> list[str]:
    return rules(queue_policy(None, document(allowed(principal, **condition))))


EVERYONE, ON_CONDITION, TO_ACCOUNT, TO_SERVICE, LOST = (
    "resource-opened-to-everyone",
    "resource-opened-to-everyone-on-condition",
    "resource-opened-to-account",
    "resource-opened-to-service",
    "resource-access-lost",
)


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"Service": "*"}])
def test_a_resource_that_anyone_may_use_is_open_to_everyone(principal: Any) -> None:
    assert opened(principal) == [EVERYONE]


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringLike": {"aws:PrincipalOrgID": "*"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}},
        {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
        {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:alarms"}},
        {"StringLike": {"aws:SourceArn": f"arn:aws:*:{ACCOUNT}:*"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::data*"}},
        {"IpAddress": {"aws:SourceIp": ["10.0.0.0/24", "0.0.0.0/0"]}},
        {"IpAddress": {"aws:SourceIp": "2001::/16"}},
        {"StringEquals": {"aws:PrincipalTag/team": "a"}},
    ],
)
def test_a_condition_that_limits_nobody_leaves_a_resource_open_to_everyone(condition: dict[str, Any]) -> None:
    assert opened("*", **condition) == [EVERYONE]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::data/*"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}},
    ],
)
def test_a_condition_that_fixes_an_owner_limits_everyone(condition: dict[str, Any]) -> None:
    assert opened("*", **condition) == [ON_CONDITION]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": "{}"}},
        {"StringEquals": {"AWS:SourceOwner": "{}"}},
        {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:{}:*"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::{}:role/ci-*"}},
    ],
)
@pytest.mark.parametrize(("account", "raised"), [(ACCOUNT, []), (OTHER, [TO_ACCOUNT])])
def test_a_condition_on_an_account_opens_to_that_account(
    condition: dict[str, dict[str, str]], account: str, raised: list[str]
) -> None:
    filled = {
        operator: {key: value.format(account) for key, value in keys.items()} for operator, keys in condition.items()
    }
    assert opened("*", **filled) == raised


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        (f"arn:aws:iam::{OTHER}:root", [TO_ACCOUNT]),
        (OTHER, [TO_ACCOUNT]),
        (f"arn:aws:iam::{OTHER}:user/mallory", [TO_ACCOUNT]),
        ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", [TO_ACCOUNT]),
        (f"arn:aws:iam::{ACCOUNT}:root", []),
        (f"arn:aws:iam::{ACCOUNT}:role/ci", []),
    ],
)
def test_another_account_is_reported_and_the_resources_own_is_not(name: str, raised: list[str]) -> None:
    assert opened({"AWS": name}) == raised


def test_a_canonical_user_may_be_of_another_account() -> None:
    assert opened({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}) == [TO_ACCOUNT]


def test_an_account_is_reported_if_the_resources_own_is_not_known() -> None:
    statement = {**allowed({"AWS": ACCOUNT}), "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
    policy = change("aws_s3_bucket_policy.data", None, {"bucket": "data", "policy": document(statement)})
    (finding,) = findings(policy)
    assert finding.rule == TO_ACCOUNT
    assert finding.reason == (
        f"S3 bucket data: account {ACCOUNT} may s3:GetObject on arn:aws:s3:::data/* "
        "(this plan does not contain the resource's own account)"
    )


def test_an_account_is_known_from_a_resource_of_the_same_provider_configuration() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/exec"
    known = change("aws_iam_role.exec", *[{"name": "exec", "arn": arn, "assume_role_policy": document()}] * 2)
    new = change("aws_kms_key.k", None, {"policy": document({**allowed({"AWS": ACCOUNT}), "Resource": "*"})})
    for provider, raised in (("aws", []), ("aws.spoke", [TO_ACCOUNT])):
        blocks = [
            {"address": "aws_iam_role.exec", "provider_config_key": "aws", "expressions": {}},
            {"address": "aws_kms_key.k", "provider_config_key": provider, "expressions": {"policy": {}}},
        ]
        assert rules(known, new, configuration={"root_module": {"resources": blocks}}) == raised


@pytest.mark.parametrize(
    ("module", "index"),
    [("", ""), ("module.a.module.b", ""), ('module.a["x.y"]', "[0]")],
    ids=["root", "nested", "keys"],
)
def test_an_account_is_known_from_the_caller_identity_of_the_provider_configuration(module: str, index: str) -> None:
    new = change("aws_kms_key.k", None, {"policy": document({**allowed({"AWS": ACCOUNT}), "Resource": "*"})})
    caller = "data.aws_caller_identity.me"
    address = f"{module}.{caller}{index}".lstrip(".")
    read = {"address": address, "mode": "data", "type": "aws_caller_identity", "values": {"account_id": ACCOUNT}}
    for provider, raised in (("aws", []), ("aws.spoke", [TO_ACCOUNT])):
        inner: dict[str, Any] = {"resources": [{"address": caller, "provider_config_key": provider}]}
        for name in reversed([part.partition("[")[0] for part in module.split(".") if part[:1] in ("a", "b")]):
            inner = {"module_calls": {name: {"module": inner}}}
        key = {"address": "aws_kms_key.k", "provider_config_key": "aws", "expressions": {"policy": {}}}
        inner["resources"] = [*inner.get("resources", ()), key]
        more = {
            "configuration": {"root_module": inner},
            "prior_state": {"values": {"root_module": {"resources": [read]}}},
        }
        assert rules(new, **more) == raised


def test_a_service_on_behalf_of_any_account_is_reported() -> None:
    service = {"Service": "sns.amazonaws.com"}
    assert opened(service) == [TO_SERVICE]
    assert opened(service, ArnEquals={"aws:SourceArn": TOPIC}) == []
    assert opened(service, StringEquals={"aws:SourceOrgID": "o-1"}) == []
    assert opened(service, StringEquals={"aws:SourceAccount": OTHER}) == [TO_ACCOUNT]


def test_everyone_but_some_is_everyone() -> None:
    statement = allowed("*")
    del statement["Principal"]
    statement["NotPrincipal"] = {"AWS": f"arn:aws:iam::{OTHER}:root"}
    assert rules(queue_policy(None, document(statement))) == [EVERYONE]


def test_access_and_denials_that_are_lost_are_reported() -> None:
    rest = {**allowed({"AWS": ACCOUNT}), "Action": "sqs:GetQueueUrl"}
    denied = {**allowed("*"), "Effect": "Deny", "Action": "sqs:DeleteQueue"}
    both = document(allowed({"AWS": ACCOUNT}), denied, rest)
    assert rules(queue_policy(both, document(rest))) == [LOST, "denial-lost"]
    assert rules(queue_policy(both, None)) == [LOST, "denial-lost"]
    assert rules(queue_policy(both, both)) == []
    assert rules(queue_policy(None, both)) == [LOST]  # the denial


def test_nothing_is_lost_with_a_resource_that_is_deleted_itself() -> None:
    both = document(allowed({"AWS": ACCOUNT}))
    queue = change("aws_sqs_queue.jobs", {"url": f"https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs"}, None)
    assert rules(queue, queue_policy(both, None)) == []


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"unknown": {"policy": True}}, "policy-unknown"),
        ({"after_sensitive": {"policy": True}}, "policy-hidden"),
        ({}, "policy-unreadable"),
    ],
)
def test_a_policy_that_cannot_be_evaluated_is_reported_once(more: dict[str, Any], rule: str) -> None:
    (finding,) = findings(queue_policy(None, "", **more))
    assert (finding.rule, finding.address) == (rule, "aws_sqs_queue_policy.jobs")


@pytest.mark.parametrize(
    ("type_", "reference", "policy"),
    [
        ("aws_s3_bucket", {}, "policy"),
        ("aws_s3_bucket_policy", {"bucket": "b"}, "policy"),
        ("aws_kms_key", {}, "policy"),
        ("aws_kms_external_key", {}, "policy"),
        ("aws_kms_replica_key", {}, "policy"),
        ("aws_kms_replica_external_key", {}, "policy"),
        ("aws_kms_key_policy", {"key_id": "k"}, "policy"),
        ("aws_sqs_queue", {}, "policy"),
        ("aws_sqs_queue_policy", {"queue_url": "q"}, "policy"),
        ("aws_sns_topic", {}, "policy"),
        ("aws_sns_topic_policy", {"arn": TOPIC}, "policy"),
        ("aws_secretsmanager_secret", {}, "policy"),
        ("aws_secretsmanager_secret_policy", {"secret_arn": "s"}, "policy"),
        ("aws_ecr_repository_policy", {"repository": "r"}, "policy"),
        ("aws_glue_resource_policy", {}, "policy"),
    ],
)
def test_every_type_with_a_document_is_evaluated(type_: str, reference: dict[str, str], policy: str) -> None:
    open_ = {**reference, policy: document(allowed("*"))}
    assert rules(change(f"{type_}.x", None, open_)) == [EVERYONE]
    assert rules(change(f"{type_}.x", open_, open_)) == []
    assert rules(change(f"{type_}.x", open_, {**open_, "tags": {"a": "b"}})) == []


def permission(**values: Any) -> dict[str, Any]:
    return {
        "action": "lambda:InvokeFunction",
        "function_name": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f",
    } | values


@pytest.mark.parametrize(
    ("values", "raised"),
    [
        ({"principal": "*"}, [EVERYONE]),
        ({"principal": "*", "function_url_auth_type": "NONE"}, [EVERYONE]),
        ({"principal": "*", "principal_org_id": "o-1"}, [ON_CONDITION]),
        ({"principal": OTHER}, [TO_ACCOUNT]),
        ({"principal": f"arn:aws:iam::{OTHER}:role/r"}, [TO_ACCOUNT]),
        ({"principal": ACCOUNT}, []),
        ({"principal": "s3.amazonaws.com"}, [TO_SERVICE]),
        ({"principal": "s3.amazonaws.com", "source_account": ACCOUNT}, []),
        ({"principal": "s3.amazonaws.com", "source_account": OTHER}, [TO_ACCOUNT]),
        ({"principal": "sns.amazonaws.com", "source_arn": TOPIC}, []),
    ],
)
def test_a_lambda_permission_is_the_statement_that_lambda_writes(values: dict[str, str], raised: list[str]) -> None:
    assert rules(change("aws_lambda_permission.p", None, permission(**values))) == raised


def test_a_lambda_permission_with_an_unknown_argument_is_unknown_if_the_configuration_sets_it() -> None:
    new = change(
        "aws_lambda_permission.p", None, permission(principal="s3.amazonaws.com"), unknown={"source_arn": True}
    )
    assert rules(new) == ["policy-unknown"]
    for expressions, raised in (({}, [TO_SERVICE]), ({"source_arn": {"references": ["x"]}}, ["policy-unknown"])):
        block = {"address": "aws_lambda_permission.p", "expressions": expressions}
        assert rules(new, configuration={"root_module": {"resources": [block]}}) == raised


def test_permissions_of_one_function_are_compared_one_by_one() -> None:
    first, second = permission(principal=OTHER), permission(principal="*")
    found = findings(change("aws_lambda_permission.a", first, first), change("aws_lambda_permission.b", None, second))
    assert [(each.rule, each.address) for each in found] == [(EVERYONE, "aws_lambda_permission.b")]


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
def test_every_format_shows_who_may_use_the_resource(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"bucket": "data", "policy": document({**allowed("*"), "Action": "s3:GetObject"})}
    file = tmp_path / "plan.json"
    file.write_bytes(plan(change("aws_s3_bucket_policy.b", None, values)))
    assert main([str(file), "--format", format_]) == 1
    output = capsys.readouterr().out
    for text in ("bucket", "data", "anyone", "s3:GetObject", QUEUE, "1 resource policy changed"):
        assert text in output


def test_a_policy_that_changed_outside_of_terraform_is_drift() -> None:
    own, open_ = (document(allowed({"AWS": ACCOUNT})), document(allowed("*")))
    for after, drifted in ((open_, [f"SQS queue https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/jobs"]), (own, [])):
        read = review(parse(plan(resource_drift=[queue_policy(own, after)]), "dev"))
        assert [each.title for each in read.drift] == drifted


def test_a_policy_that_two_resources_may_write_last_is_reported() -> None:
    text = document(allowed({"AWS": ACCOUNT}))
    old, new = (
        {**queue_policy(*texts), "address": f"aws_sqs_queue_policy.{name}"}
        for name, texts in (("old", (text, None)), ("new", (None, text)))
    )
    (finding,) = findings(old, new)
    assert finding.rule == "policy-may-be-deleted"
    assert finding.reason.startswith("resource policy: aws_sqs_queue_policy.old deletes it")
