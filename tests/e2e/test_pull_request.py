"""A pull request from its branch to the drift that is none, with real cdktf and terraform, and a stand-in for GitHub.

The steps are those of .github/workflows; what passes from one workflow to the next passes from folder to folder here.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from commands.drift.__main__ import main as drift
from commands.pipeline.__main__ import main as pipeline
from commands.review.__main__ import main as review
from review.markdown import MARKER
from terraform_cli import provider_lock
from tests.access_analyzer import fake_access_analyzer, finding
from tests.aws_proxy import AwsProxy
from tests.commands.pipeline.fake_github import FakeGitHub, fake_github, merged_pull, plan_run
from tests.commands.pipeline.workflows import read
from tests.e2e.conftest import MakeRole, through
from tests.e2e.execution_role import RECIPE_TRUST, least_privilege_inline_policy, statement, trust
from tests.e2e.programs import cdktf
from tests.e2e.shop import INLINE_POLICY, ROLE, Shop
from tests.e2e.terraform import Terraform
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
    """Copy what the plan job keeps as its artifact, as the review keeps it for the apply job on another machine."""
    steps = read((ROOT / ".github/workflows/plan.yaml").read_text())["jobs"]["plan"]["steps"]
    (kept,) = (step["with"]["path"] for step in steps if step.get("uses", "").startswith("actions/upload-artifact"))
    for path in kept.replace("${{ matrix.stack }}", stack).split():
        below = Path(path).relative_to("cdktf.out")
        # without the setting, no answers of Access Analyzer; a path without a file is none of the artifact
        if below.is_relative_to("stacks") and (from_ / below).exists():
            target = to / below.relative_to("stacks")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(from_ / below, target)


def forged(stack: Terraform) -> bytes:
    """Save a plan that grants everything, as code in a pull request's plan job can; return it in JSON."""
    document = json.loads((stack.folder / "cdk.tf.json").read_text())
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    document["resource"]["aws_iam_role_policy"]["glue_sessions"]["policy"] = json.dumps(everything)
    (stack.folder / "cdk.tf.json").write_text(json.dumps(document))
    stack.save_plan()
    return stack.run("show", "-json", "plan").output.encode()


