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


def test_environments_and_roles_have_separate_states(shop: Shop, make_role: MakeRole) -> None:
    one, two, three = make_role(), make_role(), make_role()
    roles = {"one": {"role": one.name}, "two": {"role": two.arn}, "three": {"role": three.name}}
    stacks = shop.stacks(dev={"roles": [roles["one"], roles["two"]]}, prod={"roles": [roles["three"]]})
    for stack in stacks.values():
        stack.apply()
    assert one.grants == two.grants == three.grants == GRANTED
    assert shop.objects() == {
        f"glue-sessions/dev/{one.name}.tfstate",
        f"glue-sessions/dev/{two.name}.tfstate",
        f"glue-sessions/prod/{three.name}.tfstate",
    }

    # a role taken out of the file takes its stack along: nobody plans anything for it, least of all its end
    left = shop.stacks(dev={"roles": [roles["one"]]}, prod={"roles": [roles["three"]]})
    assert set(stacks) - set(left) == {f"glue-sessions-dev-{two.name}"}
    for stack in left.values():
        stack.assert_nothing_to_do()
    assert two.grants == GRANTED


def test_a_renamed_environment_imports_everything_and_deletes_nothing(shop: Shop, role: ExecutionRole) -> None:
    shop.stack(role.name).apply()
    (renamed,) = shop.stacks(development={"roles": [{"role": role.name}]}).values()
    assert renamed.plan().summary == "Plan: 3 to import, 0 to add, 0 to change, 0 to destroy."


def test_another_role_name_over_the_same_bucket_leaves_the_first_role_alone(shop: Shop, make_role: MakeRole) -> None:
    first, second = make_role(), make_role()
    shop.variables["SAGEMAKER_ROLE_NAME"] = first.name
    shop.stack("${SAGEMAKER_ROLE_NAME}").apply()
    shop.variables["SAGEMAKER_ROLE_NAME"] = second.name
    switched = shop.stack("${SAGEMAKER_ROLE_NAME}")
    assert switched.plan().summary == "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy."
    assert first.grants == GRANTED
    assert second.read() == second.made


def test_a_second_apply_fails_while_one_holds_the_lock_and_loses_nothing(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    lock = f"glue-sessions/dev/{role.name}.tfstate.tflock"
    asking = stack.start("apply", "-no-color")  # holds the lock until it is answered
    try:
        wait_until(lambda: lock in shop.objects(), "the first apply takes the lock")
        second = stack.try_to_apply()
        assert second.status == 1
        assert any(error.startswith("Error acquiring the state lock: ") for error in second.errors)
        assert role.read() == role.made
        output, _ = asking.communicate("yes\n", timeout=120)
    except BaseException:
        kill(asking)
        raise
    assert asking.returncode == 0, output
    assert role.grants == GRANTED
    assert lock not in shop.objects()
    stack.assert_nothing_to_do()


def test_an_apply_killed_midway_is_recovered_with_nothing_lost(
    shop: Shop, role: ExecutionRole, proxy: AwsProxy
) -> None:
    state = f"glue-sessions/dev/{role.name}.tfstate"
    stack = shop.stack(role.name, trust={"ownership": "additive"})
    with held(proxy, "PutRolePolicy") as asked:
        applying = stack.start("apply", "-auto-approve", "-input=false", **through(proxy))
        try:
            assert asked.wait(120)
            wait_until(lambda: role.grants.attached and role.trust != CONSOLE_TRUST, "the other grants are written")
        finally:
            kill(applying)
    assert shop.state_versions(state) == []
    assert role.grants.inline_policy is None

    stack.unlock()
    recovered = stack.apply()
    assert recovered.imported == {ROLE, ATTACHMENT}
    assert recovered.changes[INLINE_POLICY] == "create"
    assert role.grants == Grants(
        trust(*CONSOLE_TRUST["Statement"], GLUE_STATEMENT), attached=True, inline_policy=RECIPE_INLINE_POLICY
    )
    stack.assert_nothing_to_do()


def test_a_deleted_state_is_restored_from_the_bucket_and_a_new_state_deletes_nothing(
    shop: Shop, role: ExecutionRole
) -> None:
    state = f"glue-sessions/dev/{role.name}.tfstate"
    stack = shop.stack(role.name)
    stack.apply()
    s3 = shop.aws.client("s3")
    marker = s3.delete_object(Bucket=shop.bucket, Key=state)["VersionId"]
    assert stack.plan().summary == "Plan: 3 to import, 0 to add, 0 to change, 0 to destroy."
    s3.delete_object(Bucket=shop.bucket, Key=state, VersionId=marker)
    stack.assert_nothing_to_do()
    assert s3.head_object(Bucket=shop.bucket, Key=state)["ServerSideEncryption"] == "AES256"


def test_a_state_of_an_older_version_is_read_and_one_of_a_newer_format_is_not(shop: Shop, role: ExecutionRole) -> None:
    """As a version left it that granted no inline policy yet, with an older terraform and provider."""
    key = f"glue-sessions/dev/{role.name}.tfstate"
    stack = shop.stack(role.name)
    stack.apply()
    s3 = shop.aws.client("s3")
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

    put(version=5)
    before = s3.head_object(Bucket=shop.bucket, Key=key)["VersionId"]
    refused = stack.try_to_apply()
    assert refused.status == 1
    assert "format version 5, which is not supported" in refused.errors[0]
    assert s3.head_object(Bucket=shop.bucket, Key=key)["VersionId"] == before
