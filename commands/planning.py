"""What `plan` and `apply` have in common: the stacks of the configuration, planned and saved."""

from collections.abc import Sequence

from configuration import Configuration
from review.plan_failures import explained
from terraform_cli import stacks
from terraform_cli.installation import TerraformMissingError
from terraform_cli.planning import Planned, plan_stacks
from terraform_cli.synthesis import SynthesisError, synthesized
from terraform_cli.terraform import Terraform

CANNOT_PLAN = (stacks.StacksError, TerraformMissingError, SynthesisError)
"""What `plan` raises when no stack can be planned at all."""


def plan(
    patterns: Sequence[str], configuration: Configuration, *, parallelism: int | None
) -> tuple[stacks.Outcomes[Planned], Terraform]:
    """Synthesize all stacks, and plan those that match the patterns, all without patterns.

    Returns:
        The plans and failures, and the Terraform that made them.

    Raises:
        StacksError, TerraformMissingError, SynthesisError: no stack can be planned.
    """
    terraform = Terraform(stacks.settings_folder())
    chosen = synthesized(patterns, configuration, stacks.output_folder())
    return explained(plan_stacks(chosen, terraform, parallelism=parallelism), configuration), terraform
