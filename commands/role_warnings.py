"""What `verify`, `discover` and `plan` warn about: a role works, and not quite as its configuration suggests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from configuration import RoleStack
from iam.documents.grants import PolicyGrant
from iam.engine import sentences
from iam.engine.decision import Verdict
from iam.engine.some_resource import SomeResource
from iam.readiness.passed_roles import is_left_to_other_policies, passing_other_roles_by_others
from iam.role import Role


@dataclass(frozen=True)
class OtherRolesToGlue:
    """Policies that this project does not manage let a role pass other roles to Glue, or may."""

    found: SomeResource

    id = "other-roles-to-glue"


@dataclass(frozen=True)
class ConfiguredTwice:
    """Stacks of several environments that own one role, each with a separate state."""

    stacks: tuple[str, ...]

    id = "configured-twice"


@dataclass(frozen=True)
class GrantsStay:
    """Grants of a released role that its state does not have, so that no plan deletes them.

    Attributes:
        grants: the grants.
        undecided: whether the state could not be read, so that they may be in it.
    """

    grants: tuple[PolicyGrant, ...]
    undecided: bool

    id = "grants-stay"


Warning = OtherRolesToGlue | ConfiguredTwice | GrantsStay


def other_roles_to_glue(role: Role, stacks: Sequence[RoleStack]) -> Iterator[OtherRolesToGlue]:
    """Yield a warning if a role may pass other roles to Glue and its permission level leaves that to other policies.

    Args:
        role: the role in AWS.
        stacks: its configured stacks; without one, any level may be chosen.
    """
    levels = [stack.role.permissions for stack in stacks if not stack.role.released]
    if (stacks and not levels) or (levels and not any(map(is_left_to_other_policies, levels))):
        return
    found = passing_other_roles_by_others(role)
    if found.decision.verdict is not Verdict.DENIED:
        yield OtherRolesToGlue(found)


def configured_twice(stacks: Sequence[RoleStack]) -> Iterator[ConfiguredTwice]:
    """Yield a warning if several stacks own one role."""
    if len(stacks) > 1:
        yield ConfiguredTwice(tuple(stack.name for stack in stacks))


def shared_roles(
    stacks: Sequence[RoleStack], caller_account_id: Callable[[], str]
) -> Iterator[tuple[RoleStack, ConfiguredTwice]]:
    """Yield each stack whose role other stacks own too, with the warning.

    Args:
        stacks: those of the configuration.
        caller_account_id: returns the account of stacks whose environment names none. It is called only where that
            decides: the file names the account of one stack of a role, and not of another.
    """
    by_name: dict[str, list[RoleStack]] = {}
    for stack in stacks:
        by_name.setdefault(stack.role.name.lower(), []).append(stack)
    for alike in by_name.values():
        named = {each.known_account_id for each in alike}
        unnamed = caller_account_id() if None in named and len(named) > 1 else None
        for account_id in dict.fromkeys(each.known_account_id or unnamed for each in alike):
            owners = [each for each in alike if (each.known_account_id or unnamed) == account_id]
            for warning in configured_twice(owners):
                yield from ((each, warning) for each in owners)


def in_words(warning: Warning) -> str:
    """Return a warning on one line, with what to do."""
    match warning:
        case OtherRolesToGlue(found):
            where = f" on {', '.join(sentences.resource_list(found.statement.resource))}" if found.statement else ""
            begin = "a notebook can pass other roles to Glue"
            if found.decision.verdict is Verdict.UNDECIDED:
                begin = "whether a notebook can pass other roles to Glue is undecided"
            return (
                f"{begin}: {found.decision.reason}{where}; permissions: least-privilege leaves that open, isolated"
                " denies it"
            )
        case ConfiguredTwice(stacks):
            return (
                f"{len(stacks)} stacks own this role, each with its own state ({', '.join(stacks)}): what one"
                " changes or releases, the other loses; keep one of them"
            )
        case GrantsStay():
            names = ", ".join(grant.policy_name for grant in warning.grants)
            them = "it" if len(warning.grants) == 1 else "them"
            why = f"its state does not have {them}"
            if warning.undecided:
                why = f"whether its state has {them} is undecided, it could not be read"
            return (
                f"it is released and still has {names}; {why}: apply imports what the state does not have, and then"
                f" deletes it; if another stack grants {them} now, delete the role's entry in glue-sessions.yaml"
                " instead"
            )
        case _:
            assert_never(warning)


def as_json(warning: Warning) -> dict[str, object]:
    """Return a warning as JSON."""
    return {"warning": warning.id, "text": in_words(warning)}
