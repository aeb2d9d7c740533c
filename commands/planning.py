"""What `plan` and `apply` have in common: the stacks of the configuration, planned and saved."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from aws.errors import AWS_ERRORS, in_words
from commands.role_warnings import in_words as warning_in_words
from commands.role_warnings import shared_roles
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
    patterns: Sequence[str],
    configuration: Configuration,
    *,
    parallelism: int | None,
    to_import: Mapping[str, Sequence[str]] | None = None,
) -> tuple[stacks.Outcomes[Planned], Terraform]:
    """Synthesize all stacks, and plan those that match the patterns, all without patterns.

    Args:
        patterns: names, optionally with `*`, `?` and `[…]`.
        configuration: the configuration of the stacks.
        parallelism: number of stacks in parallel, None for the number of processors.
        to_import: addresses of policies that are not configured and are imported as they are, by the stack's name.

    Returns:
        The plans and failures, and the Terraform that made them.

    Raises:
        StacksError, TerraformMissingError, SynthesisError: no stack can be planned.
    """
    terraform = Terraform(stacks.settings_folder())
    chosen = synthesized(patterns, configuration, stacks.output_folder(), to_import=to_import)
    outcomes = explained(plan_stacks(chosen, terraform, parallelism=parallelism), configuration)
    return stacks.Outcomes(_with_shared_roles(outcomes.done, configuration), outcomes.failed), terraform


def _with_shared_roles(
    done: Sequence[tuple[stacks.Stack, Planned]], configuration: Configuration
) -> list[tuple[stacks.Stack, Planned]]:
    """Return plans, with a warning for each whose role several stacks of the configuration own."""
    try:
        shared = {stack.name: each for stack, each in shared_roles(configuration.role_stacks, _caller_account_id)}
    except AWS_ERRORS as error:
        print(f"whether several stacks own one role is undecided: {in_words(error)}", file=sys.stderr)
        return list(done)
    return [
        (stack, replace(plan, warnings=(*plan.warnings, warning_in_words(shared[stack.name]))))
        if stack.name in shared
        else (stack, plan)
        for stack, plan in done
    ]


@cache
def _caller_account_id() -> str:
    """Return the account of the credentials. Raises BotoCoreError, ClientError."""
    import boto3

    from aws.account import Account, Calls

    return Account(boto3.Session(), calls=Calls()).identity.account_id
