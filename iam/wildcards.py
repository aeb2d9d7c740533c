"""Wildcard patterns of policy documents as sets of strings, compared exactly.

In a pattern `*` stands for any run of characters and `?` for exactly one. `${name}` is a policy variable: a string that
is the same everywhere in one request and unknown here. `${*}`, `${?}` and `${$}` are the characters themselves.
Source: IAM User Guide, "IAM JSON policy elements: Resource" and "Policy elements: Variables and tags".

Patterns are compared as languages, by walking their automata side by side; a set of positions in a pattern is an
integer, one bit a position.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_TOKEN = re.compile(r"\$\{[^{}]*\}|.", re.DOTALL)
_WILDCARD_RUN = re.compile(r"[*?]{2,}")
_ESCAPES = {"*": "${*}", "?": "${?}"}
_CHARACTERS = {"${*}": "*", "${?}": "?", "${$}": "$"}
_ANY_OTHER = ""
"""A character that no pattern at hand names."""

MAX_STATES = 4_000
"""How many states a walk over several patterns may visit before it is given up as undecided."""


class TooManyStatesError(Exception):
    """A walk over several patterns was given up."""


def tokens(pattern: str) -> list[str]:
    """Return the characters and `${…}` of `pattern` one by one."""
    return _TOKEN.findall(pattern)


def escape(text: str) -> str:
    """Return the pattern that takes `*` and `?` in `text` as themselves; variables stay variables."""
    return "".join(_ESCAPES.get(token, token) for token in tokens(text))


def unescape(pattern: str) -> str:
    """Undo `escape`."""
    return "".join(_CHARACTERS[token] if token in _ESCAPES.values() else token for token in tokens(pattern))


def without_variables(text: str) -> str:
    """Return the pattern that takes every `${` in `text` as two plain characters, as Version 2008-10-17 does."""
    return text.replace("${", "${$}{")


@lru_cache(maxsize=65_536)
def canonical(pattern: str) -> str:
    """Return the one spelling of `pattern` among those that differ only within a run of wildcards."""
    if "**" not in pattern and "*?" not in pattern:
        return pattern
    escaped = "".join(token if len(token) == 1 else token.replace("*", "\0") for token in tokens(pattern))
    escaped = _WILDCARD_RUN.sub(lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), escaped)
    return escaped.replace("\0", "*")


def is_literal(pattern: str) -> bool:
    """Say whether `pattern` matches one string only."""
    return not _compiled(pattern).is_open


def has_variable(pattern: str) -> bool:
    """Say whether `pattern` names a policy variable."""
    return "${" in pattern and any(_is_variable(token) for token in _compiled(pattern).tokens)


def _is_variable(symbol: str) -> bool:
    return symbol.startswith("${") and symbol not in _CHARACTERS


class _Compiled:
    """A pattern as an automaton: position i waits for token i, the last position accepts."""

    __slots__ = ("accept", "is_open", "masks", "one", "stars", "tokens")

    def __init__(self, pattern: str) -> None:
        self.tokens: list[str] = tokens(canonical(pattern))
        self.stars = self.one = 0
        self.masks: dict[str, int] = {}
        for position, token in enumerate(self.tokens):
            if token == "*":
                self.stars |= 1 << position
            elif token == "?":
                self.one |= 1 << position
            else:
                self.masks[token] = self.masks.get(token, 0) | 1 << position
        self.accept = 1 << len(self.tokens)
        self.is_open = bool(self.stars | self.one)

    def start(self) -> int:
        return self._skip_stars(1)

    def step(self, positions: int, symbol: str) -> int:
        moves = self.masks.get(symbol, 0)
        if not _is_variable(symbol):  # a variable may be of any length: only `*` takes it whole
            moves |= self.one
        return self._skip_stars((positions & moves) << 1 | positions & self.stars)

    def _skip_stars(self, positions: int) -> int:
        return positions | (positions & self.stars) << 1


@lru_cache(maxsize=65_536)
def _compiled(pattern: str) -> _Compiled:
    return _Compiled(pattern)


@lru_cache(maxsize=65_536)
def covers(wide: str, narrow: str) -> bool:
    """Say whether `wide` matches every string that `narrow` matches, whatever the variables stand for."""
    if wide in ("*", narrow):
        return True
    narrows, wides = _compiled(narrow), _compiled(wide)
    if not wides.is_open:
        return False if narrows.is_open else narrows.tokens == wides.tokens
    symbols = [*wides.masks, _ANY_OTHER]
    characters = [symbol for symbol in symbols if not _is_variable(symbol)]
    seen = {(0, wides.start())}
    todo = list(seen)
    while todo:
        position, reached = todo.pop()
        if not reached:
            return False
        if position == len(narrows.tokens):
            if not reached & wides.accept:
                return False
            continue
        token = narrows.tokens[position]
        if token == "*":
            following = [
                (position + 1, reached),
                *((position, wides.step(reached, symbol)) for symbol in symbols),
            ]
        elif token == "?":
            following = [(position + 1, wides.step(reached, symbol)) for symbol in characters]
        else:
            following = [(position + 1, wides.step(reached, token))]
        for state in following:
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return True


@lru_cache(maxsize=65_536)
def overlap(one: str, other: str) -> bool:
    """Say whether some string may match both patterns, for some value of the variables they name."""
    if one == other or "*" in (one, other):
        return True
    first, second = (_with_variables_open(pattern) for pattern in (one, other))
    if not first.is_open and not second.is_open:
        return first.tokens == second.tokens
    seen = {(first.start(), second.start())}
    todo = list(seen)
    symbols = {*first.masks, *second.masks, _ANY_OTHER}
    while todo:
        here, there = todo.pop()
        if here & first.accept and there & second.accept:
            return True
        for symbol in symbols:
            state = first.step(here, symbol), second.step(there, symbol)
            if all(state) and state not in seen:
                seen.add(state)
                todo.append(state)
    return False


def _with_variables_open(pattern: str) -> _Compiled:
    if not has_variable(pattern):
        return _compiled(pattern)
    return _compiled("".join("*" if _is_variable(token) else token for token in _compiled(pattern).tokens))


def cells(patterns: Iterable[str]) -> frozenset[frozenset[str]]:
    """Return the sets of patterns that some string matches, and matches no other of `patterns`.

    The empty set is among them when some string matches none. Raises TooManyStatesError rather than run long.
    """
    return _cells(tuple(sorted(set(patterns))))


@lru_cache(maxsize=8_192)
def _cells(patterns: tuple[str, ...]) -> frozenset[frozenset[str]]:
    automata = [_compiled(pattern) for pattern in patterns]
    symbols = {_ANY_OTHER}.union(*(automaton.masks for automaton in automata))
    start = tuple(automaton.start() for automaton in automata)
    seen = {start}
    todo = [start]
    while todo:
        state = todo.pop()
        for symbol in symbols:
            following = tuple(
                automaton.step(positions, symbol) if positions else 0
                for automaton, positions in zip(automata, state, strict=True)
            )
            if following not in seen:
                if len(seen) >= MAX_STATES:
                    raise TooManyStatesError
                seen.add(following)
                todo.append(following)
    return frozenset(
        frozenset(
            pattern
            for pattern, automaton, positions in zip(patterns, automata, state, strict=True)
            if positions & automaton.accept
        )
        for state in seen
    )


def widest(patterns: Iterable[str]) -> Iterator[str]:
    """Yield, sorted, the patterns that no other of `patterns` covers."""
    ordered = sorted(set(patterns))
    for pattern in ordered:
        if not any(other != pattern and covers(other, pattern) for other in ordered):
            yield pattern
