"""The run whose plans are applied after a merge, and the jobs that must not be run again."""

from typing import Any

import pytest

from commands.pipeline.__main__ import main
from tests.commands.pipeline.fake_github import FORK, MERGED_AT, FakeGitHub, merged_pull, plan_run, plans_artifact

MERGED = merged_pull("c0ffee")


def test_a_merged_pull_request_is_applied_from_its_newest_plan_run(github: FakeGitHub) -> None:
    github.pulls["c0ffee"] = [merged_pull("other", number=6), MERGED]
    earlier = [plan_run(1, conclusion="failure", run_attempt=None) for _ in range(120)]
    github.runs = [*earlier, plan_run(3), plan_run(2, "failure"), plan_run(9, head_sha="other")]
    github.runs += [plan_run(8, event="push"), plan_run(7, head_branch="another")]
    assert main(["reviewed-run"]) == 0
    assert github.outputs == {"run": "103", "artifact": "500"}


def test_a_run_of_a_fork_with_the_same_commit_and_branch_is_not_the_reviewed_one(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pulls["c0ffee"] = [MERGED]
    github.runs = [plan_run(5, head_repository=FORK), plan_run(6, head_repository=None)]
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == "pull request 7 has no plan of abc: plan again in another pull request\n"
    github.runs += [plan_run(4)]
    assert main(["reviewed-run"]) == 0
    assert github.outputs == {"run": "104", "artifact": "500"}


@pytest.mark.parametrize("repository", [FORK, None], ids=["fork", "deleted"])
def test_a_pull_request_of_a_fork_is_not_applied(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str], repository: dict[str, str] | None
) -> None:
    github.pulls["c0ffee"] = [merged_pull("c0ffee", head={"sha": "abc", "ref": "adopt", "repo": repository})]
    github.runs = [plan_run(1)]
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == (
        "pull request 7 came from a fork, which is not planned: open a pull request with the same changes from a"
        " branch of this repository\n"
    )


@pytest.mark.parametrize(
    "artifacts",
    [[plans_artifact(name="plan-a")], [plans_artifact(expired=True)]],
    ids=["deleted", "expired"],
)
def test_expired_plans_are_named_with_the_remedy(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str], artifacts: list[dict[str, Any]]
) -> None:
    github.pulls["c0ffee"], github.runs, github.artifacts = [MERGED], [plan_run(1)], artifacts
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == (
        "the plans of pull request 7 have expired or were deleted: https://github.example/runs/1: plan again in another"
        " pull request\n"
    )
    assert github.outputs == {}


def test_a_commit_without_a_pull_request_applies_nothing(github: FakeGitHub) -> None:
    github.pulls["c0ffee"] = [
        {**MERGED, "merge_commit_sha": None},
        {**MERGED, "merged_at": None},  # GitHub's test merge of an open one
        {**MERGED, "base": {"ref": "release"}},
    ]
    assert main(["reviewed-run"]) == 0
    assert github.outputs == {"run": "", "artifact": ""}


@pytest.mark.parametrize("made_again", [[], [plans_artifact()]], ids=["replaced", "besides"])
def test_plans_that_were_made_after_the_merge_are_not_the_reviewed_ones(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str], made_again: list[dict[str, Any]]
) -> None:
    github.pulls["c0ffee"], github.runs = [MERGED], [plan_run(1, run_attempt=2)]
    github.artifacts = [plans_artifact(id=501, created_at="2026-03-01T10:00:01Z"), *made_again]
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == (
        "the plans of pull request 7 were made after its merge, so nobody has reviewed them:"
        " https://github.example/runs/1: plan again in another pull request\n"
    )
    github.artifacts = [plans_artifact(), plans_artifact(id=502, created_at=MERGED_AT)]
    assert main(["reviewed-run"]) == 0
    assert github.outputs == {"run": "101", "artifact": "502"}


def test_a_commit_that_merged_several_pull_requests_is_not_applied(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pulls["c0ffee"], github.runs = [merged_pull("c0ffee", number=6), MERGED], [plan_run(1)]
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == (
        "several pull requests were merged by this commit (6, 7), and only one of them was reviewed: plan again in"
        " another pull request\n"
    )


def test_a_run_for_another_base_cannot_be_told_apart_and_is_not_applied(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.pulls["c0ffee"], github.runs = [MERGED], [plan_run(1), plan_run(2)]
    github.pulls["other"] = [
        merged_pull("other", number=8, base={"ref": "theirs"}, merged_at=None),
        merged_pull("other", "abd", number=9, base={"ref": "theirs"}),  # an earlier use of the branch
        merged_pull("other", number=10),
    ]
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == (
        "pull request 8 has the same commit as 7, and goes into theirs, so that their runs cannot be told apart: plan"
        " again in another pull request\n"
    )
    github.pulls["other"].pop(0)
    assert main(["reviewed-run"]) == 0


def test_a_job_of_an_earlier_commit_is_not_run_again(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    github.newest = "f00d"
    assert main(["repetition"]) == 0  # the first time, when another merge was faster
    monkeypatch.setenv("GITHUB_RUN_ATTEMPT", "2")
    assert main(["repetition"]) == 2
    assert capsys.readouterr().err == (
        "main has moved on to f00d since this run, which could undo what was merged there: for what is left to apply,"
        " plan again in another pull request\n"
    )
    github.newest = "c0ffee"
    assert main(["repetition"]) == 0


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([], "pull request 7 has no plan of abc: plan again in another pull request\n"),
        (
            [plan_run(1), plan_run(2, "failure")],
            "the plan of pull request 7 did not pass (failure): https://github.example/runs/2\n",
        ),
        ([plan_run(1, None)], "the plan of pull request 7 did not pass (in_progress): https://github.example/runs/1\n"),
    ],
)
def test_a_merge_without_a_passed_plan_is_refused(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str], runs: list[dict[str, Any]], message: str
) -> None:
    github.pulls["c0ffee"], github.runs = [MERGED], runs
    assert main(["reviewed-run"]) == 2
    assert capsys.readouterr().err == message
    assert github.outputs == {}
