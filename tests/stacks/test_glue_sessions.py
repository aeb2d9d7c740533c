"""What the stack of one role declares, for every combination of its settings."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from iam.documents.recipe import PERMISSION_LEVELS
from tests.stacks.conftest import Synthesize
from tests.template import ABSENT, Template

ROLE = "aws_iam_role.execution_role"
ATTACHMENT = "aws_iam_role_policy_attachment.glue_sessions"
INLINE_POLICY = "aws_iam_role_policy.glue_sessions"
ACCESS = "aws_iam_role_policy.glue_session_access"

KEPT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringLike": {"sts:RoleSessionName": "${aws:userid}%{x}"}},
        },
    ],
}

TRUSTS: dict[str, dict[str, Any]] = {
    "authoritative": {"ownership": "authoritative"},
    "authoritative, kept": {"ownership": "authoritative", "keep": "kept.json"},
    "additive": {"ownership": "additive"},
    "external": {"ownership": "external"},
}
COMBINATIONS = list(product(PERMISSION_LEVELS, TRUSTS, [False, True]))


@pytest.fixture(autouse=True)
def kept(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text(json.dumps(KEPT))


@pytest.mark.parametrize(("permissions", "trust", "released"), COMBINATIONS)
def test_every_combination_has_its_resources_at_their_addresses_and_imports_only_those(
    synthesize: Synthesize, permissions: str, trust: str, released: bool
) -> None:
    template = synthesize(permissions=permissions, trust=TRUSTS[trust], released=released)
    adopted = [] if trust == "external" else [ROLE]
    granted = [INLINE_POLICY, ATTACHMENT] if adopted or not released else []
    assert template.addresses == sorted([*adopted, *granted])
    imported = [block["to"] for block in template.document.get("import", [])]
    assert sorted(imported) == ([] if not adopted else [ROLE] if released else template.addresses)
    for address in granted:
        # a release deletes the grants before it updates the role; their blocks stay without instances to order that
        expected = {"for_each": "${toset([])}"} if released else {"depends_on": adopted or ABSENT, "for_each": ABSENT}
        type_, _, name = address.partition(".")
        template.has_resource(type_, name, expected)
    if adopted:
        template.has_no_block("removed")
    else:
        assert template.has_block("removed", [{"from": ROLE, "lifecycle": {"destroy": False}}])
    template.has_data_source("aws_iam_role", "live", {"name": "execution-role", "depends_on": ABSENT})
    # everything else waits until the role has been read, under its configured name
    for address in template.addresses:
        type_, _, name = address.partition(".")
        property_ = "name" if address == ROLE else "role"
        template.has_resource(type_, name, {property_: "${data.aws_iam_role.live.name}"})


@pytest.mark.parametrize(("permissions", "trust", "released"), COMBINATIONS)
def test_every_combination_has_the_checks_of_its_ownership(
    synthesize: Synthesize, permissions: str, trust: str, released: bool
) -> None:
    template = synthesize(permissions=permissions, trust=TRUSTS[trust], released=released)
    checks = set(template.document.get("check", {}))
    if released:
        assert checks == set()
    else:
        assert (
            checks
            == {
                "authoritative": {"trust_statements_kept"},
                "authoritative, kept": {"trust_statements_kept"},
                "additive": {"glue_is_not_denied"},
                "external": {"glue_is_trusted", "glue_is_not_denied"},
            }[trust]
        )


@pytest.mark.parametrize("trust", ["authoritative", "authoritative, kept", "additive"])
@pytest.mark.parametrize("released", [False, True])
def test_an_adopted_role_manages_its_trust_policy_only_and_cannot_be_destroyed(
    synthesize: Synthesize, trust: str, released: bool
) -> None:
    template = synthesize(trust=TRUSTS[trust], released=released)
    template.resource_count_is("aws_iam_role", 1)
    role = template.has_resource(
        "aws_iam_role",
        "execution_role",
        {
            "lifecycle": {
                "prevent_destroy": True,
                "ignore_changes": [
                    "path",
                    "description",
                    "max_session_duration",
                    "permissions_boundary",
                    "tags",
                    "tags_all",
                ],
            },
        },
    )
    assert set(role) == {"name", "assume_role_policy", "lifecycle", *(["depends_on"] if released else [])}


@pytest.mark.parametrize("trust", TRUSTS)
def test_a_released_role_imports_only_the_grants_that_its_state_lacks_and_changes_no_policy(
    synthesize: Synthesize, trust: str
) -> None:
    plain = synthesize(trust=TRUSTS[trust], released=True).document
    template = synthesize(trust=TRUSTS[trust], released=True, to_import=[INLINE_POLICY, ACCESS])
    # the trust policy and everything else are those of the release
    for kind in ("data", "locals", "removed", "check", "provider", "terraform"):
        assert template.document.get(kind) == plain.get(kind)
    roles = [each.get("resource", {}).get("aws_iam_role") for each in (plain, template.document)]
    for each in filter(None, roles):
        del each["execution_role"]["depends_on"]
    assert roles[0] == roles[1]
    assert [block for block in template.document["import"] if block["to"] != ROLE] == [
        {"to": INLINE_POLICY, "id": "${data.aws_iam_role.live.name}:glue-sagemaker-interactive-sessions-setup"},
        {"to": ACCESS, "id": "${data.aws_iam_role.live.name}:glue-sagemaker-interactive-sessions-access"},
    ]
    for name in ("glue_sessions", "glue_session_access"):
        expected = {"for_each": ABSENT, "lifecycle": {"ignore_changes": ["policy"]}}
        template.has_resource("aws_iam_role_policy", name, expected)
    template.has_resource("aws_iam_role_policy_attachment", "glue_sessions", {"for_each": "${toset([])}"})


def test_a_managed_policy_is_imported_with_its_arn(synthesize: Synthesize) -> None:
    template = synthesize(released=True, to_import=[ATTACHMENT])
    arn = "arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
    assert {"to": ATTACHMENT, "id": f"${{data.aws_iam_role.live.name}}/{arn}"} in template.document["import"]
    expected = {"policy_arn": arn, "for_each": ABSENT}
    template.has_resource("aws_iam_role_policy_attachment", "glue_sessions", expected)


def test_a_configured_role_imports_what_it_no_longer_configures_beside_its_own_grants(synthesize: Synthesize) -> None:
    template = synthesize(to_import=[ACCESS])
    assert [block["to"] for block in template.document["import"]] == [ROLE, ATTACHMENT, INLINE_POLICY, ACCESS]
    policies = template.document["resource"]["aws_iam_role_policy"]
    assert "ignore_changes" not in policies["glue_sessions"].get("lifecycle", {})
    assert policies["glue_session_access"]["lifecycle"]["ignore_changes"] == ["policy"]
    assert len(policies["glue_session_access"]["lifecycle"]["postcondition"]) == 1  # the quota of all inline policies


def test_authoritative_writes_the_recipes_trust_policy(synthesize: Synthesize) -> None:
    role = synthesize().has_resource("aws_iam_role", "execution_role", {})
    assert json.loads(role["assume_role_policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["glue.amazonaws.com", "sagemaker.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }


def test_policy_variables_of_a_kept_document_are_not_terraform_expressions(synthesize: Synthesize) -> None:
    template = synthesize(trust=TRUSTS["authoritative, kept"])
    text = template.has_resource("aws_iam_role", "execution_role", {})["assume_role_policy"]
    assert "$${aws:userid}%%{x}" in text
    read_by_terraform = text.replace("$${", "${").replace("%%{", "%{")
    statements = json.loads(read_by_terraform)["Statement"]
    assert statements[:2] == KEPT["Statement"]
    assert statements[2]["Sid"] == "GlueInteractiveSessions"
    owned = template.has_block("locals", {})["owned_statements"]
    assert owned[1]["Condition"]["StringLike"]["sts:RoleSessionName"] == "$${aws:userid}%%{x}"


@pytest.mark.parametrize(("trust", "released"), [("additive", False), ("additive", True), ("authoritative", True)])
def test_a_trust_policy_derived_from_the_live_one_is_known_in_the_plan(
    synthesize: Synthesize, trust: str, released: bool
) -> None:
    template = synthesize(trust=TRUSTS[trust], released=released, environment={"trust_policy_quota": 4096})
    role = template.has_resource("aws_iam_role", "execution_role", {})
    assert role["assume_role_policy"].startswith("${local.trust_changes ? local.trust_policy :")
    conditions = [each["condition"] for each in role["lifecycle"]["precondition"]]
    assert any("length(local.trust_policy) <= 4096" in condition for condition in conditions)
    # a reference to a resource could be unknown until it is applied
    used = json.dumps([template.document["locals"], role])
    assert "aws_iam_role.execution_role" not in used


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
@pytest.mark.parametrize("permissions", PERMISSION_LEVELS)
def test_arns_have_the_partition_of_the_region(
    synthesize: Synthesize, region: str, partition: str, permissions: str
) -> None:
    template = synthesize(
        f"arn:{partition}:iam::111122223333:role/service-role/execution-role",
        permissions=permissions,
        environment={"region": region},
    )
    managed_policy = f"arn:{partition}:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
    template.has_resource("aws_iam_role_policy_attachment", "glue_sessions", {"policy_arn": managed_policy})
    assert any(managed_policy in block.get("for_each", "") for block in template.document["import"])
    text = json.dumps(template.document)
    partitions = {"aws", "aws-cn", "aws-us-gov"} - {partition}
    assert not any(f"arn:{other}:" in text for other in partitions)
    if permissions != "recipe":
        assert f"arn:{partition}:glue:*:${{local.account_id}}:catalog" in text


def test_the_inline_policy_is_the_recipes(synthesize: Synthesize) -> None:
    policy = synthesize().has_resource(
        "aws_iam_role_policy",
        "glue_sessions",
        {"name": "glue-sagemaker-interactive-sessions-setup"},
    )
    assert json.loads(policy["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"], "Resource": "*"}
        ],
    }


def test_a_role_configured_by_its_arn_is_compared_with_the_live_one(synthesize: Synthesize) -> None:
    arn = "arn:aws:iam::111122223333:role/service-role/execution-role"

    def conditions(template: Template) -> list[str]:
        live = template.has_data_source("aws_iam_role", "live", {"name": "execution-role"})
        return [each["condition"] for each in live["lifecycle"]["postcondition"]]

    assert f'${{self.arn == "{arn}"}}' in conditions(synthesize(arn))
    assert not any("self.arn ==" in each for each in conditions(synthesize("execution-role")))


def test_the_provider_and_the_backend_are_configured(synthesize: Synthesize) -> None:
    template = synthesize(
        environment={"account_id": "111122223333", "deploy_role_arn": "arn:aws:iam::111122223333:role/deploy"},
        state={"key_prefix": "platform/glue", "kms_key_id": "alias/state"},
    )
    template.has_block("terraform.required_providers.aws", {"source": "hashicorp/aws", "version": ">= 5.100, < 7.0"})
    template.has_block("terraform.required_version", ">= 1.10")
    template.has_block(
        "terraform.backend",
        {
            "s3": {
                "bucket": "states",
                "region": "eu-west-1",
                "key": "platform/glue/dev/execution-role.tfstate",
                "encrypt": True,
                "use_lockfile": True,
                "kms_key_id": "alias/state",
            }
        },
    )
    template.has_block(
        "provider.aws",
        [
            {
                "region": "eu-west-1",
                "retry_mode": "adaptive",
                "max_retries": 10,
                "allowed_account_ids": ["111122223333"],
                "assume_role": [{"role_arn": "arn:aws:iam::111122223333:role/deploy"}],
            }
        ],
    )


def test_without_an_account_or_a_deploy_role_the_provider_uses_the_account_of_the_credentials(
    synthesize: Synthesize,
) -> None:
    synthesize().has_block("provider.aws", [{"region": "eu-west-1", "retry_mode": "adaptive", "max_retries": 10}])
