"""What changed in meaning from one policy to another.

A policy is the set of requests it allows less the set it denies; the two count apart, since a denial here
overrides what other policies allow. A statement is *gained* when it matches a request that the policy
before did not, so a policy compared with another spelling of itself has no changes. Where the answer takes
more than is modelled here (orders, networks, principals inside an excluded account), the change is given
and said to be undecided.
"""

import enum
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice, product
from math import prod
from typing import NamedTuple

from iam.engine import wildcards
from iam.engine.conditions import Answer, implied
from iam.engine.statements import ANYTHING, Effect, Element, Policy, Statement, merged, order

MAX_COMBINATIONS = 20_000
"""How many kinds of request one statement is compared over before it is given up as undecided."""

MAX_SAMPLES = 40
"""How many strings are tried before the automata are walked."""

MAX_PARTS = 3
"""Of how many statements a widening or narrowing may consist; with more, only what came or went is said."""

_ANYONE_ELSE = wildcards.ANY_OTHER
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

    `before` is empty when gained and `after` when lost; in a widening and a narrowing one is part of the
    other.
    """

    kind: Kind
    before: tuple[Statement, ...]
    after: tuple[Statement, ...]
    decided: bool
    """False: whether the meaning changed in this way was not decided."""
    policy: int
    """Which policy says so: one before when lost, narrowed or altered, else one after; its position."""

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
    _shown: Callable[[], Set[Statement]]
    """The statements of `after` that are part of a change."""

    @cached_property
    def kept(self) -> tuple[Statement, ...]:
        """What the policies after say that those before meant too."""
        shown = self._shown()
        kept = (_merged(frozenset(policy.statements) - shown) for policy in self.after)
        return tuple(dict.fromkeys(chain.from_iterable(kept)))

    @cached_property
    def spelling(self) -> dict[str, str]:
        """How the policies write actions and condition keys, by lower-case form."""
        return dict(chain.from_iterable(policy.spelling.items() for policy in (*self.before, *self.after)))


def difference(before: Sequence[Policy], after: Sequence[Policy]) -> Difference:
    """Return what changed in meaning from some policies, taken together, to others.

    A policy that is the same object on both sides costs next to nothing, and so does what one side alone
    says of a service.
    """
    old, new = _Side(before), _Side(after)
    lost, gained = _beyond(old, new), _beyond(new, old)
    pairs = _pairs(lost.statements, gained.statements, old, new)
    changes = sorted(_grouped(pairs, {Kind.LOST: lost.untold, Kind.GAINED: gained.untold}), key=_place)

    def shown() -> Set[Statement]:
        left = {other for pair in pairs if pair.kind is Kind.NARROWED for other in pair.others}
        return gained.statements.keys() | left | set(chain.from_iterable(gained.untold.values()))

    return Difference(tuple(changes), tuple(before), tuple(after), shown)


class _Found(NamedTuple):
    """That a statement matches something the other side does not: NO, not covered, or UNDECIDED."""

    covered: Answer
    policy: int


class _Beyond(NamedTuple):
    """What one side matches and the other does not."""

    statements: dict[Statement, _Found]
    untold: dict[int, tuple[Statement, ...]]
    """By policy, more of it: statements about actions of which the other side says nothing."""


def _beyond(side: "_Side", other: "_Side") -> _Beyond:
    """Return what `side` matches and `other` does not, as far as it has effect in `side`."""
    beyond = _Beyond({}, {})
    told = [*other.indexes, *side.deny]
    for position, policy in enumerate(side.policies):
        if policy in other.policies:
            continue
        untold, rest = _split(policy, _untold(policy, told))
        if untold:
            beyond.untold[position] = untold
        for statement in rest:
            allow = statement.effect == "Allow"
            covered = _cover(statement, [*other.allow, *side.deny] if allow else other.deny)
            if covered is not Answer.YES:
                beyond.statements.setdefault(statement, _Found(covered, position))
    return beyond


def _untold(policy: Policy, told: Iterable["_Index"]) -> frozenset[str]:
    """Return the actions of a policy, and the services it is about at large, that no index tells of."""
    topics = _topics(policy)
    named, services = set(topics.named), set(topics.services)
    for index in told:
        if "" in index.services:
            return frozenset()
        named -= index.named
        services -= index.services
        for service in index.open:
            named.difference_update(topics.named_of.get(service, ()))
    return frozenset(named | services)


class _Topics(NamedTuple):
    """What a policy is about: single actions, in all and by service, and services at large."""

    named: frozenset[str]
    named_of: dict[str, list[str]]
    services: frozenset[str]


@lru_cache(maxsize=16_384)
def _topics(policy: Policy) -> _Topics:
    named: dict[str, list[str]] = {}
    services = set()
    for action in {statement.action for statement in policy.statements}:
        service, literal = _service(action)
        if literal:
            named.setdefault(service, []).append(action.patterns[0])
        elif service:
            services.add(service)
    return _Topics(frozenset(chain.from_iterable(named.values())), named, frozenset(services))


@lru_cache(maxsize=16_384)
def _split(policy: Policy, untold: frozenset[str]) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Part the statements of a policy into those about the actions and services named, and the others."""
    parts: tuple[list[Statement], list[Statement]] = ([], [])
    for statement in dict.fromkeys(policy.statements):
        service, literal = _service(statement.action)
        parts[(statement.action.patterns[0] if literal else service) not in untold].append(statement)
    return tuple(parts[0]), tuple(parts[1])


class _Pair(NamedTuple):
    """A statement that changed, with those of the other side that it stands for."""

    kind: Kind
    statement: Statement
    others: frozenset[Statement]
    decided: bool
    policy: int


def _pairs(
    lost: dict[Statement, _Found], gained: dict[Statement, _Found], before: "_Side", after: "_Side"
) -> list[_Pair]:
    altered = _altered(lost, gained)
    pairs = [
        _Pair(
            Kind.ALTERED,
            old,
            frozenset([new]),
            lost[old].covered is gained[new].covered is Answer.NO,
            lost[old].policy,
        )
        for old, new in altered.items()
    ]
    taken = set(altered.values())
    for found, others, side, other_side, whole, part in (
        (lost, gained, before, after, Kind.LOST, Kind.NARROWED),
        (gained, lost, after, before, Kind.GAINED, Kind.WIDENED),
    ):
        for statement, (covered, policy) in found.items():
            if statement not in altered and statement not in taken:
                inside = frozenset(other_side.within(statement, side) - others.keys())
                if not 0 < len(_merged(inside)) <= MAX_PARTS:
                    inside = frozenset()
                kind = part if inside else whole
                pairs.append(_Pair(kind, statement, inside, covered is Answer.NO, policy))
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


def _grouped(pairs: Iterable[_Pair], untold: Mapping[Kind, Mapping[int, Sequence[Statement]]]) -> Iterator[Change]:
    """Merge the pairs that differ in principal or action alone, as `a, b on * → a, b on x`."""
    groups: dict[tuple[Kind, bool, int, Hashable], list[_Pair]] = {}
    for pair in pairs:
        alike: Hashable = None
        if pair.others:
            others = frozenset(_without(other, pair.statement) for other in pair.others)
            alike = _without(pair.statement, pair.statement), others
        groups.setdefault((pair.kind, pair.decided, pair.policy, alike), []).append(pair)
    for kind, by_policy in untold.items():
        for policy in by_policy:
            groups.setdefault((kind, True, policy, None), [])
    for (kind, decided, policy, alike), group in groups.items():
        more = untold.get(kind, {}).get(policy, ()) if decided and alike is None else ()
        own = _maximal(frozenset([*more, *(pair.statement for pair in group)]))
        if kind is Kind.GAINED:
            yield from (Change(kind, (), (row,), decided, policy) for row in own)
        elif kind is Kind.LOST:
            yield from (Change(kind, (row,), (), decided, policy) for row in own)
        else:
            others = frozenset(other for pair in group for other in pair.others)
            theirs = _maximal(others) if kind is Kind.ALTERED else _merged(others)
            yield Change(kind, *((theirs, own) if kind is Kind.WIDENED else (own, theirs)), decided, policy)


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


@lru_cache(maxsize=4_096)
def _maximal(statements: frozenset[Statement]) -> tuple[Statement, ...]:
    """Merge the statements that are no subset of another; of statements that mean the same, one stays."""
    index = _Index(statements)
    dropped: set[Statement] = set()
    for statement in sorted(statements, key=_complexity, reverse=True):
        if any(
            other != statement and other not in dropped and _part_of(statement, other)
            for other in index.near(statement)
        ):
            dropped.add(statement)
    return tuple(merged(statements - dropped))


def _complexity(statement: Statement) -> tuple[object, ...]:
    """Return a sort key: statements with fewer patterns and comparisons come first."""
    patterns = sum(len(element.patterns) for element in statement[1:4])
    values = sum(len(test.values) + test.if_exists for test in statement.condition)
    return patterns, len(statement.condition), values, *order(statement)


