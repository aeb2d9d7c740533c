"""The journey with the cdktf command line itself, as users go it."""

from tests.e2e.execution_role import RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Grants
from tests.e2e.programs import cdktf
from tests.e2e.shop import Shop


def test_the_only_stack_is_planned_and_applied_without_its_name(shop: Shop, role: ExecutionRole) -> None:
    shop.configure(default={"roles": [{"role": role.name}]})
    planned = cdktf(shop, "plan", "--skip-provider-lock")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy." in planned.stdout
    assert role.read() == role.made

    applied = cdktf(shop, "apply", "--skip-provider-lock", "--auto-approve")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert role.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)


def test_a_wrong_configuration_is_told_and_reaches_no_terraform(shop: Shop, role: ExecutionRole) -> None:
    shop.configure(default={"roles": [{"role": role.name}]})
    text = shop.configuration_file.read_text()
    shop.configuration_file.write_text(text.replace('"role":', '"roles":'))
    planned = cdktf(shop, "plan", "--skip-provider-lock")
    assert planned.returncode == 1
    said = planned.stdout + planned.stderr
    assert "environments.default.roles[0].roles: no such setting, did you mean role?" in said
    assert "Traceback" not in said
    assert role.read() == role.made
