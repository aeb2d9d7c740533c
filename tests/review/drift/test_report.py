"""Drift as text and as JSON."""

import io
import json

import pytest
from rich.console import Console

from review.drift.analysis import Analysis
from review.drift.entries import FailedCheckMessage, GrantStays
from review.drift.renderers import as_json, markdown, show
from review.drift.report import Reading, exit_status, verdict
from review.markdown import LIMIT


def says(line: str) -> FailedCheckMessage:
    """Return an entry that is shown as it is."""
    return FailedCheckMessage(line)


CLEAN = Reading("a", "dev", "team-a")
LEFT_ALONE = Reading("b", "dev", "team-b", Analysis(left_alone=[says("gained: | @someone <b>")]))
WAITING = Reading("c", "dev", "team-c", Analysis(not_applied=[says("gained: x")]))
DRIFTED = Reading(
    "d",
    "prod",
    "team-d",
    Analysis(
        drifted=[says("lost: x")],
        affected=[says("y")],
        apply=[says("gained: x")],
    ),
)
NOT_READ = Reading("e", "prod", "team-e", errors=("no such role",))
STAYING = Reading("f", "dev", "team-f", Analysis(staying=[GrantStays("granted", certain=True)]))
ALL = [CLEAN, LEFT_ALONE, WAITING, DRIFTED, NOT_READ]


@pytest.mark.parametrize(
    ("readings", "status", "line"),
    [
        ([CLEAN, LEFT_ALONE], 0, "2 stacks as applied"),
        ([CLEAN, WAITING], 0, "1 stack not applied, 1 stack as applied"),
        ([CLEAN, STAYING], 1, "1 stack with grants left, 1 stack as applied"),
        ([CLEAN, DRIFTED], 1, "1 stack drifted, 1 stack as applied"),
        (ALL, 2, "1 stack drifted, 1 stack not read, 1 stack not applied, 2 stacks as applied"),
    ],
)
def test_the_exit_status_and_the_verdict(readings: list[Reading], status: int, line: str) -> None:
    assert (exit_status(readings), verdict(readings)) == (status, line)


def test_on_a_terminal_lines_stay_whole_and_stand_under_their_title() -> None:
    written = io.StringIO()
    show([WAITING, NOT_READ, DRIFTED], Console(file=written, width=20))
    assert written.getvalue().splitlines() == [
        "not applied  c",
        "  configured and not applied yet: what apply would do",
        "    gained: x",
        "not read  e",
        "  could not be read",
        "    no such role",
        "drifted  d",
        "  drifted",
        "    lost: x",
        "  who is affected",
        "    y",
        "  what apply would do about it",
        "    gained: x",
        "1 stack drifted, 1 stack not read, 1 stack not applied",
    ]


def test_in_markdown_the_most_severe_comes_first_and_nothing_is_markup() -> None:
    text = markdown(ALL)
    assert text.startswith(f"### ❌ Drift: {verdict(ALL)}\n\n#### `d`: drifted\n\nDrifted:\n\n- `lost: x`\n")
    assert [line for line in text.splitlines() if line.startswith("####")] == [
        "#### `d`: drifted",
        "#### `e`: not read",
        "#### `c`: not applied",
        "#### `a`: as applied",
        "#### `b`: as applied",
    ]
    assert "- `gained: \\| @someone <b>`" in text
    assert markdown([WAITING]).startswith("### ✅ Drift: 1 stack not applied\n")


def test_markdown_fits_an_issue_and_counts_the_rest() -> None:
    drift = Analysis(drifted=[says("lost: " + "x" * 600)])
    many = [Reading(f"stack-{n}", "dev", "x", drift) for n in range(200)]
    text = markdown(many)
    assert len(text) <= LIMIT
    shown = text.count("####")
    assert 0 < shown < 200
    assert text.endswith(f"_{200 - shown} more stacks folded: `drift` prints all._\n")


def test_as_json_every_stack_has_every_kind_of_line() -> None:
    document = json.loads(json.dumps(as_json([DRIFTED, NOT_READ])))
    assert document["schema_version"] == 1
    assert document["stacks"] == [
        {
            "name": "d",
            "environment": "prod",
            "role": "team-d",
            "state": "drifted",
            "drifted": ["lost: x"],
            "affected": ["y"],
            "apply": ["gained: x"],
            "left_alone": [],
            "not_applied": [],
            "staying": [],
            "faults": [],
        },
        {
            "name": "e",
            "environment": "prod",
            "role": "team-e",
            "state": "not read",
            "drifted": [],
            "affected": [],
            "apply": [],
            "left_alone": [],
            "not_applied": [],
            "staying": [],
            "faults": ["no such role"],
        },
    ]
