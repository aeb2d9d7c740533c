"""A plan as a page for people: Terraform's own page, its warnings, and the review in IAM terms under it."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from plans.plan import Plan, PlanError
from plans.values import visible
from review.plan_files import read, review_plans
from review.terminal import show
from review.waivers import WaiverError
from terraform_cli.stacks import PLAN, Stack
from terraform_cli.terraform import Terraform, TerraformError

NOT_SHOWN = (PlanError, WaiverError, TerraformError)
"""What `read_page` and `show_page` raise when a plan cannot be shown or reviewed."""


@dataclass(frozen=True)
class Page:
    """A saved plan: Terraform's own page, and its content."""

    text: str
    plan: Plan


def read_page(stack: Stack, terraform: Terraform, console: Console) -> Page:
    """Return the saved plan of a stack.

    Args:
        stack: its folder has the plan.
        terraform: runs in the folder.
        console: Terraform's page has colors where the console has.

    Raises:
        TerraformError: Terraform cannot show the plan.
        PlanError: the plan cannot be read.
    """
    plain = () if console.is_terminal and not console.no_color else ("-no-color",)
    with ThreadPoolExecutor() as pool:  # both start Terraform, and wait for it
        text = pool.submit(lambda: terraform.run(stack.folder, "show", *plain, PLAN).or_raise().stdout)
        plan = pool.submit(read, str(stack.folder / PLAN))
        return Page(text.result(), plan.result())


_COLOR = r"\x1b\[[0-9;]*m"
_BLANK = rf"(?:{_COLOR}|[ \t])*"
_BLANK_LINES_AT_THE_ENDS = re.compile(rf"\A(?:{_BLANK}\n)+|(?:\n{_BLANK})+\Z")


def _without_blank_ends(text: str) -> str:
    """Return Terraform's page without blank lines at its ends, which may have colors; the colors stay."""
    return _BLANK_LINES_AT_THE_ENDS.sub(lambda found: "".join(re.findall(_COLOR, found[0])), text)


def show_page(page: Page, console: Console, *, warnings: Sequence[str]) -> None:
    """Print a plan, with the warnings of the planning, which the saved plan does not contain.

    Raises:
        WaiverError: the waiver file is wrong.
    """
    console.file.write(_without_blank_ends(page.text) + "\n")
    for warning in warnings:
        console.print(Text.assemble(("Warning: ", "bold yellow"), visible(warning)), soft_wrap=not console.is_terminal)
    console.print()
    console.print(Rule("What this means in IAM", align="left", style="dim", characters="-"))
    show(review_plans([page.plan]), console)
