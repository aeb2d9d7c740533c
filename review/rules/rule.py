"""What a rule is, and what it raises."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from iam.access_analyzer import Issue
from iam.engine import sentences
from iam.engine.difference import Change, Difference
from iam.engine.statements import Statement
from plans.plan import Plan
from plans.roles import IDENTITY_KINDS, Role, RoleKind
from review.rules.subject import Subject

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")
"""The most severe first."""

AT_MOST = 12
"""Most names of a kind that a sentence lists; the rest are counted. The tables list all of them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reviewer should look at before the plan is applied."""

    rule: str
    severity: Severity
    plan: str
    role: str
    """The role, or the managed policy, that the finding is about; "" for a finding about the plan."""
    address: str
    reason: str
    remedy: str
    subject: Subject
    """The values that the rule decided on; a waiver is bound to them."""
    accepted: str = ""
    """The reasons of the waivers that cover the finding, "" without one."""
    issue: Issue | None = None
    """The finding of Access Analyzer that this one repeats."""


class Hit(NamedTuple):
    """Where a rule is raised, why, and for which values."""

    address: str
    reason: str
    subject: Subject
    """The values that the rule decided on, all of them; `place_only` where there are none."""
    remedy: str = ""
    """What to do, where the rule's own remedy does not fit; "" for the rule's."""
    issue: Issue | None = None
    """The finding of Access Analyzer that the hit repeats."""


EVERY_KIND: tuple[RoleKind, ...] = (*IDENTITY_KINDS, "policy", "resource")
NO_RESOURCE: tuple[RoleKind, ...] = (*IDENTITY_KINDS, "policy")


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleRule:
    """A rule that is evaluated for each role of a plan, or for what else is a `Role` of one of its kinds."""

    id: str
    severity: Severity
    raised: str
    """Completes the sentence "raised when …"."""
    remedy: str
    judge: Callable[[Role], Iterable[Hit]]
    kinds: tuple[RoleKind, ...] = NO_RESOURCE


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRule:
    """A rule that is evaluated once for a plan."""

    id: str
    severity: Severity
    raised: str
    """Completes the sentence "raised when …"."""
    remedy: str
    judge: Callable[[Plan], Iterable[Hit]]


Rule = RoleRule | PlanRule


def persists(role: Role) -> bool:
    """Return whether the role exists before and after the plan, and is not replaced."""
    return role.before.exists and role.after.exists and not (role.change and "delete" in role.change.actions)


def change_sentence(change: Change, of: Difference, *, trust: bool) -> str:
    """Return a change as a sentence of a reason."""
    return sentences.change(change, of.spelling, trust=trust, at_most=AT_MOST)


def trust_sentence(statement: Statement, of: Difference) -> str:
    """Return a statement of a trust policy or of a resource's policy as a sentence of a reason."""
    return sentences.statement(statement, of.spelling, trust=True, at_most=AT_MOST)
