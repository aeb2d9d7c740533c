"""Planning stacks afresh to see what drifted, without a lock and without a trace."""

import os
from collections.abc import Sequence

from configuration import ConfigurationError, configuration_path, load
from plans import plan
from review.drift.analysis import Judgement, judge
from review.drift.report import Reading
from terraform_cli import stacks
from terraform_cli.installation import TerraformMissingError
from terraform_cli.synthesis import SynthesisError, synthesized
from terraform_cli.terraform import Terraform, TerraformError

CANNOT_READ = (ConfigurationError, SynthesisError, TerraformMissingError, stacks.StacksError)
"""What `read` raises where no stack can be read at all."""

_PLAN = "drift.plan"


def read(patterns: Sequence[str]) -> list[Reading]:
    """Read the drift of the stacks that patterns name, of all without any; say on stderr which cannot be read.

    Raises:
        ConfigurationError, SynthesisError, TerraformMissingError, StacksError: none can.
    """
    # apart from cdktf's: a plan that awaits its apply there stays what it was made from
    folder = stacks.output_folder() / "drift"
    configuration = load(configuration_path(os.environ), os.environ)
    terraform = Terraform(stacks.settings_folder())
    found = synthesized(patterns, configuration, folder)
    outcomes = stacks.for_each(found, lambda stack: _judged(stack, terraform), step="stacks planned")
    outcomes.report_broken()
    judged = {stack.name: result for stack, result in outcomes.done}
    faults = {stack.name: error.lines for stack, error in outcomes.broken}
    return [
        Reading(
            stack.name,
            stack.settings.environment_name,
            stack.settings.role.name,
            judged.get(stack.name, Judgement()),
            faults.get(stack.name, ()),
        )
        for stack in found
        if stack.settings
    ]


def _judged(stack: stacks.Stack, terraform: Terraform) -> Judgement:
    assert stack.settings
    options = ("-lock=false", "-input=false", "-detailed-exitcode", "-json", f"-out={_PLAN}")
    try:
        terraform.run(stack.folder, "plan", *options).or_raise()
        shown = terraform.run(stack.folder, "show", "-json", _PLAN).or_raise()
    finally:
        (stack.folder / _PLAN).unlink(missing_ok=True)
    try:
        read_plan = plan.parse(shown.stdout.encode(), stack.name)
    except plan.PlanError as error:
        raise TerraformError(str(error)) from None
    return judge(read_plan, region=stack.settings.environment.region)
