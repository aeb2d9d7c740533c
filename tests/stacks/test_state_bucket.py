"""What the stack of the state bucket declares."""

import json
from typing import Any

import pytest

from configuration import State
from stacks.state_bucket import StateBucketStack
from tests.template import Template, app_in_memory


def synthesize(**state: Any) -> Template:
    return Template.from_stack(
        StateBucketStack(app_in_memory(), state=State(bucket="states", **{"region": "eu-west-1", **state}))
    )


def test_the_bucket_is_imported_and_cannot_be_destroyed() -> None:
    template = synthesize()
    template.has_block("import", [{"to": "aws_s3_bucket.state", "id": "states"}])
    template.has_resource(
        "aws_s3_bucket",
        "state",
        {"bucket": "states", "lifecycle": {"prevent_destroy": True, "ignore_changes": ["tags", "tags_all"]}},
    )
    assert template.addresses == [
        "aws_s3_bucket.state",
        "aws_s3_bucket_lifecycle_configuration.state",
        "aws_s3_bucket_policy.state",
        "aws_s3_bucket_public_access_block.state",
        "aws_s3_bucket_server_side_encryption_configuration.state",
        "aws_s3_bucket_versioning.state",
    ]


def test_its_own_state_is_in_it() -> None:
    synthesize(key_prefix="platform").has_block(
        "terraform.backend.s3",
        {"bucket": "states", "key": "platform/state-bucket.tfstate", "encrypt": True, "use_lockfile": True},
    )


def test_it_is_versioned_and_private_and_old_versions_expire() -> None:
    template = synthesize()
    template.has_resource("aws_s3_bucket_versioning", "state", {"versioning_configuration": {"status": "Enabled"}})
    template.has_resource(
        "aws_s3_bucket_public_access_block",
        "state",
        {
            "block_public_acls": True,
            "block_public_policy": True,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
    )
    expiry = template.has_resource("aws_s3_bucket_lifecycle_configuration", "state", {})
    (rule,) = expiry["rule"]
    assert rule["noncurrent_version_expiration"] == [{"noncurrent_days": 90}]
    assert rule["status"] == "Enabled"


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_requests_without_tls_are_denied(region: str, partition: str) -> None:
    policy = synthesize(region=region).has_resource("aws_s3_bucket_policy", "state", {"bucket": "states"})
    (statement,) = json.loads(policy["policy"])["Statement"]
    assert statement == {
        "Sid": "RefuseWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:{partition}:s3:::states", f"arn:{partition}:s3:::states/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_it_is_encrypted_with_s3s_own_key_or_the_configured_one() -> None:
    def rule(template: Template) -> Any:
        encryption = template.has_resource("aws_s3_bucket_server_side_encryption_configuration", "state", {})
        return encryption["rule"][0]

    assert rule(synthesize()) == {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    assert rule(synthesize(kms_key_id=key)) == {
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key},
        "bucket_key_enabled": True,
    }


def test_the_provider_uses_the_settings_of_the_backend() -> None:
    role = "arn:aws:iam::111122223333:role/state"
    template = synthesize(profile="state", use_path_style=True, assume_role={"role_arn": role, "external_id": "x"})
    template.has_block(
        "provider.aws",
        [
            {
                "region": "eu-west-1",
                "max_retries": 10,
                "profile": "state",
                "s3_use_path_style": True,
                "assume_role": [{"role_arn": role, "external_id": "x"}],
            }
        ],
    )
    synthesize().has_block("provider.aws", [{"region": "eu-west-1", "max_retries": 10}])
