"""`python -m commands.review PLAN…`: see docs/review.md."""

import argparse
import gc
import json
import sys
from collections.abc import Sequence

from commands.command_line import exit_cleanly_on_interrupt
from plans.plan import PlanError
from review import report, waivers
from review.plan_files import review_files
from review.rules import SEVERITIES


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the plans named by the command line; return 0, 1 for a grave finding, 2 for wrong input."""
    options = _parser().parse_args(arguments)
    gc.disable()  # the command is short, makes no cycles to speak of, and is a third faster without
    try:
        review = review_files(
            options.plans, fail_on=None if options.fail_on == "never" else options.fail_on, accept=options.accept
        )
    except (PlanError, waivers.WaiverError) as error:
        for line in str(error).splitlines():
            print(line, file=sys.stderr)
        return 2
    _show(review, options.format)
    return 1 if review.failing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="review",
        description="Say what Terraform plans mean in IAM terms, and what is dangerous about them.",
        epilog="exit status: 0 no finding at or above --fail-on, 1 there is one, 2 wrong input",
    )
    parser.add_argument(
        "plans",
        nargs="+",
        metavar="PLAN",
        help="a saved plan, what `terraform show -json` says of one, or - for stdin",
    )
    parser.add_argument(
        "--format", choices=("terminal", "markdown", "json"), default="terminal", help="(default: terminal)"
    )
    parser.add_argument(
        "--fail-on",
        choices=(*SEVERITIES, "never"),
        default="high",
        metavar="SEVERITY",
        help="the least severity that fails the review: critical, high, medium, low or never (default: high)",
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="RULE=REASON",
        help=f"accept the findings of a rule on these plans for {waivers.DEFAULT_PERIOD.days} days: "
        f"kept in {waivers.FILE}, which belongs in the repository",
    )
    return parser


def _show(review: report.Review, format_: str) -> None:
    if format_ == "json":
        print(json.dumps(report.as_json(review)))
    elif format_ == "markdown":
        from review.markdown import markdown

        print(markdown(review), end="")
    else:
        from rich.console import Console

        from review.terminal import show

        show(review, Console(highlight=False))


if __name__ == "__main__":
    sys.exit(exit_cleanly_on_interrupt(main))
