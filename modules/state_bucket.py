"""The S3 bucket of Terraform's states."""

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

_BUCKET_ADDRESS = "aws_s3_bucket.state"

# long enough to notice that a state was lost, short enough that the old versions of lock files do not pile up
_OLD_VERSIONS_KEPT_DAYS = 90


class StateBucket(Construct):
    """An existing bucket made fit for states: versioned, encrypted, private, reached over TLS alone.

    Args:
        scope: the stack, or a construct in it.
        id_: id of the construct.
        bucket: name of the bucket.
        partition: partition of the bucket.
        kms_key_id: ARN of the KMS key that encrypts; S3's own key by default.

    Attributes:
        bucket, versioning, encryption, public_access_block, policy, expiry: the resources, each with the logical id
            `state`.
    """

    def __init__(self, scope: Construct, id_: str, *, bucket: str, partition: str, kms_key_id: str | None) -> None:
        blocks = TerraformBlocks.of(scope)
        logical_id = blocks.claim(_BUCKET_ADDRESS)
        super().__init__(scope, id_)
        self.bucket = S3Bucket(
            self,
            "Bucket",
            bucket=bucket,
            # tags are the account owner's
            lifecycle=TerraformResourceLifecycle(prevent_destroy=True, ignore_changes=["tags", "tags_all"]),
        )
        blocks.import_existing(_BUCKET_ADDRESS, bucket)
        self.versioning = S3BucketVersioningA(
            self,
            "Versioning",
            bucket=bucket,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        self.encryption = S3BucketServerSideEncryptionConfigurationA(
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
        self.public_access_block = S3BucketPublicAccessBlock(
            self,
            "PublicAccessBlock",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        self.policy = S3BucketPolicy(
            self, "Policy", bucket=bucket, policy=json.dumps(tls_only_policy(bucket, partition=partition))
        )
        self.expiry = S3BucketLifecycleConfiguration(
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
            depends_on=[self.versioning],
        )
        for resource in (
            self.bucket,
            self.versioning,
            self.encryption,
            self.public_access_block,
            self.policy,
            self.expiry,
        ):
            resource.override_logical_id(logical_id)
