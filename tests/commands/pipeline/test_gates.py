"""The two required checks in each situation of the table in docs/pipelines/trust.md, by the workflows' own scripts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.commands.pipeline.simulation import Run
from tests.commands.pipeline.workflows import read
from tests.repository import ROOT

WORKFLOWS = {name: read((ROOT / f".github/workflows/{name}.yaml").read_text()) for name in ("plan", "tests")}
PAGE = (ROOT / "docs/pipelines/trust.md").read_text(encoding="utf-8")

OWN = {"github.repository": "acme/glue-sessions", "github.event.pull_request.head.repo.full_name": "acme/glue-sessions"}
FORK = {**OWN, "github.event.pull_request.head.repo.full_name": "somebody/glue-sessions"}
ROLE = {"vars.AWS_PLAN_ROLE_ARN": "arn:aws:iam::111122223333:role/glue-sessions-plan"}
CODE = {"changes.configuration_only": "false"}
CONFIGURATION = {"changes.configuration_only": "true"}


@dataclass(frozen=True)
class Situation:
    """A pull request, and what the page says of its two checks."""

    plan: str
    tests: str
    contexts: Mapping[str, str] = field(default_factory=lambda: {**OWN, **ROLE})
    outcomes: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=lambda: CODE)
    cancelled: bool = False
    message: str = ""


SITUATIONS = {
    "all is well": Situation("passes", "passes"),
    "only the configuration changes": Situation(
        "passes", "passes", outputs=CONFIGURATION, message="Not tested: only the configuration changed"
    ),
    "`AWS_PLAN_ROLE_ARN` is not set": Situation("passes", "passes", OWN, message="Not planned: the variable"),
    "it comes from a fork": Situation("fails", "passes", FORK, message="push them to a branch of this repository"),
    "the configuration cannot be read": Situation(
        "fails",
        "passes",
        outcomes={"stacks": "failure", "review": "failure"},
        message="configuration could not be read",
    ),
    "a stack cannot be planned": Situation(
        "fails", "passes", outcomes={"plan": "failure", "review": "failure"}, message="A stack could not be planned"
    ),
    "a finding has no waiver": Situation(
        "fails", "passes", outcomes={"review": "failure"}, message="The review did not pass (failure). See the comment"
    ),
    "the review cannot run": Situation("fails", "passes", outcomes={"review": "cancelled"}, message="(cancelled)"),
    "a row of the tests fails": Situation("passes", "fails", outcomes={"tests": "failure"}, message="did not pass"),
    "its changes cannot be listed": Situation(
        "passes", "fails", outcomes={"changes": "failure"}, outputs={}, message="Not tested: the job changes ended"
    ),
    "a newer push cancels the run": Situation("fails", "fails", cancelled=True, message="(cancelled)"),
}


def run(workflow: str, situation: Situation) -> Run:
    outcomes = {job: each for job, each in situation.outcomes.items() if job in WORKFLOWS[workflow]["jobs"]}
    return Run(
        WORKFLOWS[workflow], situation.contexts, outcomes, situation.outputs, cancelled=situation.cancelled
    ).run()


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_gates_do_what_the_page_says(name: str) -> None:
    situation = SITUATIONS[name]
    plan, plan_output = run("plan", situation).gate()
    tests, tests_output = run("tests", situation).gate()
    assert (plan, tests) == (situation.plan == "fails", situation.tests == "fails")
    assert situation.message in plan_output + tests_output
    # one line for a failure, at most one for a success
    for status, output in ((plan, plan_output), (tests, tests_output)):
        assert output == "" or re.fullmatch(f"::{'error' if status else 'notice'}::.*\n", output)
        assert output or not status


def test_the_page_has_a_row_for_each_situation() -> None:
    cell = r"(passes|fails)\b[^|]*"
    words = {name: cells for name, *cells in re.findall(rf"^\| ([^|]+?) \| {cell} \| {cell} \|$", PAGE, re.MULTILINE)}
    assert words == {name: [situation.plan, situation.tests] for name, situation in SITUATIONS.items()}


def test_a_fork_is_refused_whether_or_not_it_gets_the_variables() -> None:
    for contexts in (FORK, {**FORK, **ROLE}):
        ended = run("plan", Situation("fails", "", contexts))
        assert (ended.results["stacks"], ended.gate()[0]) == ("skipped", 1)
    # GitHub no longer knows the fork
    assert run("plan", Situation("fails", "", {"github.repository": "acme/glue-sessions"})).gate()[0] == 1


@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
@pytest.mark.parametrize(
    ("workflow", "job"), [(w, job) for w in WORKFLOWS for job in WORKFLOWS[w]["jobs"] if job != "gate"]
)
def test_a_job_without_success_never_passes_its_gate(workflow: str, job: str, result: str) -> None:
    assert run(workflow, Situation("", "", outcomes={job: result})).gate()[0] == 1


def test_configuration_is_not_tested_only_where_the_rows_were_skipped_for_it() -> None:
    ended = run("tests", SITUATIONS["only the configuration changes"])
    assert ended.results == {"changes": "success", "tests": "skipped", "gate": "success"}
    ended.results["tests"] = "failure"
    assert ended.gate()[0] == 1


def test_the_review_names_stacks_that_could_not_be_planned() -> None:
    assert run("plan", SITUATIONS["a stack cannot be planned"]).results["review"] == "failure"
    assert run("plan", SITUATIONS["the configuration cannot be read"]).results["review"] == "failure"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("vars.A", True),
        ("vars.B", False),
        ("vars.A == 'a' && !vars.B", True),
        ("vars.A != 'a' || vars.B", False),
        ("!(vars.A == 'a')", False),
        ("${{ !cancelled() }}", True),
        ("failure()", False),
        ("always() && vars.B", False),
    ],
)
def test_conditions_are_evaluated_as_github_does(condition: str, holds: bool) -> None:
    workflow: Any = {"jobs": {"job": {"if": condition}}}
    assert Run(workflow, {"vars.A": "a"}).run().results["job"] == ("success" if holds else "skipped")
