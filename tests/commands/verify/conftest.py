from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands.command_line import status_of
from commands.verify.__main__ import main
from iam.documents.grants import Grantee, GrantSettings, inline_policies, managed_policies
from iam.documents.recipe import (
    Permissions,
    trust_policy,
)
from iam.policy_document import Document
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import ACCOUNT, MakeRole, make_role, one_loader, proxy
from tests.ran import Ran

__all__ = ["make_role", "one_loader", "proxy"]

DENY_GLUE: Document = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "glue:*", "Resource": "*"}}


Run = Callable[..., Ran]
Granted = Callable[..., str]


@pytest.fixture
def verify(proxy: AwsProxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in this process; `roles` are those of the environment `dev`."""

    def run(*arguments: str, roles: str = "[{role: team}]", more: str = "") -> Ran:
        (tmp_path / "glue-sessions.yaml").write_text(
            "state: {bucket: verify-states, region: us-east-1, use_path_style: true}\n"
            f"environments:\n  dev: {{region: us-east-1, roles: {roles}}}\n{more}"
        )
        capsys.readouterr()
        return Ran(status_of(main, arguments), *capsys.readouterr())

    return run


@pytest.fixture
def granted(make_role: MakeRole) -> Granted:
    """Return a function that creates roles with all of the recipe's grants."""

    def make(
        name: str = "team",
        *,
        permissions: Permissions = "recipe",
        trust: Document | None = None,
        inline: dict[str, Document] | None = None,
        **more: Any,
    ) -> str:
        settings = GrantSettings(permissions)
        grantee = Grantee("aws", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/service-role/{name}")
        documents = {grant.policy_name: grant.document(settings, grantee) for grant in inline_policies()}
        granted = {name: document for name, document in documents.items() if document}
        return make_role(
            name,
            trust or trust_policy(),
            attached=tuple(grant.arn("aws") for grant in managed_policies() if grant.is_granted(settings)),
            inline={**granted, **(inline or {})},
            **more,
        )

    return make
