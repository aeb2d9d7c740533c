"""The command `plan`: plan stacks, save each plan, and show the plan of one stack as a page: see docs/plan.md."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from terraform_cli.planning import Planned
    from terraform_cli.stacks import Outcomes
    from terraform_cli.terraform import Terraform

_DESCRIPTION = """\
Synthesize and plan. For one stack it prints Terraform's page, then what the plan means in IAM terms. For several
stacks, planned in parallel, it prints a line each; a stack that fails does not stop the others, and is named at the
end."""

_EPILOG = """\
The plans are CDKTF_OUTDIR/stacks/STACK/plan (CDKTF_OUTDIR: cdktf.out), where cdktf plan saves them: read them with
`review`, apply them with `apply-plan`.

STACK may also be state-bucket or pipeline-access, the stacks beside those of roles.

Exit status: 0 planned; 2 a stack could not be planned."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if every stack is planned, otherwise 2."""
    options = command_line.parse(parser(), arguments, calls_aws=True)
    # imported here to keep --help and argument errors fast
    from commands.planning import CANNOT_PLAN, plan
    from configuration import load_or_exit

    configuration = load_or_exit()
    try:
        outcomes, terraform = plan(options.stacks, configuration, parallelism=options.parallelism)
    except CANNOT_PLAN as error:
        print(error, file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    if options.format != "json" and len(outcomes.done) == 1 and not outcomes.failed:
        return _page(outcomes, terraform)
    outcomes = _warning_of_staying_grants(outcomes)
    if options.format == "json":
        print(json.dumps(to_json(outcomes), indent=2))
    else:
        for stack, result in outcomes.done:
            print(f"{stack.name}: {result.summary}")
            for warning in result.warnings:
                print(f"{stack.name}: warning: {warning}")
    outcomes.report_failed()
    return command_line.EXIT_CANNOT_RUN if outcomes.failed else 0


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser("plan", _DESCRIPTION, _EPILOG)
    command_line.add_stacks(result)
    command_line.add_parallelism(result)
    command_line.add_format(result)
    return result


def to_json(outcomes: "Outcomes[Planned]") -> list[dict[str, object]]:
    """Return the plans as JSON, see docs/plan.md."""
    result: list[dict[str, object]] = [
        {
            "stack": stack.name,
            "has_changes": plan.has_changes,
            "changes": {what.removeprefix("to "): number for what, number in plan.counts.items()},
            "warnings": plan.warnings,
        }
        for stack, plan in outcomes.done
    ]
    result += [{"stack": stack.name, "errors": error.lines} for stack, error in outcomes.failed]
    return result


def _warning_of_staying_grants(outcomes: "Outcomes[Planned]") -> "Outcomes[Planned]":
    """Return the plans; those of released roles with a warning if they leave grants, which the page has as a finding.

    A plan that cannot be read counts as failed.
    """
    from commands.page import command
    from plans.plan import PlanError
    from review.own.staying import staying_grants
    from review.plan_files import read
    from terraform_cli.stacks import PLAN, Outcomes
    from terraform_cli.terraform import TerraformError

    result: Outcomes[Planned] = Outcomes([], list(outcomes.failed))
    for stack, plan in outcomes.done:
        warnings = list(plan.warnings)
        if stack.settings and stack.settings.role.released:
            try:
                grants = staying_grants(read(str(stack.folder / PLAN))).certain
            except PlanError as error:
                result.failed.append((stack, TerraformError(str(error))))
                continue
            if grants:
                names = ", ".join(grant.policy_name for grant in grants)
                them = "it" if len(grants) == 1 else "them"
                warnings.append(
                    f"the role keeps {names}; to import {them}, and then delete {them}: {command('apply', stack.name)}"
                )
        result.done.append((stack, replace(plan, warnings=tuple(warnings))))
    return result


def _page(outcomes: "Outcomes[Planned]", terraform: "Terraform") -> int:
    from rich.console import Console

    from commands.page import command
    from commands.plan_page import NOT_SHOWN, read_page, show_page
    from iam.wording import counted
    from review.own.staying import staying_grants

    ((stack, result),) = outcomes.done
    console = Console(highlight=False)
    try:
        page = read_page(stack, terraform, console)
        show_page(page, console, warnings=result.warnings)
    except NOT_SHOWN as error:
        print(error, file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    if result.has_changes:
        print(f"\nTo apply exactly this plan: {command('apply-plan', stack.name)}")
    if staying := staying_grants(page.plan).certain:
        stays = f"{counted(len(staying), 'grant')} that {'stays' if len(staying) == 1 else 'stay'}"
        too = "To apply it, and then remove" if result.has_changes else "To remove"
        print(f"{too} {stays}, in two steps: {command('apply', stack.name)}")
    return 0


if __name__ == "__main__":
    command_line.run(main)
