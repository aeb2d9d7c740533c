"""What of a configuration the pipeline's access cannot be made, told a line for each fault."""

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


def fault(*arguments: Any, **more: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        settings(*arguments, **more)
    return str(raised.value)


def test_roles_are_told_apart_by_who_owns_their_trust_policy_and_where_they_are() -> None:
    found = settings(
        "\n  ".join(
            [
                "dev: {region: eu-west-1, roles: [{role: team}, {role: others, trust: {ownership: external}}]}",
                "prod: {region: eu-central-1, deploy_role_arn: 'arn:aws:iam::444455556666:role/deploy',"
                " roles: [{role: far}]}",
            ]
        )
    )
    assert found.reach.adopted_roles == ["team"]
    assert found.reach.external_roles == ["others"]
    assert found.reach.deploy_roles == ["arn:aws:iam::444455556666:role/deploy"]
    assert found.reach.environments == ["dev", "prod"]
    assert (found.region, found.account_id) == ("eu-west-1", None)


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


def test_configurations_with_states_of_their_own_have_roles_of_their_own() -> None:
    assert settings().role_name("plan") == "glue-sessions-plan"
    assert settings(state=", key_prefix: team-b/glue").role_name("apply") == "team-b-glue-apply"


def test_without_the_section() -> None:
    assert fault(pipeline="") == (
        "glue-sessions.yaml: pipeline: supply this section, the pipeline's access is made of it"
    )


def test_a_role_for_the_state() -> None:
    said = fault(state=", assume_role: {role_arn: 'arn:aws:iam::111122223333:role/state'}")
    assert said == (
        "glue-sessions.yaml: state.assume_role: remove it and let the bucket's policy grant the pipeline's roles what"
        " theirs do: any pull request could write every state through this role"
    )


def test_the_alias_of_a_key() -> None:
    assert fault(state=", kms_key_id: alias/states") == (
        'glue-sessions.yaml: state.kms_key_id: supply the key\'s ARN or id, policies know no alias, got "alias/states"'
    )


TWO_ACCOUNTS = """dev: {region: eu-west-1, account_id: '111122223333', roles: [{role: team}]}
  prod: {region: eu-west-1, account_id: '444455556666', roles: [{role: team}]}
  china: {region: cn-north-1, roles: [{role: team}]}"""


def test_all_that_is_elsewhere_at_once() -> None:
    assert fault(TWO_ACCOUNTS).splitlines() == [
        "glue-sessions.yaml: environments.prod: supply deploy_role_arn, or move this into a file of its own: the"
        " pipeline's roles are of account 111122223333, got 444455556666",
        "glue-sessions.yaml: environments.china: move this into a file of its own: the pipeline works in partition aws,"
        " as state.region says, got aws-cn",
    ]


def test_a_prefix_too_long_for_a_roles_name() -> None:
    prefix = "a" * 59
    assert fault(state=f", key_prefix: {prefix}") == (
        f"glue-sessions.yaml: state.key_prefix: supply a shorter one, the pipeline's apply role is named {prefix}-apply"
        " by it and may have 64 characters, got 65"
    )


def with_roles(count: int) -> str:
    path = "arn:aws:iam::111122223333:role/service-role"
    roles = ", ".join(
        f"{{role: '{path}/AmazonSageMaker-ExecutionRole-20240101T{number:06}'}}" for number in range(count)
    )
    return f"dev: {{region: eu-west-1, roles: [{roles}]}}"


def test_more_roles_than_a_policy_can_name() -> None:
    settings(with_roles(51))
    assert fault(with_roles(52)) == (
        "glue-sessions.yaml: pipeline: move roles into a second file, with another state.key_prefix and thus a pipeline"
        " of its own: the policy of the apply role may have 10240 characters, got 10400"
    )
