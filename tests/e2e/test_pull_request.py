"""A pull request from its branch to the drift that is none, with real cdktf and terraform, and a stand-in for GitHub.

The steps are those of .github/workflows; what passes from one workflow to the next passes from folder to folder here.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.drift.__main__ import main as drift
from commands.pipeline.__main__ import main as pipeline
from commands.review.__main__ import main as review
from review.markdown import MARKER
from tests.commands.pipeline.fake_github import FakeGitHub, fake_github, merged_pull, plan_run
from tests.commands.pipeline.workflows import read
from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import RECIPE_TRUST, least_privilege_inline_policy, statement, trust
from tests.e2e.programs import cdktf
from tests.e2e.shop import Shop
from tests.repository import ROOT

LAMBDA = statement("lambda.amazonaws.com", Sid="Theirs")
LOST = "`lambda.amazonaws.com` may `sts:AssumeRole`"


def git(*arguments: str) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@shop.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def github(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """Jobs of GitHub Actions that run in this process, in a shop's clone."""
    monkeypatch.chdir(shop.folder)
    with fake_github(tmp_path) as github:
        Path(github.environment["GITHUB_EVENT_PATH"]).write_text(json.dumps({"pull_request": {"number": 7}}))
        own = {"GLUE_SESSIONS_CONFIG": str(shop.configuration_file), "CDKTF_OUTDIR": str(shop.folder / "cdktf.out")}
        for name, value in {**shop.environment, **github.environment, **own}.items():
            monkeypatch.setenv(name, value)
        yield github


def hand_over(stack: str, from_: Path, to: Path) -> None:
    """Copy what the plan workflow keeps as its artefact, as the apply workflow gets it on another machine."""
    steps = read((ROOT / ".github/workflows/plan.yaml").read_text())["jobs"]["plan"]["steps"]
    (kept,) = (step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/upload-artifact"))
    for path in kept.replace("${{ matrix.stack }}", stack).split():
        target = to / Path(path).relative_to("cdktf.out")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(from_ / Path(path).relative_to("cdktf.out"), target)


def test_a_pull_request_from_its_branch_to_no_drift(
    shop: Shop,
    make_role: MakeRole,
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    role = make_role()
    role.trust = trust(*role.trust["Statement"], LAMBDA)
    stack = f"glue-sessions-dev-{role.name}"

    # main leaves the role to its owner; the pull request adopts it
    git("init", "--quiet", "--initial-branch", "main")
    shop.configure(dev={"roles": [{"role": role.name, "trust": {"ownership": "external"}}]})
    git("add", "glue-sessions.yaml")
    git("commit", "--quiet", "--message", "The role is its owner's")
    git("checkout", "--quiet", "-b", "adopt")
    shop.configure(dev={"roles": [{"role": role.name, "permissions": "least-privilege"}]})
    git("commit", "--quiet", "--all", "--message", "Adopt the role")

    # workflow plan: the stacks, a plan of each, and what they mean
    assert pipeline(["stacks"]) == 0
    assert json.loads(github.outputs["stacks"]) == [stack]
    planned = cdktf(shop, "plan", "--skip-provider-lock", stack)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    manifest = json.loads((shop.folder / "cdktf.out/manifest.json").read_text())
    assert list(manifest["stacks"]) == [stack]
    assert pipeline(["show", stack]) == 0

    # the gate refuses: another team's Lambda would be locked out
    assert pipeline(["review"]) == 1
    (comment,) = github.comments
    first, verdict = comment["body"].splitlines()[:2]
    assert (first, verdict) == (
        MARKER,
        "### ❌ IAM review: do not apply as is: 1 high; 1 role changed",
    )
    assert f"| **high**<br>`trust-lost` | `{role.name}`: lost: {LOST}<br>" in comment["body"]
    assert "| **gained** | `glue.amazonaws.com` | `sts:AssumeRole` |" in comment["body"]

    # the team agrees: that is kept in the branch, with its reason and its last day
    shown = str(shop.folder / "cdktf.out/stacks" / stack / "plan.json")
    assert review([shown, "--accept", "trust-lost=the forecasts have moved to a role of their own"]) == 0
    kept = Path(".review-accept.yaml").read_text()
    assert re.search(r"expires: \d{4}-\d\d-\d\d\n", kept)
    git("add", ".review-accept.yaml")
    git("commit", "--quiet", "--message", "Lambda is locked out on purpose")
    assert pipeline(["review"]) == 0
    assert len(github.comments) == 1
    assert comment["body"].splitlines()[1].startswith("### ✅ IAM review: nothing at or above high")
    assert "waived: the forecasts have moved to a role of their own" in comment["body"]
    assert role.trust == trust(*role.made.grants.trust["Statement"], LAMBDA)

    # it is merged, and workflow apply finds the run that planned it
    head = git("rev-parse", "HEAD")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message", "Merge pull request 7", "adopt")
    merge = git("rev-parse", "HEAD")
    monkeypatch.setenv("GITHUB_SHA", merge)
    github.pulls[merge] = [merged_pull(merge, head)]
    github.runs = [plan_run(1, id=42, head_sha=head)]
    assert pipeline(["reviewed-run"]) == 0
    assert github.outputs["run"] == "42"

    # another machine applies exactly that plan
    there = shop.folder / "there/cdktf.out"
    hand_over(stack, shop.folder / "cdktf.out", there)
    monkeypatch.setenv("CDKTF_OUTDIR", str(there))
    capsys.readouterr()
    assert pipeline(["apply", stack]) == 0
    assert capsys.readouterr().out.startswith(f"{stack}: applied: 1 imported, 2 added, 1 changed, 0 destroyed")
    assert role.trust == RECIPE_TRUST
    assert role.grants.attached
    assert role.grants.inline_policy == least_privilege_inline_policy(role.arn)

    # and once more it is nothing that can be applied
    assert pipeline(["apply", stack]) == 1
    assert f"{stack}: refused: " in capsys.readouterr().err

    # at night nothing has drifted; an issue of an earlier night is closed
    github.issue("Drift: dev", "<!-- glue-sessions-drift: dev -->\ntext", ["drift"])
    assert drift([stack]) == 0
    assert pipeline(["drift-issues"]) == 0
    assert capsys.readouterr().out == 2 * f"as applied  {stack}\n1 stack as applied\n"
    assert github.open_issues == {}
