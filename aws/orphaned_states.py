"""Orphaned states: the role left the configuration without being released, so its state still has grants."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws import state_backend
from aws.state_grants import addresses
from configuration import Configuration
from iam.documents.grants import policy_grants

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TYPES = {grant.resource_type for grant in policy_grants()}
"""Of any name: whatever policy such a state has, nobody will take it from its role."""


@dataclass(frozen=True)
class OrphanedState:
    """The state at `key` in `bucket`; `role` is the role it belongs to, as `ENVIRONMENT/ROLE`."""

    bucket: str
    key: str
    role: str

    def __str__(self) -> str:
        return (
            f"orphaned state: {self.role} is not in the configuration, but its state s3://{self.bucket}/{self.key}"
            " still has grants: add the role back with released: true, apply, then remove it"
        )


def orphaned_states(configuration: Configuration) -> Iterator[OrphanedState]:
    """Yield the states under the key prefix that have grants and belong to no configured role.

    A released role has no grants, so its state may stay.

    Raises:
        BotoCoreError, ClientError: the states cannot be read.
    """
    state = configuration.state
    prefix = f"{state.key_prefix}/"
    configured = {stack.state_key for stack in configuration.role_stacks}
    s3 = state_backend.client(state_backend.session(state), "s3", state)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=state.bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            key = item["Key"]
            if "/" not in key.removeprefix(prefix):
                continue  # a state of the bucket or of the pipeline's access, which few may read
            if key.endswith(".tfstate") and key not in configured and _has_grants(s3, state.bucket, key):
                yield OrphanedState(state.bucket, key, key.removeprefix(prefix).removesuffix(".tfstate"))


def _has_grants(s3: "S3Client", bucket: str, key: str) -> bool:
    return any(address.partition(".")[0] in _TYPES for address in addresses(s3, bucket, key) or ())
