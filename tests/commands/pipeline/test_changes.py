"""Which changes need no tests, in a real git repository as the job of tests.yaml has it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.pipeline.changes import CONFIGURATION, is_configuration
from tests.repository import ROOT

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A clone of main with code and configuration; returns its `git`."""
    clone = tmp_path / "clone"
    clone.mkdir()

    def run(*arguments: str) -> str:
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@shop.example", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=clone, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch", "main")
    for name in ("main.py", "stacks/stack.py", "glue-sessions.yaml", "trust/team.json"):
        write(clone / name, f"{name} as it was, in so many words that git sees where it went\n")
    run("add", ".")
    run("commit", "--quiet", "--message", "main")
    return run


def write(file: Path, text: str = "changed\n") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def commit(git: Git, clone: Path, *names: str) -> None:
    for name in names:
        write(clone / name)
    git("add", ".")
    git("commit", "--quiet", "--message", "a change")


def merge(git: Git) -> None:
    """Check out what GitHub checks out for a pull request: its merge into main."""
    git("checkout", "--quiet", "--detach", "main")
    git("merge", "--quiet", "--no-ff", "--message", "Merge", "branch")


def decide(clone: Path, **environment: str) -> tuple[str, str]:
    """Run the step without any installed package; return its output `configuration_only` and what it prints."""
    output = clone.parent / "output"
    output.write_text("")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "commands.pipeline.changes"],
        cwd=clone,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "GITHUB_OUTPUT": str(output), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return output.read_text().removeprefix("configuration_only=").strip(), done.stdout


CHANGES = [
    (["glue-sessions.yaml"], "true"),
    (["glue-sessions-emea.yaml", "trust/a.json", "trust/deep/b.json", ".review-accept.yaml"], "true"),
    (['trust/"quoted" name\nof two lines.json'], "true"),
    (["glue-sessions.yaml", "main.py"], "false"),
    (["docs/glue-sessions.yaml"], "false"),
    (["glue-sessions/x.yaml"], "false"),
    (["glue-sessions.schema.json"], "false"),
    (["a/trust/b.json", "trusted.json"], "false"),
    (["docs/page.md"], "false"),
    ([".github/workflows/plan.yaml"], "false"),
    (['"trust/x.json'], "false"),
]


def test_a_pull_request_is_tested_unless_it_changes_only_the_configuration(git: Git, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    before = git("rev-parse", "HEAD")
    # main has moved since, in its code
    commit(git, clone, "stacks/of-main.py")
    for names, only in CHANGES:
        git("checkout", "--quiet", "-B", "branch", before)
        commit(git, clone, *names)
        merge(git)
        decided, printed = decide(clone, GITHUB_EVENT_NAME="pull_request", BEFORE=before)
        assert decided == only, names
        assert printed.startswith(
            "nothing is tested: only the config" if only == "true" else "everything is tested: these"
        )
        assert "of-main" not in printed


def test_code_that_is_moved_or_deleted_is_tested(git: Git, tmp_path: Path) -> None:
    for change in (("mv", "main.py", "trust/main.json"), ("rm", "--quiet", "stacks/stack.py")):
        git("checkout", "--quiet", "-B", "branch", "main")
        git(*change)
        git("commit", "--quiet", "--message", "a change")
        merge(git)
        assert decide(tmp_path / "clone", GITHUB_EVENT_NAME="pull_request")[0] == "false"


def test_a_pull_request_that_takes_back_what_main_got_meanwhile_is_tested(git: Git, tmp_path: Path) -> None:
    before = git("rev-parse", "HEAD")
    commit(git, tmp_path / "clone", "main.py")
    git("checkout", "--quiet", "-b", "branch")
    git("revert", "--no-edit", "HEAD")
    merge(git)
    assert git("diff", before, "HEAD") == ""
    assert decide(tmp_path / "clone", GITHUB_EVENT_NAME="pull_request")[0] == "false"


def test_a_push_is_compared_with_what_the_branch_had(git: Git, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    before = git("rev-parse", "HEAD")
    commit(git, clone, "main.py")
    code = git("rev-parse", "HEAD")
    commit(git, clone, "glue-sessions.yaml")
    assert decide(clone, GITHUB_EVENT_NAME="push", BEFORE=before)[0] == "false"
    assert decide(clone, GITHUB_EVENT_NAME="push", BEFORE=code)[0] == "true"


def test_without_a_commit_to_compare_with_everything_is_tested(git: Git, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    commit(git, clone, "glue-sessions.yaml")
    message = "everything is tested: there is nothing to compare with\n"
    for environment in (
        {"GITHUB_EVENT_NAME": "push", "BEFORE": "0" * 40},
        {"GITHUB_EVENT_NAME": "push", "BEFORE": git("rev-parse", "HEAD")},
        {"GITHUB_EVENT_NAME": "push"},
        {"GITHUB_EVENT_NAME": "pull_request"},  # not a merge
        {},
    ):
        assert decide(clone, **environment) == ("false", message)


def test_the_patterns_cover_the_files_that_exist() -> None:
    assert is_configuration("glue-sessions.yaml")
    assert [each for each in CONFIGURATION if each.endswith("/")] == ["trust/"]
