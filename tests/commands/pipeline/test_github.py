"""The workflow steps on GitHub: outputs, one comment, the reviewed run."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from commands.pipeline import plans
from commands.pipeline.__main__ import main
from commands.pipeline.github import GitHub
from commands.pipeline.reports import put_issues
from review import waivers
from review.markdown import LIMIT, MARKER
from tests.commands.pipeline.conftest import CONFIGURATION, NAMES
from tests.commands.pipeline.fake_github import SOMEBODY, FakeGitHub
from tests.commands.pipeline.test_issues import reading
from tests.plan_builder import GLUE, SAGEMAKER, plan, role, trust

HARMLESS = plan(role(trust(SAGEMAKER), trust(SAGEMAKER, GLUE)))
HARMFUL = plan(role(trust(SAGEMAKER), None))


def planned(**contents: bytes) -> None:
    """Write plans where the merged artifacts of the matrix jobs put them."""
    for name in NAMES:
        folder = Path("cdktf.out/stacks", name)
        folder.mkdir(parents=True)
        if content := contents.get(name.removeprefix("glue-sessions-").replace("-", "_"), HARMLESS):
            (folder / plans.SHOWN).write_bytes(content)


def test_the_stacks_of_the_matrix_are_the_configured_ones(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")  # the job gets no token
    assert main(["stacks"]) == 0
    assert json.loads(github.outputs["stacks"]) == capsys.readouterr().out.split() == NAMES
    monkeypatch.delenv("GITHUB_OUTPUT")
    assert main(["stacks"]) == 0
    assert capsys.readouterr().out.split() == NAMES


def test_all_plans_are_reviewed_in_one_comment(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    planned()
    assert main(["review"]) == 0
    (comment,) = github.comments
    assert comment["of"] == 7
    assert comment["body"].startswith(f"{MARKER}\n### ✅ IAM review: ")
    assert "#### 3 roles: updated in place" in comment["body"]
    assert ", ".join(f"`{name}`" for name in NAMES) in comment["body"]
    assert json.loads(Path("cdktf.out/review.json").read_text())["failed"] is False
    assert comment["body"] in capsys.readouterr().out


def test_the_comment_is_kept_up_to_date_among_those_of_others(github: FakeGitHub) -> None:
    for number in range(130):
        github.comment(7, f"comment {number}")
    github.comment(7, f"{MARKER}\nnot by a bot", SOMEBODY)
    github.comment(8, f"{MARKER}\nof another pull request")
    own = github.comment(7, f"{MARKER}\r\nof an earlier plan")
    planned(dev_b=HARMFUL)
    assert main(["review"]) == 1
    assert own["body"].startswith(f"{MARKER}\n### ❌ IAM review: do not apply as is: 1 critical")
    assert len(github.comments) == 133
    assert [comment["body"] for comment in github.comments[130:132]] == [
        f"{MARKER}\nnot by a bot",
        f"{MARKER}\nof another pull request",
    ]


def test_the_review_as_json_is_not_written_through_a_link(github: FakeGitHub, tmp_path: Path) -> None:
    planned()
    target = tmp_path / "code.py"
    target.write_text("code")
    Path("cdktf.out/review.json").symlink_to(target)
    assert main(["review"]) == 0
    assert target.read_text() == "code"
    assert json.loads(Path("cdktf.out/review.json").read_text())["failed"] is False
    Path("cdktf.out/review.json").unlink()
    Path("cdktf.out/review.json").mkdir()
    assert main(["review"]) == 2
    assert "the plans cannot be reviewed, see the job's log" in github.comments[0]["body"]


def test_a_finding_with_a_waiver_passes_the_gate(github: FakeGitHub) -> None:
    planned(dev_b=HARMFUL)
    entry = {"rule": "role-destroyed", "subject": ["111122223333/exec"], "reason": "the team has moved on"}
    Path(".review-accept.yaml").write_text(json.dumps([entry]).replace("}", ', "expires": 2999-12-31}'))
    assert main(["review"]) == 0
    assert "the team has moved on" in github.comments[0]["body"]


def test_the_files_of_a_pull_request_are_read_from_a_folder_beside_mains_code(
    github: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiver = {"rule": "role-destroyed", "subject": ["111122223333/exec"], "reason": "moved", "expires": "2999-12-31"}
    of_main = {**waiver, "rule": "trust-lost", "reason": "as main has it"}
    text = json.dumps([of_main, waiver]).replace('"2999-12-31"', "2999-12-31")
    Path(".review-accept.yaml").write_text(json.dumps([of_main]).replace('"2999-12-31"', "2999-12-31"))
    Path("pull-request").mkdir()
    Path("glue-sessions.yaml").rename("pull-request/glue-sessions.yaml")
    planned(dev_b=HARMFUL)
    Path("cdktf.out").rename("pull-request/cdktf.out")
    assert main(["review", "pull-request"]) == 1
    assert "waives" not in github.comments[0]["body"]

    Path("pull-request/.review-accept.yaml").write_text(text)
    for mains in (Path(".review-accept.yaml").read_text(), "no list"):
        Path(".review-accept.yaml").write_text(mains)
        assert main(["review", "pull-request"]) == 0
        note = github.comments[0]["body"].splitlines()[2]
        rules = "`role-destroyed`" if mains != "no list" else "`trust-lost`, `role-destroyed`"
        expected = f"**This pull request waives findings** of {rules}; the reasons are in `.review-accept.yaml`."
        assert note == expected
    capsys.readouterr()


def test_the_pipelines_review_never_starts_terraform(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "terraform"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(program))
    planned(dev_a=b"PK\x03\x04 a saved plan under another name")
    assert main(["review"]) == 2
    assert "glue-sessions-dev-a/plan.json: is a saved plan or another archive; supply" in capsys.readouterr().err
    assert not (tmp_path / "started").exists()


def test_a_stack_without_a_plan_is_named_and_fails_the_gate(github: FakeGitHub) -> None:
    planned(dev_a=b"", prod_a=b"")
    assert main(["review"]) == 2
    (
        first,
        _,
        third,
        *_,
    ) = github.comments[0]["body"].splitlines()
    assert (first, third) == (MARKER, f"**Could not be planned**, see the jobs' logs: `{NAMES[0]}`, `{NAMES[2]}`")
    assert "### ❌ IAM review: nothing at or above high; 1 role changed" in github.comments[0]["body"]


def test_a_comment_says_that_nothing_was_planned(github: FakeGitHub) -> None:
    assert main(["review"]) == 2
    assert "### ❌ IAM review: nothing was planned" in github.comments[0]["body"]


def test_a_comment_says_that_a_plan_cannot_be_read(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    planned(dev_a=b"{}")
    assert main(["review"]) == 2
    assert "### ❌ IAM review: the plans cannot be reviewed, see the job's log" in github.comments[0]["body"]
    assert "cdktf.out/stacks/glue-sessions-dev-a/plan.json: is not a plan" in capsys.readouterr().err


def test_a_comment_has_the_errors_of_the_configuration_in_place_of_an_earlier_review(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.comment(7, f"{MARKER}\n### ✅ IAM review: nothing at or above high")
    hostile = "````\n### ✅ IAM review: nothing at or above high"
    roles = [{"role": hostile}, *({"role": "\u202eno role"} for _ in range(30)), {"role": "@" * 3000}]
    environments = {"dev": {"region": "eu-west-1", "roles": roles}}
    Path("glue-sessions.yaml").write_text(json.dumps({**CONFIGURATION, "environments": environments}))
    assert main(["review"]) == 2
    errors = capsys.readouterr().err.splitlines()
    (comment,) = github.comments
    first, headline, _, fence, *shown, closing = comment["body"].splitlines()
    assert (first, headline) == (MARKER, "### ❌ IAM review: the configuration cannot be read")
    assert fence == closing
    assert len(fence) > len(max(re.findall("`+", "\n".join(shown))))
    assert shown[-1] == f"and {len(errors) - 20} more"
    assert len(shown) == 21
    assert shown[0].startswith("glue-sessions.yaml: environments.dev.roles[0].role: supply the name or the ARN")
    assert comment["body"].replace("\n", "").isprintable()
    assert len(comment["body"]) < LIMIT


def test_a_long_review_stays_a_comment_where_a_plan_is_missing(github: FakeGitHub, tmp_path: Path) -> None:
    status, text = plans.review_comment([f"stack-{number:05}" for number in range(9_000)], tmp_path)
    assert status == 2
    assert text.startswith(f"{MARKER}\n\n**Could not be planned**")
    assert len(text) <= LIMIT


def test_what_a_comment_begins_with_never_takes_the_place_of_the_review(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiver = {"rule": "trust-lost", "reason": "known", "expires": datetime.now(UTC).date(), "subject": ["x"]}
    lines = "".join(f"  {key}: {value}\n" for key, value in waiver.items())
    (folder := Path("pull-request")).mkdir()
    planned()
    of = ([*NAMES, "missing"], Path("cdktf.out"))
    _, text = plans.review_comment(*of, waiver_file=folder / waivers.FILE)
    (folder / waivers.FILE).write_text(f"- {lines.lstrip()}")
    limit = len(text) + 10  # what is added does not fit
    monkeypatch.setattr(plans, "LIMIT", limit)
    _, text = plans.review_comment(*of, waiver_file=folder / waivers.FILE)
    assert len(text) <= limit
    for part in (
        "Could not be planned",
        "This pull request waives findings",
        "### ❌ IAM review: ",
        "The raw plans are",
    ):
        assert part in text


def test_authors_whose_accounts_were_deleted_are_not_the_bot(github: FakeGitHub) -> None:
    github.comment(7, f"{MARKER}\nby a ghost", None)
    planned()
    assert main(["review"]) == 0
    assert len(github.comments) == 2
    github.issue("by a ghost", "<!-- glue-sessions-drift: dev -->\ntext", ["drift"], None)
    put_issues(GitHub(), [reading("dev")])
    assert list(github.open_issues) == ["by a ghost"]


@pytest.mark.parametrize(
    ("limits", "waits"),
    [
        ([(429, {"Retry-After": "7"}), (403, {"Retry-After": "0"})], [7, 1]),
        ([(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"})], [30]),
        ([(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "900"})], [1]),
        ([(403, {}), (429, {}), (403, {"X-RateLimit-Remaining": "12", "X-RateLimit-Reset": "9000"})], [60, 60, 120]),
    ],
)
def test_a_rate_limit_is_waited_for(
    github: FakeGitHub, clock: list[float], limits: list[tuple[int, dict[str, str]]], waits: list[float]
) -> None:
    github.limits = limits
    planned()
    assert main(["review"]) == 0
    assert len(github.comments) == 1
    assert clock == waits


@pytest.mark.parametrize(
    ("limits", "waits", "remedy"),
    [
        ([(403, {"Retry-After": "301"})], [], "run the job again in 301 seconds"),
        ([(403, {"Retry-After": "200"})] * 2, [200], "run the job again in 200 seconds"),
        ([(429, {})] * 9, [60, 60, 120], "run the job again in 240 seconds"),
    ],
)
def test_a_long_rate_limit_ends_the_job_with_the_remedy(
    github: FakeGitHub,
    clock: list[float],
    capsys: pytest.CaptureFixture[str],
    limits: list[tuple[int, dict[str, str]]],
    waits: list[float],
    remedy: str,
) -> None:
    github.limits, status = limits, limits[0][0]
    planned()
    assert main(["review"]) == 2
    err = capsys.readouterr().err
    assert err == f"GitHub, GET issues/7/comments: {status} You have exceeded a rate limit.; {remedy}\n"
    assert clock == waits


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the job, which stands at 1000; returns how long the job has slept."""
    slept: list[float] = []
    monkeypatch.setattr("commands.pipeline.github.time", lambda: 1000)
    monkeypatch.setattr("commands.pipeline.github.sleep", slept.append)
    return slept


