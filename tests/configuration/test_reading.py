import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from configuration import Configuration, ConfigurationError, RoleStack, Trust, configuration_path, load, load_or_exit
from iam.arn import RoleArn
from tests.repository import AS_SHIPPED, ROOT

Load = Callable[..., Configuration]


@pytest.fixture
def read(tmp_path: Path) -> Load:
    """Return a function that loads a configuration from its text, with variables by keyword."""

    def read(text: str, **environment: str) -> Configuration:
        path = tmp_path / "glue-sessions.yaml"
        path.write_text(text)
        return load(path, environment)

    return read


MINIMAL = """
state: {bucket: my-bucket, region: eu-west-1}
environments: {dev: {region: eu-west-1, roles: [{role: team}]}}
"""

FULL = """
state:
  bucket: ${TF_STATE_BUCKET}
  region: eu-west-1
  key_prefix: data/glue
  kms_key_id: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
  assume_role: {role_arn: "arn:aws:iam::444455556666:role/terraform-state", external_id: glue}
  endpoints: {s3: "http://127.0.0.1:5000"}
  use_path_style: true
environments:
  dev:
    region: eu-west-1
    account_id: "011122223333"
    deploy_role_arn: arn:aws:iam::011122223333:role/terraform
    trust_policy_quota: 4096
    roles:
      - role: ${SAGEMAKER_ROLE_NAME}
      - role: arn:aws:iam::011122223333:role/service-role/AmazonSageMaker-ExecutionRole-20240101T000001
        permissions: least-privilege
        trust: {ownership: additive}
      - role: team-b
        released: true
  gov:
    region: us-gov-west-1
    roles:
      - role: arn:aws-us-gov:iam::777788889999:role/team.b@data
"""

KEPT = """{
  "Statement": {"Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Effect": "Allow"},
  "Version": "2008-10-17"
}
"""


def stacks(configuration: Configuration) -> dict[str, RoleStack]:
    return {stack.name: stack for stack in configuration.role_stacks}


def only_stack(configuration: Configuration) -> RoleStack:
    (stack,) = configuration.role_stacks
    return stack


def test_the_default_is_the_recipe_under_authoritative_ownership(read: Load) -> None:
    role = only_stack(read(MINIMAL)).role
    assert (role.name, role.arn) == ("team", None)
    assert (role.permissions, role.trust, role.released) == ("recipe", Trust(ownership="authoritative"), False)


def test_state_names_its_backend_as_terraform_does(read: Load) -> None:
    assert read(FULL, TF_STATE_BUCKET="shop", SAGEMAKER_ROLE_NAME="a").state.model_dump(exclude_defaults=True) == {
        "bucket": "shop",
        "region": "eu-west-1",
        "key_prefix": "data/glue",
        "kms_key_id": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "assume_role": {"role_arn": "arn:aws:iam::444455556666:role/terraform-state", "external_id": "glue"},
        "endpoints": {"s3": "http://127.0.0.1:5000"},
        "use_path_style": True,
    }


def test_each_role_is_a_stack_in_the_order_of_the_file(read: Load) -> None:
    configuration = read(FULL, TF_STATE_BUCKET="shop", SAGEMAKER_ROLE_NAME="team-a")
    assert [(stack.name, stack.state_key, stack.partition) for stack in configuration.role_stacks] == [
        ("glue-sessions-dev-team-a", "data/glue/dev/team-a.tfstate", "aws"),
        (
            "glue-sessions-dev-AmazonSageMaker-ExecutionRole-20240101T000001",
            "data/glue/dev/AmazonSageMaker-ExecutionRole-20240101T000001.tfstate",
            "aws",
        ),
        ("glue-sessions-dev-team-b", "data/glue/dev/team-b.tfstate", "aws"),
        ("glue-sessions-gov-team-b-data-1153287d", "data/glue/gov/team-b-data-1153287d.tfstate", "aws-us-gov"),
    ]
    dev, gov = configuration.environments.values()
    assert [stack.environment for stack in configuration.role_stacks] == [dev, dev, dev, gov]
    assert {stack.environment_name for stack in configuration.role_stacks} == {"dev", "gov"}
    assert [stack.role for stack in configuration.role_stacks] == [*dev.roles, *gov.roles]


def test_the_name_of_a_role_given_as_an_arn_is_what_follows_the_last_slash(read: Load) -> None:
    arn = "arn:aws:iam::111122223333:role/a/b/team"
    role = only_stack(read(MINIMAL.replace("team", f'"{arn}"'))).role
    assert (role.name, role.arn) == ("team", RoleArn("aws", "111122223333", "/a/b/", "team"))


@pytest.mark.parametrize("name", ["a.b", "a,b", "a@b", "a+b", "a=b"])
def test_names_that_terraform_does_not_accept_never_share_a_stack(read: Load, name: str) -> None:
    text = MINIMAL.replace("{role: team}", f'{{role: "{name}"}}, {{role: a-b}}')
    encoded, plain = (stack.name for stack in read(text).role_stacks)
    assert plain == "glue-sessions-dev-a-b"
    assert encoded.startswith("glue-sessions-dev-a-b-")


