"""A pull request cannot write its own review: nothing in its folder is run, and nothing outside of it is read."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands.pipeline.__main__ import main
from review.markdown import MARKER
from tests.commands.pipeline.conftest import CONFIGURATION, NAMES
from tests.commands.pipeline.fake_github import TOKEN, FakeGitHub
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
    assert comment["body"].startswith(f"{MARKER}\n\n**Could not be planned**, see the jobs' logs: `{left_out}`\n")
    assert "the plans cannot be reviewed" in comment["body"]

    (folder / "cdktf.out/stacks" / saved / "plan.json").write_bytes(HARMFUL)
    assert review() == (2, "")
    assert "do not apply as is: 2 critical" in comment["body"]
    assert not ran.exists()


def test_a_plan_of_a_stack_that_is_not_configured_is_not_kept_as_reviewed(
    github: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (*NAMES, "glue-sessions-dev-later"):
        (stack := Path("cdktf.out/stacks", name)).mkdir(parents=True)
        (stack / "plan.json").write_bytes(plan())
    assert main(["review"]) == 2
    assert capsys.readouterr().err == (
        "cdktf.out/stacks: has plans of stacks that are not configured: glue-sessions-dev-later\n"
    )
    assert "the plans cannot be reviewed" in github.comments[0]["body"]


@pytest.mark.parametrize("role", ["x${GITHUB_TOKEN}", "no role: ${GITHUB_TOKEN}", "x${aws_session_token}"])
def test_the_comment_never_has_a_credential_of_the_job(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    monkeypatch.setenv("aws_session_token", TOKEN)
    (folder := tmp_path / "pull-request").mkdir()
    environments = {"dev": {"region": "eu-west-1", "roles": [{"role": role}]}}
    (folder / "glue-sessions.yaml").write_text(json.dumps({**CONFIGURATION, "environments": environments}))
    assert main(["review", str(folder)]) == 2
    (comment,) = github.comments
    assert "it is not set" in comment["body"]
    out, err = capsys.readouterr()
    assert TOKEN not in comment["body"] + out + err


@pytest.mark.parametrize("linked", ["glue-sessions.yaml", "trust/kept.json", "trust", ".review-accept.yaml"])
def test_a_link_that_leads_out_of_the_pull_request_is_not_read(
    github: FakeGitHub, tmp_path: Path, capsys: pytest.CaptureFixture[str], linked: str
) -> None:
    folder, elsewhere = tmp_path / "pull-request", tmp_path / "elsewhere"
    for each in (folder, elsewhere):
        (each / "trust").mkdir(parents=True)
        (each / "trust/kept.json").write_text('{"Version": "secret of the machine"}')
        roles = [{"role": "a", "trust": {"keep": "trust/kept.json"}}]
        environments = {"dev": {"region": "eu-west-1", "roles": roles}}
        (each / "glue-sessions.yaml").write_text(json.dumps({**CONFIGURATION, "environments": environments}))
    (folder / linked).rename(folder / "was") if (folder / linked).exists() else None
    (folder / linked).symlink_to(elsewhere / linked)
    if linked.startswith("."):
        (folder / "trust/kept.json").write_text(trust(SAGEMAKER))
        (elsewhere / linked).write_text("secret of the machine")
    assert main(["review", str(folder)]) == 2
    shown = "".join([*capsys.readouterr(), *(comment["body"] for comment in github.comments)])
    assert "leads out of it" in shown
    assert "secret of the machine" not in shown


def test_a_trust_policy_outside_of_the_pull_request_is_not_read(github: FakeGitHub, tmp_path: Path) -> None:
    (folder := tmp_path / "pull-request").mkdir()
    (tmp_path / "kept.json").write_text('{"Version": "secret of the machine"}')
    environments = {
        "dev": {
            "region": "eu-west-1",
            "roles": [
                {"role": name, "trust": {"keep": keep}}
                for name, keep in (("a", "../kept.json"), ("b", str(tmp_path / "kept.json")))
            ],
        }
    }
    (folder / "glue-sessions.yaml").write_text(json.dumps({**CONFIGURATION, "environments": environments}))
    assert main(["review", str(folder)]) == 2
    (comment,) = github.comments
    assert comment["body"].count("leads out of it") == 2
    assert "secret of the machine" not in comment["body"]
