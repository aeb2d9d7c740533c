"""What changed in meaning from one policy to another.

A policy is the set of requests it allows less the set it denies; the two count apart, since a denial here overrides what
other policies allow. A statement is *gained* when it matches a request that the policy before did not, so a policy
compared with another spelling of itself has no changes. Where the answer takes more than is modelled here (orders,
networks, principals inside an excluded account), the change is given and said to be undecided.
"""

import enum
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

from iam import wildcards
from iam.conditions import Answer, implied
from iam.statements import ANYTHING, Effect, Element, Policy, Statement, merged, order

MAX_COMBINATIONS = 20_000
"""How many kinds of request one statement is compared over before it is given up as undecided."""

_ANYONE_ELSE = "\uffff"
"""Stands for any name that no statement at hand mentions."""


class Kind(enum.StrEnum):
    """How a statement changed. Altered is neither more nor less than before."""

    GAINED = "gained"
    WIDENED = "widened"
    ALTERED = "altered"
    NARROWED = "narrowed"
    LOST = "lost"


_ORDER = {kind: position for position, kind in enumerate(Kind)}


class Change(NamedTuple):
    """Statements that come, go or stand for others.

    `before` is empty when gained and `after` when lost; in a widening and a narrowing the one is part of the other.
    """

    kind: Kind
    before: tuple[Statement, ...]
    after: tuple[Statement, ...]
    decided: bool
    """False: whether the meaning changed in this way was not decided."""

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


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes from one policy to another; none where both mean the same."""

    changes: tuple[Change, ...]
    kept: tuple[Statement, ...]
    """What the policy after says that the policy before meant too."""
    spelling: dict[str, str]


def difference(before: Policy, after: Policy) -> Difference:
    """Return what changed in meaning from `before` to `after`."""
    spelling = {**before.spelling, **after.spelling}
    old, new = set(before.statements), set(after.statements)
    if old == new:
        return Difference((), tuple(merged(new)), spelling)
    lost, gained = _beyond(before, after), _beyond(after, before)
    pairs = _pairs(lost, gained, gone=_Index(old - new), come=_Index(new - old))
    shown = {statement for pair in pairs if pair.kind is Kind.NARROWED for statement in pair.others}
    return Difference(tuple(_grouped(pairs)), tuple(merged(new - gained.keys() - shown)), spelling)


def _beyond(policy: Policy, other: Policy) -> dict[Statement, Answer]:
    """Return the statements of `policy` that match what `other` does not, and have effect in `policy`."""
    allowed = _Index([*other.effect("Allow"), *policy.effect("Deny")])
    denied = _Index(other.effect("Deny"))
    beyond: dict[Statement, Answer] = {}
    for statement in policy.statements:
        answer = (allowed if statement.effect == "Allow" else denied).cover(statement)
        if answer is not Answer.YES:
            beyond[statement] = answer
    return beyond


class _Pair(NamedTuple):
    """A statement that changed, with those of the other policy that it stands for."""

    kind: Kind
    statement: Statement
    others: frozenset[Statement]
    decided: bool


def _pairs(
    lost: dict[Statement, Answer], gained: dict[Statement, Answer], *, gone: "_Index", come: "_Index"
) -> list[_Pair]:
    pairs = []
    altered = _altered(lost, gained)
    for old, new in altered.items():
        decided = Answer.UNDECIDED not in (lost[old], gained[new])
        pairs.append(_Pair(Kind.ALTERED, old, frozenset([new]), decided))
    for old in lost.keys() - altered.keys():
        left = frozenset(come.within(old) - gained.keys())
        pairs.append(_Pair(Kind.NARROWED if left else Kind.LOST, old, left, lost[old] is Answer.NO))
    for new in gained.keys() - set(altered.values()):
        was = frozenset(gone.within(new) - lost.keys())
        pairs.append(_Pair(Kind.WIDENED if was else Kind.GAINED, new, was, gained[new] is Answer.NO))
    return sorted(pairs, key=lambda pair: (_ORDER[pair.kind], order(pair.statement)))


def _altered(lost: Iterable[Statement], gained: Iterable[Statement]) -> dict[Statement, Statement]:
    """Pair what was lost with what was gained where they differ in the condition alone."""
    scopes: dict[Hashable, tuple[list[Statement], list[Statement]]] = {}
    for index, side in enumerate((lost, gained)):
        for statement in side:
            scopes.setdefault(statement[:4], ([], []))[index].append(statement)
    return {old[0]: new[0] for old, new in scopes.values() if len(old) == len(new) == 1}


def _grouped(pairs: Iterable[_Pair]) -> Iterator[Change]:
    """Merge the pairs that differ in principal or action alone, as `a, b: on * → on x`."""
    groups: dict[Hashable, list[_Pair]] = {}
    for pair in pairs:
        alike: Hashable = None
        if pair.others:
            alike = (
                _without(pair.statement, pair.statement),
                frozenset(_without(other, pair.statement) for other in pair.others),
            )
        groups.setdefault((pair.kind, pair.decided, pair.statement.effect, alike), []).append(pair)
    for (kind, decided, *_), group in groups.items():  # type: ignore[misc]
        own = _widest(pair.statement for pair in group)
        others = tuple(merged({other for pair in group for other in pair.others}))
        if kind in (Kind.NARROWED, Kind.ALTERED):
            yield Change(kind, own, others, decided)
        elif kind is Kind.WIDENED:
            yield Change(kind, others, own, decided)
        else:
            for row in own:
                yield Change(kind, *(((row,), ()) if kind is Kind.LOST else ((), (row,))), decided)


def _without(statement: Statement, other: Statement) -> Statement:
    """Return `statement` with the principal and the action it shares with `other` left open."""
    return statement._replace(
        principal=ANYTHING if statement.principal == other.principal else statement.principal,
        action=ANYTHING if statement.action == other.action else statement.action,
    )


def _widest(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Merge, and leave out what is part of another: saying a thing twice changes nothing."""
    found = list(statements)
    index = _Index(found)
    return tuple(
        merged(
            statement
            for statement in found
            if not any(other != statement and _part_of(statement, other) for other in index.near(statement))
        )
    )


