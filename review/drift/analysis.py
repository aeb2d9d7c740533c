"""What a plan says of drift: what others changed, who is affected, what `apply` would do, what it leaves alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from plans.plan import Plan, ResourceChange
from review.drift.affected import affected
from review.drift.snapshots import Sides, ThreeSides, policy_lines, three_sides, trust_lines
from review.report import done

NOT_ITS_OWN = "nothing about the trust policy, which another stack owns"


@dataclass
class Judgement:
    """What is to be said of one stack, a line each.

    Attributes:
        drifted: what others changed and the next apply would change back.
        affected: whom it affects, as far as the documents tell.
        apply: what the next apply would do about it.
        left_alone: what others changed and the next apply would leave as it is: for information.
        not_applied: what the next apply would do besides, since the configuration says so and nobody applied it.
    """

    drifted: list[str] = field(default_factory=list)
    affected: list[str] = field(default_factory=list)
    apply: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    not_applied: list[str] = field(default_factory=list)


def judge(plan: Plan, *, region: str) -> Judgement:
    """Judge a plan of a stack of ours.

    Drift and configuration that was never applied are told apart by what was last applied (the state), what is there
    and what the plan makes of it. Where both touch the same statement, it counts as drift.

    Args:
        plan: made without a change of the state, so that it still knows what was last applied.
        region: where Glue sessions run.
    """
    found = Judgement()
    explained: set[str] = set()
    for role in three_sides(plan):
        _sort_out(_trust(role.trust), found)
        for name, sides in role.policies.items():
            _sort_out(_policy(name, sides), found)
        found.left_alone += role.others
        found.affected += affected(role, region=region)
        explained |= set(_explained(role))
    drifted = {change.address for change in plan.drift}
    for change in plan.changes:
        _unexplained(change, change.address in explained, change.address in drifted, found)
    _failed_checks(plan, found)
    return found


@dataclass(frozen=True)
class _Lines:
    happened: Sequence[str]
    """From the state to what is there."""
    planned: Sequence[str]
    """From what is there to what the next apply leaves."""
    altogether: Sequence[str]
    """From the state to what the next apply leaves."""


def _trust(sides: Sides) -> _Lines:
    return _Lines(
        trust_lines(sides.state, sides.live),
        trust_lines(sides.live, sides.after),
        trust_lines(sides.state, sides.after),
    )


def _policy(name: str, sides: Sides) -> _Lines:
    return _Lines(
        policy_lines(name, sides.state, sides.live),
        policy_lines(name, sides.live, sides.after),
        policy_lines(name, sides.state, sides.after),
    )


def _sort_out(lines: _Lines, found: Judgement) -> None:
    if not lines.planned:
        found.left_alone += lines.happened
        return
    if undone := [line for line in lines.happened if line not in lines.altogether]:
        found.drifted += undone
        found.apply += lines.planned
        found.left_alone += [line for line in lines.happened if line in lines.altogether]
        found.not_applied += [line for line in lines.altogether if line not in lines.happened]
    else:
        found.left_alone += lines.happened
        found.not_applied += lines.planned


def _explained(role: ThreeSides) -> Iterator[str]:
    """Yield the addresses of the changes that the lines above have told."""
    if role.planned and role.planned.change and _trust(role.trust).planned:
        yield role.planned.address
    for name, sides in role.policies.items():
        if _policy(name, sides).planned:
            yield from (held.address for held in (sides.live, sides.after) if held and held.address)


def _unexplained(change: ResourceChange, explained: bool, drifted: bool, found: Judgement) -> None:
    """Tell of a change what no line about policies has told."""
    if change.importing:
        found.not_applied.append(f"adopted (imported): {change.address}")
    if change.moved_from:
        found.not_applied.append(f"moved from {change.moved_from}: {change.address}")
    role_goes = change.type == "aws_iam_role" and "delete" in change.actions  # more than its policies going
    if (explained and not role_goes) or change.actions in (("no-op",), ("read",)):
        return
    line = f"{done(change.actions)}: {change.address}"
    if change.actions == ("forget",) or role_goes or not drifted:
        found.not_applied.append(line)
    else:
        found.drifted.append(f"changed in more than its meaning: {change.address}")
        found.apply.append(line)


def _failed_checks(plan: Plan, found: Judgement) -> None:
    adopted = any(change.type == "aws_iam_role" and change.actions != ("forget",) for change in plan.changes)
    for said in plan.failed_checks:
        text = said.partition(": ")[2] or said
        if adopted:
            (found.apply if found.drifted else found.not_applied).append(text)
        else:
            # the one check of a role that another stack owns: that it trusts Glue
            found.drifted.append(text)
            found.affected.append("Glue sessions will be refused: trust missing")
            found.apply.append(NOT_ITS_OWN)
