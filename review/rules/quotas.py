"""Rules about quotas: sizes of policies, and how many are attached."""

from collections.abc import Iterator, Mapping

from iam.documents.quotas import DEFAULTS
from plans.roles import NOTHING, Role, RoleKind
from plans.values import shown
from review.rules.rule import Hit, RoleRule
from review.rules.subject import Subject, subject

TRUST_POLICY_QUOTA = DEFAULTS.trust_policy_characters
INLINE_POLICIES_QUOTA = DEFAULTS.inline_policies_characters
_INLINE_POLICIES_QUOTAS: Mapping[RoleKind, int] = {"role": INLINE_POLICIES_QUOTA, "user": 2_048, "group": 5_120}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
MANAGED_POLICY_QUOTA = DEFAULTS.managed_policy_characters
ATTACHED_POLICIES_QUOTA = DEFAULTS.attached_policies

_STEP = 1_024
"""Characters by which a policy may grow under one waiver, at most."""


def _longer_than(quota: int, length: int) -> Subject:
    """Return each step that a length exceeds, so that what is shorter is a subset."""
    return subject(f"more than {each:,} characters" for each in range(quota, length, _STEP))


def _trust_policy(role: Role) -> Iterator[Hit]:
    if role.trust.changes and role.after.trust.length > TRUST_POLICY_QUOTA:
        length = role.after.trust.length
        why = f"{length:,} characters, the quota is {TRUST_POLICY_QUOTA:,}"
        yield Hit(role.address, why, _longer_than(TRUST_POLICY_QUOTA, length))


TRUST_POLICY_TOO_LONG = RoleRule(
    id="trust-policy-too-long",
    severity="high",
    raised=f"a role's new trust policy has more than {TRUST_POLICY_QUOTA:,} characters, AWS's default quota",
    remedy="merge or remove statements, or ask AWS to raise the quota",
    judge=_trust_policy,
)


def _inline_policies(role: Role) -> Iterator[Hit]:
    before, after = (sum(held.length for held in holdings.inline.values()) for holdings in (role.before, role.after))
    quota = _INLINE_POLICIES_QUOTAS.get(role.kind, INLINE_POLICIES_QUOTA)
    if after > quota and after != before:
        yield Hit(
            next((held.address for held in role.after.inline.values() if held.address), role.address),
            f"{after:,} characters, the quota is {quota:,}",
            _longer_than(quota, after),
        )


INLINE_POLICIES_TOO_LONG = RoleRule(
    id="inline-policies-too-long",
    severity="high",
    raised=f"a role's inline policies have more than {INLINE_POLICIES_QUOTA:,} characters "
    "(a user's 2,048, a group's 5,120); the quota is fixed",
    remedy="move statements into a managed policy",
    judge=_inline_policies,
)


def _managed_policy(role: Role) -> Iterator[Hit]:
    for name, held in role.after.managed.items():
        if held.length > MANAGED_POLICY_QUOTA and role.before.managed.get(name, NOTHING).length != held.length:
            why = f"{shown(name)} has {held.length:,} characters, the quota is {MANAGED_POLICY_QUOTA:,}"
            yield Hit(held.address, why, _longer_than(MANAGED_POLICY_QUOTA, held.length))


MANAGED_POLICY_TOO_LONG = RoleRule(
    id="managed-policy-too-long",
    severity="high",
    raised=f"a managed policy has more than {MANAGED_POLICY_QUOTA:,} characters; the quota is fixed",
    remedy="split the policy",
    judge=_managed_policy,
)


def _attached_policies(role: Role) -> Iterator[Hit]:
    if len(role.after.managed) > max(ATTACHED_POLICIES_QUOTA, len(role.before.managed)):
        yield Hit(
            role.address,
            f"{len(role.after.managed)} managed policies, the quota is {ATTACHED_POLICIES_QUOTA}",
            subject(f"more than {n} managed policies" for n in range(ATTACHED_POLICIES_QUOTA, len(role.after.managed))),
        )


TOO_MANY_ATTACHED_POLICIES = RoleRule(
    id="too-many-attached-policies",
    severity="medium",
    raised=f"a role gets more than {ATTACHED_POLICIES_QUOTA} managed policies, AWS's default quota",
    remedy="merge policies, or ask AWS to raise the quota",
    judge=_attached_policies,
)
