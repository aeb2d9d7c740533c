"""Planning stacks to read their drift, without locking and without leaving anything behind."""

import os
from collections.abc import Sequence

from configuration import ConfigurationError, configuration_path, load
from plans.plan import PlanError, parse
from review.drift.analysis import Analysis, analyze
from review.drift.report import Reading
from review.plan_failures import explained
from terraform_cli import stacks
from terraform_cli.installation import TerraformMissingError
from terraform_cli.synthesis import SynthesisError, synthesized
from terraform_cli.terraform import Terraform, TerraformError

CANNOT_READ = (ConfigurationError, SynthesisError, TerraformMissingError, stacks.StacksError)
"""What `read` raises when no stack can be read at all."""

_PLAN = "drift.plan"


def read(patterns: Sequence[str]) -> list[Reading]:
    """Return the drift of the stacks that match patterns, of all stacks without patterns.

    Stacks that cannot be read are also reported on stderr.

    Raises:
        ConfigurationError, SynthesisError, TerraformMissingError, StacksError: no stack can be read.
    """
    # not cdktf's folder: a saved plan that is about to be applied there keeps its files
    folder = stacks.output_folder() / "drift"
    configuration = load(configuration_path(os.environ), os.environ)
    terraform = Terraform(stacks.settings_folder())
    stacks.chosen(configuration.role_stacks, patterns)  # drift is about roles: no other app's stack
    selected = synthesized(patterns, configuration, folder)
    outcomes = explained(
        stacks.for_each(selected, lambda stack: _analysis(stack, terraform), step="stacks planned"), configuration
    )
    outcomes.report_failed()
    analyses = {stack.name: result for stack, result in outcomes.done}
    errors = {stack.name: error.lines for stack, error in outcomes.failed}
    return [
        Reading(
            stack.name,
            stack.settings.environment_name,
            stack.settings.role.name,
            analyses.get(stack.name, Analysis()),
            errors.get(stack.name, ()),
        )
        for stack in selected
        if stack.settings
    ]


def _analysis(stack: stacks.Stack, terraform: Terraform) -> Analysis:
    assert stack.settings
    options = ("-lock=false", "-input=false", "-detailed-exitcode", "-json", f"-out={_PLAN}")
    try:
        terraform.run(stack.folder, "plan", *options).or_raise()
        output = terraform.run(stack.folder, "show", "-json", _PLAN).or_raise()
    finally:
        (stack.folder / _PLAN).unlink(missing_ok=True)
    try:
        return analyze(parse(output.stdout.encode(), stack.name), region=stack.settings.environment.region)
    except PlanError as error:
        raise TerraformError(str(error)) from None
