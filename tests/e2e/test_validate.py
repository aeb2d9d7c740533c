"""`terraform validate` on the Terraform JSON of every example in tests/expected.

The role stacks are validated in one configuration, each under its own addresses and with its own provider block:
reading the provider's schema takes most of the time of a run.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.one_root import COMMON, files_of, write
from tests.e2e.provider import Provider
from tests.e2e.terraform import Terraform
from tests.repository import ROOT

EXPECTED = ROOT / "tests/expected"
ROLES = sorted(file for file in EXPECTED.glob("*/*.cdk.tf.json") if file.parent.name != "provider-6")
"""All but one, whose data sources 5.100 does not have: it is in `test_newest_provider.py` and `test_adoption.py`."""
OTHERS = sorted([*EXPECTED.glob("*/state-bucket.json"), *EXPECTED.glob("*/pipeline-access.json")])


@pytest.fixture(scope="module")
def terraform(
    tmp_path_factory: pytest.TempPathFactory, binary: str, environment: Mapping[str, str], provider: Provider
) -> Terraform:
    terraform = Terraform(tmp_path_factory.mktemp("validate"), binary, environment, provider)
    (terraform.folder / "main.tf.json").write_text("{}")
    assert terraform.init().status == 0
    return terraform


def diagnostics(terraform: Terraform, files: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    write(terraform.folder, files)
    result = json.loads(terraform.run("validate", "-json").output)
    assert result["valid"] == (not result["diagnostics"])
    return list(result["diagnostics"])


def together(expected: list[Path]) -> dict[str, dict[str, Any]]:
    """Return the files of one configuration of role stacks, with the provider blocks of all."""
    documents = {f"{file.parent.name}-{file.name.partition('.')[0]}": json.loads(file.read_text()) for file in expected}
    files = files_of(documents)
    # without an alias only one is allowed
    files[COMMON]["provider"] = {
        "aws": [
            {**block, **({"alias": f"aws{number}"} if number else {})}
            for number, document in enumerate(documents.values())
            for block in document["provider"]["aws"]
        ]
    }
    return files


def test_the_expected_role_stacks_are_valid(terraform: Terraform) -> None:
    files = together(ROLES)
    assert len(files) - 1 == len(files[COMMON]["provider"]["aws"]) == len(ROLES)
    assert diagnostics(terraform, files) == []


def test_an_unknown_attribute_in_one_stack_is_an_error(terraform: Terraform) -> None:
    files = together(ROLES)
    (role,) = next(
        each["resource"]["aws_iam_role"].values() for each in files.values() if "aws_iam_role" in each["resource"]
    )
    role["no_such_attribute"] = True
    (error,) = diagnostics(terraform, files)
    assert 'No argument or block type is named "no_such_attribute"' in error["detail"]


@pytest.mark.parametrize("stack", OTHERS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_an_expected_stack_is_valid(terraform: Terraform, stack: Path) -> None:
    assert diagnostics(terraform, {COMMON: json.loads(stack.read_text())}) == []
