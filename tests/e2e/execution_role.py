"""A SageMaker execution role as the console makes it, and what becomes of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from iam.policy_document import Document as Document
from sandbox.launcher import Sandbox
from tests.trust_policies import statement as statement
from tests.trust_policies import trust as trust

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

ACCOUNT = "123456789012"
MANAGED_POLICY = "arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
INLINE_POLICY = "glue-sagemaker-interactive-sessions-setup"

CONSOLE_TRUST = trust(statement("sagemaker.amazonaws.com"))

# The recipe, document for document, written out: what `iam.documents.recipe` makes of it is what is being tested.
RECIPE_TRUST = trust(statement("glue.amazonaws.com", "sagemaker.amazonaws.com"))
RECIPE_INLINE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"], "Resource": "*"}
    ],
}
GLUE_STATEMENT = {"Sid": "GlueInteractiveSessions", **statement("glue.amazonaws.com")}


def least_privilege_inline_policy(role_arn: str) -> Document:
    """The inline policy of `permissions: least-privilege`, written out."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "ReadOwnRole", "Effect": "Allow", "Action": "iam:GetRole", "Resource": role_arn},
            {
                "Sid": "PassOwnRoleToGlue",
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": role_arn,
                "Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
            },
            {
                "Sid": "ReadSessionTags",
                "Effect": "Allow",
                "Action": "glue:GetTags",
                "Resource": f"arn:aws:glue:*:{ACCOUNT}:session/*",
            },
            {
                "Sid": "ReadRootCatalog",
                "Effect": "Allow",
                "Action": ["glue:GetDatabase", "glue:GetDatabases"],
                "Resource": f"arn:aws:glue:*:{ACCOUNT}:catalog",
            },
        ],
    }


def isolated_inline_policy(role_arn: str) -> Document:
    """The inline policy of `permissions: isolated`, written out."""
    policy = least_privilege_inline_policy(role_arn)
    deny = {
        "Sid": "PassNoOtherRoleToGlue",
        "Effect": "Deny",
        "Action": "iam:PassRole",
        "NotResource": role_arn,
        "Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
    }
    return {**policy, "Statement": [*policy["Statement"], deny]}


class Grants(NamedTuple):
    """What is this project's on a role, as IAM returns it."""

    trust: Document
    attached: bool
    inline_policy: Document | None


@dataclass(frozen=True)
class Snapshot:
    """A role as IAM returns it, by what it is to this project."""

    grants: Grants
    the_rest: Document


@lru_cache(maxsize=1)
def _iam(aws: Sandbox) -> "IAMClient":
    return aws.client("iam")  # making one takes longer than most calls


def read_roles(aws: Sandbox) -> dict[str, Snapshot]:
    """Read all roles of the account by name, in few calls; a snapshot has more than that of a single role."""
    iam = _iam(aws)
    roles = {
        role["RoleName"]: dict(role) for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]
    }
    details = iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role"])
    return {
        name: _snapshot(
            {**roles[name], "tags": detail["Tags"], "boundary": detail.get("PermissionsBoundary")},
            [policy["PolicyArn"] for policy in detail["AttachedManagedPolicies"]],
            {policy["PolicyName"]: policy["PolicyDocument"] for policy in detail["RolePolicyList"]},
        )
        for page in details
        for detail in page["RoleDetailList"]
        if (name := detail["RoleName"]) in roles
    }


def _snapshot(role: dict[str, Any], attached: Sequence[str], inline: dict[str, Any]) -> Snapshot:
    role.pop("RoleLastUsed", None)
    grants = Grants(
        trust=role.pop("AssumeRolePolicyDocument"),
        attached=MANAGED_POLICY in attached,
        inline_policy=inline.pop(INLINE_POLICY, None),
    )
    others = sorted(arn for arn in attached if arn != MANAGED_POLICY)
    return Snapshot(grants, {**role, "attached": others, "inline": inline})


class ExecutionRole:
    """An execution role of the local AWS.

    Args:
        aws: the local AWS.
        name: its name.
        trust: its trust policy.
        path: its path.
        read: whether `made` is read from IAM.

    Attributes:
        made: the role as it was created.
    """

    made: Snapshot

    def __init__(
        self, aws: Sandbox, name: str, trust: Document, *, path: str = "/service-role/", read: bool = True
    ) -> None:
        self._iam = _iam(aws)
        self.name = name
        self.arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
        self._iam.create_role(
            RoleName=name,
            Path=path,
            Description="SageMaker execution role created from the SageMaker AWS Management Console.",
            MaxSessionDuration=7200,
            PermissionsBoundary="arn:aws:iam::aws:policy/PowerUserAccess",
            Tags=[{"Key": "team", "Value": "forecasting"}, {"Key": "cost-centre", "Value": "4711"}],
            AssumeRolePolicyDocument=json.dumps(trust),
        )
        self._iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
        self._iam.put_role_policy(
            RoleName=name,
            PolicyName="buckets",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}],
                }
            ),
        )
        if read:
            self.made = self.read()

    def read(self) -> Snapshot:
        """Read the whole role back."""
        role = dict(self._iam.get_role(RoleName=self.name)["Role"])
        attached = [
            policy["PolicyArn"]
            for policy in self._iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]
        ]
        inline = {
            name: self._iam.get_role_policy(RoleName=self.name, PolicyName=name)["PolicyDocument"]
            for name in self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]
        }
        return _snapshot(role, attached, inline)

    @property
    def grants(self) -> Grants:
        """What is this project's, as it is now."""
        return self.read().grants

    @property
    def trust(self) -> Document:
        """The trust policy as it is now."""
        return cast(Document, self._iam.get_role(RoleName=self.name)["Role"]["AssumeRolePolicyDocument"])

    @trust.setter
    def trust(self, document: Document) -> None:
        self._iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(document))

    def attach(self, arn: str = MANAGED_POLICY) -> None:
        """Attach a managed policy, as somebody else would."""
        self._iam.attach_role_policy(RoleName=self.name, PolicyArn=arn)

    def detach(self, arn: str = MANAGED_POLICY) -> None:
        """Detach a managed policy, as somebody else would."""
        self._iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)

    def put_inline_policy(self, document: Document, *, name: str = INLINE_POLICY) -> None:
        """Write an inline policy, by default that of our name, as somebody else would."""
        self._iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=json.dumps(document))

    def delete_inline_policy(self) -> None:
        """Delete the inline policy of our name, as somebody else would."""
        self._iam.delete_role_policy(RoleName=self.name, PolicyName=INLINE_POLICY)

    def delete(self) -> None:
        """Delete the role with all it has."""
        for policy in self._iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]:
            self.detach(policy["PolicyArn"])
        for name in self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]:
            self._iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        self._iam.delete_role(RoleName=self.name)

    @property
    def exists(self) -> bool:
        """Whether the role is there."""
        try:
            self._iam.get_role(RoleName=self.name)
        except self._iam.exceptions.NoSuchEntityException:
            return False
        return True