class _Index:
    """Statements, found by the service and the action they are about."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._all = set(statements)
        self._named: dict[str, list[Statement]] = {}
        self._open: dict[str, list[Statement]] = {}
        self._of_service: dict[str, list[Statement]] = {}
        for statement in self._all:
            service, literal = _service(statement.action)
            self._of_service.setdefault(service, []).append(statement)
            if literal:
                self._named.setdefault(statement.action.patterns[0], []).append(statement)
            else:
                self._open.setdefault(service, []).append(statement)

    def near(self, statement: Statement) -> Iterable[Statement]:
        """Return at least the statements that may be about an action of `statement`'s."""
        service, literal = _service(statement.action)
        if not service:
            return self._all
        if not literal:
            return [*self._of_service.get(service, []), *self._open.get("", [])]
        named = self._named.get(statement.action.patterns[0], [])
        return [*named, *self._open.get(service, []), *self._open.get("", [])]

    def within(self, statement: Statement) -> set[Statement]:
        """Return the statements that are part of `statement`."""
        return {other for other in self.near(statement) if _part_of(other, statement)}

    def cover(self, statement: Statement) -> Answer:
        """Say whether these statements together match all that `statement` does."""
        if statement in self._all:
            return Answer.YES
        near = [other for other in self.near(statement) if may_overlap(statement, other)]
        if any(_simply_covers(other, statement) for other in near):
            return Answer.YES
        return _covered(statement, near) if near else Answer.NO


def _service(action: Element) -> tuple[str, bool]:
    """Return the service an action element is about, "" for any, and whether it names one action."""
    if action.excluded:
        return "", False
    service, _, name = action.patterns[0].partition(":")
    if "*" in service or "?" in service:
        return "", False
    return service, not ("*" in name or "?" in name)


def _part_of(statement: Statement, other: Statement) -> bool:
    return statement.effect == other.effect and _simply_covers(other, statement)


def _simply_covers(wide: Statement, narrow: Statement) -> bool:
    """Say whether each element of `wide` covers that of `narrow`, taken by itself."""
    return (
        _element_covers(wide.action, narrow.action)
        and _element_covers(wide.resource, narrow.resource)
        and _principal_covers(wide, narrow.principal)
        and implied(narrow.condition, [wide.condition]) is Answer.YES
    )


def _element_covers(wide: Element, narrow: Element) -> bool:
    if wide == narrow or wide == ANYTHING:
        return True
    if wide.excluded or narrow.excluded:
        return False
    return wildcards.covers(wide.patterns[0], narrow.patterns[0])


def _principal_covers(wide: Statement, narrow: Element) -> bool:
    if wide.principal == narrow or wide.principal == ANYTHING:
        return True
    if wide.principal.excluded or narrow.excluded:
        return False
    return _principal_matches(wide, narrow.patterns[0]) is True


def may_overlap(one: Statement, other: Statement) -> bool:
    """Say whether some request may be one that both statements are about; conditions are left out of it."""
    for mine, theirs in ((one.action, other.action), (one.resource, other.resource)):
        if not (mine.excluded or theirs.excluded or wildcards.overlap(mine.patterns[0], theirs.patterns[0])):
            return False
    if one.principal.excluded or ANYTHING in (one.principal, other.principal):
        return True
    return _principal_matches(other, one.principal.patterns[0]) is not False


_ACCOUNT = re.compile(r"AWS:(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(:.*)?")
_SESSION = re.compile(r"AWS:arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")


