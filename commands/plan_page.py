"""A plan as a page for people: Terraform's own page, its warnings, and the review in IAM terms under it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from plans.plan import PlanError
from plans.values import visible
from review.plan_files import review_files
from review.terminal import show
from review.waivers import WaiverError
from terraform_cli.stacks import PLAN, Stack
from terraform_cli.terraform import Terraform, TerraformError

NOT_SHOWN = (PlanError, WaiverError, TerraformError)
"""What `show_plan` raises when a plan cannot be shown or reviewed."""


def show_plan(stack: Stack, terraform: Terraform, console: Console, *, warnings: Sequence[str]) -> None:
    """Print the saved plan of a stack.

    Args:
        stack: its folder has the plan.
        terraform: runs in the folder.
        console: Terraform's page has colors where the console has.
        warnings: those of the planning, which the saved plan does not contain.

    Raises:
        TerraformError: Terraform cannot show the plan.
        PlanError: the plan cannot be reviewed.
        WaiverError: the waiver file is wrong.
    """
    plain = () if console.is_terminal and not console.no_color else ("-no-color",)
    with ThreadPoolExecutor() as pool:  # both start Terraform, and wait for it
        page = pool.submit(lambda: terraform.run(stack.folder, "show", *plain, PLAN).or_raise().stdout)
        review = pool.submit(review_files, [str(stack.folder / PLAN)])
        console.file.write(page.result().strip("\n") + "\n")
        for warning in warnings:
            console.print(
                Text.assemble(("Warning: ", "bold yellow"), visible(warning)), soft_wrap=not console.is_terminal
            )
        console.print()
        console.print(Rule("What this means in IAM", align="left", style="dim", characters="-"))
        show(review.result(), console)
