"""Which of this project's grants the state of a role has: those that a plan would delete on release."""

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws import state_backend
from aws.errors import AWS_ERRORS, Errors, code
from configuration import RoleStack, State
from iam.documents.grants import policy_grants

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GRANTS = {grant.address for grant in policy_grants()}

StateGrants = Callable[[RoleStack], frozenset[str] | None]
"""Returns the addresses of the grants in a stack's state; None if the state could not be read."""


def addresses(s3: "S3Client", bucket: str, key: str) -> frozenset[str] | None:
    """Return the addresses of the resources in a Terraform state, None if the object is none.

    Raises:
        BotoCoreError, ClientError: the object cannot be read.
    """
    try:
        content = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return frozenset(f"{each['type']}.{each['name']}" for each in content["resources"] if each["instances"])
    except (ValueError, KeyError, TypeError):
        return None


def reader(state: State, errors: Errors) -> StateGrants:
    """Return a function that reads the grants in the states of stacks; failed calls are added to `errors`."""

    @cache
    def s3() -> "S3Client":
        return state_backend.client(state_backend.session(state), "s3", state)

    def read(stack: RoleStack) -> frozenset[str] | None:
        try:
            found = addresses(s3(), state.bucket, stack.state_key)
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and code(error) in ("NoSuchKey", "NoSuchBucket"):
                return frozenset()
            errors.add(f"s3://{state.bucket}/{stack.state_key}", "the state", error)
            return None
        return None if found is None else found & _GRANTS

    return read
