"""Trust policies that a configuration keeps: parsed strictly, and validated as IAM would."""

from iam import validation
from iam.policy_document import Document

TrustPolicyError = validation.PolicyError
"""A text is not an IAM trust policy; `errors` has one line for each reason, beginning with its place."""


def parse_trust_policy(text: str) -> Document:
    """Parse a trust policy; statements, their forms and the order of keys stay as they are.

    Raises:
        TrustPolicyError: the text is not strict JSON, or IAM would refuse the document.
    """
    return validation.parse(text, validation.Kind.TRUST)
