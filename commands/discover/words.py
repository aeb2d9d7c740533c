"""The English of what `discover` prints first: the summary, what is not well, and what to do."""

from collections.abc import Sequence
from typing import assert_never

from commands.discover.findings import RoleFinding
from commands.discover.problems import (
    GrantLeft,
    PolicyDiffers,
    PolicyMissing,
    PolicyUnknown,
    Problem,
    Remedy,
    State,
    TrustMissing,
    is_released,
    problems,
    state,
)
from commands.page import Advice, command, policy_in_words
from commands.role_warnings import GrantsStay, in_words
from configuration import Configuration, RoleStack, place_to_correct, role_setting
from iam.documents.grants import ManagedPolicyGrant, TrustGrant
from iam.engine.decision import Verdict
from iam.wording import counted


def summary(account_id: str, *, domains: int, regions: int, states: Sequence[State]) -> list[str]:
    """Return the first lines of the page: what was found, and how many roles are in each state."""
    found = f"account {account_id}: {counted(domains, 'domain')} in {counted(regions, 'region')}"
    if not states:
        return [f"{found}, no execution roles"]
    numbers = ", ".join(f"{states.count(each):,} {each}" for each in State if each in states)
    return [found, f"{counted(len(states), 'execution role')}: {numbers}"]


def lines(finding: RoleFinding) -> list[str]:
    """Return what is not well with a role, a line each."""
    if finding.not_supported:
        return [finding.not_supported]
    warnings = [in_words(warning) for warning in finding.warnings]
    if finding.role is None or state(finding) is State.GRANTED:
        return [*finding.notes, *warnings]
    obstacles = [] if is_released(finding) else finding.obstacles
    # their warning says more of them
    staying = {GrantLeft(grant) for each in finding.warnings if isinstance(each, GrantsStay) for grant in each.grants}
    shown = [problem_in_words(problem) for problem in problems(finding) if problem not in staying]
    return [*obstacles, *shown, *finding.notes, *warnings]


def problem_in_words(problem: Problem) -> str:
    """Return a missing grant on one line."""
    match problem:
        case PolicyMissing(ManagedPolicyGrant()):
            return f"{policy_in_words(problem.grant)} is not attached"
        case PolicyMissing():
            return f"{policy_in_words(problem.grant)} is missing"
        case PolicyDiffers():
            return f"{policy_in_words(problem.grant)} has other content than this project grants"
        case PolicyUnknown():
            return f"{policy_in_words(problem.grant)} could not be read"
        case GrantLeft(grant):
            if isinstance(grant, TrustGrant):
                return f"it is released, and its trust policy still has what this project adds for {grant.service}"
            return f"it is released, and still has {policy_in_words(grant)}"
        case TrustMissing():
            undecided = "undecided: " if problem.decision.verdict is Verdict.UNDECIDED else ""
            return f"{undecided}{problem.decision.reason}"
        case _:
            assert_never(problem)


def used_by(finding: RoleFinding) -> str:
    """Return a role's name and what uses it."""
    uses = [counted(number, kind[:-1].replace("_", " ")) for kind, number in finding.used_by.items() if number]
    return f"{finding.name} ({', '.join(uses)})" if uses else finding.name


def advice(remedy: Remedy, roles: Sequence[RoleFinding], *, everything: bool, environment: str) -> Advice:
    """Return what to do with some roles.

    Args:
        remedy: what they need.
        roles: the roles.
        everything: whether these are all the roles that can be written.
        environment: the environment of the configuration to write to.
    """
    names = [role.name for role in roles]
    stacks = [stack.name for role in roles for stack in role.stacks]
    match remedy:
        case Remedy.REMOVE_OBSTACLE:
            return Advice("apply does not help against an obstacle: have it removed first")
        case Remedy.WRITE:
            regions = dict.fromkeys(region for role in roles for region in role.regions)
            chosen = [] if everything else ["--role", *names]
            return Advice(
                "add roles to glue-sessions.yaml, in an environment of your choice:",
                [command("discover", "--region", *regions, "--write", environment, *chosen)],
            )
        case Remedy.APPLY:
            return Advice(
                "these roles are configured; apply shows the plan, asks, and adds what they lack:",
                [command("apply", *stacks)],
            )
        case Remedy.RELEASE:
            return Advice(
                "these roles are configured as released; apply shows the plan, asks, and removes what they still have:",
                [command("apply", *stacks)],
            )
        case _:
            assert_never(remedy)


def no_such_role(stack: RoleStack, configuration: Configuration, account_id: str) -> str:
    """Return the line of a configured role that an account does not have."""
    place = place_to_correct(configuration, role_setting(stack))
    return (
        f"account {account_id} has no role {stack.role.name}, which is configured: correct it in {place}, or use the"
        " credentials of the role's account"
    )


def correct_first(regions: Sequence[str]) -> Advice:
    """Return what to do about configured roles that do not exist, before any other role is configured."""
    return Advice(
        "correct the configured roles that do not exist, or delete their entries, before you add others; then:",
        [command("discover", *(["--region", *regions] if regions else []))],
    )


def advice_after_writing(stacks: Sequence[str]) -> Advice:
    """Return what to do with roles that were written."""
    return Advice("plan reads the roles and shows what apply would change:", [command("plan", *stacks)])
