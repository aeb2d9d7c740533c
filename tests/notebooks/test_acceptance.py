"""The real Glue PySpark kernel, started as SageMaker Studio starts it, with a role that the project's stack grants.

The tests look for errors in the cells' outputs and in the sandbox's log of decisions, because a denied session does not
fail a cell.
"""

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from iam.policy_document import Document
from plans import plan as plans
from review.report import review
from sandbox.launcher import Sandbox
from sandbox.studio import Kernel, run_notebook, text_of
from tests.e2e.execution_role import ACCOUNT, CONSOLE_TRUST, RECIPE_TRUST, ExecutionRole, statement, trust
from tests.e2e.programs import command
from tests.e2e.shop import Shop
from tests.notebooks.conftest import RoleSession, create_role
from tests.repository import ROOT

NO_CREATE_SESSION = "is not authorized to perform: glue:CreateSession on resource: arn:aws:glue:"
NO_PASS_ROLE = "is not authorized to perform: iam:PassRole on resource: {} because no identity-based policy allows"
PASS_ROLE_DENIED = (
    "is not authorized to perform: iam:PassRole on resource: {} with an explicit deny in an identity-based policy"
)
NO_TRUST = "Role {} should be given assume role permissions for Glue Service."
NO_GET_TAGS = "Unable to display tags due to missing glue:GetTags permission."

EXPLICIT_DENY = "with an explicit deny in an identity-based policy"
NOT_PYTHON = (
    "The following exception was encountered while parsing the configurations provided: malformed node or string"
)
NO_DELTA = "--datalake-formats delta: the sandbox lacks the Java libraries of delta"
FIGURE = "import plotly.express as px\nfigure = px.bar(x=['a'], y=[1])\n%plotly figure"
UNTAGGED: Document = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Deny",
        "Action": "glue:CreateSession",
        "Resource": "*",
        "Condition": {"Null": {"aws:RequestTag/CostCenter": "true"}},
    },
}

TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
RULE = "other-roles-to-glue"
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def check_outputs(executed: NotebookNode) -> None:
    """Check the output of each cell that runs in the sandbox."""
    texts = {cell.id: text_of(cell) for cell in executed.cells if cell.cell_type == "code"}
    assert "Setting Glue version to: 5.0" in texts["configure"]
    assert texts["start"].rstrip().endswith("Spark 3.5.4")
    assert "Status: READY" in texts["status"]
    assert "|Lima|    1|   23.0|" in texts["load"]
    assert "|Oslo| 7.3|    11|" in texts["transform"]
    assert "|    1|   -2.9|   23.0|" in texts["sql"]
    assert "|Rome|   12|" in texts["s3"]
    assert "Name a database" in texts["tables"]
    assert "Stopped session." in texts["stop"]
    images = [
        output.data["image/png"]
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(images) == 1
    errors = [output for cell in executed.cells for output in cell.get("outputs", []) if output.output_type == "error"]
    assert errors == []


def s3_cell(notebook: NotebookNode, bucket: str) -> str:
    """Return the notebook's cell about S3 with another bucket."""
    (source,) = (cell.source for cell in notebook.cells if cell.id == "s3")
    named = source.replace('f"sagemaker-{region}-{account}"', f'"{bucket}"')
    assert named != source
    return str(named)


def test_the_kernel_needs_each_grant_and_works_after_apply_has_restored_it(
    shop: Shop, role: ExecutionRole, notebook: NotebookNode
) -> None:
    stack = shop.stack(role.arn)
    studio = RoleSession(shop.aws, role.arn)
    drifts: list[tuple[Callable[[], None], str]] = [
        (role.detach, NO_CREATE_SESSION),
        (role.delete_inline_policy, NO_PASS_ROLE.format(role.arn)),
        (lambda: setattr(role, "trust", CONSOLE_TRUST), NO_TRUST.format(role.arn)),
    ]
    with Kernel(role_arn=role.arn, sandbox=shop.aws.environment) as kernel:
        before = kernel.run("spark.version")
        assert "AccessDeniedException" in before
        assert NO_CREATE_SESSION in before
        stack.apply()
        for drift, message in drifts:
            drift()
            assert message in kernel.run("spark.version")
            stack.apply()
            studio.start_and_end_glue_session(role.arn)
        assert NOT_PYTHON in kernel.run('%%configure\n{"--enable-metrics": true}')
        shop.aws.client("iam").put_role_policy(
            RoleName=role.name, PolicyName="tagged-only", PolicyDocument=json.dumps(UNTAGGED)
        )
        assert EXPLICIT_DENY in kernel.run("spark.version")
        kernel.run('%%tags\n{"CostCenter": "7"}')
        kernel.run('%%configure\n{"--datalake-formats": "delta"}')
        assert NO_DELTA in kernel.run("spark.version")
        kernel.run('%%configure\n{"--datalake-formats": ""}')
        assert "3.5.4" in kernel.run("spark.version")
        figure = new_code_cell(FIGURE)  # type: ignore[no-untyped-call]
        kernel.run_cell(figure)
        assert [list(output.data) for output in figure.outputs] == [["image/png"]]
        status = kernel.run("%status")
        assert "Status: READY" in status
        assert NO_GET_TAGS in status
        assert studio.user_id not in status
        missing = f"missing-{role.name}".lower()
        assert f"The bucket {missing} does not exist: create it, or name another one." in kernel.run(
            s3_cell(notebook, missing)
        )
        role.detach(FULL_ACCESS)
        shop.aws.client("s3").create_bucket(Bucket=missing)
        assert f"The bucket {missing} is closed to this role: name another one" in kernel.run(
            s3_cell(notebook, missing)
        )


def test_the_notebook_runs_whole_with_least_privilege_added_to_a_trust_policy(
    shop: Shop, role: ExecutionRole, notebook: NotebookNode
) -> None:
    shop.stack(role.arn, permissions="least-privilege", trust={"ownership": "additive"}).apply()
    shop.aws.client("s3").create_bucket(Bucket=f"sagemaker-us-east-1-{ACCOUNT}")
    executed = run_notebook(notebook, role_arn=role.arn, sandbox=shop.aws.environment)
    check_outputs(executed)
    status = next(text_of(cell) for cell in executed.cells if cell.id == "status")
    assert RoleSession(shop.aws, role.arn).user_id in status
    assert NO_GET_TAGS not in status


def test_a_session_starts_with_every_other_setting_if_glue_is_trusted(shop: Shop, unique_name: str) -> None:
    settings = [("authoritative", "least-privilege"), ("additive", "recipe"), ("external", "least-privilege")]
    roles = {ownership: create_role(shop.aws, f"{ownership}-{unique_name}") for ownership, _ in settings}
    entries = [
        {"role": roles[ownership].arn, "permissions": permissions, "trust": {"ownership": ownership}}
        for ownership, permissions in settings
    ]
    shop.together(dev={"roles": entries}).apply()
    external = roles["external"]
    with pytest.raises(ClientError, match=NO_TRUST.format(external.arn)):
        RoleSession(shop.aws, external.arn).start_and_end_glue_session(external.arn)
    external.trust = RECIPE_TRUST  # its owner's work
    for role in roles.values():
        RoleSession(shop.aws, role.arn).start_and_end_glue_session(role.arn)


def test_least_privilege_denies_passing_another_role_or_to_another_service(shop: Shop, role: ExecutionRole) -> None:
    other = ExecutionRole(shop.aws, f"production-of-{role.name}", trust(statement("glue.amazonaws.com")))
    role.detach(FULL_ACCESS)  # it allows passing any role to SageMaker
    shop.aws.client("iam").put_role_policy(
        RoleName=role.name,
        PolicyName="models",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*"},
            }
        ),
    )
    studio = RoleSession(shop.aws, role.arn)

    def pass_to_sagemaker() -> None:
        studio.client("sagemaker").create_model(ModelName=role.name, ExecutionRoleArn=role.arn)

    shop.stack(role.arn, permissions="least-privilege").apply()
    with pytest.raises(ClientError, match=NO_PASS_ROLE.format(other.arn)):
        studio.start_and_end_glue_session(other.arn)
    with pytest.raises(ClientError, match=NO_PASS_ROLE.format(role.arn)):
        pass_to_sagemaker()
    studio.start_and_end_glue_session(role.arn)
    shop.stack(role.arn, permissions="recipe").apply()
    studio.start_and_end_glue_session(other.arn)
    pass_to_sagemaker()
    assert passed(shop.aws, role) == [
        (other.arn, "ImplicitlyDenied"),
        (role.arn, "ImplicitlyDenied"),
        (role.arn, "Allowed"),
        (other.arn, "Allowed"),
        (role.arn, "Allowed"),
    ]


