import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.pipeline.fake_github import FakeGitHub, fake_github

CONFIGURATION = {
    "state": {"bucket": "states", "region": "eu-west-1"},
    "environments": {
        "dev": {"region": "eu-west-1", "roles": [{"role": "a"}, {"role": "b"}]},
        "prod": {"region": "eu-west-1", "roles": [{"role": "a"}]},
    },
}
NAMES = ["glue-sessions-dev-a", "glue-sessions-dev-b", "glue-sessions-prod-a"]


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A job of GitHub Actions in a repository with three stacks; this process is the job."""
    (tmp_path / "glue-sessions.yaml").write_text(json.dumps(CONFIGURATION))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLUE_SESSIONS_CONFIG", raising=False)
    monkeypatch.delenv("CDKTF_OUTDIR", raising=False)
    with fake_github(tmp_path) as github:
        Path(github.environment["GITHUB_EVENT_PATH"]).write_text(json.dumps({"pull_request": {"number": 7}}))
        for name, value in github.environment.items():
            monkeypatch.setenv(name, value)
        yield github
