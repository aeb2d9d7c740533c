"""Roles and findings grouped by what they are: what happens alike to many roles is one group, whatever their names.

Two roles are alike if their changes and findings differ in nothing but the role's own ARN and account. The comparison
is made on values: the changes' normal form, and the subjects of the findings.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from iam.engine.difference import Difference
from plans.plan import SNAPSHOTS, ResourceChange
from plans.roles import Role, boundary_text
from review.intent import Intent, intents
from review.report import PlanReview, Review, other_attributes, policy_rows, resources
from review.rules import SEVERITIES, Finding
from review.rules.subject import change_subject, statement_subject, value_text


class Counts(NamedTuple):
    """What Terraform does to a number of resources, as the last line of its plan counts it."""

    imported: int = 0
    added: int = 0
    changed: int = 0
    destroyed: int = 0
    forgotten: int = 0

    @classmethod
    def of(cls, changes: Iterable[ResourceChange]) -> "Counts":
        """Return the counts of some changes; a replacement is an addition and a destruction."""
        actions = [action for change in changes for action in (*change.actions, *["import"] * bool(change.importing))]
        return cls(*(actions.count(action) for action in ("import", "create", "update", "delete", "forget")))


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """A role that a plan changes; or a plan that changes none, with None for the role."""

    plan: PlanReview
    role: Role | None
    findings: tuple[Finding, ...]
    changes: tuple[ResourceChange, ...]
    """What Terraform does to it."""
    intents: tuple[Intent, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Members that are alike; the first one stands for all."""

    members: tuple[Member, ...]

    @property
    def first(self) -> Member:
        """The member that stands for all."""
        return self.members[0]

    @property
    def counts(self) -> Counts:
        """What Terraform does to the resources of all members."""
        return Counts.of(change for member in self.members for change in member.changes)

    @property
    def gravest(self) -> Finding | None:
        """The most severe finding, an open one if there is any; None without findings."""
        return min(self.first.findings, key=_severity, default=None)


