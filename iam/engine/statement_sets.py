"""Statements as sets of requests: whether they overlap, whether one is a subset of another, what several cover."""

import enum
import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter

from iam.engine import coverage, pattern_syntax, wildcards
from iam.engine.answers import Answer, Budget, OutOfStepsError, all_of, answer, any_of
from iam.engine.coverage import Dimension, Factor, ValueSet
from iam.engine.key_values import possible
from iam.engine.pattern_syntax import Pattern, Syntax
from iam.engine.statements import Effect, Element, Statement
from iam.engine.wildcards import Union

COVER_STEPS = 100_000
"""Steps to find whether one statement is covered by others."""

_ANYONE_ELSE = "\uffff"
"""Stands for any principal that no statement names."""


class Doubt(enum.StrEnum):
    """Why a change is undecided."""

    NONE = ""
    MEANING = "the meanings may be the same"
    STEPS = "the comparison ran out of steps; the meanings may be the same"


def cover(statement: Statement, near: Collection[Statement], budget: Budget) -> Doubt | None:
    """Return None if the statements `near` cover a statement, otherwise how doubtful it is that they do not."""
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
    if len(others) == 1 and not any(each.excluded or len(each.patterns) > 1 for each in (own, *others)):
        simply = wildcards.simply_covers(others[0].patterns[0], own.patterns[0], syntax)
        if simply is not None:
            return answer(not simply), 1
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
    return any(element.excluded and any(map(pattern_syntax.has_variable, element.patterns)) for element in elements)


@lru_cache(maxsize=65_536)
def _is_plain(pattern: str) -> bool:
    return pattern_syntax.is_literal(pattern) and not pattern_syntax.has_variable(pattern)


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
        pattern_syntax.variable_key(variable)
        for pattern in patterns
        if "${" in pattern
        for variable in pattern_syntax.variables(pattern)
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


def is_nowhere_covered(statement: Statement, near: Iterable[Statement], budget: Budget) -> bool:
    """Return whether, if a statement is split into one for each of its patterns, certainly none of these is covered.

    That is so if, in one dimension, each pattern by itself matches a value that none of `near` matches.
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
