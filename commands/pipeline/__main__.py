"""`python -m commands.pipeline STEP`: the steps of the workflows, see docs/pipelines/README.md."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence

from commands.pipeline.github import GitHub, GitHubError, set_output
from configuration import Configuration, ConfigurationError, configuration_path, load
from terraform_cli import stacks
from terraform_cli.installation import TerraformMissingError
from terraform_cli.interruption import told_in_one_line
from terraform_cli.synthesis import SynthesisError
from terraform_cli.terraform import Terraform, TerraformError

_FAULTS = (
    ConfigurationError,
    GitHubError,
    SynthesisError,
    TerraformError,
    TerraformMissingError,
    stacks.StacksError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one step; return 0, 1 where a gate refuses, 2 where the step cannot be done."""
    options = _parser().parse_args(arguments)
    step: Callable[[Sequence[str]], int] = options.step
    try:
        return step(options.arguments)
    except _FAULTS as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pipeline",
        description="The steps of the workflows, see docs/pipelines/README.md.",
        epilog="exit status: 0 done, 1 a gate refuses, 2 it could not be done",
    )
    commands = parser.add_subparsers(required=True, metavar="STEP")
    for name, (step, argument) in STEPS.items():
        added = commands.add_parser(name, description=step.__doc__, help=(step.__doc__ or "").partition(";")[0])
        added.set_defaults(step=step, arguments=[])
        if argument:
            added.add_argument("arguments", nargs=1, metavar=argument)
    return parser


def _stacks(_: Sequence[str]) -> int:
    """Print the names of all stacks, a line each; as JSON they are the output `stacks`."""
    names = [stack.name for stack in _configuration().role_stacks]
    print("\n".join(names))
    set_output("stacks", json.dumps(names))
    return 0


def _show(patterns: Sequence[str]) -> int:
    """Write plan.json beside a stack's saved plan; what `terraform show -json` says of it."""
    from commands.pipeline.plans import show

    terraform = Terraform(stacks.settings_folder())
    for stack in stacks.find(patterns):
        show(terraform, stack)
    return 0


def _review(_: Sequence[str]) -> int:
    """Review the plans of all stacks in one comment of the pull request; 1 for a finding that is not accepted."""
    from commands.pipeline.comment import put_comment
    from commands.pipeline.plans import reviewed

    github = GitHub()
    status, text = reviewed([stack.name for stack in _configuration().role_stacks], stacks.output_folder())
    print(text)
    put_comment(github, int(github.event["pull_request"]["number"]), text)
    return status


def _reviewed_run(_: Sequence[str]) -> int:
    """Set the output `run` to the run that planned what was merged; empty where no pull request was merged."""
    from commands.pipeline.reviewed_run import reviewed_run

    run = reviewed_run(GitHub())
    if run is None:
        print("this commit is no merge of a pull request: there is no reviewed plan, and nothing is applied")
    set_output("run", "" if run is None else str(run))
    return 0


def _apply(patterns: Sequence[str]) -> int:
    """Apply the saved plan of a stack, if it was made of what was merged; 1 for what is refused."""
    from commands.apply_plan.__main__ import main as apply_plan
    from commands.pipeline.plans import not_as_planned

    others = not_as_planned(stacks.find(patterns))
    for name in others:
        why = "it was planned from another configuration than was merged, plan again in another pull request"
        print(f"{name}: refused: {why}", file=sys.stderr)
    # what the plan's checks say was before the reviewers, and what is lost by it before the gate
    return 1 if others else apply_plan([*patterns, "--despite-failed-checks"])


def _drift_issues(_: Sequence[str]) -> int:
    """Read the drift of all stacks, and keep an issue for each environment; 1 for drift."""
    from rich.console import Console

    from commands.pipeline.drift_issues import put_issues
    from review.drift.planning import read
    from review.drift.renderers import show
    from review.drift.report import exit_status

    github = GitHub()
    readings = read([])
    show(readings, Console(highlight=False))
    put_issues(github, readings)
    return exit_status(readings)


def _mirror_provider(versions: Sequence[str]) -> int:
    """Have terraform take one range of versions of the AWS provider, like "~> 5.100"; for the tests."""
    from commands.pipeline.mirror import mirror_provider

    mirror_provider(versions[0])
    return 0


def _configuration() -> Configuration:
    return load(configuration_path(os.environ), os.environ)


STEPS: dict[str, tuple[Callable[[Sequence[str]], int], str]] = {
    "stacks": (_stacks, ""),
    "show": (_show, "STACK"),
    "review": (_review, ""),
    "reviewed-run": (_reviewed_run, ""),
    "apply": (_apply, "STACK"),
    "drift-issues": (_drift_issues, ""),
    "mirror-provider": (_mirror_provider, "VERSION"),
}
"""Each step with what it does, and the name of its argument."""


if __name__ == "__main__":
    sys.exit(told_in_one_line(main))
