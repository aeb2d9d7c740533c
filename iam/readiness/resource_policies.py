"""Calls that their resource decides too: by a policy of a bucket, a key or the Data Catalog, by the key of a bucket.

Source: Service Authorization Reference for resource types and condition keys; IAM User Guide, "Policy evaluation
logic"; KMS Developer Guide, "Key policies": no other policy allows the use of a key unless its own does.
"""

import enum
from dataclasses import replace
from typing import Literal, NamedTuple, Protocol, TypeAlias

from iam.engine.decision import Context, Decision, Request, Verdict, decide
from iam.engine.resource_decision import Granting, RoleSession, decide_by_resource
from iam.engine.statements import Policy
from iam.readiness.kernel_calls import ALLOW_EVERYTHING, boundary, role_policies
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


class Resources(Protocol):
    """The policies of the resources in the role's account, and the keys of its buckets."""

    def policy(self, holder: Holder) -> ResourcePolicy:
        """Return the policy of a resource."""

    def default_key(self, bucket: str) -> str | Unread | None:
        """Return the KMS key by which a bucket encrypts new objects, None for a key that needs no permission."""


def decide_with_resource(
    request: Request, own: Decision, role: Role, resources: Resources, *, certain: bool = False
) -> ByResource:
    """Return the decision on a call of a role's sessions, with the policy of its resource and the key of its bucket.

    Args:
        request: the call.
        own: the decision of the role's own policies.
        role: the role.
        resources: those of the role's account.
        certain: whether `own` is the last word, as that of an organization's policy.
    """
    found = _with_policy(request, own, role, resources, certain=certain)
    key_action = _KEY_ACTIONS.get(request.action)
    if key_action is None or found.decision.verdict is not Verdict.ALLOWED:
        return found
    bucket = request.resource.split(":", 5)[5].partition("/")[0]
    key = resources.default_key(bucket)
    if isinstance(key, Unread):
        return _undecided(f"whether bucket {bucket} encrypts with a key is unknown: {key.value}", key)
    if key is None:
        return found
    if not key.startswith("arn:") or ":key/" not in key:  # of another form, policies name another resource
        return _undecided(f"bucket {bucket} encrypts with {key}: whether the role may use it is not evaluated")
    on_key = Request(key_action, key, _through_s3(request.context, key))
    by_key = _with_policy(on_key, decide(on_key, role_policies(role), boundary(role)), role, resources)
    if by_key.decision.verdict is Verdict.ALLOWED:
        return found
    reason = f"bucket {bucket} encrypts with {key}, on which {key_action} is {by_key.decision.verdict}"
    return _undecided(f"{reason}: {by_key.decision.reason}", by_key.unread)


_KEY_ACTIONS = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}
"""What S3 needs of the caller for an object that is encrypted with a key.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html"""


_DIRECT = ("aws:viaawsservice", "aws:securetransport", "s3:")


def _through_s3(context: Context, key: str) -> Context:
    """Return what is known of a call that S3 makes in the name of its caller.

    Source: IAM User Guide, "Forward access sessions"; KMS Developer Guide, "kms:ViaService".
    """
    of_caller = {name: values for name, values in context.items() if not name.startswith(_DIRECT)}
    _, partition, _, region, *_ = key.split(":")
    # the suffix elsewhere is not documented for this key
    service = {"kms:viaservice": (f"s3.{region}.amazonaws.com",)} if partition == "aws" else {}
    return {**of_caller, "aws:viaawsservice": ("true",), **service}


def _undecided(reason: str, unread: Unread | None = None) -> ByResource:
    return ByResource(Decision(Verdict.UNDECIDED, reason), unread=unread)


def _with_policy(
    request: Request, own: Decision, role: Role, resources: Resources, *, certain: bool = False
) -> ByResource:
    """Return the decision on a call with the policy of its resource."""
    holder = _holder(request.resource)
    if holder is None:
        return ByResource(own)
    elsewhere = _account(request.resource) not in ("", role.arn.account_id)
    policy = Unread.ELSEWHERE if elsewhere else resources.policy(holder)
    if isinstance(policy, Unread):
        if own.verdict is not Verdict.ALLOWED:
            return ByResource(own)
        return _undecided(f"whether the policy of {holder} denies it is unknown: {policy.value}", policy)
    account = (role.arn.account_id,)
    of_service = {"bucket": {"s3:resourceaccount": account}, "key": {"kms:calleraccount": account}}
    known = {"aws:resourceaccount": account, **of_service.get(holder.kind, {})}
    decision = decide_by_resource(
        replace(request, context={**known, **request.context}),
        own,
        {f"the policy of {holder}": policy} if policy else {},
        RoleSession(str(role.arn), role.unique_id, is_bounded=bool(role.boundary)),
        must_allow=holder.kind == "key",
        granting=None if certain else _granting(request, role),
    )
    return ByResource(decision, refuses=decision.verdict is Verdict.DENIED and decision is not own)


def _granting(request: Request, role: Role) -> Granting:
    policies, limits = {**role_policies(role), "": ALLOW_EVERYTHING}, boundary(role)
    return Granting(decide(request, {**policies, **limits}), decide(request, policies, limits))


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
