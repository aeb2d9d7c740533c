"""Fixtures of the notebook's tests: the notebook, and execution roles in the local AWS of the end-to-end tests."""

from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from sandbox.launcher import Sandbox
from tests.e2e.conftest import aws, binary, environment, new_shop, provider, shop, unique_name
from tests.e2e.execution_role import CONSOLE_TRUST, ExecutionRole
from tests.repository import ROOT

__all__ = ["aws", "binary", "environment", "new_shop", "provider", "shop", "unique_name"]

NOTEBOOK = ROOT / "notebooks" / "notebook-with-glue-interactive-sessions-in-sagemaker.ipynb"


class RoleSession:
    """A session of a role, with the session name and requests of Studio.

    Args:
        aws: the local AWS.
        role_arn: the role's ARN.
    """

    def __init__(self, aws: Sandbox, role_arn: str) -> None:
        assumed = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="SageMaker")
        credentials = assumed["Credentials"]
        self._aws = aws
        self._keys = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }
        self.user_id = assumed["AssumedRoleUser"]["AssumedRoleId"]

    def client(self, service: Any) -> Any:
        """Return a boto3 client of this session."""
        return self._aws.client(service, **self._keys)

    def start_and_end_glue_session(self, role_arn: str) -> None:
        """Create a Glue session as the kernel does, passing a role, and delete it before Spark has started.

        Raises:
            ClientError: the request is denied.
        """
        glue = self.client("glue")
        created = glue.create_session(
            Id=f"of-{self.user_id.partition(':')[0]}",
            Role=role_arn,
            Command={"Name": "glueetl", "PythonVersion": "3"},
            Tags={"owner": self.user_id},
        )
        glue.delete_session(Id=created["Session"]["Id"])


@pytest.fixture
def notebook() -> NotebookNode:
    content: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return content


def create_role(aws: Sandbox, name: str) -> ExecutionRole:
    """Create a role as the SageMaker console does, with AmazonSageMakerFullAccess.

    AmazonSageMakerFullAccess lets roles named AmazonSageMaker… be passed to Glue. The role has not the permissions
    boundary of other end-to-end tests, which allows no role to be passed.
    """
    role = ExecutionRole(aws, name, CONSOLE_TRUST)
    aws.client("iam").delete_role_permissions_boundary(RoleName=role.name)
    return role


@pytest.fixture
def role(aws: Sandbox, unique_name: str) -> ExecutionRole:
    """Return a role as `create_role` does."""
    return create_role(aws, unique_name)
