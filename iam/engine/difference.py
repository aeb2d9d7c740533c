"""What changed in meaning from some policies to others.

Policies are the set of requests they allow less the set they deny; the two are compared apart, since a denial in these
policies overrides what other policies allow. A statement is *gained* when it matches a request that the policies
before did not, so a policy compared with another spelling of itself has no changes. docs/engine.md describes the model:
what is exact, what is undecided, and why it terminates.
"""

import enum
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple

from iam.engine.answers import Answer, Budget, OutOfStepsError
from iam.engine.index import (
    ELEMENTS,
    Index,
    halves,
    indexed,
    near_statements,
    size,
    unchanged,
    with_element,
    without_written,
)
from iam.engine.key_values import possible
from iam.engine.statement_sets import Doubt, cover, is_nowhere_covered, is_subset, may_overlap
from iam.engine.statements import ANYTHING, Effect, Element, Policy, Statement, merged, order, singles

MAX_PARTS = 3
"""Largest number of statements in a widening; beyond it only gains and losses are reported."""

MAX_SINGLES = 1_000
"""Largest number of parts that are compared with each other before a change is reported; beyond it, statements are."""

MAXIMAL_STEPS = 200_000
"""Steps to find which reported statements are subsets of others; beyond it, what is reported may repeat itself."""


class Kind(enum.StrEnum):
    """How a statement changed. Altered is neither more nor less than before."""

    GAINED = "gained"
    WIDENED = "widened"
    ALTERED = "altered"
    NARROWED = "narrowed"
    LOST = "lost"


_ORDER = {kind: position for position, kind in enumerate(Kind)}


class Change(NamedTuple):
    """Statements that come, go or replace others.

    `before` is empty when gained and `after` when lost; in a widening and a narrowing one is a subset of the other.
    """

    kind: Kind
    before: tuple[Statement, ...]
    after: tuple[Statement, ...]
    doubt: Doubt
    """Why it is undecided whether the meaning changed in this way; empty where it is certain."""
    policy: int
    """The position of the policy that has it: among those before when lost, narrowed or altered, else after."""

    @property
    def decided(self) -> bool:
        """Whether it is certain that the meaning changed in this way."""
        return not self.doubt

    @property
    def effect(self) -> Effect:
        """The effect of the statements."""
        return (self.before or self.after)[0].effect

    @property
    def broadens(self) -> bool:
        """Whether something may be allowed that was not before."""
        allowing = (Kind.GAINED, Kind.WIDENED) if self.effect == "Allow" else (Kind.LOST, Kind.NARROWED)
        return self.kind in (*allowing, Kind.ALTERED)

    @property
    def restricts(self) -> bool:
        """Whether something may be refused that was not before."""
        return self.kind is Kind.ALTERED or not self.broadens


@dataclass(frozen=True)
class Difference:
    """The changes from some policies to others; none where both mean the same."""

    changes: tuple[Change, ...]
    before: tuple[Policy, ...]
    after: tuple[Policy, ...]
    changed: Callable[[], Collection[Statement]]
    """The statements of `after` that are part of a change."""

    @cached_property
    def kept(self) -> tuple[Statement, ...]:
        """The statements of the policies after that are in no change."""
        changed = self.changed()
        kept = (merged(unchanged(policy.written, changed)) for policy in self.after)
        return tuple(dict.fromkeys(chain.from_iterable(kept)))

    @cached_property
    def spelling(self) -> dict[str, str]:
        """How the policies write actions and condition keys, by lower-case form."""
        return dict(chain.from_iterable(policy.spelling.items() for policy in (*self.before, *self.after)))


def difference(before: Sequence[Policy], after: Sequence[Policy], *, budget: Budget | None = None) -> Difference:
    """Return what changed in meaning from some policies, taken together, to others.

    A policy that is the same object in both costs next to nothing.

    Args:
        before: the policies before.
        after: the policies after.
        budget: the work to spend; what it does not suffice for is undecided. By default, that of one comparison.
    """
    budget = budget or Budget()
    old, new = _Snapshot(before), _Snapshot(after)
    lost, gained = _beyond(old, new, budget), _beyond(new, old, budget)
    pairs = _pairs(lost.singles, gained.singles, old, new, budget)
    whole = {Kind.LOST: lost.whole, Kind.GAINED: gained.whole}
    changes = sorted(_grouped(pairs, whole, budget), key=place)

    def changed() -> list[Statement]:
        left = [other for pair in pairs if pair.kind is Kind.NARROWED for other in pair.others]
        return [*gained.singles, *gained.whole, *left]

    return Difference(tuple(changes), tuple(before), tuple(after), changed)


class _Reason(NamedTuple):
    """Why a statement is in one snapshot and not covered by the other, and the policy that has it."""

    doubt: Doubt
    policy: int


