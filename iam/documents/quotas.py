"""IAM's quotas.

Source: IAM User Guide, "IAM and AWS STS quotas"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). `iam.policy_document.size` measures
documents; the length of a role's name is part of its syntax and stands in `iam.arn`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quotas:
    """The quotas of an account; the defaults are AWS's.

    Attributes:
        trust_policy_characters: size of a role's trust policy; AWS raises it on request.
        inline_policies_characters: size of all inline policies of a role together; fixed.
        managed_policy_characters: size of a customer managed policy; fixed.
        attached_policies: number of managed policies attached to a role; AWS raises it on request.
    """

    trust_policy_characters: int = 2_048
    inline_policies_characters: int = 10_240
    managed_policy_characters: int = 6_144
    attached_policies: int = 10


DEFAULTS = Quotas()
"""The quotas of an account for which AWS has raised none."""