class _Index:
    """Statements, found by the service and the action they are about."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.all = frozenset(statements)
        self._named: dict[str, list[Statement]] = {}
        self._open: dict[str, list[Statement]] = {}
        self._of_service: dict[str, list[Statement]] = {}
        self.named = self._named.keys()
        self.open = self._open.keys()
        self.services = self._of_service.keys()
        """By service; "" stands for those that may be about any."""
        for statement in self.all:
            service, literal = _service(statement.action)
            self._of_service.setdefault(service, []).append(statement)
            if literal:
                self._named.setdefault(statement.action.patterns[0], []).append(statement)
            else:
                self._open.setdefault(service, []).append(statement)

    def near(self, statement: Statement) -> Collection[Statement]:
        """Return at least the statements that may be about an action of `statement`'s."""
        service, literal = _service(statement.action)
        if not service:
            return self.all
        some = self._open if literal else self._of_service
        found: Sequence[Statement] = some.get(service, ())
        if literal and (named := self._named.get(statement.action.patterns[0])):
            found = [*named, *found]
        if anywhere := self._open.get(""):
            found = [*found, *anywhere]
        return found


@lru_cache(maxsize=16_384)
def _indexed(policy: Policy, effect: Effect) -> _Index:
    return _Index(policy.effect(effect))


class _Side:
    """Some policies taken together, with indexes of what they allow and of what they deny."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = policies
        self.allow, self.deny = (
            [index for policy in policies if (index := _indexed(policy, effect)).all] for effect in ("Allow", "Deny")
        )
        self.indexes = [*self.allow, *self.deny]

    def within(self, statement: Statement, other: "_Side") -> set[Statement]:
        """Return the statements that are part of `statement` and not on the other side."""
        own, others = (self.allow, other.allow) if statement.effect == "Allow" else (self.deny, other.deny)
        return {
            found
            for index in own
            if index not in others
            for found in index.near(statement)
            if _simply_covers(statement, found) and not any(found in index.all for index in others)
        }


def _cover(statement: Statement, indexes: Sequence[_Index]) -> Answer:
    """Say whether the statements of `indexes` together match all that `statement` does."""
    near = [other for index in indexes for other in index.near(statement)]
    if not near:
        return Answer.NO
    if statement in near or any(_simply_covers(other, statement) for other in near):
        return Answer.YES
    near = [other for other in near if may_overlap(statement, other)]
    if not near:
        return Answer.NO
    if len(near) == 1 and _is_simple(statement) and _is_simple(near[0]):
        same_scope = near[0]._replace(condition=statement.condition)
        return implied(statement.condition, [near[0].condition]) if _simply_covers(same_scope, statement) else Answer.NO
    return _covered(statement, near)


def _is_simple(statement: Statement) -> bool:
    """Say whether a statement has neither exclusions nor variables nor named principals."""
    _, principal, action, resource, _ = statement
    excluded = action.excluded or resource.excluded
    return principal is ANYTHING and not excluded and "${" not in resource.patterns[0]


@lru_cache(maxsize=65_536)
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
    """Say whether an element surely covers another, taken by itself; False does not say that it does not."""
    if wide in (narrow, ANYTHING):
        return True
    if not wide.excluded:
        return not narrow.excluded and wildcards.covers(wide.patterns[0], narrow.patterns[0])
    if narrow.excluded:
        return all(any(wildcards.covers(left, out) for left in narrow.patterns) for out in wide.patterns)
    return not any(wildcards.overlap(out, narrow.patterns[0]) for out in wide.patterns)


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

    An account allowed is its principals through their own policies, which is less than a principal named
    outright; an account denied is every principal in it.
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
    principals = [frozenset(index for index, holds in enumerate(found) if holds) for found in by_name.values()]
    actions = [wide.action for wide in wides]
    resources = [wide.resource for wide in wides]
    # A few requests of the most general kinds settle most questions without walking the automata.
    samples = product(_sampled(narrow.action, actions), _sampled(narrow.resource, resources))
    if not any(answer(principals[0] & action & resource) is Answer.NO for action, resource in samples):
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


def _sampled(narrow: Element, wides: Sequence[Element]) -> set[frozenset[int]]:
    """Return which of `wides` match some strings that `narrow` matches: one for each pattern named."""
    named = {pattern for element in (narrow, *wides) for pattern in element.patterns}
    samples = {_ANYONE_ELSE * 64, *islice(map(wildcards.sample, sorted(named)), MAX_SAMPLES)}
    return {
        frozenset(index for index, wide in enumerate(wides) if _matches(wide, sample))
        for sample in samples
        if _matches(narrow, sample)
    }


def _matches(element: Element, name: str) -> bool:
    return any(wildcards.covers(pattern, name) for pattern in element.patterns) != element.excluded


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
    resources = [statement.resource for statement in (narrow, *wides)]
    variables = any(wildcards.has_variable(pattern) for element in resources for pattern in element.patterns)
    return (
        variables and any(element.excluded for element in resources),
        wildcards.has_variable(narrow.resource.patterns[0]) and any("?" in w.resource.patterns[0] for w in wides),
    )
