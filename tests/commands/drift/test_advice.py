"""What `drift` says to type next, for each thing that it reports (real: tests/e2e/test_drift_command.py)."""

import io
from typing import assert_never

import pytest
from rich.console import Console

from commands.drift.advice import Remedy, advice, remedies
from commands.page import show_advice
from iam.engine.difference import difference
from iam.engine.statements import Policy, trust_policy
from plans.roles import TRUST_POLICY, PolicyName
from review.drift.analysis import Analysis
from review.drift.entries import (
    Entry,
    FailedCheckMessage,
    GrantStays,
    PolicyNotCompared,
    StatementChange,
    TrustOfAnotherStack,
)
from review.drift.report import Reading
from tests.trust_policies import statement, trust


def trusting(*services: str) -> Policy:
    return trust_policy(trust(statement(*services)))


def changes(before: Policy, after: Policy, name: PolicyName = TRUST_POLICY) -> list[Entry]:
    compared = difference([before], [after])
    return [StatementChange(name, each, compared.spelling) for each in compared.changes]


SAGEMAKER, BOTH = trusting("sagemaker.amazonaws.com"), trusting("glue.amazonaws.com", "sagemaker.amazonaws.com")
ADDED, REMOVED = changes(SAGEMAKER, BOTH), changes(BOTH, SAGEMAKER)
ADDED_TO_A_POLICY = changes(SAGEMAKER, BOTH, PolicyName("inline", "p"))
CHECK: Entry = FailedCheckMessage("the role does not trust Glue")
OTHER: Entry = PolicyNotCompared(PolicyName("inline", "p"), "its document is not known")
EXTERNAL: Entry = TrustOfAnotherStack()
STAYS, MAY_STAY = GrantStays("p", certain=True), GrantStays("p", certain=False)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (Reading("a", "dev", "a"), []),
        (Reading("a", "dev", "a", Analysis(left_alone=ADDED)), []),
        (Reading("a", "dev", "a", errors=("no such role",)), [Remedy.CORRECT]),
        (Reading("a", "dev", "a", Analysis(drifted=REMOVED, apply=ADDED)), [Remedy.APPLY]),
        (Reading("a", "dev", "a", Analysis(drifted=ADDED_TO_A_POLICY)), [Remedy.APPLY]),
        (Reading("a", "dev", "a", Analysis(drifted=ADDED, apply=REMOVED)), [Remedy.KEEP_OR_APPLY]),
        (Reading("a", "dev", "a", Analysis(drifted=[CHECK], apply=[EXTERNAL])), [Remedy.OWNER]),
        (
            Reading("a", "dev", "a", Analysis(drifted=[CHECK, OTHER], apply=[EXTERNAL, OTHER])),
            [Remedy.OWNER, Remedy.APPLY],
        ),
        (Reading("a", "dev", "a", Analysis(not_applied=ADDED)), [Remedy.FIRST_APPLY]),
        (Reading("a", "dev", "a", Analysis(staying=[STAYS])), [Remedy.GRANTS_STAY]),
        (Reading("a", "dev", "a", Analysis(drifted=REMOVED, staying=[STAYS])), [Remedy.APPLY, Remedy.GRANTS_STAY]),
        (Reading("a", "dev", "a", Analysis(left_alone=[MAY_STAY])), [Remedy.VERIFY]),
    ],
)
def test_what_to_do_is_decided_on_what_drifted(reading: Reading, expected: list[Remedy]) -> None:
    assert remedies(reading) == expected


def reading_with(remedy: Remedy) -> Reading:
    """Return a stack named as the remedy, that has it."""
    name = remedy.name.lower()
    match remedy:
        case Remedy.CORRECT:
            return Reading(name, "dev", name, errors=("no such role",))
        case Remedy.KEEP_OR_APPLY:
            return Reading(name, "dev", name, Analysis(drifted=ADDED))
        case Remedy.APPLY:
            return Reading(name, "dev", name, Analysis(drifted=REMOVED))
        case Remedy.OWNER:
            return Reading(name, "dev", name, Analysis(drifted=[CHECK], apply=[EXTERNAL]))
        case Remedy.GRANTS_STAY:
            return Reading(name, "dev", name, Analysis(staying=[STAYS]))
        case Remedy.FIRST_APPLY:
            return Reading(name, "dev", name, Analysis(not_applied=REMOVED))
        case Remedy.VERIFY:
            return Reading(name, "dev", name, Analysis(left_alone=[MAY_STAY]))
        case _:
            assert_never(remedy)


def test_stacks_with_the_same_remedy_share_a_command_and_the_most_urgent_comes_first() -> None:
    readings = [*map(reading_with, reversed(Remedy)), Reading("b", "dev", "b", Analysis(not_applied=ADDED))]
    written = io.StringIO()
    show_advice(Console(file=written, width=40), advice(readings))
    commands = [line.strip() for line in written.getvalue().splitlines() if "./glue-sessions" in line]
    assert commands == [
        "./glue-sessions drift correct",
        "./glue-sessions apply keep_or_apply",
        "./glue-sessions apply apply",
        "./glue-sessions drift owner",
        "./glue-sessions apply grants_stay",
        "./glue-sessions apply first_apply b",
        "./glue-sessions verify verify",
    ]
    assert advice([Reading("a", "dev", "a")]) == []
