"""The pipeline's two roles at work: they may do what is recorded, and their requests are those on record."""

import json
from dataclasses import replace

from iam.documents.pipeline_access import CALLS_FILE
from stacks.pipeline_access import PipelineAccessStack
from tests.e2e import pipeline_work
from tests.e2e.conftest import MakeRole
from tests.e2e.pipeline_work import PipelineWork, apply_unguarded
from tests.e2e.shop import Shop
from tests.e2e.terraform import Run, Terraform
from tests.template import app_in_memory

OIDC_PROVIDER = "aws_iam_openid_connect_provider.github"


def without_its_role(stack: Terraform) -> Terraform:
    """Return the stack after somebody deleted the role's block and kept the grants."""
    file = stack.folder / "cdk.tf.json"
    document = json.loads(file.read_text())
    del document["resource"]["aws_iam_role"], document["import"]
    for resources in document["resource"].values():
        grant = resources["glue_sessions"]
        del grant["depends_on"]
        grant.pop("lifecycle", None)
    file.write_text(json.dumps(document))
    return stack


def assert_refused(run: Run, action: str) -> None:
    assert run.status == 1
    assert any(f"is not authorized to perform: {action} " in error for error in run.errors), run.errors


def test_each_role_does_its_work_and_no_more(shop: Shop, make_role: MakeRole, unique_name: str) -> None:
    work = pipeline_work.begin(shop, make_role, unique_name)

    work.plan()
    assert_refused(work.attempt("plan").try_to_apply(), "iam:UpdateAssumeRolePolicy")
    assert work.adopted.read() == work.adopted.made

    work.apply()
    work.drift_and_verify()
    before = work.adopted.read()
    deleting = apply_unguarded(without_its_role(work.attempt("apply")))
    assert_refused(deleting, "iam:ListInstanceProfilesForRole")
    assert work.adopted.read() == before

    work.release()
    assert json.loads(CALLS_FILE.read_text()) == work.calls(), "make pipeline-calls records these calls"

    assert_it_can_be_left(work)


def assert_it_can_be_left(work: PipelineWork) -> None:
    """The roles go, and the OIDC provider stays for others who trust it."""
    shop = work.shop
    github = work.settings.github.model_copy(update={"oidc_provider_exists": True})
    settings = replace(work.settings, github=github)
    stack = shop.prepare(PipelineAccessStack(app_in_memory(), settings=settings), "pipeline-access")
    forgotten = apply_unguarded(stack)
    assert (forgotten.status, forgotten.changes) == (0, {OIDC_PROVIDER: "remove"}), forgotten.output
    destroyed = apply_unguarded(stack, "-destroy")
    assert destroyed.summary == "Apply complete! Resources: 0 added, 0 changed, 4 destroyed.", destroyed.output
    (provider,) = shop.aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert provider["Arn"].endswith(":oidc-provider/token.actions.githubusercontent.com")
