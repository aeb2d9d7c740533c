"""moto's S3 with bucket policies that can require TLS, and that name principals."""

import json
from typing import Any

import moto.s3.models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.models import FakeBucket


def install() -> None:
    """Replace moto's buckets; call it before the first request."""
    moto.s3.models.FakeBucket = SandboxBucket  # type: ignore[misc]


class SandboxBucket(FakeBucket):
    """A bucket whose policy moto evaluates only where it is about everyone: moto overlooks principals and conditions.

    `sandbox.authorization` evaluates all of it for requests of roles.
    """

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
            if _is_for_everyone(statement)
        }
        if PermissionResult.DENIED in results:
            return PermissionResult.DENIED
        return PermissionResult.PERMITTED if PermissionResult.PERMITTED in results else PermissionResult.NEUTRAL


def _is_for_everyone(statement: dict[str, Any]) -> bool:
    """Return whether a statement is about every request; the sandbox receives none without TLS."""
    if statement.get("Principal") not in ("*", {"AWS": "*"}):
        return False
    return all(
        (operator, key.lower()) == ("Bool", "aws:securetransport") and str(value).lower() == "true"
        for operator, test in statement.get("Condition", {}).items()
        for key, values in test.items()
        for value in (values if isinstance(values, list) else [values])
    )