def _principal_matches(statement: Statement, name: str) -> bool | None:
    """Say whether `statement` is about the principal `name`; None where that was not decided.

    An account allowed is its principals through their own policies, which is less than a principal named outright; an
    account denied is every principal in it.
    """
    element = statement.principal
    if element == ANYTHING or name in element.patterns:
        return not element.excluded
    session = _SESSION.fullmatch(name)
    account = _ACCOUNT.fullmatch(name)
    for pattern in element.patterns:
        role = f"AWS:arn:{session[1]}:iam::{session[2]}:role/" if session else None
        if session and role and pattern.startswith(role) and pattern.rpartition("/")[2] == session[3]:
            return not element.excluded
        theirs = _ACCOUNT.fullmatch(pattern)
        if account and theirs and account[1] == theirs[1] and not (account[2] and theirs[2]):
            if element.excluded:
                return None
            if statement.effect == "Deny" and not theirs[2]:
                return True
    return element.excluded


def _covered(narrow: Statement, wides: Sequence[Statement]) -> Answer:
    """Say whether `wides` together match all that `narrow` does, kind of request by kind of request."""
    conditions = [wide.condition for wide in wides]
    known: dict[frozenset[int], Answer] = {}

    def answer(matching: frozenset[int]) -> Answer:
        if matching not in known:
            known[matching] = implied(narrow.condition, [conditions[index] for index in matching])
        return known[matching]

    names = _names(narrow, wides)
    by_name = {name: [_principal_matches(wide, name) for wide in wides] for name in names}
    principals = [
        frozenset(index for index, holds in enumerate(found) if holds) for found in by_name.values()
    ]
    actions = [wide.action for wide in wides]
    resources = [wide.resource for wide in wides]
    # One request of the most general kind settles most questions without walking the automata.
    sample = principals[0] & _sampled(narrow.action, actions) & _sampled(narrow.resource, resources)
    if answer(sample) is not Answer.NO:
        try:
            spaces = principals, _cells(narrow.action, actions), _cells(narrow.resource, resources)
        except wildcards.TooManyStatesError:
            return Answer.UNDECIDED
        if prod(map(len, spaces)) > MAX_COMBINATIONS:
            return Answer.UNDECIDED
        for principal, action, resource in product(*spaces):
            if answer(principal & action & resource) is Answer.NO:
                break
    yes_in_doubt, no_in_doubt = _doubts(narrow, wides)
    if Answer.NO in known.values():
        unclear = [None in found for found in by_name.values()]
        unclear += [_principal_matches(narrow, name) is None for name in names]
        return Answer.UNDECIDED if no_in_doubt or any(unclear) else Answer.NO
    return Answer.UNDECIDED if yes_in_doubt or Answer.UNDECIDED in known.values() else Answer.YES


def _names(narrow: Statement, wides: Iterable[Statement]) -> list[str]:
    """Return a name for each kind of principal `narrow` is about, as far as `wides` tell them apart."""
    if not narrow.principal.excluded and narrow.principal != ANYTHING:
        return list(narrow.principal.patterns)
    named = {name for wide in wides for name in wide.principal.patterns} - {"*"}
    return [_ANYONE_ELSE, *sorted(name for name in named if _principal_matches(narrow, name) is not False)]


def _sampled(narrow: Element, wides: Sequence[Element]) -> frozenset[int]:
    sample = _ANYONE_ELSE
    if not narrow.excluded:
        sample = "".join(
            _ANYONE_ELSE if token in ("*", "?") else token for token in wildcards.tokens(narrow.patterns[0])
        )
    return frozenset(
        index
        for index, wide in enumerate(wides)
        if any(wildcards.covers(pattern, sample) for pattern in wide.patterns) != wide.excluded
    )


def _cells(narrow: Element, wides: Sequence[Element]) -> set[frozenset[int]]:
    """Return, for each kind of string `narrow` matches, which of `wides` match it."""
    found = wildcards.cells(pattern for element in (narrow, *wides) for pattern in element.patterns)
    return {
        frozenset(index for index, wide in enumerate(wides) if _holds(wide, cell))
        for cell in found
        if _holds(narrow, cell)
    }


def _holds(element: Element, cell: frozenset[str]) -> bool:
    return any(pattern in cell for pattern in element.patterns) != element.excluded


def _doubts(narrow: Statement, wides: Sequence[Statement]) -> tuple[bool, bool]:
    """Say whether a yes and whether a no may be wrong for some value of a policy variable."""
    elements = [
        element for statement in (narrow, *wides) for element in (statement.action, statement.resource)
    ]
    variables = any(wildcards.has_variable(pattern) for element in elements for pattern in element.patterns)
    return (
        variables and any(element.excluded for element in elements),
        wildcards.has_variable(narrow.resource.patterns[0])
        and any("?" in w.resource.patterns[0] for w in wides),
    )
