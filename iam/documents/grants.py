"""The registry of grants: everything that this project gives to an execution role, declared once.

Constructs, discover, verify, drift, review, the search for orphaned states, the demo and the pipeline's access iterate
over it; none of them names a policy or an address. A new grant is a new entry in `GRANTS`:

    from iam.documents.grants import GRANTS, Grantee, GrantSettings, InlinePolicyGrant, ManagedPolicyGrant, TrustGrant

    settings, grantee = GrantSettings(permissions="recipe"), Grantee.of(role_arn)
    for grant in GRANTS:
        match grant:
            case ManagedPolicyGrant():
                if grant.is_granted(settings):
                    attach(grant.address, grant.arn(grantee.partition))
            case InlinePolicyGrant():
                if document := grant.document(settings, grantee):
                    put(grant.address, grant.policy_name, document)
            case TrustGrant():
                trust(grant.address, grant.service)
            case _:
                assert_never(grant)

`policy_grants()` leaves out the trust: those are the grants that a released role no longer has. `managed_policies()`
and `inline_policies()` are the grants of one kind.

A permission level is a value of `recipe.Permissions`. Whatever depends on the level matches on it and ends with
`assert_never`, so that mypy names every place that a new level concerns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeGuard, assert_never

from iam.arn import RoleArn
from iam.documents import recipe
from iam.documents.access import Access, access_policy
from iam.documents.recipe import Permissions
from iam.policy_document import Document


@dataclass(frozen=True)
class GrantSettings:
    """The settings of a role that decide which grants it gets.

    Attributes:
        permissions: the permission level.
        access: what the sessions may use besides Glue; nothing if it is None.
    """

    permissions: Permissions
    access: Access | None = None


@dataclass(frozen=True)
class Grantee:
    """The role that gets a grant, as policy documents name it.

    Attributes:
        partition: partition of the role.
        account_id: account of the role, 12 digits or a Terraform reference.
        role_arn: full ARN of the role, path included, or a Terraform reference.
    """

    partition: str
    account_id: str
    role_arn: str

    @classmethod
    def of(cls, arn: RoleArn) -> Grantee:
        """Return the grantee for a known ARN."""
        return cls(arn.partition, arn.account_id, str(arn))


@dataclass(frozen=True)
class ManagedPolicyGrant:
    """An AWS managed policy, attached to the role.

    Attributes:
        key: name of the grant in JSON.
        title: heading of the grant in tables.
        address: Terraform address in the role's stack.
        policy_path: path and name of the policy, which is AWS's own.
        calls: the kernel's calls that fail without this grant.
        is_granted: whether a role with these settings gets the grant.
        is_optional: as of inline policies.
    """

    key: str
    title: str
    address: str
    policy_path: str
    calls: tuple[str, ...]
    is_granted: Callable[[GrantSettings], bool]
    is_optional: Literal[False] = False

    @property
    def policy_name(self) -> str:
        """The policy's name, without its path."""
        return self.policy_path.rpartition("/")[2]

    @property
    def resource_type(self) -> str:
        """The Terraform type of the grant."""
        return self.address.partition(".")[0]

    def arn(self, partition: str) -> str:
        """Return the policy's ARN in a partition, such as `aws` or `aws-cn`."""
        return f"arn:{partition}:iam::aws:policy/{self.policy_path}"

    def is_arn(self, text: object) -> bool:
        """Return whether a text is the policy's ARN in some partition."""
        return isinstance(text, str) and text.endswith(f":iam::aws:policy/{self.policy_path}")


@dataclass(frozen=True)
class InlinePolicyGrant:
    """An inline policy of the role.

    Attributes:
        key: name of the grant in JSON.
        title: heading of the grant in tables.
        address: Terraform address in the role's stack.
        policy_name: the policy's name.
        calls: the kernel's calls that fail without this grant, at every permission level; none for a grant that only
            some roles get.
        document: the policy for a role with these settings; None if such a role does not get the grant.
    """

    key: str
    title: str
    address: str
    policy_name: str
    calls: tuple[str, ...]
    document: Callable[[GrantSettings, Grantee], Document | None]

    def is_granted(self, settings: GrantSettings) -> bool:
        """Return whether a role with these settings gets the grant."""
        return self.document(settings, Grantee(partition="aws", account_id="", role_arn="")) is not None

    @property
    def is_optional(self) -> bool:
        """Whether only roles with a setting of its own get the grant, and notebooks start without it."""
        return not self.calls

    @property
    def resource_type(self) -> str:
        """The Terraform type of the grant."""
        return self.address.partition(".")[0]


