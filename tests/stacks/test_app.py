"""`python main.py` as CDKTF runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import ROOT


def run_app(folder: Path, configuration: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    file = folder / "glue-sessions.yaml"
    file.write_text(configuration)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "GLUE_SESSIONS_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py")],
        cwd=folder,
        env={**inherited, "GLUE_SESSIONS_CONFIG": file.name, "CDKTF_OUTDIR": str(folder / "out"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_stack_is_written_where_cdktf_looks_for_it(tmp_path: Path) -> None:
    shipped = (ROOT / "glue-sessions.yaml").read_text()
    variables = {"SAGEMAKER_ROLE_NAME": "execution-role", "TF_STATE_BUCKET": "states", "AWS_REGION": "eu-west-1"}
    done = run_app(tmp_path, shipped, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert list(manifest["stacks"]) == ["glue-sessions-default-execution-role"]
    stack = json.loads((tmp_path / "out/stacks/glue-sessions-default-execution-role/cdk.tf.json").read_text())
    assert set(stack["resource"]) == {"aws_iam_role", "aws_iam_role_policy", "aws_iam_role_policy_attachment"}


FAULTY = """
state: {bucket: "${TF_STATE_BUCKET}", region: eu-west-1}
environments:
  dev:
    region: eu-west-1
    roles:
      - role: my role
      - roll: execution-role
"""


def test_a_wrong_configuration_is_told_a_line_for_each_fault(tmp_path: Path) -> None:
    done = run_app(tmp_path, FAULTY)
    assert (done.returncode, done.stdout) == (2, "")
    places = [line.split(": ")[1] for line in done.stderr.splitlines()]
    assert places == [
        "state.bucket",
        "environments.dev.roles[0].role",
        "environments.dev.roles[1].role",
        "environments.dev.roles[1].roll",
    ]


@pytest.mark.parametrize("script", ["exit 1", "exec cat"], ids=["ends at once", "answers nothing"])
def test_a_wrong_configuration_is_told_alone_whatever_node_does(tmp_path: Path, script: str) -> None:
    """Node is started before the configuration is known to be right."""
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/started'\n{script}\n")
    node.chmod(0o755)
    done = run_app(tmp_path, FAULTY, JSII_NODE=str(node))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 4)
    assert not Path("/proc", (tmp_path / "started").read_text().strip()).exists()


@pytest.mark.parametrize(
    "content",
    ["", "- a list\n", "state: {", "\t", "environments: {}\n"],
    ids=["empty", "list", "broken", "tab", "part"],
)
def test_a_file_that_is_no_configuration_gives_no_traceback(tmp_path: Path, content: str) -> None:
    done = run_app(tmp_path, content)
    assert done.returncode == 2
    assert done.stderr.startswith("glue-sessions.yaml")
    assert "Traceback" not in done.stderr
