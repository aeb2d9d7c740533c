"""moto's S3 with bucket policies that can require TLS."""

import json
from typing import Any

import moto.s3.models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.models import FakeBucket


def install() -> None:
    """Replace moto's buckets; call it before the first request."""
    moto.s3.models.FakeBucket = SandboxBucket  # type: ignore[misc]


class SandboxBucket(FakeBucket):
    """A bucket whose policy may require TLS. moto treats every condition except StringEquals as met."""

    def get_permission(self, action: str, resource: str) -> Any:
        """Return the bucket policy's decision on an action (`PermissionResult`)."""
        if self.policy is None:
            return PermissionResult.NEUTRAL
        statements = json.loads(self.policy)["Statement"]
        if isinstance(statements, dict):
            statements = [statements]
        results = {
            IAMPolicyStatement(statement).is_action_permitted(action, resource)
            for statement in statements
            if not _is_for_plain_http(statement)
        }
        if PermissionResult.DENIED in results:
            return PermissionResult.DENIED
        return PermissionResult.PERMITTED if PermissionResult.PERMITTED in results else PermissionResult.NEUTRAL


def _is_for_plain_http(statement: dict[str, Any]) -> bool:
    """Return whether a statement is only for requests without TLS, which the sandbox never receives."""
    condition = statement.get("Condition", {}).get("Bool", {})
    return any(
        key.lower() == "aws:securetransport" and [str(value).lower()] == ["false"]
        for key, values in condition.items()
        for value in (values if isinstance(values, list) else [values])
    )
