"""Authorization of role sessions, without Spark: with the real managed policies and AWS's messages."""

import contextlib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.launcher import Decision, Sandbox
from tests.sandbox.conftest import Role, policy, trust

RESTRICTED = "service-role/AwsGlueSessionUserRestrictedServiceRole"
SESSION_ARN = "arn:aws:glue:us-east-1:123456789012:session/"
SESSION = {"Command": {"Name": "glueetl", "PythonVersion": "3"}}


@pytest.fixture(scope="module")
def role(sandbox: Sandbox) -> Role:
    """Return a role that trusts only SageMaker, so that no session ever starts."""
    return Role(sandbox, "notebook", "sagemaker.amazonaws.com")


def create_session(role: Role, **more: Any) -> Any:
    request = {"Id": "s", "Role": role.arn, "Tags": {"owner": role.user_id}, **SESSION, **more}
    return role.client("glue").create_session(**request)


def test_get_caller_identity_needs_no_permission(role: Role) -> None:
    role.allow({"Effect": "Deny", "Action": "*", "Resource": "*"})
    assert role.client("sts").get_caller_identity()["UserId"] == role.user_id


def test_a_role_without_grants_gets_the_access_denied_message_of_aws(role: Role) -> None:
    role.allow({"Action": "logs:GetLogEvents", "Resource": "*"})
    with pytest.raises(ClientError) as denied:
        create_session(role)
    assert denied.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": "User: arn:aws:sts::123456789012:assumed-role/notebook/SageMaker is not authorized to perform: "
        f"glue:CreateSession on resource: {SESSION_ARN}s because no identity-based policy allows the "
        "glue:CreateSession action",
    }
    assert role.sandbox.decisions()[-1] == Decision(
        "arn:aws:sts::123456789012:assumed-role/notebook/SageMaker",
        "glue:CreateSession",
        f"{SESSION_ARN}s",
        "ImplicitlyDenied",
    )


def test_query_services_deny_access_in_their_own_format(role: Role) -> None:
    role.allow({"Action": "iam:GetRole", "Resource": "arn:aws:iam::*:role/GlueServiceRole*"})
    with pytest.raises(ClientError) as denied:
        role.client("iam").get_role(RoleName="notebook")
    assert denied.value.response["Error"]["Code"] == "AccessDenied"
    assert denied.value.response["Error"]["Message"] == (
        "User: arn:aws:sts::123456789012:assumed-role/notebook/SageMaker is not authorized to perform: iam:GetRole "
        "on resource: role notebook because no identity-based policy allows the iam:GetRole action"
    )
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_get_role_needs_permission_on_the_arn_with_its_path(role: Role) -> None:
    role.allow({"Action": "iam:GetRole", "Resource": role.arn})
    assert role.client("iam").get_role(RoleName="notebook")["Role"]["Arn"] == role.arn
    assert ":role/service-role/notebook" in role.arn
    role.allow({"Action": "iam:GetRole", "Resource": "arn:aws:iam::123456789012:role/notebook"})
    with pytest.raises(ClientError, match="iam:GetRole"):
        role.client("iam").get_role(RoleName="notebook")


PASSES_ITSELF = {"Action": "iam:PassRole", "Resource": "*"}
SESSIONS = {"Action": ["glue:CreateSession", "glue:TagResource"], "Resource": f"{SESSION_ARN}*"}


