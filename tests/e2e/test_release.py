"""Ways out: released, released in part, taken out of the file unreleased, and back again."""

import io
import json
from typing import Any

import pytest
from rich.console import Console

from plans import plan as plans
from review.drift.analysis import Analysis, analyze
from review.intent import Intent, intents
from review.report import Review, review
from review.terminal import show
from stacks.glue_sessions import GlueSessionsStack
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
from tests.e2e.programs import command, on_a_terminal
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop
from tests.e2e.terraform import Terraform, kill
from tests.template import app_in_memory
from tests.waiting import wait_until

NARROW_POLICY = {**RECIPE_INLINE_POLICY, "Statement": {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}}
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
    # the role's own attributes in the state still list the grants
    assert last_plan(stack).drift
    assert drift_of(stack) == Analysis()
    assert_no_change_by_others(stack)


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
    saved = plans.parse(stack.run("show", "-json", "plan").output.encode(), "dev")
    reviewed = review(saved)
    assert [(each.severity, each.rule) for each in reviewed.findings] == [("low", "grants-released")]
    assert [intents(saved, each) for each in reviewed.roles] == [(Intent.RELEASE,)]
    # the provider reads each policy of a role that it has updated: one that is deleted meanwhile fails the apply
    with deleted_while_it_is_read(proxy, at_most=5):
        done = stack.run("apply", "-json", "-input=false", "plan", **through(proxy))

    assert (done.status, done.errors) == (0, [])
    assert role.read() == role.made


def drift_of(stack: Terraform) -> Analysis:
    """Return the drift in the last plan of a stack."""
    return analyze(last_plan(stack), region="us-east-1")


def assert_no_change_by_others(stack: Terraform) -> None:
    """Assert that the review of the last plan, which changes nothing, shows nothing."""
    page = io.StringIO()
    show(Review((review(last_plan(stack)),), "high"), Console(file=page, width=200))
    first, *_, verdict = page.getvalue().splitlines()
    assert (first, verdict) == ("dev: no change", "no change in IAM")
    assert "outside" not in page.getvalue()


def last_plan(stack: Terraform) -> plans.Plan:
    return plans.parse(stack.run("show", "-json", "plan.bin").output.encode(), "dev")


def test_a_release_with_a_lost_state_is_reported_and_completed_in_two_steps(shop: Shop, role: ExecutionRole) -> None:
    stack = shop.stack(role.name)
    stack.apply()
    # others have narrowed the policy, and nothing may widen it again
    role.put_inline_policy(NARROW_POLICY)
    granted = role.grants
    shop.aws.client("s3").delete_object(Bucket=shop.bucket, Key=f"glue-sessions/dev/{role.name}.tfstate")

    shop.stack(role.name, released=True)
    assert stack.plan().changes == {ROLE: "update"}
    assert len(drift_of(stack).staying) == 2
    assert ("high", "grants-stay") in [(each.severity, each.rule) for each in review(last_plan(stack)).findings]
    (verified,) = json.loads(command(shop, "verify", "--json").stdout)["roles"]
    assert "grants-stay" in [each["remedy"] for each in verified["remedies"]]

    def yes() -> str:
        assert role.grants == granted
        return "yes\n"

    status, output = on_a_terminal(shop, "apply", at_the_question=yes)
    assert status == 0, output
    assert output.count(f"role {role.name}: release\n") == 2
    # the plan of the first step changes no policy
    assert [line.partition(": applied: ")[2] for line in output.splitlines() if ": applied: " in line] == [
        "3 imported, 0 added, 1 changed, 0 destroyed",
        "0 added, 0 changed, 2 destroyed",
    ]
    assert role.read() == role.made
    stack.assert_nothing_to_do()
    assert drift_of(stack) == Analysis()


def test_grants_on_a_role_of_another_stack_are_imported_as_they_are_and_then_deleted(
    shop: Shop, role: ExecutionRole
) -> None:
    role.attach()
    role.put_inline_policy(NARROW_POLICY)
    role.trust = RECIPE_TRUST
    before = role.grants
    released = {"role": role.name, "trust": {"ownership": "external"}, "released": True}
    configuration = shop.configure(dev={"roles": [released]})
    (settings,) = configuration.role_stacks
    with_imports = GlueSessionsStack(
        app_in_memory(), settings=settings, state=configuration.state, to_import=[ATTACHMENT, INLINE_POLICY]
    )
    first = shop.prepare(with_imports, settings.name).apply()
    assert (first.imported, first.changes) == ({ATTACHMENT, INLINE_POLICY}, dict.fromkeys(first.imported, "import"))
    assert role.grants == before
    (second,) = shop.stacks(dev={"roles": [released]}).values()
    assert second.apply().changes == {ATTACHMENT: "delete", INLINE_POLICY: "delete"}
    assert role.grants == Grants(RECIPE_TRUST, attached=False, inline_policy=None)


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
    again.plan()
    assert last_plan(again).drift
    assert review(last_plan(again)).drift == ()
    assert again.apply().changes == {ROLE: "update", ATTACHMENT: "create", INLINE_POLICY: "create"}
    assert goes.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    again.assert_nothing_to_do()


def orphaned_states(shop: Shop) -> Any:
    verified = command(shop, "verify", "--json")
    discovered = command(shop, "discover", "--json", "--region", "us-east-1")
    notes = json.loads(verified.stdout)["notes"]
    assert json.loads(discovered.stdout)["orphaned_states"] == notes
    return notes
