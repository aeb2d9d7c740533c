"""The journey with CDK Terrain, its own command line and Node 24: docs/cdk-terrain.md."""

import json
import shutil
from pathlib import Path

import pytest

from stacks.glue_sessions import GlueSessionsStack
from tests.availability import cdk_terrain
from tests.e2e.execution_role import RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Grants
from tests.e2e.programs import on_cdk_terrain
from tests.e2e.shop import Shop
from tests.repository import ROOT
from tests.stacks.test_expected import comparable
from tests.template import Template, app_in_memory

GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)


@pytest.fixture
def path(tmp_path: Path, binary: str) -> Path:
    """Return a folder with the programs that are needed besides the environment: Terraform, and those of a shell."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / Path(binary).name).symlink_to(binary)
    for name in ("sh", "env", "dirname", "readlink"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def test_a_role_is_adopted_with_the_command_line_of_cdk_terrain(shop: Shop, role: ExecutionRole, path: Path) -> None:
    cdk_terrain()
    configuration = shop.configure(default={"roles": [{"role": role.name}]})
    (settings,) = configuration.role_stacks
    of_cdktf = Template.from_stack(GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state))

    synthesized = on_cdk_terrain(shop, "cdktn", "synth", path=path)
    assert synthesized.returncode == 0, synthesized.stdout + synthesized.stderr
    document = json.loads((shop.folder / "cdktf.out/stacks" / settings.name / "cdk.tf.json").read_text())
    assert document["//"]["metadata"]["version"] == "0.24.0"
    assert comparable(document) == comparable(of_cdktf.document)

    listed = on_cdk_terrain(shop, "cdktn", "list", path=path)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert settings.name in listed.stdout

    planned = on_cdk_terrain(shop, "cdktn", "plan", "--skip-synth", "--skip-provider-lock", path=path)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy." in planned.stdout
    assert role.read() == role.made

    applied = on_cdk_terrain(shop, "cdktn", "apply", "--skip-provider-lock", "--auto-approve", path=path)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert role.grants == GRANTED

    again = on_cdk_terrain(shop, str(ROOT / "glue-sessions"), "plan", path=path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "No changes." in again.stdout
