"""`python -m commands.create_state_bucket`: make the S3 bucket that glue-sessions.yaml names under `state`.

It makes the bare bucket, or finds that it is there. All its settings are the stack's of state_bucket.py, which imports
it and keeps its own state in it.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from aws.errors import AWS_ERRORS, in_words
from configuration import AssumeRole, State, exit_with_error, load_or_exit
from terraform_cli.interruption import told_in_one_line

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketRequestTypeDef

# S3 has no location constraint for this one
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
_FIRST_REGION = "us-east-1"


class StateBucketError(Exception):
    """The bucket cannot be made or used; one line that says what to change."""


def create(state: State) -> bool:
    """Make the bucket, unless it is there.

    Args:
        state: what glue-sessions.yaml has under `state`; how it reaches S3 is honoured.

    Returns:
        Whether it was made: False if it was there, in this account and region.

    Raises:
        StateBucketError: it is somebody else's, in another region, or S3 cannot be reached or refuses.
    """
    try:
        session = _session(state)
        account_id = _client(session, "sts", state).get_caller_identity()["Account"]
        s3: S3Client = _client(session, "s3", state)
        region = _region_of(s3, state.bucket, account_id)
        if region is None:
            return _create(s3, state)
    except AWS_ERRORS as error:
        raise StateBucketError(
            f"state.bucket: cannot make {state.bucket}: {_operation(error)}{in_words(error)}"
        ) from None
    if region != state.region:
        raise StateBucketError(f"state.region: supply {region}, where the bucket {state.bucket} is, got {state.region}")
    return False


def _session(state: State) -> boto3.Session:
    session = boto3.Session(profile_name=state.profile, region_name=state.region)
    if state.assume_role is None:
        return session
    assumed = _client(session, "sts", state).assume_role(**_assume_role_request(state.assume_role))["Credentials"]
    return boto3.Session(
        region_name=state.region,
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


def _assume_role_request(role: AssumeRole) -> dict[str, str]:
    request = {"RoleArn": role.role_arn, "RoleSessionName": "create-state-bucket"}
    return request | ({"ExternalId": role.external_id} if role.external_id else {})


def _client(session: boto3.Session, service: str, state: State) -> Any:
    endpoints = state.endpoints.model_dump() if state.endpoints else {}
    path_style: Any = {"s3": {"addressing_style": "path"}} if state.use_path_style else {}
    return session.client(
        service,  # type: ignore[call-overload]  # one of two literals
        endpoint_url=endpoints.get(service),
        verify=state.custom_ca_bundle,
        config=Config(retries={"mode": "standard"}, connect_timeout=10, **path_style),
    )


def _region_of(s3: "S3Client", bucket: str, account_id: str) -> str | None:
    """Give the region of the bucket, None if there is none that this account owns and may see."""
    try:
        return s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account_id)["BucketRegion"]
    except ClientError as error:
        # refused as well where the bucket is somebody else's: to make it then says which
        if _status(error) in (403, 404):
            return None
        raise


def _create(s3: "S3Client", state: State) -> bool:
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


def _status(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _operation(error: Exception) -> str:
    return f"{error.operation_name}: " if isinstance(error, ClientError) else ""


def main() -> None:
    """Run the command."""
    argparse.ArgumentParser(
        prog="python -m commands.create_state_bucket",
        description="Make the S3 bucket that glue-sessions.yaml names under `state`, if it is not there.",
        epilog="Exit status: 0 it is there, 2 it could not be made.",
    ).parse_args()
    state = load_or_exit().state
    try:
        made = create(state)
    except StateBucketError as error:
        exit_with_error(error)
    print(f"{state.bucket} in {state.region}: " + ("made" if made else "there already, nothing to do"))


if __name__ == "__main__":
    sys.exit(told_in_one_line(main))
