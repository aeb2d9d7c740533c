"""`make pipeline-setup`: the script it prints, run by real bash and git, with a `gh` that records what it is asked."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from commands.pipeline.changes import CONFIGURATION
from commands.pipeline.setup import APPLY_WORKFLOW, CHECKS, OWNERS_FILE, PASSED, main, rule
from tests.commands.pipeline.workflows import WORKFLOWS, read
from tests.repository import ROOT

SETTINGS: dict[str, Any] = {
    "state": {"bucket": "${TF_STATE_BUCKET}", "region": "eu-west-1"},
    "environments": {
        "dev": {"region": "eu-west-1", "account_id": "111122223333", "roles": [{"role": "${SAGEMAKER_ROLE_NAME}"}]}
    },
    "pipeline": {"github": {"repository": "acme@12/glue-sessions@34"}},
}
VARIABLES = {"TF_STATE_BUCKET": "acme-states", "SAGEMAKER_ROLE_NAME": "team=a,b+c@d"}
API = "api --method"
REPOSITORY = "repos/acme/glue-sessions"

GH = """#!/usr/bin/env python3
import json, os, sys
arguments = sys.argv[1:]
body = sys.stdin.read() if "--input" in arguments else ""
with open(os.environ["CALLS"], "a") as calls:
    print(json.dumps([" ".join(arguments), body]), file=calls)
if arguments[1].endswith("/rulesets") and "--jq" in arguments:
    print(os.environ.get("RULESET", ""))
elif arguments[-1] == ".id":
    print({"users/jo": 1, "orgs/acme/teams/platform": 2}[arguments[1]])
