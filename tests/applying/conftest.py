"""A stack with a saved plan and a role; the Terraform here is a shell script, IAM is the sandbox's."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from applying.apply import apply_plans, report
from iam.policy_document import Document
from sandbox.launcher import Sandbox
from terraform_cli.stacks import find, settings_folder
from terraform_cli.terraform import Terraform
from tests import plan_builder
from tests.aws_proxy import AwsProxy, aws_proxy
from tests.trust_policies import statement, trust

ROLE = "team"
SAGEMAKER = statement("sagemaker.amazonaws.com")
LAMBDA = statement("lambda.amazonaws.com")
DONE = {"@level": "info", "type": "change_summary", "@message": "Apply complete! Resources: 1 added, 0 changed."}


def diagnostic(summary: str, detail: str = "") -> dict[str, Any]:
    error = {"severity": "error", "summary": summary, "detail": detail}
    return {"@level": "error", "type": "diagnostic", "diagnostic": error}


class Ran(NamedTuple):
    status: int
    out: str
    err: list[str]


class Saved:
    """A stack's folder: its saved plan, and the result of applying it."""

    def __init__(self, folder: Path, aws: Sandbox) -> None:
        self.folder = folder
        self.iam = aws.client("iam")
        (folder / ".terraform").mkdir(parents=True)
        (folder / "plan").touch()
        self.applies(DONE)

    def plans(self, *changes: Any, seen: Document | None = None, **more: Any) -> None:
        """Set the plan; it has read the role as it is in AWS, or with another trust policy."""
        role = self.iam.get_role(RoleName=ROLE)["Role"]
        values = {
            "name": ROLE,
            "arn": role["Arn"],
            "unique_id": role["RoleId"],
            "assume_role_policy": json.dumps(seen or role["AssumeRolePolicyDocument"]),
        }
        data = {"address": "data.aws_iam_role.live", "mode": "data", "type": "aws_iam_role", "values": values}
        content = plan_builder.plan(
            *(changes or [plan_builder.attachment(plan_builder.GLUE_SESSIONS)]),
            prior_state={"values": {"root_module": {"resources": [data]}}},
            configuration={"provider_config": {"aws": {"expressions": {"region": {"constant_value": "eu-west-1"}}}}},
            **more,
        )
        (self.folder / "plan.json").write_bytes(content)

    def applies(self, *events: dict[str, Any], status: int = 0) -> None:
        (self.folder / "events").write_text("\n".join(map(json.dumps, events)))
        (self.folder / "status").write_text(str(status))

    @property
    def was_applied(self) -> bool:
        return (self.folder / "applied").exists()

    def trust(self, document: Document) -> None:
        self.iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(document))


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("bin") / "terraform"
    program.write_text(
        "#!/bin/sh\n[ $1 = show ] && exec cat plan.json\n"
        "[ $1 = plan ] && { [ ! -f planned ] || { cat planned; exit 1; }; } && exit\n"
        "[ $1 = apply ] && touch applied && cat events\nexit $(cat status)\n"
    )
    program.chmod(0o755)
    return program


@pytest.fixture
def saved(aws: Sandbox, terraform: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Saved]:
    """Return the stack `a` of an output folder; the role exists and trusts SageMaker."""
    out = tmp_path / "out"
    monkeypatch.setenv("PATH", f"{terraform.parent}:{os.defpath}")
    monkeypatch.setenv("CDKTF_OUTDIR", str(out))
    stack = Saved(out / "stacks/a", aws)
    entry = {"name": "a", "workingDirectory": "stacks/a"}
    (out / "manifest.json").write_text(json.dumps({"stacks": {"a": entry}}))
    stack.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust(SAGEMAKER)))
    yield stack
    stack.iam.delete_role(RoleName=ROLE)


Run = Callable[..., Ran]


@pytest.fixture
def apply(saved: Saved, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that applies the plan of stack `a` and reports the outcome."""

    def run(**options: Any) -> Ran:
        capsys.readouterr()
        status = report(apply_plans(find(["a"]), Terraform(settings_folder()), **options))
        out, err = capsys.readouterr()
        return Ran(status, out, err.splitlines())

    return run


@pytest.fixture
def proxy(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    with aws_proxy(aws) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.environment["AWS_ENDPOINT_URL"])
        yield running
