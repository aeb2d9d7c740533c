"""`terraform validate` on the Terraform JSON of every example in tests/expected."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.terraform import Terraform
from tests.repository import ROOT

EXPECTED = ROOT / "tests/expected"
STACKS = sorted(EXPECTED.glob("*/*.cdk.tf.json")) + sorted(EXPECTED.glob("*/state-bucket.json"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, binary: str, environment: Mapping[str, str]) -> Terraform:
    terraform = Terraform(tmp_path_factory.mktemp("validate"), binary, environment)
    shutil.copy(STACKS[0], terraform.folder / "cdk.tf.json")
    assert terraform.run("init", "-backend=false", "-input=false").status == 0
    return terraform


@pytest.mark.parametrize("stack", STACKS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_an_expected_stack_is_valid(folder: Terraform, stack: Path) -> None:
    shutil.copy(stack, folder.folder / "cdk.tf.json")
    found = json.loads(folder.run("validate", "-json").output)
    assert (found["valid"], found["diagnostics"]) == (True, [])
