"""moto's S3 with bucket policies that can require TLS and that name principals, and with buckets in one region each."""

import json
import re
from typing import Any

import moto.s3.models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.models import FakeBucket, s3_backends

from sandbox.roles import ACCOUNT, PARTITION

_BUCKET_IN_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-][a-z0-9.-]*amazonaws\.com")


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


def region_elsewhere(host: str, path: str, region: str) -> str:
    """Return the region of the bucket that a request addresses if it is another one than the request's; else "".

    Args:
        host: the request's `Host`, which may begin with the bucket's name.
        path: the request's path, which otherwise does.
        region: what the request is signed for.
    """
    named = _BUCKET_IN_HOST.match(host)
    bucket = s3_backends[ACCOUNT][PARTITION].buckets.get(
        named["bucket"] if named else path.lstrip("/").partition("/")[0]
    )
    return bucket.region_name if bucket and bucket.region_name != region else ""


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