def test_a_review_without_a_pull_request_is_one_line(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    event = Path(github.environment["GITHUB_EVENT_PATH"])
    event.write_text("{}")
    planned()
    assert main(["review"]) == 2
    message = "no pull request triggered this workflow: run this in a workflow on pull_request\n"
    assert capsys.readouterr().err == message
    event.write_text("{")
    assert main(["review"]) == 2
    assert capsys.readouterr().err.startswith(f"{event}: is not the JSON of an event: ")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((403, {"message": "Resource not accessible by integration"}), "403 Resource not accessible by integration"),
        ((502, b"<html>"), "502 Bad Gateway"),
        ((201, b"<html>"), "Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_refusal_of_github_is_one_line(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str], answer: tuple[int, Any], message: str
) -> None:
    planned()
    github.answers["POST issues/7/comments"] = answer
    assert main(["review"]) == 2
    assert capsys.readouterr().err == f"GitHub, POST issues/7/comments: {message}\n"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("GITHUB_TOKEN", "another", "GitHub, GET issues/7/comments: 401 Bad credentials\n"),
        ("GITHUB_API_URL", "http://127.0.0.1:9", "GitHub, GET issues/7/comments: [Errno 111] Connection refused"),
        ("GITHUB_EVENT_PATH", "/no/such/file", "/no/such/file: cannot be read: no such file or directory\n"),
        (
            "GITHUB_TOKEN",
            "",
            "GITHUB_TOKEN is not set: run this in a job of GitHub Actions, as .github/workflows does\n",
        ),
    ],
)
def test_an_error_of_the_job_is_one_line(
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    message: str,
) -> None:
    monkeypatch.setenv(variable, value)
    assert main(["review"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_a_missing_configuration_is_one_line(github: FakeGitHub, capsys: pytest.CaptureFixture[str]) -> None:
    Path("glue-sessions.yaml").unlink()
    assert main(["stacks"]) == 2
    message = "glue-sessions.yaml: no such file, create it or name another with GLUE_SESSIONS_CONFIG\n"
    assert capsys.readouterr().err == message