@pytest.mark.parametrize(
    ("statements", "denied_action"),
    [
        ([SESSIONS, PASSES_ITSELF], None),
        ([SESSIONS | {"Resource": "*"}, PASSES_ITSELF], None),
        ([SESSIONS | {"Resource": f"{SESSION_ARN}other"}, PASSES_ITSELF], "glue:CreateSession"),
        ([SESSIONS | {"Action": "glue:CreateSession"}, PASSES_ITSELF], "glue:TagResource"),
        ([SESSIONS], "iam:PassRole"),
        (
            [SESSIONS | {"Condition": {"StringEquals": {"aws:RequestTag/owner": "somebody"}}}, PASSES_ITSELF],
            "glue:CreateSession",
        ),
        (
            [SESSIONS | {"Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}}, PASSES_ITSELF],
            "glue:CreateSession",
        ),
        (
            [
                SESSIONS,
                PASSES_ITSELF,
                {"Effect": "Deny", **SESSIONS, "Condition": {"StringEquals": {"aws:RequestTag/owner": "nobody"}}},
            ],
            None,
        ),
        ([{"Effect": "Deny", "Action": "glue:*", "NotResource": "arn:aws:s3:::*"}], "glue:CreateSession"),
        ([{"Action": "glue:*", "Resource": "*"}], "iam:PassRole"),
        (
            [SESSIONS, PASSES_ITSELF | {"Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}}],
            None,
        ),
        (
            [
                SESSIONS,
                PASSES_ITSELF | {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
            ],
            "iam:PassRole",
        ),
    ],
    ids=[
        "allowed",
        "allowed on all",
        "another session's ARN",
        "tags not allowed",
        "passing not allowed",
        "tag's condition not met",
        "tag keys' condition not met",
        "deny whose condition is not met",
        "nothing but a deny",
        "all of Glue but no passing",
        "passed to Glue",
        "passed to another service",
    ],
)
def test_resources_conditions_tags_and_passed_roles_are_authorized(
    role: Role, statements: list[dict[str, Any]], denied_action: str | None
) -> None:
    role.allow(*statements)
    with pytest.raises(ClientError) as answer:
        create_session(role)
    if denied_action:
        assert answer.value.response["Error"]["Code"] == "AccessDeniedException"
        assert f"not authorized to perform: {denied_action} on resource" in str(answer.value)
    else:  # all permissions are granted, but the role does not trust Glue
        assert answer.value.response["Error"] == {
            "Code": "InvalidInputException",
            "Message": f"Role {role.arn} should be given assume role permissions for Glue Service.",
        }


def test_an_explicit_deny_is_named_in_the_message(role: Role) -> None:
    role.allow(SESSIONS, {"Effect": "Deny", "Action": "glue:CreateSession", "Resource": "*"})
    with pytest.raises(ClientError, match=r"with an explicit deny in an identity-based policy$"):
        create_session(role)


def test_the_managed_policy_requires_the_owner_tag_of_the_user(sandbox: Sandbox) -> None:
    role = Role(sandbox, "restricted", "sagemaker.amazonaws.com")
    role.attach(RESTRICTED)
    role.allow({"Action": "iam:PassRole", "Resource": role.arn})
    with pytest.raises(ClientError, match="assume role permissions for Glue"):
        create_session(role)
    for tags in ({}, {"owner": "AROA:another"}, {"team": role.user_id}):
        with pytest.raises(ClientError, match="not authorized to perform: glue:CreateSession"):
            create_session(role, Tags=tags)


def test_a_permissions_boundary_limits_what_policies_grant(sandbox: Sandbox) -> None:
    role = Role(sandbox, "bounded", "sagemaker.amazonaws.com")
    role.allow(SESSIONS, PASSES_ITSELF)
    iam = sandbox.client("iam")
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=policy({"Action": "s3:*", "Resource": "*"}))[
        "Policy"
    ]["Arn"]
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=boundary)
    with pytest.raises(ClientError, match=r"because no permissions boundary allows the glue:CreateSession action$"):
        create_session(role)
    iam.delete_role_permissions_boundary(RoleName="bounded")
    with pytest.raises(ClientError, match="assume role permissions for Glue"):
        create_session(role)


def test_a_boundary_that_does_not_exist_is_rejected(role: Role) -> None:
    with pytest.raises(ClientError, match="NoSuchEntity"):
        role.iam.put_role_permissions_boundary(
            RoleName="notebook", PermissionsBoundary="arn:aws:iam::123456789012:policy/none"
        )


def test_a_role_passed_to_sagemaker_needs_pass_role(role: Role) -> None:
    other = "arn:aws:iam::123456789012:role/other"
    create = {"Action": "sagemaker:CreateModel", "Resource": "*"}
    to_glue = PASSES_ITSELF | {
        "Resource": role.arn,
        "Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
    }
    sagemaker = role.client("sagemaker")
    role.allow(create, to_glue)
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {role.arn}"):
        sagemaker.create_model(ModelName="m", ExecutionRoleArn=role.arn)
    role.allow(create, PASSES_ITSELF | {"Resource": role.arn})
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {other}"):
        sagemaker.create_model(ModelName="m", ExecutionRoleArn=other)
    assert sagemaker.create_model(ModelName="m", ExecutionRoleArn=role.arn)["ModelArn"]


def test_s3_is_authorized_by_bucket_and_object(role: Role) -> None:
    operator = role.sandbox.client("s3")
    operator.create_bucket(Bucket="ours")
    operator.create_bucket(Bucket="theirs")
    role.allow(
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::ours/data/*"},
        {"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::ours/data/old/*"},
        {
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::ours",
            "Condition": {"StringLike": {"s3:prefix": "data/*"}},
        },
    )
    s3 = role.client("s3")
    s3.put_object(Bucket="ours", Key="data/a b", Body=b"x")
    assert s3.get_object(Bucket="ours", Key="data/a b")["Body"].read() == b"x"
    assert s3.list_objects_v2(Bucket="ours", Prefix="data/")["KeyCount"] == 1
    denied_calls: list[Callable[[], Any]] = [
        lambda: s3.put_object(Bucket="ours", Key="other", Body=b""),
        lambda: s3.head_bucket(Bucket="ours"),
        lambda: s3.list_objects_v2(Bucket="ours"),
        lambda: s3.list_objects_v2(Bucket="ours", Prefix="other/"),
        lambda: s3.list_objects_v2(Bucket="theirs", Prefix="data/"),
        lambda: s3.list_buckets(),
        lambda: s3.delete_object(Bucket="ours", Key="data/a b"),
    ]
    for call in denied_calls:
        with pytest.raises(ClientError) as denied:
            call()
        assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_settings_of_a_bucket_and_policies_of_keys_have_their_own_actions(role: Role) -> None:
    role.sandbox.client("s3").create_bucket(Bucket="settings")
    operator: Any = role.sandbox.client("kms")  # type: ignore[call-overload]
    key = operator.create_key()["KeyMetadata"]["Arn"]
    s3 = role.client("s3")
    kms: Any = role.client("kms")
    calls: dict[str, tuple[str, Callable[[], Any]]] = {
        "s3:GetEncryptionConfiguration": (
            "arn:aws:s3:::settings",
            lambda: s3.get_bucket_encryption(Bucket="settings"),
        ),
        "s3:PutBucketOwnershipControls": (
            "arn:aws:s3:::settings",
            lambda: s3.delete_bucket_ownership_controls(Bucket="settings"),
        ),
        "kms:GetKeyPolicy": (key, lambda: kms.get_key_policy(KeyId=key.rpartition("/")[2], PolicyName="default")),
    }
    role.allow({"Action": ["s3:ListBucket", "s3:CreateBucket", "s3:DeleteBucket"], "Resource": "*"})
    for action, (resource, call) in calls.items():
        with pytest.raises(ClientError, match=f"{action} on resource: "):
            call()
        role.allow({"Action": action, "Resource": resource})
        with contextlib.suppress(ClientError):  # a bucket without such settings
            call()
        last = role.sandbox.decisions()[-1]
        assert (last.action, last.resource, last.result) == (action, resource, "Allowed")


def test_s3_needs_permission_on_the_key_of_an_encrypted_object(role: Role) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-96ef-1234567890ab"
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    role.sandbox.client("s3").create_bucket(Bucket="encrypted")
    s3 = role.client("s3")
    objects = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::encrypted/*"}
    role.allow(objects)
    s3.put_object(Bucket="encrypted", Key="plain", Body=b"x")
    with pytest.raises(ClientError, match=f"not authorized to perform: kms:GenerateDataKey on resource: {key}"):
        s3.put_object(Bucket="encrypted", Key="k", Body=b"x", **encrypted)
    role.allow(objects, {"Action": "kms:GenerateDataKey", "Resource": key})
    s3.put_object(Bucket="encrypted", Key="k", Body=b"x", **encrypted)
    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        s3.get_object(Bucket="encrypted", Key="k")
    role.allow(objects, {"Action": "kms:Decrypt", "Resource": key})
    assert s3.get_object(Bucket="encrypted", Key="k")["Body"].read() == b"x"


def test_a_presigned_url_is_authorized_as_its_signer(role: Role) -> None:
    role.sandbox.client("s3").create_bucket(Bucket="signed")
    role.sandbox.client("s3").put_object(Bucket="signed", Key="k", Body=b"x")
    address = role.client("s3").generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "k"})
    context = ssl.create_default_context(cafile=str(role.sandbox.certificate_authority))
    role.allow({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::signed/k"})
    with urllib.request.urlopen(address, context=context) as response:
        assert response.read() == b"x"
    role.allow({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::signed/other"})
    with pytest.raises(urllib.error.HTTPError, match="403") as denied:
        urllib.request.urlopen(address, context=context)
    denied.value.close()


def test_a_role_assumes_another_only_if_that_one_trusts_it(role: Role) -> None:
    role.allow({"Action": "sts:AssumeRole", "Resource": "*"})
    role.iam.create_role(RoleName="closed", AssumeRolePolicyDocument=trust("ec2.amazonaws.com"))
    trusting = policy({"Principal": {"AWS": role.arn}, "Action": "sts:AssumeRole"})
    role.iam.create_role(RoleName="open", AssumeRolePolicyDocument=trusting)
    sts = role.client("sts")
    assert sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/open", RoleSessionName="session")["Credentials"]
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/closed", RoleSessionName="session")


def test_a_wrong_session_token_is_rejected(role: Role) -> None:
    role.allow({"Action": "*", "Resource": "*"})
    client = role.client("glue")
    client._request_signer._credentials.token = "wrong"
    with pytest.raises(ClientError, match="security token included in the request is invalid"):
        client.list_sessions()


def test_requests_to_other_services_are_not_implemented(role: Role) -> None:
    role.allow({"Action": "*", "Resource": "*"})
    with pytest.raises(
        ClientError, match="does not have this operation: requests of a role to resourcegroupstaggingapi"
    ):
        role.client("resourcegroupstaggingapi").get_resources()


def test_the_operators_requests_are_always_allowed(sandbox: Sandbox) -> None:
    before = len(sandbox.decisions())
    assert sandbox.client("glue").list_sessions()["Ids"] == []
    assert len(sandbox.decisions()) == before


def test_simulation_agrees_with_the_decisions(sandbox: Sandbox) -> None:
    role = Role(sandbox, "simulated", "sagemaker.amazonaws.com")
    role.attach(RESTRICTED)
    role.allow({"Action": "iam:PassRole", "Resource": role.arn}, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"})

    def simulate(action: str, resource: str | None = None, **context: str | list[str]) -> Any:
        entries = [
            {
                "ContextKeyName": key.replace("__", "/").replace("_", ":"),
                "ContextKeyType": "string" if isinstance(value, str) else "stringList",
                "ContextKeyValues": [value] if isinstance(value, str) else value,
            }
            for key, value in context.items()
        ]
        answer = sandbox.client("iam").simulate_principal_policy(
            PolicySourceArn=role.arn,
            ActionNames=[action],
            ContextEntries=entries,  # type: ignore[arg-type]
            **({"ResourceArns": [resource]} if resource else {}),  # type: ignore[arg-type]
        )
        assert not answer["IsTruncated"]
        return answer["EvaluationResults"][0]

    owner: dict[str, str | list[str]] = {"aws_RequestTag__owner": "me", "aws_TagKeys": ["owner"], "aws_userid": "me"}
    assert simulate("glue:CreateSession", f"{SESSION_ARN}x", **owner)["EvalDecision"] == "allowed"
    unowned = simulate("glue:CreateSession", f"{SESSION_ARN}x")
    assert unowned["EvalDecision"] == "implicitDeny"
    assert "aws:userid" in unowned["MissingContextValues"]
    assert simulate("iam:PassRole", role.arn)["EvalDecision"] == "allowed"
    assert simulate("iam:PassRole")["EvalResourceName"] == "*"
    assert simulate("iam:PassRole")["EvalDecision"] == "implicitDeny"
    assert simulate("glue:ListSessions")["EvalDecision"] == "allowed"
    denied = simulate("s3:GetObject", "arn:aws:s3:::b/k")
    assert denied["EvalDecision"] == "explicitDeny"
    assert "PermissionsBoundaryDecisionDetail" not in denied

    iam = sandbox.client("iam")
    boundary = iam.create_policy(PolicyName="few", PolicyDocument=policy({"Action": "iam:*", "Resource": "*"}))
    iam.put_role_permissions_boundary(RoleName="simulated", PermissionsBoundary=boundary["Policy"]["Arn"])
    stopped = simulate("glue:ListSessions")
    assert stopped["EvalDecision"] == "implicitDeny"
    assert stopped["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    assert simulate("iam:PassRole", role.arn)["PermissionsBoundaryDecisionDetail"] == {
        "AllowedByPermissionsBoundary": True
    }


def test_simulating_an_unknown_role_or_action_is_a_client_error(sandbox: Sandbox, role: Role) -> None:
    iam = sandbox.client("iam")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/nobody", ActionNames=["s3:GetObject"]
        )
    with pytest.raises(ClientError, match=r"InvalidInput.*glue:Nothing"):
        iam.simulate_principal_policy(PolicySourceArn=role.arn, ActionNames=["glue:Nothing"])


def test_simulation_needs_permission(role: Role) -> None:
    role.allow({"Action": "iam:SimulatePrincipalPolicy", "Resource": role.arn})
    simulate = role.client("iam").simulate_principal_policy
    assert simulate(PolicySourceArn=role.arn, ActionNames=["iam:GetRole"])["EvaluationResults"]
    role.allow({"Action": "iam:GetRole", "Resource": role.arn})
    with pytest.raises(ClientError, match="iam:SimulatePrincipalPolicy"):
        simulate(PolicySourceArn=role.arn, ActionNames=["iam:GetRole"])
