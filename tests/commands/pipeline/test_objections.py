"""The apply reviews its own plan once more, with the merged waivers."""

from dataclasses import replace
from pathlib import Path

import pytest

from commands.pipeline.__main__ import main
from commands.pipeline.plans import objections
from plans.plan import parse
from tests.commands.pipeline.conftest import NAMES
from tests.commands.pipeline.fake_github import FakeGitHub
from tests.plan_builder import GLUE, SAGEMAKER, plan, role, trust


def test_a_finding_without_a_waiver_is_an_objection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [*objections(parse(plan(role(trust(SAGEMAKER), trust(SAGEMAKER, GLUE))), NAMES[0]))] == []

    harmful = parse(plan(role(trust(SAGEMAKER), None)), NAMES[0])
    finding, remedy = objections(harmful)
    assert finding.startswith("the review fails: role-destroyed: ")
    assert remedy == ".review-accept.yaml has no waiver in force for these findings: add it in another pull request"

    waiver = "- {rule: role-destroyed, subject: [111122223333/exec], plan: %s, reason: moved, expires: 2999-12-31}\n"
    Path(".review-accept.yaml").write_text(waiver % NAMES[0])
    assert [*objections(harmful)] == []
    assert len([*objections(replace(harmful, name=NAMES[1]))]) == 2


def test_a_wrong_waiver_file_stops_the_apply_in_one_line(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".review-accept.yaml").write_text("- rule: [")
    assert main(["apply", NAMES[0]]) == 2
    err = capsys.readouterr().err
    assert err.startswith(".review-accept.yaml: is not YAML: ")
    assert err.count("\n") == 1
