"""What keeps an execution role from running Glue sessions, as values, and what removes it."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from commands.discover.findings import RoleFinding
from iam.documents.grants import Grant, PolicyGrant, TrustGrant
from iam.engine.decision import Decision, Verdict
from iam.readiness.held_grants import HeldGrant, HeldPolicy, HeldTrust, Presence
from iam.readiness.trust import has_own_trust


class State(enum.StrEnum):
    """How far a role is granted."""

    GRANTED = "granted"
    PARTLY_GRANTED = "partly granted"
    NOT_GRANTED = "not granted"
    RELEASED_WITH_GRANTS = "released with grants left"
    """All its stacks are released, and it still has a grant."""
    RELEASED = "released as configured"
    OBSTRUCTED = "obstructed"
    """Something refuses the grants, or makes them useless."""
    NOT_SUPPORTED = "not supported"
    NOT_READ = "not read"
    """The role is missing in IAM, or could not be read."""


class Remedy(enum.StrEnum):
    """What a role needs next."""

    REMOVE_OBSTACLE = "remove obstacle"
    WRITE = "write"
    """The role is in no environment of the configuration."""
    APPLY = "apply"
    """The role is configured, and lacks a grant."""
    RELEASE = "release"
    """The role is configured as released, and still has a grant."""


@dataclass(frozen=True)
class PolicyMissing:
    """A grant that is a policy, and that the role does not have."""

    grant: PolicyGrant


@dataclass(frozen=True)
class PolicyDiffers:
    """A policy with the name of a grant, and other content than any permission level grants."""

    grant: PolicyGrant


@dataclass(frozen=True)
class PolicyUnknown:
    """A grant that is a policy, and that could not be read."""

    grant: PolicyGrant


@dataclass(frozen=True)
class TrustMissing:
    """A service that may not assume the role, or only under conditions."""

    grant: TrustGrant
    decision: Decision


@dataclass(frozen=True)
class GrantLeft:
    """A grant that a released role still has."""

    grant: Grant


Problem = PolicyMissing | PolicyDiffers | PolicyUnknown | TrustMissing | GrantLeft


def problems(finding: RoleFinding) -> Iterator[Problem]:
    """Yield how a role that could be read differs from all grants, or from none if it is released."""
    return unreleased(finding) if is_released(finding) else ungranted(finding)


def is_released(finding: RoleFinding) -> bool:
    """Return whether a role is configured, and each of its stacks as released."""
    return bool(finding.stacks) and all(stack.role.released for stack in finding.stacks)


def unreleased(finding: RoleFinding) -> Iterator[Problem]:
    """Yield the grants that a released role still has, and those that could not be read."""
    external = all(stack.role.trust.ownership == "external" for stack in finding.stacks)
    for held in finding.grants:
        match held:
            case HeldTrust():
                if not external and has_own_trust(finding.document, held.grant):
                    yield GrantLeft(held.grant)
            case HeldPolicy(presence=Presence.PRESENT):
                yield GrantLeft(held.grant)
            case HeldPolicy(presence=Presence.UNREADABLE):
                yield PolicyUnknown(held.grant)
            case HeldPolicy():
                pass
            case _:
                assert_never(held)


def ungranted(finding: RoleFinding) -> Iterator[Problem]:
    """Yield the grants that a role does not have, or not as any permission level grants them."""
    for held in finding.grants:
        match held:
            case HeldTrust():
                if held.decision.verdict is not Verdict.ALLOWED:
                    yield TrustMissing(held.grant, held.decision)
            case HeldPolicy():
                yield from _ungranted_policy(held)
            case _:
                assert_never(held)


def _ungranted_policy(held: HeldPolicy) -> Iterator[Problem]:
    match held.presence:
        case Presence.ABSENT | Presence.PRESENT if held.grant.is_optional:
            return
        case Presence.ABSENT:
            yield PolicyMissing(held.grant)
        case Presence.UNREADABLE:
            yield PolicyUnknown(held.grant)
        case Presence.PRESENT:
            if not held.levels:
                yield PolicyDiffers(held.grant)
        case _:
            assert_never(held.presence)


def state(finding: RoleFinding) -> State:
    """Return how far a role is granted."""
    if finding.not_supported:
        return State.NOT_SUPPORTED
    if finding.role is None:
        return State.NOT_READ
    if is_released(finding):
        left = list(unreleased(finding))
        if any(isinstance(each, GrantLeft) for each in left):
            return State.RELEASED_WITH_GRANTS
        return State.NOT_READ if left else State.RELEASED
    if finding.obstacles:
        return State.OBSTRUCTED
    if not list(ungranted(finding)):
        return State.GRANTED
    return State.PARTLY_GRANTED if any(_exists(held) for held in finding.grants) else State.NOT_GRANTED


def _exists(held: HeldGrant) -> bool:
    match held:
        case HeldTrust():
            return held.decision.verdict is not Verdict.DENIED
        case HeldPolicy():
            return held.presence is not Presence.ABSENT
        case _:
            assert_never(held)


def remedies(finding: RoleFinding) -> Iterator[Remedy]:
    """Yield what a role needs next, in this order."""
    if finding.not_supported or finding.role is None:
        return
    if is_released(finding):
        if state(finding) is State.RELEASED_WITH_GRANTS:
            yield Remedy.RELEASE
        return
    if finding.obstacles:
        yield Remedy.REMOVE_OBSTACLE
    if not finding.stacks:
        yield Remedy.WRITE
    elif list(ungranted(finding)):
        yield Remedy.APPLY
