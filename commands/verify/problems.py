"""What keeps a role from being ready, as values, and what removes each."""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from commands.verify.calls import GLUE_ASSUMES, CallResult
from iam.arn import RoleArn
from iam.documents.grants import ACCESS_POLICY, Grant, PolicyGrant, TrustGrant
from iam.documents.recipe import Permissions
from iam.engine.decision import Decision, Verdict
from iam.engine.difference import Difference
from iam.readiness.obstacles import CallsDenied


class Remedy(enum.Enum):
    """What removes a problem; the values are those of the JSON (docs/verify.md)."""

    APPLY = "apply"
    KEEP_OR_APPLY = "keep or apply"
    """Apply takes away what others may need: it is kept by a setting."""
    RELEASE = "release"
    GRANTS_STAY = "grants-stay"
    """Apply does not remove the grants, because the state does not have them."""
    OWNER = "owner of the trust policy"
    OTHER_POLICY = "other policy"
    """A policy that this project does not manage decides."""
    START_SESSION = "start session"
    """Only Glue itself shows it."""
    RUN_NOTEBOOK = "run notebook"
    """Only a request of the role itself shows it."""
    READ_MESSAGE = "read message"
    ROLE_NAME = "role name"
    REMOVE_ENTRY = "remove entry"
    CREDENTIALS = "credentials"
    READ_PERMISSION = "read permission"


@dataclass(frozen=True)
class AccountNotReached:
    """The account of an environment, which its credentials do not reach; `reason` is the error's line."""

    reason: str


@dataclass(frozen=True)
class OtherAccount:
    """Credentials for another account than the role's."""


@dataclass(frozen=True)
class NotReadable:
    """A role that the caller may not read."""


@dataclass(frozen=True)
class NoSuchRole:
    """A role that does not exist in an account."""

    account_id: str


@dataclass(frozen=True)
class OfUnifiedStudio:
    """A role of SageMaker Unified Studio; `sign` shows it."""

    sign: str


@dataclass(frozen=True)
class OtherArn:
    """A role whose ARN is not the configured one."""

    configured: RoleArn
    actual: RoleArn


@dataclass(frozen=True)
class MissingPolicy:
    """A configured policy that the role does not have."""

    grant: PolicyGrant


@dataclass(frozen=True)
class UnconfiguredPolicy:
    """A policy of this project that the role has, although its settings do not grant it.

    Attributes:
        grant: the grant.
        in_state: whether the role's state has it, so that apply removes it; None if unknown.
    """

    grant: PolicyGrant
    in_state: bool | None = None


@dataclass(frozen=True)
class OtherPolicy:
    """An inline policy that differs from the one that a permission level grants."""

    grant: PolicyGrant
    permissions: Permissions
    difference: Difference


@dataclass(frozen=True)
class OtherTrust:
    """A trust policy that differs from the configured one."""

    grant: TrustGrant
    difference: Difference

    @property
    def broader(self) -> bool:
        """Whether the role trusts more than configured: apply takes it away."""
        return any(change.broadens for change in self.difference.changes)


@dataclass(frozen=True)
class NotTrusted:
    """A trust policy that does not let the grant's service assume the role.

    Attributes:
        grant: the grant.
        decision: why.
        ownership: who owns the trust policy.
        denied: whether a Deny of others refuses it, so that a further statement does not help.
    """

    grant: TrustGrant
    decision: Decision
    ownership: Literal["additive", "external"]
    denied: bool


@dataclass(frozen=True)
class NotReleased:
    """A grant that a released role still has.

    Attributes:
        grant: the grant.
        in_state: whether the role's state has all policies that remain, so that apply removes them; None if unknown.
    """

    grant: Grant
    in_state: bool | None = None


@dataclass(frozen=True)
class CallsRefused:
    """Needed calls that are denied or undecided, for another reason than a missing grant.

    Attributes:
        actions: the calls, in the kernel's order.
        decision: the decision on each.
        trust: whether it is Glue's assuming of the role.
        is_readable: whether the caller could read the policy that decides with more permissions.
    """

    actions: tuple[str, ...]
    decision: Decision
    trust: bool
    is_readable: bool = False


