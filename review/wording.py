"""What the comment and the terminal both say of a review: names of roles, what happens to a group, where it happens."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from iam.wording import counted
from plans.roles import Role
from review.groups import Group, Member
from review.intent import Intent
from review.own import grants as own_grants
from review.report import KIND_NAMES, Review, what_happens
from review.rules import Finding

INTENTS: Mapping[Intent, str] = {
    Intent.ADOPTION: "first adoption",
    Intent.OWNERSHIP: "change of ownership of the trust policy",
    Intent.TRUST: "change of the trust policy",
    Intent.PERMISSIONS: "change of permissions",
    Intent.RELEASE: "release",
    Intent.REPAIR: "repair of drift",
    Intent.REFRESH: "no change; the state takes over what changed in AWS",
    Intent.OTHER: "other changes",
}
"""What happens, in words."""


def happens(group: Group) -> str:
    """Return what happens to the members of a group; what stands in backticks is a setting."""
    member = group.first
    if member.role is None:
        if member.intents == (Intent.REFRESH,):
            return INTENTS[Intent.REFRESH]
        plan = member.plan.plan
        more = plan.invocations or plan.deferred or plan.unread
        return "no change in roles and their policies" if more or group.counts != (0,) * 5 else "no change"
    if member.intents == (Intent.OTHER,):
        return what_happens(member.role)
    return ", ".join(_with_setting(intent, member.role) for intent in member.intents)


def _with_setting(intent: Intent, role: Role) -> str:
    """Return an intent in words, with the setting that it is about as far as the plan shows it."""
    level = own_grants.level(role)
    change = role.change
    match intent:
        case Intent.ADOPTION if level:
            return f"{INTENTS[intent]}, `{level}`" + " and `access`" * own_grants.grants_access(role)
        case Intent.PERMISSIONS if own_grants.grants_access(role):
            return f"{INTENTS[intent]}: `access`" + f" and `{level}`" * (
                level is not None and own_grants.sets_level(role)
            )
        case Intent.PERMISSIONS if level and own_grants.sets_level(role):
            return f"{INTENTS[intent]} to `{level}`"
        case Intent.OWNERSHIP if change and change.actions == ("forget",):
            return f"{INTENTS[intent]} to `external`"
        case Intent.OWNERSHIP if change and change.importing:
            return f"{INTENTS[intent]} from `external`"
        case _:
            return INTENTS[intent]


def kinds(group: Group) -> str:
    """Return how many of which kind a group has, such as `50 roles`."""
    role = group.first.role
    return counted(len(group.members), KIND_NAMES[role.kind] if role else "plan")


class Names:
    """The names that a review uses for roles: short ones where they are unique.

    Args:
        review: the review.
    """

    def __init__(self, review: Review) -> None:
        self._several = len(review.plans) > 1
        self._alone = {plan.plan.name for plan in review.plans if len(plan.roles) == 1}
        self._counts = Counter(role.name for plan in review.plans for role in plan.roles)

    def of(self, plan: str, role: str) -> str:
        """Return the name of a role of a plan; for "", that of the plan."""
        if not role:
            return plan
        if not self._several or self._counts[role] == 1:
            return role
        return plan if plan in self._alone else f"{plan} {role}"

    def of_member(self, member: Member) -> str:
        """Return the name of a member of a group."""
        return self.of(member.plan.plan.name, member.role.name if member.role else "")

    def of_findings(self, findings: Sequence[Finding]) -> list[str]:
        """Return what findings are about: the roles, or the addresses of what belongs to none."""
        return list(dict.fromkeys(map(self._of_finding, findings)))

    def _of_finding(self, finding: Finding) -> str:
        if finding.role or not finding.address:
            return self.of(finding.plan, finding.role)
        return f"{finding.plan} {finding.address}" if self._several else finding.address


def scope(review: Review) -> Iterator[tuple[str, list[str]]]:
    """Yield the accounts, regions and environments that the plans are about, each with what it is called."""
    roles = [(plan.plan.name, role) for plan in review.plans for role in (*plan.roles, *plan.drift)]
    yield "account", list(dict.fromkeys(role.account for _, role in roles if role.account))
    yield "region", list(dict.fromkeys(region for plan in review.plans for region in plan.plan.regions))
    environments = (_environment(plan, role) for plan, role in roles)
    yield "environment", list(dict.fromkeys(filter(None, environments)))


def _environment(plan: str, role: Role) -> str:
    """Return the environment in the name of a stack, "" for a plan that is not called like a stack of the role.

    `configuration.stack_name` gives stacks their names; to import it would take longer than the review.
    """
    encoded = re.sub(r"[^A-Za-z0-9_-]", "-", role.name)
    hashed = "" if encoded == role.name else "-[0-9a-f]{8}"
    match = re.fullmatch(f"glue-sessions-(.+)-{re.escape(encoded)}{hashed}", plan)
    return match[1] if match else ""


def recipe_findings(groups: Sequence[Group]) -> list[str]:
    """Return the rules of the open findings that are what `permissions: recipe` means, nothing else."""
    rules = {
        finding.rule
        for group in groups
        for finding in group.first.findings
        if not finding.accepted and own_grants.is_of_the_recipe(finding.rule, finding.address, group.first.role)
    }
    return sorted(rules)
