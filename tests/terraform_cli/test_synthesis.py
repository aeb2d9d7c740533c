import json
import os
from pathlib import Path

from terraform_cli.synthesis import synthesize
from tests.repository import AS_SHIPPED


def test_a_home_folder_that_cannot_be_written_does_not_stop_the_app(tmp_path: Path) -> None:
    variables = {"TF_STATE_BUCKET": "states", "AWS_REGION": "eu-west-1", "SAGEMAKER_ROLE_NAME": "team"}
    own = {**os.environ, **variables, "HOME": "/nowhere", "GLUE_SESSIONS_CONFIG": str(AS_SHIPPED)}
    synthesize(tmp_path / "out", own)
    assert [*json.loads((tmp_path / "out/manifest.json").read_text())["stacks"]] == ["glue-sessions-default-team"]
