"""IAM roles with their policies: each call once, however many roles share a policy."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from aws.account import Account, Progress, each
from aws.errors import AWS_ERRORS, Errors, is_not_found
from iam.arn import RoleArn
from iam.documents.quotas import Quotas
from iam.policy_document import Document
from iam.role import Role

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


def decoded(document: Any) -> Document:
    """Return a policy document of an IAM response; botocore decodes it, though the stubs also allow for text."""
    assert isinstance(document, dict)
    return document


def attached_policy_arns(iam: "IAMClient", role_name: str) -> list[str]:
    """Return the ARNs of a role's managed policies. Raises BotoCoreError, ClientError."""
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role_name)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def inline_policy_names(iam: "IAMClient", role_name: str) -> list[str]:
    """Return the names of a role's inline policies. Raises BotoCoreError, ClientError."""
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role_name)
    return [name for page in pages for name in page["PolicyNames"]]


class NoRole(Enum):
    """Why a name has no role."""

    MISSING = "missing"
    UNREADABLE = "unreadable"


def read_roles(
    account: Account, names: Iterable[str], *, pool: ThreadPoolExecutor, errors: Errors, progress: Progress
) -> dict[str, Role | NoRole]:
    """Return roles by name, with their policy documents.

    Args:
        account: the roles' account.
        names: role names, without paths.
        pool: bounds the calls in parallel.
        errors: receives the calls that fail.
        progress: shows the progress.
    """
    reader = _Reader(account, errors)
    wanted = list(dict.fromkeys(names))
    read = list(each(pool, reader.role, wanted, progress("roles", len(wanted))))
    policies = list(dict.fromkeys(arn for each_read in read for arn in each_read.policies))
    documents = dict(
        zip(policies, each(pool, reader.document, policies, progress("policies", len(policies))), strict=True)
    )
    return {name: _with_documents(one.role, documents) for name, one in zip(wanted, read, strict=True)}


def missing_roles(
    account: Account, names: Iterable[str], *, pool: ThreadPoolExecutor, errors: Errors, progress: Progress
) -> set[str]:
    """Return those of some role names that have no role; a role that cannot be read is none of them.

    Args:
        account: the roles' account.
        names: role names, without paths.
        pool: bounds the calls in parallel.
        errors: receives the calls that fail.
        progress: shows the progress.
    """
    iam = account.client("iam")

    def is_missing(name: str) -> bool:
        try:
            iam.get_role(RoleName=name)
        except AWS_ERRORS as error:
            if is_not_found(error):
                return True
            errors.add("roles", "iam:GetRole", error, name)
        return False

    wanted = list(dict.fromkeys(names))
    missing = each(pool, is_missing, wanted, progress("configured roles", len(wanted)))
    return {name for name, no_role in zip(wanted, missing, strict=True) if no_role}


def read_quotas(account: Account, errors: Errors) -> Quotas:
    """Return the account's IAM quotas; AWS's defaults where the caller may not read them."""
    try:
        summary: Mapping[Any, int] = account.client("iam").get_account_summary()["SummaryMap"]
    except AWS_ERRORS as error:
        errors.add("quotas", "iam:GetAccountSummary", error)
        summary = {}
    default = Quotas()
    return Quotas(
        trust_policy_characters=summary.get("AssumeRolePolicySizeQuota", default.trust_policy_characters),
        inline_policies_characters=summary.get("RolePolicySizeQuota", default.inline_policies_characters),
        attached_policies=summary.get("AttachedPoliciesPerRoleQuota", default.attached_policies),
    )


@dataclass(frozen=True)
class _Read:
    """A role without the documents of its managed policies, and the ARNs of those policies."""

    role: Role | NoRole
    policies: Sequence[str] = ()


class _Reader:
    def __init__(self, account: Account, errors: Errors) -> None:
        self._iam = account.client("iam")
        self._errors = errors

    def role(self, name: str) -> _Read:
        try:
            response = self._iam.get_role(RoleName=name)["Role"]
        except AWS_ERRORS as error:
            if is_not_found(error):
                return _Read(NoRole.MISSING)
            self._errors.add("roles", "iam:GetRole", error, name)
            return _Read(NoRole.UNREADABLE)
        boundary = response.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        attached = self._attached(name)
        role = Role(
            arn=RoleArn.parse(response["Arn"]),
            unique_id=response["RoleId"],
            trust_policy=decoded(response["AssumeRolePolicyDocument"]),
            inline_policies=self._inline(name),
            attached_policies=None if attached is None else dict.fromkeys(attached),
            boundary={boundary: None} if boundary else {},
            tags={tag["Key"]: tag["Value"] for tag in response.get("Tags", [])},
        )
        return _Read(role, [*(attached or []), *role.boundary])

    def document(self, arn: str) -> Document | None:
        """Return the default version of a managed policy."""
        operation = "iam:GetPolicy"
        try:
            version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            operation = "iam:GetPolicyVersion"
            response = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        except AWS_ERRORS as error:
            self._errors.add("policies", operation, error, arn)
            return None
        return decoded(response["Document"])

    def _attached(self, role_name: str) -> list[str] | None:
        try:
            return attached_policy_arns(self._iam, role_name)
        except AWS_ERRORS as error:
            self._errors.add("roles", "iam:ListAttachedRolePolicies", error, role_name)
            return None

    def _inline(self, role_name: str) -> dict[str, Document | None] | None:
        try:
            names = inline_policy_names(self._iam, role_name)
        except AWS_ERRORS as error:
            self._errors.add("roles", "iam:ListRolePolicies", error, role_name)
            return None
        return {name: self._inline_document(role_name, name) for name in names}

    def _inline_document(self, role_name: str, name: str) -> Document | None:
        try:
            return decoded(self._iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"])
        except AWS_ERRORS as error:
            self._errors.add("roles", "iam:GetRolePolicy", error, f"{name} of {role_name}")
            return None


def _with_documents(role: Role | NoRole, documents: Mapping[str, Document | None]) -> Role | NoRole:
    if isinstance(role, NoRole):
        return role
    attached = None if role.attached_policies is None else {arn: documents[arn] for arn in role.attached_policies}
    return replace(role, attached_policies=attached, boundary={arn: documents[arn] for arn in role.boundary})
