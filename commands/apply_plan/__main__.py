"""The command `apply-plan`: see docs/apply-plan.md."""

import argparse
import sys
from collections.abc import Sequence

from commands import command_line

_DESCRIPTION = """\
Apply exactly the plan that `plan` or `cdktf plan` has saved for a stack, after reading its role again: changes that
others have made to the role's trust policy since then are not overwritten.

It trusts the file: a saved plan does what it says, whatever code it seems to come from. Apply plans that you
have made yourself; in a pipeline, `python -m commands.pipeline apply` plans again and compares.

A plan is refused, and nothing is changed, if
  - the role's trust policy has changed since the plan was made; the difference is shown in IAM terms
  - a check in it failed, such as the one that lists statements about to be lost
  - it deletes or replaces a role
  - the state has changed since the plan was made
A refused or failed stack does not stop the others."""

_EPILOG = """\
The plans are CDKTF_OUTDIR/stacks/STACK/plan (CDKTF_OUTDIR: cdktf.out). To apply one on another machine, take
along manifest.json and, of each stack's folder, cdk.tf.json, plan and .terraform.lock.hcl.

Exit status: 0 applied, or nothing to apply; 1 a plan was refused; 2 a plan could not be applied: it is
missing, AWS or Terraform refused, no credentials."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 for applied, 1 for refused, 2 for failed."""
    options = command_line.parse(parser(), arguments, calls_aws=True)
    # imported here to keep --help and argument errors fast
    from applying.apply import apply_plans, report
    from terraform_cli import installation
    from terraform_cli.stacks import StacksError, find, settings_folder
    from terraform_cli.terraform import Terraform

    try:
        stacks = find(options.stacks)
        terraform = Terraform(settings_folder())
    except (StacksError, installation.TerraformMissingError) as error:
        print(error, file=sys.stderr)
        return command_line.EXIT_CANNOT_RUN
    return report(
        apply_plans(
            stacks,
            terraform,
            despite_failed_checks=options.despite_failed_checks,
            parallelism=options.parallelism,
        )
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser("apply-plan", _DESCRIPTION, _EPILOG)
    command_line.add_stacks(result, required=True)
    result.add_argument(
        "--despite-failed-checks",
        action="store_true",
        help="also apply plans with failed checks, and lose what those name",
    )
    command_line.add_parallelism(result)
    return result


if __name__ == "__main__":
    command_line.run(main)
