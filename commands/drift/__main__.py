"""`python -m commands.drift [STACK…]`: see docs/drift.md."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.drift.report import Reading

PLAN = "drift.plan"


class _CannotRunError(Exception):
    """Nothing can be read at all; says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, 1 if something drifted, 2 if a stack could not be read."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except _CannotRunError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drift",
        description="Say what others changed in the roles since the last apply, who is affected, and what apply would"
        " do. Reads only, takes no lock.",
        epilog="exit status: 0 nothing drifted, 1 something did, 2 a stack could not be read",
    )
    parser.add_argument(
        "stacks", nargs="*", metavar="STACK", help="stacks, also as patterns like 'glue-sessions-dev-*'; otherwise all"
    )
    parser.add_argument("--format", choices=("terminal", "markdown", "json"), default="terminal")
    return parser


def _run(options: argparse.Namespace) -> int:
    from commands.drift.report import exit_status

    readings = _read(options.stacks)
    _show(readings, options.format)
    return exit_status(readings)


def _read(patterns: Sequence[str]) -> "list[Reading]":
    from commands import stacks
    from commands.drift import judgement
    from commands.drift.report import Reading
    from commands.review import plan
    from commands.stack_terraform import Terraform, TerraformError
    from commands.synthesis import SynthesisError, synthesize
    from commands.terraform import TerraformMissingError
    from configuration import ConfigurationError, configuration_path, load

    # apart from cdktf's: a plan that awaits its apply there stays what it was made from
    output = stacks.output_folder() / "drift"
    try:
        configuration = load(configuration_path(os.environ), os.environ)
        stacks.chosen(configuration.role_stacks, patterns)
        terraform = Terraform(stacks.settings_folder())
        synthesize(output)
        found = stacks.find(patterns, configuration, {"CDKTF_OUTDIR": str(output)})
    except (ConfigurationError, TerraformMissingError, SynthesisError, stacks.StacksError) as error:
        raise _CannotRunError(error) from None

    def judge(stack: stacks.Stack) -> judgement.Judgement:
        assert stack.settings
        saved = stack.folder / PLAN
        options = ("-lock=false", "-input=false", "-detailed-exitcode", "-json", f"-out={PLAN}")
        try:
            terraform.run(stack.folder, "plan", *options).or_raise()
            shown = terraform.run(stack.folder, "show", "-json", PLAN).or_raise()
        finally:
            saved.unlink(missing_ok=True)
        try:
            read = plan.parse(shown.stdout.encode(), stack.name)
        except plan.PlanError as error:
            raise TerraformError(str(error)) from None
        return judgement.judge(read, region=stack.settings.environment.region)

    outcomes = stacks.for_each(found, judge, step="stacks planned")
    outcomes.report_broken()
    judged = {stack.name: result for stack, result in outcomes.done}
    faults = {stack.name: error.lines for stack, error in outcomes.broken}
    return [
        Reading(
            stack.name,
            stack.settings.environment_name,
            stack.settings.role.name,
            judged.get(stack.name, judgement.Judgement()),
            faults.get(stack.name, ()),
        )
        for stack in found
        if stack.settings
    ]


def _show(readings: "Sequence[Reading]", format_: str) -> None:
    from commands.drift import report

    if format_ == "json":
        print(json.dumps(report.as_json(readings), indent=2))
    elif format_ == "markdown":
        from commands.drift.markdown import markdown

        print(markdown(readings), end="")
    else:
        from rich.console import Console

        from commands.drift.terminal import show

        show(readings, Console(highlight=False))


if __name__ == "__main__":
    sys.exit(main())
