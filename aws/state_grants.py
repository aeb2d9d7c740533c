"""Which of this project's grants the state of a role has: those that a plan would delete on release."""

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from aws import state_backend
from aws.errors import AWS_ERRORS, Errors, code
from configuration import RoleStack, State
from iam.documents.grants import policy_grants

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADDRESSES = {grant.address for grant in policy_grants()}

StateGrants = Callable[[RoleStack], frozenset[str] | None]
"""Returns the addresses of the grants in a stack's state; None if the state could not be read."""


def read_state(s3: "S3Client", bucket: str, key: str) -> dict[str, Any] | None:
    """Return a Terraform state, None if the object is none.

    Raises:
        BotoCoreError, ClientError: the object cannot be read.
    """
    try:
        content = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ValueError:
        return None
    return content if isinstance(content, dict) and isinstance(content.get("resources"), list) else None


def reader(state: State, errors: Errors) -> StateGrants:
    """Return a function that reads the grants in the states of stacks; failed calls are added to `errors`."""

    @cache
    def s3() -> "S3Client":
        return state_backend.client(state_backend.session(state), "s3", state)

    def read(stack: RoleStack) -> frozenset[str] | None:
        try:
            content = read_state(s3(), state.bucket, stack.state_key)
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and code(error) in ("NoSuchKey", "NoSuchBucket"):
                return frozenset()
            errors.add(f"s3://{state.bucket}/{stack.state_key}", "the state", error)
            return None
        return None if content is None else _grants(content)

    return read


def _grants(content: dict[str, Any]) -> frozenset[str] | None:
    try:
        addresses = {f"{each['type']}.{each['name']}" for each in content["resources"] if each["instances"]}
    except (KeyError, TypeError):
        return None
    return frozenset(addresses & _ADDRESSES)
