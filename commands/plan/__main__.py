"""The command `plan`: many stacks planned, each plan saved where `review` and `apply-plan` find it."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands import command_line
from terraform_cli.interruption import told_in_one_line

if TYPE_CHECKING:
    from terraform_cli.terraform import Done

_DESCRIPTION = """\
Synthesize, and plan many stacks at a time, a fleet's or a part of it: what cdktf plan does for one. A
broken stack stops no other, and is named at the end."""

_EPILOG = """\
The plans are CDKTF_OUTDIR/stacks/STACK/plan (CDKTF_OUTDIR: cdktf.out), where cdktf plan leaves them: see
what they mean with `review`, apply them with `apply-plan`.

Exit status: 0 planned; 2 a stack could not be planned, or nothing could be done at all."""


@dataclass(frozen=True)
class Planned:
    """What a plan says: how much it would change, and the checks that do not hold, a line each."""

    summary: str
    warnings: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if every stack is planned, otherwise 2."""
    options = _parser().parse_args(arguments)
    # imported here, so that --help and wrong arguments are answered at once
    from configuration import load_or_exit
    from terraform_cli import stacks
    from terraform_cli.installation import TerraformMissingError
    from terraform_cli.synthesis import SynthesisError, synthesized
    from terraform_cli.terraform import Terraform

    configuration = load_or_exit()
    try:
        terraform = Terraform(stacks.settings_folder())
        chosen = synthesized(options.stacks, configuration, stacks.output_folder())
    except (stacks.StacksError, TerraformMissingError, SynthesisError) as error:
        print(error, file=sys.stderr)
        return 2

    def plan(stack: stacks.Stack) -> Planned:
        (stack.folder / stacks.PLAN).unlink(missing_ok=True)  # no plan rather than one of another configuration
        return planned(terraform.run(stack.folder, "plan", "-json", "-input=false", f"-out={stacks.PLAN}").or_raise())

    outcomes = stacks.for_each(chosen, plan, step="stacks planned", parallelism=options.parallelism)
    for stack, result in outcomes.done:
        print(f"{stack.name}: {result.summary}")
        for warning in result.warnings:
            print(f"{stack.name}: warning: {warning}")
    outcomes.report_broken()
    return 2 if outcomes.broken else 0


def planned(done: "Done") -> Planned:
    """Read what `terraform plan -json` told."""
    from terraform_cli.terraform import condensed

    told = next((event["@message"] for event in done.events if event.get("type") == "change_summary"), "")
    counts = [f"{count} {what}" for count, what in re.findall(r"(\d+) (to \w+)", told) if count != "0"]
    warnings = [condensed(each["summary"], each.get("detail", "")) for each in done.diagnostics("warning")]
    return Planned(", ".join(counts) or "no changes", tuple(dict.fromkeys(warnings)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plan", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command_line.add_stacks(parser)
    command_line.add_parallelism(parser)
    return parser


if __name__ == "__main__":
    sys.exit(told_in_one_line(main))
