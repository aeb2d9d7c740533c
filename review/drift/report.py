"""The drift of stacks, as values: one reading for each stack, and what they amount to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from iam.wording import counted
from review.drift.analysis import Analysis

State = Literal["drifted", "not read", "with grants left", "not applied", "as applied"]
STATES: tuple[State, ...] = ("drifted", "not read", "with grants left", "not applied", "as applied")
"""The most severe first."""


@dataclass(frozen=True)
class Reading:
    """One stack's drift, or why it could not be read.

    Attributes:
        stack: its name.
        environment: name of its environment in glue-sessions.yaml.
        role: name of its role.
        analysis: the drift that its plan shows.
        errors: why there is no plan, a line each.
    """

    stack: str
    environment: str
    role: str
    analysis: Analysis = field(default_factory=Analysis)
    errors: Sequence[str] = ()

    @property
    def state(self) -> State:
        """The most severe state that applies."""
        if self.errors:
            return "not read"
        if self.analysis.drifted:
            return "drifted"
        if self.analysis.staying:
            return "with grants left"
        return "not applied" if self.analysis.not_applied else "as applied"


def exit_status(readings: Sequence[Reading]) -> int:
    """Return 2 if a stack could not be read, 1 if one drifted or keeps grants that are not configured, otherwise 0."""
    states = {reading.state for reading in readings}
    return 2 if "not read" in states else int(bool(states & {"drifted", "with grants left"}))


def verdict(readings: Sequence[Reading]) -> str:
    """Return one line that counts the stacks in each state."""
    states = [reading.state for reading in readings]
    return ", ".join(f"{counted(states.count(state), 'stack')} {state}" for state in STATES if state in states)
