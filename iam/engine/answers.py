"""Answers of three values (yes, no, undecided where neither is certain), and the work that may be spent on them.

A budget of work is counted in steps: a state of a pattern visited, a value tried, two statements compared. Steps, not
seconds, so that an answer is the same on every machine and in every run: a result from a cache costs the steps that
it took first.
"""

import enum
from collections.abc import Hashable, Iterable


class Answer(enum.Enum):
    """The answer to a question about policies; UNDECIDED where a certain one would take more than is modeled."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"

    def __invert__(self) -> "Answer":
        return _INVERTED[self]


_INVERTED = {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNDECIDED: Answer.UNDECIDED}


def answer(holds: bool | None) -> Answer:
    """Return the answer for a truth value; None is undecided."""
    if holds is None:
        return Answer.UNDECIDED
    return Answer.YES if holds else Answer.NO


def all_of(answers: Iterable[Answer]) -> Answer:
    """Return YES if all are, NO if one is."""
    whole = Answer.YES
    for each in answers:
        if each is Answer.NO:
            return Answer.NO
        if each is Answer.UNDECIDED:
            whole = Answer.UNDECIDED
    return whole


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return YES if one is, NO if all are."""
    return ~all_of(~each for each in answers)


COMPARISON_STEPS = 400_000
"""Steps of one comparison of policies: a few seconds of one processor."""

REVIEW_STEPS = 4_000_000
"""Steps of all comparisons of one review together: under a minute."""


class OutOfStepsError(Exception):
    """A budget is spent; whatever was not answered by then is undecided."""


class Budget:
    """Steps that may be spent, by one comparison or shared by many.

    >>> review = Budget(REVIEW_STEPS)
    >>> difference(before, after, budget=review.share())
    """

    def __init__(self, steps: int = COMPARISON_STEPS, shared: "Budget | None" = None) -> None:
        self.steps = steps
        self.spent = 0
        self._shared = shared
        self._results: set[Hashable] = set()
        """The results that were counted; a second comparison gets them from a cache."""

    def share(self, steps: int = COMPARISON_STEPS) -> "Budget":
        """Return the budget of one comparison, whose steps count here too, those of each result once."""
        return Budget(steps, self)

    @property
    def is_spent(self) -> bool:
        """Whether no step is left."""
        return self.spent >= self.steps or (self._shared is not None and self._shared.is_spent)

    def spend(self, steps: int = 1, result: Hashable = None) -> None:
        """Count steps, as `count` does.

        Raises:
            OutOfStepsError: none are left.
        """
        self.count(steps, result)
        if self.is_spent:
            raise OutOfStepsError

    def charge(self, result: tuple[Answer, int]) -> Answer:
        """Count the steps of an answer, and return it; errors as in `spend`."""
        found, steps = result
        self.spend(steps)
        return found

    def count(self, steps: int, result: Hashable = None) -> None:
        """Count steps, whether or not they are left.

        Args:
            steps: how many.
            result: identifies a result that other comparisons get from a cache.
        """
        self.spent += steps
        if self._shared is None:
            return
        if result is not None:
            if result in self._shared._results:
                return
            self._shared._results.add(result)
        self._shared.count(steps)