def test_a_stack_name_depends_on_no_other_role(read: Load) -> None:
    alone = only_stack(read(MINIMAL.replace("team", "team.b")))
    among = read(MINIMAL.replace("{role: team}", "{role: team-b}, {role: team.b}, {role: team_b}"))
    assert alone.name in stacks(among)
    assert stacks(among)[alone.name].state_key == alone.state_key


def test_a_stack_name_follows_the_role_alone_and_not_its_path(read: Load) -> None:
    by_name = only_stack(read(MINIMAL.replace("team", "team.b")))
    by_arn = only_stack(read(MINIMAL.replace("team", '"arn:aws:iam::111122223333:role/path/team.b"')))
    assert by_arn.name == by_name.name


def test_the_same_role_name_in_two_accounts_is_two_roles(read: Load) -> None:
    text = """
    state: {bucket: my-bucket, region: eu-west-1}
    environments:
      dev: {region: eu-west-1, account_id: "111122223333", roles: [{role: team}]}
      prod: {region: eu-west-1, account_id: "444455556666", roles: [{role: team}]}
    """
    assert list(stacks(read(text))) == ["glue-sessions-dev-team", "glue-sessions-prod-team"]


def test_the_same_role_name_in_two_unnamed_accounts_is_two_roles(read: Load) -> None:
    text = MINIMAL.replace("{dev:", "{prod: {region: eu-west-1, roles: [{role: team}]}, dev:")
    assert list(stacks(read(text))) == ["glue-sessions-prod-team", "glue-sessions-dev-team"]


# Variables


def test_variables_may_be_anywhere_in_a_value(read: Load) -> None:
    text = MINIMAL.replace("team", '"${A}-${B}$${A}$A"').replace("$${A}$A", "")
    assert only_stack(read(text, A="x", B="y")).role.name == "x-y"


def test_an_escaped_variable_is_plain_text(read: Load) -> None:
    text = MINIMAL.replace("{bucket: my-bucket,", '{bucket: my-bucket, profile: "$${HOME}$$",')
    assert read(text, HOME="/root").state.profile == "${HOME}$$"


def test_the_value_of_a_variable_is_text_and_never_yaml_or_another_variable(read: Load) -> None:
    text = MINIMAL.replace("{bucket: my-bucket,", '{bucket: my-bucket, profile: "${PROFILE}", kms_key_id: "${KEY}",')
    state = read(text, PROFILE="{a: [b]} # ${KEY}", KEY="0123").state
    assert (state.profile, state.kms_key_id) == ("{a: [b]} # ${KEY}", "0123")


def test_variables_in_comments_are_ignored(read: Load) -> None:
    assert read(MINIMAL + "# ${NOT_SET}\n") == read(MINIMAL)


# YAML


def test_aliases_and_merge_keys_are_resolved(read: Load) -> None:
    text = """
    state: {bucket: my-bucket, region: &region eu-west-1}
    environments:
      dev:
        region: *region
        roles:
          - &strict
            role: a
            permissions: least-privilege
            trust: &trust {ownership: additive}
          - <<: *strict
            role: b
          - role: c
            <<: [{permissions: recipe}, *strict]
          - role: d
            trust: *trust
    """
    roles = [stack.role for stack in read(text).role_stacks]
    assert [(role.name, role.permissions, role.trust.ownership) for role in roles] == [
        ("a", "least-privilege", "additive"),
        ("b", "least-privilege", "additive"),
        ("c", "recipe", "additive"),
        ("d", "recipe", "additive"),
    ]


def test_on_and_no_are_text_as_in_yaml_1_2(read: Load) -> None:
    text = MINIMAL.replace("dev:", "on:").replace("team", "no")
    assert only_stack(read(text)).name == "glue-sessions-on-no"


@pytest.mark.parametrize("name", ["2024-01-01", "=", "!!str 20240101", "12e", "0x"])
def test_text_that_other_readers_convert_stays_text(read: Load, name: str) -> None:
    assert only_stack(read(MINIMAL.replace("team", name))).role.name == name.removeprefix("!!str ")


def test_json_is_yaml(read: Load) -> None:
    role = {"role": "team", "released": True}
    text = {
        "state": {"bucket": "my-bucket", "region": "eu-west-1"},
        "environments": {"dev": {"region": "eu-west-1", "trust_policy_quota": 4096, "roles": [role]}},
    }
    assert only_stack(read(json.dumps(text, indent=2))).role.released


def test_a_byte_order_mark_is_not_part_of_the_text(read: Load) -> None:
    assert read("\ufeff" + MINIMAL) == read(MINIMAL)


def test_a_setting_without_a_value_is_not_set(read: Load) -> None:
    assert read(MINIMAL.replace("{region: eu-west-1, roles", "{region: eu-west-1, account_id: , roles")) == read(
        MINIMAL
    )


def test_an_anchor_may_be_used_twice(read: Load) -> None:
    text = MINIMAL.replace("my-bucket", "&a my-bucket").replace("team", "&a team")
    assert read(text) == read(MINIMAL)


# Kept trust policies


