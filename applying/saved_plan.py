"""A saved plan as far as its safety goes: what it does to roles, what its checks say, and the trust policies it saw."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plans import plan

ROLE = "aws_iam_role"


@dataclass(frozen=True)
class SeenRole:
    """A role as the plan read it with `data.aws_iam_role`."""

    name: str
    arn: str
    unique_id: str
    trust_policy: Mapping[str, Any]
    planned_trust_policy: Mapping[str, Any] | None
    """What the plan writes, None if it writes none."""


@dataclass(frozen=True)
class SavedPlan:
    """What a saved plan does.

    Attributes:
        changes_something: whether there is anything to apply.
        destroyed_roles: addresses of the roles it deletes or replaces.
        failed_checks: the checks that do not hold, each with its message.
        errored: the plan itself failed.
        roles: the roles it has read.
        region: of its AWS provider.
        deploy_role_arn: the role that its AWS provider assumes.
    """

    changes_something: bool
    destroyed_roles: tuple[str, ...]
    failed_checks: tuple[str, ...]
    errored: bool
    roles: tuple[SeenRole, ...]
    region: str | None
    deploy_role_arn: str | None


def parse(content: str, source: str) -> SavedPlan:
    """Read a plan from what `terraform show -json` says of it; errors begin with `source`.

    Raises:
        PlanError: it is none.
    """
    reviewed = plan.parse(content.encode(), source, source)
    body = json.loads(content)
    roles = [each for each in reviewed.changes if each.type == ROLE]
    written = {
        each.text("after", "name"): json.loads(each.text("after", "assume_role_policy"))
        for each in roles
        if {"create", "update"} & {*each.actions} and each.text("after", "assume_role_policy")
    }
    provider = _provider(body)
    try:
        seen = tuple(_seen(values, written) for values in reviewed.known_roles.values())
    except (KeyError, TypeError, ValueError) as error:
        raise plan.PlanError(f"{source}: a role in it is not as the AWS provider reads roles ({error})") from None
    return SavedPlan(
        changes_something=bool(body.get("applyable", any(each.changes for each in reviewed.changes))),
        destroyed_roles=tuple(each.address for each in roles if "delete" in each.actions),
        failed_checks=tuple(map(str, reviewed.failed_checks)),
        errored=reviewed.errored,
        roles=seen,
        region=_constant(provider, "region"),
        deploy_role_arn=_constant(next(iter(provider.get("assume_role") or [{}])), "role_arn"),
    )


def _seen(values: Mapping[str, Any], written: Mapping[str, Mapping[str, Any]]) -> SeenRole:
    trust = json.loads(values["assume_role_policy"])
    return SeenRole(values["name"], values["arn"], values["unique_id"], trust, written.get(values["name"]))


def _provider(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = ((body.get("configuration") or {}).get("provider_config") or {}).get("aws") or {}
    return found.get("expressions") or {}


def _constant(expressions: Mapping[str, Any], name: str) -> str | None:
    return (expressions.get(name) or {}).get("constant_value")
