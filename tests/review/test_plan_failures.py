"""What a plan that failed says where AWS knows the cause; no call leaves this machine."""

from pathlib import Path

import pytest

from configuration import Configuration, load
from review import plan_failures
from terraform_cli.stacks import Outcomes, Stack
from terraform_cli.terraform import TerraformError

SSO = """\
[profile work]
sso_session = company
sso_account_id = 111122223333
sso_role_name = admin
[sso-session company]
sso_region = eu-west-1
sso_start_url = https://company.awsapps.com/start
"""


def configuration(folder: Path, *, state: str = "", environment: str = "") -> Configuration:
    file = folder / "glue-sessions.yaml"
    file.write_text(
        f"state: {{bucket: states, region: eu-west-1{state}}}\n"
        f"environments: {{dev: {{region: eu-central-1{environment}, roles: [{{role: one}}, {{role: two}}]}}}}\n"
    )
    return load(file, {})


def failed(of: Configuration, *lines: str) -> Outcomes[None]:
    stacks = [Stack(each.name, of.path.parent, each) for each in of.role_stacks]
    return Outcomes([], [(stack, TerraformError(*lines, output="all")) for stack in stacks])


@pytest.fixture
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the empty AWS configuration file of a machine without credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "aws-config"
    file.touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return file


@pytest.mark.parametrize(
    ("profile", "line"),
    [
        (None, "no AWS credentials found, sign in or set AWS_PROFILE"),
        ("other", "The config profile (other) could not be found, choose one of `aws configure list-profiles`"),
        ("work", "the AWS credentials cannot be used, sign in again: "),
    ],
)
def test_credentials_that_cannot_be_used_are_one_sentence(
    no_credentials: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    profile: str | None,
    line: str,
) -> None:
    no_credentials.write_text(SSO)
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    own = configuration(tmp_path)
    plan_failures.explained(failed(own, "No valid credential sources found", "and more"), own).report_failed()
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith(line)
    assert rest == [
        "2 of 2 stacks failed: glue-sessions-dev-one, glue-sessions-dev-two",
        f"Terraform's full output: {tmp_path}/failed.log, and 1 more like it",
    ]


def caller_is(monkeypatch: pytest.MonkeyPatch, account_id: str) -> None:
    monkeypatch.setattr(plan_failures, "_caller", lambda _: (None, account_id))


@pytest.mark.parametrize(
    ("environment", "account_id"),
    [("", "123456789012"), (", deploy_role_arn: 'arn:aws:iam::111122223333:role/deploy'", "111122223333")],
)
def test_a_missing_role_is_named_with_its_account_and_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str, account_id: str
) -> None:
    caller_is(monkeypatch, "123456789012")
    own = configuration(tmp_path, environment=environment)
    outcomes = plan_failures.explained(failed(own, "reading IAM Role (one): couldn't find resource", "else"), own)
    assert outcomes.failed[0][1].lines == (
        f"account {account_id} has no role one (region eu-central-1): correct it in"
        " environments.dev.roles[0].role of glue-sessions.yaml, or use the credentials of the role's account",
        "else",
    )


def with_variables(folder: Path) -> Configuration:
    file = folder / "glue-sessions.yaml"
    file.write_text(
        "state: {bucket: states, region: '${AWS_REGION}'}\n"
        "environments: {dev: {region: '${AWS_REGION}', roles: [{role: '${TEAM}-${USER}'}]}}\n"
    )
    return load(file, {"AWS_REGION": "eu-wset-1", "TEAM": "team", "USER": "ann"})


def test_a_missing_role_is_corrected_in_the_variables_that_its_name_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller_is(monkeypatch, "123456789012")
    own = with_variables(tmp_path)
    outcomes = plan_failures.explained(failed(own, "reading IAM Role (team-ann): couldn't find resource"), own)
    assert outcomes.failed[0][1].lines == (
        "account 123456789012 has no role team-ann (region eu-wset-1): correct it in TEAM or USER, which"
        " environments.dev.roles[0].role of glue-sessions.yaml names, or use the credentials of the role's account",
    )


@pytest.mark.parametrize(
    "said", ["Invalid region value: Invalid AWS Region: eu-wset-1", "invalid AWS Region: eu-wset-1"]
)
def test_an_unknown_region_is_corrected_in_the_setting_or_the_variable_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(plan_failures, "_caller", lambda _: pytest.fail("AWS was asked"))
    begin = "there is no AWS region eu-wset-1: correct it in "
    own = with_variables(tmp_path)
    assert plan_failures.explained(failed(own, said), own).failed[0][1].lines == (
        f"{begin}AWS_REGION, which state.region and environments.dev.region of glue-sessions.yaml name",
    )
    bucket = Outcomes[None]([], [(Stack("state-bucket", tmp_path), TerraformError(said))])
    assert plan_failures.explained(bucket, own).failed[0][1].lines == (
        f"{begin}AWS_REGION, which state.region of glue-sessions.yaml names",
    )
    written = configuration(tmp_path)
    other = said.replace("eu-wset-1", "eu-central-1")
    assert plan_failures.explained(failed(written, other), written).failed[0][1].lines == (
        "there is no AWS region eu-central-1: correct it in environments.dev.region of glue-sessions.yaml",
    )
    assert plan_failures.explained(failed(written, said), written).failed[0][1].lines == (said,)


def test_without_a_failure_aws_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_failures, "_caller", lambda _: pytest.fail("AWS was asked"))
    outcomes = Outcomes[None]([], [])
    assert plan_failures.explained(outcomes, configuration(tmp_path)) is outcomes
