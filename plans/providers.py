"""The provider configuration of each resource of a plan, and the account it belongs to."""

import re
from collections.abc import Sequence

from plans.plan import Plan, ResourceChange

_WITH_OWN_ARN = (
    "aws_cloudwatch_event_rule",
    "aws_dynamodb_table",
    "aws_ecr_repository",
    "aws_iam_group",
    "aws_iam_policy",
    "aws_iam_role",
    "aws_iam_user",
    "aws_kms_external_key",
    "aws_kms_key",
    "aws_kms_replica_key",
    "aws_lambda_function",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sqs_queue",
)
"""Resource types whose `arn` is their own and contains the account that they are in."""


_CALLER = re.compile(r"(?:(?P<module>.+)\.)?data\.aws_caller_identity\.[\w-]+(?P<index>\[.*\])?")
"""The address of a data source of `aws_caller_identity`."""


class Providers:
    """The provider configurations of a plan.

    The account of a provider configuration is that of the ARNs of its resources, or what `aws_caller_identity` reads.

    Args:
        plan: the plan.
        changes: its resources.
    """

    def __init__(self, plan: Plan, changes: Sequence[ResourceChange]) -> None:
        self._plan = plan
        self._accounts: dict[str, set[str]] = {}
        for address, account in plan.known_accounts.items():
            match = _CALLER.fullmatch(address)
            block = plan.configuration.block(match["module"] or "", address, match["index"] or "") if match else None
            if block and block.provider:
                self._accounts.setdefault(block.provider, set()).add(account)
        for change in changes:
            account = account_of(change.text("before", "arn")) if change.type in _WITH_OWN_ARN else ""
            if account and (provider := self.key(change)):
                self._accounts.setdefault(provider, set()).add(account)

    def key(self, change: ResourceChange) -> str:
        """Return the key of a resource's provider configuration, "" if it is not in the configuration."""
        block = self._plan.configuration.block(change.module, change.address, change.index)
        return block.provider if block else ""

    def account(self, changes: Sequence[ResourceChange]) -> str:
        """Return the account of the provider configurations of resources, "" if the plan does not contain it."""
        known = {account for change in changes for account in self._accounts.get(self.key(change), ())}
        return next(iter(known)) if len(known) == 1 else ""


def account_of(arn: str) -> str:
    """Return the account in an ARN, "" without one."""
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""
    return account if account.isdecimal() else ""
