"""Roles of an account, read from IAM: each call once, whatever the number of roles that share a policy."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from aws.account import Account, each
from aws.errors import AWS_ERRORS, Faults, is_not_found
from iam.arn import RoleArn
from iam.policy_document import Document
from iam.readiness.grants import Quotas
from iam.role import Role
from terraform_cli.progress import Progress


def read_roles(
    account: Account, names: Iterable[str], *, pool: ThreadPoolExecutor, faults: Faults, progress: Progress
) -> dict[str, Role | None]:
    """Read roles with their policies' documents.

    Args:
        account: the roles' account.
        names: the roles' names, without paths.
        pool: bounds the calls at a time.
        faults: takes what could not be read.
        progress: shows how far it is.

    Returns:
        The roles by the name that was asked for: None for one that does not exist, and nothing for one that could not
        be read.
    """
    reader = _Reader(account, faults)
    wanted = list(dict.fromkeys(names))
    found = list(each(pool, reader.role, wanted, progress("roles", len(wanted))))
    policies = list(dict.fromkeys(arn for _, arns in found for arn in arns))
    documents = dict(
        zip(policies, each(pool, reader.document, policies, progress("policies", len(policies))), strict=True)
    )
    return {
        name: _with_documents(role, documents) if role else None
        for name, (role, _) in zip(wanted, found, strict=True)
        if role is not False
    }


def read_quotas(account: Account, faults: Faults) -> Quotas:
    """Read IAM's quotas of the account; AWS's defaults where they may not be read."""
    try:
        found: Mapping[Any, int] = account.client("iam").get_account_summary()["SummaryMap"]
    except AWS_ERRORS as error:
        faults.add("quotas", "iam:GetAccountSummary", error)
        found = {}
    default = Quotas()
    return Quotas(
        trust_policy_characters=found.get("AssumeRolePolicySizeQuota", default.trust_policy_characters),
        inline_policies_characters=found.get("RolePolicySizeQuota", default.inline_policies_characters),
        attached_policies=found.get("AttachedPoliciesPerRoleQuota", default.attached_policies),
    )


class _Reader:
    def __init__(self, account: Account, faults: Faults) -> None:
        self._iam = account.client("iam")
        self._faults = faults

    def role(self, name: str) -> tuple[Role | Literal[False] | None, list[str]]:
        """Read a role but for its managed policies' documents, and name those."""
        try:
            found = self._iam.get_role(RoleName=name)["Role"]
        except AWS_ERRORS as error:
            if is_not_found(error):
                return None, []
            self._faults.add("roles", "iam:GetRole", error, name)
            return False, []
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        attached = self._attached(name)
        role = Role(
            arn=RoleArn.parse(found["Arn"]),
            unique_id=found["RoleId"],
            trust_policy=_document(found["AssumeRolePolicyDocument"]),
            inline_policies=self._inline(name),
            attached_policies=None if attached is None else dict.fromkeys(attached),
            boundary={boundary: None} if boundary else {},
            tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        )
        return role, [*(attached or []), *role.boundary]

    def document(self, arn: str) -> Document | None:
        """Read a managed policy as it is in force."""
        operation = "iam:GetPolicy"
        try:
            version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            operation = "iam:GetPolicyVersion"
            found = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        except AWS_ERRORS as error:
            self._faults.add("policies", operation, error, arn)
            return None
        return _document(found["Document"])

    def _attached(self, role_name: str) -> list[str] | None:
        pages = self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=role_name)
        try:
            return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]
        except AWS_ERRORS as error:
            self._faults.add("roles", "iam:ListAttachedRolePolicies", error, role_name)
            return None

    def _inline(self, role_name: str) -> dict[str, Document | None] | None:
        pages = self._iam.get_paginator("list_role_policies").paginate(RoleName=role_name)
        try:
            names = [name for page in pages for name in page["PolicyNames"]]
        except AWS_ERRORS as error:
            self._faults.add("roles", "iam:ListRolePolicies", error, role_name)
            return None
        return {name: self._inline_document(role_name, name) for name in names}

    def _inline_document(self, role_name: str, name: str) -> Document | None:
        try:
            return _document(self._iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"])
        except AWS_ERRORS as error:
            self._faults.add("roles", "iam:GetRolePolicy", error, f"{name} of {role_name}")
            return None


def _document(found: Any) -> Document:
    # botocore has decoded it; the stubs allow for text as well
    assert isinstance(found, dict)
    return found


def _with_documents(role: Role, documents: dict[str, Document | None]) -> Role:
    def read(arns: Iterable[str]) -> dict[str, Document | None]:
        return {arn: documents[arn] for arn in arns}

    attached = None if role.attached_policies is None else read(role.attached_policies)
    return Role(**{**vars(role), "attached_policies": attached, "boundary": read(role.boundary)})
