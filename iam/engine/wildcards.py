"""Wildcard patterns as sets of strings, compared exactly.

The one question asked is `exists`: is there a string that every pattern of one list matches and none of another? It
walks the patterns of the first list position by position, beside the set of positions that the others have reached
(an integer, one bit a position). Where the first list has a wildcard, one character that no pattern names decides:
what it cannot refute, no other character can. So a run of `?` is walked once and no automaton is built; of two sets
of reached positions at the same place, only the smaller one is followed (an antichain).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product

from iam.engine.answers import Answer, answer
from iam.engine.pattern_syntax import (
    FIELD_ONE,
    FIELD_STAR,
    ONE,
    STAR,
    STARS,
    WILDCARDS,
    Pattern,
    Syntax,
    letters_of,
    symbols_of,
    variable_key,
    variables,
)

_ANY_OTHER = "\uffff"
"""Stands for a character that no pattern names."""

WORD_STEPS = 20_000
"""Steps after which one question about patterns is undecided."""


class _Union:
    """Some patterns as one automaton: position i waits for symbol i; a position after each pattern accepts."""

    __slots__ = (
        "_field_ones",
        "_field_stars",
        "_moves",
        "_ones",
        "_stars",
        "accept",
        "everything",
        "has_fields",
        "start",
        "starts",
        "symbols",
    )

    def __init__(self, patterns: Iterable[tuple[str, ...]]) -> None:
        self.symbols: list[str] = []
        self.starts: list[int] = []
        self._stars = self._field_stars = self._ones = self._field_ones = self.accept = 0
        self.everything = 0
        """Positions from which every string is accepted."""
        self._moves: dict[str, int] = {}
        start = 0
        for pattern in patterns:
            self.starts.append(len(self.symbols))
            start |= 1 << len(self.symbols)
            for symbol in pattern:
                self._add(symbol, 1 << len(self.symbols))
                self.symbols.append(symbol)
            if pattern and pattern[-1] == STAR:
                self.everything |= 1 << len(self.symbols) - 1
            self.accept |= 1 << len(self.symbols)
            self.symbols.append("")
        for symbol in self._moves:
            if not symbol.startswith("${"):
                self._moves[symbol] |= self._ones | (0 if symbol == ":" else self._field_ones)
        self.start = self._skip_stars(start)
        self.has_fields = bool(self._field_stars | self._field_ones)

    def _add(self, symbol: str, bit: int) -> None:
        match symbol:
            case "*":
                self._stars |= bit
            case "*:":
                self._field_stars |= bit
            case "?":
                self._ones |= bit
            case "?:":
                self._field_ones |= bit
            case _:
                for letter in letters_of(symbol):
                    self._moves[letter] = self._moves.get(letter, 0) | bit

    def step(self, positions: int, symbol: str) -> int:
        """Return the positions after one more symbol."""
        is_variable = len(symbol) > 1
        # A variable may be of any length: `?` does not match it, `*` matches it whole.
        none = is_variable or symbol == ":"
        moves = self._moves.get(symbol)
        if moves is None:
            moves = 0 if is_variable else self._ones | (0 if none else self._field_ones)
        stays = self._stars | (0 if none else self._field_stars)
        return self._skip_stars((positions & moves) << 1 | positions & stays)

    def _skip_stars(self, positions: int) -> int:
        return positions | (positions & (self._stars | self._field_stars)) << 1


@lru_cache(maxsize=16_384)
def _union(patterns: tuple[Pattern, ...], open_variables: bool = False) -> _Union:
    return _Union(symbols_of(pattern, syntax, open_variables) for pattern, syntax in patterns)


Union = tuple[Pattern, ...]
"""Patterns of which one has to match, sorted."""


@lru_cache(maxsize=65_536)
def exists(all_of: tuple[Union, ...], none_of: Union) -> tuple[Answer, int]:
    """Return whether some string is matched by each union of `all_of` and by no pattern of `none_of`; and the steps.

    A variable is a string that may be any: YES holds for some values of the variables, NO for every value.
    """
    all_of = all_of or (((STAR, Syntax.TEXT),),)
    if len(all_of) == 1:
        all_of = (tuple(pattern for pattern in all_of[0] if pattern not in none_of),)
    if not all(all_of):
        return Answer.NO, 1
    required = [_union(union) for union in all_of]
    named = [frozenset[str]().union(*(variables(pattern) for pattern, _ in union)) for union in all_of]
    found, steps = _search(required, _union(none_of))
    if found is None:
        return Answer.UNDECIDED, steps
    if not found and len(required) > 1 and any(named):
        # A variable may stand for what another pattern names: try any value at all.
        found, more = _search([_union(union, True) for union in all_of], _union(none_of))
        return answer(False if found is False else None), steps + more
    if found and any(named) and _depends(frozenset().union(*named), none_of):
        return Answer.UNDECIDED, steps
    return answer(found), steps


def _depends(named: frozenset[str], none_of: Union) -> bool:
    """Return whether a pattern of `none_of` may match what is found, for some values of the variables named."""
    keys = {variable_key(variable) for variable in named}
    for pattern, syntax in none_of:
        symbols = symbols_of(pattern, syntax)
        if any(symbol in (ONE, FIELD_ONE, FIELD_STAR) for symbol in symbols):
            return True
        if any(variable_key(other) in keys and other not in named for other in variables(pattern)):
            return True
    return any("," in variable for variable in named) and bool(none_of)


def _search(required: Sequence[_Union], excluded: _Union) -> tuple[bool | None, int]:
    """Walk the patterns of `required` beside `excluded`; None when out of steps."""
    alone = len(required) == 1
    fields = excluded.has_fields
    seen: dict[tuple[int, ...], list[int]] = {}
    todo: list[tuple[tuple[int, ...], int]] = []
    steps = 1

    def visit(positions: tuple[int, ...], reached: int) -> None:
        nonlocal steps
        steps += 1
        if reached & excluded.everything:
            return
        smallest = seen.setdefault(positions, [])
        steps += len(smallest) // 8
        if any(not other & ~reached for other in smallest):
            return
        smallest[:] = [other for other in smallest if reached & ~other]
        smallest.append(reached)
        todo.append((positions, reached))

    for positions in product(*(union.starts for union in required)):
        if steps > WORD_STEPS:
            return None, steps
        visit(positions, excluded.start)
    cost = 1 + len(excluded.symbols) // 2_048
    while todo:
        positions, reached = todo.pop()
        if reached not in seen[positions]:
            continue
        if alone and not reached:
            return True, steps
        steps += cost
        if steps > WORD_STEPS:
            return None, steps
        waiting = [union.symbols[position] for union, position in zip(required, positions, strict=True)]
        if not any(waiting) and not reached & excluded.accept:
            return True, steps
        for index, symbol in enumerate(waiting):
            if symbol in STARS:
                visit((*positions[:index], positions[index] + 1, *positions[index + 1 :]), reached)
        for letter in _next(waiting, fields):
            following = tuple(
                position + (symbol not in STARS) for position, symbol in zip(positions, waiting, strict=True)
            )
            visit(following, excluded.step(reached, letter))
    return False, steps


def _next(waiting: Sequence[str], fields: bool) -> Iterable[str]:
    """Return the characters to go on with where the patterns wait for these symbols."""
    if "" in waiting:
        return ()
    named = [symbol for symbol in waiting if symbol not in WILDCARDS]
    if named:
        letters = [letter for letter in letters_of(named[0]) if all(letter in letters_of(other) for other in named[1:])]
    elif fields and not any(symbol in (FIELD_STAR, FIELD_ONE) for symbol in waiting):
        letters = [_ANY_OTHER, ":"]
    else:
        letters = [_ANY_OTHER]
    return [letter for letter in letters if all(_takes(symbol, letter) for symbol in waiting)]


def _takes(symbol: str, letter: str) -> bool:
    is_variable = letter.startswith("${")
    match symbol:
        case "*":
            return True
        case "?":
            return not is_variable
        case "*:" | "?:":
            return not is_variable and letter != ":"
        case _:
            return letter in letters_of(symbol)


@lru_cache(maxsize=65_536)
def covers(superset: str, subset: str, syntax: Syntax = Syntax.TEXT) -> bool:
    """Return whether `superset` matches every string that `subset` matches, whatever the variables stand for.

    False as well where that takes more than `WORD_STEPS`.
    """
    if superset in ("*", subset):
        return True
    wide, narrow = symbols_of(superset, syntax), symbols_of(subset, syntax)
    if not any(symbol in WILDCARDS for symbol in wide) and syntax is not Syntax.CASELESS:
        return wide == narrow
    if len(wide) > 1 and wide[0] not in WILDCARDS and narrow[:1] != wide[:1]:
        return False
    simply = simply_covers(superset, subset, syntax)
    if simply is not None:
        return simply
    return exists((((subset, syntax),),), ((superset, syntax),))[0] is Answer.NO


@lru_cache(maxsize=65_536)
def _pieces(pattern: str, syntax: Syntax) -> list[str] | None:
    """Return what is between the stars of a pattern that has no other wildcards and no variables; None for others."""
    symbols = symbols_of(pattern, syntax)
    if any(len(symbol) > 1 or symbol == ONE for symbol in symbols):
        return None
    return "".join(symbols).split(STAR)


@lru_cache(maxsize=65_536)
def _sample(pattern: str, syntax: Syntax) -> str | None:
    """Return a string that a pattern matches and other patterns match by a wildcard alone; None with a variable."""
    symbols = [_ANY_OTHER if symbol in WILDCARDS else symbol for symbol in symbols_of(pattern, syntax)]
    return None if any(len(symbol) > 1 for symbol in symbols) else "".join(symbols)


def simply_covers(superset: str, subset: str, syntax: Syntax) -> bool | None:
    """Return what `covers` does for patterns without variables and a superset without `?`; None for others.

    If such a superset matches a sample of the subset, its stars match whatever the sample stands for.
    """
    pieces, text = _pieces(superset, syntax), _sample(subset, syntax)
    if pieces is None or text is None:
        return None
    if len(pieces) == 1:
        return pieces[0] == text
    first, *middle, last = pieces
    position, end = len(first), len(text) - len(last)
    if position > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


@lru_cache(maxsize=65_536)
def overlap(one: str, other: str, syntax: Syntax = Syntax.TEXT) -> bool:
    """Return whether some string may match both patterns, for some value of the variables they name.

    True as well where that takes more than `WORD_STEPS`.
    """
    if one == other or "*" in (one, other):
        return True
    first, second = symbols_of(one, syntax, True), symbols_of(other, syntax, True)
    if not (_agree(first, second) and _agree(first[::-1], second[::-1])):
        return False
    if STAR in first and STAR in second and not {FIELD_STAR, FIELD_ONE} & {*first, *second}:
        return True  # between beginning and end, the star of each takes what the other asks for
    return _search([_Union([first]), _Union([second])], _Union([]))[0] is not False


def _agree(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether what comes before the first star of each may be the same."""
    for here, there in zip(one, other, strict=False):
        if here in STARS or there in STARS:
            return True
        if here != there and here not in WILDCARDS and there not in WILDCARDS:
            return False
    return len(one) == len(other) or any(symbol in STARS for symbol in (*one, *other))
