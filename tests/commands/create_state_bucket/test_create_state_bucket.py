from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from aws import state_backend
from commands.create_state_bucket import __main__ as create_state_bucket
from commands.create_state_bucket.__main__ import StateBucketError, create
from configuration import AssumeRole, Endpoints, State
from sandbox.launcher import Sandbox

OTHER_ACCOUNT = "222222222222"


def state(bucket: str, region: str = "us-east-1", **settings: Any) -> State:
    return State(bucket=bucket, region=region, **settings)


def location(aws: Sandbox, bucket: str) -> str | None:
    return aws.client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"]


def credentials_of(aws: Sandbox, account_id: str) -> dict[str, str]:
    arn = f"arn:aws:iam::{account_id}:role/operator"
    assumed = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": assumed["AccessKeyId"],
        "aws_secret_access_key": assumed["SecretAccessKey"],
        "aws_session_token": assumed["SessionToken"],
    }


@pytest.mark.parametrize(("region", "constraint"), [("us-east-1", None), ("eu-west-1", "eu-west-1")])
def test_a_bucket_is_created_in_its_region(aws: Sandbox, region: str, constraint: str | None) -> None:
    assert create(state(f"created-in-{region}", region)) is True
    assert location(aws, f"created-in-{region}") == constraint


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_an_existing_bucket_is_not_changed(aws: Sandbox, region: str) -> None:
    bucket = f"exists-in-{region}"
    create(state(bucket, region))
    aws.client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "data"}]})
    assert create(state(bucket, region)) is False
    assert aws.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "data"}]


def test_a_bucket_in_another_region_is_an_error_that_names_the_region(aws: Sandbox) -> None:
    create(state("elsewhere", "eu-west-1"))
    with pytest.raises(StateBucketError) as raised:
        create(state("elsewhere", "us-east-1"))
    assert str(raised.value) == ("state.region: supply eu-west-1, where the bucket elsewhere is, got us-east-1")


@pytest.fixture
def refusing_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """S3's answers about a bucket that the caller may not see; the test adds the answer to CreateBucket.

    The local AWS refuses no caller. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    access: dict[str, Any] = {"aws_access_key_id": "a", "aws_secret_access_key": "a", "region_name": "us-east-1"}
    sts, s3 = boto3.client("sts", **access), boto3.client("s3", **access)
    with Stubber(sts) as identity, Stubber(s3) as stubber:
        identity.add_response("get_caller_identity", {"Account": "111111111111"})
        expected = {"Bucket": "taken", "ExpectedBucketOwner": "111111111111"}
        stubber.add_client_error("head_bucket", "403", "Forbidden", 403, expected_params=expected)
        monkeypatch.setattr(state_backend, "client", lambda _, service, __: {"sts": sts, "s3": s3}[service])
        yield stubber
        stubber.assert_no_pending_responses()


def test_a_bucket_of_another_account_is_an_error(refusing_s3: Stubber) -> None:
    refusing_s3.add_client_error("create_bucket", "BucketAlreadyExists", "The requested name is not available.", 409)
    with pytest.raises(StateBucketError) as raised:
        create(state("taken"))
    assert str(raised.value) == "state.bucket: supply a name that is free, another account has a bucket taken"


def test_an_own_bucket_that_the_caller_may_not_see_exists(refusing_s3: Stubber) -> None:
    refusing_s3.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", "You own it.", 409)
    assert create(state("taken", "eu-west-1")) is False


def test_denied_access_is_one_line(refusing_s3: Stubber) -> None:
    refusing_s3.add_client_error("create_bucket", "AccessDenied", "Access Denied", 403)
    with pytest.raises(StateBucketError) as raised:
        create(state("taken"))
    assert str(raised.value) == "state.bucket: cannot create taken: CreateBucket: access denied: Access Denied"


def test_the_role_of_the_state_is_assumed(aws: Sandbox) -> None:
    role = AssumeRole(role_arn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/states", external_id="ticket")
    assert create(state("by-role", assume_role=role)) is True
    owned = [
        {each["Name"] for each in aws.client("s3", **credentials).list_buckets()["Buckets"]}
        for credentials in (credentials_of(aws, OTHER_ACCOUNT), {})
    ]
    assert ["by-role" in names for names in owned] == [True, False]


def test_the_profile_of_the_state_is_used(aws: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = aws.environment["AWS_SECRET_ACCESS_KEY"]
    key = aws.environment["AWS_ACCESS_KEY_ID"]
    (tmp_path / "config").write_text(f"[profile states]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert create(state("by-profile", profile="states")) is True


def test_the_endpoints_and_authorities_of_the_state_are_used(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_CA_BUNDLE")
    endpoints = Endpoints(s3=aws.endpoint, sts=aws.endpoint)
    settings: dict[str, Any] = {
        "endpoints": endpoints,
        "custom_ca_bundle": str(aws.certificate_authority),
        "use_path_style": True,
    }
    assert create(state("by-endpoint", **settings)) is True


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials found, sign in"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached: Could not connect"),
        ({"AWS_CA_BUNDLE": "/no/such/file"}, "AWS cannot be reached: SSL validation failed"),
        ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
    ],
)
def test_an_access_error_is_one_line(
    aws: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str | None], message: str
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(StateBucketError) as raised:
        create(state("unreachable"))
    assert str(raised.value).startswith(f"state.bucket: cannot create unreachable: {message}")
    assert "\n" not in str(raised.value)


def test_the_command_reads_the_configuration_and_reports_what_it_did(
    aws: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "glue-sessions.yaml").write_text(
        "state: {bucket: by-command, region: us-east-1}\n"
        "environments: {dev: {region: us-east-1, roles: [{role: team}]}}\n"
    )
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(tmp_path / "glue-sessions.yaml"))
    monkeypatch.setattr("sys.argv", ["create_state_bucket"])
    create_state_bucket.main()
    create_state_bucket.main()
    assert capsys.readouterr().out == (
        "by-command in us-east-1: created\nby-command in us-east-1: exists already, nothing to do\n"
    )


def test_a_wrong_configuration_ends_the_command_with_2_and_one_line_per_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.setattr("sys.argv", ["create_state_bucket"])
    with pytest.raises(SystemExit) as ended:
        create_state_bucket.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
