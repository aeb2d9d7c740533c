"""The journey with the cdktf command line itself, as users go it."""

from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Grants
from tests.e2e.programs import cdktf
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, ROLE, Shop

GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)


def test_the_only_stack_is_planned_and_applied_without_its_name(shop: Shop, role: ExecutionRole) -> None:
    shop.configure(default={"roles": [{"role": role.name}]})
    planned = cdktf(shop, "plan", "--skip-provider-lock")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy." in planned.stdout
    assert role.read() == role.made

    applied = cdktf(shop, "apply", "--skip-provider-lock", "--auto-approve")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert role.grants == GRANTED


def test_a_destroy_by_mistake_touches_no_role(shop: Shop, make_role: MakeRole) -> None:
    adopted, external = make_role(), make_role(RECIPE_TRUST)
    roles = [{"role": adopted.name}, {"role": external.name, "trust": {"ownership": "external"}}]
    stacks = list(shop.stacks(default={"roles": roles}).values())
    for stack in stacks:
        stack.apply()
    assert adopted.grants == external.grants == GRANTED

    refused = cdktf(shop, "destroy", f"glue-sessions-default-{adopted.name}", "--skip-provider-lock", "--auto-approve")
    assert refused.returncode == 1
    assert "Instance cannot be destroyed" in refused.stdout + refused.stderr
    assert adopted.grants == GRANTED

    stacks[1].apply("-destroy")
    assert external.grants == Grants(RECIPE_TRUST, attached=False, inline_policy=None)

    # the way that the README describes
    (stack,) = shop.stacks(default={"roles": [{"role": adopted.name, "released": True}]}).values()
    released = stack.apply()
    assert released.changes == {ROLE: "update", ATTACHMENT: "delete", INLINE_POLICY: "delete"}
    assert adopted.read() == adopted.made


def test_a_wrong_configuration_is_reported_and_terraform_does_not_run(shop: Shop, role: ExecutionRole) -> None:
    shop.configure(default={"roles": [{"role": role.name}]})
    text = shop.configuration_file.read_text()
    shop.configuration_file.write_text(text.replace('"role":', '"roles":'))
    planned = cdktf(shop, "plan", "--skip-provider-lock")
    assert planned.returncode == 1
    output = planned.stdout + planned.stderr
    assert "environments.default.roles[0].roles: no such setting, did you mean role?" in output
    assert "Traceback" not in output
    assert role.read() == role.made
