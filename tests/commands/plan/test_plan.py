"""`plan` saves and reports a plan per stack; the Terraform here is a shell script (real: tests/e2e/test_fleet.py)."""

import json
import os
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from commands import planning
from commands.plan.__main__ import main
from commands.plan_page import Page
from plans import plan as plans
from plans.plan import PlanError
from sandbox.launcher import Sandbox
from terraform_cli.planning import planned
from terraform_cli.terraform import Done
from tests.review.stack_plans import Stack

SUMMARY: dict[str, object] = {
    "@level": "info",
    "type": "change_summary",
    "@message": "Plan: 2 to add, 1 to change, 0 to destroy.",
}


def warning(summary: str) -> dict[str, object]:
    diagnostic = {"severity": "warning", "summary": summary, "detail": "In short.\n\nAt length."}
    return {"@level": "warn", "type": "diagnostic", "diagnostic": diagnostic}


def done(*events: dict[str, object]) -> Done:
    return Done(0, "\n".join(map(json.dumps, events)), "")


def test_the_summary_counts_what_changes() -> None:
    assert planned(done(SUMMARY)).summary == "2 to add, 1 to change"
    for message, summary in (
        ("Plan: 1 to add, 0 to change, 0 to destroy. Actions: 2 to invoke.", "1 to add, 2 to invoke"),  # Terraform
        ("Plan: 0 to add, 1 to change, 0 to destroy, 3 to forget.", "1 to change, 3 to forget"),  # OpenTofu
    ):
        assert planned(done({**SUMMARY, "@message": message})).summary == summary
    nothing = {**SUMMARY, "@message": "Plan: 0 to add, 0 to change, 0 to destroy."}
    assert planned(done(nothing)).summary == planned(done()).summary == "no changes"


