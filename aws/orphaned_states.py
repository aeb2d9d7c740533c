"""States of roles that are no longer configured, yet still have grants: taken out of the file, but not released."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from configuration import Configuration, State

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GRANTS = {"aws_iam_role_policy", "aws_iam_role_policy_attachment"}


def left_over(configuration: Configuration) -> Iterator[str]:
    """Yield a line for each state under the key prefix that is no configured role's and has grants in it.

    A role that was released has none, and its state may stay.

    Raises:
        BotoCoreError, ClientError: the states cannot be read.
    """
    state = configuration.state
    known = {stack.state_key for stack in configuration.role_stacks}
    s3 = _client(state)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=state.bucket, Prefix=f"{state.key_prefix}/")
    for page in pages:
        for found in page.get("Contents", ()):
            key = found["Key"]
            if "/" not in key.removeprefix(f"{state.key_prefix}/"):
                continue  # no role's, and not for everybody to read
            if key.endswith(".tfstate") and key not in known and _has_grants(s3, state.bucket, key):
                role = key.removeprefix(f"{state.key_prefix}/").removesuffix(".tfstate")
                yield (
                    f"left over: {role} is not in the configuration and its state s3://{state.bucket}/{key} has grants:"
                    " put the role back with released: true and apply, then take it out"
                )


def _has_grants(s3: "S3Client", bucket: str, key: str) -> bool:
    try:
        found = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return any(each["type"] in _GRANTS and each["instances"] for each in found["resources"])
    except (ValueError, KeyError, TypeError):
        return False  # no state of Terraform's


def _client(state: State) -> "S3Client":
    """Make a client that reaches the bucket as Terraform's backend does."""
    session = boto3.Session(profile_name=state.profile, region_name=state.region)
    endpoints = state.endpoints
    if state.assume_role:
        sts = session.client(
            "sts", endpoint_url=endpoints.sts if endpoints else None, verify=state.custom_ca_bundle or None
        )
        external: Any = {"ExternalId": state.assume_role.external_id} if state.assume_role.external_id else {}
        assumed = sts.assume_role(
            RoleArn=state.assume_role.role_arn, RoleSessionName="glue-sessions-left-over", **external
        )["Credentials"]
        session = boto3.Session(
            aws_access_key_id=assumed["AccessKeyId"],
            aws_secret_access_key=assumed["SecretAccessKey"],
            aws_session_token=assumed["SessionToken"],
            region_name=state.region,
        )
    return session.client(
        "s3",
        endpoint_url=endpoints.s3 if endpoints else None,
        verify=state.custom_ca_bundle or None,
        config=Config(
            retries={"mode": "standard"}, s3={"addressing_style": "path" if state.use_path_style else "auto"}
        ),
    )
