"""What to type after `drift`: decided on the entries of each stack, then put into words."""

import enum
from collections.abc import Sequence
from typing import assert_never

from commands.page import Advice, command
from commands.remedies import grants_stay, keep_or_apply, owner_of_trust_policy
from iam.engine.difference import Kind
from review.drift.entries import Entry, GrantStays, StatementChange, TrustOfAnotherStack
from review.drift.report import Reading


class Remedy(enum.Enum):
    """What to do about a stack."""

    CORRECT = enum.auto()
    """Its errors say why it could not be read."""
    KEEP_OR_APPLY = enum.auto()
    """Others added trust that apply would take away."""
    APPLY = enum.auto()
    """Apply changes back what others did."""
    OWNER = enum.auto()
    """Another stack owns the trust policy."""
    GRANTS_STAY = enum.auto()
    """The role has grants that its state does not have."""
    FIRST_APPLY = enum.auto()
    """What is configured was never applied."""
    VERIFY = enum.auto()
    """Whether a released role keeps grants is undecided."""


def remedies(reading: Reading) -> list[Remedy]:
    """Return what to do about a stack, nothing if it is as applied."""
    analysis = reading.analysis
    found = []
    match reading.state:
        case "not read":
            return [Remedy.CORRECT]
        case "drifted":
            owner = any(isinstance(each, TrustOfAnotherStack) for each in analysis.apply)
            if owner:
                found.append(Remedy.OWNER)
            if not owner or len(analysis.apply) > 1:
                found.append(Remedy.KEEP_OR_APPLY if any(map(_adds_trust, analysis.drifted)) else Remedy.APPLY)
        case "not applied":
            found.append(Remedy.FIRST_APPLY)
        case "with grants left" | "as applied":
            pass
        case never:
            assert_never(never)
    if analysis.staying:
        found.append(Remedy.GRANTS_STAY)
    if any(isinstance(each, GrantStays) for each in analysis.left_alone):
        found.append(Remedy.VERIFY)
    return found


def advice(readings: Sequence[Reading]) -> list[Advice]:
    """Return what to do next, the most urgent first; one entry for all stacks with the same remedy."""
    stacks = {remedy: [each.stack for each in readings if remedy in remedies(each)] for remedy in Remedy}
    return [_in_words(remedy, names) for remedy, names in stacks.items() if names]


def _adds_trust(entry: Entry) -> bool:
    if not isinstance(entry, StatementChange):
        return False
    return entry.policy.kind == "trust" and entry.change.kind in (Kind.GAINED, Kind.WIDENED)


def _in_words(remedy: Remedy, stacks: Sequence[str]) -> Advice:
    apply, drift = command("apply", *stacks), command("drift", *stacks)
    match remedy:
        case Remedy.CORRECT:
            return Advice("correct what the errors name, then:", [drift])
        case Remedy.KEEP_OR_APPLY:
            return keep_or_apply(*stacks)
        case Remedy.APPLY:
            return Advice("apply shows the plan, asks, and changes back what others changed:", [apply])
        case Remedy.OWNER:
            return owner_of_trust_policy(drift)
        case Remedy.GRANTS_STAY:
            return grants_stay(*stacks)
        case Remedy.FIRST_APPLY:
            return Advice("apply shows the plan, asks, and applies what is configured:", [apply])
        case Remedy.VERIFY:
            return Advice("this shows whether the released roles keep grants:", [command("verify", *stacks)])
        case _:
            assert_never(remedy)
