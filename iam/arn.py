"""ARNs of IAM roles, names of AWS regions, and the partition that a region belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from iam.wording import shown

# A role's name has 1 to 64 of these characters, and is unique in its account whatever its path.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_NAME_LENGTH = 64
ROLE_NAME = rf"[A-Za-z0-9_+=,.@-]{{1,{ROLE_NAME_LENGTH}}}"

REGION = "[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}"

_ROLE_ARN = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):iam::(?P<account_id>[0-9]{{12}})"
    # The API accepts any visible ASCII in a path, at most 512 characters with both slashes.
    rf":role(?P<path>/(?:[!-~]{{1,510}}/)?)(?P<name>{ROLE_NAME})"
)

# Every partition but aws has its own prefixes of region names (botocore's partitions.json).
_PARTITION_OF_PREFIX = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


@dataclass(frozen=True)
class RoleArn:
    """The parts of an IAM role's ARN; `str()` returns the ARN.

    >>> RoleArn.parse("arn:aws:iam::111122223333:role/service-role/team")
    RoleArn(partition='aws', account_id='111122223333', path='/service-role/', name='team')
    """

    partition: str
    account_id: str
    path: str
    name: str

    @classmethod
    def parse(cls, text: str) -> RoleArn:
        """Return the parts of an ARN.

        Raises:
            ValueError: the text is not the ARN of an IAM role; the message says what to supply.
        """
        match = _ROLE_ARN.fullmatch(text)
        if match is None:
            raise ValueError(
                f"supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got {shown(text)}"
            )
        return cls(**match.groupdict())

    def __str__(self) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:role{self.path}{self.name}"


def partition_of(region: str) -> str:
    """Return the partition of a region, such as `aws-cn` for `cn-north-1`; `aws` for an unknown prefix."""
    return next(
        (partition for prefix, partition in _PARTITION_OF_PREFIX.items() if region.startswith(prefix)),
        "aws",
    )
