"""The rules of the review: each in the module of its subject, all of them listed here."""

from collections.abc import Iterable

from iam.documents.grants import GLUE_TRUST
from plans.plan import Plan
from plans.roles import Role
from review.rules import (
    access,
    access_analyzer,
    passed_roles,
    permissions,
    plan,
    quotas,
    release,
    resource_policies,
    role,
    statements,
    staying,
    trust,
    undecided,
    writers,
)
from review.rules.rule import AT_MOST, SEVERITIES, Finding, Hit, PlanRule, RoleRule, Rule, Severity
from review.rules.subject import Subject

__all__ = [
    "AT_MOST",
    "RULES",
    "SEVERITIES",
    "Finding",
    "Hit",
    "PlanRule",
    "RoleRule",
    "Rule",
    "Severity",
    "findings",
]

RULES: tuple[Rule, ...] = (
    role.DESTROYED,
    role.REPLACED,
    role.FORGOTTEN,
    role.ADOPTION_CHANGES_MORE,
    role.BOUNDARY_CHANGED,
    trust.LOST,
    trust.OPENED_TO_EVERYONE,
    trust.OPENED_TO_EVERYONE_ON_CONDITION,
    trust.OPENED_TO_ACCOUNT,
    trust.OPENED_TO_SERVICE,
    trust.OPENED_TO_IDENTITY_PROVIDER,
    trust.DELETED_PRINCIPAL,
    trust.GLUE_DENIED,
    resource_policies.OPENED_TO_EVERYONE,
    resource_policies.OPENED_TO_EVERYONE_ON_CONDITION,
    resource_policies.OPENED_TO_ACCOUNT,
    resource_policies.OPENED_TO_SERVICE,
    resource_policies.ACCESS_LOST,
    permissions.EVERYTHING_ALLOWED,
    permissions.PASS_ANY_ROLE,
    permissions.PASS_ANY_ROLE_TO_SERVICE,
    permissions.PASS_ROLE_TO_ANY_SERVICE,
    passed_roles.PASSES_OTHER_ROLES,
    permissions.PRIVILEGE_ESCALATION,
    permissions.ADMIN_WILDCARD,
    permissions.PERMISSIONS_WILDCARD,
    permissions.PERMISSIONS_LOST,
    permissions.DENIAL_LOST,
    writers.POLICY_MAY_BE_DELETED,
    writers.WRITTEN_TWICE,
    release.RELEASED,
    staying.STAYS,
    staying.MAY_STAY,
    statements.UNKNOWN_ACTION,
    statements.UNKNOWN_SERVICE,
    statements.RESOURCE_NEVER_MATCHES,
    statements.CONDITION_NEVER_MATCHES,
    quotas.TRUST_POLICY_TOO_LONG,
    quotas.INLINE_POLICIES_TOO_LONG,
    quotas.MANAGED_POLICY_TOO_LONG,
    quotas.TOO_MANY_ATTACHED_POLICIES,
    undecided.POLICY_UNKNOWN,
    undecided.POLICY_HIDDEN,
    undecided.POLICY_UNREADABLE,
    undecided.POLICY_NOT_AT_HAND,
    undecided.UNDECIDED,
    undecided.EXCLUSIVE_REMOVES_UNSEEN,
    plan.CHECK_FAILED,
    plan.INCOMPLETE,
    plan.SHARED_ATTACHMENT,
    access.SERVICE_ROLE_CHANGED,
    access.NOT_JUDGED,
    access_analyzer.ERROR,
    access_analyzer.SECURITY_WARNING,
    access_analyzer.NEW_ACCESS,
    access_analyzer.WARNING,
    access_analyzer.SUGGESTION,
)
"""Every rule, in the order in which findings of one severity are reported."""


def findings(of: Plan, roles: Iterable[Role]) -> list[Finding]:
    """Return every finding on a plan and its roles, users and groups, the most severe first."""
    hits = [
        Finding(rule.id, rule.severity, of.name, "", hit.address, hit.reason, hit.remedy or rule.remedy, hit.subject)
        for rule in RULES
        if isinstance(rule, PlanRule)
        for hit in rule.judge(of)
    ]
    hits += [
        Finding(
            rule.id,
            rule.severity,
            of.name,
            each.name,
            hit.address,
            _named(each, hit.reason),
            hit.remedy or rule.remedy,
            _subject(each, hit.subject),
            issue=hit.issue,
        )
        for each in roles
        for rule in RULES
        if isinstance(rule, RoleRule) and each.kind in rule.kinds
        for hit in rule.judge(each)
    ]
    hits = [finding for finding in hits if not _is_repeated(finding, hits)]
    return sorted(hits, key=lambda finding: SEVERITIES.index(finding.severity))


def _is_repeated(finding: Finding, findings: list[Finding]) -> bool:
    """Return whether a finding only repeats the message of a check that other findings say statement by statement."""
    if finding.rule != plan.CHECK_FAILED.id or finding.address != plan.TRUST_CHECK:
        return False
    rules = (trust.LOST.id, permissions.DENIAL_LOST.id, release.RELEASED.id)
    return any(each.rule in rules and each.address == GLUE_TRUST.address for each in findings)


def _named(role: Role, reason: str) -> str:
    """Return a reason that names a user or a group: the resource at the address may be about several."""
    return f"{role.title}: {reason}" if role.kind in ("user", "group") else reason


def _subject(role: Role, subject: Subject) -> Subject:
    """Return a subject that differs between a role and a user, a group or a policy of the same name."""
    return subject if role.kind == "role" else tuple(f"{role.kind}: {part}" for part in subject)
