"""The command `create-state-bucket`: create the S3 bucket that glue-sessions.yaml names under `state`.

It creates the bare bucket, or finds that it exists. The stack of state_bucket.py imports the bucket, owns all its
settings, and keeps its own state in it.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands import command_line

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketRequestTypeDef

    from configuration import State

# S3 has no location constraint for this region
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
_FIRST_REGION = "us-east-1"


class StateBucketError(Exception):
    """The bucket cannot be created or used; one line that says what to change."""


def create(state: "State") -> bool:
    """Create the bucket, unless it exists.

    Args:
        state: the section `state` of glue-sessions.yaml.

    Returns:
        Whether the bucket was created; False if it existed, in this account and region.

    Raises:
        StateBucketError: another account owns it, it is in another region, or S3 refuses or cannot be reached.
    """
    from aws import state_backend
    from aws.errors import AWS_ERRORS, in_words

    try:
        session = state_backend.session(state)
        account_id = state_backend.client(session, "sts", state).get_caller_identity()["Account"]
        s3 = state_backend.client(session, "s3", state)
        region = _region_of(s3, state.bucket, account_id)
        if region is None:
            return _create(s3, state)
    except AWS_ERRORS as error:
        raise StateBucketError(
            f"state.bucket: cannot create {state.bucket}: {_operation(error)}{in_words(error)}"
        ) from None
    if region != state.region:
        raise StateBucketError(f"state.region: supply {region}, where the bucket {state.bucket} is, got {state.region}")
    return False


def _region_of(s3: "S3Client", bucket: str, account_id: str) -> str | None:
    """Return the bucket's region, None if this account owns no such bucket or the caller may not see it."""
    from botocore.exceptions import ClientError

    try:
        return s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account_id)["BucketRegion"]
    except ClientError as error:
        # S3 also answers 403 for another account's bucket; creating it then tells the cases apart
        if _status(error) in (403, 404):
            return None
        raise


def _create(s3: "S3Client", state: "State") -> bool:
    request: CreateBucketRequestTypeDef = {"Bucket": state.bucket}
    if state.region != _FIRST_REGION:
        request["CreateBucketConfiguration"] = {"LocationConstraint": state.region}  # type: ignore[typeddict-item]
    try:
        s3.create_bucket(**request)
    except s3.exceptions.BucketAlreadyOwnedByYou:
        return False
    except s3.exceptions.BucketAlreadyExists:
        raise StateBucketError(
            f"state.bucket: supply a name that is free, another account has a bucket {state.bucket}"
        ) from None
    return True


def _status(error: "ClientError") -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _operation(error: Exception) -> str:
    operation: str | None = getattr(error, "operation_name", None)  # of a ClientError
    return f"{operation}: " if operation else ""


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    return command_line.parser(
        "create-state-bucket",
        "Create the S3 bucket that glue-sessions.yaml names under `state`, unless it exists.",
        "Exit status: 0 the bucket exists; 2 it could not be created.",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, exit with 2 if there is no bucket."""
    command_line.parse(parser(), arguments, calls_aws=True)
    # imported here to keep --help and argument errors fast
    from configuration import exit_with_error, load_or_exit

    state = load_or_exit().state
    try:
        created = create(state)
    except StateBucketError as error:
        exit_with_error(error)
    print(f"{state.bucket} in {state.region}: " + ("created" if created else "exists already, nothing to do"))
    return 0


if __name__ == "__main__":
    command_line.run(main)