def test_full_access_passes_other_roles_to_glue_beside_least_privilege_and_isolated_denies_it(
    shop: Shop, role: ExecutionRole
) -> None:
    other = ExecutionRole(shop.aws, f"AmazonSageMaker-{role.name}", trust(statement("glue.amazonaws.com")))
    studio = RoleSession(shop.aws, role.arn)

    def reported() -> list[list[str]]:
        """Return the findings of `review` on the next plan, and the warnings of `verify` after it is applied."""
        stack.plan()
        document = stack.run("show", "-json", "plan.bin").output.encode()
        stack.run("apply", "-input=false", "plan.bin")
        (verified,) = json.loads(command(shop, "verify", "--json").stdout)["roles"]
        assert verified["state"] == "ready"
        found = [finding.rule for finding in review(plans.parse(document, "dev")).findings]
        return [[rule for rule in found if rule == RULE], [warning["warning"] for warning in verified["warnings"]]]

    stack = shop.stack(role.arn, permissions="least-privilege")
    assert reported() == [[RULE], [RULE]]
    studio.start_and_end_glue_session(other.arn)
    stack = shop.stack(role.arn, permissions="isolated")
    assert reported() == [[], []]
    with pytest.raises(ClientError, match=PASS_ROLE_DENIED.format(other.arn)):
        studio.start_and_end_glue_session(other.arn)
    studio.start_and_end_glue_session(role.arn)
    studio.client("sagemaker").create_model(ModelName=role.name, ExecutionRoleArn=other.arn)
    assert passed(shop.aws, role) == [
        (other.arn, "Allowed"),
        (other.arn, "ExplicitlyDenied"),
        (role.arn, "Allowed"),
        (other.arn, "Allowed"),
    ]


def passed(aws: Sandbox, role: ExecutionRole) -> list[tuple[str, str]]:
    """Return the decision on each role that a role's session requested to pass, oldest first."""
    return [
        (decision.resource, decision.result)
        for decision in aws.decisions()
        if decision.action == "iam:PassRole" and f"/{role.name}/" in decision.principal
    ]


@pytest.mark.parametrize(
    "text",
    [NO_CREATE_SESSION, NO_PASS_ROLE, PASS_ROLE_DENIED, NO_TRUST, NO_GET_TAGS, EXPLICIT_DENY, NOT_PYTHON],
    ids=["CreateSession", "PassRole", "PassRole denied", "trust", "GetTags", "Deny", "configure"],
)
def test_the_messages_that_users_see_are_on_the_troubleshooting_page(text: str) -> None:
    page = TROUBLESHOOTING.read_text(encoding="utf-8")
    assert [part for part in text.split("{}") if part not in page] == []
