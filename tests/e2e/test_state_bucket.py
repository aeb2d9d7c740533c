"""The state bucket: made by one call, imported by a stack whose state lives in it."""

import json

from stacks.state_bucket import StateBucketStack
from tests.e2e.shop import Shop
from tests.template import app_in_memory


def test_the_state_bucket_is_imported_kept_in_shape_and_holds_its_own_state(shop: Shop) -> None:
    configuration = shop.configure(dev={"roles": [{"role": "any"}]})
    stack = shop.prepare(StateBucketStack(app_in_memory(), state=configuration.state), "state-bucket")
    applied = stack.apply()
    assert applied.imported == {"aws_s3_bucket.state"}
    assert applied.changes["aws_s3_bucket.state"] in {"import", "update"}

    s3, bucket = shop.aws.client("s3"), shop.bucket
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (expiry,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert expiry["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert shop.objects() == {"glue-sessions/state-bucket.tfstate"}
    stack.assert_nothing_to_do()

    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert stack.plan().changes == {"aws_s3_bucket_versioning.state": "update"}
    refused = stack.try_to_apply("-destroy")
    assert refused.status == 1
    assert any(error.startswith("Instance cannot be destroyed: ") for error in refused.errors)