class _Beyond(NamedTuple):
    """The requests matched by one snapshot but not by the other."""

    singles: dict[Statement, _Reason]
    """As statements of one pattern in each element."""
    whole: dict[Statement, _Reason]
    """As whole statements, where the other snapshot has nothing like them."""


def _beyond(snapshot: "_Snapshot", other: "_Snapshot", budget: Budget) -> _Beyond:
    """Return the requests matched by `snapshot` but not by `other`, those that `snapshot` denies left out."""
    beyond = _Beyond({}, {})
    for position, policy in enumerate(snapshot.policies):
        if policy in other.policies:
            continue
        for statement in policy.written:
            allow = statement.effect == "Allow"
            indexes = [*other.allow, *snapshot.deny] if allow else other.deny
            for part, doubt in _uncovered(statement, indexes, budget):
                is_whole = doubt is None or size(part) + len(beyond.singles) > MAX_SINGLES
                found = beyond.whole if is_whole else beyond.singles
                for each in [part] if is_whole else singles([part]):
                    found.setdefault(each, _Reason(doubt or Doubt.NONE, position))
    return beyond


def _uncovered(
    statement: Statement, indexes: Sequence["Index"], budget: Budget
) -> Sequence[tuple[Statement, Doubt | None]]:
    """Return the parts of a statement that are not covered, each with its doubt; None where nothing is like it."""
    if budget.is_spent:
        left = without_written([statement], [index.scopes for index in indexes])
        return [(part, Doubt.STEPS) for part in merged(left)]
    parts, steps = _uncovered_parts(statement, tuple(indexes))
    budget.count(steps, (statement, *indexes))
    return parts


@lru_cache(maxsize=4_096)
def _uncovered_parts(
    statement: Statement, indexes: tuple["Index", ...]
) -> tuple[list[tuple[Statement, Doubt | None]], int]:
    """Split a statement of which some part is covered in two, until each part is covered or in no part covered."""
    found: list[tuple[Statement, Doubt | None]] = []
    budget = Budget()
    todo = [statement]
    if near_statements(statement, indexes):
        todo = merged(without_written(todo, [index.scopes for index in indexes]))
    while todo:
        part = todo.pop()
        near = near_statements(part, indexes)
        if not near:
            found.append((part, None if possible(part.condition) is Answer.YES else Doubt.MEANING))
            continue
        doubt = cover(part, near, budget)
        if doubt is None:
            continue
        in_two = halves(part)
        if not in_two or budget.is_spent:
            found.append((part, doubt))
        elif is_nowhere_covered(part, near, budget):
            found.append((part, Doubt.NONE))
        else:
            todo += in_two
    return found, budget.spent


class _Pair(NamedTuple):
    """A statement that changed, with those of the other snapshot that it replaces or is replaced by."""

    kind: Kind
    statement: Statement
    others: frozenset[Statement]
    doubt: Doubt
    policy: int


def _pairs(
    lost: dict[Statement, _Reason],
    gained: dict[Statement, _Reason],
    before: "_Snapshot",
    after: "_Snapshot",
    budget: Budget,
) -> list[_Pair]:
    altered = _altered(lost, gained)
    pairs = [
        _Pair(Kind.ALTERED, old, frozenset([new]), max(lost[old].doubt, gained[new].doubt, key=len), lost[old].policy)
        for old, new in altered.items()
    ]
    taken = set(altered.values())
    for found, others, snapshot, other, whole, part in (
        (lost, gained, before, after, Kind.LOST, Kind.NARROWED),
        (gained, lost, after, before, Kind.GAINED, Kind.WIDENED),
    ):
        for statement, (doubt, policy) in found.items():
            if statement not in altered and statement not in taken:
                inside = frozenset(other.within(statement, snapshot, budget) - others.keys())
                if not 0 < len(_merged(inside)) <= MAX_PARTS:
                    inside = frozenset()
                pairs.append(_Pair(part if inside else whole, statement, inside, doubt, policy))
    return pairs


def _altered(lost: Iterable[Statement], gained: Iterable[Statement]) -> dict[Statement, Statement]:
    """Pair what was lost with what was gained where they differ in the condition alone."""
    if not (lost and gained):
        return {}
    scopes: dict[Hashable, tuple[list[Statement], list[Statement]]] = {}
    for index, found in enumerate((lost, gained)):
        for statement in found:
            scopes.setdefault(statement[:4], ([], []))[index].append(statement)
    return {old[0]: new[0] for old, new in scopes.values() if len(old) == len(new) == 1}