def test_warnings_are_one_line_each_without_duplicates() -> None:
    result = planned(done(warning("Check block assertion failed"), warning("Check block assertion failed")))
    assert result.warnings == ("Check block assertion failed: In short",)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration of two roles and a Terraform that fails for the second."""
    (tmp_path / "glue-sessions.yaml").write_text(
        "state: {bucket: states, region: eu-west-1}\n"
        "environments: {dev: {region: eu-west-1, roles: [{role: one}, {role: two}]}}\n"
    )
    (tmp_path / "events").write_text("\n".join(map(json.dumps, (SUMMARY, warning("Look here")))))
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n[ $1 = init ] && exec mkdir .terraform\n"
        f"case $PWD in *two) echo 'Error: No such role'; exit 1;; esac\ntouch plan\ncat {tmp_path}/events\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr("review.plan_failures._caller", lambda _: (None, "123456789012"))  # no AWS here
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("GLUE_SESSIONS_CONFIG", "CDKTF_OUTDIR", "TERRAFORM_BINARY_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_stack_that_fails_does_not_stop_the_others_and_loses_its_old_plan(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stacks = project / "cdktf.out/stacks"
    (stacks / "glue-sessions-dev-two").mkdir(parents=True)
    (stacks / "glue-sessions-dev-two/plan").touch()
    assert main(["--parallelism", "2"]) == 2
    out, err = capfd.readouterr()
    assert out.splitlines() == [
        "glue-sessions-dev-one: 2 to add, 1 to change",
        "glue-sessions-dev-one: warning: Look here: In short",
    ]
    assert err.splitlines()[:2] == [
        "glue-sessions-dev-two: No such role",
        "1 of 2 stacks failed: glue-sessions-dev-two",
    ]
    assert err.splitlines()[2:] == ["Terraform's full output: cdktf.out/stacks/glue-sessions-dev-two/failed.log"]
    assert (stacks / "glue-sessions-dev-one/plan").exists()
    assert not (stacks / "glue-sessions-dev-two/plan").exists()


def test_patterns_select_stacks_and_an_unknown_one_is_an_error(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["*-one", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "stack": "glue-sessions-dev-one",
            "has_changes": True,
            "changes": {"add": 2, "change": 1},
            "warnings": ["Look here: In short"],
        }
    ]
    assert main(["three"]) == 2
    assert capsys.readouterr().err.startswith('no stack matches "three"; stacks: glue-sessions-dev-one')


ANOTHER = "account_id: '999999999999', "
MINE = "account_id: '123456789012', "


@pytest.mark.parametrize(
    ("dev", "prod", "asked", "warned"),
    [
        ("", "", 0, True),
        (MINE, ANOTHER, 0, False),
        (MINE, "", 1, True),
        ("", ANOTHER, 1, False),
        ("deploy_role_arn: 'arn:aws:iam::999999999999:role/deploy', ", "", 1, False),
    ],
    ids=["no account", "two accounts", "the caller's", "not the caller's", "a deploy role's"],
)
def test_a_role_of_two_stacks_is_warned_of(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    dev: str,
    prod: str,
    asked: int,
    warned: bool,
) -> None:
    calls: list[str] = []

    def caller() -> str:
        calls.append("sts:GetCallerIdentity")
        return "123456789012"

    monkeypatch.setattr("commands.planning._caller_account_id", caller)
    (project / "glue-sessions.yaml").write_text(
        "state: {bucket: states, region: eu-west-1}\nenvironments:\n"
        f"  dev: {{region: eu-west-1, {dev}roles: [{{role: one}}, {{role: other}}]}}\n"
        f"  prod: {{region: eu-west-1, {prod}roles: [{{role: ONE}}]}}\n"
    )
    assert main(["--json"]) == 0
    found = {each["stack"]: each["warnings"][1:] for each in json.loads(capsys.readouterr().out)}
    own = [
        "2 stacks own this role, each with its own state (glue-sessions-dev-one, glue-sessions-prod-ONE): what one"
        " changes or releases, the other loses; keep one of them"
    ] * warned
    assert found == {"glue-sessions-dev-one": own, "glue-sessions-dev-other": [], "glue-sessions-prod-ONE": own}
    assert len(calls) == asked


def test_a_role_that_two_stacks_may_own_is_undecided_where_the_caller_is_unknown(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise NoCredentialsError

    monkeypatch.setattr("commands.planning._caller_account_id", unknown)
    (project / "glue-sessions.yaml").write_text(
        "state: {bucket: states, region: eu-west-1}\nenvironments:\n"
        f"  dev: {{region: eu-west-1, {MINE}roles: [{{role: one}}]}}\n"
        "  prod: {region: eu-west-1, roles: [{role: one}]}\n"
    )
    assert main(["--json", "*-dev-*"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)[0]["warnings"] == ["Look here: In short"]
    assert err == (
        "whether several stacks own one role is undecided: no AWS credentials found, sign in or set AWS_PROFILE\n"
    )


@pytest.mark.parametrize("content", [Stack("one").released_without_state(), Stack("one").released()])
def test_the_page_ends_with_the_command_that_removes_grants_that_stay(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    page = Page("", plans.parse(content, "glue-sessions-dev-one"))
    monkeypatch.setattr("commands.plan_page.read_page", lambda *_: page)
    monkeypatch.setattr("commands.plan_page.show_page", lambda *_, **__: print("the page"))
    assert main(["*-one"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[:3] == ["the page", "", "To apply exactly this plan: ./glue-sessions apply-plan glue-sessions-dev-one"]
    stays = content == Stack("one").released_without_state()
    assert (
        out[3:]
        == [
            "To apply it, and then remove 2 grants that stay, in two steps: ./glue-sessions apply glue-sessions-dev-one"
        ]
        * stays
    )


def test_the_account_of_stacks_without_one_is_that_of_the_credentials(aws: Sandbox) -> None:
    planning._caller_account_id.cache_clear()
    assert planning._caller_account_id() == aws.client("sts").get_caller_identity()["Account"]


@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_of_several_stacks_each_plan_that_leaves_grants_on_a_released_role_has_a_warning(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    (project / "glue-sessions.yaml").write_text(
        "state: {bucket: states, region: eu-west-1}\nenvironments: {dev: {region: eu-west-1, roles: [{role: one},"
        " {role: left, released: true}, {role: done, released: true}, {role: damaged, released: true}]}}\n"
    )
    contents = {"left": Stack("left").released_without_state(), "done": Stack("done").released()}

    def read(file: str) -> plans.Plan:
        name = Path(file).parent.name.rpartition("-")[2]
        if name not in contents:
            raise PlanError(f"{name}: is damaged")
        return plans.parse(contents[name], name)

    monkeypatch.setattr("review.plan_files.read", read)
    assert main(["--format", format_]) == 2
    out, err = capsys.readouterr()
    warning = (
        "the role keeps AwsGlueSessionUserRestrictedServiceRole, glue-sagemaker-interactive-sessions-setup; to import"
        " them, and then delete them: ./glue-sessions apply glue-sessions-dev-left"
    )
    if format_ == "json":
        found = {each["stack"]: each.get("warnings", each.get("errors")) for each in json.loads(out)}
        assert found == {
            "glue-sessions-dev-one": ["Look here: In short"],
            "glue-sessions-dev-left": ["Look here: In short", warning],
            "glue-sessions-dev-done": ["Look here: In short"],
            "glue-sessions-dev-damaged": ["damaged: is damaged"],
        }
    else:
        assert [line for line in out.splitlines() if "keeps" in line] == [f"glue-sessions-dev-left: warning: {warning}"]
    assert err.splitlines()[0] == "glue-sessions-dev-damaged: damaged: is damaged"