@dataclass(frozen=True)
class SessionFailed:
    """A session in which no statement ran; `output` is the error."""

    output: str


Mismatch = OtherArn | MissingPolicy | UnconfiguredPolicy | OtherPolicy | OtherTrust | NotTrusted | NotReleased
"""How a role differs from its configuration."""

Problem = (
    AccountNotReached
    | OtherAccount
    | NotReadable
    | NoSuchRole
    | OfUnifiedStudio
    | Mismatch
    | CallsDenied
    | CallsRefused
    | SessionFailed
)


def remedy(problem: Problem) -> Remedy:
    """Return what removes a problem."""
    match problem:
        case AccountNotReached() | OtherAccount():
            return Remedy.CREDENTIALS
        case NotReadable():
            return Remedy.READ_PERMISSION
        case NoSuchRole() | OtherArn():
            return Remedy.ROLE_NAME
        case OfUnifiedStudio():
            return Remedy.REMOVE_ENTRY
        case UnconfiguredPolicy(in_state=False) | NotReleased(in_state=False):
            return Remedy.GRANTS_STAY
        case MissingPolicy() | UnconfiguredPolicy() | OtherPolicy():
            return Remedy.APPLY
        case OtherTrust():
            return Remedy.KEEP_OR_APPLY if problem.broader else Remedy.APPLY
        case NotTrusted(ownership="external"):
            return Remedy.OWNER
        case NotTrusted():
            return Remedy.OTHER_POLICY if problem.denied else Remedy.APPLY
        case NotReleased():
            return Remedy.RELEASE
        case CallsRefused(is_readable=True):
            return Remedy.READ_PERMISSION
        case CallsRefused(decision=Decision(verdict=Verdict.UNDECIDED)):
            return Remedy.START_SESSION if problem.trust else Remedy.RUN_NOTEBOOK
        case CallsDenied() | CallsRefused():
            return Remedy.OTHER_POLICY
        case SessionFailed():
            return Remedy.READ_MESSAGE
        case _:
            assert_never(problem)


def is_undecided(problem: Problem) -> bool:
    """Return whether a problem may be none."""
    return isinstance(problem, CallsRefused) and problem.decision.verdict is Verdict.UNDECIDED


def refused_calls(
    known: Sequence[Problem], denied: Sequence[CallsDenied], results: Sequence[CallResult]
) -> Iterator[CallsRefused]:
    """Yield the needed calls that are not allowed, as far as no known problem explains them, grouped by decision.

    Args:
        known: the problems found so far.
        denied: the calls that are denied, or may be, whatever is granted.
        results: the kernel's calls, evaluated.
    """
    ungranted = {action for problem in known for action in _calls_of_grant(problem)}
    access_differs = any(
        problem.grant is ACCESS_POLICY for problem in known if isinstance(problem, MissingPolicy | OtherPolicy)
    )
    verdicts = {action: each.decision.verdict for each in denied for action in each.actions}
    groups: dict[tuple[Decision, bool, bool], list[str]] = {}
    for call, decision, whatever_is_granted, is_readable in results:
        verdict = verdicts.get(call.action)
        of_missing_grant = access_differs if call.setting else call.action in ungranted
        granting_helps = of_missing_grant and not whatever_is_granted and verdict is None
        explained = granting_helps or (verdict is decision.verdict is Verdict.DENIED)
        if call.needed and decision.verdict is not Verdict.ALLOWED and not explained:
            groups.setdefault((decision, call is GLUE_ASSUMES, is_readable), []).append(call.action)
    for (decision, trust, is_readable), actions in groups.items():
        yield CallsRefused(tuple(dict.fromkeys(actions)), decision, trust, is_readable)


def _calls_of_grant(problem: Problem) -> Sequence[str]:
    match problem:
        case MissingPolicy() | OtherPolicy() | OtherTrust() | NotTrusted():
            return problem.grant.calls
        case _:
            return ()
