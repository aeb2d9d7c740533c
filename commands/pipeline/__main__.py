"""The command `pipeline`: the steps of the workflows, see docs/pipelines/README.md."""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from commands import command_line
from commands.command_line import EXIT_CANNOT_RUN
from commands.pipeline.github import GitHub, GitHubError, set_output
from configuration import Configuration, ConfigurationError, configuration_path, is_within, load
from plans.plan import PlanError
from terraform_cli import installation, provider_lock, stacks
from terraform_cli.synthesis import SynthesisError, synthesized
from terraform_cli.terraform import Terraform, TerraformError

REVIEWED = Path("reviewed")
"""Folder of the reviewed plans in the apply job, with a folder for each stack."""

_CREDENTIAL = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|PRIVATE_KEY|ACCESS_KEY|API_?KEY|^ACTIONS_")
"""Part of the name of an environment variable that may hold one."""

_ERRORS = (
    ConfigurationError,
    GitHubError,
    PlanError,
    SynthesisError,
    TerraformError,
    installation.ProviderError,
    installation.TerraformMissingError,
    stacks.StacksError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; return 0, 1 if a gate refuses, 2 if the step fails."""
    options = command_line.parse(parser(), arguments)
    step: Callable[[Sequence[str]], int] = options.step
    try:
        return step(options.arguments)
    except _ERRORS as error:
        print(error, file=sys.stderr)
        return EXIT_CANNOT_RUN


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    result = command_line.parser(
        "pipeline",
        "The steps of the workflows, see docs/pipelines/README.md.",
        "Exit status: 0 done; 1 a gate refuses; 2 the step failed.",
    )
    commands = result.add_subparsers(required=True, metavar="STEP")
    for name, (step, argument) in STEPS.items():
        added = commands.add_parser(name, description=step.__doc__, help=(step.__doc__ or "").partition(";")[0])
        added.set_defaults(step=step, arguments=[])
        if argument:
            number = "?" if argument.startswith("[") else None
            added.add_argument("arguments", nargs=number, type=lambda text: [text], metavar=argument.strip("[]"))
    return result


def _stacks(_: Sequence[str]) -> int:
    """Print the names of all stacks, one per line; set them as the output `stacks`, in JSON."""
    names = [stack.name for stack in _configuration().role_stacks]
    print("\n".join(names))
    set_output("stacks", json.dumps(names))
    return 0


def _show(patterns: Sequence[str]) -> int:
    """Write plan.json next to a stack's saved plan; the output of `terraform show -json`.

    With the setting pipeline.access_analyzer, IAM Access Analyzer is asked about the plan, and its answers are kept
    next to it, for the review to report.
    """
    from commands.pipeline.plans import keep_answers, show

    configuration = _configuration()
    provider_lock.check(configuration.provider_lock)
    terraform = Terraform(stacks.settings_folder())
    chosen = stacks.find(patterns)
    for stack in chosen:
        show(terraform, stack)
    if configuration.pipeline and configuration.pipeline.access_analyzer:
        for line in keep_answers(chosen):
            print(line)
    return 0


def _review(folders: Sequence[str]) -> int:
    """Review the plans of all stacks in one comment on the pull request; 1 for a finding without a waiver.

    FOLDER holds the pull request's configuration, waivers and plans, if they are not in this one: its files are read,
    and nothing in it is run. Files that a link or a path leads to elsewhere are not read: the comment quotes them.
    """
    from commands.pipeline.plans import review_comment
    from commands.pipeline.reports import put_comment, unreadable
    from review import waivers

    github = GitHub()
    folder = Path(*folders)
    try:
        configuration = _configuration(folder if folders else None)
    except ConfigurationError as error:
        # a comment on an earlier commit must not stay
        put_comment(github, github.pull_request, unreadable(error))
        raise
    waiver_file = folder / waivers.FILE
    if folders and not is_within(waiver_file, folder):
        print(f"{waiver_file}: supply a file of the repository, this link leads out of it", file=sys.stderr)
        return EXIT_CANNOT_RUN
    names = [stack.name for stack in configuration.role_stacks]
    analyzed = bool(configuration.pipeline and configuration.pipeline.access_analyzer)
    output = folder / stacks.output_folder()
    status, text = review_comment(names, output, waiver_file=waiver_file, analyzed=analyzed)
    print(text)
    put_comment(github, github.pull_request, text)
    return status


def _reviewed_run(_: Sequence[str]) -> int:
    """Set the output `run` to the run that planned the merged pull request; empty if the commit has none.

    The output `artifact` is the id of its reviewed plans.
    """
    from commands.pipeline.runs import reviewed_run

    reviewed = reviewed_run(GitHub())
    if reviewed is None:
        print("no pull request created this commit: there is no reviewed plan, and nothing is applied")
    set_output("run", "" if reviewed is None else str(reviewed.run))
    set_output("artifact", "" if reviewed is None else str(reviewed.artifact))
    return 0


def _repetition(_: Sequence[str]) -> int:
    """Check that a job which is run again is of the branch's newest commit; another one could undo later merges."""
    from commands.pipeline.runs import check_repetition

    check_repetition(GitHub())
    return 0


def _apply(patterns: Sequence[str]) -> int:
    """Plan a stack from the checked-out code and apply it; 1 if that is not what reviewed/STACK/plan.json does.

    The plan is made again with the provider in .terraform.lock.hcl, which must be committed. It may do the rest of what
    was reviewed, after an apply that stopped halfway. A saved plan of another job is never applied. The plan is also
    reviewed again, with the checked-out waivers: a gate that somebody bypassed in the pull request applies nothing.
    """
    from applying.apply import report
    from applying.reviewed import apply_reviewed
    from commands.pipeline.plans import objections
    from review import waivers

    try:
        waivers.read()  # its errors concern no single stack
    except waivers.WaiverError as error:
        print(error, file=sys.stderr)
        return EXIT_CANNOT_RUN
    configuration = _configuration()
    provider_lock.check(configuration.provider_lock)
    terraform = Terraform(stacks.settings_folder(), locked=True)
    chosen = synthesized(patterns, configuration, stacks.output_folder())
    return report(apply_reviewed(chosen, terraform, REVIEWED, objections=objections))


def _drift_issues(_: Sequence[str]) -> int:
    """Check all stacks for drift and keep one issue per environment; 1 for drift."""
    from rich.console import Console

    from commands.pipeline.reports import put_issues
    from review.drift.planning import read
    from review.drift.renderers import show
    from review.drift.report import exit_status

    github = GitHub()
    readings = read([])
    show(readings, Console(highlight=False))
    put_issues(github, readings)
    return exit_status(readings)


def _provider_lock(versions: Sequence[str]) -> int:
    """Write .terraform.lock.hcl, the AWS provider of all stacks; the newest that they accept, or of VERSION."""
    configuration = _configuration()
    with tempfile.TemporaryDirectory() as folder:
        files = [stack.folder / "cdk.tf.json" for stack in synthesized([], configuration, Path(folder))]
        required = [json.loads(each.read_bytes())["terraform"]["required_providers"]["aws"] for each in files]
        accepted = versions or dict.fromkeys(each["version"] for each in required)
        providers = {"aws": {**required[0], "version": ", ".join(accepted)}}
        (locked := Path(folder, "lock")).mkdir()
        platforms = provider_lock.write(configuration.provider_lock, providers, locked)
    print(f"{configuration.provider_lock}: for {platforms}; commit the file")
    return 0


def _mirror_provider(versions: Sequence[str]) -> int:
    """Make Terraform use one version range of the AWS provider, like "~> 5.100"; for the tests."""
    installation.mirror_provider(versions[0])
    return 0


def _configuration(folder: Path | None = None) -> Configuration:
    """Return the configuration, or a pull request's in a folder, which must not lead out of it.

    Variables with the job's credentials are not set in it: names of stacks and error messages are published.
    """
    environment = {name: value for name, value in os.environ.items() if not _CREDENTIAL.search(name.upper())}
    return load((folder or Path()) / configuration_path(environment), environment, within=folder)


STEPS: dict[str, tuple[Callable[[Sequence[str]], int], str]] = {
    "stacks": (_stacks, ""),
    "show": (_show, "STACK"),
    "review": (_review, "[FOLDER]"),
    "reviewed-run": (_reviewed_run, ""),
    "repetition": (_repetition, ""),
    "apply": (_apply, "STACK"),
    "drift-issues": (_drift_issues, ""),
    "provider-lock": (_provider_lock, "[VERSION]"),
    "mirror-provider": (_mirror_provider, "VERSION"),
}
"""Each step's function, and the name of its argument, in brackets if it may be omitted."""


if __name__ == "__main__":
    command_line.run(main)
