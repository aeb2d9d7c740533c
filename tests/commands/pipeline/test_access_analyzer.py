"""`pipeline.access_analyzer`: the job that plans asks and keeps the answers, the review only adds findings by them."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from aws.access_analyzer import ask
from commands.pipeline.__main__ import main
from plans import plan as plans
from review import access_analyzer
from review.markdown import LIMIT
from tests.access_analyzer import FakeAccessAnalyzer, fake_access_analyzer, finding, in_environment
from tests.commands.pipeline.conftest import CONFIGURATION, NAMES
from tests.commands.pipeline.fake_github import FakeGitHub
from tests.plan_builder import plan, role_policy
from tests.review.test_access_analyzer import PASSING, STAYS, UNDECIDED

ON = {**CONFIGURATION, "pipeline": {"github": {"repository": "acme/data"}, "access_analyzer": True}}
OTHER = plan(STAYS, role_policy(None, PASSING.replace("iam:PassRole", "s3:GetObject")))


@pytest.fixture
def running(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAccessAnalyzer]:
    """A job of a pull request that changes three stacks; the saved plans are shown by a shell script."""
    Path("glue-sessions.yaml").write_text(json.dumps(ON))
    Path(".terraform.lock.hcl").touch()
    Path("bin").mkdir()
    Path("bin/terraform").write_text('#!/bin/sh\ncat "${1#-chdir=}/shown.json" 2> /dev/null || cat shown.json\n')
    Path("bin/terraform").chmod(0o755)
    monkeypatch.setenv("PATH", f"{Path('bin').absolute()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("TERRAFORM_BINARY_NAME", raising=False)
    manifest: dict[str, Any] = {"stacks": {}}
    for name, content in zip(NAMES, (UNDECIDED, UNDECIDED, OTHER), strict=True):
        manifest["stacks"][name] = {"name": name, "workingDirectory": f"stacks/{name}"}
        folder = Path("cdktf.out/stacks", name)
        (folder / ".terraform").mkdir(parents=True)
        (folder / "plan").write_text("PK")
        (folder / "shown.json").write_bytes(content)
    Path("cdktf.out/manifest.json").write_text(json.dumps(manifest))
    with fake_access_analyzer() as running:
        in_environment(monkeypatch, running)
        yield running


def file(name: str) -> Path:
    return Path("cdktf.out/stacks", name, access_analyzer.FILE)


def comment(github: FakeGitHub) -> str:
    """Return the comment of the review, a job without AWS."""
    main(["review"])
    text: str = github.comments[0]["body"]
    return text


def rules() -> set[str]:
    return {each["rule"] for each in json.loads(Path("cdktf.out/review.json").read_text())["findings"]}


def test_the_job_that_plans_asks_and_the_review_reports(
    running: FakeAccessAnalyzer, github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    running.findings = lambda given: (
        [finding("SECURITY_WARNING", "SOME_CODE", "Statement", 0, "Action", details="Too much.")]
        if "data/" in given["policyDocument"]
        else []
    )
    running.result = lambda _: {"result": "FAIL", "reasons": [{"description": "New access."}]}
    assert main(["show", "*"]) == 0
    # both stacks of role a have the same documents
    assert running.operations == ["CheckNoNewAccess", "ValidatePolicy", "ValidatePolicy"]
    assert capsys.readouterr().out == ""
    running.calls.clear()
    assert main(["review"]) == 1
    text = github.comments[0]["body"]
    assert "inline policy inline: Too much. (`SOME_CODE`, `Statement[0].Action`)" in text
    assert "the job that planned, which ran the code of the pull request" in text
    assert {"access-analyzer-security-warning", "access-analyzer-new-access", "undecided"} <= rules()
    assert running.calls == []


def test_without_the_setting_nothing_is_asked_or_read(running: FakeAccessAnalyzer, github: FakeGitHub) -> None:
    running.findings = lambda _: [finding("ERROR", "SOME_CODE")]
    assert main(["show", "*"]) == 0
    for settings in (CONFIGURATION, {**CONFIGURATION, "pipeline": {"github": {"repository": "acme/data"}}}):
        Path("glue-sessions.yaml").write_text(json.dumps(settings))
        running.calls.clear()
        assert main(["show", "*"]) == 0
        assert running.calls == []
        assert "Access Analyzer" not in comment(github)


def test_without_an_identity_one_line_says_so_in_the_job_and_in_the_comment(
    running: FakeAccessAnalyzer,
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert main(["show", "*"]) == 0
    line = "Access Analyzer was not asked: no AWS credentials found, sign in or set AWS_PROFILE"
    assert capsys.readouterr().out == f"{line}\n"
    assert main(["review"]) == 0
    assert github.comments[0]["body"].count(line.replace("AWS_PROFILE", "`AWS_PROFILE`")) == 1


def test_a_plan_that_cannot_be_read_fails_the_step(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cdktf.out/stacks", NAMES[0], "shown.json").write_text("{}")
    assert main(["show", NAMES[0]]) == 2
    assert "plan.json: is not a plan; supply" in capsys.readouterr().err


class TestForgery:
    """Answers that the pull request's code wrote itself, in place of those of AWS."""

    def test_a_pass_that_nobody_gave_turns_no_finding_away(
        self, running: FakeAccessAnalyzer, github: FakeGitHub
    ) -> None:
        assert main(["show", "*"]) == 0
        comment(github)
        before = rules()
        running.result = lambda _: {"result": "PASS"}
        assert main(["show", "*"]) == 0
        comment(github)
        assert before - rules() == {"access-analyzer-new-access"}
        assert "undecided" in rules()

    def test_no_file_takes_away_what_another_one_has(self, running: FakeAccessAnalyzer, github: FakeGitHub) -> None:
        running.findings = lambda _: [finding("ERROR", "SOME_CODE")]
        assert main(["show", "*"]) == 0
        for name in NAMES[:2]:  # both have the same documents
            content = json.loads(file(name).read_text())
            emptied = {
                "validations": {key: [] for key in content["validations"]},
                "comparisons": {key: {"result": "PASS"} for key in content["comparisons"]},
                "errors": [],
            }
            file(name).write_text(json.dumps(emptied))
            comment(github)
            assert {"access-analyzer-error", "access-analyzer-new-access"} <= rules()
            file(name).write_text(json.dumps(content))

    def test_answers_about_another_document_are_none(self, running: FakeAccessAnalyzer, github: FakeGitHub) -> None:
        (answers,) = access_analyzer.answers_to_keep([plans.parse(OTHER, "dev")], ask)
        assert main(["show", "*"]) == 0
        for name in NAMES:
            access_analyzer.write(answers, file(name))
        assert "2 questions about these plans without an answer" in comment(github)

    def test_a_file_that_is_missing_is_named(self, running: FakeAccessAnalyzer, github: FakeGitHub) -> None:
        assert main(["show", "*"]) == 0
        file(NAMES[1]).unlink()
        why = "cannot be read: no such file or directory"
        assert f"Access Analyzer: the answers about `{NAMES[1]}` {why}" in comment(github)

    def test_text_is_neither_markup_nor_a_mention(self, running: FakeAccessAnalyzer, github: FakeGitHub) -> None:
        harm = (
            '</td> | x <img src="http://evil.example"> @acme/owners [a](http://b) ```\n\n### ✅ approved'
            "\u001b[2J\u202e\ud800 #7 </details> <a href='http://c'>"
        )
        link = "https://docs.aws.amazon.com/x) [y](http://z"
        running.findings = lambda _: [finding("ERROR", harm, harm, 0, details=harm, link=link)]
        assert main(["show", "*"]) == 0
        content = json.loads(file(NAMES[0]).read_text())
        file(NAMES[0]).write_text(json.dumps({**content, "errors": [harm] * 1_000}))
        text = comment(github)
        assert "access-analyzer-error" in rules()
        html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(text)
        assert html.count("Note: ") <= 12
        outside = re.sub(r"<(code|pre)[ >].*?</\1>", "", html, flags=re.DOTALL)
        assert not re.search(r"<img|<a |@acme|approved</h|\u001b|\u202e|evil", outside), outside
        assert outside.count("<details>") == outside.count("</details>")
        assert not re.search(r"<p>\|", html)

    def test_the_largest_answers_fit_into_a_comment_and_fail_it(
        self, running: FakeAccessAnalyzer, github: FakeGitHub
    ) -> None:
        assert main(["show", "*"]) == 0
        content = json.loads(file(NAMES[0]).read_text())
        many = [finding("ERROR", "CODE_" + "x" * 2_000, *["Statement"] * 100, details="y" * 5_000)] * 200
        content["validations"] = dict.fromkeys(content["validations"], many)
        file(NAMES[0]).write_text(json.dumps(content))
        assert main(["review"]) == 1
        assert len(github.comments[0]["body"]) <= LIMIT
        assert "undecided" in rules()
