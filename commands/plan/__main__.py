"""The command `plan`: plan many stacks and save each plan where `review` and `apply-plan` find it."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from terraform_cli.terraform import Done

_DESCRIPTION = """\
Synthesize and plan many stacks in parallel: what cdktf plan does for one. A stack that fails does not stop
the others, and is named at the end."""

_EPILOG = """\
The plans are CDKTF_OUTDIR/stacks/STACK/plan (CDKTF_OUTDIR: cdktf.out), where cdktf plan saves them: read
them with `review`, apply them with `apply-plan`.

Exit status: 0 planned; 2 a stack could not be planned."""


@dataclass(frozen=True)
class Planned:
    """A plan: the number of changes, and one line per failed check."""

    summary: str
    warnings: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if every stack is planned, otherwise 2."""
    options = command_line.parse(parser(), arguments)
    # imported here to keep --help and argument errors fast
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
        return command_line.EXIT_CANNOT_RUN

    def plan(stack: stacks.Stack) -> Planned:
        (stack.folder / stacks.PLAN).unlink(missing_ok=True)  # a failed plan must not leave an older one behind
        return planned(terraform.run(stack.folder, "plan", "-json", "-input=false", f"-out={stacks.PLAN}").or_raise())

    outcomes = stacks.for_each(chosen, plan, step="stacks planned", parallelism=options.parallelism)
    for stack, result in outcomes.done:
        print(f"{stack.name}: {result.summary}")
        for warning in result.warnings:
            print(f"{stack.name}: warning: {warning}")
    outcomes.report_failed()
    return command_line.EXIT_CANNOT_RUN if outcomes.failed else 0


def planned(done: "Done") -> Planned:
    """Return the result of `terraform plan -json`."""
    from terraform_cli.terraform import condensed

    summary = next((event["@message"] for event in done.events if event.get("type") == "change_summary"), "")
    counts = [f"{count} {what}" for count, what in re.findall(r"(\d+) (to \w+)", summary) if count != "0"]
    warnings = [condensed(each["summary"], each.get("detail", "")) for each in done.diagnostics("warning")]
    return Planned(", ".join(counts) or "no changes", tuple(dict.fromkeys(warnings)))


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser("plan", _DESCRIPTION, _EPILOG)
    command_line.add_stacks(result)
    command_line.add_parallelism(result)
    return result


if __name__ == "__main__":
    command_line.run(main)
