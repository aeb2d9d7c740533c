"""The real Glue PySpark kernel, started as SageMaker Studio starts it, as the execution role.

Refusals are looked for in the cells' outputs and in the sandbox's log of decisions: the kernel fails no cell for a
session that it did not get.
"""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from nbformat import NotebookNode

from sandbox.launcher import Sandbox
from sandbox.studio import Kernel, run_notebook, text_of
from tests.sandbox.conftest import Role, policy, trust

RESTRICTED = "service-role/AwsGlueSessionUserRestrictedServiceRole"
BUCKET = "sagemaker-us-east-1-123456789012"
DATA = {
    "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
}
"""What the role has for its work already; the name keeps AmazonSageMakerFullAccess from mattering."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


class Grants:
    """The three grants of a role, each of which can be given and taken away."""

    POLICY_NAME = "glue-sagemaker-interactive-sessions-setup"

    def __init__(self, role: Role, document: str) -> None:
        self.role = role
        self.document = document

    def give(self) -> None:
        self.role.attach(RESTRICTED)
        self.give_inline()
        self.trust("sagemaker.amazonaws.com", "glue.amazonaws.com")

    def give_inline(self) -> None:
        self.role.iam.put_role_policy(
            RoleName=self.role.name, PolicyName=self.POLICY_NAME, PolicyDocument=self.document
        )

    def take_inline(self) -> None:
        self.role.iam.delete_role_policy(RoleName=self.role.name, PolicyName=self.POLICY_NAME)

    def detach(self) -> None:
        self.role.iam.detach_role_policy(RoleName=self.role.name, PolicyArn=f"arn:aws:iam::aws:policy/{RESTRICTED}")

    def trust(self, *services: str) -> None:
        self.role.iam.update_assume_role_policy(RoleName=self.role.name, PolicyDocument=trust(*services))


def recipe(role: Role) -> str:
    return policy({"Action": ["iam:GetRole", "iam:PassRole", "sts:GetCallerIdentity"], "Resource": "*"})


def least_privilege(role: Role) -> str:
    session = "arn:aws:glue:*:123456789012:session/*"
    return policy(
        {"Action": "iam:GetRole", "Resource": role.arn},
        {
            "Action": "iam:PassRole",
            "Resource": role.arn,
            "Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
        },
        {"Action": "glue:GetTags", "Resource": session},
    )


def check_outputs(executed: NotebookNode) -> None:
    """Check what each cell of the notebook that runs here has put out."""
    texts = {cell.id: text_of(cell) for cell in executed.cells if cell.cell_type == "code"}
    assert "Setting Glue version to: 5.0" in texts["configure"]
    assert texts["start"].rstrip().endswith("Spark 3.5.4")
    assert "Status: READY" in texts["status"]
    assert "|Lima|    1|   23.0|" in texts["load"]
    assert "|Oslo| 7.3|    11|" in texts["transform"]
    assert "|    1|   -2.9|   23.0|" in texts["sql"]
    assert "|Rome|   12|" in texts["s3"]
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


def test_refused_before_the_grants_served_after_them_refused_without_any_of_them(
    sandbox: Sandbox, notebook: NotebookNode
) -> None:
    role = Role(sandbox, "AmazonSageMaker-ExecutionRole-20240101T000001", "sagemaker.amazonaws.com")
    role.allow(DATA)
    grants = Grants(role, recipe(role))
    with Kernel(role_arn=role.arn, sandbox=sandbox.environment) as kernel:

        def refusal() -> str:
            return kernel.run("spark.version")

        assert "AccessDeniedException" in refusal()
        assert "is not authorized to perform: glue:CreateSession on resource" in refusal()
        grants.give()
        grants.detach()
        assert "is not authorized to perform: glue:CreateSession on resource" in refusal()
        grants.give()
        grants.take_inline()
        assert f"is not authorized to perform: iam:PassRole on resource: {role.arn} because no identity" in refusal()
        grants.give()
        grants.trust("sagemaker.amazonaws.com")
        assert f"Role {role.arn} should be given assume role permissions for Glue Service." in refusal()
    grants.give()
    check_outputs(run_notebook(notebook, role_arn=role.arn, sandbox=sandbox.environment))


def test_with_least_privilege_the_notebook_runs_and_the_role_passes_nothing_else(
    sandbox: Sandbox, notebook: NotebookNode
) -> None:
    role = Role(sandbox, "team-notebook", "sagemaker.amazonaws.com")
    role.allow(DATA, {"Action": "sagemaker:CreateModel", "Resource": "*"})
    grants = Grants(role, least_privilege(role))
    grants.give()
    other = Role(sandbox, "production", "glue.amazonaws.com", "sagemaker.amazonaws.com")
    asked = {
        "Id": "theirs",
        "Role": other.arn,
        "Command": {"Name": "glueetl"},
        "Tags": {"owner": role.user_id},
    }
    glue, sagemaker = role.client("glue"), role.client("sagemaker")
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {other.arn}"):
        glue.create_session(**asked)
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {role.arn}"):
        sagemaker.create_model(ModelName="m", ExecutionRoleArn=role.arn)
    executed = run_notebook(notebook, role_arn=role.arn, sandbox=sandbox.environment)
    check_outputs(executed)
    status = next(cell for cell in executed.cells if cell.id == "status")
    assert f"owner: {role.user_id}" in text_of(status) or role.user_id in text_of(status)
    asked_for = {(decision.action, decision.result) for decision in sandbox.decisions()}
    assert ("glue:GetTags", "Allowed") in asked_for

    Grants(role, recipe(role)).give()  # what the recipe would have allowed
    assert sagemaker.create_model(ModelName="m", ExecutionRoleArn=role.arn)["ModelArn"]
