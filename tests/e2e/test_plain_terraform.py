"""docs/pipelines/plain-terraform.md and atlantis.yaml: their commands, in a shell, with real Terraform."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.commands.pipeline.workflows import read
from tests.e2e.execution_role import RECIPE_TRUST, ExecutionRole, Grants, least_privilege_inline_policy
from tests.e2e.shop import Shop
from tests.repository import ROOT

PAGE = (ROOT / "docs/pipelines/plain-terraform.md").read_text(encoding="utf-8")
COMMANDS, CLOUD = (re.findall(rf"^```{each}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for each in ("bash", "json"))
ATLANTIS = read((ROOT / "docs/pipelines/atlantis.yaml").read_text(encoding="utf-8"))
EXAMPLE = "glue-sessions-default-my-execution-role"


def in_a_shell(shop: Shop, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in the shop's folder, as if that were the clone."""
    # what `make synth` runs (tests/test_makefile.py) and what `./glue-sessions` starts, with this environment's Python
    script = script.replace("make synth", f'"{sys.executable}" "{ROOT}/main.py"')
    script = script.replace("./glue-sessions", f'"{sys.executable}" -m commands')
    done = subprocess.run(
        ["sh", "-e", "-c", f'terraform() {{ "{shop.binary}" "$@"; }}\n{script}'],
        cwd=shop.folder,
        env={**shop.environment_of_commands, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    done.stdout = re.sub("\x1b[^m]*m", "", done.stdout)  # Terraform's colors
    return done


def steps(command: str) -> str:
    """Return the steps of a command in the Atlantis example, which Atlantis runs one by one until one fails."""
    return "\n".join(step["run"] for step in ATLANTIS["workflows"]["glue-sessions"][command]["steps"])


def test_plain_terraform_adopts_a_role_and_then_has_nothing_to_do(shop: Shop, role: ExecutionRole) -> None:
    """Atlantis's steps adopt the role; for the page's commands, which are the same, nothing is left."""
    name = f"glue-sessions-default-{role.name}"
    plan, shown = shop.folder / f"{name}-default.tfplan", shop.folder / f"{name}-default.json"
    atlantis = {"PROJECT_NAME": name, "PLANFILE": str(plan), "SHOWFILE": str(shown)}

    # the review of the recipe fails: Atlantis finds no plan to apply, not even an earlier one
    shop.configure(default={"roles": [{"role": role.name}]})
    plan.touch()
    refused = in_a_shell(shop, steps("plan"), **atlantis)
    assert refused.returncode == 1, refused.stderr
    assert "2 high" in refused.stdout
    assert not plan.exists()

    shop.configure(default={"roles": [{"role": role.name, "permissions": "least-privilege"}]})
    planned = in_a_shell(shop, steps("plan"), **atlantis)
    assert planned.returncode == 0, planned.stderr
    assert "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy." in planned.stdout
    assert role.read() == role.made
    applied = in_a_shell(shop, steps("apply"), **atlantis)
    assert applied.returncode == 0, applied.stderr
    assert role.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=least_privilege_inline_policy(role.arn))

    (commands,) = COMMANDS
    assert EXAMPLE in commands
    again = in_a_shell(shop, commands.replace(EXAMPLE, name))
    assert again.returncode == 0, again.stderr
    assert "No changes. Your infrastructure matches the configuration." in again.stdout
    assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed." in again.stdout


def test_a_cloud_block_takes_the_place_of_the_s3_backend(shop: Shop) -> None:
    stack = shop.folder / "cdktf.out" / EXAMPLE
    stack.mkdir(parents=True)
    expected, *_ = (ROOT / "tests/expected/additive").glob("*.cdk.tf.json")
    (stack / "cdk.tf.json").write_text(expected.read_text())
    (cloud,) = map(json.loads, CLOUD)
    cloud["terraform"]["cloud"]["hostname"] = "localhost"  # not the real one
    (stack / "cloud_override.tf.json").write_text(json.dumps(cloud))
    done = subprocess.run(
        [shop.binary, "init", "-input=false", "-no-color"],
        cwd=Path(stack),
        env={**shop.environment, "TF_TOKEN_localhost": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search("Initializing (HCP Terraform|cloud backend)", done.stdout)
    assert "https://localhost/.well-known/terraform.json" in done.stderr
