"""An IAM role as a value: its trust policy, its policies and its permissions boundary."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from iam.arn import RoleArn
from iam.policy_document import Document


@dataclass(frozen=True)
class Role:
    """A role in IAM; a document that could not be read is None.

    Attributes:
        arn: full ARN, path included.
        unique_id: `AROA…`, the first part of `aws:userid` in the role's sessions.
        trust_policy: the assume-role policy.
        inline_policies: by name; None if not even the names could be read.
        attached_policies: managed policies by ARN; None if not even the ARNs could be read.
        boundary: the permissions boundary by its ARN; empty if the role has none.
        tags: the role's tags.
    """

    arn: RoleArn
    unique_id: str
    trust_policy: Document
    inline_policies: Mapping[str, Document | None] | None
    attached_policies: Mapping[str, Document | None] | None
    boundary: Mapping[str, Document | None] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
