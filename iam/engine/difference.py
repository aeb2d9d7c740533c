"""What changed in meaning from some policies to others.

Policies are the set of requests they allow less the set they deny; the two are compared apart, since a denial in these
policies overrides what other policies allow. A statement is *gained* when it matches a request that the policies
before did not, so a policy compared with another spelling of itself has no changes. docs/engine.md describes the model:
what is exact, what is undecided, and why it terminates.
"""

import enum
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

from iam.engine import coverage, wildcards
from iam.engine.answers import Answer, Budget, OutOfStepsError, all_of, answer, any_of
from iam.engine.coverage import Dimension, Factor, ValueSet
from iam.engine.key_values import possible
from iam.engine.statements import ANYTHING, Effect, Element, Policy, Statement, merged, order, singles
from iam.engine.wildcards import Pattern, Syntax, Union

MAX_PARTS = 3
"""Largest number of statements in a widening; beyond it only gains and losses are reported."""

MAX_SINGLES = 1_000
"""Largest number of parts that are compared with each other before a change is reported; beyond it, statements are."""

MAXIMAL_STEPS = 200_000
"""Steps to find which reported statements are subsets of others; beyond it, what is reported may repeat itself."""

COVER_STEPS = 100_000
"""Steps to find whether one statement is covered by others."""

_ANYONE_ELSE = "\uffff"
"""Stands for any principal that no statement names."""


class Kind(enum.StrEnum):
    """How a statement changed. Altered is neither more nor less than before."""

    GAINED = "gained"
    WIDENED = "widened"
    ALTERED = "altered"
    NARROWED = "narrowed"
    LOST = "lost"


_ORDER = {kind: position for position, kind in enumerate(Kind)}


class Doubt(enum.StrEnum):
    """Why a change is undecided."""

    NONE = ""
    MEANING = "the meanings may be the same"
    STEPS = "the comparison ran out of steps; the meanings may be the same"


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
    _changed: Callable[[], Collection[Statement]]
    """The statements of `after` that are part of a change."""

    @cached_property
    def kept(self) -> tuple[Statement, ...]:
        """The statements of the policies after that are in no change."""
        changed = self._changed()
        kept = (merged(_unchanged(policy.written, changed)) for policy in self.after)
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
    changes = sorted(_grouped(pairs, whole, budget), key=_place)

    def changed() -> list[Statement]:
        left = [other for pair in pairs if pair.kind is Kind.NARROWED for other in pair.others]
        return [*gained.singles, *gained.whole, *left]

    return Difference(tuple(changes), tuple(before), tuple(after), changed)


_Scopes = Mapping[Hashable, Collection[str]]
"""By everything a statement consists of but its resources, the patterns of those."""


def _scopes(statements: Iterable[Statement]) -> dict[Hashable, set[str]]:
    found: dict[Hashable, set[str]] = {}
    for statement in statements:
        for scope, part in _by_scope(statement):
            found.setdefault(scope, set()).update(part.resource.patterns)
    return found


