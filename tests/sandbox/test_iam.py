"""IAM's rules for trust policies, and its quotas."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from sandbox.launcher import Sandbox

SAGEMAKER = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [SAGEMAKER]})


def trust(*statements: Any, **document: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **document})


@pytest.fixture
def role(sandbox: Sandbox, request: pytest.FixtureRequest) -> str:
    iam = sandbox.client("iam")
    name = f"role-{abs(hash(request.node.nodeid)):x}"
    iam.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=TRUST)
    return name


LEGAL = {
    "version 2008": json.dumps({"Version": "2008-10-17", "Statement": [SAGEMAKER]}),
    "no version": json.dumps({"Statement": [SAGEMAKER]}),
    "an id": trust(SAGEMAKER, Id="policy"),
    "a statement that is no list": trust(Statement=SAGEMAKER),
    "an unusual layout": '{\n\t"Statement" : [ ' + json.dumps(SAGEMAKER, indent=3) + ' ] ,\n"Version":"2012-10-17"}',
    "lists": trust({**SAGEMAKER, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:SetContext"]}),
    "several services": trust(
        {**SAGEMAKER, "Principal": {"Service": ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]}}
    ),
    "everybody, denied": trust(SAGEMAKER, {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}),
    "all but one, denied": trust(
        SAGEMAKER,
        {
            "Effect": "Deny",
            "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "sts:AssumeRole",
        },
    ),
    "conditions": trust(
        {
            **SAGEMAKER,
            "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:*"},
                "NumericLessThan": {"aws:MultiFactorAuthAge": 3600},
                "Bool": {"aws:MultiFactorAuthPresent": True},
                "ForAllValues:StringLike": {"aws:TagKeys": ["datazone*"]},
                "StringEqualsIfExists": {"aws:SourceAccount": ["111122223333"]},
            },
        }
    ),
    "people": trust(
        {
            "Sid": "People1",
            "Effect": "Allow",
            "Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:role/path/ci", "*"]},
            "Action": "sts:AssumeRole",
        }
    ),
    "web identity": trust(
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.example.com"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"token.actions.example.com:aud": "sts.amazonaws.com"}},
        }
    ),
}


@pytest.mark.parametrize("document", LEGAL.values(), ids=LEGAL)
def test_a_valid_trust_policy_is_kept_word_for_word(sandbox: Sandbox, role: str, document: str) -> None:
    iam = sandbox.client("iam")
    returned: list[str] = []
    iam.meta.events.register(  # before botocore decodes it
        "before-parse.iam.GetRole",
        lambda response_dict, **_: returned.append(response_dict["body"].decode()),
    )
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == json.loads(document)
    assert quote(document) in returned[0]
    iam.create_role(RoleName=f"{role}-2", AssumeRolePolicyDocument=document)


ILLEGAL = {
    "no JSON": ("{", "This policy contains invalid Json"),
    "a key twice": ('{"Version":"2012-10-17","Version":"2012-10-17"}', "This policy contains invalid Json"),
    "a list": ("[]", "Syntax errors in policy."),
    "no statement": (trust(), "Syntax errors in policy."),
    "an unknown version": (trust(SAGEMAKER, Version="2026-01-01"), "Syntax errors in policy."),
    "an unknown element": (trust({**SAGEMAKER, "Foo": 1}), "Syntax errors in policy."),
    "an effect in lower case": (trust({**SAGEMAKER, "Effect": "allow"}), "Syntax errors in policy."),
    "a resource": (trust({**SAGEMAKER, "Resource": "*"}), "Has prohibited field Resource"),
    "no principal": (
        trust({"Effect": "Allow", "Action": "sts:AssumeRole"}),
        "Missing required field Principal",
    ),
    "no action": (
        trust({"Effect": "Allow", "Principal": SAGEMAKER["Principal"]}),
        "Missing required field Action",
    ),
    "another service's action": (
        trust({**SAGEMAKER, "Action": "glue:CreateSession"}),
        "AssumeRole policy may only specify STS AssumeRole actions.",
    ),
    "an empty list": (trust({**SAGEMAKER, "Action": []}), "Syntax errors in policy."),
    "an unknown condition": (
        trust({**SAGEMAKER, "Condition": {"Foo": {"a": "b"}}}),
        "Syntax errors in policy.",
    ),
    "a deleted role": (
        trust({**SAGEMAKER, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}),
        'Invalid principal in policy: "AWS":"AROAEXAMPLEEXAMPLE123"',
    ),
    "a service without a domain": (
        trust({**SAGEMAKER, "Principal": {"Service": "glue"}}),
        'Invalid principal in policy: "SERVICE":"glue"',
    ),
    "all but one, allowed": (
        trust({"Effect": "Allow", "NotPrincipal": {"AWS": "*"}, "Action": "sts:AssumeRole"}),
        "Allow with NotPrincipal is not allowed.",
    ),
    "a Sid with an underscore": (
        trust({**SAGEMAKER, "Sid": "a_b"}),
        "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
        "[0-9A-Za-z]*",
    ),
    "a Sid twice": (
        trust({**SAGEMAKER, "Sid": "a"}, {**SAGEMAKER, "Sid": "a"}),
        "Statement IDs (SID) in a single policy must be unique.",
    ),
}


@pytest.mark.parametrize(("document", "message"), ILLEGAL.values(), ids=ILLEGAL)
def test_an_invalid_trust_policy_is_rejected_and_changes_nothing(
    sandbox: Sandbox, role: str, document: str, message: str
) -> None:
    iam = sandbox.client("iam")

    def update() -> object:
        return iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)

    def create() -> object:
        return iam.create_role(RoleName=f"{role}-2", AssumeRolePolicyDocument=document)

    for write in (update, create):
        error = error_of(write)
        assert (error["Code"], error["Message"]) == ("MalformedPolicyDocument", message)
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == json.loads(TRUST)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=f"{role}-2")


@pytest.mark.parametrize("extra", [{"Principal": "*"}, {"Sid": "unique_statement_id"}])
def test_an_inline_policy_with_a_principal_or_an_invalid_sid_is_rejected(
    sandbox: Sandbox, role: str, extra: dict[str, str]
) -> None:
    iam = sandbox.client("iam")
    document = trust({"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*", **extra})
    error = error_of(lambda: iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document))
    assert error["Code"] == "MalformedPolicyDocument"
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == []


def test_a_deleted_role_leaves_its_unique_id_in_trust_policies(sandbox: Sandbox, role: str) -> None:
    iam = sandbox.client("iam")
    gone = iam.create_role(RoleName=f"{role}-gone", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.update_assume_role_policy(
        RoleName=role, PolicyDocument=trust({**SAGEMAKER, "Principal": {"AWS": [gone["Arn"]]}})
    )
    iam.delete_role(RoleName=gone["RoleName"])
    document: Any = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    assert document["Statement"][0]["Principal"] == {"AWS": [gone["RoleId"]]}
    assert gone["RoleId"].startswith("AROA")


def error_of(call: Callable[[], object]) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call()
    return dict(caught.value.response["Error"])


def trust_policy_of(size: int) -> str:
    """Return a trust policy of `size` characters, and with much white space, which does not count."""
    empty = trust({**SAGEMAKER, "Condition": {"StringEquals": {"aws:SourceAccount": ""}}})
    padding = "1" * (size - len("".join(empty.split())))
    document = trust({**SAGEMAKER, "Condition": {"StringEquals": {"aws:SourceAccount": padding}}})
    return json.dumps(json.loads(document), indent=20)


def test_a_trust_policy_may_have_2048_characters_excluding_white_space(sandbox: Sandbox, role: str) -> None:
    iam = sandbox.client("iam")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust_policy_of(2048))
    error = error_of(lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust_policy_of(2049)))
    assert (error["Code"], error["Message"]) == (
        "LimitExceeded",
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )


def test_inline_policies_may_have_10240_characters_together(sandbox: Sandbox, role: str) -> None:
    iam = sandbox.client("iam")

    def put(name: str, size: int) -> object:
        document = trust({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::"})
        padding = "x" * (size - len("".join(document.split())))
        document = document.replace("arn:aws:s3:::", f"arn:aws:s3:::{padding}")
        return iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    put("one", 5000)
    put("two", 5240)
    put("two", 5240)  # replaces itself
    error = error_of(lambda: put("three", 120))
    assert (error["Code"], error["Message"]) == (
        "LimitExceeded",
        f"Maximum policy size of 10240 bytes exceeded for role {role}",
    )
    assert sorted(iam.list_role_policies(RoleName=role)["PolicyNames"]) == ["one", "two"]


def test_ten_managed_policies_may_be_attached(sandbox: Sandbox, role: str) -> None:
    iam = sandbox.client("iam")
    policies = iam.list_policies(Scope="AWS", MaxItems=11)["Policies"]
    for policy in policies[:10]:
        iam.attach_role_policy(RoleName=role, PolicyArn=policy["Arn"])
    iam.attach_role_policy(RoleName=role, PolicyArn=policies[0]["Arn"])  # attached already
    error = error_of(lambda: iam.attach_role_policy(RoleName=role, PolicyArn=policies[10]["Arn"]))
    assert (error["Code"], error["Message"]) == (
        "LimitExceeded",
        "Cannot exceed quota for PoliciesPerRole: 10",
    )
    assert len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) == 10
    assert iam.get_policy(PolicyArn=policies[0]["Arn"])["Policy"]["AttachmentCount"] == 1


def test_raised_quotas_are_enforced_and_in_the_account_summary() -> None:
    with Sandbox(["--trust-policy-quota", "4096", "--attached-policies-quota", "20"]) as sandbox:
        iam = sandbox.client("iam")
        iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust_policy_of(4096))
        for policy in iam.list_policies(Scope="AWS", MaxItems=20)["Policies"]:
            iam.attach_role_policy(RoleName="role", PolicyArn=policy["Arn"])
        summary: dict[str, int] = dict(iam.get_account_summary()["SummaryMap"])  # type: ignore[arg-type]
        assert summary["AssumeRolePolicySizeQuota"] == 4096
        assert summary["AttachedPoliciesPerRoleQuota"] == 20


def test_the_managed_policies_that_the_kernel_needs_exist(sandbox: Sandbox) -> None:
    arn = "arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
    policy = sandbox.client("iam").get_policy(PolicyArn=arn)["Policy"]
    assert policy["PolicyName"] == "AwsGlueSessionUserRestrictedServiceRole"


def test_a_sagemaker_domain_keeps_its_execution_role(sandbox: Sandbox) -> None:
    sagemaker = sandbox.client("sagemaker")
    arn = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-1"
    created = sagemaker.create_domain(
        DomainName="demo",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": arn},
        SubnetIds=["subnet-1"],
        VpcId="vpc-1",
    )
    description = sagemaker.describe_domain(DomainId=created["DomainArn"].rpartition("/")[2])
    assert description["DefaultUserSettings"]["ExecutionRole"] == arn


def test_names_of_roles_are_not_distinguished_by_case(sandbox: Sandbox, role: str) -> None:
    iam = sandbox.client("iam")
    assert iam.get_role(RoleName=role.upper())["Role"]["RoleName"] == role
    with pytest.raises(ClientError, match=f"Role with name {role.upper()} already exists."):
        iam.create_role(RoleName=role.upper(), AssumeRolePolicyDocument=TRUST)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName=f"{role}-other")
