import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from iam.documents.grants import SETUP_POLICY, policy_grants
from iam.documents.recipe import PERMISSION_LEVELS, Permissions, glue_statement, trust_policy
from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT, SAGEMAKER, STATE, MakeRole
from tests.commands.verify.conftest import DENY_GLUE, Granted, Run
from tests.repository import ROOT
from tests.trust_policies import trust as trusting

PEOPLE = {**SAGEMAKER, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}


@pytest.fixture(autouse=True)
def _documents_only(proxy: AwsProxy) -> None:
    """Deny the simulation; tests of the simulation override this."""
    proxy.refuse("SimulatePrincipalPolicy", "AccessDenied")


@pytest.fixture(autouse=True)
def _states(sandbox: Sandbox) -> None:
    sandbox.client("s3").create_bucket(Bucket="verify-states")


@pytest.mark.parametrize("permissions", PERMISSION_LEVELS)
def test_a_role_with_the_grants_is_ready(verify: Run, granted: Granted, permissions: str) -> None:
    arn = granted(permissions=permissions)
    run = verify("--json", roles=f"[{{role: {arn}, permissions: {permissions}}}]")
    assert run.status == 0
    role = run.role("team")
    assert (role["state"], role["problems"], role["arn"]) == ("ready", [], arn)
    denied = {action for action, verdict in run.verdicts("team").items() if verdict == "denied"}
    assert denied == ({"glue:GetTags", "glue:GetDatabases"} if permissions == "recipe" else set())


def test_a_role_without_grants_is_not_ready_and_each_is_named(verify: Run, make_role: MakeRole) -> None:
    make_role("team")
    run = verify("--json")
    assert run.status == 1
    role = run.role("team")
    assert role["state"] == "not ready"
    assert [problem.partition(":")[0] for problem in role["problems"]] == [
        "the managed policy AwsGlueSessionUserRestrictedServiceRole is not attached",
        f"the inline policy {SETUP_POLICY.policy_name} is missing",
        "the trust policy does not match the configuration",
    ]
    assert "glue.amazonaws.com may sts:AssumeRole" in role["problems"][2]
    assert set(run.verdicts("team").values()) == {"denied", "allowed"}
    assert run.verdicts("team")["sts:GetCallerIdentity"] == "allowed"


def test_drifted_permissions_are_named_in_words(verify: Run, granted: Granted) -> None:
    granted(permissions="recipe")
    problems = verify("--json", roles="[{role: team, permissions: least-privilege}]").role("team")["problems"]
    assert len(problems) == 1
    assert problems[0].startswith(
        f"the inline policy {SETUP_POLICY.policy_name} does not match permissions: least-privilege: "
    )
    assert "iam:PassRole on *" in problems[0]


def test_trust_of_others_is_a_mismatch_of_authoritative_but_not_of_additive(verify: Run, granted: Granted) -> None:
    granted(trust=trusting(*trust_policy()["Statement"], PEOPLE))
    run = verify("--json")
    assert run.status == 1
    assert f"account {ACCOUNT} may sts:AssumeRole" in run.role("team")["problems"][0]
    assert verify("--json", roles="[{role: team, trust: {ownership: additive}}]").status == 0
    assert verify("--json", roles="[{role: team, trust: {ownership: external}}]").status == 0


def test_kept_statements_are_no_mismatch(verify: Run, granted: Granted, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text(str(trusting(SAGEMAKER, PEOPLE)).replace("'", '"'))
    granted(trust=trusting(PEOPLE, SAGEMAKER, glue_statement()))
    assert verify("--json", roles="[{role: team, trust: {keep: kept.json}}]").status == 0


@pytest.mark.parametrize("ownership", ["additive", "external"])
def test_a_role_that_does_not_trust_glue_is_not_ready(verify: Run, granted: Granted, ownership: str) -> None:
    granted(trust=trusting(SAGEMAKER))
    run = verify("--json", roles=f"[{{role: team, trust: {{ownership: {ownership}}}}}]")
    assert run.status == 1
    assert run.role("team")["problems"] == ["the trust policy does not name glue.amazonaws.com"]
    assert run.verdicts("team")["sts:AssumeRole"] == "denied"


def test_glue_trusted_under_conditions_is_undecided_and_not_ready(verify: Run, granted: Granted) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    granted(trust=trusting(SAGEMAKER, {**glue_statement(), "Condition": condition}))
    run = verify("--json", roles="[{role: team, trust: {ownership: external}}]")
    assert (run.status, run.role("team")["state"]) == (1, "undecided")


def test_an_explicit_deny_is_named(verify: Run, granted: Granted) -> None:
    granted(inline={"no-glue": DENY_GLUE})
    run = verify("--json")
    assert run.status == 1
    assert run.role("team")["problems"] == [
        "glue:CreateSession, glue:TagResource and 6 more of the kernel's calls: policy no-glue denies it"
    ]


def test_a_boundary_is_named(verify: Run, granted: Granted) -> None:
    granted(boundary="arn:aws:iam::aws:policy/AWSGlueConsoleFullAccess")
    run = verify("--json")
    assert run.status == 1
    assert run.role("team")["problems"][0].endswith(
        "the permissions boundary AWSGlueConsoleFullAccess does not allow it"
    )


def test_a_released_role_without_grants_is_released(verify: Run, make_role: MakeRole) -> None:
    make_role("team")
    run = verify("--json", roles="[{role: team, released: true}]")
    assert (run.status, run.role("team")["state"], run.role("team")["calls"]) == (0, "released", [])


def test_grants_that_a_released_role_still_has_are_named(verify: Run, granted: Granted) -> None:
    granted()
    run = verify("--json", roles="[{role: team, released: true}]")
    assert run.status == 1
    assert [problem.rpartition(" ")[2] for problem in run.role("team")["problems"]] == [
        "attached",
        "exists",
        "statement",
    ]


STATE_KEY = "glue-sessions/dev/team.tfstate"


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (None, "grants-stay"),
        ({"aws_iam_role.execution_role", *(grant.address for grant in policy_grants())}, "release"),
        ({"aws_iam_role.execution_role"}, "grants-stay"),
        ({"aws_iam_role.execution_role", SETUP_POLICY.address}, "grants-stay"),
        ("unreadable", "release"),
    ],
)
def test_what_a_released_role_still_has_is_compared_with_its_state(
    verify: Run, granted: Granted, sandbox: Sandbox, proxy: AwsProxy, state: set[str] | str | None, remedy: str
) -> None:
    granted()
    s3 = sandbox.client("s3")
    if isinstance(state, set):
        resources = [{"type": a.partition(".")[0], "name": a.partition(".")[2], "instances": [{}]} for a in state]
        s3.put_object(Bucket="verify-states", Key=STATE_KEY, Body=json.dumps({"resources": resources}).encode())
    elif state:
        proxy.refuse(f"GET /verify-states/{STATE_KEY}", "AccessDenied")
    try:
        run = verify("--json", "*team", roles="[{role: team, released: true}]")
    finally:
        s3.delete_object(Bucket="verify-states", Key=STATE_KEY)
    assert run.status == 1
    assert [each["remedy"] for each in run.role("team")["remedies"]] == [remedy]
    assert (STATE_KEY in run.err) is (state == "unreadable")


FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


@pytest.mark.parametrize(("permissions", "warned"), [("recipe", 0), ("least-privilege", 1), ("isolated", 0)])
def test_policies_that_pass_other_roles_to_glue_are_warned_of(
    verify: Run, granted: Granted, sandbox: Sandbox, permissions: Permissions, warned: int
) -> None:
    granted(permissions=permissions)
    sandbox.client("iam").attach_role_policy(RoleName="team", PolicyArn=FULL_ACCESS)
    run = verify("--json", "*team", roles=f"[{{role: team, permissions: {permissions}}}]")
    assert (run.status, run.role("team")["state"]) == (0, "ready")
    warnings = run.role("team")["warnings"]
    assert [each["warning"] for each in warnings] == ["other-roles-to-glue"] * warned
    assert all("on arn:aws:iam::*:role/*AmazonSageMaker*;" in each["text"] for each in warnings)
    lines = " ".join(verify("*team", roles=f"[{{role: team, permissions: {permissions}}}]").out.split())
    assert lines.count("isolated denies it") == warned


def test_a_role_of_two_environments_is_legal_and_warned_of(verify: Run, granted: Granted) -> None:
    granted()

    def warned(settings: str) -> list[list[str]]:
        more = f"  prod: {{region: eu-west-1, {settings}roles: [{{role: TEAM}}]}}\n"
        found = verify("--json", "glue-sessions-dev-team", more=more).json["roles"]
        return [[each["warning"] for each in role["warnings"]] for role in found]

    assert warned("") == [["configured-twice"]]
    assert warned(f"account_id: '{ACCOUNT}', ") == [["configured-twice"]]
    assert warned("account_id: '999999999999', ") == [[]]
    assert warned("deploy_role_arn: 'arn:aws:iam::999999999999:role/deploy', ") == [[]]


@pytest.mark.parametrize("sign", ["name", "trust"])
def test_a_role_of_unified_studio_is_not_supported(verify: Run, granted: Granted, sign: str) -> None:
    name = "datazone_usr_role_1" if sign == "name" else "team"
    datazone = {**SAGEMAKER, "Principal": {"Service": "datazone.amazonaws.com"}}
    granted(name, trust=trusting(*trust_policy()["Statement"], datazone) if sign == "trust" else None)
    run = verify("--json", roles=f"[{{role: {name}}}]")
    assert (run.status, run.role(name)["state"]) == (1, "not supported")
    assert "removes the Glue kernels from its notebooks" in run.role(name)["problems"][0]


def test_a_role_that_does_not_exist_is_not_ready(verify: Run) -> None:
    run = verify("--json")
    assert run.status == 1
    assert run.role("team")["problems"] == [f"there is no such role in account {ACCOUNT}"]


def test_a_configured_arn_with_another_path_is_named(verify: Run, granted: Granted) -> None:
    granted()
    run = verify("--json", roles=f"[{{role: 'arn:aws:iam::{ACCOUNT}:role/team'}}]")
    assert run.status == 1
    assert run.role("team")["problems"][0] == (
        f"the configuration names arn:aws:iam::{ACCOUNT}:role/team, but the role of that name is"
        f" arn:aws:iam::{ACCOUNT}:role/service-role/team"
    )


