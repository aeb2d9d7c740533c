"""Saved plans in a pipeline: shown as JSON, reviewed, looked up after the merge."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from commands.pipeline.github import GitHub, GitHubError
from plans.plan import Plan, PlanError
from plans.values import visible
from review import waivers
from review.links import Links
from review.markdown import LIMIT, MARKER, markdown
from review.plan_files import review_files, review_plans, write_json
from review.waivers import WaiverError
from terraform_cli.stacks import PLAN, Stack
from terraform_cli.terraform import Terraform, TerraformError

SHOWN = "plan.json"
"""File name of a saved plan as JSON, in the stack's folder."""

REVIEW = "review.json"
"""File name of the whole review as JSON, in cdktf's output."""

WORKFLOW = "plan.yaml"
"""The workflow that plans pull requests."""

ARTIFACT = "reviewed"
"""Name of the artifact with the reviewed plans."""


def show(terraform: Terraform, stack: Stack) -> None:
    """Write a stack's saved plan as JSON next to it, for a review on a machine without Terraform.

    Raises:
        TerraformError: the plan is missing, or Terraform cannot show it.
    """
    if not (stack.folder / PLAN).is_file():
        raise TerraformError(f"there is no saved plan, run ./glue-sessions plan {stack.name} first")
    shown = terraform.run(stack.folder, "show", "-json", PLAN).or_raise()
    (stack.folder / SHOWN).write_text(shown.stdout, encoding="utf-8")


def review_comment(names: Sequence[str], folder: Path, *, waiver_file: Path = waivers.FILE) -> tuple[int, str]:
    """Review all plans together; return the exit status of the review and the pull request's comment.

    Args:
        names: the stacks that the pipeline planned.
        folder: cdktf's output. A stack without a plan in it could not be planned, and the status is 2.
        waiver_file: the pull request's waivers. The comment names those that this folder's waiver file lacks.
    """
    files = {name: folder / "stacks" / name / SHOWN for name in names}
    missing = [name for name, file in files.items() if not file.is_file()]
    planned = [str(file) for name, file in files.items() if name not in missing]
    status, text, notes = 0, f"{MARKER}\n### ❌ IAM review: nothing was planned\n", ""
    if planned:
        try:
            review = review_files(planned, waiver_file=waiver_file, only_json=True)
            (folder / REVIEW).unlink(missing_ok=True)  # a job that ran other code may have put a link here
            write_json(review, folder / REVIEW)
            status, text = int(bool(review.failing)), markdown(review, Links.of(os.environ), complete=not missing)
            notes += _added_waivers(waiver_file)
        except (OSError, PlanError, WaiverError) as error:
            print(error, file=sys.stderr)
            status, text = 2, f"{MARKER}\n### ❌ IAM review: the plans cannot be reviewed, see the job's log\n"
    if missing:
        status, notes = 2, f"\n**Could not be planned**, see the jobs' logs: {', '.join(missing)}\n{notes}"
    if not notes:
        return status, text
    head, _, rest = text.partition("\n")
    return status, f"{head}\n{notes}\n{rest}" if len(text) + len(notes) < LIMIT else f"{head}\n{notes[: LIMIT // 2]}"


def _added_waivers(file: Path) -> str:
    """Return a note about the waivers that the waiver file of this folder lacks. Raises WaiverError."""
    try:
        present = waivers.read()
    except WaiverError:
        present = []
    if not (added := [waiver.rule for waiver in waivers.read(file) if waiver not in present]):
        return ""
    rules = ", ".join(f"`{rule}`" for rule in dict.fromkeys(added))
    return f"\n**This pull request waives findings** of {rules}; the reasons are in `{waivers.FILE}`.\n"


def objections(plan: Plan) -> Iterator[str]:
    """Yield a line for each finding that fails the review of a plan, with this folder's waivers. Raises WaiverError."""
    failing = review_plans([plan]).failing
    yield from (visible(f"the review fails: {finding.rule}: {finding.reason}") for finding in failing)
    if failing:
        yield f"{waivers.FILE} has no waiver in force for these findings: add it in another pull request"


def reviewed_run(github: GitHub) -> int | None:
    """Return the id of the run that planned the pull request whose merge created this commit.

    A run is the pull request's if it is of the same commit, branch and repository: GitHub's `pull_requests` of a run
    lists the open ones only, so that the merged one is missing there.

    Returns:
        None if no pull request created the commit.

    Raises:
        GitHubError: the pull request was merged without a plan that passed the gate, or its plans have expired.
    """
    commit, repository = github.variable("GITHUB_SHA"), github.variable("GITHUB_REPOSITORY")
    merged = [each for each in github.pages(f"commits/{commit}/pulls") if each["merge_commit_sha"] == commit]
    if not merged:
        return None
    number, head = merged[0]["number"], merged[0]["head"]
    if not _is(head["repo"], repository):
        raise GitHubError(
            f"pull request {number} came from a fork, which is not planned: open a pull request with the same changes"
            " from a branch of this repository"
        )
    query = {"head_sha": head["sha"], "branch": head["ref"], "event": "pull_request"}
    runs = [
        run
        for run in github.pages(f"actions/workflows/{WORKFLOW}/runs", key="workflow_runs", **query)
        if _is(run["head_repository"], repository) and run["head_branch"] == head["ref"]
    ]
    if not runs:
        raise GitHubError(f"pull request {number} has no plan of {head['sha']}: plan again in another pull request")
    newest = max(runs, key=lambda run: (run["run_number"], run.get("run_attempt") or 1))
    if newest["conclusion"] != "success":
        conclusion = newest["conclusion"] or newest["status"]
        raise GitHubError(f"the plan of pull request {number} did not pass ({conclusion}): {newest['html_url']}")
    artifacts = github.pages(f"actions/runs/{newest['id']}/artifacts", key="artifacts")
    if all(artifact["expired"] for artifact in artifacts if artifact["name"] == ARTIFACT):
        raise GitHubError(
            f"the plans of pull request {number} have expired or were deleted: {newest['html_url']}: plan again in"
            " another pull request"
        )
    return int(newest["id"])


def _is(found: Mapping[str, Any] | None, repository: str) -> bool:
    """Return whether this is the repository; GitHub has null in place of a deleted one."""
    return found is not None and str(found["full_name"]).casefold() == repository.casefold()
