"""A review: what plans mean, what was found, and the verdict; and the same as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iam.engine import conditions, sentences
from iam.engine.difference import Difference
from iam.engine.statements import Element, Statement
from plans.plan import Plan
from plans.roles import Role, drifted_roles, roles
from review.rules import AT_MOST, SEVERITIES, Finding, Severity, findings
from review.waivers import Waiver

SCHEMA_VERSION = 1
"""Raised when a reader of the JSON written for the version before could misread it."""


@dataclass(frozen=True, slots=True)
class PlanReview:
    """What one plan means."""

    plan: Plan
    roles: tuple[Role, ...]
    """The roles it changes, and the managed policies it changes that none of its roles holds."""
    drift: tuple[Role, ...]
    """What happened to roles outside of Terraform: from the state to what AWS has."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What plans mean, with the findings on all of them."""

    plans: tuple[PlanReview, ...]
    fail_on: Severity | None
    """Findings at or above it fail the review; None: none do."""
    expired: tuple[Waiver, ...] = ()
    """Expired waivers that cover open findings."""

    @property
    def findings(self) -> list[Finding]:
        """The findings on all plans, the gravest first."""
        found = [finding for plan in self.plans for finding in plan.findings]
        return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))

    @property
    def failing(self) -> list[Finding]:
        """The findings for which the review fails."""
        if self.fail_on is None:
            return []
        grave = SEVERITIES[: SEVERITIES.index(self.fail_on) + 1]
        return [finding for finding in self.findings if finding.severity in grave and not finding.accepted]

    @property
    def verdict(self) -> str:
        """One line that says how it stands."""
        changed = sum(len(plan.roles) for plan in self.plans)
        if not changed and not self.findings and not any(plan.drift for plan in self.plans):
            return "no change in IAM"
        about = f"{counted(changed, 'role')} changed"
        if self.failing:
            return f"not to be applied as it is: {_by_severity(self.failing)}; {about}"
        standing = _by_severity(finding for finding in self.findings if not finding.accepted)
        accepted = sum(bool(finding.accepted) for finding in self.findings)
        said = [f"nothing at or above {self.fail_on}" if self.fail_on else "no finding fails this review"]
        said += [standing] * bool(standing) + [f"{accepted} accepted"] * bool(accepted)
        return f"{', '.join(said)}; {about}"


def counted(number: int, name: str) -> str:
    """Return a number with what it counts, as `1 role` and `2 roles`."""
    return f"{number:,} {name}" + ("" if number == 1 else "s")


def _by_severity(found: Iterable[Finding]) -> str:
    severities = [finding.severity for finding in found]
    return ", ".join(f"{severities.count(name):,} {name}" for name in SEVERITIES if name in severities)


def review(plan: Plan) -> PlanReview:
    """Return what a plan means."""
    changed = roles(plan, plan.changes)
    return PlanReview(
        plan,
        tuple(role for role in changed if role.changes),
        tuple(role for role in drifted_roles(plan) if role.trust.changes or role.permissions.changes or _limit(role)),
        tuple(findings(plan, changed)),
    )


def _limit(role: Role) -> bool:
    return role.before.boundary != role.after.boundary or role.before.exists != role.after.exists


def what_happens(role: Role) -> str:
    """Return in words what becomes of a role: adopted, created, deleted …"""
    if role.change is None:
        return (
            "not managed in this plan, its policies are"
            if role.kind == "role"
            else done(next(iter(role.declared.values())).actions)
        )
    said = [done(role.change.actions)]
    if role.change.importing:
        said.insert(0, "adopted (imported)")
    if role.change.moved_from:
        said.append(f"moved from {role.change.moved_from}")
    return ", ".join(filter(None, said)) or "unchanged itself"


def done(actions: Sequence[str]) -> str:
    """Return in words what a change's actions do, "" for nothing."""
    return {
        ("no-op",): "",
        ("create",): "created",
        ("update",): "updated in place",
        ("delete",): "deleted",
        ("forget",): "forgotten, not deleted",
        ("delete", "create"): "replaced: deleted, then created",
        ("create", "delete"): "replaced: created, then deleted",
        ("create", "forget"): "created; the old one is forgotten, not deleted",
    }.get(tuple(actions), ", ".join(actions))


