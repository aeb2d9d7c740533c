"""What `drift` found, as values, and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from review.drift.analysis import Judgement
from review.report import counted

SCHEMA_VERSION = 1
"""Raised when a reader of the JSON written for the version before could misread it."""

State = Literal["drifted", "not read", "not applied", "as applied"]
STATES: tuple[State, ...] = ("drifted", "not read", "not applied", "as applied")
"""The gravest first."""

TITLES = {
    "drifted": "drifted",
    "affected": "who is affected",
    "apply": "what apply would do about it",
    "left_alone": "changed by others, and left alone by apply",
    "not_applied": "configured and not applied yet: what else apply would do",
    "faults": "could not be read",
}
"""What a stack's lines are about, in the order they are shown; all but the last are a judgement's."""


@dataclass(frozen=True)
class Reading:
    """One stack's drift, or why it could not be read.

    Attributes:
        stack: its name.
        environment: name of its environment in glue-sessions.yaml.
        role: name of its role.
        judgement: what its plan says.
        faults: why there is no plan, a line each.
    """

    stack: str
    environment: str
    role: str
    judgement: Judgement = field(default_factory=Judgement)
    faults: Sequence[str] = ()

    @property
    def state(self) -> State:
        """How it stands, in the gravest words that hold."""
        if self.faults:
            return "not read"
        if self.judgement.drifted:
            return "drifted"
        return "not applied" if self.judgement.not_applied else "as applied"

    @property
    def sections(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield what there is to say: what it is about, and a line each."""
        for name, title in TITLES.items():
            if lines := self.faults if name == "faults" else getattr(self.judgement, name):
                yield title, lines


def exit_status(readings: Sequence[Reading]) -> int:
    """Give 2 if a stack could not be read, 1 if one drifted, else 0."""
    states = {reading.state for reading in readings}
    return 2 if "not read" in states else int("drifted" in states)


def verdict(readings: Sequence[Reading]) -> str:
    """Say in one line how it stands."""
    found = [reading.state for reading in readings]
    return ", ".join(f"{counted(found.count(state), 'stack')} {state}" for state in STATES if state in found)


def as_json(readings: Sequence[Reading]) -> dict[str, Any]:
    """Give the form that docs/drift.md describes."""
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict(readings),
        "stacks": [
            {
                "name": reading.stack,
                "environment": reading.environment,
                "role": reading.role,
                "state": reading.state,
                **{name: list(getattr(reading.judgement, name)) for name in TITLES if name != "faults"},
                "faults": list(reading.faults),
            }
            for reading in readings
        ],
    }
