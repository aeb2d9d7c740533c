"""What there is to know of each execution role found, as values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.discover.studio import Domain
from configuration import Configuration, RoleStack
from iam.arn import RoleArn
from iam.documents.recipe import INLINE_POLICY_NAME
from iam.policy_document import Document
from iam.readiness import grants
from iam.readiness.grants import Grants, Quotas
from iam.role import Role


@dataclass(frozen=True)
class RoleFinding:
    """An execution role, and what it has of the recipe's grants.

    Attributes:
        arn: as SageMaker names it.
        regions: where it is used.
        used_by: numbers of domains (as a default), user profiles and spaces that it applies to.
        document: its trust policy.
        trust: the trust policy's statements in words.
        also_trusts: who may assume it beside SageMaker and Glue.
        in_the_way: what would keep grants from working or from being made.
        not_supported: why it is none of ours to grant to, None where it is.
        stacks: the stacks of the configuration that grant to it.
        notes: what a person should know before changing anything.
    """

    arn: str
    regions: Sequence[str]
    used_by: Mapping[str, int]
    role: Role | None = None
    grants: Grants | None = None
    trust: Sequence[str] = ()
    also_trusts: Sequence[str] = ()
    in_the_way: Sequence[str] = ()
    not_supported: str | None = None
    stacks: Sequence[RoleStack] = ()
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.arn.rpartition("/")[2]

    @property
    def document(self) -> Document:
        """The trust policy; there is one only where the role could be read."""
        return self.role.trust_policy if self.role else {}


@dataclass
class _Use:
    regions: dict[str, None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: {"domains": 0, "user_profiles": 0, "spaces": 0})
    unified_studio: str | None = None


def role_arns(domains: Iterable[Domain]) -> list[str]:
    """Name each role that applies anywhere, once, in the order of the domains."""
    return list(dict.fromkeys(arn for domain in domains for arn in domain.roles()))


def findings(
    domains: Sequence[Domain],
    roles: Mapping[str, Role | None],
    *,
    quotas: Quotas,
    configuration: Configuration | None,
) -> list[RoleFinding]:
    """Judge the roles of the domains.

    Args:
        domains: what was found.
        roles: the roles by ARN; None for one that does not exist, missing is one that could not be read.
        quotas: those of the account.
        configuration: what is configured already, None where that is not known.
    """
    uses = _uses(domains)
    return [_finding(arn, use, roles, quotas, configuration) for arn, use in uses.items()]


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
                use.unified_studio = f"domain {domain.id} is Unified Studio's"
        for kind, used_arn in used:
            if used_arn:
                uses[used_arn].counts[kind] += 1
    return uses


def _finding(
    arn: str, use: _Use, roles: Mapping[str, Role | None], quotas: Quotas, configuration: Configuration | None
) -> RoleFinding:
    regions = list(use.regions)
    role = roles.get(arn)
    if role is None:
        note = "there is no such role, apps that use it cannot start" if arn in roles else "it could not be read"
        return RoleFinding(arn, regions, use.counts, notes=[note])
    found = grants.grants(role)
    sign = use.unified_studio or grants.unified_studio_sign(role)
    stacks = _stacks(role.arn, configuration)
    return RoleFinding(
        arn,
        regions,
        use.counts,
        role=role,
        grants=found,
        trust=grants.trust_in_words(role.trust_policy),
        also_trusts=grants.trusted_beside_the_recipe(role.trust_policy),
        in_the_way=list(grants.obstacles(role, region=regions[0], quotas=quotas)),
        not_supported=f"SageMaker Unified Studio owns it: {sign}" if sign else None,
        stacks=stacks,
        notes=_notes(found, stacks, configured=configuration is not None),
    )


def _stacks(arn: RoleArn, configuration: Configuration | None) -> list[RoleStack]:
    return [
        stack
        for stack in (configuration.role_stacks if configuration else ())
        if stack.role.name.lower() == arn.name.lower()
        and (stack.role.arn.account_id if stack.role.arn else stack.environment.account_id) in (None, arn.account_id)
    ]


def _notes(found: Grants, stacks: Sequence[RoleStack], *, configured: bool) -> list[str]:
    notes = []
    if any(stack.role.trust.ownership == "external" and not stack.role.released for stack in stacks):
        wanted = {stack.role.permissions for stack in stacks}
        if found.inline_policy == "other" or (found.inline_policy != "absent" and found.inline_policy not in wanted):
            notes.append(
                f"its ownership is external and an inline policy {INLINE_POLICY_NAME} of another content is there:"
                " apply would overwrite it"
            )
    if not stacks and (found.managed_policy or found.inline_policy not in ("absent", "unknown")):
        begin = "no stack of the configuration is for it, yet it has grants" if configured else "it has grants already"
        notes.append(f"{begin}: once configured they are its stack's, and releasing the role takes them away")
    return notes


def as_json(finding: RoleFinding) -> dict[str, Any]:
    """Give a finding in the form that `--json` documents."""
    found = finding.grants
    return {
        "arn": finding.arn,
        "name": finding.name,
        "regions": list(finding.regions),
        "used_by": dict(finding.used_by),
        "managed_policy": found.managed_policy if found else None,
        "inline_policy": found.inline_policy if found else "unknown",
        "glue_trust": found.glue_trust.verdict.value if found else "unknown",
        "glue_trust_reason": found.glue_trust.reason if found else None,
        "trust": list(finding.trust),
        "trust_policy": finding.document or None,
        "also_trusts": list(finding.also_trusts),
        "in_the_way": list(finding.in_the_way),
        "not_supported": finding.not_supported,
        "stacks": [stack.name for stack in finding.stacks],
        "notes": list(finding.notes),
    }
