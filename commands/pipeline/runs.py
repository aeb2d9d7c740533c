"""The run that planned a merged pull request, and the runs that must not be repeated."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from commands.pipeline.github import GitHub, GitHubError
from plans.values import visible

WORKFLOW = "plan.yaml"
"""The workflow that plans pull requests."""

ARTIFACT = "reviewed"
"""Name of the artifact with the reviewed plans."""

_PLAN_AGAIN = "plan again in another pull request"


class ReviewedRun(NamedTuple):
    """The run that planned and reviewed a pull request."""

    run: int
    """Its id."""
    artifact: int
    """The id of its artifact with the reviewed plans; one that is uploaded later in its place has another."""


def reviewed_run(github: GitHub) -> ReviewedRun | None:
    """Return the run that planned the pull request whose merge created this commit.

    A run is the pull request's if it is of the same commit, branch and repository: GitHub's `pull_requests` of a run
    lists the open ones only, so that the merged one is missing there.

    Returns:
        None if no pull request created the commit.

    Raises:
        GitHubError: the pull request was merged without a plan that passed the gate, its plans were made again after
            the merge or have expired, or several pull requests created the commit.
    """
    commit, repository = github.variable("GITHUB_SHA"), github.variable("GITHUB_REPOSITORY")
    branch = github.variable("GITHUB_REF_NAME")
    merged = [
        each
        for each in github.pages(f"commits/{commit}/pulls")
        if each["merge_commit_sha"] == commit and each["merged_at"] and each["base"]["ref"] == branch
    ]
    if not merged:
        return None
    if len(merged) > 1:
        numbers = ", ".join(str(each["number"]) for each in merged)
        raise GitHubError(
            f"several pull requests were merged by this commit ({numbers}), and only one of them was reviewed:"
            f" {_PLAN_AGAIN}"
        )
    number, head = merged[0]["number"], merged[0]["head"]
    if not _is(head["repo"], repository):
        raise GitHubError(
            f"pull request {number} came from a fork, which is not planned: open a pull request with the same changes"
            " from a branch of this repository"
        )
    _check_bases(github, merged[0])
    query = {"head_sha": head["sha"], "branch": head["ref"], "event": "pull_request"}
    runs = [
        run
        for run in github.pages(f"actions/workflows/{WORKFLOW}/runs", key="workflow_runs", **query)
        if _is(run["head_repository"], repository) and run["head_branch"] == head["ref"]
    ]
    if not runs:
        raise GitHubError(f"pull request {number} has no plan of {head['sha']}: {_PLAN_AGAIN}")
    newest = max(runs, key=lambda run: (run["run_number"], run.get("run_attempt") or 1))
    if newest["conclusion"] != "success":
        conclusion = newest["conclusion"] or newest["status"]
        raise GitHubError(f"the plan of pull request {number} did not pass ({conclusion}): {newest['html_url']}")
    artifacts = github.pages(f"actions/runs/{newest['id']}/artifacts", key="artifacts")
    kept = [each for each in artifacts if each["name"] == ARTIFACT and not each["expired"]]
    if not kept:
        raise GitHubError(
            f"the plans of pull request {number} have expired or were deleted: {newest['html_url']}: {_PLAN_AGAIN}"
        )
    artifact = max(kept, key=lambda each: (each["created_at"], each["id"]))
    if artifact["created_at"] > merged[0]["merged_at"]:  # both are UTC, as in 2026-01-31T01:02:03Z
        raise GitHubError(
            f"the plans of pull request {number} were made after its merge, so nobody has reviewed them:"
            f" {newest['html_url']}: {_PLAN_AGAIN}"
        )
    return ReviewedRun(int(newest["id"]), int(artifact["id"]))


def _check_bases(github: GitHub, merged: Mapping[str, Any]) -> None:
    """Check that no pull request of the same branch and commit goes into another branch.

    GitHub takes the workflow of a pull request from its merge with its base, and a run does not name that base: a run
    by another branch's workflow would be taken for the reviewed one.

    Raises:
        GitHubError: there is such a pull request, open or closed.
    """
    head, base = merged["head"], merged["base"]["ref"]
    owner = head["repo"]["full_name"].partition("/")[0]
    for each in github.pages("pulls", state="all", head=f"{owner}:{head['ref']}"):
        if each["head"]["sha"] == head["sha"] and each["base"]["ref"] != base:
            raise GitHubError(
                f"pull request {each['number']} has the same commit as {merged['number']}, and goes into"
                f" {visible(each['base']['ref'])}, so that their runs cannot be told apart: {_PLAN_AGAIN}"
            )


def check_repetition(github: GitHub) -> None:
    """Check that a job which is run again is of the newest commit: an earlier one would undo what was merged since.

    The first run is not checked, since another merge may be faster than its jobs.

    Raises:
        GitHubError: the branch has moved on.
    """
    commit, branch = github.variable("GITHUB_SHA"), github.variable("GITHUB_REF_NAME")
    if github.variable("GITHUB_RUN_ATTEMPT") == "1":
        return
    newest = github.get(f"branches/{quote(branch)}")["commit"]["sha"]
    if newest != commit:
        raise GitHubError(
            f"{branch} has moved on to {newest} since this run, which could undo what was merged there: for what is"
            f" left to apply, {_PLAN_AGAIN}"
        )


def _is(found: Mapping[str, Any] | None, repository: str) -> bool:
    """Return whether this is the repository; GitHub has null in place of a deleted one."""
    return found is not None and str(found["full_name"]).casefold() == repository.casefold()
