"""A pull request cannot write its own review: nothing in its folder is run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from review.markdown import MARKER
from tests.commands.pipeline.conftest import CONFIGURATION, NAMES
from tests.commands.pipeline.fake_github import FakeGitHub
from tests.plan_builder import SAGEMAKER, plan, role, trust
from tests.repository import ROOT

HARMFUL = plan(role(trust(SAGEMAKER), None))
MODULES = (
    "sitecustomize.py",
    "usercustomize.py",
    "json/__init__.py",
    "commands/__init__.py",
    "commands/pipeline/__init__.py",
    "commands/pipeline/__main__.py",
    "review/__init__.py",
    "ruamel/__init__.py",
    "cdktf.out/sitecustomize.py",
)


def test_the_review_runs_nothing_of_the_pull_request(github: FakeGitHub, tmp_path: Path) -> None:
    folder, ran = tmp_path / "pull-request", tmp_path / "ran"
    for name in MODULES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"open({str(ran)!r}, 'a').write({name!r})\nraise SystemExit(0)\n")
    for name in ("bin/terraform", "bin/git", "terraform", "cdktf.out/stacks/terraform"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\necho {name} >> '{ran}'\n")
        (folder / name).chmod(0o755)
    (folder / "glue-sessions.yaml").write_text(json.dumps(CONFIGURATION))
    (folder / "cdktf.json").write_text(json.dumps({"app": f"touch '{ran}'"}))
    # the list of stacks comes from the configuration: one that the pull request's code left out is missed
    planned, saved, left_out = NAMES
    for name, content in ((planned, HARMFUL), (saved, b"PK\x03\x04 a saved plan, which Terraform would show")):
        stack = folder / "cdktf.out/stacks" / name
        stack.mkdir(parents=True)
        (stack / "plan.json").write_bytes(content)
        (stack / ".terraformrc").write_text('provider_installation { dev_overrides { "hashicorp/aws" = "." } }')

    def review() -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "commands.pipeline", "review", str(folder)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **github.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    status, err = review()
    assert status == 2
    assert f"{saved}/plan.json: is a saved plan or another archive" in err
    (comment,) = github.comments
    assert comment["body"].startswith(f"{MARKER}\n\n**Could not be planned**, see the jobs' logs: {left_out}\n")
    assert "the plans cannot be reviewed" in comment["body"]

    (folder / "cdktf.out/stacks" / saved / "plan.json").write_bytes(HARMFUL)
    assert review() == (2, "")
    assert "do not apply as is: 2 critical" in comment["body"]
    assert not ran.exists()