def _unchanged(statements: Iterable[Statement], changed: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the parts of statements that are not among those changed."""
    return _without_written(statements, [_scopes(changed)])


def _without_written(statements: Iterable[Statement], others: Sequence[_Scopes]) -> Iterator[Statement]:
    """Yield the parts of statements that are not written word for word in others."""
    for statement in statements:
        for scope, part in _by_scope(statement):
            written = [found for scopes in others if (found := scopes.get(scope))]
            if not written:
                yield part
            elif not part.resource.excluded:
                left = tuple(name for name in part.resource.patterns if not any(name in found for found in written))
                if left:
                    yield part._replace(resource=Element(left))


def _by_scope(statement: Statement) -> Iterator[tuple[Hashable, Statement]]:
    """Yield a statement by principal and action, each part with all it consists of but its resources."""
    element = statement.principal
    principals = [element] if element.excluded else [Element((name,)) for name in element.patterns]
    for part in _by_action(statement):
        for principal in principals:
            excluded = part.resource if part.resource.excluded else None
            scope = (part.effect, principal, part.action, excluded, part.condition)
            yield scope, part._replace(principal=principal)


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
                is_whole = doubt is None or _size(part) + len(beyond.singles) > MAX_SINGLES
                found = beyond.whole if is_whole else beyond.singles
                for each in [part] if is_whole else singles([part]):
                    found.setdefault(each, _Reason(doubt or Doubt.NONE, position))
    return beyond


def _uncovered(
    statement: Statement, indexes: Sequence["_Index"], budget: Budget
) -> Sequence[tuple[Statement, Doubt | None]]:
    """Return the parts of a statement that are not covered, each with its doubt; None where nothing is like it."""
    if budget.is_spent:
        left = _without_written([statement], [index.scopes for index in indexes])
        return [(part, Doubt.STEPS) for part in merged(left)]
    parts, steps = _uncovered_parts(statement, tuple(indexes))
    budget.count(steps)
    return parts


@lru_cache(maxsize=4_096)
def _uncovered_parts(
    statement: Statement, indexes: tuple["_Index", ...]
) -> tuple[list[tuple[Statement, Doubt | None]], int]:
    """Split a statement of which some part is covered in two, until each part is covered or in no part covered."""
    found: list[tuple[Statement, Doubt | None]] = []
    budget = Budget()
    todo = [statement]
    if _near(statement, indexes):
        todo = merged(_without_written(todo, [index.scopes for index in indexes]))
    while todo:
        part = todo.pop()
        near = _near(part, indexes)
        if not near:
            found.append((part, None if possible(part.condition) is Answer.YES else Doubt.MEANING))
            continue
        doubt = _cover(part, near, budget)
        if doubt is None:
            continue
        halves = _halves(part)
        if not halves or budget.is_spent:
            found.append((part, doubt))
        elif _is_nowhere_covered(part, near, budget):
            found.append((part, Doubt.NONE))
        else:
            todo += halves
    return found, budget.spent


def _halves(statement: Statement) -> list[Statement]:
    """Return a statement in two parts, split in the element that has the most patterns; none where all have one."""
    name = max(_ELEMENTS, key=lambda name: _parts(getattr(statement, name)))
    element: Element = getattr(statement, name)
    if _parts(element) < 2:
        return []
    middle = len(element.patterns) // 2
    # The second half first: the parts are taken from the end.
    return [_with(statement, name, Element(half)) for half in (element.patterns[middle:], element.patterns[:middle])]


_ELEMENTS = ("principal", "action", "resource")


def _with(statement: Statement, name: str, element: Any) -> Statement:
    return statement._replace(**{name: element})


def _parts(element: Element) -> int:
    return 1 if element.excluded else len(element.patterns)


def _is_nowhere_covered(statement: Statement, near: Iterable[Statement], budget: Budget) -> bool:
    """Return whether certainly no part of a statement of one pattern in each element is covered.

    That is so if in one dimension, each of its patterns alone matches a value that nothing near matches.
    """
    if _variables_are_compared([statement, *near]) or possible(statement.condition) is not Answer.YES:
        return False
    try:
        for dimension, own in ((_ACTION, statement.action), (_RESOURCE, statement.resource)):
            sets = tuple(dict.fromkeys(other.action if dimension == _ACTION else other.resource for other in near))
            if any(map(_is_everything, sets)) or sum(element.excluded for element in sets) > 2:
                continue
            patterns = [own] if own.excluded else [Element((pattern,)) for pattern in own.patterns]
            if all(
                budget.charge(_outside_element(pattern, sets, _SYNTAX[dimension])) is Answer.YES for pattern in patterns
            ):
                return True
    except OutOfStepsError:
        pass
    return False


def _by_action(statement: Statement) -> list[Statement]:
    if statement.action.excluded or len(statement.action.patterns) == 1:
        return [statement]
    return [statement._replace(action=Element((pattern,))) for pattern in statement.action.patterns]


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


def _place(change: Change) -> tuple[object, ...]:
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
    budget.count(steps)
    return found


@lru_cache(maxsize=4_096)
def _without_subsets(statements: frozenset[Statement]) -> tuple[tuple[Statement, ...], int]:
    parts = statements
    if sum(map(_size, statements)) <= MAX_SINGLES:
        parts = frozenset(singles(statements))
    index = _Index(parts)
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
        pass  # what is said twice is no error
    return tuple(merged(parts - dropped)), budget.spent


def _size(statement: Statement) -> int:
    return prod(map(_parts, statement[1:4]))


def _complexity(statement: Statement) -> tuple[object, ...]:
    """Return a sort key: statements with fewer patterns and comparisons come first."""
    patterns = sum(len(element.patterns) for element in statement[1:4])
    values = sum(len(test.values) + test.if_exists for test in statement.condition)
    return patterns, len(statement.condition), values, *order(statement)


class _Index:
    """Statements by the services and actions they are about."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.all = tuple(dict.fromkeys(statements))
        self._named: dict[str, list[Statement]] = {}
        self._open: dict[str, list[Statement]] = {}
        self._of_service: dict[str, list[Statement]] = {}
        """By service; "" stands for those that may be about any."""
        for statement in self.all:
            services, names, open_services = _topics(statement.action)
            for service in services:
                self._of_service.setdefault(service, []).append(statement)
            for name in names:
                self._named.setdefault(name, []).append(statement)
            for service in open_services:
                self._open.setdefault(service, []).append(statement)

    @cached_property
    def scopes(self) -> _Scopes:
        """The patterns of the resources, by everything else that a statement consists of."""
        return _scopes(self.all)

    def has(self, single: Statement) -> bool:
        """Return whether a statement of one pattern in each element is written here, alone or with others."""
        return any(
            other.condition == single.condition
            and all(
                mine == theirs or (not theirs.excluded and mine.patterns[0] in _names_of(theirs))
                for mine, theirs in zip(single[1:4], other[1:4], strict=True)
            )
            for other in self.near(single)
        )

    def near(self, statement: Statement) -> Collection[Statement]:
        """Return at least the statements that may be about an action of `statement`'s."""
        services, names, open_services = _topics(statement.action)
        if "" in services:
            return self.all
        found: list[Statement] = []
        for name in names:
            found += self._named.get(name, ())
            found += self._open.get(name.partition(":")[0], ())
        for service in open_services:
            found += self._of_service.get(service, ())
        found += self._open.get("", ())
        return found if len(names) + len(open_services) == 1 else dict.fromkeys(found)


@lru_cache(maxsize=65_536)
def _names_of(element: Element) -> frozenset[str]:
    return frozenset(element.patterns)


@lru_cache(maxsize=65_536)
def _topics(action: Element) -> tuple[frozenset[str], tuple[str, ...], frozenset[str]]:
    """Return the services of an action element, the actions it names, and the services of its wildcards.

    "" stands for any service.
    """
    if action.excluded:
        return frozenset([""]), (), frozenset([""])
    names, open_services = [], set()
    for pattern in action.patterns:
        service, _, name = pattern.partition(":")
        if "*" in service or "?" in service:
            open_services.add("")
        elif "*" in name or "?" in name:
            open_services.add(service)
        else:
            names.append(pattern)
    services = {name.partition(":")[0] for name in names}
    return frozenset(open_services | services), tuple(names), frozenset(open_services)


@lru_cache(maxsize=16_384)
def _indexed(policy: Policy, effect: Effect) -> _Index:
    return _Index(statement for statement in policy.written if statement.effect == effect)


def _near(statement: Statement, indexes: Iterable[_Index]) -> list[Statement]:
    return [other for index in indexes for other in index.near(statement)]


class _Snapshot:
    """Some policies taken together, with indexes of what they allow and of what they deny."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = policies
        self.allow, self.deny = (
            [index for policy in policies if (index := _indexed(policy, effect)).all] for effect in ("Allow", "Deny")
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
    for name in _ELEMENTS:
        element: Element = getattr(statement, name)
        only = Statement(statement.effect, ANYTHING, ANYTHING, ANYTHING, frozenset())
        bound = _with(only, name, getattr(superset, name))
        patterns = [element] if element.excluded else [Element((pattern,)) for pattern in element.patterns]
        kept = [each for each in patterns if is_subset(_with(only, name, each), bound, budget)]
        if not kept:
            return []
        if not element.excluded:
            statement = _with(statement, name, Element(tuple(each.patterns[0] for each in kept)))
    if _size(statement) > MAX_SINGLES or not is_subset(statement, superset, budget):
        return []
    return [statement]


def _cover(statement: Statement, near: Collection[Statement], budget: Budget) -> Doubt | None:
    """Return whether the statements `near` cover a statement: None if they do, the doubt that they do not if not."""
    if statement in near:
        return None
    try:
        budget.spend(len(near))
        doubt, steps = _covered(statement, tuple(near))
        budget.spend(steps)
    except OutOfStepsError:
        return Doubt.STEPS
    return doubt


@lru_cache(maxsize=16_384)
def _covered(statement: Statement, near: tuple[Statement, ...]) -> tuple[Doubt | None, int]:
    overlapping = [other for other in near if may_overlap(statement, other)]
    if not overlapping:
        return (Doubt.NONE if possible(statement.condition) is Answer.YES else Doubt.MEANING), 1
    names = _names(statement, overlapping)
    budget = Budget(COVER_STEPS)

    def outside(dimension: Dimension, sets: Sequence[ValueSet]) -> tuple[Answer, int]:
        return _outside(statement, names, dimension, sets)

    try:
        found = coverage.covered(outside, _dimensions(statement), map(_factors, overlapping), budget)
    except OutOfStepsError:
        return Doubt.STEPS, budget.spent
    match found:
        case Answer.YES:
            return None, budget.spent
        case Answer.NO if not _variables_are_compared([statement, *overlapping]):
            return Doubt.NONE, budget.spent
        case _:
            return Doubt.MEANING, budget.spent


def is_subset(statement: Statement, other: Statement, budget: Budget | None = None) -> bool:
    """Return whether `other` certainly matches every request that `statement` matches, with the same effect.

    Raises:
        OutOfStepsError: the budget is spent.
    """
    if statement.effect != other.effect:
        return False
    budget = budget or Budget()
    names: list[str] = []
    for dimension, values in _factors(other):
        if dimension == _PRINCIPAL:
            names = _names(statement, [other])
        if budget.charge(_outside(statement, names, dimension, [values])) is not Answer.NO:
            return False
    return True


_ACTION, _RESOURCE, _PRINCIPAL = "action", "resource", "principal"
_SYNTAX = {_ACTION: Syntax.TEXT, _RESOURCE: Syntax.RESOURCE}


def _is_everything(element: Element) -> bool:
    return "*" in element.patterns and not element.excluded


@lru_cache(maxsize=65_536)
def _factors(statement: Statement) -> tuple[Factor, ...]:
    """Return the sets that a statement is the product of, those of everything left out."""
    elements: list[Factor] = []
    if not _is_everything(statement.action):
        elements.append((_ACTION, statement.action))
    if not _is_everything(statement.resource):
        elements.append((_RESOURCE, statement.resource))
    if not _is_everything(statement.principal):
        elements.append((_PRINCIPAL, (statement.effect, statement.principal)))
    return (*elements, *coverage.condition_factors(statement.condition))


def _dimensions(statement: Statement) -> list[Dimension]:
    """Return the dimensions in which a statement may match nothing."""
    elements = [(_ACTION, statement.action), (_RESOURCE, statement.resource)]
    excluded = [dimension for dimension, element in elements if element.excluded]
    return [*excluded, *dict.fromkeys(dimension for dimension, _ in coverage.condition_factors(statement.condition))]


def _outside(
    statement: Statement, names: Sequence[str], dimension: Dimension, sets: Sequence[ValueSet]
) -> tuple[Answer, int]:
    """Return whether a statement matches, in one dimension, a value that is in none of `sets`; and the steps."""
    match dimension:
        case "action" | "resource":
            own = statement.action if dimension == _ACTION else statement.resource
            return _outside_element(own, tuple(each for each in sets if isinstance(each, Element)), _SYNTAX[dimension])
        case "principal":
            effects = [each for each in sets if isinstance(each, tuple) and not isinstance(each, Element)]
            return _outside_principals(statement, names, effects)
        case _:
            return coverage.outside_condition(statement.condition, dimension, sets)


@lru_cache(maxsize=65_536)
def _outside_element(own: Element, others: tuple[Element, ...], syntax: Syntax) -> tuple[Answer, int]:
    """Return whether a string is matched by an element and by none of `others`; and the steps."""
    if not own.excluded and len(own.patterns) == 1 and _is_plain(own.patterns[0]) and not _exclude_variables(others):
        return answer(not any(_matches(other, own.patterns[0], syntax) for other in others)), 1 + len(others)
    inside: list[Union] = []
    outside: set[Pattern] = set()
    for element, is_inside in ((own, not own.excluded), *((other, other.excluded) for other in others)):
        patterns = [(pattern, syntax) for pattern in element.patterns]
        if is_inside:
            inside.append(tuple(patterns))
        else:
            outside.update(patterns)
    key = itemgetter(0)
    return wildcards.exists(tuple(sorted(set(inside), key=str)), tuple(sorted(outside, key=key)))


def _exclude_variables(elements: Iterable[Element]) -> bool:
    return any(element.excluded and any(map(wildcards.has_variable, element.patterns)) for element in elements)


@lru_cache(maxsize=65_536)
def _is_plain(pattern: str) -> bool:
    return wildcards.is_literal(pattern) and not wildcards.has_variable(pattern)


def _matches(element: Element, name: str, syntax: Syntax) -> bool:
    return any(wildcards.covers(pattern, name, syntax) for pattern in element.patterns) != element.excluded


def _outside_principals(
    statement: Statement, names: Iterable[str], sets: Sequence[tuple[Effect, Element]]
) -> tuple[Answer, int]:
    """Return whether a statement is about a principal, of those named, that none of `sets` matches; and the steps."""
    found = [
        all_of(
            [
                answer(principal_matches(statement.effect, statement.principal, name)),
                *(~answer(principal_matches(effect, element, name)) for effect, element in sets),
            ]
        )
        for name in names
    ]
    return any_of(found), 1 + len(found)


def _variables_are_compared(statements: Iterable[Statement]) -> bool:
    """Return whether a policy variable has its value from a condition key that a condition compares.

    Dimensions then depend on each other.
    """
    named: set[str] = set()
    for statement in statements:
        named |= _variable_keys(statement)
    return bool(named) and any(test.key in named for statement in statements for test in statement.condition)


@lru_cache(maxsize=65_536)
def _variable_keys(statement: Statement) -> frozenset[str]:
    patterns = [*statement.resource.patterns, *(value for test in statement.condition for value in test.values)]
    return frozenset(
        wildcards.variable_key(variable)
        for pattern in patterns
        if "${" in pattern
        for variable in wildcards.variables(pattern)
    )


def may_overlap(one: Statement, other: Statement) -> bool:
    """Return whether some request may be one that both statements match; conditions are left out of it."""
    if not _elements_overlap(one.action, other.action, Syntax.TEXT):
        return False
    if not _elements_overlap(one.resource, other.resource, Syntax.RESOURCE):
        return False
    if any(element.excluded or "*" in element.patterns for element in (one.principal, other.principal)):
        return True
    return any(
        principal_matches(mine.effect, mine.principal, name) is not False
        for mine, theirs in ((other, one), (one, other))
        for name in theirs.principal.patterns
    )


@lru_cache(maxsize=65_536)
def _elements_overlap(one: Element, other: Element, syntax: Syntax) -> bool:
    if any(element.excluded or "*" in element.patterns for element in (one, other)):
        return True
    if not set(one.patterns).isdisjoint(other.patterns):
        return True
    first = [pattern for pattern in one.patterns if not _is_plain(pattern)]
    second = [pattern for pattern in other.patterns if not _is_plain(pattern)]
    return any(wildcards.overlap(mine, theirs, syntax) for mine in first for theirs in other.patterns) or any(
        wildcards.overlap(mine, theirs, syntax) for mine in one.patterns for theirs in second
    )


_ACCOUNT = re.compile(r"AWS:(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(:.*)?")
_SESSION = re.compile(r"AWS:arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")


@lru_cache(maxsize=65_536)
def principal_matches(effect: Effect, element: Element, name: str) -> bool | None:
    """Return whether a statement with this principal element is about the principal `name`; None if undecided.

    An account allowed is its principals through their own policies, which is less than a principal named outright; an
    account denied is every principal in it. NotPrincipal may match a principal it names where it does not name the
    account too. Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
    """
    session = _SESSION.fullmatch(name)
    account = _ACCOUNT.fullmatch(name)
    if "*" in element.patterns or name in element.patterns:
        if element.excluded and account and account[2] and f"AWS:{account[1]}" not in element.patterns:
            return None
        return not element.excluded
    for pattern in element.patterns:
        role = f"AWS:arn:{session[1]}:iam::{session[2]}:role/" if session else None
        if session and role and pattern.startswith(role) and pattern.rpartition("/")[2] == session[3]:
            return not element.excluded
        theirs = _ACCOUNT.fullmatch(pattern)
        if account and theirs and account[1] == theirs[1] and not (account[2] and theirs[2]):
            if element.excluded:
                return None
            if effect == "Deny" and not theirs[2]:
                return True
    return element.excluded


def _names(statement: Statement, others: Iterable[Statement]) -> list[str]:
    """Return a name for each kind of principal `statement` is about, where `others` distinguish them."""
    if not statement.principal.excluded and not _is_everything(statement.principal):
        return list(statement.principal.patterns)
    named = {name for other in others for name in other.principal.patterns} - {"*"}
    effect, element = statement.effect, statement.principal
    return [_ANYONE_ELSE, *sorted(name for name in named if principal_matches(effect, element, name) is not False)]
