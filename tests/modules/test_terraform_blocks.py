"""The blocks that constructs contribute to their stack, and the addresses they reserve."""

import re
from collections.abc import Callable

import pytest
from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from iam.documents.grants import GrantSettings
from iam.documents.recipe import trust_policy
from modules.execution_role import LiveRole
from modules.pipeline_access import GitHubOidcProvider, PipelineAccess
from modules.session_grants import SessionGrants
from modules.state_bucket import StateBucket
from modules.terraform_blocks import Assertion, TerraformBlocks
from modules.trust_policy import AdditiveTrust, AuthoritativeTrust, ExternalTrust, ReleasedTrust
from tests.template import Template, app_in_memory


@pytest.fixture
def stack() -> TerraformStack:
    return TerraformStack(app_in_memory(), "stack")


CONSTRUCTS: dict[str, tuple[Callable[[Construct, str], Construct], str]] = {
    "LiveRole": (
        lambda scope, id_: LiveRole(scope, id_, role_name="team", role_arn=None),
        "data.aws_iam_role.live",
    ),
    "AuthoritativeTrust": (
        lambda scope, id_: AuthoritativeTrust(scope, id_, document=trust_policy()),
        "aws_iam_role.execution_role",
    ),
    "AdditiveTrust": (lambda scope, id_: AdditiveTrust(scope, id_, quota=2048), "aws_iam_role.execution_role"),
    "ReleasedTrust": (lambda scope, id_: ReleasedTrust(scope, id_, quota=2048), "aws_iam_role.execution_role"),
    "ExternalTrust": (ExternalTrust, "aws_iam_role.execution_role"),
    "SessionGrants": (
        lambda scope, id_: SessionGrants(
            scope, id_, settings=GrantSettings(permissions="recipe"), partition="aws", adopted_role=None
        ),
        "aws_iam_role_policy_attachment.glue_sessions",
    ),
    "StateBucket": (
        lambda scope, id_: StateBucket(scope, id_, bucket="states", partition="aws", kms_key_id=None),
        "aws_s3_bucket.state",
    ),
    "GitHubOidcProvider": (GitHubOidcProvider, "aws_iam_openid_connect_provider.github"),
    "PipelineAccess": (
        lambda scope, id_: PipelineAccess(
            scope,
            id_,
            job="plan",
            role_name="plan",
            trust_policy=trust_policy(),
            permissions=trust_policy(),
            account_id="${local.account_id}",
            provider=None,
        ),
        "aws_iam_role.plan",
    ),
}


@pytest.mark.parametrize("id_", ["First", "Second"])
@pytest.mark.parametrize(("construct", "address"), CONSTRUCTS.values(), ids=CONSTRUCTS)
def test_a_second_construct_of_a_kind_in_a_stack_raises_an_error_that_names_the_address(
    stack: TerraformStack, construct: Callable[[Construct, str], Construct], address: str, id_: str
) -> None:
    construct(stack, "First")
    message = f"use one construct of a kind in each stack, got a second {address}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        construct(stack, id_)
    construct(TerraformStack(app_in_memory(), "another"), id_)


def test_two_kinds_of_trust_in_a_stack_raise_an_error_that_names_the_address(stack: TerraformStack) -> None:
    ExternalTrust(stack, "External")
    with pytest.raises(ValueError, match=r"got a second aws_iam_role\.execution_role$"):
        AdditiveTrust(stack, "Additive", quota=2048)


def test_a_construct_deep_in_a_stack_contributes_to_the_stack(stack: TerraformStack) -> None:
    AwsProvider(stack, "aws", region="eu-west-1")
    LiveRole(Construct(Construct(stack, "Outer"), "Inner"), "Live", role_name="team", role_arn=None)
    TerraformBlocks.of(Construct(stack, "Scope")).define({"a": 1})
    with pytest.raises(ValueError, match=r"data\.aws_iam_role\.live"):
        TerraformBlocks.of(stack).claim("data.aws_iam_role.live")
    TerraformBlocks.of(stack).write()
    template = Template.from_stack(stack)
    template.has_data_source("aws_iam_role", "live", {"name": "team"})
    template.has_block("locals", {"a": 1})


def test_every_kind_of_block_is_written(stack: TerraformStack) -> None:
    blocks = TerraformBlocks.of(stack)
    blocks.import_existing("aws_iam_role.a", "a")
    blocks.import_existing("aws_iam_role.b", "${each.value}", for_each="local.b")
    blocks.forget("aws_iam_role.c")
    blocks.define({"b": ["x"]})
    blocks.check("d", Assertion("local.b == []", "B is ${local.b}."))
    blocks.output("E", "${local.b}")
    blocks.write()
    template = Template.from_stack(stack)
    template.has_block(
        "import",
        [
            {"to": "aws_iam_role.a", "id": "a"},
            {"for_each": "${local.b}", "to": "aws_iam_role.b", "id": "${each.value}"},
        ],
    )
    template.has_block("removed", [{"from": "aws_iam_role.c", "lifecycle": {"destroy": False}}])
    template.has_block("locals", {"b": ["x"]})
    template.has_block("check.d", {"assert": [{"condition": "${local.b == []}", "error_message": "B is ${local.b}."}]})
    template.has_block("output", {"E": {"value": "${local.b}"}})


def test_constructs_may_define_the_same_value_and_not_another_of_its_name(stack: TerraformStack) -> None:
    blocks = TerraformBlocks.of(stack)
    blocks.define({"a": 1})
    blocks.define({"a": 1})
    with pytest.raises(ValueError, match=r"^choose another name, locals\.a is 1 already, got 2$"):
        blocks.define({"a": 2})


def test_a_block_that_would_not_be_written_is_refused(stack: TerraformStack) -> None:
    TerraformBlocks.of(stack).write()
    with pytest.raises(ValueError, match=r"^create constructs before the stack writes its blocks, got a later import"):
        TerraformBlocks.of(stack).import_existing("aws_iam_role.a", "a")
