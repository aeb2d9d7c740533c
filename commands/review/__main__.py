"""The command `review`: see docs/review.md."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from commands import command_line
from plans.plan import PlanError
from review import report, waivers
from review.access_analyzer import FILE, Analyzer, kept_answers
from review.links import Links
from review.plan_files import json_text, review_files, write_json
from review.rules import SEVERITIES


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the plans of the command line; return 0, 1 for a finding at or above --fail-on, 2 for wrong input."""
    options = command_line.parse(parser(), arguments)
    gc.disable()  # the process is short and creates hardly any cycles; it is a third faster without collection
    try:
        review = review_files(
            options.plans,
            fail_on=None if options.fail_on == "never" else options.fail_on,
            accept=options.accept,
            analyzer=_analyzer(options),
        )
    except (PlanError, waivers.WaiverError) as error:
        for line in str(error).splitlines():
            print(line, file=sys.stderr)
        return 2
    try:
        if options.json_file:
            write_json(review, Path(options.json_file))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(f"--json-file {options.json_file}: cannot be written: {reason}", file=sys.stderr)
        return 2
    _show(review, options.format)
    return 1 if review.failing else 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser(
        "review",
        "Report what Terraform plans mean in IAM terms, and what is dangerous about them.",
        "Exit status: 0 no finding at or above --fail-on; 1 such a finding; 2 wrong input.",
    )
    result.add_argument(
        "plans",
        nargs="+",
        type=command_line.typed_path,
        metavar="PLAN",
        help="a saved plan, the output of `terraform show -json PLAN`, or - for stdin",
    )
    command_line.add_format(result, markdown=True)
    result.add_argument(
        "--json-file",
        type=command_line.typed_path,
        metavar="FILE",
        help="also write the whole review as JSON, for a pipeline to keep: the comment folds what is long",
    )
    result.add_argument(
        "--fail-on",
        choices=(*SEVERITIES, "never"),
        default="high",
        metavar="SEVERITY",
        help="the lowest severity that fails the review: critical, high, medium, low or never (default: high)",
    )
    result.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="RULE=REASON",
        help=f"waive the findings of a rule on these plans for {waivers.DEFAULT_PERIOD.days} days: "
        f"recorded in {waivers.FILE}, which belongs in the repository",
    )
    analyzers = result.add_mutually_exclusive_group()
    analyzers.add_argument(
        "--access-analyzer",
        action="store_true",
        help="also ask IAM Access Analyzer, with your AWS credentials, about new and changed documents; "
        "AWS bills the comparisons of what could not be decided here",
    )
    analyzers.add_argument(
        "--kept-answers",
        action="store_true",
        help=f"also report the answers of IAM Access Analyzer in {FILE} next to each PLAN, "
        "which a pipeline's job has kept: they only add findings",
    )
    return result


def _analyzer(options: argparse.Namespace) -> Analyzer | None:
    if options.kept_answers:
        return kept_answers({plan: Path(plan).with_name(FILE) for plan in options.plans if plan != "-"})
    if not options.access_analyzer:
        return None
    from aws.access_analyzer import ask

    return Analyzer(ask, decides=True)


def _show(review: report.Review, format_: str) -> None:
    if format_ == "json":
        print(json_text(review))
    elif format_ == "markdown":
        from review.markdown import markdown

        print(markdown(review, Links.of(os.environ)), end="")
    else:
        from rich.console import Console

        from review.terminal import show

        show(review, Console(highlight=False))


if __name__ == "__main__":
    command_line.run(main)
