"""What decides whether a saved plan may be applied: the roles it deletes, its failed checks, the roles it has read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iam.policy_document import Document
from plans import plan
from plans.values import attributes, items, text

ROLE = "aws_iam_role"


@dataclass(frozen=True)
class SeenRole:
    """A role as the plan read it with `data.aws_iam_role`."""

    name: str
    arn: str
    unique_id: str
    trust_policy: Document
    planned_trust_policy: Document | None
    """The trust policy that the plan writes, None if it writes none."""


@dataclass(frozen=True)
class SavedPlan:
    """A saved plan.

    Attributes:
        has_changes: whether there is anything to apply.
        deleted_roles: addresses of the roles it deletes, also to create them again.
        replaced_roles: addresses of the roles it forgets to create another one.
        failed_checks: the checks that fail, each with its message.
        errored: whether planning itself failed.
        roles: the roles it has read.
        content: the whole plan.
        region: region of its AWS provider.
        deploy_role_arn: the role that its AWS provider assumes.
    """

    has_changes: bool
    deleted_roles: tuple[str, ...]
    replaced_roles: tuple[str, ...]
    failed_checks: tuple[str, ...]
    errored: bool
    roles: tuple[SeenRole, ...]
    content: plan.Plan
    region: str | None
    deploy_role_arn: str | None


def parse(content: str, source: str) -> SavedPlan:
    """Return the plan that `terraform show -json` printed.

    Args:
        content: the JSON.
        source: where it comes from; begins the error messages.

    Raises:
        PlanError: the content is not a plan.
    """
    parsed = plan.parse(content.encode(), source, source)
    body = json.loads(content)
    roles = [each for each in parsed.changes if each.type == ROLE]
    addresses = {each.address for each in roles}
    provider = _provider(body)
    try:
        written = {
            each.text("after", "name"): json.loads(each.text("after", "assume_role_policy"))
            for each in roles
            if {"create", "update"} & {*each.actions} and each.text("after", "assume_role_policy")
        }
        seen = tuple(_seen(values, written) for values in parsed.known_roles.values())
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise plan.PlanError(f"{source}: a role in it lacks what the AWS provider reads of roles ({error})") from None
    return SavedPlan(
        has_changes=bool(body.get("applyable", any(each.changes for each in (*parsed.changes, *parsed.outputs)))),
        deleted_roles=tuple(each.address for each in roles if "delete" in each.actions),
        replaced_roles=tuple(each.address for each in roles if each.address + plan.FORGOTTEN_OBJECT in addresses),
        failed_checks=tuple(map(str, parsed.failed_checks)),
        errored=parsed.errored,
        roles=seen,
        content=parsed,
        region=_constant(provider, "region"),
        deploy_role_arn=_constant(next(iter(items(provider.get("assume_role"))), None), "role_arn"),
    )


def _seen(values: Mapping[str, Any], written: Mapping[str, Document]) -> SeenRole:
    trust = json.loads(values["assume_role_policy"])
    return SeenRole(values["name"], values["arn"], values["unique_id"], trust, written.get(values["name"]))


def _provider(body: Mapping[str, Any]) -> Mapping[str, Any]:
    providers = attributes(attributes(body.get("configuration")).get("provider_config"))
    return attributes(attributes(providers.get("aws")).get("expressions"))


def _constant(expressions: Any, name: str) -> str | None:
    return text(attributes(attributes(expressions).get(name)).get("constant_value")) or None
