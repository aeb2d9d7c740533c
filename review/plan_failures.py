"""Why stacks could not be planned, where AWS knows more than Terraform says: credentials, and missing roles."""

import re
from typing import TypeVar

from aws.errors import AWS_ERRORS, in_words, is_about_credentials
from configuration import Configuration, RoleStack
from iam.arn import RoleArn
from terraform_cli import interruption
from terraform_cli.stacks import Outcomes
from terraform_cli.terraform import TerraformError

_NO_ROLE = re.compile(r"reading IAM Role \(([^)]+)\): couldn't find resource")
"""Terraform's words for iam:GetRole's NoSuchEntity, which it reports in no other way."""

_Result = TypeVar("_Result")


def explained(outcomes: Outcomes[_Result], configuration: Configuration) -> Outcomes[_Result]:
    """Return the outcomes; the errors of failed stacks name the cause where AWS knows it.

    AWS is called only if a stack has failed, to find out who the caller is.

    Args:
        outcomes: of planning.
        configuration: whose stacks they are.
    """
    if not outcomes.failed or interruption.happened():
        return outcomes
    problem, account_id = _caller(configuration)
    failed = []
    for stack, error in outcomes.failed:
        lines = error.lines
        if problem:
            lines = (problem,)
        elif stack.settings:
            lines = tuple(_line(line, stack.settings, account_id) for line in error.lines)
        failed.append((stack, TerraformError(*lines, output=error.output)))
    return Outcomes(outcomes.done, failed)


def _caller(configuration: Configuration) -> tuple[str | None, str]:
    """Return why the credentials cannot be used, None if they can, and the account that they are of."""
    import boto3
    from botocore.config import Config

    from aws import state_backend

    region = configuration.state.region
    config = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=10)
    try:
        client = boto3.Session(region_name=region).client("sts", config=config)
        account_id = str(client.get_caller_identity()["Account"])
    except AWS_ERRORS as error:
        return (in_words(error) if is_about_credentials(error) else None), "of these credentials"
    if configuration.state.profile:
        try:
            state_backend.session(configuration.state).get_credentials()
        except AWS_ERRORS as error:
            if is_about_credentials(error):
                return f"state.profile: {in_words(error)}", account_id
    return None, account_id


def _line(line: str, stack: RoleStack, account_id: str) -> str:
    missing = _NO_ROLE.search(line)
    if missing is None:
        return line
    deploy_role = stack.environment.deploy_role_arn
    if deploy_role:
        account_id = RoleArn.parse(deploy_role).account_id
    return (
        f"account {account_id} has no role {missing[1]} (region {stack.environment.region}): correct it in"
        f" environments.{stack.environment_name} of glue-sessions.yaml, or use the credentials of the role's account"
    )
