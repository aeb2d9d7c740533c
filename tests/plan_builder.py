"""Plans for tests: as Terraform writes them, with nothing in them that the test is not about."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ACCOUNT = "111122223333"
SAGEMAKER = "sagemaker.amazonaws.com"
GLUE = "glue.amazonaws.com"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
GLUE_SESSIONS = "arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"

Document = Mapping[str, Any]

_MODULES = re.compile(r"^(module\.[\w-]+(\[[^\]]*\])?\.)+")
"""The path of a module, before the address in it."""
_OF_CHANGE = ("importing", "replace_paths", "before_sensitive", "after_sensitive")


def document(*statements: Document) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(*services: str, **principals: Any) -> str:
    """Return a trust policy of one statement."""
    found = {**({"Service": list(services)} if services else {}), **principals}
    return document({"Effect": "Allow", "Principal": found, "Action": "sts:AssumeRole"})


def change(
    address: str,
    before: Document | None,
    after: Document | None,
    *,
    actions: Sequence[str] | None = None,
    unknown: Document | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return an entry of `resource_changes`; the actions follow from the values before and after."""
    if actions is None:
        actions = ["create"] if before is None else ["delete"] if after is None else ["update"]
        actions = ["no-op"] if before == after and not unknown else actions
    inner = {"actions": list(actions), "before": before, "after": after, "after_unknown": unknown or {}}
    inner |= {key: more.pop(key) for key in _OF_CHANGE if key in more}
    type_ = _MODULES.sub("", address).partition(".")[0]
    return {"address": address, "mode": "managed", "type": type_, "change": inner, **more}


def role(
    before: str | None,
    after: str | None,
    *,
    name: str = "exec",
    inline: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    managed: tuple[Iterable[str], Iterable[str]] = ((), ()),
    boundary: tuple[str, str] = ("", ""),
    **more: Any,
) -> dict[str, Any]:
    """Return the change of a role from one trust policy to another, None where it does not exist."""
    sides: list[dict[str, Any] | None] = []
    for index, assume in enumerate((before, after)):
        arn = {} if before is None else {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}
        attributes = {
            "name": name,
            "assume_role_policy": assume,
            "inline_policy": [{"name": key, "policy": text} for key, text in inline[index].items()],
            "managed_policy_arns": list(managed[index]),
            "permissions_boundary": boundary[index],
            **arn,
        }
        sides.append(None if assume is None else attributes)
    return change(f"aws_iam_role.{name}", *sides, **more)


def role_policy(
    before: str | None, after: str | None, *, name: str = "inline", of: str = "exec", **more: Any
) -> dict[str, Any]:
    """Return the change of an inline policy."""
    sides = [None if text is None else {"name": name, "role": of, "policy": text} for text in (before, after)]
    return change(f"aws_iam_role_policy.{name}", *sides, **more)


def attachment(arn: str, *, of: str = "exec", gone: bool = False) -> dict[str, Any]:
    """Return the attachment of a managed policy, or its detachment."""
    values = {"role": of, "policy_arn": arn}
    sides = (values, None) if gone else (None, values)
    return change(f"aws_iam_role_policy_attachment.{arn.rpartition('/')[2]}", *sides)


def plan(*changes: Mapping[str, Any], **more: Any) -> bytes:
    """Return a plan's JSON."""
    return json.dumps({"format_version": "1.2", "resource_changes": list(changes), **more}).encode()