@dataclass(frozen=True)
class TrustGrant:
    """A service that the role's trust policy lets assume the role; `trust.ownership` decides how.

    Attributes:
        key: name of the grant in JSON.
        title: heading of the grant in tables.
        address: Terraform address of the adopted role; its trust policy is all that Terraform manages of it.
        service: the service principal.
        sid: marks the statement of this grant in a trust policy that others write to as well.
        calls: the calls that fail without this grant.
    """

    key: str
    title: str
    address: str
    service: str
    sid: str
    calls: tuple[str, ...]

    @property
    def resource_type(self) -> str:
        """The Terraform type of the grant."""
        return self.address.partition(".")[0]


PolicyGrant = ManagedPolicyGrant | InlinePolicyGrant
Grant = PolicyGrant | TrustGrant


def _session_user_is_granted(settings: GrantSettings) -> bool:
    match settings.permissions:
        case "recipe" | "least-privilege" | "isolated":
            return True
        case never:
            assert_never(never)


SESSION_USER_POLICY = ManagedPolicyGrant(
    key="managed_policy",
    title="Managed policy",
    address="aws_iam_role_policy_attachment.glue_sessions",
    policy_path="service-role/AwsGlueSessionUserRestrictedServiceRole",
    calls=(
        "glue:CreateSession",
        "glue:TagResource",
        "glue:GetSession",
        "glue:RunStatement",
        "glue:GetStatement",
        "glue:CancelStatement",
        "glue:StopSession",
        "glue:ListSessions",
    ),
    is_granted=_session_user_is_granted,
)
"""Lets a notebook user run and see the user's own sessions."""


def _setup_document(settings: GrantSettings, grantee: Grantee) -> Document:
    return recipe.inline_policy(
        settings.permissions,
        partition=grantee.partition,
        account_id=grantee.account_id,
        role_arn=grantee.role_arn,
    )


SETUP_POLICY = InlinePolicyGrant(
    key="inline_policy",
    title="Inline policy",
    address="aws_iam_role_policy.glue_sessions",
    policy_name="glue-sagemaker-interactive-sessions-setup",
    calls=("iam:GetRole", "iam:PassRole"),
    document=_setup_document,
)
"""What the kernel needs beside the managed policy."""


def _access_document(settings: GrantSettings, grantee: Grantee) -> Document | None:
    if settings.access is None:
        return None
    return access_policy(settings.access, partition=grantee.partition, account_id=grantee.account_id)


ACCESS_POLICY = InlinePolicyGrant(
    key="access_policy",
    title="Access",
    address="aws_iam_role_policy.glue_session_access",
    policy_name="glue-sagemaker-interactive-sessions-access",
    calls=(),
    document=_access_document,
)
"""What the sessions of a role with the setting `access` may use."""

GLUE_TRUST = TrustGrant(
    key="glue_trust",
    title="Trusts Glue",
    address="aws_iam_role.execution_role",
    service=recipe.GLUE,
    sid=recipe.GLUE_STATEMENT_SID,
    calls=(recipe.ASSUME_ROLE,),
)
"""Lets Glue run sessions as the role."""

LIVE_ROLE_ADDRESS = "data.aws_iam_role.live"
"""The address at which each stack of a role reads it, adopted or not."""

GRANTS: tuple[Grant, ...] = (SESSION_USER_POLICY, SETUP_POLICY, ACCESS_POLICY, GLUE_TRUST)


def is_policy(grant: Grant) -> TypeGuard[PolicyGrant]:
    """Return whether a grant is a policy, and not trust."""
    return not isinstance(grant, TrustGrant)


def policy_grants() -> Iterator[PolicyGrant]:
    """Yield the grants that are policies: those that a released role no longer has."""
    return filter(is_policy, GRANTS)


def managed_policies() -> Iterator[ManagedPolicyGrant]:
    """Yield the grants that are managed policies."""
    return (grant for grant in GRANTS if isinstance(grant, ManagedPolicyGrant))


def inline_policies() -> Iterator[InlinePolicyGrant]:
    """Yield the grants that are inline policies."""
    return (grant for grant in GRANTS if isinstance(grant, InlinePolicyGrant))
