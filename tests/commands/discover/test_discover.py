"""`discover` reports which role applies to whom, and the grants of each role."""

import json
from pathlib import Path

import pytest

from iam.documents.grants import SESSION_USER_POLICY, SETUP_POLICY
from iam.documents.recipe import PERMISSION_LEVELS, Permissions, glue_statement, inline_policy, trust_policy
from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT, SAGEMAKER, MakeRole, Run, configure
from tests.commands.discover.studio import Studio
from tests.ran import Ran
from tests.trust_policies import trust as trusting

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


def test_a_role_of_several_users_and_a_domain_without_internet_are_reported(
    discover: Run, studio: Studio, make_role: MakeRole
) -> None:
    studio.domain("d-1", role=make_role("shared"), AppNetworkAccessType="VpcOnly")
    studio.domain("d-2", role=make_role("alone"))
    for domain, name in (("d-1", "ann"), ("d-1", "bob"), ("d-2", "eve")):
        studio.profile(domain, name)
    run = discover("--json")
    assert [domain["vpc_only"] for domain in sorted(run.json["domains"], key=lambda each: each["name"])] == [
        True,
        False,
    ]
    assert {name: run.role(name)["users_share_sessions"] for name in ("shared", "alone")} == {
        "shared": True,
        "alone": False,
    }
    tables = " ".join(discover("--all").out.replace("│", " ").split())
    assert "VpcOnly: its VPC needs endpoints for Glue and STS" in tables
    assert "its users see and can stop" in tables


