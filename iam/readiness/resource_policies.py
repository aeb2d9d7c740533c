"""Calls that a policy of their resource decides too: of a bucket, of a key, of the Data Catalog.

Source: Service Authorization Reference for resource types and condition keys; IAM User Guide, "Policy evaluation
logic"; KMS Developer Guide, "Key policies": no other policy allows the use of a key unless its own does.
"""

import enum
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from iam.engine.decision import Decision, Request, Verdict
from iam.engine.resource_decision import RoleSession, decide_by_resource
from iam.engine.statements import Policy
from iam.role import Role


class Holder(NamedTuple):
    """What has a policy of its own: a bucket by its name, a key by its ARN, or the Data Catalog of an account."""

    kind: Literal["bucket", "key", "catalog"]
    name: str = ""

    def __str__(self) -> str:
        return "the Data Catalog" if self.kind == "catalog" else f"{self.kind} {self.name}"


class Unread(enum.Enum):
    """Why a policy was not read."""

    DENIED = "the caller may not read it"
    ELSEWHERE = "it is in another account"
    MISSING = "no such resource exists"
    FAILED = "AWS did not return it"
    NOT_UNDERSTOOD = "it cannot be understood"


ResourcePolicy: TypeAlias = Policy | Unread | None
"""The policy of a resource; None if it has none."""

_CATALOG_TYPES = ("catalog", "database", "table", "connection", "userDefinedFunction")


class ByResource(NamedTuple):
    """A decision to which the policy of the resource belongs.

    Attributes:
        decision: the decision.
        refuses: whether the resource's policy denies the call, whatever the role is granted.
        unread: why the resource's policy was not read, None if it was or if it has no part in the decision.
    """

    decision: Decision
    refuses: bool = False
    unread: Unread | None = None


def decide_with_resource(
    request: Request, own: Decision, role: Role, read: Callable[[Holder], ResourcePolicy]
) -> ByResource:
    """Return the decision on a call of a role's sessions, with the policy of its resource.

    Args:
        request: the call.
        own: the decision of the role's own policies.
        role: the role.
        read: returns the policy of a resource, if that is in the role's account.
    """
    holder = _holder(request.resource)
    if holder is None:
        return ByResource(own)
    policy = Unread.ELSEWHERE if _account(request.resource) not in ("", role.arn.account_id) else read(holder)
    if isinstance(policy, Unread):
        if own.verdict is not Verdict.ALLOWED:
            return ByResource(own)
        reason = f"whether the policy of {holder} denies it is unknown: {policy.value}"
        return ByResource(Decision(Verdict.UNDECIDED, reason), unread=policy)
    account = (role.arn.account_id,)
    known = {"aws:resourceaccount": account, "s3:resourceaccount": account, "kms:calleraccount": account}
    decision = decide_by_resource(
        replace(request, context={**known, **request.context}),
        own,
        {f"the policy of {holder}": policy} if policy else {},
        RoleSession(str(role.arn), role.unique_id, is_bounded=bool(role.boundary)),
        must_allow=holder.kind == "key",
    )
    return ByResource(decision, refuses=decision.verdict is Verdict.DENIED and decision is not own)


def _holder(resource: str) -> Holder | None:
    """Return what has the policy that decides on a resource, None if no policy of a resource does."""
    if resource.count(":") < 5:
        return None
    _, _, service, _, _, name = resource.split(":", 5)
    match service:
        case "s3":
            return Holder("bucket", name.partition("/")[0])
        case "kms":
            return Holder("key", resource)
        case "glue" if name.partition("/")[0] in _CATALOG_TYPES:
            return Holder("catalog")
    return None


def _account(resource: str) -> str:
    return resource.split(":", 5)[4]
