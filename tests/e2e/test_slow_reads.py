"""Resources of one stack that read each other's objects: with slow reads, each change must still come to its end.

The AWS provider reads objects back after it has written them, while Terraform writes and deletes others of the stack.
A read that begins before a deletion and ends after it fails the apply. Every read here is slow, so that all of them
overlap what can overlap.
"""

import time

from configuration.pipeline_access import pipeline_settings
from stacks.pipeline_access import PipelineAccessStack
from stacks.state_bucket import StateBucketStack
from tests.aws_proxy import Answer, AwsProxy, answer_all
from tests.e2e.conftest import through
from tests.e2e.execution_role import CONSOLE_TRUST, ExecutionRole
from tests.e2e.shop import Shop
from tests.e2e.terraform import Run
from tests.e2e.test_state_bucket import create_state_bucket
from tests.template import app_in_memory

SECONDS = 0.1
APPLY = ("apply", "-json", "-input=false", "-auto-approve")
_READS = ("Get", "List", "Head", "Describe")


def slow_down(proxy: AwsProxy) -> None:
    """Delay every read of IAM and S3, but not those of the state."""

    def answer(operation: str) -> Answer:
        if operation.startswith(_READS) or (operation.startswith(("GET", "HEAD")) and ".tfstate" not in operation):
            time.sleep(SECONDS)
        return None

    answer_all(proxy, answer)


def assert_done(run: Run) -> None:
    assert (run.status, run.errors) == (0, [])


def test_every_change_of_a_roles_stack_comes_to_its_end(shop: Shop, role: ExecutionRole, proxy: AwsProxy) -> None:
    slow_down(proxy)
    additive = {"ownership": "additive"}
    for settings in (
        {"permissions": "isolated", "access": {"buckets": {"read": ["s3://acme-sales/"]}}},
        {"trust": additive},  # the trust policy and a policy change, and another policy goes
        {"trust": additive, "released": True},
    ):
        assert_done(shop.stack(role.name, **settings).try_to_apply(**through(proxy)))
    assert role.trust == CONSOLE_TRUST
    assert role.read() == role.made


def test_every_change_of_the_other_stacks_comes_to_its_end(new_shop: Shop, unique_name: str, proxy: AwsProxy) -> None:
    shop = new_shop
    slow_down(proxy)
    roles = {"dev": {"account_id": "123456789012", "roles": [{"role": unique_name}]}}
    configuration = shop.configure(**roles)
    create_state_bucket(shop)
    bucket = shop.prepare(StateBucketStack(app_in_memory(), state=configuration.state), "state-bucket")
    assert_done(bucket.try_to_apply(**through(proxy)))
    shop.aws.client("s3").delete_bucket_policy(Bucket=shop.bucket)
    assert_done(bucket.try_to_apply(**through(proxy)))

    forget_oidc_providers(shop)
    for github in ({"branch": "main"}, {"environment": "production", "oidc_provider_exists": True}):
        shop.pipeline = {"github": {"repository": f"acme/{unique_name}", **github}}
        settings = pipeline_settings(shop.configure(**roles))
        access = shop.prepare(PipelineAccessStack(app_in_memory(), settings=settings), "pipeline-access")
        assert_done(access.run_unguarded(*APPLY, **through(proxy)))
    assert_done(access.run_unguarded(*APPLY, "-destroy", **through(proxy)))
    forget_oidc_providers(shop)


def forget_oidc_providers(shop: Shop) -> None:
    """Delete the account's OIDC provider, which another test may have left: an account has one for GitHub."""
    iam = shop.aws.client("iam")
    for provider in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
