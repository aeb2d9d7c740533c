"""CDK Terrain in place of CDKTF: the programs run with either, each in an environment that does not have the other."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.availability import cdk_terrain
from tests.repository import ROOT
from tests.stacks.test_expected import EXAMPLES, EXPECTED, VARIABLES, comparable, configuration_file


@pytest.fixture(scope="module", name="cdk_terrain")
def installed_cdk_terrain() -> Path:
    """Return the Python of the environment with CDK Terrain."""
    return cdk_terrain()


PROGRAMS = [
    *(("main.py", example) for example in EXAMPLES),
    ("state_bucket.py", "as-shipped"),
    ("state_bucket.py", "everything"),
    ("pipeline_access.py", "pipeline"),
]

RUN_ALL = """
import json, os, runpy, shutil, sys
for program, configuration, folder in json.load(sys.stdin):
    os.environ["GLUE_SESSIONS_CONFIG"] = configuration
    runpy.run_path(program, run_name="__main__")
    shutil.move(os.environ["CDKTF_OUTDIR"], folder)
"""


@pytest.fixture(scope="module")
def synthesized(cdk_terrain: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Run all programs with CDK Terrain, in one process; return the folder that each has written."""
    folder = tmp_path_factory.mktemp("cdk-terrain")
    folders = {(program, example): folder / example / program for program, example in PROGRAMS}
    runs = [(program, str(configuration_file(example)), str(to)) for (program, example), to in folders.items()]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JSII_", "CDKTF_"))}
    completed = subprocess.run(
        [cdk_terrain, "-c", RUN_ALL],
        cwd=ROOT,
        env={**inherited, **VARIABLES, "GLUE_SESSIONS_CDK": "cdktn", "CDKTF_OUTDIR": str(folder / "out")},
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")
    return folders


@pytest.mark.parametrize(("program", "example"), PROGRAMS)
def test_cdk_terrain_synthesizes_the_stacks_that_cdktf_does(
    program: str, example: str, synthesized: dict[tuple[str, str], Path]
) -> None:
    """CDKTF's: `tests/stacks/test_expected.py`."""
    files = list(synthesized[program, example].glob("stacks/*/cdk.tf.json"))
    stacks = {file.parent.name: json.loads(file.read_text()) for file in files}
    expected = expected_stacks(program, example)

    assert all(stack["//"]["metadata"]["version"] == "0.24.0" for stack in stacks.values())
    if program == "main.py":
        assert {name: comparable(stack) for name, stack in stacks.items()} == expected
    else:
        assert [comparable(stack) for stack in stacks.values()] == list(expected.values())


def expected_stacks(program: str, example: str) -> dict[str, Any]:
    pattern = "*.cdk.tf.json" if program == "main.py" else f"{program.removesuffix('.py').replace('_', '-')}.json"
    files = (EXPECTED / example).glob(pattern)
    return {file.name.removesuffix(".cdk.tf.json"): comparable(json.loads(file.read_text())) for file in files}


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


def test_the_installed_library_is_the_default_and_another_one_is_an_error_of_one_line(cdk_terrain: Path) -> None:
    def installed(**variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [cdk_terrain, "-c", "import fast_cdktf; fast_cdktf.install(); import cdktf; print(cdktf.__name__)"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "GLUE_SESSIONS_CDK"} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    by_default, refused = installed(), installed(GLUE_SESSIONS_CDK="cdktf")

    assert (by_default.returncode, by_default.stdout, by_default.stderr) == (0, "cdktn\n", "")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "cdktf is not installed here: install it, or set GLUE_SESSIONS_CDK to the library that is\n"
    )
