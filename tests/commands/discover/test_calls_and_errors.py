"""`discover` reads each resource once, in all regions, and continues after errors."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from commands.discover.__main__ import main
from sandbox.launcher import Sandbox
from tests.aws_proxy import Answer, AwsProxy, Refusal
from tests.commands.discover.conftest import ACCOUNT, STATE, MakeRole, Run, configure
from tests.commands.discover.studio import Studio
from tests.repository import AS_SHIPPED, ROOT


def test_a_fleet_takes_each_call_once(discover: Run, studio: Studio, proxy: AwsProxy, make_role: MakeRole) -> None:
    shared = ("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess")
    roles = [make_role(f"fleet-{number}", attached=shared) for number in range(10)]
    for domain in range(50):
        studio.domain(f"d-{domain}", role=roles[domain % 10], space_role=roles[0])
        studio.space(f"d-{domain}", "ours", sharing="Shared")
    users = [(f"d-{domain}", f"user-{user}", user) for domain in range(50) for user in range(20)]
    studio.profiles({(domain, name): roles[user % 10] if user % 3 == 0 else None for domain, name, user in users})

    run = discover("--json")
    assert (run.status, run.err) == (0, "")
    assert sum(len(domain["user_profiles"]) for domain in run.json["domains"]) == 1000
    assert [call for call, times in Counter(proxy.calls).items() if times > 1] == []
    assert run.json["api_calls"] == dict(Counter(proxy.operations))
    assert run.json["api_calls"] == {
        "DescribeUserProfile": 1000,
        "DescribeDomain": 50,
        "ListUserProfiles": 10,
        "GetRole": 10,
        "ListAttachedRolePolicies": 10,
        "ListRolePolicies": 10,
        "GetPolicy": 2,
        "GetPolicyVersion": 2,
        "GetCallerIdentity": 1,
        "ListDomains": 1,
        "ListSpaces": 1,
        "GetAccountSummary": 1,
    }


def test_all_enabled_regions_are_searched(discover: Run, studio: Studio, proxy: AwsProxy) -> None:
    run = discover("--json", region=None)
    assert run.status == 0
    asked = {call.region for call in proxy.calls if call.operation == "ListDomains"}
    assert {"us-east-1", "eu-west-1"} < asked == set(run.json["regions"])


def test_all_regions_are_tried_if_the_enabled_ones_may_not_be_listed(
    discover: Run, studio: Studio, proxy: AwsProxy, make_role: MakeRole
) -> None:
    studio.domain("d-1", role=make_role("found"))
    proxy.refuse("DescribeRegions", "UnauthorizedOperation", "You are not authorized to perform this operation.")
    run = discover("--json", region=None)
    assert run.status == 0
    assert run.role("found")["regions"] == ["us-east-1"]
    assert run.err.splitlines()[0] == (
        "us-east-1: ec2:DescribeRegions: access denied: You are not authorized to perform this operation"
    )
    assert "trying all" in run.err


def test_a_disabled_region_is_one_line_and_the_others_are_searched(
    discover: Run, studio: Studio, proxy: AwsProxy, make_role: MakeRole
) -> None:
    studio.domain("d-1", role=make_role("found"))

    def list_domains(parameters: dict[str, object], region: str) -> Answer:
        if region == "eu-south-1":
            return Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        return None

    proxy.answers["ListDomains"] = list_domains
    run = discover("--json", "--region", "eu-south-1", "us-east-1", region=None)
    assert run.status == 0
    assert [role["name"] for role in run.json["roles"]] == ["found"]
    assert run.err.splitlines() == run.json["errors"]
    assert len(run.err.splitlines()) == 1
    assert run.err.startswith("eu-south-1: sagemaker:ListDomains: ")
    assert "the region is not enabled for this account" in run.err


@pytest.mark.parametrize(
    ("operation", "place"),
    [
        ("DescribeDomain", "us-east-1: sagemaker:DescribeDomain of {d-1}"),
        ("ListUserProfiles", "us-east-1: sagemaker:ListUserProfiles"),
        ("DescribeUserProfile", "us-east-1: sagemaker:DescribeUserProfile of {d-1}/ann"),
        ("ListSpaces", "us-east-1: sagemaker:ListSpaces"),
        ("GetAccountSummary", "quotas: iam:GetAccountSummary"),
        ("GetRole", "roles: iam:GetRole of one"),
        ("ListAttachedRolePolicies", "roles: iam:ListAttachedRolePolicies of one"),
        ("ListRolePolicies", "roles: iam:ListRolePolicies of one"),
        ("GetRolePolicy", "roles: iam:GetRolePolicy of mine of one"),
        ("GetPolicy", "policies: iam:GetPolicy of arn:aws:iam::aws:policy/AmazonS3FullAccess"),
        ("GetPolicyVersion", "policies: iam:GetPolicyVersion of arn:aws:iam::aws:policy/AmazonS3FullAccess"),
    ],
)
def test_a_denied_call_is_one_line_and_the_rest_is_done(
    discover: Run, studio: Studio, proxy: AwsProxy, make_role: MakeRole, operation: str, place: str
) -> None:
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    studio.domain(
        "d-1", role=make_role("one", attached=("arn:aws:iam::aws:policy/AmazonS3FullAccess",), inline={"mine": allow})
    )
    studio.domain("d-2", role=make_role("two"))
    studio.profile("d-1", "ann")
    refused: list[str] = []

    def first_refused(parameters: dict[str, object], region: str) -> Answer:
        subject = "two" if "two" in str(parameters) or studio.ids["d-2"] in str(parameters) else "one"
        if subject == "two":
            return None
        refused.append(operation)
        return Refusal("AccessDeniedException", "User is not authorized to perform this.", 403)

    proxy.answers[operation] = first_refused
    run = discover("--json")
    assert run.status == 0
    place = place.format(**studio.ids)
    assert run.err.splitlines() == [f"{place}: access denied: User is not authorized to perform this"]
    assert run.role("two")["glue_trust"] == "denied"
    assert refused == [operation]


def test_the_same_error_of_many_calls_is_one_line(discover: Run, studio: Studio, proxy: AwsProxy) -> None:
    studio.domain("d-1")
    for number in range(30):
        studio.profile("d-1", f"user-{number}")
    proxy.refuse("DescribeUserProfile", "AccessDeniedException")
    run = discover("--json")
    assert len(run.err.splitlines()) == 1
    assert run.err.endswith("(and 29 more like it)\n")


def test_an_unreadable_policy_leaves_the_decision_open(
    discover: Run, studio: Studio, proxy: AwsProxy, make_role: MakeRole
) -> None:
    studio.domain("d-1", role=make_role("dark", attached=("arn:aws:iam::aws:policy/AmazonS3FullAccess",)))
    proxy.refuse("GetPolicyVersion", "AccessDenied")
    line = discover("--json").role("dark")["obstacles"][0]
    assert line.endswith("whether policy AmazonS3FullAccess denies it is unknown, it could not be read")


def test_a_throttled_call_is_tried_again(discover: Run, studio: Studio, proxy: AwsProxy, make_role: MakeRole) -> None:
    studio.domain("d-1", role=make_role("slow"))
    left = [Refusal("ThrottlingException", "Rate exceeded")] * 2

    def throttled(parameters: dict[str, object], region: str) -> Answer:
        return left.pop() if left else None

    proxy.answers["DescribeDomain"] = throttled
    run = discover("--json")
    assert (run.status, run.err) == (0, "")
    assert proxy.operations.count("DescribeDomain") == 3
    assert run.json["api_calls"]["DescribeDomain"] == 1


def test_a_missing_role_gets_a_note(discover: Run, studio: Studio) -> None:
    studio.domain("d-1", role=f"arn:aws:iam::{ACCOUNT}:role/gone")
    run = discover("--json")
    assert run.role("gone")["notes"] == ["there is no such role, apps that use it cannot start"]


def test_a_role_of_another_account_is_not_read(discover: Run, studio: Studio, proxy: AwsProxy) -> None:
    studio.domain("d-1", role="arn:aws:iam::999999999999:role/elsewhere")
    run = discover("--json")
    assert run.err == (
        f"arn:aws:iam::999999999999:role/elsewhere: belongs to another account than {ACCOUNT}, not read\n"
    )
    assert "GetRole" not in proxy.operations


def test_an_account_without_domains_is_a_success(discover: Run, studio: Studio) -> None:
    run = discover()
    assert (run.status, run.err) == (0, "")
    assert "no execution roles" in run.out


def test_the_status_is_2_if_nothing_could_be_read(discover: Run, studio: Studio, proxy: AwsProxy) -> None:
    proxy.refuse("ListDomains", "AccessDeniedException")
    assert discover().status == 2


def test_rejected_credentials_are_one_line(discover: Run, proxy: AwsProxy) -> None:
    proxy.refuse("GetCallerIdentity", "ExpiredToken", "The security token included in the request is expired")
    run = discover()
    assert (run.status, run.out) == (2, "")
    assert run.err == (
        "the AWS credentials have expired, sign in again: The security token included in the request is expired\n"
    )


def test_no_credentials_are_one_line(discover: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    run = discover()
    assert (run.status, run.out, run.err) == (2, "", "no AWS credentials found, sign in or set AWS_PROFILE\n")
    assert "credentials" in str(NoCredentialsError()).lower()


def test_a_profile_that_does_not_exist_is_one_line(discover: Run) -> None:
    run = discover("--profile", "nobody")
    assert run.status == 2
    assert run.err.splitlines() == [
        "The config profile (nobody) could not be found, choose one of `aws configure list-profiles`"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--region", "Ireland"], 'supply the name of an AWS region, like eu-west-1, got "Ireland"'),
        (["--additive"], "--additive and --role require --write"),
        (["--role", "a"], "--additive and --role require --write"),
        (["--write", "../dev"], 'supply the name of an environment, 1 to 32 letters, digits, _ and -, got "../dev"'),
    ],
)
def test_wrong_arguments_are_errors(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(message)


def test_help_comes_without_loading_an_aws_client() -> None:
    code = (
        "import sys, contextlib, commands.discover.__main__ as d\n"
        "with contextlib.suppress(SystemExit): d.main(['--help'])\n"
        "print(sorted({'boto3', 'botocore', 'rich', 'pydantic'} & sys.modules.keys()))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_an_orphaned_state_is_reported(
    discover: Run, studio: Studio, make_role: MakeRole, sandbox: Sandbox, tmp_path: Path
) -> None:
    studio.domain("d-1", role=make_role("team"))
    configure(tmp_path, "[{role: team}]")
    s3 = sandbox.client("s3")
    key = "glue-sessions/dev/gone.tfstate"
    assert discover("--json").json["orphaned_states"] == []  # the bucket does not exist yet
    s3.create_bucket(Bucket="some-states")
    try:
        s3.put_object(Bucket="some-states", Key=key, Body=STATE.format("aws_iam_role_policy").encode())
        found, printed = discover("--json"), discover()
    finally:
        s3.delete_object(Bucket="some-states", Key=key)
        s3.delete_bucket(Bucket="some-states")
    line = (
        f"orphaned state: dev/gone is not in the configuration, but its state s3://some-states/{key} still has grants:"
        " add the role back with released: true, apply, then remove it"
    )
    assert (found.json["orphaned_states"], found.json["errors"]) == ([line], [])
    assert " ".join(line.split()) in " ".join(printed.out.split())


def test_unreadable_states_are_one_line_and_the_rest_is_done(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    studio.domain("d-1", role=make_role("team"))
    configure(tmp_path, "[{role: team}]", state="{bucket: some-states, region: us-east-1, profile: nobody}")
    run = discover("--json")
    assert run.status == 0
    assert [role["name"] for role in run.json["roles"]] == ["team"]
    (line,) = run.err.splitlines()
    assert line.startswith("s3://some-states: orphaned states: ")


def test_the_command_runs_as_a_module(sandbox: Sandbox) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "commands.discover", "--region", "us-east-1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **sandbox.environment, "GLUE_SESSIONS_CONFIG": str(AS_SHIPPED)},
    )
    assert ran.returncode == 0
    # the file as shipped reads variables
    assert ran.stderr.startswith(f"roles count as not configured: {AS_SHIPPED}: state.bucket: set the environment")
    assert f"account {ACCOUNT}: " in ran.stdout


def test_a_configuration_with_errors_is_reported_and_its_roles_count_as_not_configured(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    studio.domain("d-1", role=make_role("team"))
    (tmp_path / "glue-sessions.yaml").write_text("state: {bucket: my-bucket}\nenvironments: {}\n")
    run = discover("--json")
    assert run.status == 0
    assert run.role("team")["stacks"] == []
    assert run.err == (
        f"roles count as not configured: {tmp_path}/glue-sessions.yaml:"
        " state.region: supply this setting, it is missing (and 1 more)\n"
    )