def _grouped(
    pairs: Iterable[_Pair], whole: Mapping[Kind, Mapping[Statement, _Reason]], budget: Budget
) -> Iterator[Change]:
    """Merge the pairs that differ in principal or action alone, as `a, b on * → a, b on x`."""
    groups: dict[tuple[Kind, Doubt, int, Hashable], tuple[list[Statement], list[_Pair]]] = {}
    for pair in pairs:
        alike: Hashable = None
        if pair.others:
            others = frozenset(_without(other, pair.statement) for other in pair.others)
            alike = _without(pair.statement, pair.statement), others
        statements, group = groups.setdefault((pair.kind, pair.doubt, pair.policy, alike), ([], []))
        statements.append(pair.statement)
        group.append(pair)
    for kind, found in whole.items():
        for statement, reason in found.items():
            groups.setdefault((kind, reason.doubt, reason.policy, None), ([], []))[0].append(statement)
    for (kind, doubt, policy, _), (statements, group) in groups.items():
        own = _maximal(frozenset(statements), budget)
        if kind is Kind.GAINED:
            yield from (Change(kind, (), (row,), doubt, policy) for row in own)
        elif kind is Kind.LOST:
            yield from (Change(kind, (row,), (), doubt, policy) for row in own)
        else:
            others = frozenset(other for pair in group for other in pair.others)
            theirs = _maximal(others, budget) if kind is Kind.ALTERED else _merged(others)
            yield Change(kind, *((theirs, own) if kind is Kind.WIDENED else (own, theirs)), doubt, policy)


def place(change: Change) -> tuple[object, ...]:
    """Return a sort key: the place of a change in a difference."""
    return _ORDER[change.kind], change.policy, *order((change.before or change.after)[0])


def _without(statement: Statement, other: Statement) -> Statement:
    """Return `statement` with the principal and the action it shares with `other` left open."""
    return statement._replace(
        principal=ANYTHING if statement.principal == other.principal else statement.principal,
        action=ANYTHING if statement.action == other.action else statement.action,
    )


@lru_cache(maxsize=4_096)
def _merged(statements: frozenset[Statement]) -> tuple[Statement, ...]:
    return tuple(merged(statements))


def _maximal(statements: frozenset[Statement], budget: Budget) -> tuple[Statement, ...]:
    """Merge the statements that are no subset of another; of statements that mean the same, one stays."""
    found, steps = _without_subsets(statements)
    budget.count(steps, statements)
    return found


@lru_cache(maxsize=4_096)
def _without_subsets(statements: frozenset[Statement]) -> tuple[tuple[Statement, ...], int]:
    parts = statements
    if sum(map(size, statements)) <= MAX_SINGLES:
        parts = frozenset(singles(statements))
    index = Index(parts)
    dropped: set[Statement] = set()
    budget = Budget(MAXIMAL_STEPS)
    try:
        for statement in sorted(parts, key=_complexity, reverse=True):
            if any(
                other != statement and other not in dropped and is_subset(statement, other, budget)
                for other in index.near(statement)
            ):
                dropped.add(statement)
    except OutOfStepsError:
        pass  # repeating a request is no error
    return tuple(merged(parts - dropped)), budget.spent


def _complexity(statement: Statement) -> tuple[object, ...]:
    """Return a sort key: statements with fewer patterns and comparisons come first."""
    patterns = sum(len(element.patterns) for element in statement[1:4])
    values = sum(len(test.values) + test.if_exists for test in statement.condition)
    return patterns, len(statement.condition), values, *order(statement)


class _Snapshot:
    """Some policies taken together, with indexes of what they allow and of what they deny."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = policies
        self.allow, self.deny = (
            [index for policy in policies if (index := indexed(policy, effect)).all] for effect in ("Allow", "Deny")
        )

    def within(self, statement: Statement, other: "_Snapshot", budget: Budget) -> set[Statement]:
        """Return the statements that are a subset of `statement` and not in the other snapshot."""
        own, others = (self.allow, other.allow) if statement.effect == "Allow" else (self.deny, other.deny)
        inside: set[Statement] = set()
        try:
            for index in own:
                if index in others:
                    continue
                for near in index.near(statement):
                    parts = _inside(near, statement, budget) if may_overlap(near, statement) else []
                    for found in singles(parts):
                        budget.spend()
                        if not any(other_index.has(found) for other_index in others):
                            inside.add(found)
        except OutOfStepsError:
            return set()
        return inside


def _inside(statement: Statement, superset: Statement, budget: Budget) -> list[Statement]:
    """Return the part of a statement whose patterns are subsets of those of `superset`; none if it is large."""
    for name in ELEMENTS:
        element: Element = getattr(statement, name)
        only = Statement(statement.effect, ANYTHING, ANYTHING, ANYTHING, frozenset())
        bound = with_element(only, name, getattr(superset, name))
        patterns = [element] if element.excluded else [Element((pattern,)) for pattern in element.patterns]
        kept = [each for each in patterns if is_subset(with_element(only, name, each), bound, budget)]
        if not kept:
            return []
        if not element.excluded:
            statement = with_element(statement, name, Element(tuple(each.patterns[0] for each in kept)))
    if size(statement) > MAX_SINGLES or not is_subset(statement, superset, budget):
        return []
    return [statement]
