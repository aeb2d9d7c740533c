"""The command `apply`: plan, show the plan, and apply exactly it after an approval: see docs/plan.md."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from configuration import Configuration
    from terraform_cli.planning import Planned
    from terraform_cli.stacks import Outcomes, Stack
    from terraform_cli.terraform import Terraform

_DESCRIPTION = """\
Plan, show the plan and what it means in IAM terms, ask, and apply exactly that plan, as `plan` and `apply-plan` do.
Nothing is locked while it asks: it reads the role once more after your approval, and refuses if somebody has changed
the role's trust policy meanwhile. Your approval includes the checks that failed in the plan, which the question
counts."""

_EPILOG = """\
It asks on a terminal only; pipelines use `plan` and `apply-plan`. Ctrl-C at the question changes nothing and leaves no
lock. During the apply, Terraform finishes its current call, saves the state and releases the lock.

STACK may also be state-bucket or pipeline-access, the stacks beside those of roles.

Exit status: 0 applied, or nothing to apply; 1 not approved, or refused; 2 a plan could not be made or applied."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 for applied, 1 for refused or not approved, 2 for failed."""
    options = command_line.parse(parser(), arguments)
    # imported here to keep --help and argument errors fast
    from commands.planning import CANNOT_PLAN, plan
    from configuration import load_or_exit

    configuration = load_or_exit()
    if not sys.stdin.isatty():
        print("there is no terminal to approve on: use one, or `plan` and then `apply-plan`", file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    if not options.stacks and len(configuration.role_stacks) > 1:
        print(f"name STACK, there are several: {_names(configuration)}", file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    try:
        outcomes, terraform = plan(options.stacks, configuration, parallelism=options.parallelism)
    except CANNOT_PLAN as error:
        print(error, file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    if outcomes.failed:
        outcomes.report_failed()
        return command_line.EXIT_CANNOT_RUN
    return _apply(outcomes, terraform, options.parallelism)


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser("apply", _DESCRIPTION, _EPILOG)
    command_line.add_stacks(result)
    command_line.add_parallelism(result)
    return result


def _names(configuration: "Configuration") -> str:
    return ", ".join(stack.name for stack in configuration.role_stacks)


def _apply(outcomes: "Outcomes[Planned]", terraform: "Terraform", parallelism: int | None) -> int:
    from rich.console import Console

    from applying.apply import apply_plans, report
    from commands.plan_page import NOT_SHOWN, show_plan

    console = Console(highlight=False)
    changing: list[Stack] = []
    warnings = 0
    for stack, result in outcomes.done:
        if not result.has_changes:
            print(f"{stack.name}: nothing to apply, the plan has no changes")
            continue
        changing.append(stack)
        warnings += len(result.warnings)
        if len(outcomes.done) > 1:
            console.rule(stack.name, align="left", characters="=")
        try:
            show_plan(stack, terraform, console, warnings=result.warnings)
        except NOT_SHOWN as error:
            print(f"{stack.name}: {error}", file=sys.stderr)
            return command_line.EXIT_CANNOT_RUN
    if not changing:
        return 0
    if not _approved(changing, warnings):
        print("nothing was applied")
        return 1
    return report(apply_plans(changing, terraform, despite_failed_checks=True, parallelism=parallelism))


def _approved(stacks: "Sequence[Stack]", warnings: int) -> bool:
    """Ask whether to apply the plans of the stacks. Raises KeyboardInterrupt with its message."""
    what = stacks[0].name if len(stacks) == 1 else f"{len(stacks)} stacks"
    despite = ""
    if warnings:
        despite = f", although the plan warns ({warnings}, see above)"
    print(f'\nApply to {what}{despite}? Only "yes" applies it: ', end="", flush=True)
    try:
        return sys.stdin.readline().strip() == "yes"
    except KeyboardInterrupt:
        raise KeyboardInterrupt("\ninterrupted, nothing was applied") from None


if __name__ == "__main__":
    command_line.run(main)