def test_a_role_without_grants_has_none(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    studio.domain("d-1", role=make_role("bare"))
    role = discover("--json").role("bare")
    assert (role["managed_policy"], role["inline_policy"], role["glue_trust"]) == (False, "absent", "denied")
    assert role["trust"] == ["sagemaker.amazonaws.com may sts:AssumeRole"]
    assert role["also_trusts"] == role["obstacles"] == role["notes"] == []
    assert role["used_by"] == {"domains": 1, "user_profiles": 0, "spaces": 0}


@pytest.mark.parametrize("kind", PERMISSION_LEVELS)
def test_each_grant_is_recognized(discover: Run, studio: Studio, make_role: MakeRole, kind: Permissions) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/service-role/granted"
    document = inline_policy(kind, partition="aws", account_id=ACCOUNT, role_arn=arn)
    grants = {"attached": (SESSION_USER_POLICY.arn("aws"),), "inline": {SETUP_POLICY.policy_name: document}}
    studio.domain("d-1", role=make_role("granted", trust_policy(), **grants))
    role = discover("--json").role("granted")
    assert (role["managed_policy"], role["inline_policy"], role["glue_trust"]) == (True, kind, "allowed")


FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def warnings(run: Ran, name: str) -> list[str]:
    return [warning["warning"] for warning in run.role(name)["warnings"]]


def test_policies_that_pass_other_roles_to_glue_are_warned_of_unless_the_level_decides(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    studio.domain("d-1", role=make_role("console", attached=(FULL_ACCESS,)))
    studio.profile("d-1", "ann", role=make_role("bare"))
    run = discover("--json")
    assert warnings(run, "bare") == []
    assert warnings(run, "console") == ["other-roles-to-glue"]
    for level, expected in {"recipe": 0, "least-privilege": 1, "isolated": 0}.items():
        configure(tmp_path, f"[{{role: console, permissions: {level}}}]")
        run = discover("--json")
        assert warnings(run, "console") == ["other-roles-to-glue"] * expected


def test_grants_that_no_apply_of_a_released_role_removes_are_warned_of(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path, sandbox: Sandbox
) -> None:
    studio.domain("d-1", role=make_role("left", inline={SETUP_POLICY.policy_name: RECIPE}))
    configure(tmp_path, "[{role: left, released: true}]")
    assert warnings(discover("--json"), "left") == ["grants-stay"]
    assert "apply imports what the state does not have, and then deletes it" in " ".join(discover().out.split())
    type_, _, name = SETUP_POLICY.address.partition(".")
    body = json.dumps({"resources": [{"type": type_, "name": name, "instances": [{}]}]})
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="some-states")
    s3.put_object(Bucket="some-states", Key="glue-sessions/dev/left.tfstate", Body=body.encode())
    try:
        run = discover("--json")
        assert warnings(run, "left") == []
        role = run.role("left")
        assert (role["state"], role["remedies"]) == ("released with grants left", ["release"])
        assert role["problems"] == [f"it is released, and still has the inline policy {SETUP_POLICY.policy_name}"]
    finally:
        s3.delete_object(Bucket="some-states", Key="glue-sessions/dev/left.tfstate")
        s3.delete_bucket(Bucket="some-states")


@pytest.mark.parametrize(
    ("ownership", "state", "problems"),
    [
        ("authoritative", "released with grants left", 1),
        ("additive", "released with grants left", 1),
        ("external", "released as configured", 0),
    ],
)
def test_a_released_role_whose_trust_policy_another_stack_owns_may_trust_glue(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path, ownership: str, state: str, problems: int
) -> None:
    studio.domain("d-1", role=make_role("trusted", trust_policy()))
    configure(tmp_path, f"[{{role: trusted, released: true, trust: {{ownership: {ownership}}}}}]")
    role = discover("--json").role("trusted")
    assert (role["state"], len(role["problems"])) == (state, problems)


def test_a_released_role_whose_policies_cannot_be_read_is_not_called_released(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path, proxy: AwsProxy
) -> None:
    studio.domain("d-1", role=make_role("hidden"))
    configure(tmp_path, "[{role: hidden, released: true}]")
    proxy.refuse("ListAttachedRolePolicies", "AccessDenied")
    role = discover("--json").role("hidden")
    assert (role["state"], role["remedies"]) == ("not read", [])
    assert role["problems"] == ["the managed policy AwsGlueSessionUserRestrictedServiceRole could not be read"]


def test_of_a_role_with_a_released_stack_and_another_what_it_lacks_is_reported(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    studio.domain("d-1", role=make_role("shared"))
    configure(tmp_path, "[{role: shared, released: true}]}, default: {region: us-east-1, roles: [{role: shared}]")
    role = discover("--json").role("shared")
    assert (role["state"], role["remedies"]) == ("not granted", ["apply"])


def test_a_role_of_two_environments_is_warned_of(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    studio.domain("d-1", role=make_role("shared"))
    configure(tmp_path, "[{role: shared}]}, default: {region: us-east-1, roles: [{role: shared}]")
    run = discover("--json")
    assert run.role("shared")["stacks"] == ["glue-sessions-dev-shared", "glue-sessions-default-shared"]
    assert warnings(run, "shared") == ["configured-twice"]


def test_an_inline_policy_with_our_name_and_other_content_is_recognized(
    discover: Run, studio: Studio, make_role: MakeRole
) -> None:
    theirs = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
    }
    studio.domain("d-1", role=make_role("theirs", inline={SETUP_POLICY.policy_name: theirs}))
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
        "d-1", role=make_role("known"), space_role=make_role("unknown", attached=(SESSION_USER_POLICY.arn("aws"),))
    )
    run = discover("--json")
    assert run.role("known")["stacks"] == ["glue-sessions-dev-known"]
    assert run.role("unknown")["stacks"] == []
    assert run.role("unknown")["notes"][0].startswith("it has grants, but no configured stack")


def test_a_configured_role_that_does_not_exist_is_named_with_its_variable_before_others_are_added(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name may be that of the role that is used, misspelled; one of another account is not asked about."""
    monkeypatch.setenv("NAME", "team-wrong")
    studio.domain("d-1", role=make_role("team"))
    make_role("unused")
    other = "arn:aws:iam::111122223333:role/theirs"
    (tmp_path / "glue-sessions.yaml").write_text(
        "state: {bucket: some-states, region: us-east-1}\n"
        "environments: {default: {region: us-east-1, roles: [{role: '${NAME}'}, {role: unused}]},"
        f" prod: {{region: us-east-1, roles: [{{role: '{other}'}}]}}}}\n"
    )
    line = (
        f"account {ACCOUNT} has no role team-wrong, which is configured: correct it in NAME, which"
        " environments.default.roles[0].role of glue-sessions.yaml names, or use the credentials of the role's account"
    )
    run = discover("--json")
    assert run.json["configured_without_role"] == [
        {"stack": "glue-sessions-default-team-wrong", "role": "team-wrong", "text": line}
    ]
    assert run.json["api_calls"]["GetRole"] == 3
    page = " ".join(discover().out.split())
    assert line in page
    assert "--write" not in page
    assert "before you add others; then: ./glue-sessions discover --region us-east-1" in page
    monkeypatch.setenv("NAME", "team")
    assert discover("--json").json["configured_without_role"] == []


def test_a_configured_role_that_cannot_be_read_is_not_called_missing(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path, proxy: AwsProxy
) -> None:
    configure(tmp_path, "[{role: unread}, {role: gone}]")
    proxy.refuse("GetRole", "AccessDenied")
    run = discover("--json")
    assert run.json["configured_without_role"] == []
    assert any("iam:GetRole" in line for line in run.json["errors"])


def test_a_missing_role_of_a_domain_that_is_configured_is_named_without_another_call(
    discover: Run, studio: Studio, tmp_path: Path
) -> None:
    studio.domain("d-1", role=f"arn:aws:iam::{ACCOUNT}:role/gone")
    configure(tmp_path, "[{role: gone}]")
    run = discover("--json")
    assert [each["role"] for each in run.json["configured_without_role"]] == ["gone"]
    assert run.json["api_calls"]["GetRole"] == 1


def test_an_external_role_with_an_inline_policy_of_our_name_gets_a_note(
    discover: Run, studio: Studio, make_role: MakeRole, tmp_path: Path
) -> None:
    configure(tmp_path, "[{role: theirs, trust: {ownership: external}, permissions: least-privilege}]")
    studio.domain("d-1", role=make_role("theirs", inline={SETUP_POLICY.policy_name: RECIPE}))
    assert "apply would overwrite it" in discover("--json").role("theirs")["notes"][0]


def test_tables_group_similar_user_profiles(discover: Run, studio: Studio, make_role: MakeRole) -> None:
    studio.domain("d-1", role=make_role("default"))
    for number in range(20):
        studio.profile("d-1", f"user-{number:02}")
    run = discover("--all")
    assert "20 user profiles by default: user-00, user-01, user-02, and 17 more" in run.out
    assert "API calls (DescribeUserProfile 20, " in run.out
