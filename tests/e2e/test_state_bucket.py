"""The state bucket: made by one call, imported by a stack whose state lives in it."""

import json
import re
import subprocess
import sys

from tests.e2e.programs import on_a_terminal
from tests.e2e.shop import Shop
from tests.e2e.terraform import Terraform
from tests.repository import ROOT


def create_state_bucket(shop: Shop) -> str:
    return subprocess.run(
        [sys.executable, "-m", "commands.create_state_bucket"],
        cwd=ROOT,
        env={**shop.environment, "GLUE_SESSIONS_CONFIG": str(shop.configuration_file)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_state_bucket_is_created_then_imported_and_holds_its_own_state(new_shop: Shop) -> None:
    shop = new_shop
    shop.configure(dev={"roles": [{"role": "any"}]})
    assert create_state_bucket(shop) == f"{shop.bucket} in us-east-1: created\n"
    assert create_state_bucket(shop) == f"{shop.bucket} in us-east-1: exists already, nothing to do\n"
    status, output = on_a_terminal(shop, "apply", "state-bucket", at_the_question=lambda: "yes\n")
    assert status == 0, output
    assert "Apply to state-bucket? Only" in output
    assert "state-bucket: about a minute: Terraform's AWS provider waits for the new lifecycle rule" in output
    assert re.search(r"^state-bucket: applied: 1 imported, \d added, [01] changed, 0 destroyed$", output, re.MULTILINE)

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
    folder = shop.folder / "cdktf.out/state-bucket/stacks/state-bucket"
    stack = Terraform(folder, shop.binary, shop.environment, shop.provider)
    stack.assert_nothing_to_do()

    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert stack.plan().changes == {"aws_s3_bucket_versioning.state": "update"}
    refused = stack.try_to_apply("-destroy")
    assert refused.status == 1
    assert any(error.startswith("Instance cannot be destroyed: ") for error in refused.errors)
