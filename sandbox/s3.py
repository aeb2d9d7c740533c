"""S3 as moto has it, with bucket policies that look at how the request came."""

import json
from typing import Any

import moto.s3.models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.models import FakeBucket


def install() -> None:
    """Make this moto's S3; call it before the first request."""
    moto.s3.models.FakeBucket = SandboxBucket  # type: ignore[misc]


class SandboxBucket(FakeBucket):
    """A bucket whose policy may ask for TLS. moto takes every condition but StringEquals as met."""

    def get_permission(self, action: str, resource: str) -> Any:
        """Return what the bucket's policy says about an action (`PermissionResult`)."""
        if self.policy is None:
            return PermissionResult.NEUTRAL
        statements = json.loads(self.policy)["Statement"]
        if isinstance(statements, dict):
            statements = [statements]
        said = {
            IAMPolicyStatement(statement).is_action_permitted(action, resource)
            for statement in statements
            if not _is_for_plain_http(statement)
        }
        if PermissionResult.DENIED in said:
            return PermissionResult.DENIED
        return PermissionResult.PERMITTED if PermissionResult.PERMITTED in said else PermissionResult.NEUTRAL


def _is_for_plain_http(statement: dict[str, Any]) -> bool:
    """Say whether a statement is about requests without TLS only: the sandbox gets none."""
    wanted = statement.get("Condition", {}).get("Bool", {})
    return any(
        key.lower() == "aws:securetransport" and [str(value).lower()] == ["false"]
        for key, values in wanted.items()
        for value in (values if isinstance(values, list) else [values])
    )
