"""import-linter's contracts: the tree keeps them, and a forbidden import breaks the one that it should."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.repository import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]

FORBIDDEN = {
    "A command stands on libraries, and data flows one way": ("iam/arn.py", "import commands.review.__main__"),
    "No command imports another": ("commands/drift/__main__.py", "import commands.review.__main__"),
    "Readiness stands on documents and on the engine, which do not know each other": (
        "iam/engine/decision.py",
        "import iam.documents.recipe",
    ),
    "IAM is pure: neither CDKTF nor AWS": ("iam/documents/recipe.py", "import boto3"),
    "Stacks compose constructs; constructs know what is granted, and nothing else of the project": (
        "modules/execution_role.py",
        "import stacks.glue_sessions",
    ),
    "Constructs do not evaluate policies or read the configuration": (
        "modules/execution_role.py",
        "import configuration",
    ),
    "Only the commands' side runs Terraform or asks AWS: an app does neither": (
        "stacks/glue_sessions.py",
        "import terraform_cli.installation",
    ),
    "An app does not evaluate policies": ("stacks/glue_sessions.py", "import iam.engine.decision"),
    "The commands' side does not synthesize: it runs the app": ("configuration/settings.py", "import stacks.backend"),
    "A plan is read without the configuration": ("plans/plan.py", "import configuration"),
    "Rules and drift stand on what a plan does to this project's own grants": (
        "review/own/staying.py",
        "import review.rules",
    ),
    "Only the demo starts the sandbox": ("commands/drift/__main__.py", "import sandbox.launcher"),
    "fast_cdktf is called by the apps alone, and knows nothing of the project": (
        "stacks/glue_sessions.py",
        "import fast_cdktf",
    ),
    "fast_cdktf and the sandbox import nothing of the project": ("sandbox/launcher.py", "import iam.arn"),
}
"""For each contract, a file and an import that it must not have."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the packages that the contracts are about."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in SETTINGS["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint_imports(tree: Path) -> "subprocess.CompletedProcess[str]":
    lint = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    return subprocess.run(
        [sys.executable, "-c", lint, "--no-logo", "--no-cache"],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def broken(output: str) -> set[str]:
    """Return the names of the contracts that are reported as broken."""
    return {line.removesuffix(" BROKEN") for line in output.splitlines() if line.endswith(" BROKEN")}


def test_each_contract_has_a_forbidden_import() -> None:
    assert [contract["name"] for contract in SETTINGS["contracts"]] == list(FORBIDDEN)


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    done = lint_imports(tree)
    assert (done.returncode, broken(done.stdout)) == (0, set()), done.stdout + done.stderr


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_forbidden_import_breaks_its_contract(tree: Path, contract: str) -> None:
    file, forbidden = FORBIDDEN[contract]
    with (tree / file).open("a") as source:
        source.write(f"\n\n{forbidden}\n")
    done = lint_imports(tree)
    assert done.returncode == 1, done.stdout + done.stderr
    assert contract in broken(done.stdout)


def test_every_command_is_a_package_that_no_other_command_may_import() -> None:
    folders = sorted(folder for folder in (ROOT / "commands").iterdir() if (folder / "__main__.py").exists())
    (independence,) = (contract for contract in SETTINGS["contracts"] if contract["type"] == "independence")

    assert [f"commands.{folder.name}" for folder in folders] == independence["modules"]
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []
