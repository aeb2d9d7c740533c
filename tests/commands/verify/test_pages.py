"""What `verify` prints: a summary, what is not well, the next command; with `--all` each call too."""

from pathlib import Path

import pytest

from commands.verify.problems import Remedy
from iam.documents.grants import managed_policies
from iam.documents.recipe import glue_statement, trust_policy
from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT, SAGEMAKER, STATE, MakeRole
from tests.commands.expected_pages import check_page
from tests.commands.verify.conftest import DENY_GLUE, Granted, Run
from tests.repository import ROOT
from tests.trust_policies import trust as trusting

EXPECTED = Path(__file__).parent / "expected"
WIDTH = 100


@pytest.fixture(autouse=True)
def _documents_only(proxy: AwsProxy, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.refuse("SimulatePrincipalPolicy", "AccessDenied")
    sandbox.client("s3").create_bucket(Bucket="verify-states")
    monkeypatch.setenv("COLUMNS", str(WIDTH))


def test_every_kind_of_problem_has_its_remedy(
    verify: Run, granted: Granted, make_role: MakeRole, proxy: AwsProxy, sandbox: Sandbox
) -> None:
    people = {**SAGEMAKER, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    conditional = {**glue_statement(), "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    network = {**DENY_GLUE["Statement"], "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}
    granted("ready")
    make_role("bare-1")
    make_role("bare-2")
    granted("shared", trust=trusting(*trust_policy()["Statement"], people))
    granted("denied", inline={"no-glue": DENY_GLUE})
    granted("network", inline={"network": {**DENY_GLUE, "Statement": network}})
    granted("external", trust=trusting(SAGEMAKER))
    granted("conditional", trust=trusting(SAGEMAKER, conditional))
    granted("left")
    granted("datazone_usr_role_1")
    granted("dark")
    proxy.refuse_where("GetRole", "RoleName", "dark", "AccessDenied")
    s3, key = sandbox.client("s3"), "glue-sessions/dev/former.tfstate"
    s3.put_object(Bucket="verify-states", Key=key, Body=STATE.format("aws_iam_role_policy").encode())
    external = "trust: {ownership: external}"
    entries = [
        *("role: ready", "role: bare-1", "role: bare-2", "role: shared", "role: denied", "role: network"),
        *(f"role: external, {external}", f"role: conditional, {external}", "role: left, released: true"),
        *("role: datazone_usr_role_1", "role: dark", "role: gone"),
        f"role: 'arn:aws:iam::{ACCOUNT}:role/other-path/ready-2'",
    ]
    granted("ready-2")
    roles = "[" + ", ".join(f"{{{entry}}}" for entry in entries) + "]"
    try:
        run = verify(roles=roles)
    finally:
        s3.delete_object(Bucket="verify-states", Key=key)
    assert run.status == 2
    check_page(EXPECTED / "every-problem.txt", run.out)
    states = {role["state"]: role for role in verify("--json", roles=roles).json["roles"]}
    assert [state for state, role in states.items() if not role["remedies"]] == ["ready"]
    assert states["undecided"]["remedies"][0]["commands"] == [
        "./glue-sessions verify --start-session glue-sessions-dev-conditional"
    ]


def test_one_ready_role_is_one_line(verify: Run, granted: Granted) -> None:
    granted()
    run = verify("*team")
    assert run.status == 0
    check_page(EXPECTED / "ready.txt", run.out)


def test_all_calls_are_printed_on_request(verify: Run, granted: Granted) -> None:
    granted(inline={"no-glue": DENY_GLUE})
    check_page(EXPECTED / "all-calls.txt", verify("--all", "*team").out)


def test_nothing_is_lost_that_a_role_never_had(verify: Run, make_role: MakeRole) -> None:
    make_role("team")
    run = verify("*team")
    assert "missing: glue.amazonaws.com may sts:AssumeRole" in " ".join(run.out.split())
    assert "lost" not in run.out
    assert all(policy.policy_name in run.out for policy in managed_policies())


def test_a_fleet_with_one_problem_is_said_once(verify: Run, make_role: MakeRole) -> None:
    names = [f"team-{number}" for number in range(9)]
    for name in names:
        make_role(name)
    run = verify(roles="[" + ", ".join(f"{{role: {name}}}" for name in names) + "]")
    assert run.out.splitlines()[0] == "9 roles: 9 not ready"
    assert "glue-sessions-dev-team-0, glue-sessions-dev-team-1, glue-sessions-dev-team-2, and 6 more" in " ".join(
        run.out.split()
    )
    assert run.out.count("is not attached") == 1
    assert "./glue-sessions apply " + " ".join(f"glue-sessions-dev-{name}" for name in names) in run.out


def test_each_remedy_is_on_the_page() -> None:
    page = (ROOT / "docs/verify.md").read_text(encoding="utf-8")
    assert [remedy.value for remedy in Remedy if f"`{remedy.value}`" not in page] == []
