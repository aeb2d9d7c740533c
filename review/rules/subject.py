"""The subject of a finding: the values that a rule decided on, in a form that a waiver can record and compare.

A subject is a sorted tuple of parts. Each part stands by itself, so a finding whose parts are a subset of the accepted
ones is the same finding or a smaller one. Parts are built from the values of the normal form, in lower case where case
has no meaning, and never from the sentence of the finding.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from iam.engine.conditions import Comparison
from iam.engine.difference import Change, Kind
from iam.engine.index import size
from iam.engine.statements import ANYTHING, Element, Statement, singles
from plans.values import Hidden, Unknown, Value

Subject = tuple[str, ...]

MAX_PARTS = 200
"""Most parts of a statement; a larger one is a single part, which is compared as a whole."""

_PLAIN = re.compile(r"[!#-+\--Z\\^-~]+")
"""Printable ASCII without spaces, quotes, commas and brackets."""


def subject(parts: Iterable[str]) -> Subject:
    """Return parts as a subject."""
    return tuple(sorted(set(parts)))


def place_only(address: str, *more: str) -> Subject:
    """Return the subject of a finding that has no values to compare: an address, and words that identify the finding.

    Its waiver covers whatever the rule reports there.
    """
    return (" ".join(filter(None, [token(address) if address else "the plan", *more])),)


def token(text: str) -> str:
    """Return text that cannot be mistaken for more than one value: quoted unless it is one plain word."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def value_text(value: Value) -> str:
    """Return a value of a plan as JSON, without what is sensitive or unknown."""
    return json.dumps(value, sort_keys=True, default=_unseen)


def _unseen(value: object) -> str:
    return value.why if isinstance(value, Unknown | Hidden) else repr(value)


@lru_cache(maxsize=16_384)
def statement_subject(statement: Statement, *, trust: bool) -> Subject:
    """Return a part for each principal, action and resource of a statement, with its condition."""
    return subject(_part(each, trust=trust) for each in _separate(statement))


def narrowed(
    statement: Statement,
    *,
    principals: Iterable[str] | None = None,
    actions: Iterable[str] | None = None,
) -> Statement:
    """Return a statement with only those principals or actions that a rule decided on."""
    if principals is not None:
        statement = statement._replace(principal=Element(tuple(sorted(principals))))
    if actions is not None:
        statement = statement._replace(action=Element(tuple(sorted(actions))))
    return statement


@lru_cache(maxsize=16_384)
def change_subject(change: Change, *, trust: bool) -> Subject:
    """Return a part for each statement that is gained or lost, or for each that is replaced, with its replacement."""
    if not (change.before and change.after):
        parts = (each for statement in change.before or change.after for each in _separate(statement))
        return subject(f"{change.kind} {_part(each, trust=trust)}" for each in parts)
    before, after = ("; ".join(_part(each, trust=trust) for each in rows) for rows in (change.before, change.after))
    own = change.after if change.kind is Kind.WIDENED else change.before
    if sum(map(size, own)) > MAX_PARTS:
        return (f"{change.kind} {before} → {after}",)
    parts_of_own = (_part(each, trust=trust) for each in singles(own))
    if change.kind is Kind.WIDENED:
        return subject(f"{change.kind} {before} → {part}" for part in parts_of_own)
    return subject(f"{change.kind} {part} → {after}" for part in parts_of_own)


def _separate(statement: Statement) -> Iterable[Statement]:
    return [statement] if size(statement) > MAX_PARTS else singles([statement])


def _part(statement: Statement, *, trust: bool) -> str:
    words = ["Deny"] if statement.effect == "Deny" else []
    if trust:
        words += [_element(statement.principal), _element(statement.action)]
        if statement.resource != ANYTHING:
            words += ["on", _element(statement.resource)]
    else:
        words += [_element(statement.action), "on", _element(statement.resource)]
    if statement.condition:
        words += ["when", " and ".join(map(_test, sorted(statement.condition, key=Comparison.sort_key)))]
    return " ".join(words)


@lru_cache(maxsize=65_536)
def _element(element: Element) -> str:
    if len(element.patterns) == 1 and not element.excluded:
        return token(element.patterns[0])
    return f"{'all but ' if element.excluded else ''}{_list(element.patterns)}"


def _test(test: Comparison) -> str:
    each = f"{test.each}:" if test.each else ""
    operator = f"{each}{test.operator}{'ifexists' if test.if_exists else ''}"
    return f"{operator} {token(test.key)} {_list(test.values)}"


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(token, sorted(values)))}]"
