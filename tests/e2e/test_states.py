"""States in S3: one for each role, locked while written, kept in every version, whatever becomes of the file."""

import json
from typing import Any

from tests.aws_proxy import AwsProxy
from tests.e2e.conftest import MakeRole, through
from tests.e2e.execution_role import (
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    ExecutionRole,
    Grants,
    trust,
)
from tests.e2e.faults import held
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop
from tests.e2e.terraform import kill
from tests.waiting import wait_until

GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)


def test_environments_and_roles_have_separate_states_and_a_new_one_deletes_nothing(
    shop: Shop, make_role: MakeRole
) -> None:
    first, second = make_role(), make_role()
    shop.variables["SAGEMAKER_ROLE_NAME"] = first.name
    shop.stack("${SAGEMAKER_ROLE_NAME}").apply()

    # another name over the same bucket leaves the first role alone
    shop.variables["SAGEMAKER_ROLE_NAME"] = second.name
    switched = shop.stack("${SAGEMAKER_ROLE_NAME}")
    assert switched.plan().summary == "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy."
    assert second.read() == second.made

    # a renamed environment imports everything
    (renamed,) = shop.stacks(development={"roles": [{"role": first.arn}]}).values()
    renamed_apply = renamed.apply()
    assert renamed_apply.summary == "Apply complete! Resources: 3 imported, 0 added, 0 changed, 0 destroyed."
    assert first.grants == GRANTED
    assert shop.objects() == {
        f"glue-sessions/dev/{first.name}.tfstate",
        f"glue-sessions/development/{first.name}.tfstate",
    }


def test_an_apply_holds_the_lock_and_killed_midway_is_recovered_with_nothing_lost(
    shop: Shop, role: ExecutionRole, proxy: AwsProxy
) -> None:
    state = f"glue-sessions/dev/{role.name}.tfstate"
    stack = shop.stack(role.name, trust={"ownership": "additive"})
    with held(proxy, "PutRolePolicy") as asked:
        applying = stack.start("apply", "-auto-approve", "-input=false", **through(proxy))
        try:
            assert asked.wait(120)
            wait_until(lambda: role.grants.attached and role.trust != CONSOLE_TRUST, "the other grants are written")
            second = stack.try_to_apply()
        finally:
            kill(applying)
    assert second.status == 1
    assert any(error.startswith("Error acquiring the state lock: ") for error in second.errors)
    assert shop.state_versions(state) == []
    assert role.grants.inline_policy is None

    stack.unlock()
    recovered = stack.apply()
    assert recovered.imported == {ROLE, ATTACHMENT}
    assert recovered.changes[INLINE_POLICY] == "create"
    assert role.grants == Grants(
        trust(*CONSOLE_TRUST["Statement"], GLUE_STATEMENT), attached=True, inline_policy=RECIPE_INLINE_POLICY
    )
    assert shop.objects() == {state}
    stack.assert_nothing_to_do()


def test_a_state_that_is_deleted_older_or_of_a_newer_format(shop: Shop, role: ExecutionRole) -> None:
    key = f"glue-sessions/dev/{role.name}.tfstate"
    stack = shop.stack(role.name)
    stack.apply()
    s3 = shop.aws.client("s3")

    # deleted, and restored from the bucket
    marker = s3.delete_object(Bucket=shop.bucket, Key=key)["VersionId"]
    assert stack.plan().summary == "Plan: 3 to import, 0 to add, 0 to change, 0 to destroy."
    s3.delete_object(Bucket=shop.bucket, Key=key, VersionId=marker)
    stack.assert_nothing_to_do()
    assert s3.head_object(Bucket=shop.bucket, Key=key)["ServerSideEncryption"] == "AES256"

    # as a version left it that granted no inline policy yet, with an older Terraform and provider
    state = json.loads(s3.get_object(Bucket=shop.bucket, Key=key)["Body"].read())

    def put(**changes: Any) -> None:
        s3.put_object(Bucket=shop.bucket, Key=key, Body=json.dumps({**state, **changes}).encode())

    resources = [each for each in state["resources"] if each["type"] != "aws_iam_role_policy"]
    for each in resources:
        for name in ("tags_all", "unique_id", "managed_policy_arns", "inline_policy"):
            each["instances"][0]["attributes"].pop(name, None)
    put(terraform_version="1.10.0", resources=resources)
    assert stack.apply().summary == "Apply complete! Resources: 1 imported, 0 added, 0 changed, 0 destroyed."
    assert role.grants == GRANTED

    # of a newer format
    put(version=5)
    before = s3.head_object(Bucket=shop.bucket, Key=key)["VersionId"]
    refused = stack.try_to_apply()
    assert refused.status == 1
    assert "format version 5, which is not supported" in refused.errors[0]
    assert s3.head_object(Bucket=shop.bucket, Key=key)["VersionId"] == before