def resources(role: Role) -> list[tuple[str, str]]:
    """Return the address of each other resource of the role that changes, with what happens to it."""
    return [
        (address, "imported" if change.actions == ("no-op",) else ", ".join(change.actions))
        for address, change in role.declared.items()
        if change.changes
    ]


def policy_rows(role: Role) -> list[tuple[str, str, str]]:
    """Return each policy as (gained, lost, changed or kept; its name; what is known of it)."""
    before, after = dict(role.before.policies()), dict(role.after.policies())
    rows = []
    for name in sorted(before.keys() | after.keys()):
        held = after.get(name) or before[name]
        if name not in before:
            kind = "gained"
        elif name not in after:
            kind = "lost"
        else:
            kind = "kept" if before[name].policy is held.policy and before[name].problem == held.problem else "changed"
        rows.append((kind, name, held.problem or held.note))
    return rows


class _Rows:
    """The JSON of statements; thousands of roles may be given the very same ones."""

    def __init__(self) -> None:
        self._made: dict[int, dict[str, Any]] = {}

    def of(self, rows: Iterable[Statement], spelling: Mapping[str, str]) -> list[dict[str, Any]]:
        found = []
        for row in rows:
            if id(row) not in self._made:
                self._made[id(row)] = _statement(row, spelling)
            found.append(self._made[id(row)])
        return found


def as_json(of: Review) -> dict[str, Any]:
    """Return the review in the shape that `review.schema.json` describes."""
    rows = _Rows()
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": of.verdict,
        "fail_on": of.fail_on or "never",
        "failed": bool(of.failing),
        "plans": [
            {
                "name": plan.plan.name,
                "roles": [_role(role, rows) for role in plan.roles],
                "drift": [_role(role, rows) for role in plan.drift],
            }
            for plan in of.plans
        ],
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "plan": finding.plan,
                "role": finding.role,
                "address": finding.address,
                "reason": finding.reason,
                "remedy": finding.remedy,
                "accepted": finding.accepted or None,
            }
            for finding in of.findings
        ],
        "expired_acceptances": [
            {
                "rule": e.rule,
                "plan": e.plan,
                "address": e.address,
                "reason": e.reason,
                "expires": e.expires.isoformat(),
            }
            for e in of.expired
        ],
    }


def _role(role: Role, rows: _Rows) -> dict[str, Any]:
    return {
        "name": role.name,
        "kind": role.kind,
        "address": role.address,
        "actions": list(role.change.actions) if role.change else [],
        "import_id": (role.change.importing or None) if role.change else None,
        "moved_from": (role.change.moved_from or None) if role.change else None,
        "resources": [{"address": address, "action": what} for address, what in resources(role)],
        "boundary": {"before": role.before.boundary or None, "after": role.after.boundary or None},
        "trust": {
            **_difference(role.trust, rows, trust=True),
            "problem": role.after.trust.problem or None,
        },
        "permissions": _difference(role.permissions, rows, trust=False),
        "policies": [{"change": kind, "name": name, "known": known} for kind, name, known in policy_rows(role)],
    }


def _difference(of: Difference, rows: _Rows, *, trust: bool) -> dict[str, Any]:
    return {
        "changes": [
            {
                "kind": str(change.kind),
                "effect": change.effect,
                "decided": change.decided,
                "text": sentences.change(change, of.spelling, trust=trust, at_most=AT_MOST),
                "before": rows.of(change.before, of.spelling),
                "after": rows.of(change.after, of.spelling),
            }
            for change in of.changes
        ],
        "kept": [sentences.statement(statement, of.spelling, trust=trust, at_most=AT_MOST) for statement in of.kept],
    }


def _statement(of: Statement, spelling: Mapping[str, str]) -> dict[str, Any]:
    return {
        "principals": _element(of.principal, {}),
        "actions": _element(of.action, spelling),
        "resources": _element(of.resource, {}),
        "when": conditions.words(of.condition, spelling),
    }


def _element(of: Element, spelling: Mapping[str, str]) -> dict[str, list[str]]:
    return {"all_but" if of.excluded else "any_of": [spelling.get(pattern, pattern) for pattern in of.patterns]}
