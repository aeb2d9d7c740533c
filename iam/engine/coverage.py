"""Whether a set of requests is a subset of the union of others, dimension by dimension.

A statement is a product of sets: principals, actions, resources, and the values of each condition key. A request that
is in one product and in none of the others differs from each of the others in at least one dimension. So the search
is for a choice, for each of the others, of a dimension to differ in, such that in each dimension one value of the
first set is in none of the sets chosen there. Most dimensions have one value that is in none of the sets at all; they
need no choice. The search ends: each step chooses for one more of the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from iam.engine import key_values
from iam.engine.answers import Answer, Budget, OutOfStepsError
from iam.engine.conditions import Comparison, Condition
from iam.engine.statements import Effect, Element

Dimension = str
"""`action`, `resource`, `principal`, or `key:` and a condition key."""

ValueSet = Element | Comparison | tuple[Effect, Element]
"""A set of values of a dimension. For principals, what an element matches depends on the effect."""

Factor = tuple[Dimension, ValueSet]

Outside = Callable[[Dimension, Sequence[ValueSet]], tuple[Answer, int]]
"""Returns whether a dimension of the first set has a value in none of the sets given; and the steps."""

MAX_CHOICES = 200
"""Sets for which a choice has to be searched for; with more, the answer is undecided."""


class _Search:
    """One question: whether each of `others` is avoided by some value in one of its dimensions."""

    def __init__(self, outside: Outside, others: Iterable[Iterable[Factor]], budget: Budget) -> None:
        self._outside = outside
        self._budget = budget
        self._numbers: dict[Factor, int] = {}
        self._factors: list[Factor] = []
        self._known: dict[tuple[Dimension, frozenset[int]], Answer] = {}
        self.others = [frozenset(map(self._number, other)) for other in others]

    def _number(self, factor: Factor) -> int:
        if factor not in self._numbers:
            self._numbers[factor] = len(self._factors)
            self._factors.append(factor)
        return self._numbers[factor]

    def outside(self, dimension: Dimension, chosen: frozenset[int]) -> Answer:
        """Return whether a dimension has a value outside of all the sets chosen."""
        known = self._known.get((dimension, chosen))
        if known is None:
            sets = [self._factors[number][1] for number in sorted(chosen)]
            known = self._known[dimension, chosen] = self._budget.charge(self._outside(dimension, sets))
        return known

    def avoidable(self, number: int) -> Answer:
        """Return whether one set alone can be avoided in its dimension."""
        return self.outside(self._factors[number][0], frozenset([number]))

    def avoidable_at_once(self) -> bool:
        """Return whether in one dimension some value is certainly in none of the sets at all."""
        by_dimension = self._by_dimension(self.others)
        return any(
            all(other & numbers for other in self.others) and self.outside(dimension, numbers) is Answer.YES
            for dimension, numbers in by_dimension.items()
        )

    def choose(self, others: Iterable[frozenset[int]], enough: frozenset[Answer]) -> bool:
        """Return whether all of `others` can be avoided together, where each is given as what can be chosen."""
        remaining = _minimal(others)
        changed = True
        while changed and remaining:
            changed = False
            for dimension, numbers in self._by_dimension(remaining).items():
                if self.outside(dimension, numbers) in enough:
                    remaining = [other for other in remaining if not other & numbers]
                    changed = True
        if len(remaining) > MAX_CHOICES:
            raise OutOfStepsError
        return self._search(remaining, {}, enough)

    def _by_dimension(self, others: Iterable[frozenset[int]]) -> dict[Dimension, frozenset[int]]:
        numbers: dict[Dimension, set[int]] = {}
        for number in sorted(frozenset().union(*others)):
            numbers.setdefault(self._factors[number][0], set()).add(number)
        return {dimension: frozenset(found) for dimension, found in numbers.items()}

    def _search(
        self, remaining: Sequence[frozenset[int]], chosen: Mapping[Dimension, frozenset[int]], enough: frozenset[Answer]
    ) -> bool:
        if not remaining:
            return True
        self._budget.spend(len(remaining))
        fewest: list[int] | None = None
        for other in remaining:
            options = []
            for number in sorted(other):
                dimension = self._factors[number][0]
                if self.outside(dimension, chosen.get(dimension, frozenset()) | {number}) in enough:
                    options.append(number)
            if not options:
                return False
            if fewest is None or len(options) < len(fewest):
                fewest = options
        for number in fewest or ():
            dimension = self._factors[number][0]
            more = {**chosen, dimension: chosen.get(dimension, frozenset()) | {number}}
            if self._search([other for other in remaining if number not in other], more, enough):
                return True
        return False


def _minimal(sets: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """Return the sets that have no other as a subset: who avoids those avoids all."""
    kept: list[frozenset[int]] = []
    for found in sorted(set(sets), key=lambda found: (len(found), sorted(found))):
        if len(kept) > MAX_CHOICES or not any(other <= found for other in kept):
            kept.append(found)
    return kept


def covered(
    outside: Outside, dimensions: Iterable[Dimension], others: Iterable[Iterable[Factor]], budget: Budget
) -> Answer:
    """Return whether the union of `others` covers a set.

    Args:
        outside: the set, as a function that says whether a dimension has a value outside of others.
        dimensions: the dimensions in which the set is not everything.
        others: each as the sets it is the product of.
        budget: of steps.

    Raises:
        OutOfStepsError: the budget is spent.
    """
    search = _Search(outside, others, budget)
    nonempty = [search.outside(dimension, frozenset()) for dimension in dimensions]
    if Answer.NO in nonempty:
        return Answer.YES
    if Answer.UNDECIDED not in nonempty and search.avoidable_at_once():
        return Answer.NO
    certain, possible = [], []
    for other in search.others:
        options = {number: search.avoidable(number) for number in sorted(other)}
        possible.append(frozenset(number for number, answer in options.items() if answer is not Answer.NO))
        certain.append(frozenset(number for number, answer in options.items() if answer is Answer.YES))
        if not possible[-1]:
            return Answer.YES
    if Answer.UNDECIDED not in nonempty and all(certain) and search.choose(certain, frozenset([Answer.YES])):
        return Answer.NO
    if search.choose(possible, frozenset([Answer.YES, Answer.UNDECIDED])):
        return Answer.UNDECIDED
    return Answer.YES


_KEY = "key:"


def condition_factors(condition: Condition) -> list[Factor]:
    """Return the sets of values of each key that a condition is the product of."""
    return [(_KEY + test.key, test) for test in sorted(condition, key=Comparison.sort_key)]


def outside_condition(condition: Condition, dimension: Dimension, sets: Iterable[ValueSet]) -> tuple[Answer, int]:
    """Return whether a key has a value for which a condition holds and each of `sets` does not."""
    key = dimension.removeprefix(_KEY)
    wanted = [(test, True) for test in condition if test.key == key]
    wanted += [(test, False) for test in sets if isinstance(test, Comparison)]
    return key_values.exists(tuple(sorted(set(wanted), key=lambda one: (one[0].sort_key(), one[1]))))
