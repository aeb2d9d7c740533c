"""The analysis of a plan for drift: what others changed, who is affected, what `apply` would do and leave alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from plans.plan import Plan, PlanError, ResourceChange
from plans.roles import Held, PolicyName
from plans.values import visible
from review.drift.affected import affected
from review.drift.entries import (
    Adoption,
    Entry,
    FailedCheckMessage,
    GrantStays,
    Move,
    OtherChange,
    ResourceAction,
    TrustMissing,
    TrustOfAnotherStack,
    joined,
)
from review.drift.snapshots import RoleSnapshots, Snapshots, policy_changes, role_snapshots, trust_changes
from review.own.last_apply import changed_back
from review.own.staying import staying_grants


@dataclass
class Analysis:
    """The drift of one stack.

    Attributes:
        drifted: what others changed and the next apply would change back.
        affected: who is affected, according to the policies.
        apply: what the next apply would do about the drift.
        left_alone: what others changed and the next apply would leave as it is: for information.
        not_applied: what else the next apply would do, because the configuration was not applied yet.
        staying: the grants that are not configured and that no plan deletes.
    """

    drifted: list[Entry] = field(default_factory=list)
    affected: list[Entry] = field(default_factory=list)
    apply: list[Entry] = field(default_factory=list)
    left_alone: list[Entry] = field(default_factory=list)
    not_applied: list[Entry] = field(default_factory=list)
    staying: list[Entry] = field(default_factory=list)


def analyze(plan: Plan, *, region: str) -> Analysis:
    """Return the analysis of a plan of one of this project's stacks.

    Drift is distinguished from configuration that was never applied by three snapshots: the state, AWS, and the plan.
    A statement that others and the configuration both changed counts as drift.

    Args:
        plan: created without changing the state, so that it still contains what was last applied.
        region: where Glue sessions run.

    Raises:
        PlanError: the plan does what is not known here.
    """
    if unknown := ", ".join(map(str, plan.unknown_operations)):
        raise PlanError(f"the plan has what this version of glue-sessions does not know: {visible(unknown)}")
    analysis = Analysis()
    explained: set[str] = set()
    for role in role_snapshots(plan):
        _classify(_trust(role.trust), analysis)
        for name, snapshots in role.policies.items():
            _classify(_policy(name, snapshots), analysis)
        analysis.left_alone += role.others
        analysis.affected += affected(role, region=region)
        explained |= set(_explained(role))
    drifted = changed_back(plan)
    for change in plan.changes:
        _add_unexplained(change, change.address in explained, change.address in drifted, analysis)
    _add_failed_checks(plan, analysis)
    staying = staying_grants(plan)
    analysis.staying += [GrantStays(grant.policy_name, certain=True) for grant in staying.certain]
    analysis.left_alone += [GrantStays(grant.policy_name, certain=False) for grant in staying.undecided]
    return analysis


@dataclass(frozen=True)
class _Changes:
    happened: list[Entry]
    """From the state to AWS."""
    planned: list[Entry]
    """From AWS to the next apply."""
    altogether: list[Entry]
    """From the state to the next apply."""


def _compare(snapshots: Snapshots, changes: Callable[[Held | None, Held | None], list[Entry]]) -> _Changes:
    state, current, planned = snapshots
    return _Changes(changes(state, current), changes(current, planned), changes(state, planned))


def _trust(snapshots: Snapshots) -> _Changes:
    return _compare(snapshots, trust_changes)


def _policy(name: PolicyName, snapshots: Snapshots) -> _Changes:
    return _compare(snapshots, lambda before, after: policy_changes(name, before, after))


def _classify(changes: _Changes, analysis: Analysis) -> None:
    """Add the changes of a policy to the parts of the analysis; what others did is drift if apply undoes it."""
    happened, altogether = changes.happened, changes.altogether
    undone = [each for each in happened if each not in altogether] if changes.planned else []
    if undone:
        analysis.drifted += joined(undone)
        analysis.apply += joined(changes.planned)
        analysis.left_alone += joined(each for each in happened if each in altogether)
        analysis.not_applied += joined(each for each in altogether if each not in happened)
    else:
        analysis.left_alone += joined(happened)
        analysis.not_applied += joined(changes.planned)


def _explained(role: RoleSnapshots) -> Iterator[str]:
    """Yield the addresses of the changes that the policies' changes cover."""
    if role.planned and role.planned.change and _trust(role.trust).planned:
        yield role.planned.address
    for name, snapshots in role.policies.items():
        if _policy(name, snapshots).planned:
            yield from (held.address for held in (snapshots.current, snapshots.planned) if held and held.address)


def _add_unexplained(change: ResourceChange, explained: bool, drifted: bool, analysis: Analysis) -> None:
    """Add a change that no policy change covers."""
    if change.importing:
        analysis.not_applied.append(Adoption(change.address))
    if change.moved_from:
        analysis.not_applied.append(Move(change.address, change.moved_from))
    role_deleted = change.type == "aws_iam_role" and "delete" in change.actions  # more than its policies
    if (explained and not role_deleted) or change.actions in (("no-op",), ("read",)):
        return
    action = ResourceAction(change.address, change.actions)
    if change.actions == ("forget",) or role_deleted or not drifted:
        analysis.not_applied.append(action)
    else:
        analysis.drifted.append(OtherChange(change.address))
        analysis.apply.append(action)


def _add_failed_checks(plan: Plan, analysis: Analysis) -> None:
    adopted = any(change.type == "aws_iam_role" and change.actions != ("forget",) for change in plan.changes)
    for check in plan.failed_checks:
        message = FailedCheckMessage(check.message or check.name)
        if adopted:
            (analysis.apply if analysis.drifted else analysis.not_applied).append(message)
        else:
            # the only check of a role that another stack owns: that it trusts Glue
            analysis.drifted.append(message)
            analysis.affected.append(TrustMissing())
            analysis.apply.append(TrustOfAnotherStack())
