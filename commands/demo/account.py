"""The demo's account: a SageMaker domain with the execution role that the console creates."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws.roles import attached_policy_arns, decoded, inline_policy_names
from iam.arn import RoleArn
from iam.documents.recipe import SAGEMAKER
from iam.policy_document import Document

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

ROLE_NAME = "AmazonSageMaker-ExecutionRole-20240101T000001"


@dataclass(frozen=True)
class RoleSnapshot:
    """A role as IAM's API returns it."""

    arn: RoleArn
    trust_policy: Document
    attached_policies: frozenset[str]
    inline_policies: dict[str, Document]
    other: dict[str, object]
    """Description, path, tags, session length, boundary, id: everything that must not change."""


def create_domain(iam: "IAMClient", sagemaker: "SageMakerClient") -> str:
    """Create a domain and its execution role as the SageMaker console does; return the role's ARN."""
    role = iam.create_role(
        RoleName=ROLE_NAME,
        Path="/service-role/",
        Description="SageMaker execution role created from the SageMaker AWS Management Console.",
        AssumeRolePolicyDocument=json.dumps(trust_of_the_console()),
        Tags=[{"Key": "team", "Value": "data-science"}],
    )["Role"]
    iam.attach_role_policy(RoleName=ROLE_NAME, PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    sagemaker.create_domain(
        DomainName="data-science",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": role["Arn"]},
        SubnetIds=["subnet-0a1b2c3d"],
        VpcId="vpc-0a1b2c3d",
    )
    return role["Arn"]


def create_default_bucket(s3: "S3Client", *, account_id: str) -> None:
    """Create the bucket that SageMaker's SDK creates, and that AmazonSageMakerFullAccess gives access to."""
    s3.create_bucket(Bucket=f"sagemaker-{s3.meta.region_name}-{account_id}")


def trust_of_the_console() -> Document:
    """Return the trust policy of a role that the SageMaker console creates."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": SAGEMAKER}, "Action": "sts:AssumeRole"}],
    }


def read_role(iam: "IAMClient") -> RoleSnapshot:
    """Return the demo's role as IAM has it."""
    role = iam.get_role(RoleName=ROLE_NAME)["Role"]
    attached = attached_policy_arns(iam, ROLE_NAME)
    inline = {
        policy: decoded(iam.get_role_policy(RoleName=ROLE_NAME, PolicyName=policy)["PolicyDocument"])
        for policy in inline_policy_names(iam, ROLE_NAME)
    }
    return RoleSnapshot(
        arn=RoleArn.parse(role["Arn"]),
        trust_policy=decoded(role["AssumeRolePolicyDocument"]),
        attached_policies=frozenset(attached),
        inline_policies=inline,
        other={key: value for key, value in role.items() if key not in ("AssumeRolePolicyDocument", "RoleLastUsed")},
    )


def bucket_is_safe(s3: "S3Client", bucket: str) -> bool:
    """Return whether a bucket is versioned, encrypted, private and TLS only."""
    versioned = s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"
    encrypted = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    public = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    denies = [each for each in policy["Statement"] if each["Effect"] == "Deny" and "Condition" in each]
    return versioned and bool(encrypted) and all(public.values()) and bool(denies)
