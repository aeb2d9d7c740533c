import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from aws.account import Account, Calls
from aws.errors import Errors
from aws.roles import NoRole, read_quotas, read_roles
from iam.documents.quotas import Quotas
from iam.role import Role
from sandbox.launcher import Sandbox
from tests.aws_proxy import aws_proxy

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
DENY = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "glue:*", "Resource": "*"}}
S3 = "arn:aws:iam::aws:policy/AmazonS3FullAccess"


def no_progress(step: str, total: int) -> Callable[[], object]:
    return lambda: None


def test_roles_are_read_with_their_policies_and_each_shared_policy_once(
    aws: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam, errors = aws.client("iam"), Errors()
    for name in ("first-role", "second-role", "secret-role"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=S3)
    iam.attach_role_policy(RoleName="first-role", PolicyArn=S3)
    iam.put_role_policy(RoleName="second-role", PolicyName="inline", PolicyDocument=json.dumps(DENY))
    with aws_proxy(aws) as proxy, ThreadPoolExecutor(4) as pool:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.environment["AWS_ENDPOINT_URL"])
        proxy.refuse_where("GetRole", "RoleName", "secret-role", "AccessDenied")
        account = Account(boto3.Session(), calls=Calls(), region="us-east-1")
        roles = read_roles(
            account,
            ["first-role", "second-role", "secret-role", "missing-role"],
            pool=pool,
            errors=errors,
            progress=no_progress,
        )
        operations = proxy.operations
    one, two = roles["first-role"], roles["second-role"]
    assert isinstance(one, Role)
    assert isinstance(two, Role)
    assert one.trust_policy == TRUST
    assert one.attached_policies
    assert one.boundary == two.boundary == one.attached_policies
    assert one.attached_policies[S3]
    assert (one.inline_policies, two.inline_policies, two.attached_policies) == ({}, {"inline": DENY}, {})
    assert (roles["secret-role"], roles["missing-role"]) == (NoRole.UNREADABLE, NoRole.MISSING)
    assert errors.lines == ["roles: iam:GetRole of secret-role: access denied: not today"]
    assert operations.count("GetPolicyVersion") == 1


def test_quotas_are_awss_defaults_if_the_caller_may_not_read_them(
    aws: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = Errors()
    with aws_proxy(aws) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.environment["AWS_ENDPOINT_URL"])
        proxy.refuse("GetAccountSummary", "AccessDenied")
        assert read_quotas(Account(boto3.Session(), calls=Calls()), errors) == Quotas()
    assert errors.lines == ["quotas: iam:GetAccountSummary: access denied: not today"]
