"""The policy of the bucket that holds Terraform's state."""

from iam.policy_document import Document


def tls_only_policy(bucket: str, *, partition: str) -> Document:
    """Return a policy that denies every request without TLS, and grants nothing.

    Args:
        bucket: name of the bucket.
        partition: partition of the bucket, such as `aws`.
    """
    arn = f"arn:{partition}:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "RefuseWithoutTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