@dataclass(frozen=True, eq=False, slots=True)
class FindingGroup:
    """Findings that are alike; the first one stands for all."""

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding that stands for all."""
        return self.findings[0]


def groups(review: Review) -> list[Group]:
    """Return the roles that the plans change, in groups of those alike: the most severe first, then the rarest."""
    found: dict[Hashable, list[Member]] = {}
    for plan in review.plans:
        for member in _members(plan):
            found.setdefault(_signature(member), []).append(member)
    return sorted((Group(tuple(members)) for members in found.values()), key=_place)


def _place(group: Group) -> tuple[int, int]:
    gravest = group.gravest
    return _severity(gravest) if gravest else len(SEVERITIES) * 2, len(group.members)


def finding_groups(review: Review) -> list[FindingGroup]:
    """Return the findings in groups of those alike: the most severe first, then the rarest; waived ones last."""
    found: dict[Hashable, list[Finding]] = {}
    for plan in review.plans:
        roles = {role.name: role for role in reversed(plan.roles)}
        abstractions = {name: _abstraction(role) for name, role in roles.items()}
        for finding in plan.findings:
            key = _finding_key(finding, abstractions.get(finding.role, str))
            found.setdefault(key, []).append(finding)
    return sorted(
        (FindingGroup(tuple(findings)) for findings in found.values()),
        key=lambda group: (_severity(group.first), len(group.findings)),
    )


def _severity(finding: Finding) -> int:
    """Return a sort key: open findings by severity, then waived ones by severity."""
    return SEVERITIES.index(finding.severity) + bool(finding.accepted) * len(SEVERITIES)


def other_changes(review: Review) -> list[ResourceChange]:
    """Return what the plans change beside roles and what belongs to them, in plans that change a role."""
    rest = []
    for plan in review.plans:
        own = {change.address for role in plan.roles for change in _of_role(role)}
        rest += [change for change in plan.plan.changes if plan.roles and change.changes and change.address not in own]
    return rest


def _members(plan: PlanReview) -> list[Member]:
    if not plan.roles:
        return [Member(plan, None, plan.findings, plan.plan.changes, intents(plan.plan, None))]
    findings: dict[str, list[Finding]] = {}
    for finding in plan.findings:
        # what is found about the plan belongs to its only role
        name = plan.roles[0].name if not finding.role and len(plan.roles) == 1 else finding.role
        findings.setdefault(name, []).append(finding)
    return [
        Member(plan, role, tuple(findings.get(role.name, ())), tuple(_of_role(role)), intents(plan.plan, role))
        for role in plan.roles
    ]


def _of_role(role: Role) -> list[ResourceChange]:
    return [*([role.change] if role.change else []), *role.declared.values()]


def _signature(member: Member) -> Hashable:
    """Return what two members that are alike have in common."""
    role = member.role
    if role is None:
        changes = tuple(
            (change.address, change.actions, *(value_text(change.values[snapshot]) for snapshot in SNAPSHOTS))
            for change in member.changes
            if change.changes
        )
        return member.intents, changes, tuple(_finding_key(each, str) for each in member.findings)
    own = _abstraction(role)
    return (
        member.intents,
        (role.kind, _type(role.address), _itself(role.change, own)),
        tuple((_type(address), what) for address, what in resources(role)),
        _changes(role.trust, own, trust=True),
        tuple(own(part) for each in role.trust.kept for part in statement_subject(each, trust=True)),
        _changes(role.permissions, own, trust=False),
        tuple((kind, own(str(name)), known) for kind, name, known in policy_rows(role) if kind != "kept"),
        tuple(own(boundary_text(holdings.boundary)) for holdings in (role.before, role.after)),
        own(role.after.trust.problem),
        tuple(_drift(each, own) for each in member.plan.drift if each.name == role.name),
        tuple(_finding_key(each, own) for each in member.findings),
    )


def _drift(role: Role, own: Callable[[str], str]) -> Hashable:
    return _changes(role.trust, own, trust=True), _changes(role.permissions, own, trust=False)


def _type(address: str) -> str:
    """Return the type in an address; those of one role's resources differ from those of another's in one plan."""
    return re.sub(r"^(module\.[^.\[]+(\[[^\]]*\])?\.)*", "", address).partition(".")[0]


def _itself(change: ResourceChange | None, own: Callable[[str], str]) -> Hashable:
    if change is None:
        return None
    values = tuple(
        tuple(f"{name} {own(value_text(change.get(snapshot, name)))}" for snapshot in SNAPSHOTS)
        for name in other_attributes(change)
        if change.actions in (("update",), ("no-op",))
    )
    return change.actions, bool(change.importing), bool(change.moved_from), tuple(other_attributes(change)), values


def _changes(of: Difference, own: Callable[[str], str], *, trust: bool) -> Hashable:
    return tuple(
        (change.kind, change.effect, change.doubt, tuple(map(own, change_subject(change, trust=trust))))
        for change in of.changes
    )


def _finding_key(finding: Finding, own: Callable[[str], str]) -> Hashable:
    subject: Sequence[str] = tuple(map(own, finding.subject))
    return finding.rule, finding.severity, finding.remedy, finding.accepted, subject


_ROLE, _ACCOUNT = "\0role", "\0account"
"""What stands for the role's own ARN and account; no name of AWS contains it."""


def _abstraction(role: Role) -> Callable[[str], str]:
    """Return a function that replaces the role's own ARN, identity and account in a text.

    The name alone is never replaced: a role may be called like an action or a bucket.
    """
    quick = role.account or role.arn
    if not quick:
        return str

    @cache
    def own() -> re.Pattern[str]:
        end = r"(?![\w+=,.@/*?$-])"  # an ARN that goes on is another one, and with * it is many
        patterns = [rf"{re.escape(role.arn)}{end}"] if role.arn else []
        if role.account:
            patterns.append(rf"(?<!\w){role.account}/{re.escape(role.name)}{end}")
            patterns.append(rf"(?P<account>(?<!\d){role.account}(?!\d))")
        return re.compile("|".join(patterns))

    def abstract(text: str) -> str:
        if quick not in text:
            return text
        return own().sub(lambda match: _ACCOUNT if match.lastgroup == "account" else _ROLE, text)

    return abstract
