import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sandbox.launcher import Sandbox

START_LIMIT = 240
"""Seconds until Spark has started, on a machine that is busy with other tests."""
SESSION: Any = {"Command": {"Name": "glueetl", "PythonVersion": "3"}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as aws:
        yield aws


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    )


def trust(*services: str) -> str:
    return policy(*({"Principal": {"Service": service}, "Action": "sts:AssumeRole"} for service in services))


class Role:
    """A role of the sandbox, with clients that use a session of it."""

    def __init__(self, sandbox: Sandbox, name: str, *services: str, path: str = "/service-role/") -> None:
        self.sandbox = sandbox
        self.name = name
        self.iam = sandbox.client("iam")
        role = self.iam.create_role(Path=path, RoleName=name, AssumeRolePolicyDocument=trust(*services))["Role"]
        self.arn, self.id = role["Arn"], role["RoleId"]
        session = sandbox.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="SageMaker")
        self._credentials = session["Credentials"]

    @property
    def user_id(self) -> str:
        return f"{self.id}:SageMaker"

    def allow(self, *statements: dict[str, Any]) -> None:
        """Replace the role's grants with these statements."""
        self.iam.put_role_policy(RoleName=self.name, PolicyName="grants", PolicyDocument=policy(*statements))

    def attach(self, name: str) -> None:
        self.iam.attach_role_policy(RoleName=self.name, PolicyArn=f"arn:aws:iam::aws:policy/{name}")

    def client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name="us-east-1",
            endpoint_url=self.sandbox.endpoint,
            verify=str(self.sandbox.certificate_authority),
            aws_access_key_id=self._credentials["AccessKeyId"],
            aws_secret_access_key=self._credentials["SecretAccessKey"],
            aws_session_token=self._credentials["SessionToken"],
            config=Config(proxies={}),
        )


def wait_for_state(glue: Any, name: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + START_LIMIT
    while True:
        session: dict[str, Any] = glue.get_session(Id=name)["Session"]
        if session["Status"] == state:
            return session
        assert session["Status"] in ("PROVISIONING", "STOPPING"), session
        assert time.monotonic() < deadline, session
        time.sleep(0.1)
