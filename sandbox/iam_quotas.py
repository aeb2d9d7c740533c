"""IAM's quotas of a role, and its errors when one is exceeded."""

import re
from dataclasses import dataclass

from moto.iam.exceptions import LimitExceededException

INLINE_POLICIES_CHARACTERS = 10_240
"""All inline policies of one role together, excluding white space. AWS does not raise it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def characters(document: str) -> int:
    """Return the size of a policy document as IAM counts it: without white space."""
    return len(re.sub(r"\s", "", document))


@dataclass(frozen=True)
class Quotas:
    """An account's values of the quotas that AWS raises on request; the defaults are AWS's."""

    trust_policy_characters: int = 2048
    attached_policies: int = 10

    def check_trust_policy(self, document: str) -> None:
        """Raise IAM's `LimitExceeded` if a trust policy is too long."""
        if characters(document) > self.trust_policy_characters:
            quota = self.trust_policy_characters
            raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {quota}")

    def check_attached_policies(self, number: int) -> None:
        """Raise IAM's `LimitExceeded` if a role would have too many managed policies."""
        if number > self.attached_policies:
            raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {self.attached_policies}")

    def check_inline_policies(self, role_name: str, documents: list[str]) -> None:
        """Raise IAM's `LimitExceeded` if a role's inline policies would be too long together."""
        if sum(characters(document) for document in documents) > INLINE_POLICIES_CHARACTERS:
            raise LimitExceededException(
                f"Maximum policy size of {INLINE_POLICIES_CHARACTERS} bytes exceeded for role {role_name}"
            )
