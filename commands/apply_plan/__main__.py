"""The command `apply-plan`: see docs/apply-plan.md."""

import argparse
import sys
from collections.abc import Sequence

from commands import command_line
from terraform_cli.interruption import told_in_one_line

_DESCRIPTION = """\
Apply exactly the plan that `cdktf plan` has saved for a stack, after reading its role once more: what
others have done to the role's trust policy since is not overwritten.

A plan is refused, and nothing changed, when
  - the role's trust policy is no longer the one the plan saw; the difference is told in IAM words
  - a check in it failed, such as the one that names statements about to be lost
  - it deletes or replaces a role
  - the state has been written since
A refused or broken stack stops no other."""

_EPILOG = """\
The plans are CDKTF_OUTDIR/stacks/STACK/plan (CDKTF_OUTDIR: cdktf.out). A pipeline that applies elsewhere
keeps manifest.json, and of each stack's folder cdk.tf.json, plan and .terraform.lock.hcl.

Exit status: 0 applied, or nothing to apply; 1 a plan was refused; 2 a plan could not be applied: there is
none, AWS or terraform said no, no credentials."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 for applied, 1 for refused, 2 for what could not be done."""
    options = _parser().parse_args(arguments)
    # imported here, so that --help and wrong arguments are answered at once
    from applying.apply import Applied, Refused, apply
    from applying.trust_check import LiveRoles
    from terraform_cli import installation
    from terraform_cli.stacks import Stack, StacksError, find, for_each, settings_folder
    from terraform_cli.terraform import Terraform

    try:
        stacks = find(options.stacks)
        runner = Terraform(settings_folder())
    except (StacksError, installation.TerraformMissingError) as error:
        print(error, file=sys.stderr)
        return 2
    live_roles = LiveRoles()

    def work(stack: Stack) -> Applied | Refused:
        return apply(
            stack,
            terraform=runner,
            live_roles=live_roles,
            despite_failed_checks=options.despite_failed_checks,
        )

    outcomes = for_each(stacks, work, step="plans applied", parallelism=options.parallelism)
    refused = []
    for stack, result in outcomes.done:
        if isinstance(result, Applied):
            print(f"{stack.name}: {result.said}")
        else:
            refused.append(stack)
            for reason in result.reasons:
                print(f"{stack.name}: refused: {reason}", file=sys.stderr)
    outcomes.report_broken()
    return 2 if outcomes.broken else 1 if refused else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="apply-plan",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command_line.add_stacks(parser, required=True)
    parser.add_argument(
        "--despite-failed-checks",
        action="store_true",
        help="apply also plans with failed checks: what they name is lost",
    )
    command_line.add_parallelism(parser)
    return parser


if __name__ == "__main__":
    sys.exit(told_in_one_line(main))
