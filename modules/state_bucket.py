"""The S3 bucket that Terraform's states are kept in."""

import json

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import S3BucketVersioningA, S3BucketVersioningVersioningConfiguration
from constructs import Construct

from iam.documents.state_bucket import tls_only_policy
from modules.terraform_blocks import TerraformBlocks

# long enough to notice that a state was lost, short enough that lock files' old versions do not pile up
_OLD_VERSIONS_KEPT_DAYS = 90


class StateBucket(Construct):
    """A bucket that exists, made fit for states: versioned, encrypted, private, reached over TLS alone.

    Args:
        bucket: name of the bucket.
        partition: partition of the bucket.
        kms_key_id: ARN of the KMS key that encrypts; S3's own key by default.
        blocks: gathers the stack's further Terraform blocks.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: str,
        partition: str,
        kms_key_id: str | None,
        blocks: TerraformBlocks,
    ) -> None:
        super().__init__(scope, id_)
        resource = S3Bucket(
            self,
            "Bucket",
            bucket=bucket,
            # tags are the account owner's
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=["tags", "tags_all"]),
        )
        blocks.import_existing("aws_s3_bucket.state", bucket)
        versioning = S3BucketVersioningA(
            self,
            "Versioning",
            bucket=bucket,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        encryption = S3BucketServerSideEncryptionConfigurationA(
            self,
            "Encryption",
            bucket=bucket,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        sse_algorithm="aws:kms" if kms_key_id else "AES256", kms_master_key_id=kms_key_id
                    ),
                    bucket_key_enabled=True if kms_key_id else None,
                )
            ],
        )
        private = S3BucketPublicAccessBlock(
            self,
            "PublicAccessBlock",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        policy = S3BucketPolicy(
            self, "Policy", bucket=bucket, policy=json.dumps(tls_only_policy(bucket, partition=partition))
        )
        expiry = S3BucketLifecycleConfiguration(
            self,
            "Expiry",
            bucket=bucket,
            rule=[
                S3BucketLifecycleConfigurationRule(
                    id="expire-old-versions",
                    status="Enabled",
                    filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                            noncurrent_days=_OLD_VERSIONS_KEPT_DAYS
                        )
                    ],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(expired_object_delete_marker=True)],
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(days_after_initiation=7)
                    ],
                )
            ],
            # a lifecycle of old versions needs versioning to be on
            depends_on=[versioning],
        )
        for element in (resource, versioning, encryption, private, policy, expiry):
            element.override_logical_id("state")
