"""`discover --write` writes the right settings into the configuration, and changes nothing else."""

import json
import os
from pathlib import Path

import pytest

from configuration import load
from iam.documents.recipe import glue_statement, trust_policy
from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT, SAGEMAKER, MakeRole, Run
from tests.commands.discover.studio import Studio
from tests.trust_policies import trust as trusting

PEOPLE = {
    "Sid": "People",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
}
CONFIGURATION = """\
# ours
state:
  bucket: some-states   # shared
  region: us-east-1

environments:
  dev:
    region: us-east-1
    roles:
      - role: ${SAGEMAKER_ROLE_NAME}   # from the environment
        # released: true
  # production
  prod: {region: eu-west-1, account_id: "999999999999", roles: [{role: x}]}
"""


@pytest.fixture
def file(tmp_path: Path, proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGEMAKER_ROLE_NAME", "known")
    path = tmp_path / "glue-sessions.yaml"
    path.write_text(CONFIGURATION)
    return path


def entry(file: Path, name: str) -> dict[str, object]:
    """Return a role's settings in the file, without defaults."""
    for stack in load(file, os.environ).role_stacks:
        if stack.role.name == name:
            return stack.role.model_dump(exclude_defaults=True)
    raise AssertionError(f"{name} is not in {file.read_text()}")


def test_a_role_that_trusts_only_sagemaker_gets_the_defaults(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    arn = make_role("plain")
    studio.domain("d-1", role=arn)
    run = discover("--write", "dev")
    assert (run.status, run.err) == (0, "")
    assert entry(file, "plain") == {"role": arn}
    assert "plain: written as authoritative, it trusts only SageMaker" in run.out.splitlines()


def test_a_role_of_an_environment_without_an_account_is_not_written_again(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    studio.domain("d-1", role=make_role("known"))
    studio.profile("d-1", "ann", role=make_role("x"))
    run = discover("--write", "other")
    assert "known: already in environments.dev, not changed" in run.out.splitlines()
    assert "x: written as authoritative, it trusts only SageMaker" in run.out.splitlines()  # prod is another account


def test_an_environment_with_a_deploy_role_is_of_that_roles_account(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    studio.domain("d-1", role=make_role("known"))
    deploy = "deploy_role_arn: arn:aws:iam::999999999999:role/deploy"
    file.write_text(CONFIGURATION.replace("    region: us-east-1\n", f"    region: us-east-1\n    {deploy}\n"))
    run = discover("--write", "other")
    assert "known: written as authoritative, it trusts only SageMaker" in run.out.splitlines()


def test_a_role_with_the_recipes_trust_gets_the_defaults(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    arn = make_role("done", trust_policy())
    studio.domain("d-1", role=arn)
    discover("--write", "dev")
    assert entry(file, "done") == {"role": arn}


def test_others_statements_are_kept_word_for_word(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    arn = make_role("shared", {"Version": "2008-10-17", "Id": "theirs", "Statement": [SAGEMAKER, PEOPLE]})
    studio.domain("d-1", role=arn)
    discover("--write", "dev")
    kept = json.loads((file.parent / "trust/shared.json").read_text())
    assert json.dumps(kept) == json.dumps({"Version": "2008-10-17", "Id": "theirs", "Statement": [SAGEMAKER, PEOPLE]})
    assert entry(file, "shared") == {"role": arn, "trust": {"keep": "trust/shared.json"}}


def test_glues_statement_is_not_kept_twice(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    studio.domain("d-1", role=make_role("before", trusting(SAGEMAKER, glue_statement(), PEOPLE)))
    discover("--write", "dev")
    assert json.loads((file.parent / "trust/before.json").read_text())["Statement"] == [SAGEMAKER, PEOPLE]


def test_with_additive_the_trust_policy_stays_with_its_owners(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    arn, plain = make_role("shared", trusting(SAGEMAKER, PEOPLE)), make_role("plain")
    studio.domain("d-1", role=arn, space_role=plain)
    discover("--write", "dev", "--additive")
    assert entry(file, "shared") == {"role": arn, "trust": {"ownership": "additive"}}
    assert entry(file, "plain") == {"role": plain}
    assert not (file.parent / "trust").exists()


NOT_KEEPABLE = {
    "trusts Glue in a statement of others or under conditions": trusting(
        {**SAGEMAKER, "Principal": {"Service": ["sagemaker.amazonaws.com", "glue.amazonaws.com"]}}, PEOPLE
    ),
    "has a statement of others with the Sid GlueInteractiveSessions": trusting(
        SAGEMAKER, {**PEOPLE, "Sid": "GlueInteractiveSessions"}
    ),
    "does not trust SageMaker": trusting(PEOPLE),
}


@pytest.mark.parametrize("why", NOT_KEEPABLE)
def test_statements_that_cannot_be_kept_stay_with_their_owners(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path, why: str
) -> None:
    arn = make_role("odd", NOT_KEEPABLE[why])
    studio.domain("d-1", role=arn)
    run = discover("--write", "dev")
    assert entry(file, "odd") == {"role": arn, "trust": {"ownership": "additive"}}
    assert f"odd: written as additive, it {why}, so its trust policy stays with its owners" in run.out


@pytest.mark.parametrize("principal", [{"AWS": "*"}, "*", {"Service": "glue.amazonaws.com"}], ids=str)
@pytest.mark.parametrize("additive", [[], ["--additive"]], ids=["keep", "additive"])
def test_a_deny_that_keeps_glue_out_is_an_obstacle_and_not_written(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path, principal: object, additive: list[str]
) -> None:
    # Glue's own statement, which is not kept, comes first: the place is that in the role's policy
    deny = {**SAGEMAKER, "Effect": "Deny", "Principal": principal}
    studio.domain("d-1", role=make_role("denying", trusting(glue_statement(), deny, SAGEMAKER)))
    run = discover("--write", "dev", *additive)
    assert run.status == 2
    assert (
        "denying: not written, Statement[1] of its trust policy denies glue.amazonaws.com the role, whatever else"
        " allows it: remove that Deny, or give it a condition"
    ) in run.err.splitlines()
    assert file.read_text() == CONFIGURATION
    role = discover("--json").role("denying")
    assert role["state"] == "obstructed"
    assert role["obstacles"] == [
        "sts:AssumeRole: the trust policy denies it to glue.amazonaws.com, whatever else it allows"
    ]


def test_a_deny_on_a_condition_is_kept_and_an_obstacle_that_names_the_condition(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    condition = {"Condition": {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}}
    deny = {**SAGEMAKER, "Effect": "Deny", "Principal": "*", **condition}
    studio.domain("d-1", role=make_role("denying", trusting(SAGEMAKER, deny)))
    discover("--write", "dev")
    assert json.loads((file.parent / "trust/denying.json").read_text())["Statement"] == [SAGEMAKER, deny]
    (obstacle,) = discover("--json").role("denying")["obstacles"]
    assert obstacle.startswith("sts:AssumeRole: whether the trust policy denies it depends on aws:SourceAccount")


def test_a_deny_is_never_dropped(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    deny = {**SAGEMAKER, "Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    studio.domain("d-1", role=make_role("denying", trusting(SAGEMAKER, deny)))
    discover("--write", "dev")
    assert json.loads((file.parent / "trust/denying.json").read_text())["Statement"] == [SAGEMAKER, deny]


def test_existing_content_stays_byte_for_byte(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    arn = make_role("plain")
    studio.domain("d-1", role=arn)
    discover("--write", "dev")
    added = f"      - role: {arn}\n"
    assert file.read_text() == CONFIGURATION.replace("        # released: true\n", f"        # released: true\n{added}")


def test_a_missing_environment_is_created(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    arn = make_role("plain")
    studio.domain("d-1", role=arn)
    discover("--write", "new-one")
    assert file.read_text() == CONFIGURATION + (
        f'  new-one:\n    region: us-east-1\n    account_id: "{ACCOUNT}"\n    roles:\n      - role: {arn}\n'
    )


def test_a_configured_role_is_not_changed(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    studio.domain("d-1", role=make_role("KNOWN"))
    run = discover("--write", "dev")
    assert run.status == 0
    assert "KNOWN: already in environments.dev, not changed" in run.out
    assert file.read_text() == CONFIGURATION


def test_writing_twice_writes_once(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    studio.domain("d-1", role=make_role("shared", trusting(SAGEMAKER, PEOPLE)))
    discover("--write", "dev")
    once = file.read_text()
    assert discover("--write", "dev").status == 0
    assert file.read_text() == once


def test_only_the_selected_roles_are_written(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    studio.domain("d-1", role=make_role("one"), space_role=make_role("two"))
    discover("--write", "dev", "--role", "Two")
    assert "/two" in file.read_text()
    assert "/one" not in file.read_text()


def test_a_selected_role_that_is_missing_is_an_error(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    studio.domain("d-1", role=make_role("one"))
    run = discover("--write", "dev", "--role", "one", "three")
    assert (run.status, file.read_text()) == (2, CONFIGURATION)
    assert run.err == "no domain, user profile or space in these regions has the execution role three\n"


def test_an_environment_of_another_account_is_refused(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    studio.domain("d-1", role=make_role("one"))
    run = discover("--write", "prod")
    assert (run.status, file.read_text()) == (2, CONFIGURATION)
    assert run.err.startswith("environments.prod is account 999999999999, and the roles are in 123456789012")


def test_an_unset_variable_is_reported_and_does_not_prevent_the_write(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAGEMAKER_ROLE_NAME")
    studio.domain("d-1", role=make_role("one"))
    run = discover("--write", "dev")
    assert run.status == 0
    assert run.out.endswith(
        "glue-sessions.yaml also needs: environments.dev.roles[0].role: set the environment variable"
        " SAGEMAKER_ROLE_NAME, it is not set; or remove that entry\n"
    )
    monkeypatch.setenv("SAGEMAKER_ROLE_NAME", "known")
    assert [stack.role.name for stack in load(file, os.environ).role_stacks] == ["known", "one", "x"]


def test_what_the_write_adds_is_not_asked_for(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    file.write_text("state:\n  bucket: states\n  region: us-east-1\n")
    studio.domain("d-1", role=make_role("one"))
    run = discover("--write", "dev")
    assert run.status == 0
    assert "also needs" not in run.out
    assert run.out.endswith("./glue-sessions plan glue-sessions-dev-one\n")


def test_a_quota_of_another_type_is_reported_and_does_not_prevent_the_write(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    file.write_text(
        CONFIGURATION.replace("    region: us-east-1\n", "    region: us-east-1\n    trust_policy_quota: many\n")
    )
    studio.domain("d-1", role=make_role("shared", trusting(SAGEMAKER, PEOPLE)))
    run = discover("--write", "dev")
    assert run.status == 0
    assert "environments.dev.trust_policy_quota" in run.out
    assert "keep: trust/shared.json" in file.read_text()


def test_a_file_of_kept_statements_is_never_overwritten(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    (file.parent / "trust").mkdir()
    (file.parent / "trust/shared.json").write_text("theirs")
    studio.domain("d-1", role=make_role("shared", trusting(SAGEMAKER, PEOPLE)))
    assert discover("--write", "dev").status == 0
    assert (file.parent / "trust/shared.json").read_text() == "theirs"
    assert json.loads((file.parent / "trust/dev-shared.json").read_text())["Statement"] == [SAGEMAKER, PEOPLE]


def test_a_role_that_trusts_a_deleted_principal_is_not_written(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path, sandbox: Sandbox
) -> None:
    iam = sandbox.client("iam")
    gone = iam.create_role(RoleName="gone", AssumeRolePolicyDocument=json.dumps(trusting(SAGEMAKER)))["Role"]
    studio.domain("d-1", role=make_role("stale", trusting(SAGEMAKER, {**PEOPLE, "Principal": {"AWS": gone["Arn"]}})))
    iam.delete_role(RoleName="gone")
    run = discover("--write", "dev")
    assert (run.status, file.read_text()) == (2, CONFIGURATION)
    assert run.err.startswith(f"stale: not written, its trust policy names a deleted principal, {gone['RoleId']}")


def test_a_role_of_unified_studio_is_not_written(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    studio.domain("d-1", role=make_role("datazone_usr_role_1"), space_role=make_role("ours"))
    run = discover("--write", "dev")
    assert run.status == 0
    assert "datazone_usr_role_1: not written, it belongs to SageMaker Unified Studio" in run.err
    assert "datazone" not in file.read_text()


def test_no_file_is_written_if_the_result_would_have_an_error(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    # no role of this account can be in another partition
    text = CONFIGURATION.replace("  dev:\n    region: us-east-1", "  dev:\n    region: cn-north-1")
    file.write_text(text)
    studio.domain("d-1", role=make_role("shared", trusting(SAGEMAKER, PEOPLE)))
    run = discover("--write", "dev")
    assert (run.status, file.read_text()) == (2, text)
    assert "glue-sessions.yaml: not written, it would have an error: environments.dev.roles[1].role" in run.err
    assert [path.name for path in file.parent.iterdir()] == ["glue-sessions.yaml"]


def test_without_a_configuration_nothing_is_written(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    file.unlink()
    studio.domain("d-1", role=make_role("one"))
    run = discover("--write", "dev")
    assert run.status == 2
    assert run.err == f"{file}: no such file, create it or name another with GLUE_SESSIONS_CONFIG\n"


def test_a_file_that_is_no_yaml_is_not_written_and_named(
    discover: Run, studio: Studio, make_role: MakeRole, file: Path
) -> None:
    file.write_text("environments:\n  dev: [\n")
    studio.domain("d-1", role=make_role("one"))
    run = discover("--write", "dev")
    assert run.status == 2
    assert run.err.splitlines()[-1].startswith("glue-sessions.yaml:3:1: nothing was written, correct the file first: ")


def test_the_mode_of_the_file_stays(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    file.chmod(0o640)
    studio.domain("d-1", role=make_role("one"))
    discover("--write", "dev")
    assert file.stat().st_mode & 0o777 == 0o640


def test_stdout_stays_json_while_writing(discover: Run, studio: Studio, make_role: MakeRole, file: Path) -> None:
    studio.domain("d-1", role=make_role("one"))
    run = discover("--json", "--write", "dev")
    assert run.role("one")["name"] == "one"
    assert "wrote 1 of 1 roles to environments.dev of glue-sessions.yaml" in run.err
