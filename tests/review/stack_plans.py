"""Plans of this project's stacks, as Terraform writes them: one for each thing that happens to a role."""

import json
from collections.abc import Sequence
from typing import Any

from iam.arn import RoleArn
from iam.documents.grants import ACCESS_POLICY, GLUE_TRUST, SESSION_USER_POLICY, SETUP_POLICY, Grantee
from iam.documents.recipe import Permissions, glue_statement, inline_policy, trust_policy
from tests.plan_builder import FULL_ACCESS, change, document, plan

ACCOUNT = "123456789012"
REGION = "eu-west-1"
NAMES_SAGEMAKER = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
PARTNER = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "acme-42"}},
}
BEFORE = document(NAMES_SAGEMAKER)
RECIPE = json.dumps(trust_policy())
ADDITIVE = document(NAMES_SAGEMAKER, glue_statement())


class Stack:
    """The stack of one role; each method returns a plan of it.

    Args:
        name: the role's name.
        permissions: its permission level.
        account: its account.
    """

    def __init__(self, name: str, permissions: Permissions = "recipe", account: str = ACCOUNT) -> None:
        self.name, self.account = name, account
        self.arn = f"arn:aws:iam::{account}:role/service-role/{name}"
        self.inline = self.document(permissions)

    def document(self, permissions: Permissions) -> str:
        grantee = Grantee.of(RoleArn.parse(self.arn))
        return json.dumps(
            inline_policy(
                permissions,
                partition=grantee.partition,
                account_id=grantee.account_id,
                role_arn=grantee.role_arn,
            )
        )

    def adopted(
        self, before: str = BEFORE, after: str = RECIPE, *, more: Sequence[dict[str, Any]] = (), **of_plan: Any
    ) -> bytes:
        """Return the first plan of the role; `more` are other changes."""
        return self.plan(
            self.role(before, after, importing={"id": self.name}),
            self.policy(None, self.inline),
            self.attachment(False, True),
            *more,
            **of_plan,
        )

    def released(self, before: str = RECIPE, after: str = BEFORE, **more: Any) -> bytes:
        return self.plan(self.role(before, after), self.policy(self.inline, None), self.attachment(True, False), **more)

    def released_without_state(self, *, managed: bool = True, inline: bool = True) -> bytes:
        """Return the plan of a release that finds the role in AWS with its grants, and no state."""
        role = self.role(RECIPE, BEFORE, importing={"id": self.name})
        listed: dict[str, Any] = {
            "inline_policy": [{"name": SETUP_POLICY.policy_name, "policy": self.inline}] if inline else []
        }
        listed["managed_policy_arns"] = [FULL_ACCESS, *([SESSION_USER_POLICY.arn("aws")] if managed else [])]
        for snapshot in ("before", "after"):
            role["change"][snapshot] = {**role["change"][snapshot], **listed}
        return self.plan(role, blocks=[SETUP_POLICY.address, SESSION_USER_POLICY.address])

    def released_in_two_steps(self, before: str = RECIPE, after: str = BEFORE) -> bytes:
        """Return the first of the two plans that release a role without a state: it imports the grants as they are."""
        return self.plan(
            self.role(before, after, importing={"id": self.name}),
            self.policy(self.inline, self.inline, importing={"id": "policy"}),
            self.attachment(True, True, importing={"id": "attachment"}),
        )

    def role(self, before: str, after: str, **more: Any) -> dict[str, Any]:
        return change(GLUE_TRUST.address, self.attributes(before), self.attributes(after), **more)

    def attributes(self, trust: str) -> dict[str, Any]:
        return {"name": self.name, "arn": self.arn, "assume_role_policy": trust, "managed_policy_arns": [FULL_ACCESS]}

    def policy(self, before: str | None, after: str | None, **more: Any) -> dict[str, Any]:
        sides = [
            None if text is None else {"name": SETUP_POLICY.policy_name, "role": self.name, "policy": text}
            for text in (before, after)
        ]
        return change(SETUP_POLICY.address, *sides, **more)

    def access(self, before: str | None, after: str | None) -> dict[str, Any]:
        policy = self.policy(before, after)
        for side in ("before", "after"):
            if policy["change"][side]:
                policy["change"][side]["name"] = ACCESS_POLICY.policy_name
        return {**policy, "address": ACCESS_POLICY.address}

    def attachment(self, before: bool, after: bool, **more: Any) -> dict[str, Any]:
        values = {"role": self.name, "policy_arn": SESSION_USER_POLICY.arn("aws")}
        return change(SESSION_USER_POLICY.address, *(values if held else None for held in (before, after)), **more)

    def plan(
        self, *changes: dict[str, Any], checks: Sequence[str] = (), blocks: Sequence[str] = (), **more: Any
    ) -> bytes:
        """Return a plan.

        Args:
            changes: its changes.
            checks: the messages of failed checks of the trust policy.
            blocks: the addresses of resources that the configuration has beside those of the changes.
            more: other parts of the plan.
        """
        data = {"name": self.name, "arn": self.arn, "assume_role_policy": BEFORE}
        live = {"address": "data.aws_iam_role.live", "type": "aws_iam_role", "mode": "data", "values": data}
        resources = [
            {"address": address, "provider_config_key": "aws", "expressions": {"role": {}}}
            for address in (*(each["address"] for each in changes), *blocks)
        ]
        provider = {"aws": {"name": "aws", "expressions": {"region": {"constant_value": REGION}}}}
        return plan(
            *changes,
            prior_state={"values": {"root_module": {"resources": [live]}}},
            configuration={"provider_config": provider, "root_module": {"resources": resources}},
            checks=[
                {
                    "instances": [
                        {
                            "address": {"to_display": "check.trust_statements_kept"},
                            "status": "fail",
                            "problems": [{"message": message}],
                        }
                    ]
                }
                for message in checks
            ],
            **more,
        )
