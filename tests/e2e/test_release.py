"""Ways out: released, released in part, taken out of the file unreleased, and back again."""

import json
from typing import Any

import pytest

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
from tests.e2e.faults import deleted_while_it_is_read, held
from tests.e2e.programs import command
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop
from tests.e2e.terraform import kill
from tests.waiting import wait_until

RELEASED = Grants(CONSOLE_TRUST, attached=False, inline_policy=None)


def test_a_release_killed_midway_is_completed_by_the_next(shop: Shop, role: ExecutionRole, proxy: AwsProxy) -> None:
    stack = shop.stack(role.name, trust={"ownership": "additive"})
    stack.apply()
    assert role.trust == trust(*CONSOLE_TRUST["Statement"], GLUE_STATEMENT)

    shop.stack(role.name, trust={"ownership": "additive"}, released=True)
    with held(proxy, "DeleteRolePolicy") as asked:
        releasing = stack.start("apply", "-auto-approve", "-input=false", **through(proxy))
        try:
            assert asked.wait(120)
            wait_until(lambda: not role.grants.attached, "the managed policy is detached")
        finally:
            kill(releasing)
    # the role is updated last
    adopted = trust(*CONSOLE_TRUST["Statement"], GLUE_STATEMENT)
    assert role.grants == Grants(adopted, attached=False, inline_policy=RECIPE_INLINE_POLICY)

    stack.unlock()
    completed = stack.apply()
    assert completed.changes == {ROLE: "update", INLINE_POLICY: "delete"}
    assert role.grants == RELEASED
    stack.assert_nothing_to_do()


@pytest.mark.parametrize("state", ["of this version", "of a version that recorded no order"])
def test_a_release_deletes_policies_before_the_provider_reads_them_back(
    shop: Shop, role: ExecutionRole, proxy: AwsProxy, state: str
) -> None:
    stack = shop.stack(role.name)
    stack.apply()
    if state != "of this version":
        without_order(shop, f"glue-sessions/dev/{role.name}.tfstate")

    shop.stack(role.name, released=True)
    stack.save_plan()
    # the provider reads each policy of a role that it has updated: one that is deleted meanwhile fails the apply
    with deleted_while_it_is_read(proxy, at_most=5):
        done = stack.run("apply", "-json", "-input=false", "plan", **through(proxy))

    assert (done.status, done.errors) == (0, [])
    assert role.read() == role.made


def without_order(shop: Shop, key: str) -> None:
    """Remove from a state what depends on the role."""
    s3 = shop.aws.client("s3")
    state = json.loads(s3.get_object(Bucket=shop.bucket, Key=key)["Body"].read())
    for resource in state["resources"]:
        for instance in resource["instances"]:
            instance["dependencies"] = [each for each in instance.get("dependencies", ()) if each != ROLE]
    s3.put_object(Bucket=shop.bucket, Key=key, Body=json.dumps(state).encode())


def test_a_role_removed_from_the_file_unreleased_is_reported_until_it_is_released(
    shop: Shop, make_role: MakeRole
) -> None:
    stays, goes = make_role(), make_role()
    entries = [{"role": stays.name}, {"role": goes.name}]
    for stack in shop.stacks(dev={"roles": entries}).values():
        stack.apply()

    # its stack is gone with it, so nothing is planned for it
    assert list(shop.stacks(dev={"roles": entries[:1]})) == [f"glue-sessions-dev-{stays.name}"]
    assert goes.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    assert orphaned_states(shop) == [
        f"orphaned state: dev/{goes.name} is not in the configuration, but its state s3://{shop.bucket}/glue-sessions/dev/"
        f"{goes.name}.tfstate still has grants: add the role back with released: true, apply, then remove it"
    ]

    (_, released) = shop.stacks(dev={"roles": [entries[0], {**entries[1], "released": True}]}).values()
    assert released.apply().changes == {ROLE: "update", ATTACHMENT: "delete", INLINE_POLICY: "delete"}
    assert goes.read() == goes.made
    shop.configure(dev={"roles": entries[:1]})
    assert orphaned_states(shop) == []

    # its state is still there, and does not keep the role from coming back
    (_, again) = shop.stacks(dev={"roles": entries}).values()
    assert again.apply().changes == {ROLE: "update", ATTACHMENT: "create", INLINE_POLICY: "create"}
    assert goes.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    again.assert_nothing_to_do()


def orphaned_states(shop: Shop) -> Any:
    verified = command(shop, "verify", "--json")
    discovered = command(shop, "discover", "--json", "--region", "us-east-1")
    notes = json.loads(verified.stdout)["notes"]
    assert json.loads(discovered.stdout)["orphaned_states"] == notes
    return notes
