import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.loaders import create_loader

from commands.discover.__main__ import main
from iam.policy_document import Document
from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy, aws_proxy
from tests.commands.discover.studio import Studio
from tests.ran import Ran
from tests.trust_policies import statement
from tests.trust_policies import trust as trust_policy

ACCOUNT = "123456789012"
STATE = '{{"version": 4, "resources": [{{"type": "{}", "name": "any_name", "instances": [{{}}]}}]}}'
"""A state with one resource of a type."""
SAGEMAKER = statement("sagemaker.amazonaws.com")


Run = Callable[..., Ran]
MakeRole = Callable[..., str]


@pytest.fixture(scope="session", autouse=True)
def one_loader() -> Iterator[None]:
    """Load botocore's data once for all runs of a command; loading takes most of a run's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", functools.cache(create_loader))
        yield


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Return a separate local AWS: the command lists every domain of an account."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AwsProxy]:
    """Point this process at the sandbox, through a proxy."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "HTTPS_PROXY", "HTTP_PROXY", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(tmp_path / "glue-sessions.yaml"))
    with aws_proxy(sandbox) as running:
        for name, value in running.environment.items():
            if name != "AWS_CA_BUNDLE":
                monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def studio(sandbox: Sandbox) -> Iterator[Studio]:
    made = Studio(sandbox)
    yield made
    made.remove()


@pytest.fixture
def make_role(sandbox: Sandbox) -> Iterator[MakeRole]:
    """Return a function that creates roles, which are deleted at the end."""
    iam = sandbox.client("iam")
    made: list[str] = []

    def make(
        name: str,
        trust: Document | None = None,
        *,
        path: str = "/service-role/",
        attached: tuple[str, ...] = (),
        inline: dict[str, Document] | None = None,
        boundary: str | None = None,
    ) -> str:
        arn = iam.create_role(
            RoleName=name,
            Path=path,
            AssumeRolePolicyDocument=json.dumps(trust or trust_policy(SAGEMAKER)),
            **({"PermissionsBoundary": boundary} if boundary else {}),  # type: ignore[arg-type]
        )["Role"]["Arn"]
        made.append(name)
        for policy in attached:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
        for policy_name, document in (inline or {}).items():
            iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(document))
        return arn

    yield make
    for name in made:
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        for policy_name in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
        iam.delete_role(RoleName=name)


@pytest.fixture
def discover(proxy: AwsProxy, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command in this process, by default in us-east-1."""

    def run(*arguments: str, region: str | None = "us-east-1") -> Ran:
        capsys.readouterr()
        status = main([*(["--region", region] if region else []), *arguments])
        return Ran(status, *capsys.readouterr())

    return run


def configure(directory: Path, roles: str, *, state: str = "{bucket: some-states, region: us-east-1}") -> None:
    (directory / "glue-sessions.yaml").write_text(
        f"state: {state}\nenvironments: {{dev: {{region: us-east-1, account_id: '{ACCOUNT}', roles: {roles}}}}}\n"
    )
