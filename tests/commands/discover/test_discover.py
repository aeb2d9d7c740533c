import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from commands.discover.__main__ import main
from iam.documents.recipe import INLINE_POLICY_NAME, glue_statement, inline_policy, managed_policy_arn, trust_policy
from sandbox.launcher import Sandbox
from tests.aws_proxy import Answer, AwsProxy, Refusal
from tests.commands.discover.conftest import ACCOUNT, SAGEMAKER, STATE, MakeRole, Run, trusting
from tests.commands.discover.studio import Studio
from tests.repository import ROOT

RECIPE = inline_policy("recipe", partition="aws", account_id=ACCOUNT, role_arn="unused")


def test_a_user_profile_without_a_role_uses_the_domains(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    domains, own = make_role("domains"), make_role("own")
    studio.domain("d-1", role=domains)
    studio.profile("d-1", "ann")
    studio.profile("d-1", "bob", role=own)
    found = discover("--json").json["domains"][0]["user_profiles"]
    assert found == [
        {"name": "ann", "execution_role": domains, "from": "domain"},
        {"name": "bob", "execution_role": own, "from": "user profile"},
    ]


def test_a_private_space_uses_its_owners_role_and_a_shared_one_the_domains_for_spaces(
    discover: Run, studio: Studio, make_role: MakeRole
) -> None:
    default, own, shared = make_role("default"), make_role("own"), make_role("shared")
    studio.domain("d-1", role=default, space_role=shared)
    studio.profile("d-1", "ann")
    studio.profile("d-1", "bob", role=own)
    studio.space("d-1", "anns", sharing="Private", owner="ann")
    studio.space("d-1", "bobs", sharing="Private", owner="bob")
    studio.space("d-1", "ours", sharing="Shared", owner="bob")
    studio.space("d-1", "classic")
    found = {space["name"]: space["execution_role"] for space in discover("--json").json["domains"][0]["spaces"]}
    assert found == {"anns": default, "bobs": own, "ours": shared, "classic": shared}


def test_a_shared_space_in_a_domain_without_a_role_for_spaces_has_none(
    discover: Run, studio: Studio, make_role: MakeRole
) -> None:
    studio.domain("d-1", role=make_role("default"))
    studio.space("d-1", "ours", sharing="Shared")
    assert discover("--json").json["domains"][0]["spaces"][0]["execution_role"] is None


def test_a_role_without_grants_has_none(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    studio.domain("d-1", role=make_role("bare"))
    role = discover("--json").role("bare")
    assert (role["managed_policy"], role["inline_policy"], role["glue_trust"]) == (False, "absent", "denied")
    assert role["trust"] == ["sagemaker.amazonaws.com may sts:AssumeRole"]
    assert role["also_trusts"] == role["obstacles"] == role["notes"] == []
    assert role["used_by"] == {"domains": 1, "user_profiles": 0, "spaces": 0}


@pytest.mark.parametrize("kind", ["recipe", "least-privilege"])
def test_each_grant_is_recognized(discover: Run, studio: Studio, make_role: MakeRole, kind: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/service-role/granted"
    document = inline_policy(kind, partition="aws", account_id=ACCOUNT, role_arn=arn)  # type: ignore[arg-type]
    grants = {"attached": (managed_policy_arn("aws"),), "inline": {INLINE_POLICY_NAME: document}}
    studio.domain("d-1", role=make_role("granted", trust_policy(), **grants))
    role = discover("--json").role("granted")
    assert (role["managed_policy"], role["inline_policy"], role["glue_trust"]) == (True, kind, "allowed")


def test_an_inline_policy_with_our_name_and_other_content_is_recognized(
    discover: Run, studio: Studio, make_role: MakeRole
) -> None:
    theirs = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
    }
    studio.domain("d-1", role=make_role("theirs", inline={INLINE_POLICY_NAME: theirs}))
    role = discover("--json").role("theirs")
    assert role["inline_policy"] == "other"
    assert "releasing the role removes them" in role["notes"][0]


def test_other_trusted_principals_are_named(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    forecast = {**SAGEMAKER, "Principal": {"Service": ["sagemaker.amazonaws.com", "forecast.amazonaws.com"]}}
    people = {**SAGEMAKER, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    studio.domain("d-1", role=make_role("many", trusting(forecast, people)))
    assert discover("--json").role("many")["also_trusts"] == [f"account {ACCOUNT}", "forecast.amazonaws.com"]


def test_glue_trusted_under_a_condition_is_undecided(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    conditional = {**glue_statement(), "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    studio.domain("d-1", role=make_role("conditional", trusting(SAGEMAKER, conditional)))
    role = discover("--json").role("conditional")
    assert role["glue_trust"] == "undecided"
    assert "aws:SourceAccount" in role["glue_trust_reason"]


def test_an_explicit_deny_is_an_obstacle(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    deny = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "glue:Create*", "Resource": "*"}}
    studio.domain("d-1", role=make_role("refused", inline={"no-glue": deny}))
    assert discover("--json").role("refused")["obstacles"] == ["glue:CreateSession: policy no-glue denies it"]


def test_a_boundary_is_an_obstacle(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    boundary = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    studio.domain("d-1", role=make_role("bounded", boundary=boundary))
    lines = discover("--json").role("bounded")["obstacles"]
    assert lines == [
        "iam:GetRole, iam:PassRole and 8 more of the kernel's calls:"
        " the permissions boundary AmazonS3FullAccess does not allow it"
    ]


def test_a_full_quota_of_attached_policies_is_an_obstacle(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    names = ["IAMFullAccess", "AmazonS3FullAccess", "AmazonEC2FullAccess", "AmazonVPCFullAccess", "AmazonSQSFullAccess"]
    names += ["AmazonSNSFullAccess", "AmazonRDSFullAccess", "AmazonSESFullAccess", "AWSGlueConsoleFullAccess"]
    names += ["AmazonKinesisFullAccess"]
    attached = tuple(f"arn:aws:iam::aws:policy/{name}" for name in names)
    studio.domain("d-1", role=make_role("full", attached=attached))
    assert "10 managed policies are attached, the quota is 10" in discover("--json").role("full")["obstacles"]


def test_a_trust_policy_with_no_room_is_an_obstacle(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    ids = [f"AIDAEXAMPLE{number:04}" for number in range(99)]
    long = {**SAGEMAKER, "Condition": {"StringNotEquals": {"aws:userid": ids}}}
    studio.domain("d-1", role=make_role("long", trusting(long)))
    assert any("the quota is 2048" in line for line in discover("--json").role("long")["obstacles"])


@pytest.mark.parametrize("sign", ["domain", "name", "trust"])
def test_roles_of_unified_studio_are_not_supported(
    discover: Run, studio: Studio, make_role: MakeRole, sign: str
) -> None:
    datazone = {**SAGEMAKER, "Principal": {"Service": "datazone.amazonaws.com"}}
    name = "datazone_usr_role_x_y" if sign == "name" else f"by-{sign}"
    arn = make_role(name, trusting(SAGEMAKER, datazone) if sign == "trust" else None)
    settings = {"UnifiedStudioSettings": {"StudioWebPortalAccess": "ENABLED", "DomainId": "dzd_1"}}
    studio.domain("d-1", role=arn, DomainSettings=settings if sign == "domain" else {})
    run = discover("--json", "--write", "dev")
    assert run.role(name)["not_supported"].startswith("it belongs to SageMaker Unified Studio: ")


def test_a_configured_role_is_listed_with_its_stack(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    configure(tmp_path, "[{role: known}]")
    studio.domain(
        "d-1", role=make_role("known"), space_role=make_role("unknown", attached=(managed_policy_arn("aws"),))
    )
    run = discover("--json")
    assert run.role("known")["stacks"] == ["glue-sessions-dev-known"]
    assert run.role("unknown")["stacks"] == []
    assert run.role("unknown")["notes"][0].startswith("it has grants, but no configured stack")


def test_an_external_role_with_an_inline_policy_of_our_name_gets_a_note(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    configure(tmp_path, "[{role: theirs, trust: {ownership: external}, permissions: least-privilege}]")
    studio.domain("d-1", role=make_role("theirs", inline={INLINE_POLICY_NAME: RECIPE}))
    assert "apply would overwrite it" in discover("--json").role("theirs")["notes"][0]


def test_tables_group_similar_user_profiles(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    studio.domain("d-1", role=make_role("default"))
    for number in range(20):
        studio.profile("d-1", f"user-{number:02}")
    run = discover()
    assert "20 user profiles by default: user-00, user-01, user-02, and 17 more" in run.out
    assert "API calls (DescribeUserProfile 20, " in run.out


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
        env={**os.environ, **sandbox.environment},
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"account {ACCOUNT}: " in ran.stdout


def configure(directory: Path, roles: str, *, state: str = "{bucket: some-states, region: us-east-1}") -> None:
    (directory / "glue-sessions.yaml").write_text(
        f"state: {state}\nenvironments: {{dev: {{region: us-east-1, account_id: '{ACCOUNT}', roles: {roles}}}}}\n"
    )
