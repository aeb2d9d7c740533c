"""`python -m commands.review PLAN…`: see docs/review.md."""

import argparse
import gc
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from commands.command_line import exit_cleanly_on_interrupt
from plans.plan import PlanError
from review import report, waivers
from review.links import Links
from review.plan_files import json_text, review_files, write_json
from review.rules import SEVERITIES


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the plans of the command line; return 0, 1 for a finding at or above --fail-on, 2 for wrong input."""
    options = _parser().parse_args(arguments)
    gc.disable()  # the process is short and creates hardly any cycles; it is a third faster without collection
    try:
        review = review_files(
            options.plans, fail_on=None if options.fail_on == "never" else options.fail_on, accept=options.accept
        )
    except (PlanError, waivers.WaiverError) as error:
        for line in str(error).splitlines():
            print(line, file=sys.stderr)
        return 2
    try:
        if options.json_file:
            write_json(review, options.json_file)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(f"--json-file {options.json_file}: cannot be written: {reason}", file=sys.stderr)
        return 2
    try:
        _show(review, options.format)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as head, has enough; Python flushes once more when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1 if review.failing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="review",
        description="Report what Terraform plans mean in IAM terms, and what is dangerous about them.",
        epilog="exit status: 0 no finding at or above --fail-on, 1 such a finding, 2 wrong input",
    )
    parser.add_argument(
        "plans",
        nargs="+",
        metavar="PLAN",
        help="a saved plan, the output of `terraform show -json PLAN`, or - for stdin",
    )
    parser.add_argument(
        "--format", choices=("terminal", "markdown", "json"), default="terminal", help="(default: terminal)"
    )
    parser.add_argument(
        "--json-file",
        type=Path,
        metavar="FILE",
        help="also write the whole review as JSON, for a pipeline to keep: the comment folds what is long",
    )
    parser.add_argument(
        "--fail-on",
        choices=(*SEVERITIES, "never"),
        default="high",
        metavar="SEVERITY",
        help="the lowest severity that fails the review: critical, high, medium, low or never (default: high)",
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="RULE=REASON",
        help=f"waive the findings of a rule on these plans for {waivers.DEFAULT_PERIOD.days} days: "
        f"recorded in {waivers.FILE}, which belongs in the repository",
    )
    return parser


def _show(review: report.Review, format_: str) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the encoding of a terminal may lack a character
    if format_ == "json":
        print(json_text(review))
    elif format_ == "markdown":
        from review.markdown import markdown

        print(markdown(review, Links.of(os.environ)), end="")
    else:
        from rich.console import Console

        from review.terminal import show

        class _Console(Console):
            def on_broken_pipe(self) -> None:
                """Leave the exit status to the review; rich exits with 1."""
                raise BrokenPipeError

        show(review, _Console(highlight=False))


if __name__ == "__main__":
    sys.exit(exit_cleanly_on_interrupt(main))
