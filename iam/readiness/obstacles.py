"""What keeps this project's grants from working on a role, or from being created."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, assert_never

from iam import policy_document
from iam.documents.grants import Grantee, GrantSettings, InlinePolicyGrant, ManagedPolicyGrant
from iam.documents.quotas import Quotas
from iam.documents.recipe import ASSUME_ROLE, GLUE, trust_policy_keeping
from iam.engine.decision import Decision, Verdict, decide, decide_trust
from iam.engine.statements import trust_policy
from iam.policy_document import Document, deleted_principals
from iam.readiness.held_grants import HeldPolicy, HeldTrust, Presence, held_grants
from iam.readiness.kernel_calls import ALLOW_EVERYTHING, boundary, decide_call, requests, role_policies
from iam.role import Role

# In discover, the setting is not chosen yet: this is its default.
_SETTINGS = GrantSettings(permissions="recipe")


@dataclass(frozen=True)
class CallsDenied:
    """Needed calls of the kernel that a boundary or an explicit Deny refuses, whatever is granted.

    Attributes:
        actions: the calls, in the kernel's order.
        decision: denied, or undecided if a condition decides.
    """

    actions: tuple[str, ...]
    decision: Decision

    def __str__(self) -> str:
        more = f" and {len(self.actions) - 2} more of the kernel's calls" if len(self.actions) > 2 else ""
        return f"{', '.join(self.actions[:2])}{more}: {self.decision.reason}"


@dataclass(frozen=True)
class QuotaExceeded:
    """A quota that leaves no room for a grant.

    Attributes:
        of: the quota.
        number: the characters with the grant, or the policies attached without it.
        quota: the most that the account allows.
    """

    of: Literal["attached policies", "inline policies", "trust policy"]
    number: int
    quota: int

    def __str__(self) -> str:
        match self.of:
            case "attached policies":
                text = f"{self.number} managed policies are attached"
            case "inline policies":
                text = f"inline policies would have {self.number} characters with the recipe's"
            case "trust policy":
                text = f"the trust policy would have {self.number} characters with Glue's statement"
            case _:
                assert_never(self.of)
        return f"{text}, the quota is {self.quota}"


@dataclass(frozen=True)
class DeletedPrincipal:
    """A deleted principal in the trust policy, because of which IAM refuses to write that policy again."""

    place: str
    unique_id: str

    def __str__(self) -> str:
        return (
            f"the trust policy names a deleted principal, {self.unique_id} in {self.place}:"
            " IAM refuses to write it again"
        )


@dataclass(frozen=True)
class GlueDenied:
    """A Deny in the trust policy that keeps Glue from assuming the role, even with Glue's own statement, or may."""

    decision: Decision

    def __str__(self) -> str:
        return f"{ASSUME_ROLE}: {self.decision.reason}, whatever else it allows"


Obstacle = CallsDenied | QuotaExceeded | DeletedPrincipal | GlueDenied
"""An obstacle; `str()` words it on one line."""


def obstacles(role: Role, *, region: str, quotas: Quotas) -> Iterator[Obstacle]:
    """Yield what keeps grants from working or from being created, or may do so.

    Args:
        role: the role in AWS.
        region: where sessions run.
        quotas: those of its account.
    """
    yield from denied_calls(role, region=region)
    decision = decide_trust(trust_policy(trust_policy_keeping(role.trust_policy)), GLUE)
    if decision.verdict is not Verdict.ALLOWED:
        yield GlueDenied(decision)
    yield from _exceeded_quotas(role, quotas)
    for place, unique_id in deleted_principals(role.trust_policy):
        yield DeletedPrincipal(place, unique_id)


def denied_calls(role: Role, *, region: str) -> Iterator[CallsDenied]:
    """Yield the needed calls that are denied, or may be, even if everything is granted, grouped by the reason."""
    policies = {**role_policies(role), "the grants": ALLOW_EVERYTHING}
    limits = boundary(role)
    by_decision: dict[Decision, list[str]] = {}
    for call, request in requests(role, region=region):
        decision = decide_call(request, lambda each: decide(each, policies, limits))
        if call.needed and decision.verdict is not Verdict.ALLOWED:
            by_decision.setdefault(decision, []).append(call.action)
    for decision, actions in by_decision.items():
        yield CallsDenied(tuple(actions), decision)


def _exceeded_quotas(role: Role, quotas: Quotas) -> Iterator[QuotaExceeded]:
    attached, missing, untrusted = 0, list[Document](), False
    for held in held_grants(role):
        match held:
            case HeldPolicy(ManagedPolicyGrant() as grant, Presence.ABSENT):
                attached += grant.is_granted(_SETTINGS)
            case HeldPolicy(InlinePolicyGrant() as grant, Presence.ABSENT):
                if document := grant.document(_SETTINGS, Grantee.of(role.arn)):
                    missing.append(document)
            case HeldTrust():
                untrusted = untrusted or held.decision.verdict is not Verdict.ALLOWED
            case HeldPolicy():
                pass
            case _:
                assert_never(held)
    number = len(role.attached_policies or ())
    if attached and number + attached > quotas.attached_policies:
        yield QuotaExceeded("attached policies", number, quotas.attached_policies)
    if missing:
        documents = [*(role.inline_policies or {}).values(), *missing]
        size = sum(policy_document.size(document) for document in documents if document)
        if size > quotas.inline_policies_characters:
            yield QuotaExceeded("inline policies", size, quotas.inline_policies_characters)
    if untrusted:
        size = policy_document.size(trust_policy_keeping(role.trust_policy))
        if size > quotas.trust_policy_characters:
            yield QuotaExceeded("trust policy", size, quotas.trust_policy_characters)


_DATAZONE = "datazone.amazonaws.com"
_UNIFIED_STUDIO_ROLE_NAME = "datazone_usr_role"


def unified_studio_sign(role: Role) -> str | None:
    """Return the sign that SageMaker Unified Studio (DataZone) owns a role, None if there is none.

    Unified Studio creates such roles, changes them at will, and removes the Glue kernels from its notebooks.
    """
    if role.arn.name.startswith(_UNIFIED_STUDIO_ROLE_NAME):
        return f"it has the name of Unified Studio's own roles, {_UNIFIED_STUDIO_ROLE_NAME}…"
    if policy_document.trusts(role.trust_policy, _DATAZONE):
        return f"it trusts {_DATAZONE}"
    return None
