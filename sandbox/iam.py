"""moto's IAM with AWS's rules for trust policies and AWS's quotas."""

from types import ModuleType
from typing import Any

import moto.iam.urls
from moto.iam.exceptions import EntityAlreadyExists, NotFoundException
from moto.iam.models import IAMBackend, Role, iam_backends

from sandbox import iam_rules
from sandbox.iam_rules import Quotas


def install(quotas: Quotas) -> None:
    """Replace moto's IAM backend; call it before the first request."""
    SandboxIamBackend.quotas = quotas
    iam_backends.backend = SandboxIamBackend


class SandboxIamBackend(IAMBackend):
    """IAM of one account in one partition."""

    quotas = Quotas()

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        # GetAccountSummary returns these
        self.account_summary._assume_role_policy_size_quota = self.quotas.trust_policy_characters
        self.account_summary._attached_policies_per_role_quota = self.quotas.attached_policies

    @property
    def _url_module(self) -> ModuleType:  # moto looks for it beside this class's module
        return moto.iam.urls

    def get_role(self, role_name: str) -> Role:
        """Return a role by its name in any case: moto distinguishes names by case, and IAM does not.

        Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html, for names that must be unique.
        Whether IAM finds a role by its name in another case is not documented; not to find it would be easier on
        clients.
        """
        for role in self.get_roles():
            if role.name.lower() == role_name.lower():
                return role
        raise NotFoundException(f"The role with name {role_name} cannot be found.")

    def create_role(self, role_name: str, assume_role_policy_document: str, *arguments: Any, **more: Any) -> Role:
        """Create a role (CreateRole); moto accepts any text as a trust policy."""
        self._check_trust_policy(assume_role_policy_document)
        if any(role.name.lower() == role_name.lower() for role in self.get_roles()):
            raise EntityAlreadyExists(f"Role with name {role_name} already exists.")
        return super().create_role(role_name, assume_role_policy_document, *arguments, **more)

    def update_assume_role_policy(self, role_name: str, policy_document: str) -> None:
        """Replace a role's trust policy (UpdateAssumeRolePolicy), kept word for word."""
        role = self.get_role(role_name)
        self._check_trust_policy(policy_document)
        role.assume_role_policy_document = policy_document

    def delete_role(self, role_name: str) -> None:
        """Delete a role (DeleteRole); trust policies then name it by its unique ID, as in AWS."""
        deleted = self.get_role(role_name)
        super().delete_role(role_name)
        for role in self.roles.values():
            role.assume_role_policy_document = role.assume_role_policy_document.replace(
                f'"{deleted.arn}"', f'"{deleted.id}"'
            )

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        """Attach a managed policy (AttachRolePolicy); attaching it twice changes nothing."""
        attached = self.get_role(role_name).managed_policies
        if policy_arn in attached:
            return
        if policy_arn in self.managed_policies:
            self.quotas.check_attached_policies(len(attached) + 1)
        super().attach_role_policy(policy_arn, role_name)

    def put_role_permissions_boundary(self, role_name: str, permissions_boundary: str) -> None:
        """Set a role's permissions boundary (PutRolePermissionsBoundary); moto accepts one that does not exist."""
        self.get_policy(permissions_boundary)
        super().put_role_permissions_boundary(role_name, permissions_boundary)

    def put_role_policy(self, role_name: str, policy_name: str, policy_json: str) -> None:
        """Write an inline policy (PutRolePolicy)."""
        others = [text for name, text in self.get_role(role_name).policies.items() if name != policy_name]
        iam_rules.check_identity_policy(policy_json)
        self.quotas.check_inline_policies(role_name, [*others, policy_json])
        super().put_role_policy(role_name, policy_name, policy_json)

    def _check_trust_policy(self, text: str) -> None:
        iam_rules.check_trust_policy(text)
        self.quotas.check_trust_policy(text)