def test_a_kept_document_is_read_word_for_word(read: Load, tmp_path: Path) -> None:
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust/team.json").write_text(KEPT)
    keep = only_stack(read(MINIMAL.replace("team", "team, trust: {keep: trust/team.json}"))).kept_trust
    assert json.dumps(keep) == json.dumps(json.loads(KEPT))


def test_the_path_of_a_kept_document_is_relative_to_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/team.json").write_text(KEPT)
    path = tmp_path / "there/glue-sessions.yaml"
    path.write_text(MINIMAL.replace("team", 'team, trust: {keep: "./${FILE}.json"}'))
    monkeypatch.chdir(tmp_path)
    assert only_stack(load(path, {"FILE": "team"})).kept_trust == json.loads(KEPT)


def test_a_raised_quota_lets_a_longer_document_be_kept(read: Load, tmp_path: Path) -> None:
    sagemaker = json.loads(KEPT)["Statement"]
    long = {"Statement": [sagemaker | {"Condition": {"StringLike": {"aws:SourceArn": ["x" * 100] * 20}}}]}
    (tmp_path / "team.json").write_text(json.dumps(long))
    text = MINIMAL.replace("team", "team, trust: {keep: team.json}")
    assert only_stack(read(text.replace("roles:", "trust_policy_quota: 4096, roles:"))).kept_trust == long
    with pytest.raises(ConfigurationError, match="supply at most 2048 characters with Glue's own statement, got 2"):
        read(text)


def test_one_document_may_be_kept_by_several_roles(read: Load, tmp_path: Path) -> None:
    (tmp_path / "all.json").write_text(KEPT)
    text = MINIMAL.replace("[{role: team}]", "[{role: a, trust: &all {keep: all.json}}, {role: b, trust: *all}]")
    first, second = (stack.kept_trust for stack in read(text).role_stacks)
    assert first == second == json.loads(KEPT)


# The file, its path, its errors


def test_the_default_path_is_in_the_current_directory(tmp_path: Path) -> None:
    assert configuration_path({}) == Path("glue-sessions.yaml")
    assert configuration_path({"GLUE_SESSIONS_CONFIG": ""}) == Path("glue-sessions.yaml")
    assert configuration_path({"GLUE_SESSIONS_CONFIG": str(tmp_path / "x.yaml")}) == tmp_path / "x.yaml"


def test_the_shipped_file_reads_the_variable_of_the_recipe() -> None:
    variables = {"TF_STATE_BUCKET": "shop", "AWS_REGION": "eu-west-1", "SAGEMAKER_ROLE_NAME": "team"}
    configuration = load(AS_SHIPPED, variables)
    stack = only_stack(configuration)
    assert (stack.name, stack.state_key) == ("glue-sessions-default-team", "glue-sessions/default/team.tfstate")
    assert configuration.state.model_dump(exclude_defaults=True) == {"bucket": "shop", "region": "eu-west-1"}
    assert stack.environment.model_dump(exclude_defaults=True) == {"region": "eu-west-1", "roles": [{"role": "team"}]}


def test_the_shipped_file_names_the_variables_to_export() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(AS_SHIPPED, {})
    path = AS_SHIPPED
    assert str(raised.value).split("\n") == [
        f"{path}: state.bucket: set the environment variable TF_STATE_BUCKET, it is not set",
        f"{path}: state.region: set the environment variable AWS_REGION, it is not set",
        f"{path}: environments.default.region: set the environment variable AWS_REGION, it is not set",
        f"{path}: environments.default.roles[0].role: set the environment variable SAGEMAKER_ROLE_NAME, it is not set",
    ]


def test_an_app_loads_the_file_that_the_environment_names(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(MINIMAL)
    assert load_or_exit({"GLUE_SESSIONS_CONFIG": str(path)}) == load(path, {})


def test_an_app_exits_with_2_and_a_line_for_each_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("state: {}\n")
    with pytest.raises(SystemExit) as raised:
        load_or_exit({"GLUE_SESSIONS_CONFIG": str(path)})
    assert raised.value.code == 2
    assert capsys.readouterr() == (
        "",
        f"{path}: environments: supply this setting, it is missing\n"
        f"{path}: state.bucket: supply this setting, it is missing\n"
        f"{path}: state.region: supply this setting, it is missing\n",
    )


def test_an_error_has_its_place_and_what_to_change(read: Load, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(MINIMAL.replace("role: team", "role: team, relased: true"))
    (line,) = raised.value.errors
    assert line.place == f"{tmp_path}/glue-sessions.yaml: environments.dev.roles[0].relased"
    assert line.message == "no such setting, did you mean released?"
    assert str(line) == str(raised.value) == f"{line.place}: {line.message}"


def test_a_configuration_does_not_change(read: Load) -> None:
    state = read(MINIMAL).state
    with pytest.raises(ValidationError, match="frozen"):
        state.bucket = "other"  # type: ignore[misc]


def test_neither_aws_nor_cdktf_is_imported_to_check_a_file() -> None:
    program = "import sys, configuration; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert not {"cdktf", "constructs", "jsii", "boto3", "botocore", "rich"} & set(result.stdout.split())
