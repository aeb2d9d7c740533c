"""docs/pipelines/gitlab-ci.yml: its review runs the default branch's code, in a real git and a real shell."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.commands.pipeline.workflows import read
from tests.repository import ROOT

PIPELINE = read((ROOT / "docs/pipelines/gitlab-ci.yml").read_text(encoding="utf-8"))
REVIEW = PIPELINE["review"]

PROGRAMS = {
    "make": "mkdir -p .venv/bin && touch .venv/bin/activate",
    # says whose code it is, with which waivers and plans, and whether Terraform could be started
    "python": 'cat code .review-accept.yaml 2>&1; echo "$@"; echo "$TERRAFORM_BINARY_NAME"',
}


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@shop.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Return the folder of a job of a merge request: its commit, and the plan job's artifacts."""
    origin, folder = tmp_path / "origin", tmp_path / "job"
    origin.mkdir()
    git(origin, "init", "--quiet", "--initial-branch", "main")
    for branch in ("main", "merge-request"):
        (origin / "code").write_text(f"code of {branch}\n")
        (origin / ".review-accept.yaml").write_text(f"waivers of {branch}\n")
        git(origin, "checkout", "--quiet", "-B", branch)
        git(origin, "add", ".")
        git(origin, "commit", "--quiet", "--message", branch)
    git(tmp_path, "clone", "--quiet", "--depth", "1", "--branch", "merge-request", f"file://{origin}", str(folder))
    plan = folder / "cdktf.out/stacks/a/plan.json"
    plan.parent.mkdir(parents=True)
    plan.touch()
    (tmp_path / "bin").mkdir()
    for name, script in PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return folder


def run(job: Path) -> str:
    environment = {
        "PATH": f"{job.parent}/bin{os.pathsep}{os.environ['PATH']}",
        "CI_DEFAULT_BRANCH": "main",
        "CI_PROJECT_DIR": str(job),
        **REVIEW["variables"],
    }
    script = "\n".join(REVIEW["script"])
    done = subprocess.run(["bash", "-e", "-c", script], cwd=job, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return (job / "review.md").read_text()


def test_the_default_branchs_code_reviews_the_merge_requests_plans_and_waivers(job: Path) -> None:
    assert run(job).splitlines() == [
        "code of main",
        "waivers of merge-request",
        "-m commands.review --fail-on never --format markdown ../cdktf.out/stacks/a/plan.json",
        "/bin/false",
    ]


def test_waivers_that_the_merge_request_removes_do_not_count(job: Path) -> None:
    (job / ".review-accept.yaml").unlink()
    assert "waivers of" not in run(job)


def test_only_the_jobs_that_plan_apply_and_check_drift_get_a_role() -> None:
    jobs = {name: job for name, job in PIPELINE.items() if "script" in job}
    roles = {name: job.get("variables", {}).get("AWS_ROLE_ARN") for name, job in jobs.items()}
    assert roles == {
        "plan": "$AWS_PLAN_ROLE_ARN",
        "review": None,
        "apply": "$AWS_APPLY_ROLE_ARN",
        "drift": "$AWS_PLAN_ROLE_ARN",
    }
    assert "extends" not in REVIEW
    assert set(jobs["apply"]["needs"]) == {"plan", "review"}
