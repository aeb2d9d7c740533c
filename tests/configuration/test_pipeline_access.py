"""The settings of the pipeline's access, and a line for each reason why a configuration allows none."""

from pathlib import Path
from typing import Any

import pytest

from configuration import ConfigurationError, load
from configuration.pipeline_access import ACCOUNT_ID, PipelineSettings, pipeline_settings

PIPELINE = "pipeline: {github: {repository: acme/data}}"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLUE_SESSIONS_CONFIG", raising=False)


def settings(
    environments: str = "dev: {region: eu-west-1, roles: [{role: team}]}", *, state: str = "", pipeline: str = PIPELINE
) -> PipelineSettings:
    text = f"state: {{bucket: states, region: eu-west-1{state}}}\nenvironments:\n  {environments}\n{pipeline}\n"
    Path("glue-sessions.yaml").write_text(text)
    return pipeline_settings(load(Path("glue-sessions.yaml"), {}))


def error(*arguments: Any, **more: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        settings(*arguments, **more)
    return str(raised.value)


def test_roles_are_grouped_by_the_owner_of_their_trust_policy_and_by_their_account() -> None:
    result = settings(
        "\n  ".join(
            [
                "dev: {region: eu-west-1, roles: [{role: team}, {role: others, trust: {ownership: external}}]}",
                "prod: {region: eu-central-1, deploy_role_arn: 'arn:aws:iam::444455556666:role/deploy',"
                " roles: [{role: far}]}",
            ]
        )
    )
    assert result.reach.adopted_roles == ["team"]
    assert result.reach.external_roles == ["others"]
    assert result.reach.deploy_roles == ["arn:aws:iam::444455556666:role/deploy"]
    assert result.reach.environments == ["dev", "prod"]
    assert (result.region, result.account_id) == ("eu-west-1", None)


@pytest.mark.parametrize(
    "environment",
    [
        "dev: {region: eu-west-1, account_id: '111122223333', roles: [{role: team}]}",
        "dev: {region: eu-west-1, roles: [{role: 'arn:aws:iam::111122223333:role/team'}]}",
    ],
)
def test_the_account_is_the_one_that_the_configuration_names(environment: str) -> None:
    assert settings(environment).account_id == "111122223333"


@pytest.mark.parametrize(
    ("written", "arn"),
    [
        ("arn:aws:kms:eu-west-1:444455556666:key/abc", "arn:aws:kms:eu-west-1:444455556666:key/abc"),
        (
            "1234abcd-12ab-34cd-96ef-1234567890ab",
            f"arn:aws:kms:eu-west-1:{ACCOUNT_ID}:key/1234abcd-12ab-34cd-96ef-1234567890ab",
        ),
    ],
)
def test_the_key_is_named_by_its_arn(written: str, arn: str) -> None:
    assert settings(state=f", kms_key_id: '{written}'").reach.kms_key == arn


def test_each_key_prefix_has_its_own_pipeline_roles() -> None:
    assert settings().role_name("plan") == "glue-sessions-plan"
    assert settings(state=", key_prefix: team-b/glue").role_name("apply") == "team-b-glue-apply"


def test_a_missing_section_is_an_error() -> None:
    assert error(pipeline="") == (
        "glue-sessions.yaml: pipeline: supply this section, the pipeline's access is built from it"
    )


def test_a_role_to_assume_for_the_state_is_an_error() -> None:
    message = error(state=", assume_role: {role_arn: 'arn:aws:iam::111122223333:role/state'}")
    assert message == (
        "glue-sessions.yaml: state.assume_role: remove it and grant the pipeline's roles access in the bucket's"
        " policy: any pull request could write every state through this role"
    )


def test_the_alias_of_a_key_is_an_error() -> None:
    assert error(state=", kms_key_id: alias/states") == (
        "glue-sessions.yaml: state.kms_key_id: supply the key's ARN or ID, policies accept no alias,"
        ' got "alias/states"'
    )


TWO_ACCOUNTS = """dev: {region: eu-west-1, account_id: '111122223333', roles: [{role: team}]}
  prod: {region: eu-west-1, account_id: '444455556666', roles: [{role: team}]}
  china: {region: cn-north-1, roles: [{role: team}]}"""


def test_every_environment_out_of_reach_is_reported_at_once() -> None:
    assert error(TWO_ACCOUNTS).splitlines() == [
        "glue-sessions.yaml: environments.prod: supply deploy_role_arn, or move this into a separate file: the"
        " pipeline's roles are in account 111122223333, got 444455556666",
        "glue-sessions.yaml: environments.china: move this into a separate file: the pipeline works in partition aws,"
        " as set by state.region, got aws-cn",
    ]


def test_a_prefix_too_long_for_a_role_name_is_an_error() -> None:
    prefix = "a" * 59
    assert error(state=f", key_prefix: {prefix}") == (
        f"glue-sessions.yaml: state.key_prefix: supply a shorter one, it makes the name of the pipeline's apply role"
        f" {prefix}-apply, which may have 64 characters, got 65"
    )


def with_roles(count: int) -> str:
    path = "arn:aws:iam::111122223333:role/service-role"
    roles = ", ".join(
        f"{{role: '{path}/AmazonSageMaker-ExecutionRole-20240101T{number:06}'}}" for number in range(count)
    )
    return f"dev: {{region: eu-west-1, roles: [{roles}]}}"


def test_more_roles_than_fit_into_a_policy_are_an_error() -> None:
    settings(with_roles(51))
    assert error(with_roles(52)) == (
        "glue-sessions.yaml: pipeline: move roles into a second file, with another state.key_prefix and thus a separate"
        " pipeline: the policy of the apply role may have 10240 characters, got 10400"
    )
