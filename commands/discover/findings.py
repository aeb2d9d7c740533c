"""Findings on each execution role, as values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from aws.roles import NoRole
from aws.state_grants import StateGrants
from commands.discover.studio import Domain
from commands.role_warnings import GrantsStay, Warning, configured_twice, other_roles_to_glue
from commands.role_warnings import as_json as warning_as_json
from configuration import Configuration, RoleStack
from iam.arn import RoleArn
from iam.documents.grants import (
    GRANTS,
    Grant,
    Grantee,
    InlinePolicyGrant,
    ManagedPolicyGrant,
    TrustGrant,
)
from iam.documents.quotas import Quotas
from iam.policy_document import Document
from iam.readiness.held_grants import HeldGrant, HeldPolicy, HeldTrust, Presence, held_grants, inline_policy_changes
from iam.readiness.obstacles import obstacles, unified_studio_sign
from iam.readiness.trust import other_trusted_principals, trust_in_words
from iam.role import Role


@dataclass(frozen=True)
class RoleFinding:
    """An execution role and its grants.

    Attributes:
        arn: the ARN in SageMaker's settings.
        regions: the regions that use it.
        used_by: numbers of domains (as a default), user profiles and spaces that use it.
        role: the role in IAM, None if it is missing or unreadable.
        grants: the state of each grant, empty if the role is missing or unreadable.
        trust: the trust policy's statements in words.
        also_trusts: who may assume it besides SageMaker and Glue.
        obstacles: what keeps grants from working or from being created.
        not_supported: why it cannot be granted to, None if it can.
        stacks: the configured stacks of the role.
        notes: what a person should know before changing anything.
        warnings: what does not keep it from being granted to.
    """

    arn: str
    regions: Sequence[str]
    used_by: Mapping[str, int]
    role: Role | None = None
    grants: Sequence[HeldGrant] = ()
    trust: Sequence[str] = ()
    also_trusts: Sequence[str] = ()
    obstacles: Sequence[str] = ()
    not_supported: str | None = None
    stacks: Sequence[RoleStack] = ()
    notes: Sequence[str] = ()
    warnings: Sequence[Warning] = ()

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]

    @property
    def is_shared(self) -> bool:
        """Whether several users have the role. `aws:userid` is then the same, and so is the owner of their sessions."""
        return self.used_by["user_profiles"] > 1

    @property
    def document(self) -> Document:
        """The trust policy, empty if the role could not be read."""
        return self.role.trust_policy if self.role else {}


@dataclass
class _Use:
    regions: dict[str, None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: {"domains": 0, "user_profiles": 0, "spaces": 0})
    unified_studio: str | None = None


def role_arns(domains: Iterable[Domain]) -> list[str]:
    """Return the ARN of each execution role once, in the order of the domains."""
    return list(dict.fromkeys(arn for domain in domains for arn in domain.roles()))


def findings(
    domains: Sequence[Domain],
    roles: Mapping[str, Role | NoRole],
    *,
    quotas: Quotas,
    configuration: Configuration | None,
    state_grants: StateGrants | None = None,
) -> list[RoleFinding]:
    """Return a finding for each execution role of the domains.

    Args:
        domains: the domains.
        roles: the roles by ARN; those of other accounts are missing.
        quotas: the account's quotas.
        configuration: the current configuration, None if it cannot be read.
        state_grants: reads the grants in the state of a stack.
    """
    uses = _uses(domains)
    return [_finding(arn, use, roles, quotas, configuration, state_grants) for arn, use in uses.items()]


def _uses(domains: Iterable[Domain]) -> dict[str, _Use]:
    uses: dict[str, _Use] = {}
    for domain in domains:
        used = [("domains", arn) for arn in {domain.default_role, domain.space_role}]
        used += [("user_profiles", domain.role_of_profile(profile)) for profile in domain.user_profiles]
        used += [("spaces", domain.role_of_space(space)) for space in domain.spaces]
        for arn in domain.roles():
            use = uses.setdefault(arn, _Use())
            use.regions[domain.region] = None
            if domain.unified_studio:
                use.unified_studio = f"domain {domain.id} belongs to Unified Studio"
        for kind, used_arn in used:
            if used_arn:
                uses[used_arn].counts[kind] += 1
    return uses


def _finding(
    arn: str,
    use: _Use,
    roles: Mapping[str, Role | NoRole],
    quotas: Quotas,
    configuration: Configuration | None,
    state_grants: StateGrants | None,
) -> RoleFinding:
    role = roles.get(arn, NoRole.UNREADABLE)
    match role:
        case NoRole.MISSING:
            note = "there is no such role, apps that use it cannot start"
            return RoleFinding(arn, list(use.regions), use.counts, notes=[note])
        case NoRole.UNREADABLE:
            return RoleFinding(arn, list(use.regions), use.counts, notes=["the role could not be read"])
        case Role():
            return _readable(arn, role, use, quotas, configuration, state_grants)
        case _:
            assert_never(role)


def _readable(
    arn: str,
    role: Role,
    use: _Use,
    quotas: Quotas,
    configuration: Configuration | None,
    state_grants: StateGrants | None,
) -> RoleFinding:
    regions = list(use.regions)
    held = held_grants(role)
    sign = use.unified_studio or unified_studio_sign(role)
    stacks = _stacks(role.arn, configuration)
    return RoleFinding(
        arn,
        regions,
        use.counts,
        role=role,
        grants=held,
        trust=trust_in_words(role.trust_policy),
        also_trusts=other_trusted_principals(role.trust_policy),
        obstacles=[str(each) for each in obstacles(role, region=regions[0], quotas=quotas)],
        not_supported=f"it belongs to SageMaker Unified Studio: {sign}" if sign else None,
        stacks=stacks,
        notes=_notes(role, held, stacks, configured=configuration is not None),
        warnings=[] if sign else [*_warnings(role, held, stacks, state_grants)],
    )


def _warnings(
    role: Role, held: Sequence[HeldGrant], stacks: Sequence[RoleStack], state_grants: StateGrants | None
) -> Iterator[Warning]:
    yield from configured_twice(stacks)
    yield from other_roles_to_glue(role, stacks)
    policies = [each.grant for each in held if isinstance(each, HeldPolicy) and each.presence is Presence.PRESENT]
    if not (policies and stacks and state_grants and all(stack.role.released for stack in stacks)):
        return
    states = [state_grants(stack) for stack in stacks]
    known = frozenset[str]().union(*(state for state in states if state is not None))
    if staying := tuple(grant for grant in policies if grant.address not in known):
        yield GrantsStay(staying, undecided=None in states)


def _stacks(arn: RoleArn, configuration: Configuration | None) -> list[RoleStack]:
    return [
        stack
        for stack in (configuration.role_stacks if configuration else ())
        if stack.may_own(arn.name, arn.account_id)
    ]


def own_stacks(configuration: Configuration | None, account_id: str) -> list[RoleStack]:
    """Return the stacks of roles of an account; one without an account counts as one of it."""
    stacks = configuration.role_stacks if configuration else ()
    return [stack for stack in stacks if stack.known_account_id in (None, account_id)]


def _notes(role: Role, grants: Sequence[HeldGrant], stacks: Sequence[RoleStack], *, configured: bool) -> list[str]:
    external = [stack for stack in stacks if stack.role.trust.ownership == "external" and not stack.role.released]
    # what an adopted role has is imported, and the plan shows the difference
    notes = [
        f"its ownership is external, and its inline policy {held.grant.policy_name} has other content:"
        " apply would overwrite it"
        for held in grants
        if isinstance(held, HeldPolicy) and isinstance(held.grant, InlinePolicyGrant)
        if external and all(_is_overwritten(held.grant, role, stack) for stack in external)
    ]
    if not stacks and any(isinstance(held, HeldPolicy) and held.presence is Presence.PRESENT for held in grants):
        begin = "it has grants, but no configured stack" if configured else "it has grants already"
        notes.append(f"{begin}: once it is configured, its stack owns them, and releasing the role removes them")
    return notes


def _is_overwritten(grant: InlinePolicyGrant, role: Role, stack: RoleStack) -> bool:
    current = (role.inline_policies or {}).get(grant.policy_name)
    declared = grant.document(stack.grant_settings, Grantee.of(role.arn))
    return bool(current and declared and inline_policy_changes(declared, current).changes)


def policy_state(held: HeldPolicy) -> str:
    """Return the state of a policy in a word: its permission level if it has the content of one."""
    match held.presence:
        case Presence.ABSENT:
            return "absent"
        case Presence.UNREADABLE:
            return "unknown"
        case Presence.PRESENT:
            if held.grant.is_optional:
                return "present"
            return held.levels[0] if held.levels else "other"
        case _:
            assert_never(held.presence)


def is_attached(held: HeldPolicy) -> bool | None:
    """Return whether a policy is attached, None if unknown."""
    return None if held.presence is Presence.UNREADABLE else held.presence is Presence.PRESENT


def _grant_as_json(grant: Grant, held: HeldGrant | None) -> dict[str, object]:
    match held:
        case HeldTrust():
            return {grant.key: held.decision.verdict.value, f"{grant.key}_reason": held.decision.reason}
        case HeldPolicy(ManagedPolicyGrant()):
            return {grant.key: is_attached(held)}
        case HeldPolicy():
            return {grant.key: policy_state(held)}
        case None:
            return _unknown_as_json(grant)
        case _:
            assert_never(held)


def _unknown_as_json(grant: Grant) -> dict[str, object]:
    match grant:
        case ManagedPolicyGrant():
            return {grant.key: None}
        case InlinePolicyGrant():
            return {grant.key: "unknown"}
        case TrustGrant():
            return {grant.key: "unknown", f"{grant.key}_reason": None}
        case _:
            assert_never(grant)


def as_json(finding: RoleFinding) -> dict[str, object]:
    """Return a finding as JSON (docs/discover.md)."""
    by_grant = {held.grant: held for held in finding.grants}
    grants = [_grant_as_json(grant, by_grant.get(grant)) for grant in GRANTS]
    return {
        "arn": finding.arn,
        "name": finding.name,
        "regions": list(finding.regions),
        "used_by": dict(finding.used_by),
        "users_share_sessions": finding.is_shared,
        **{key: value for each in grants for key, value in each.items()},
        "trust": list(finding.trust),
        "trust_policy": finding.document or None,
        "also_trusts": list(finding.also_trusts),
        "obstacles": list(finding.obstacles),
        "not_supported": finding.not_supported,
        "stacks": [stack.name for stack in finding.stacks],
        "notes": list(finding.notes),
        "warnings": [warning_as_json(warning) for warning in finding.warnings],
    }
