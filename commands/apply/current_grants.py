"""The grants that a role has in AWS, for plans that do not contain its policies."""

from typing import assert_never

import boto3

from aws.account import Account, Calls
from aws.roles import attached_policy_arns, inline_policy_names
from configuration import RoleStack
from iam.documents.grants import InlinePolicyGrant, ManagedPolicyGrant, PolicyGrant, policy_grants


def current_grants(stack: RoleStack) -> list[PolicyGrant]:
    """Return the policies of this project that the role of a stack has, read with the credentials that Terraform uses.

    Raises:
        BotoCoreError, ClientError: the role's policies cannot be read.
    """
    account = Account(boto3.Session(), calls=Calls(), region=stack.environment.region)
    if deploy_role := stack.environment.deploy_role_arn:
        account = account.assuming(deploy_role, session_name="glue-sessions-apply")
    iam, name = account.client("iam"), stack.role.name
    attached, inline = attached_policy_arns(iam, name), inline_policy_names(iam, name)
    return [grant for grant in policy_grants() if _is_held(grant, attached, inline)]


def _is_held(grant: PolicyGrant, attached: list[str], inline: list[str]) -> bool:
    match grant:
        case ManagedPolicyGrant():
            return any(map(grant.is_arn, attached))
        case InlinePolicyGrant():
            return grant.policy_name in inline
        case _:
            assert_never(grant)
