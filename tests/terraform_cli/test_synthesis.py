import json
import os
import re
from pathlib import Path

import pytest

from configuration import load
from review.drift.planning import read
from terraform_cli.stacks import APPS, StacksError
from terraform_cli.synthesis import SynthesisError, synthesize, synthesized
from tests.repository import AS_SHIPPED


def test_a_home_folder_that_cannot_be_written_does_not_stop_the_app(tmp_path: Path) -> None:
    variables = {"TF_STATE_BUCKET": "states", "AWS_REGION": "eu-west-1", "SAGEMAKER_ROLE_NAME": "team"}
    own = {**os.environ, **variables, "HOME": "/nowhere", "GLUE_SESSIONS_CONFIG": str(AS_SHIPPED)}
    synthesize(tmp_path / "out", own)
    assert [*json.loads((tmp_path / "out/manifest.json").read_text())["stacks"]] == ["glue-sessions-default-team"]


@pytest.fixture
def configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "glue-sessions.yaml"
    file.write_text(
        "state: {bucket: states, region: eu-west-1}\nenvironments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n"
    )
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(file))
    monkeypatch.chdir(tmp_path)
    return file


def test_the_other_apps_are_synthesized_if_their_stacks_are_named(configuration_file: Path) -> None:
    folder = configuration_file.with_name("out")
    (bucket,) = synthesized(["state-bucket"], load(configuration_file, {}), folder)
    assert bucket.folder == folder / "state-bucket/stacks/state-bucket"
    assert "aws_s3_bucket" in json.loads((bucket.folder / "cdk.tf.json").read_text())["resource"]
    assert not (folder / "manifest.json").exists()
    missing = re.escape(f"{configuration_file.name}: pipeline: ")
    with pytest.raises(SynthesisError, match=missing):
        synthesized(["pipeline-access"], load(configuration_file, {}), folder)


def test_drift_is_about_roles_alone(configuration_file: Path) -> None:
    for name in APPS:
        with pytest.raises(StacksError, match=f'no stack matches "{name}"; stacks: glue-sessions-dev-team'):
            read([name])


def test_the_app_gets_the_policies_that_a_stack_imports(configuration_file: Path) -> None:
    stack, policy = "glue-sessions-dev-team", "aws_iam_role_policy.glue_session_access"
    folder = configuration_file.with_name("out")
    (found,) = synthesized([], load(configuration_file, {}), folder, to_import={stack: [policy], "another": []})
    document = json.loads((found.folder / "cdk.tf.json").read_text())
    assert policy in [block["to"] for block in document["import"]]
