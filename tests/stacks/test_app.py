"""`python main.py` as CDKTF runs it."""

import json
from pathlib import Path

import pytest

from tests.repository import AS_SHIPPED
from tests.stacks.conftest import run_app

WRONG = """
state: {bucket: "${TF_STATE_BUCKET}", region: eu-west-1}
environments:
  dev:
    region: eu-west-1
    roles:
      - role: my role
      - roll: execution-role
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "glue-sessions.yaml"


def test_every_stack_is_written_where_cdktf_looks_for_it(tmp_path: Path) -> None:
    variables = {"SAGEMAKER_ROLE_NAME": "execution-role", "TF_STATE_BUCKET": "states", "AWS_REGION": "eu-west-1"}
    done = run_app("main.py", AS_SHIPPED, tmp_path, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert list(manifest["stacks"]) == ["glue-sessions-default-execution-role"]
    stack = json.loads((tmp_path / "stacks/glue-sessions-default-execution-role/cdk.tf.json").read_text())
    assert set(stack["resource"]) == {"aws_iam_role", "aws_iam_role_policy", "aws_iam_role_policy_attachment"}


def test_each_error_of_a_wrong_configuration_is_one_line(tmp_path: Path, file: Path) -> None:
    file.write_text(WRONG)
    done = run_app("main.py", file, tmp_path / "out")
    assert (done.returncode, done.stdout) == (2, "")
    places = [line.split(": ")[1] for line in done.stderr.splitlines()]
    assert places == [
        "state.bucket",
        "environments.dev.roles[0].role",
        "environments.dev.roles[1].role",
        "environments.dev.roles[1].roll",
    ]


@pytest.mark.parametrize("script", ["exit 1", "exec cat"], ids=["exits at once", "never answers"])
def test_a_wrong_configuration_is_all_that_is_reported_whatever_node_does(
    tmp_path: Path, file: Path, script: str
) -> None:
    """Node starts before the configuration has been checked."""
    file.write_text(WRONG)
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/started'\n{script}\n")
    node.chmod(0o755)
    done = run_app("main.py", file, tmp_path / "out", JSII_NODE=str(node))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 4)
    assert not Path("/proc", (tmp_path / "started").read_text().strip()).exists()


@pytest.mark.parametrize(
    "content",
    ["", "- a list\n", "state: {", "\t", "environments: {}\n"],
    ids=["empty", "list", "broken", "tab", "part"],
)
def test_a_file_that_is_no_configuration_gives_no_traceback(tmp_path: Path, file: Path, content: str) -> None:
    file.write_text(content)
    done = run_app("main.py", file, tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{file}:")
    assert "Traceback" not in done.stderr