sys.exit(os.environ.get("FAILS", "nothing") in " ".join(arguments))
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with a configuration; PATH has the `gh` that records its calls."""
    for file in (OWNERS_FILE, APPLY_WORKFLOW):
        (tmp_path / file).parent.mkdir(parents=True)
        shutil.copy(ROOT / file, tmp_path / file)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    gh = tmp_path / "bin/gh"
    gh.parent.mkdir()
    gh.write_text(GH)
    gh.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{gh.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("GLUE_SESSIONS_CONFIG", raising=False)
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    configure()
    return tmp_path


def configure(**github: str) -> None:
    settings = {**SETTINGS, "pipeline": {"github": {**SETTINGS["pipeline"]["github"], **github}}}
    Path("glue-sessions.yaml").write_text(json.dumps(settings))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["--owners", *arguments]) == 0
    return capsys.readouterr().out


def calls() -> list[tuple[str, str]]:
    """Return what gh was asked, and the bodies; and forget it."""
    file = Path("calls")
    made = [tuple(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []
    file.unlink(missing_ok=True)
    return made


def on_a_terminal(answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command on a terminal; return its exit status and what the terminal shows."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "commands.pipeline.setup", "--owners", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    while True:
        try:
            read = os.read(ours, 65_536)
        except OSError:  # Linux reports the end of a terminal as an error
            break
        if not read:
            break
        shown += read
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")


def test_the_printed_script_sets_variables_owners_and_the_rule(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = printed(capsys, "@acme/platform", "@jo")
    subprocess.run(["bash", "-e", "-c", script], check=True)
    *variables, (looked_up, _), (create, body), (token, _) = calls()
    role = "arn:aws:iam::111122223333:role/glue-sessions"
    assert [call for call, _ in variables] == [
        f"variable set {name} --repo acme/glue-sessions --body {value}"
        for name, value in {
            "AWS_PLAN_ROLE_ARN": f"{role}-plan",
            "AWS_APPLY_ROLE_ARN": f"{role}-apply",
            "AWS_REGION": "eu-west-1",
            **VARIABLES,
        }.items()
    ]
    assert looked_up.startswith(f"api {REPOSITORY}/rulesets --jq")
    assert create == f"{API} POST {REPOSITORY}/rulesets --input -"
    assert json.loads(body) == rule("main", 1)
    assert token.startswith(f"{API} PUT {REPOSITORY}/actions/permissions/workflow ")
    owners = (clone / ".github/CODEOWNERS").read_text()
    assert re.search(r"^\* +@acme/platform @jo$", owners, re.MULTILINE)
    assert (clone / APPLY_WORKFLOW).read_text() == (ROOT / APPLY_WORKFLOW).read_text()


def test_with_an_environment_its_reviewers_approve_each_apply(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(environment="production")
    script = printed(capsys, "@acme/platform", "@jo")
    subprocess.run(["bash", "-e", "-c", script], check=True)
    made = dict(calls())
    address = f"{REPOSITORY}/environments/production"
    assert json.loads(made[f"{API} PUT {address} --input -"]) == {
        "reviewers": [{"type": "Team", "id": 2}, {"type": "User", "id": 1}],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    }
    assert f"{API} POST {address}/deployment-branch-policies -f name=main" in made
    workflow = YAML(typ="safe").load((clone / APPLY_WORKFLOW).read_text())
    assert workflow["jobs"]["apply"]["environment"] == "production"
    # once more, nothing is left to change there; another name takes its place
    assert "git apply" not in printed(capsys, "@jo")
    configure(environment="live")
    subprocess.run(["bash", "-e", "-c", printed(capsys, "@jo")], check=True)
    assert re.findall("environment: .*", (clone / APPLY_WORKFLOW).read_text()) == ["environment: live"]


def test_on_a_terminal_the_script_is_run_after_a_question(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, shown = on_a_terminal("n", "@jo")
    assert (status, calls()) == (0, [])
    assert shown.endswith("Run these commands? [y/N] nothing was run\n")
    assert not (clone / ".github/CODEOWNERS").exists()

    monkeypatch.setenv("RULESET", "42")
    status, shown = on_a_terminal("y", "@jo")
    assert status == 0
    assert (
        "[y/N] done; next: commit .github with your configuration on a branch, and open a pull"
        in shown.splitlines()[-1]
    )
    assert next(call for call, _ in calls() if " PUT " in call) == f"{API} PUT {REPOSITORY}/rulesets/42 --input -"
    assert "@jo" in (clone / ".github/CODEOWNERS").read_text()


def test_a_failing_command_stops_the_script(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILS", "AWS_REGION")
    status, shown = on_a_terminal("y", "@jo")
    assert status == 2
    assert shown.endswith("a command failed, and none after it was run: fix its error and repeat all of them\n")
    assert len(calls()) == 3
    # the lookup of the rule, too
    monkeypatch.setenv("FAILS", "--jq")
    assert on_a_terminal("y", "@jo")[0] == 2
    assert not any("POST" in call for call, _ in calls())


def test_without_gh_the_commands_are_only_printed(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clone / "bin/gh").unlink()
    monkeypatch.setenv("PATH", str(clone / "bin"))  # whatever this machine has
    status, shown = on_a_terminal("", "@jo")
    assert status == 0
    assert shown.endswith("gh is not on PATH: run these commands where it is, https://cli.github.com\n")


def test_who_works_alone_needs_no_approval() -> None:
    pull_request = next(each for each in rule("main", 0)["rules"] if each["type"] == "pull_request")  # type: ignore[attr-defined]
    assert [name for name, value in pull_request["parameters"].items() if value] == ["dismiss_stale_reviews_on_push"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name who approves changes of the code: make pipeline-setup OWNERS=@acme/platform\n"),
        (["--owners"], "name who approves changes of the code: make pipeline-setup OWNERS=@acme/platform\n"),
    ],
)
def test_the_owners_are_asked_for(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("owner", ["jo", "@", "@acme/", "@a|b", "@acme/platform/x", "somebody@shop.example"])
def test_an_owner_is_a_user_or_a_team(capsys: pytest.CaptureFixture[str], owner: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--owners", owner])
    assert ended.value.code == 2
    assert f"or @somebody, got {owner}\n" in capsys.readouterr().err


def test_a_wrong_configuration_is_reported(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("glue-sessions.yaml").write_text(json.dumps({**SETTINGS, "pipeline": None}))
    assert main(["--owners", "@jo"]) == 2
    assert capsys.readouterr().err.startswith("glue-sessions.yaml: pipeline: supply this section")


def test_without_credentials_the_account_is_asked_for(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(clone))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    dev = {name: value for name, value in SETTINGS["environments"]["dev"].items() if name != "account_id"}
    Path("glue-sessions.yaml").write_text(json.dumps({**SETTINGS, "environments": {"dev": dev}}))
    assert main(["--owners", "@jo"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("set account_id of an environment in glue-sessions.yaml, or sign in to the account")
    assert err.count("\n") == 1


def test_variables_that_the_workflows_do_not_pass_are_named(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFIX", "data")
    text = json.dumps({**SETTINGS, "state": {**SETTINGS["state"], "key_prefix": "${PREFIX}"}})
    Path("glue-sessions-emea.yaml").write_text(text)
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", "glue-sessions-emea.yaml")
    lines = printed(capsys, "@jo").splitlines()
    assert "gh variable set PREFIX --repo acme/glue-sessions --body data" in lines
    assert "gh variable set GLUE_SESSIONS_CONFIG --repo acme/glue-sessions --body glue-sessions-emea.yaml" in lines
    assert [line.partition(": ")[2] for line in lines if line.startswith("# add this line")] == [
        "PREFIX: ${{ vars.PREFIX }}",
        "GLUE_SESSIONS_CONFIG: ${{ vars.GLUE_SESSIONS_CONFIG }}",
    ]


def test_another_branch_than_main_is_named(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(branch="live")
    script = printed(capsys, "@jo")
    assert "# change main to live in plan.yaml, apply.yaml and tests.yaml" in script
    assert '"refs/heads/live"' in script


def test_the_workflows_have_the_required_checks_and_pass_the_variables() -> None:
    texts = {file.stem: file.read_text(encoding="utf-8") for file in WORKFLOWS}
    gates = [read(texts[name])["jobs"]["gate"]["name"] for name in ("plan", "tests")]
    assert tuple(gates) == CHECKS
    for name in ("plan", "apply", "drift"):
        assert set(re.findall(r"^ +(\w+): \$\{\{ vars\.\1 \}\}", texts[name], re.MULTILINE)) >= set(PASSED)


def test_everything_but_the_configuration_has_owners(tmp_path: Path) -> None:
    # git finds the last pattern that matches, as GitHub does
    lines = [line.split() for line in (ROOT / OWNERS_FILE).read_text().splitlines() if line and line[0] != "#"]
    (tmp_path / "patterns").write_text("\n".join(pattern for pattern, *_ in lines))
    owners = {pattern: names for pattern, *names in lines}
    files = [".github/workflows/plan.yaml", "main.py", "stacks/trust/a.py", "docs/glue-sessions.yaml", "Makefile"]
    files += ["glue-sessions.schema.json", ".review-accept.yaml", ".github/CODEOWNERS"]
    configuration = ["glue-sessions.yaml", "glue-sessions-emea.yaml", "trust/a.json", "trust/deep/b.json"]
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=patterns", "check-ignore", "-v", "--no-index", *files, *configuration],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = {path: line.split(":", 2)[2] for line, path in (each.split("\t") for each in done.stdout.splitlines())}
    assert [path for path in (*files, *configuration) if not owners[found[path]]] == configuration
    unowned = {pattern.removeprefix("/") for pattern, names in owners.items() if not names}
    assert {*unowned, ".review-accept.yaml"} == set(CONFIGURATION)
