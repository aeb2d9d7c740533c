"""Wildcard patterns of policy documents as sets of strings, compared exactly.

In a pattern `*` stands for any run of characters and `?` for exactly one. `${name}` is a policy variable: a
string that is the same everywhere in one request and unknown here. `${*}`, `${?}` and `${$}` are the
characters themselves. Source: IAM User Guide, "IAM JSON policy elements: Resource" and "Policy elements:
Variables and tags".

Patterns are compared as languages, by walking their automata side by side; a set of positions in a pattern
is an integer, one bit a position.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_TOKEN = re.compile(r"\$\{[^{}]*\}|.", re.DOTALL)
_WILDCARD_RUN = re.compile(r"[*?]{2,}")
_ESCAPES = {"*": "${*}", "?": "${?}"}
_CHARACTERS = {"${*}": "\ue000", "${?}": "\ue001", "${$}": "$"}
"""The characters themselves as symbols of an automaton, where `*` and `?` are wildcards."""
ANY_OTHER = "\uffff"
"""Stands for a character that no pattern at hand names."""

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
    return pattern.replace("${*}", "*").replace("${?}", "?")


@lru_cache(maxsize=65_536)
def sample(pattern: str) -> str:
    """Return a string that `pattern` matches, and few other patterns do."""
    return "".join(ANY_OTHER if token in ("*", "?") else token for token in tokens(pattern))


def without_variables(text: str) -> str:
    """Return the pattern that takes `${` in `text` as plain characters, as Version 2008-10-17 does."""
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
    return "${" in pattern and any(map(_is_variable, _compiled(pattern).symbols))


def _is_variable(symbol: str) -> bool:
    return len(symbol) > 1


class _Compiled:
    """A pattern as an automaton: position i waits for symbol i, the last position accepts."""

    __slots__ = (
        "accept",
        "head",
        "is_open",
        "is_plain",
        "masks",
        "one",
        "pieces",
        "stars",
        "symbols",
        "tail",
    )

    def __init__(self, symbols: list[str]) -> None:
        self.symbols = symbols
        self.stars = self.one = 0
        self.masks: dict[str, int] = {}
        for position, symbol in enumerate(symbols):
            if symbol == "*":
                self.stars |= 1 << position
            elif symbol == "?":
                self.one |= 1 << position
            else:
                self.masks[symbol] = self.masks.get(symbol, 0) | 1 << position
        for symbol in self.masks:
            if not _is_variable(symbol):
                self.masks[symbol] |= self.one
        self.accept = 1 << len(symbols)
        self.is_plain = not self.one and not any(map(_is_variable, symbols))
        self.pieces = "".join(symbols).split("*")
        self.is_open = bool(self.stars | self.one)
        self.head = symbols[: symbols.index("*")] if self.stars else symbols
        """What comes before the first star."""
        backwards = symbols[::-1]
        self.tail = backwards[: backwards.index("*")] if self.stars else backwards
        """What comes after the last star, backwards."""

    def takes(self, text: str) -> bool:
        """Say whether a plain pattern, of stars and characters, matches a string."""
        first, *middle, last = self.pieces
        position, end = len(first), len(text) - len(last)
        if position > end or not text.startswith(first) or not text.endswith(last):
            return False
        for piece in middle:
            found = text.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True

    def start(self) -> int:
        return self._skip_stars(1)

    def step(self, positions: int, symbol: str) -> int:
        # A variable may be of any length: `?` does not take it, `*` takes it whole.
        moves = self.masks.get(symbol, 0 if _is_variable(symbol) else self.one)
        return self._skip_stars((positions & moves) << 1 | positions & self.stars)

    def awaited(self, positions: int) -> set[str]:
        """Return the symbols that lead somewhere else from here than any other symbol does."""
        found = {ANY_OTHER}
        while positions:
            lowest = positions & -positions
            positions ^= lowest
            if not lowest & (self.stars | self.one | self.accept):
                found.add(self.symbols[lowest.bit_length() - 1])
        return found

    def _skip_stars(self, positions: int) -> int:
        return positions | (positions & self.stars) << 1


@lru_cache(maxsize=65_536)
def _compiled(pattern: str, open_variables: bool = False) -> _Compiled:
    symbols = [_CHARACTERS.get(token, token) for token in tokens(canonical(pattern))]
    return _Compiled(["*" if open_variables and _is_variable(symbol) else symbol for symbol in symbols])


def _agree(one: list[str], other: list[str]) -> bool:
    return all(here == there or "?" in (here, there) for here, there in zip(one, other, strict=False))


def _begins(narrow: list[str], wide: list[str]) -> bool:
    """Say whether `narrow` begins with what `wide` has before its first `?`."""
    for position, asked in enumerate(wide):
        if asked == "?":
            return True
        if narrow[position : position + 1] != [asked]:
            return False
    return True


@lru_cache(maxsize=65_536)
def covers(wide: str, narrow: str) -> bool:
    """Say whether `wide` matches every string that `narrow` matches, whatever the variables stand for."""
    if wide in ("*", narrow):
        return True
    narrows, wides = _compiled(narrow), _compiled(wide)
    if not wides.is_open:
        return not narrows.is_open and narrows.symbols == wides.symbols
    if wides.is_plain and narrows.is_plain and not narrows.is_open:
        return wides.takes(narrows.pieces[0])
    if not _begins(narrows.head, wides.head) or not _begins(narrows.tail, wides.tail):
        return False
    if wides.symbols == [*wides.head, "*"] and "?" not in wides.head:
        return True
    seen = {(0, wides.start())}
    todo = list(seen)
    while todo:
        position, reached = todo.pop()
        if not reached:
            return False
        if position == len(narrows.symbols):
            if not reached & wides.accept:
                return False
            continue
        symbol = narrows.symbols[position]
        if symbol in ("*", "?"):
            stays = position if symbol == "*" else position + 1
            following = [
                (stays, wides.step(reached, awaited))
                for awaited in wides.awaited(reached)
                if symbol == "*" or not _is_variable(awaited)
            ]
            if symbol == "*":
                following.append((position + 1, reached))
        else:
            following = [(position + 1, wides.step(reached, symbol))]
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
    first, second = _compiled(one, True), _compiled(other, True)
    if not _agree(first.head, second.head) or not _agree(first.tail, second.tail):
        return False
    if first.is_plain and second.is_plain and not (first.stars and second.stars):
        literal, pattern = (second, first) if first.stars else (first, second)
        return bool(pattern.stars) and pattern.takes(literal.pieces[0])
    if first.stars and second.stars:  # between head and tail, the stars of each take what the other asks for
        return True
    seen = {(first.start(), second.start())}
    todo = list(seen)
    while todo:
        here, there = todo.pop()
        if here & first.accept and there & second.accept:
            return True
        for symbol in first.awaited(here) | second.awaited(there):
            state = first.step(here, symbol), second.step(there, symbol)
            if all(state) and state not in seen:
                seen.add(state)
                todo.append(state)
    return False


def cells(patterns: Iterable[str]) -> frozenset[frozenset[str]]:
    """Return the sets of patterns that some string matches, and matches no other of `patterns`.

    The empty set is among them when some string matches none. Raises TooManyStatesError rather than run
    long.
    """
    return _cells(tuple(sorted(set(patterns))))


@lru_cache(maxsize=8_192)
def _cells(patterns: tuple[str, ...]) -> frozenset[frozenset[str]]:
    automata = [_compiled(pattern) for pattern in patterns]
    start = tuple(automaton.start() for automaton in automata)
    seen = {start}
    todo = [start]
    while todo:
        state = todo.pop()
        awaited = (automaton.awaited(positions) for automaton, positions in zip(automata, state, strict=True))
        for symbol in set().union(*awaited) or {ANY_OTHER}:
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
