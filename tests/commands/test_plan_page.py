"""The page of a plan: nothing but one blank line is between Terraform's own page and what it means in IAM."""

import io

import pytest
from rich.console import Console

from commands.plan_page import Page, show_page
from plans import plan as plans
from tests.plan_builder import plan

HEADING = "What this means in IAM "
PAGES = {
    # as Terraform 1.11 prints them
    "with colors": (
        "\n\x1b[1mPlan:\x1b[0m 1 to add, 0 to change, 0 to destroy.\n\x1b[0m\n",
        "\x1b[1mPlan:\x1b[0m 1 to add, 0 to change, 0 to destroy.\x1b[0m",
    ),
    "a color of the first line": (
        "\n\x1b[0m\n\x1b[0m\x1b[1mNo changes.\x1b[0m\n\n\x1b[0mfound no differences.\n",
        "\x1b[0m\x1b[0m\x1b[1mNo changes.\x1b[0m\n\n\x1b[0mfound no differences.",
    ),
    "without colors": ("\n\n  + create\n\n\n  # two\n \n\n", "  + create\n\n\n  # two"),
    "empty": ("", ""),
}


@pytest.mark.parametrize(("text", "shown"), PAGES.values(), ids=PAGES)
def test_one_blank_line_is_before_the_review(text: str, shown: str) -> None:
    written = io.StringIO()
    show_page(Page(text, plans.parse(plan(), "dev")), Console(file=written, width=80), warnings=())
    before, heading, _ = written.getvalue().partition(HEADING)
    assert heading
    assert before == f"{shown}\n\n"


def test_warnings_stand_between_them() -> None:
    written = io.StringIO()
    page = Page("No changes.\n\x1b[0m\n", plans.parse(plan(), "dev"))
    show_page(page, Console(file=written, width=80), warnings=["Look here"])
    assert written.getvalue().startswith(f"No changes.\x1b[0m\nWarning: Look here\n\n{HEADING}")