def test_an_unreadable_role_is_status_2_and_the_rest_is_done(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted("one")
    granted("two")
    proxy.refuse_where("GetRole", "RoleName", "one", "AccessDenied")
    run = verify("--json", roles="[{role: one}, {role: two}]")
    assert run.status == 2
    assert [role["state"] for role in run.json["roles"]] == ["not checked", "ready"]
    assert "roles: iam:GetRole of one: access denied: not today" in run.err.splitlines()


def test_unreadable_documents_leave_a_role_undecided(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted(inline={"other": DENY_GLUE})
    proxy.refuse_where("GetRolePolicy", "PolicyName", "other", "AccessDenied")
    run = verify("--json")
    assert (run.status, run.role("team")["state"]) == (1, "undecided")
    assert run.verdicts("team")["glue:RunStatement"] == "undecided"


OTHER_ACCOUNT = '  far: {region: us-east-1, account_id: "999999999999", roles: [{role: team}]}\n'


def test_the_roles_of_another_account_are_not_read(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted()
    run = verify("--json", more=OTHER_ACCOUNT)
    assert run.status == 2
    assert [role["state"] for role in run.json["roles"]] == ["ready", "not checked"]
    assert (
        f"environments.far: is account 999999999999, and the credentials are for {ACCOUNT}:"
        " use that account's, or set deploy_role_arn"
    ) in run.err.splitlines()
    assert proxy.operations.count("GetRole") == 1


def test_an_arn_of_another_account_is_reported(verify: Run, proxy: AwsProxy) -> None:
    run = verify("--json", roles="[{role: 'arn:aws:iam::999999999999:role/team'}]")
    assert run.status == 2
    assert "environments.dev: is account 999999999999" in run.err
    assert "GetRole" not in proxy.operations


def test_the_deploy_role_is_assumed(verify: Run, granted: Granted, make_role: MakeRole, proxy: AwsProxy) -> None:
    granted()
    deploy = make_role("deploy", trusting(PEOPLE), attached=("arn:aws:iam::aws:policy/AdministratorAccess",))
    environment = f"  far: {{region: us-east-1, deploy_role_arn: '{deploy}', roles: [{{role: team}}]}}\n"
    run = verify("--json", "glue-sessions-far-*", more=environment)
    assert (run.status, [role["state"] for role in run.json["roles"]]) == (0, ["ready"])
    assert proxy.operations.count("AssumeRole") == 1


def test_a_deploy_role_that_cannot_be_assumed_is_one_line(verify: Run, proxy: AwsProxy) -> None:
    proxy.refuse("AssumeRole", "AccessDenied", "User is not authorized to perform: sts:AssumeRole")
    environment = (
        f"  far: {{region: us-east-1, deploy_role_arn: 'arn:aws:iam::{ACCOUNT}:role/d', roles: [{{role: x}}]}}\n"
    )
    run = verify("--json", "glue-sessions-far-x", more=environment)
    assert run.status == 2
    assert run.err.splitlines() == [
        f"environments.far: assume arn:aws:iam::{ACCOUNT}:role/d: access denied:"
        " User is not authorized to perform: sts:AssumeRole"
    ]


def test_patterns_select_stacks(verify: Run, granted: Granted) -> None:
    granted("team-a")
    run = verify("--json", "*-a", roles="[{role: team-a}, {role: team-b}]")
    assert (run.status, [role["stack"] for role in run.json["roles"]]) == (0, ["glue-sessions-dev-team-a"])


def test_a_pattern_without_a_stack_is_an_error(verify: Run, proxy: AwsProxy) -> None:
    run = verify("prod-*")
    assert (run.status, run.out) == (2, "")
    assert run.err == 'no stack matches "prod-*"; stacks: glue-sessions-dev-team\n'
    assert proxy.calls == []


def test_a_wrong_configuration_is_reported_before_any_call(verify: Run, proxy: AwsProxy) -> None:
    run = verify(roles="[]")
    assert (run.status, run.out, proxy.calls) == (2, "", [])
    assert "environments.dev.roles" in run.err


def test_no_call_is_made_twice(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    names = [f"team-{number}" for number in range(5)]
    for name in names:
        granted(name)
    run = verify("--json", roles="[" + ", ".join(f"{{role: {name}}}" for name in names) + "]")
    assert run.status == 0
    assert [call for call, times in Counter(proxy.calls).items() if times > 1] == []
    assert proxy.operations.count("GetPolicyVersion") == 1


def test_orphaned_states_are_notes_unless_stacks_are_selected(verify: Run, granted: Granted, sandbox: Sandbox) -> None:
    granted()
    s3, key = sandbox.client("s3"), "glue-sessions/dev/gone.tfstate"
    s3.put_object(Bucket="verify-states", Key=key, Body=STATE.format("aws_iam_role_policy").encode())
    try:
        run, selected = verify("--json"), verify("--json", "*team")
    finally:
        s3.delete_object(Bucket="verify-states", Key=key)
    assert run.status == 0
    assert run.json["notes"] == [
        "orphaned state: dev/gone is not in the configuration, but its state"
        f" s3://verify-states/{key} still has grants: add the role back with released: true, apply, then remove it"
    ]
    assert selected.json["notes"] == []


def test_a_missing_state_bucket_is_one_line(verify: Run, granted: Granted, sandbox: Sandbox) -> None:
    granted()
    sandbox.client("s3").delete_bucket(Bucket="verify-states")
    run = verify("--json")
    assert run.status == 0
    assert any(line.startswith("s3://verify-states: ") for line in run.err.splitlines())


def test_no_credentials_are_one_line(verify: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    run = verify()
    assert (run.status, run.out, run.err) == (2, "", "no AWS credentials found, sign in or set AWS_PROFILE\n")


def test_help_comes_without_loading_an_aws_client() -> None:
    code = (
        "import sys, contextlib, commands.verify.__main__ as v\n"
        "with contextlib.suppress(SystemExit): v.main(['--help'])\n"
        "print(sorted({'boto3', 'botocore', 'rich', 'pydantic'} & sys.modules.keys()))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
