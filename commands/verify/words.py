"""The English of `verify`: problems, remedies, and what is printed."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from commands.page import Advice, command, policy_in_words
from commands.remedies import grants_stay, keep_or_apply, owner_of_trust_policy
from commands.verify.calls import DOCUMENTS, SIMULATION
from commands.verify.problems import (
    AccountNotReached,
    CallsRefused,
    MissingPolicy,
    NoSuchRole,
    NotReadable,
    NotReleased,
    NotTrusted,
    OfUnifiedStudio,
    OtherAccount,
    OtherArn,
    OtherPolicy,
    OtherTrust,
    Problem,
    Remedy,
    SessionFailed,
    UnconfiguredPolicy,
)
from configuration import RoleStack
from iam.documents.grants import ACCESS_POLICY, Grant, InlinePolicyGrant, ManagedPolicyGrant, TrustGrant
from iam.engine import sentences
from iam.engine.decision import Decision, Verdict
from iam.engine.difference import Difference, Kind
from iam.readiness.obstacles import CallsDenied
from iam.wording import counted

_CALLS_SHOWN = 3

# of a role in AWS, beside its configuration; nothing is known of its past
_KINDS = {
    Kind.GAINED: "not configured",
    Kind.WIDENED: "more than configured",
    Kind.ALTERED: "other than configured",
    Kind.NARROWED: "less than configured",
    Kind.LOST: "missing",
}

_EVALUATED_BY = {
    SIMULATION: "calls evaluated by IAM's simulation",
    DOCUMENTS: "calls evaluated from the roles' documents, without service control policies",
}


def problem_in_words(problem: Problem) -> str:
    """Return a problem on one line."""
    match problem:
        case AccountNotReached():
            return problem.reason
        case OtherAccount():
            return "the credentials are for another account"
        case NotReadable():
            return "the role could not be read"
        case NoSuchRole():
            return f"there is no such role in account {problem.account_id}"
        case OfUnifiedStudio():
            return (
                f"it belongs to SageMaker Unified Studio ({problem.sign}), which removes the Glue kernels from its"
                " notebooks"
            )
        case OtherArn():
            return f"the configuration names {problem.configured}, but the role of that name is {problem.actual}"
        case MissingPolicy(ManagedPolicyGrant()):
            return f"{_name(problem.grant)} is not attached"
        case MissingPolicy():
            return f"{_name(problem.grant)} is missing"
        case UnconfiguredPolicy():
            return f"{_name(problem.grant)} is not configured"
        case OtherPolicy():
            changes = _changes(problem.difference, trust=False)
            setting = "access" if problem.grant is ACCESS_POLICY else f"permissions: {problem.permissions}"
            return f"{_name(problem.grant)} does not match {setting}: {changes}"
        case OtherTrust():
            return f"the trust policy does not match the configuration: {_changes(problem.difference, trust=True)}"
        case NotTrusted(decision=Decision(verdict=Verdict.UNDECIDED)):
            return f"Glue's own statement is missing from the trust policy, and {problem.decision.reason}"
        case NotTrusted():
            return problem.decision.reason
        case NotReleased():
            return f"it is released, but {_name(problem.grant)} {_remains(problem.grant)}"
        case CallsDenied():
            return str(problem)
        case CallsRefused():
            more = len(problem.actions) - _CALLS_SHOWN
            names = ", ".join(problem.actions[:_CALLS_SHOWN])
            decided = "undecided: " if problem.decision.verdict is Verdict.UNDECIDED else ""
            return f"{names}{f' and {more} more calls' if more > 0 else ''}: {decided}{problem.decision.reason}"
        case SessionFailed():
            return f"no statement ran in its session: {problem.output}"
        case _:
            assert_never(problem)


def _name(grant: Grant) -> str:
    return "its trust policy" if isinstance(grant, TrustGrant) else policy_in_words(grant)


def _remains(grant: Grant) -> str:
    match grant:
        case ManagedPolicyGrant():
            return "is still attached"
        case InlinePolicyGrant():
            return "still exists"
        case TrustGrant():
            return "still has Glue's statement"
        case _:
            assert_never(grant)


def _changes(difference: Difference, *, trust: bool) -> str:
    return "; ".join(
        f"{_KINDS[each.kind]}: {sentences.change_without_kind(each, difference.spelling, trust=trust)}"
        for each in difference.changes
    )


def advice(remedy: Remedy, stacks: Sequence[RoleStack]) -> Advice:
    """Return what to do about the problems of some stacks that have the same remedy."""
    names = [stack.name for stack in stacks]
    apply, again = (command(name, *names) for name in ("apply", "verify"))
    match remedy:
        case Remedy.APPLY:
            return Advice("apply shows the plan, asks, and adds or restores what is configured:", [apply])
        case Remedy.KEEP_OR_APPLY:
            return keep_or_apply(*names)
        case Remedy.RELEASE:
            return Advice(
                "apply shows the plan, asks, and removes the grants; it first imports those that the state lacks:",
                [apply],
            )
        case Remedy.GRANTS_STAY:
            return grants_stay(*names)
        case Remedy.OWNER:
            return owner_of_trust_policy(again)
        case Remedy.OTHER_POLICY:
            return Advice(
                "apply does not help against a policy that this project does not manage: have it changed, then:",
                [again],
            )
        case Remedy.START_SESSION:
            return Advice(
                "only a session shows whether Glue may assume the role:", [command("verify", "--start-session", *names)]
            )
        case Remedy.RUN_NOTEBOOK:
            return Advice("run a cell in a notebook: these calls depend on what only their requests have")
        case Remedy.READ_MESSAGE:
            return Advice("look up the session's message in docs/troubleshooting.md, then:", [again])
        case Remedy.ROLE_NAME:
            regions = dict.fromkeys(stack.environment.region for stack in stacks)
            return Advice(
                "correct role in glue-sessions.yaml; this lists the roles of the account:",
                [command("discover", "--region", *regions)],
            )
        case Remedy.REMOVE_ENTRY:
            return Advice("these roles cannot be granted to: set released: true, apply, and delete their entries")
        case Remedy.CREDENTIALS:
            return Advice("use credentials of the roles' account, or correct deploy_role_arn, then:", [again])
        case Remedy.READ_PERMISSION:
            return Advice(
                "let the caller read the roles, and the policies of what they use (docs/verify.md, Permissions), then:",
                [again],
            )
        case _:
            assert_never(remedy)


def summary(states: Sequence[str], evaluated_by: Iterable[str]) -> list[str]:
    """Return the first lines of the page: how many roles are in each state, and how their calls were evaluated.

    Args:
        states: the state of each role.
        evaluated_by: how the calls were evaluated: `SIMULATION`, `DOCUMENTS`.
    """
    well_first = sorted(dict.fromkeys(states), key=lambda state: state not in ("ready", "released"))
    numbers = ", ".join(f"{states.count(state):,} {state}" for state in well_first)
    return [
        f"{counted(len(states), 'role')}: {numbers}",
        *(_EVALUATED_BY[each] for each in dict.fromkeys(evaluated_by)),
    ]
