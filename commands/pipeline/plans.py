"""Saved plans in a pipeline: shown as JSON, reviewed for the comment and again before an apply."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from plans.plan import Plan, PlanError
from plans.values import visible
from review import access_analyzer, waivers
from review.links import Links
from review.markdown import LIMIT, MARKER, markdown
from review.markdown_text import listed
from review.plan_files import read, review_files, review_plans, write_json
from review.waivers import WaiverError
from terraform_cli.stacks import PLAN, Stack
from terraform_cli.terraform import Terraform, TerraformError

SHOWN = "plan.json"
"""File name of a saved plan as JSON, in the stack's folder."""

REVIEW = "review.json"
"""File name of the whole review as JSON, in cdktf's output."""


_NAMED = 100
"""Most stacks that could not be planned and are named."""


def show(terraform: Terraform, stack: Stack) -> None:
    """Write a stack's saved plan as JSON next to it, for a review on a machine without Terraform.

    Raises:
        TerraformError: the plan is missing, or Terraform cannot show it.
    """
    if not (stack.folder / PLAN).is_file():
        raise TerraformError(f"there is no saved plan, run ./glue-sessions plan {stack.name} first")
    shown = terraform.run(stack.folder, "show", "-json", PLAN).or_raise()
    (stack.folder / SHOWN).write_text(shown.stdout, encoding="utf-8")


def keep_answers(stacks: Sequence[Stack]) -> Sequence[str]:
    """Ask Access Analyzer about the shown plans, and write its answers next to each; return why some are missing.

    Raises:
        PlanError: a plan cannot be read.
        OSError: the answers cannot be written.
    """
    from aws.access_analyzer import ask

    plans = [read(str(stack.folder / SHOWN), only_json=True) for stack in stacks]
    kept = access_analyzer.answers_to_keep(plans, ask)
    for stack, answers in zip(stacks, kept, strict=True):
        access_analyzer.write(answers, stack.folder / access_analyzer.FILE)
    return list(dict.fromkeys(visible(line) for answers in kept for line in answers.errors))


def review_comment(
    names: Sequence[str], folder: Path, *, waiver_file: Path = waivers.FILE, analyzed: bool = False
) -> tuple[int, str]:
    """Review all plans together; return the exit status of the review and the pull request's comment.

    Args:
        names: the stacks that the pipeline planned.
        folder: cdktf's output. A stack without a plan in it could not be planned, and the status is 2.
        waiver_file: the pull request's waivers. The comment names those that this folder's waiver file lacks.
        analyzed: whether the jobs that planned were to ask Access Analyzer.
    """
    files = {name: folder / "stacks" / name / SHOWN for name in names}
    missing = [name for name, file in files.items() if not file.is_file()]
    planned = [str(file) for name, file in files.items() if name not in missing]
    answers = {name: file.with_name(access_analyzer.FILE) for name, file in files.items() if name not in missing}
    analyzer = access_analyzer.kept_answers(answers) if analyzed else None
    status, text, notes = 0, f"{MARKER}\n### ❌ IAM review: nothing was planned\n", ""
    if missing:
        notes = f"\n**Could not be planned**, see the jobs' logs: {listed(missing, _NAMED)}\n"
    if planned:
        try:
            _check_no_others(folder / "stacks", names)
            review = review_files(planned, waiver_file=waiver_file, only_json=True, analyzer=analyzer)
            (folder / REVIEW).unlink(missing_ok=True)  # a job that ran other code may have put a link here
            write_json(review, folder / REVIEW)
            notes += _added_waivers(waiver_file)
            status = int(bool(review.failing))
            links = Links.of(os.environ)
            text = markdown(review, links, complete=not missing, limit=LIMIT - len(notes) - len("\n"))
        except (OSError, PlanError, WaiverError) as error:
            print(error, file=sys.stderr)
            status, text = 2, f"{MARKER}\n### ❌ IAM review: the plans cannot be reviewed, see the job's log\n"
    head, _, rest = text.partition("\n")
    return 2 if missing else status, f"{head}\n{notes}\n{rest}" if notes else text


def _check_no_others(folder: Path, names: Sequence[str]) -> None:
    """Raise PlanError if there are plans of other stacks: they would pass for reviewed once somebody adds those."""
    if others := sorted({each.parent.name for each in folder.glob(f"*/{SHOWN}")} - {*names}):
        raise PlanError(visible(f"{folder}: has plans of stacks that are not configured: {', '.join(others)}"))


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
