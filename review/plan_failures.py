"""Why stacks could not be planned, where AWS knows more than Terraform says: credentials, missing roles and regions."""

import re
from typing import TypeVar

from aws.errors import AWS_ERRORS, in_words, is_about_credentials
from configuration import Configuration, RoleStack, place_to_correct, role_setting, yaml_text
from iam.arn import RoleArn
from terraform_cli import interruption
from terraform_cli.stacks import Outcomes
from terraform_cli.terraform import TerraformError

_NO_ROLE = re.compile(r"reading IAM Role \(([^)]+)\): couldn't find resource")
"""Terraform's words for iam:GetRole's NoSuchEntity, which it reports in no other way."""

_NO_REGION = re.compile(r"\binvalid AWS Region: ([\w-]+)", re.IGNORECASE)
"""The words of Terraform's backend and of the provider for a region that they do not know."""

_Result = TypeVar("_Result")


def explained(outcomes: Outcomes[_Result], configuration: Configuration) -> Outcomes[_Result]:
    """Return the outcomes; the errors of failed stacks name the cause where AWS knows it.

    AWS is called only if a stack has failed for another reason than the name of a region, to find out who the caller
    is.

    Args:
        outcomes: of planning.
        configuration: whose stacks they are.
    """
    if not outcomes.failed or interruption.happened():
        return outcomes
    reasons = [
        tuple(_about_region(line, configuration, stack.settings) for line in error.lines)
        for stack, error in outcomes.failed
    ]
    problem, account_id = None, ""
    if not all(any(map(_NO_REGION.search, error.lines)) for _, error in outcomes.failed):
        problem, account_id = _caller(configuration)
    failed = []
    for (stack, error), lines in zip(outcomes.failed, reasons, strict=True):
        if problem:
            lines = (problem,)
        elif stack.settings:
            lines = tuple(_line(line, configuration, stack.settings, account_id) for line in lines)
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


def _about_region(line: str, configuration: Configuration, stack: RoleStack | None) -> str:
    """Return the line; one about an unknown region with the settings that name it."""
    unknown = _NO_REGION.search(line)
    if unknown is None:
        return line
    regions: dict[yaml_text.Location, str] = {("state", "region"): configuration.state.region}
    if stack:
        regions["environments", stack.environment_name, "region"] = stack.environment.region
    places = [at for at, region in regions.items() if region == unknown[1]]
    if not places:
        return line
    return f"there is no AWS region {unknown[1]}: correct it in {place_to_correct(configuration, *places)}"


def _line(line: str, configuration: Configuration, stack: RoleStack, account_id: str) -> str:
    missing = _NO_ROLE.search(line)
    if missing is None:
        return line
    deploy_role = stack.environment.deploy_role_arn
    if deploy_role:
        account_id = RoleArn.parse(deploy_role).account_id
    return (
        f"account {account_id} has no role {missing[1]} (region {stack.environment.region}): correct it in"
        f" {place_to_correct(configuration, role_setting(stack))}, or use the credentials of the role's account"
    )
