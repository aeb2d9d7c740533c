"""A review: what plans mean, their findings, and the verdict."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from iam.wording import counted
from plans.assembly import described
from plans.plan import Plan, ResourceChange
from plans.roles import PolicyName, Role, RoleKind, boundary_text
from plans.values import Unknown
from review.access_analyzer import Consultation
from review.own import grants as own_grants
from review.own.last_apply import changed_since
from review.rules import AT_MOST, SEVERITIES, Finding, Severity, findings
from review.rules.staying import STAYS
from review.waivers import Notices

KIND_NAMES: Mapping[RoleKind, str] = {
    "role": "role",
    "user": "user",
    "group": "group",
    "policy": "managed policy",
    "resource": "resource policy",
}
"""The kinds of what a plan changes, in words."""

PolicyChange = Literal["gained", "lost", "changed", "kept"]


@dataclass(frozen=True, slots=True)
class PlanReview:
    """What one plan means."""

    plan: Plan
    roles: tuple[Role, ...]
    """What the plan changes: roles, users, groups, managed policies that none of them holds, and resource policies."""
    drift: tuple[Role, ...]
    """What changed outside of Terraform: from the state to AWS."""
    findings: tuple[Finding, ...]

    def role(self, name: str) -> Role | None:
        """Return the role of a name that the plan changes, None if it changes none."""
        return next((role for role in self.roles if role.kind == "role" and role.name == name), None)


@dataclass(frozen=True, slots=True)
class Review:
    """What plans mean, with the findings on all of them."""

    plans: tuple[PlanReview, ...]
    fail_on: Severity | None
    """The lowest severity that fails the review; None: no finding fails it."""
    waivers: Notices = field(default_factory=Notices)
    today: date = field(default_factory=lambda: datetime.now(UTC).date())
    """The day from which a waiver that the review proposes counts."""
    consultation: Consultation | None = None
    """What came of asking Access Analyzer; None if it was not to be asked."""

    @property
    def findings(self) -> list[Finding]:
        """The findings on all plans, the most severe first."""
        findings_of_plans = [finding for plan in self.plans for finding in plan.findings]
        return sorted(findings_of_plans, key=lambda finding: SEVERITIES.index(finding.severity))

    @property
    def failing(self) -> list[Finding]:
        """The findings that fail the review."""
        if self.fail_on is None:
            return []
        severe = SEVERITIES[: SEVERITIES.index(self.fail_on) + 1]
        return [finding for finding in self.findings if finding.severity in severe and not finding.accepted]

    @property
    def fails_for_the_recipe_alone(self) -> bool:
        """Whether findings fail the review, and each is what `permissions: recipe` means."""
        failing = set(self.failing)
        return bool(failing) and all(
            own_grants.is_of_the_recipe(each.rule, each.address, plan.role(each.role))
            for plan in self.plans
            for each in plan.findings
            if each in failing
        )

    @property
    def verdict(self) -> str:
        """The result in one line."""
        changed = [role.kind for plan in self.plans for role in plan.roles]
        if not changed and not self.findings and not any(plan.drift for plan in self.plans):
            return "no change in IAM"
        scope = f"{_by_kind(changed)} changed"
        if self.failing:
            rules = len({finding.rule for finding in self.failing})
            by_rules = f" by {counted(rules, 'rule')}" if rules < len(self.failing) else ""
            failing = f"{_by_severity(self.failing)}{by_rules}"
            if self.fails_for_the_recipe_alone:
                every = {1: "", 2: "both "}.get(len(self.failing), "all ")
                return f"{failing}, {every}from permissions: recipe: consider least-privilege; {scope}"
            if {finding.rule for finding in self.failing} == {STAYS.id}:
                return f"{failing}: an apply of this plan leaves grants on the role; {scope}"
            return f"do not apply as is: {failing}; {scope}"
        open_findings = _by_severity(finding for finding in self.findings if not finding.accepted)
        waived = sum(bool(finding.accepted) for finding in self.findings)
        parts = [f"nothing at or above {self.fail_on}" if self.fail_on else "no finding fails this review"]
        parts += [open_findings] * bool(open_findings) + [f"{waived} waived"] * bool(waived)
        return f"{', '.join(parts)}; {scope}"


def _by_kind(changed: Sequence[RoleKind]) -> str:
    """Return how many of each kind changed; roles are counted even if there are none."""
    counts = Counter(KIND_NAMES[kind] for kind in changed)
    roles = counts.pop("role", 0)
    return ", ".join(
        counted(number, name) for name, number in (("role", roles), *counts.items()) if number or not counts
    )


def waiver_lines(of: Notices) -> Iterator[str]:
    """Yield a line for each waiver that has expired, does not fit, or has no subject."""
    for waiver in of.expired:
        yield f"the waiver for {waiver.rule} expired on {waiver.expires}: {waiver.reason}"
    for mismatch in of.mismatches:
        waiver = mismatch.waiver
        where = _at_most([f"{each.plan} {each.address}".rstrip() for each in mismatch.findings], 3)
        new = _at_most(mismatch.new, AT_MOST)
        yield f"the waiver for {waiver.rule} ({waiver.reason}) no longer fits {where}; new: {new}"
    for entry in of.without_subject:
        waiver = entry.waiver
        effect = f"covers whatever the rule finds until {waiver.expires}" if entry.covers else "covers nothing critical"
        yield (
            f"the waiver for {waiver.rule} ({waiver.reason}) has no subject and {effect}; "
            f'renew it with --accept {waiver.rule}="reason"'
        )


def consultation_lines(of: Consultation | None) -> Iterator[str]:
    """Yield a line for each policy that Access Analyzer decided on, and for each reason why it did not answer."""
    for decision in of.decisions if of else ():
        where = f"{decision.policy} of {decision.role.title}"
        yield f"Access Analyzer: the {where} ({decision.plan}) allows nothing new, which was undecided"
    yield from of.errors if of else ()
    if of and not of.questions and not of.kept:
        yield "Access Analyzer was not asked: no policy document is written here that it could check"
    if of and of.kept and of.questions:
        yield (
            "Access Analyzer's answers come from the job that planned, which ran the code of the pull request: they add"
            " findings and decide nothing"
        )


def _at_most(names: Sequence[str], number: int) -> str:
    more = f" and {len(names) - number:,} more" if len(names) > number else ""
    return ", ".join(names[:number]) + more


def _by_severity(of: Iterable[Finding]) -> str:
    severities = [finding.severity for finding in of]
    return ", ".join(f"{severities.count(name):,} {name}" for name in SEVERITIES if name in severities)


def review(plan: Plan, roles: Sequence[Role] | None = None) -> PlanReview:
    """Return what a plan means.

    Args:
        plan: the plan.
        roles: what `described` returns for its changes, if it is known.
    """
    of_plan = described(plan, plan.changes) if roles is None else roles
    return PlanReview(
        plan,
        tuple(role for role in of_plan if role.changes),
        tuple(role for role in changed_since(plan) if _has_drifted(role)),
        tuple(findings(plan, of_plan)),
    )


def _has_drifted(role: Role) -> bool:
    if role.kind == "resource":
        return role.changes
    return (
        bool(role.trust.changes or role.permissions.changes)
        or role.before.boundary != role.after.boundary
        or role.before.exists != role.after.exists
    )


def what_happens(role: Role) -> str:
    """Return in words what happens to a role: adopted, created, deleted …; with the attributes not about policies."""
    if role.change is None:
        if role.kind == "resource":
            changes = [change for change in role.declared.values() if change.changes]
            return ", ".join(f"its policy is {done(change.actions)}" for change in changes[:1]) or "its policy changes"
        if role.kind == "policy":
            return done(next(iter(role.declared.values())).actions)
        return "not managed in this plan; its policies are"
    parts = [done(role.change.actions)]
    if role.change.actions == ("update",) and (names := other_attributes(role.change)):
        parts[0] += f" ({', '.join(names)})"
    if role.change.importing:
        parts.insert(0, "adopted (imported)")
    if role.change.moved_from:
        parts.append(f"moved from {role.change.moved_from}")
    return ", ".join(filter(None, parts)) or "unchanged itself"


def other_attributes(change: ResourceChange) -> list[str]:
    """Return the attributes of a role that change and that the review does not show otherwise."""
    before, after = change.values["before"], change.values["after"]
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return sorted(name for name in changed - _SHOWN if not isinstance(after.get(name), Unknown))


_SHOWN = {"assume_role_policy", "inline_policy", "managed_policy_arns", "permissions_boundary"}


def done(actions: Sequence[str]) -> str:
    """Return in words what the actions of a change do, "" for nothing."""
    return {
        ("no-op",): "",
        ("create",): "created",
        ("update",): "updated in place",
        ("delete",): "deleted",
        ("forget",): "forgotten, not deleted",
        ("delete", "create"): "replaced: deleted, then created",
        ("create", "delete"): "replaced: created, then deleted",
        ("create", "forget"): "created; the old one is forgotten, not deleted",
        ("forget", "create"): "the old one is forgotten, not deleted; then created",
    }.get(tuple(actions), ", ".join(actions))


def resources(role: Role) -> list[tuple[str, str]]:
    """Return the address of each other resource of the role that changes, with what happens to it."""
    return [
        (address, "imported" if change.actions == ("no-op",) else ", ".join(change.actions))
        for address, change in role.declared.items()
        if change.changes
    ]


def policy_rows(role: Role) -> list[tuple[PolicyChange, PolicyName, str]]:
    """Return each policy: how it changes, its name, and what is known about it."""
    before, after = dict(role.before.policies()), dict(role.after.policies())
    rows = []
    kind: PolicyChange
    for name in sorted(before.keys() | after.keys(), key=str):
        held = after.get(name) or before[name]
        if name not in before:
            kind = "gained"
        elif name not in after:
            kind = "lost"
        else:
            old = before[name]
            same = old.policy is held.policy and (old.gap, old.hidden) == (held.gap, held.hidden)
            kind = "kept" if same else "changed"
        rows.append((kind, name, held.problem or held.note))
    return rows


def boundary_change(role: Role) -> tuple[str, str] | None:
    """Return the permissions boundary before and after as it may be shown, None if it stays."""
    if role.before.boundary == role.after.boundary:
        return None
    return boundary_text(role.before.boundary) or "none", boundary_text(role.after.boundary) or "none"
