import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from commands.verify.__main__ import main
from iam.recipe import (
    INLINE_POLICY_NAME,
    Document,
    Permissions,
    inline_policy,
    managed_policy_arn,
    trust_policy,
)
from tests.aws_proxy import AwsProxy
from tests.discover.conftest import ACCOUNT, MakeRole, make_role, one_loader, proxy, sandbox

__all__ = ["make_role", "one_loader", "proxy", "sandbox"]

DENY_GLUE: Document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "glue:*", "Resource": "*"}}


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    def role(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(role for role in self.json["roles"] if role["role"] == name)
        return found

    def verdicts(self, name: str) -> dict[str, str]:
        return {call["action"]: call["verdict"] for call in self.role(name)["calls"]}


Run = Callable[..., Ran]
Granted = Callable[..., str]


@pytest.fixture
def verify(proxy: AwsProxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process; `roles` is what stands under the environment `dev`."""

    def run(*arguments: str, roles: str = "[{role: team}]", more: str = "") -> Ran:
        (tmp_path / "glue-sessions.yaml").write_text(
            "state: {bucket: verify-states, region: us-east-1, use_path_style: true}\n"
            f"environments:\n  dev: {{region: us-east-1, roles: {roles}}}\n{more}"
        )
        capsys.readouterr()
        status = main(arguments)
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture
def granted(make_role: MakeRole) -> Granted:
    """Makes roles that have all of the recipe's grants."""

    def make(
        name: str = "team",
        *,
        permissions: Permissions = "recipe",
        trust: Document | None = None,
        inline: dict[str, Document] | None = None,
        **more: Any,
    ) -> str:
        arn = f"arn:aws:iam::{ACCOUNT}:role/service-role/{name}"
        document = inline_policy(permissions, partition="aws", account_id=ACCOUNT, role_arn=arn)
        return make_role(
            name,
            trust or trust_policy(),
            attached=(managed_policy_arn("aws"),),
            inline={INLINE_POLICY_NAME: document, **(inline or {})},
            **more,
        )

    return make
