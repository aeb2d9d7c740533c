"""CDK Terrain in place of CDKTF: the programs run with either, each in an environment that does not have the other."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import environments
from tests.availability import missing
from tests.repository import ROOT
from tests.stacks.test_expected import EXAMPLES, VARIABLES, configuration_file


@pytest.fixture(scope="module")
def cdk_terrain() -> Path:
    """Return the Python of an environment with CDK Terrain, which the first use installs."""
    try:
        return environments.cdk_terrain()
    except environments.NotInstalledError as error:
        missing(str(error))


def synthesized(program: str, example: str, folder: Path, *, python: Path | str, library: str) -> dict[str, Any]:
    """Run a program; return its stacks' Terraform JSON by name."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JSII_", "CDKTF_"))}
    completed = subprocess.run(
        [python, program],
        cwd=ROOT,
        env={
            **inherited,
            **VARIABLES,
            "GLUE_SESSIONS_CONFIG": str(configuration_file(example)),
            "GLUE_SESSIONS_CDK": library,
            "CDKTF_OUTDIR": str(folder),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")
    return {file.parent.name: json.loads(file.read_text()) for file in folder.glob("stacks/*/cdk.tf.json")}


def without_metadata(value: Any) -> Any:
    """Return the JSON without the metadata that CDKTF writes for its own command line."""
    if isinstance(value, dict):
        return {key: without_metadata(inner) for key, inner in value.items() if key != "//"}
    return [without_metadata(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("program", "example"),
    [
        *(("main.py", example) for example in EXAMPLES),
        ("state_bucket.py", "as-shipped"),
        ("state_bucket.py", "everything"),
    ],
)
def test_cdk_terrain_synthesizes_the_same_stacks(program: str, example: str, cdk_terrain: Path, tmp_path: Path) -> None:
    cdktf = synthesized(program, example, tmp_path / "cdktf", python=sys.executable, library="cdktf")
    cdktn = synthesized(program, example, tmp_path / "cdktn", python=cdk_terrain, library="cdktn")

    assert cdktn.keys() == cdktf.keys()
    for name, stack in cdktn.items():
        assert stack["//"]["metadata"]["version"] == "0.24.0"
        assert without_metadata(stack) == without_metadata(cdktf[name])


def test_with_cdk_terrain_the_imports_of_cdktf_return_it(cdk_terrain: Path) -> None:
    code = (
        "import fast_cdktf\n"
        "fast_cdktf.install()\n"
        "from cdktf_cdktf_provider_aws.iam_role import IamRole\n"
        "import cdktf, cdktf_cdktf_provider_aws.provider as provider\n"
        "import cdktn, cdktn_provider_aws.iam_role, cdktn_provider_aws.provider_functions\n"
        "assert cdktf is cdktn\n"
        "assert IamRole is cdktn_provider_aws.iam_role.IamRole\n"
        "assert provider is cdktn_provider_aws.provider\n"
    )
    completed = subprocess.run(
        [cdk_terrain, "-W", "error", "-c", code],
        cwd=ROOT,
        env={**os.environ, "GLUE_SESSIONS_CDK": "cdktn"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")


def test_a_library_that_is_not_installed_is_an_error_of_one_line(cdk_terrain: Path) -> None:
    completed = subprocess.run(
        [cdk_terrain, "-c", "import fast_cdktf; fast_cdktf.install()"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "GLUE_SESSIONS_CDK"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert completed.returncode == 2
    assert completed.stderr == (
        "cdktf is not installed here: install it, or set GLUE_SESSIONS_CDK to the library that is\n"
    )
