"""Rules about what IAM Access Analyzer says of the documents that the plan writes, if it was asked.

Errors and security warnings fail a review by default, as they do in AWS's own validator for Terraform
(https://github.com/awslabs/terraform-iam-policy-validator). Warnings are not about security, and suggestions not about
access. That AWS cannot rule out new access leaves a change as undecided as it was.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from iam.access_analyzer import Issue, IssueType, Place
from iam.engine.statements import Policy, permissions_policy, resource_policy, trust_policy
from plans.roles import Held, PolicyName, Role
from review.rules.rule import EVERY_KIND, Hit, RoleRule
from review.rules.subject import Subject, change_subject, statement_subject, subject, token

_PARSERS: Mapping[str, Callable[[Mapping[str, Any]], Policy]] = {
    "trust": trust_policy,
    "resource": resource_policy,
    "inline": permissions_policy,
    "managed": permissions_policy,
}


def _held(role: Role) -> dict[PolicyName, Held]:
    return {role.trust_name: role.after.trust, **dict(role.after.policies())}


def _issues(type_: IssueType) -> Callable[[Role], Iterator[Hit]]:
    """Return the judge of a rule about the findings of one type."""

    def judge(role: Role) -> Iterator[Hit]:
        held = _held(role)
        for name, advice in role.advice.items():
            for issue in advice.issues:
                if issue.type == type_:
                    remedy = f"read {issue.link}" if issue.link else ""
                    yield Hit(
                        held[name].address or role.address,
                        _sentence(name, issue),
                        _subject(name, held[name].document, issue),
                        remedy,
                        issue,
                    )

    return judge


def _sentence(name: PolicyName, issue: Issue) -> str:
    where = "".join(f", {place}" for place in issue.places[:1] if place.path)
    return f"{name}: {issue.details} ({issue.code}{where})"


def _subject(name: PolicyName, document: str, issue: Issue) -> Subject:
    """Return the code with the meaning of each statement that the finding is about, or with what else it is about."""
    parts = [part for place in issue.places for part in _parts(name, document, place)] or [str(name)]
    return subject(f"{token(issue.code)} {part}" for part in parts)


def _parts(name: PolicyName, document: str, place: Place) -> Iterable[str]:
    try:
        body = json.loads(document)
    except (ValueError, RecursionError):
        return [f"{name} {token(document)}"]
    statement = _statement(body, place)
    if statement is None:
        return [f"{name} {place} {json.dumps(_at(body, place), sort_keys=True)}"]
    try:
        meaning = _PARSERS[name.kind]({**body, "Statement": [statement]}).written
    except ValueError:
        meaning = ()
    is_trust = name.kind in ("trust", "resource")
    parts = [part for each in meaning for part in statement_subject(each, trust=is_trust)]
    return parts or [f"{name} {json.dumps(statement, sort_keys=True)}"]


def _statement(body: Any, place: Place) -> Any:
    """Return the statement that a place is in, None if it is in none."""
    if not isinstance(body, dict) or place.path[:1] != ("Statement",):
        return None
    for length in (1, 2):
        found = _at(body, place._replace(path=place.path[:length]))
        if isinstance(found, dict):
            return found
    return None


def _at(body: Any, place: Place) -> Any:
    """Return the value at a place, or as much of the way to it as the document has."""
    for step in place.path:
        try:
            body = body[step]
        except (IndexError, KeyError, TypeError):
            break
    return body


ERROR = RoleRule(
    id="access-analyzer-error",
    severity="high",
    raised="Access Analyzer finds an error in a document: AWS rejects it, or a part of it has no effect",
    remedy="correct the document",
    judge=_issues("ERROR"),
    kinds=EVERY_KIND,
)

SECURITY_WARNING = RoleRule(
    id="access-analyzer-security-warning",
    severity="high",
    raised="Access Analyzer finds that a document allows more than it should",
    remedy="limit what the document allows",
    judge=_issues("SECURITY_WARNING"),
    kinds=EVERY_KIND,
)


def _new_access(role: Role) -> Iterator[Hit]:
    held = _held(role)
    for name, advice in role.advice.items():
        if advice.new_access and not advice.new_access.passed:
            is_trust = name == role.trust_name
            changes = role.trust.changes if is_trust else role.permissions.changes
            parts = [
                part
                for change in changes
                if not change.decided and (is_trust or role.source(change)[0] == name)
                for part in change_subject(change, trust=is_trust)
            ]
            reasons = "; ".join(advice.new_access.reasons) or "Access Analyzer gives no reason"
            yield Hit(held[name].address or role.address, f"{name}: {reasons}", subject(parts))


NEW_ACCESS = RoleRule(
    id="access-analyzer-new-access",
    severity="medium",
    raised="a change is undecided, and Access Analyzer finds that the document may allow what it did not allow before",
    remedy="compare the two documents by hand",
    judge=_new_access,
    kinds=EVERY_KIND,
)

WARNING = RoleRule(
    id="access-analyzer-warning",
    severity="low",
    raised="Access Analyzer finds that a document does not follow AWS's practices, apart from security",
    remedy="correct the document",
    judge=_issues("WARNING"),
    kinds=EVERY_KIND,
)

SUGGESTION = RoleRule(
    id="access-analyzer-suggestion",
    severity="low",
    raised="Access Analyzer suggests to write a document differently, with the same effect",
    remedy="simplify the document",
    judge=_issues("SUGGESTION"),
    kinds=EVERY_KIND,
)