def test_a_pull_request_from_its_branch_to_no_drift(
    shop: Shop,
    make_role: MakeRole,
    github: FakeGitHub,
    proxy: AwsProxy,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    role = make_role()
    role.trust = trust(*role.trust["Statement"], LAMBDA)
    stack = f"glue-sessions-dev-{role.name}"

    # main leaves the role to its owner; the pull request adopts it
    git("init", "--quiet", "--initial-branch", "main")
    shop.configure(dev={"roles": [{"role": role.name, "trust": {"ownership": "external"}}]})
    assert pipeline(["show", "*"]) == 2
    assert "run make provider-lock and commit the file" in capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.delenv("TF_CLI_CONFIG_FILE")  # the provider comes from a mirror if there is one
        patch.setattr(provider_lock, "PLATFORMS", ("linux_amd64",))
        assert pipeline(["provider-lock"]) == 0
    lock = shop.folder / ".terraform.lock.hcl"
    assert capsys.readouterr().out.startswith(f"{lock}: for linux_amd64, from ")
    git("add", "glue-sessions.yaml", lock.name)
    git("commit", "--quiet", "--message", "The role is its owner's")
    git("checkout", "--quiet", "-b", "adopt")
    analyzed = replace(shop, pipeline={"github": {"repository": "acme/data"}, "access_analyzer": True})
    analyzed.configure(dev={"roles": [{"role": role.name, "permissions": "least-privilege"}]})
    git("commit", "--quiet", "--all", "--message", "Adopt the role")

    # workflow plan: the stacks, a plan of each, and what they mean
    assert pipeline(["stacks"]) == 0
    assert json.loads(github.outputs["stacks"]) == [stack]
    planned = cdktf(shop, "plan", "--skip-provider-lock", stack)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    manifest = json.loads((shop.folder / "cdktf.out/manifest.json").read_text())
    assert list(manifest["stacks"]) == [stack]
    with fake_access_analyzer() as analyzer, monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_ACCESSANALYZER", analyzer.url)
        analyzer.findings = lambda _: [finding("WARNING", "A_CODE", "Statement", 0, details="AWS knows better.")]
        assert pipeline(["show", stack]) == 0
    assert analyzer.operations == ["ValidatePolicy"] * 2  # the trust policy and the inline policy

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
    assert "trust policy: AWS knows better. (`A_CODE`, `Statement[0]`)" in comment["body"]

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
    github.runs += [plan_run(2, "failure", id=43, head_sha=head)]
    assert pipeline(["reviewed-run"]) == 2
    assert "the plan of pull request 7 did not pass (failure)" in capsys.readouterr().err
    github.runs.pop()
    assert pipeline(["reviewed-run"]) == 0
    assert github.outputs["run"] == "42"

    # another machine plans again; it gets the reviewed plan to compare with
    planned_there, there = shop.folder / "cdktf.out", shop.folder / "there/cdktf.out"
    hand_over(stack, planned_there, shop.folder / "reviewed")
    monkeypatch.setenv("CDKTF_OUTDIR", str(there))
    monkeypatch.setenv("AWS_ENDPOINT_URL", through(proxy)["AWS_ENDPOINT_URL"])
    before = role.read()

    # a provider that the committed lock file does not know
    genuine = lock.read_text()
    lock.write_text(genuine.replace("h1:", "h1:0", 1))
    assert pipeline(["apply", stack]) == 2
    err = capsys.readouterr().err
    assert re.search("doesn't match any of the checksums|no available packages match", err), err
    assert "; to write .terraform.lock.hcl again: make provider-lock" in err
    lock.write_text(genuine)

    # a forged plan.json, and a trust policy that somebody changed since the review: both are named. So is what the
    # merged code does without a waiver, whatever was made of the gate in the pull request
    waiver = Path(".review-accept.yaml").rename("waiver.yaml")
    doctored = Terraform(planned_there / "stacks" / stack, shop.binary, shop.environment)
    reviewed = shop.folder / "reviewed" / stack / "plan.json"
    reviewed.rename(kept_aside := shop.folder / "genuine.json")
    reviewed.write_bytes(forged(doctored))
    role.trust = trust(*role.trust["Statement"], statement("events.amazonaws.com"))
    assert pipeline(["apply", stack]) == 1
    trusted, granted, remedy, lost, waived = capsys.readouterr().err.splitlines()
    assert trusted.startswith(f"{stack}: refused: {ROLE}: assume_role_policy before the apply: reviewed {{")
    assert trusted.endswith(" (gained: events.amazonaws.com may sts:AssumeRole)")
    assert granted.startswith(f"{stack}: refused: {INLINE_POLICY}: policy after the apply: reviewed {{")
    assert '"Action":"*"' in granted.partition(", now {")[0].replace(" ", "")
    assert '"iam:GetRole"' in granted.partition(", now {")[2]
    assert remedy == (
        f"{stack}: refused: the merged code does not do what was reviewed, and nothing was applied: plan and review"
        " again in another pull request"
    )
    services = "events.amazonaws.com, lambda.amazonaws.com"
    assert lost == f"{stack}: refused: the review fails: trust-lost: lost: {services} may sts:AssumeRole"
    assert ".review-accept.yaml has no waiver in force for these findings" in waived
    waiver.rename(".review-accept.yaml")
    role.trust = before.grants.trust
    assert role.read() == before

    # a forged saved plan is ignored, and so is its lock file; the apply stops halfway, and the job is run again
    kept_aside.rename(reviewed)
    shutil.copy(doctored.folder / "plan", there / "stacks" / stack / "plan")
    (there / "stacks" / stack / lock.name).write_text("doctored")
    proxy.refuse("PutRolePolicy", "AccessDenied")
    assert pipeline(["apply", stack]) == 2
    assert "for the rest run this job again: it applies the rest of what was reviewed" in capsys.readouterr().err
    assert (role.trust, role.grants.inline_policy) == (RECIPE_TRUST, None)
    proxy.answers.clear()
    assert pipeline(["apply", stack]) == 0
    assert capsys.readouterr().out.startswith(f"{stack}: applied: 1 added, 0 changed, 0 destroyed")
    assert role.trust == RECIPE_TRUST
    assert role.grants.attached
    assert role.grants.inline_policy == least_privilege_inline_policy(role.arn)

    # at night nothing has drifted; an issue of an earlier night is closed
    github.issue("Drift: dev", "<!-- glue-sessions-drift: dev -->\ntext", ["drift"])
    assert drift([stack]) == 0
    assert pipeline(["drift-issues"]) == 0
    assert capsys.readouterr().out == 2 * f"as applied  {stack}\n1 stack as applied\n"
    assert github.open_issues == {}
