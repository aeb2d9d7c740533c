"""A review as JSON, in the shape that `review.schema.json` describes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from iam.access_analyzer import Issue
from iam.engine import conditions, sentences
from iam.engine.difference import Difference
from iam.engine.statements import Element, Statement
from plans.roles import Role, boundary_text
from review.access_analyzer import Consultation
from review.intent import intents
from review.report import Review, policy_rows, resources
from review.rules import AT_MOST
from review.waivers import Waiver

SCHEMA_VERSION = 1
"""Raised when a reader of the JSON of an earlier version could misread it."""


class _Rows:
    """The JSON of statements; thousands of roles may share the same ones."""

    def __init__(self) -> None:
        self._by_id: dict[int, dict[str, Any]] = {}

    def of(self, rows: Sequence[Statement], spelling: Mapping[str, str]) -> list[dict[str, Any]]:
        for row in rows:
            if id(row) not in self._by_id:
                self._by_id[id(row)] = _statement(row, spelling)
        return [self._by_id[id(row)] for row in rows]


def as_json(of: Review) -> dict[str, Any]:
    """Return the review in that shape."""
    rows = _Rows()
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": of.verdict,
        "fail_on": of.fail_on or "never",
        "failed": bool(of.failing),
        "plans": [
            {
                "name": plan.plan.name,
                "roles": [
                    {**_role(role, rows), "intents": [intent.value for intent in intents(plan.plan, role)]}
                    for role in plan.roles
                ],
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
                "subject": list(finding.subject),
                "accepted": finding.accepted or None,
                **({"access_analyzer": _issue(finding.issue)} if finding.issue else {}),
            }
            for finding in of.findings
        ],
        "expired_acceptances": [row for waiver in of.waivers.expired for row in _waiver(waiver)],
        "waiver_mismatches": [
            {
                "rule": mismatch.waiver.rule,
                "reason": mismatch.waiver.reason,
                "new": list(mismatch.new),
                "findings": [
                    {"plan": each.plan, "role": each.role, "address": each.address} for each in mismatch.findings
                ],
            }
            for mismatch in of.waivers.mismatches
        ],
        "waivers_without_subject": [
            {**row, "covers": entry.covers} for entry in of.waivers.without_subject for row in _waiver(entry.waiver)
        ],
        **({"access_analyzer": _consultation(of.consultation)} if of.consultation else {}),
    }


def _issue(of: Issue) -> dict[str, Any]:
    return {
        "finding_type": of.type,
        "issue_code": of.code,
        "details": of.details,
        "learn_more_link": of.link or None,
        "locations": [{"path": str(place), "line": place.line or None} for place in of.places],
    }


def _consultation(of: Consultation) -> dict[str, Any]:
    return {
        "questions": of.questions,
        "decided": [
            {"plan": decision.plan, "role": decision.role.name, "policy": str(decision.policy)}
            for decision in of.decisions
        ],
        "errors": list(of.errors),
    }


def _waiver(of: Waiver) -> Iterator[dict[str, Any]]:
    """Yield a row for each place of a waiver."""
    for place in of.places:
        yield {
            "rule": of.rule,
            "subject": list(of.subject),
            "plan": place.plan,
            "role": place.role,
            "address": place.address,
            "reason": of.reason,
            "expires": of.expires.isoformat(),
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
        "boundary": {
            "before": boundary_text(role.before.boundary) or None,
            "after": boundary_text(role.after.boundary) or None,
        },
        "trust": {
            **_difference(role.trust, rows, trust=True),
            "problem": role.after.trust.problem or None,
        },
        "permissions": _difference(role.permissions, rows, trust=False),
        "policies": [{"change": kind, "name": str(name), "known": known} for kind, name, known in policy_rows(role)],
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
