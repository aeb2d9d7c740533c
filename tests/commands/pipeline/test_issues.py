"""The drift issues: one for each environment."""

from typing import Any

from commands.pipeline.github import GitHub
from commands.pipeline.reports import put_issues
from review.drift.analysis import Analysis
from review.drift.entries import FailedCheckMessage
from review.drift.report import Reading
from tests.commands.pipeline.fake_github import SOMEBODY, FakeGitHub


def reading(environment: str, *drifted: str, **more: Any) -> Reading:
    analysis = Analysis(drifted=list(map(FailedCheckMessage, drifted)))
    return Reading(f"glue-sessions-{environment}-a", environment, "a", analysis, **more)


def test_an_environment_with_drift_gets_an_issue_which_is_closed_without_drift(github: FakeGitHub) -> None:
    put_issues(GitHub(), [reading("dev", "lost: x"), reading("prod"), reading("dev-eu", errors=["no such role"])])
    assert list(github.open_issues) == ["Drift: dev", "Drift: dev-eu"]
    text = github.open_issues["Drift: dev"]
    assert text.startswith("<!-- glue-sessions-drift: dev -->\n### ❌ Drift: 1 stack drifted\n")
    assert "lost: x" in text

    github.calls.clear()
    put_issues(GitHub(), [reading("dev", "lost: x"), reading("prod"), reading("dev-eu", errors=["no such role"])])
    assert github.calls == ["GET issues"]

    put_issues(GitHub(), [reading("dev", "lost: y"), reading("prod", "lost: z")])
    assert list(github.open_issues) == ["Drift: dev", "Drift: prod"]
    assert "lost: y" in github.open_issues["Drift: dev"]
    assert "lost: x" not in github.open_issues["Drift: dev"]
    (last,) = github.comments
    assert (last["of"], last["body"]) == (2, "No drift any more: the environment is no longer configured.")

    put_issues(GitHub(), [reading("dev"), reading("prod")])
    assert github.open_issues == {}
    assert github.issues[0]["state_reason"] == "completed"
    assert github.comments[1]["body"] == "No drift any more: 1 stack as applied."


def test_issues_of_others_are_left_alone(github: FakeGitHub) -> None:
    marked = "<!-- glue-sessions-drift: dev -->\ntext"
    github.issue("by somebody", marked, ["drift"], SOMEBODY)
    github.issue("without text", None, ["drift"])
    github.issue("of another bot", "text", ["drift"])
    github.issue("with another label", marked, ["bug"])
    github.issue("a pull request", marked, ["drift"])["pull_request"] = {}
    put_issues(GitHub(), [reading("dev")])
    assert len(github.open_issues) == 5
    put_issues(GitHub(), [reading("dev", "lost: x")])
    assert list(github.open_issues)[-1] == "Drift: dev"
