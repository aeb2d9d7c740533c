"""apply-plan judges a saved plan and reads its role once more; the terraform here is a shell script, IAM the sandbox's.

With real plans: tests/e2e/test_apply_plan.py.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from commands.apply_plan.__main__ import main
from iam.documents.recipe import trust_policy
from iam.policy_document import Document
from sandbox.launcher import Sandbox
from tests import plan_builder
from tests.aws_proxy import AwsProxy, aws_proxy

ROLE = "team"
SAGEMAKER: Document = {
    "Effect": "Allow",
    "Principal": {"Service": "sagemaker.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
LAMBDA: Document = {**SAGEMAKER, "Principal": {"Service": "lambda.amazonaws.com"}}
DONE = {"@level": "info", "type": "change_summary", "@message": "Apply complete! Resources: 1 added, 0 changed."}


def trusting(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def diagnostic(summary: str, detail: str = "") -> dict[str, Any]:
    said = {"severity": "error", "summary": summary, "detail": detail}
    return {"@level": "error", "type": "diagnostic", "diagnostic": said}


class Ran(NamedTuple):
    status: int
    out: str
    err: list[str]


class Saved:
    """A stack's folder, with what its saved plan says and what applying that does."""

    def __init__(self, folder: Path, aws: Sandbox) -> None:
        self.folder = folder
        self.iam = aws.client("iam")
        (folder / ".terraform").mkdir(parents=True)
        (folder / "plan").touch()
        self.applies(DONE)

    def plans(self, *changes: Any, seen: Document | None = None, **more: Any) -> None:
        """Set the plan; it has seen the role as it is now, or with another trust policy."""
        role = self.iam.get_role(RoleName=ROLE)["Role"]
        values = {
            "name": ROLE,
            "arn": role["Arn"],
            "unique_id": role["RoleId"],
            "assume_role_policy": json.dumps(seen or role["AssumeRolePolicyDocument"]),
        }
        live = {"address": "data.aws_iam_role.live", "mode": "data", "type": "aws_iam_role", "values": values}
        content = plan_builder.plan(
            *(changes or [plan_builder.attachment(plan_builder.GLUE_SESSIONS)]),
            prior_state={"values": {"root_module": {"resources": [live]}}},
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
    stack.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trusting(SAGEMAKER)))
    yield stack
    stack.iam.delete_role(RoleName=ROLE)


Run = Callable[..., Ran]


@pytest.fixture
def apply_plan(saved: Saved, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        status = main(["a", *arguments])
        out, err = capsys.readouterr()
        return Ran(status, out, err.splitlines())

    return run


@pytest.fixture
def proxy(aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    with aws_proxy(aws) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.environment["AWS_ENDPOINT_URL"])
        yield running


def test_a_plan_is_applied_after_one_more_look_at_its_role(saved: Saved, apply_plan: Run, proxy: AwsProxy) -> None:
    saved.plans()
    assert apply_plan() == Ran(0, "a: applied: 1 added, 0 changed\n", [])
    assert saved.was_applied
    assert proxy.operations == ["GetRole"]


def test_the_deploy_role_of_the_plan_reads_the_role(saved: Saved, apply_plan: Run, proxy: AwsProxy) -> None:
    saved.plans()
    deploy = saved.iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trusting(SAGEMAKER)))
    document = json.loads((saved.folder / "plan.json").read_text())
    role = [{"role_arn": {"constant_value": deploy["Role"]["Arn"]}}]
    document["configuration"]["provider_config"]["aws"]["expressions"]["assume_role"] = role
    (saved.folder / "plan.json").write_text(json.dumps(document))
    apply_plan()
    saved.iam.delete_role(RoleName="deploy")
    assert proxy.operations[0] == "AssumeRole"
    assert json.loads(proxy.calls[0].parameters)["RoleArn"] == deploy["Role"]["Arn"]


def test_without_changes_there_is_nothing_to_apply(saved: Saved, apply_plan: Run) -> None:
    saved.plans(applyable=False)
    assert apply_plan() == Ran(0, "a: nothing to apply, the plan has no changes\n", [])
    # a terraform that does not say whether a plan can be applied
    text = plan_builder.trust("sagemaker.amazonaws.com")
    saved.plans(plan_builder.role(text, text))
    assert apply_plan() == Ran(0, "a: nothing to apply, the plan has no changes\n", [])
    assert not saved.was_applied


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_a_plan_that_deletes_a_role_is_refused_whatever_is_asked(
    saved: Saved, apply_plan: Run, actions: list[str]
) -> None:
    text = plan_builder.trust("sagemaker.amazonaws.com")
    saved.plans(plan_builder.role(text, text if "create" in actions else None, actions=actions))
    refused = apply_plan("--despite-failed-checks")
    assert refused.err == ["a: refused: the plan deletes the role aws_iam_role.exec, with all the policies it has"]
    assert (refused.status, saved.was_applied) == (1, False)


def test_a_failed_check_refuses_unless_told_to_go_on(saved: Saved, apply_plan: Run) -> None:
    problem = {"message": "This plan takes away Allow sts:AssumeRole to lambda.amazonaws.com."}
    instance = {"address": {"to_display": "check.kept"}, "status": "fail", "problems": [problem]}
    saved.plans(checks=[{"status": "fail", "instances": [instance]}])
    refused = apply_plan()
    assert refused.err == [
        "a: refused: check.kept: This plan takes away Allow sts:AssumeRole to lambda.amazonaws.com."
        " To apply the plan all the same: --despite-failed-checks"
    ]
    assert (refused.status, saved.was_applied) == (1, False)
    assert apply_plan("--despite-failed-checks").status == 0
    assert saved.was_applied


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (trusting(SAGEMAKER, LAMBDA), "gained: lambda.amazonaws.com may sts:AssumeRole"),
        (trusting(LAMBDA), "lost: sagemaker.amazonaws.com may sts:AssumeRole"),
        (trusting({**SAGEMAKER, "Sid": "Studio"}), "it was rewritten, with the same meaning"),
    ],
)
def test_another_trust_policy_than_the_plan_saw_is_told_in_words(
    saved: Saved, apply_plan: Run, now: Document, words: str
) -> None:
    saved.plans()
    saved.trust(now)
    refused = apply_plan("--despite-failed-checks")
    (line,) = refused.err
    assert line.startswith(
        f"a: refused: the trust policy of arn:aws:iam::123456789012:role/{ROLE} is not the one the plan"
    )
    assert words in line
    assert line.endswith("; plan again: cdktf plan a")
    assert (refused.status, saved.was_applied) == (1, False)


def test_what_somebody_made_by_hand_as_planned_is_applied(saved: Saved, apply_plan: Run) -> None:
    before, after = trusting(SAGEMAKER), trust_policy()
    saved.plans(plan_builder.role(json.dumps(before), json.dumps(after), name=ROLE))
    saved.trust(after)
    assert apply_plan().status == 0


def test_a_role_that_is_gone_or_another_is_refused(saved: Saved, apply_plan: Run) -> None:
    saved.plans()
    arn = f"arn:aws:iam::123456789012:role/{ROLE}"
    saved.iam.delete_role(RoleName=ROLE)
    assert apply_plan().err == [f"a: refused: the role {arn} is gone; plan again: cdktf plan a"]
    saved.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trusting(SAGEMAKER)))
    assert apply_plan().err == [f"a: refused: the role {arn} was deleted and made anew; plan again: cdktf plan a"]
    saved.plans()
    file = saved.folder / "plan.json"
    file.write_text(file.read_text().replace("123456789012", "111122223333"))
    (line,) = apply_plan().err
    assert line.startswith(f"a: refused: the plan is for {arn.replace('123456789012', '111122223333')}, and with these")
    assert not saved.was_applied


def test_a_role_that_cannot_be_read_once_more_is_status_2(saved: Saved, apply_plan: Run, proxy: AwsProxy) -> None:
    saved.plans()
    proxy.refuse("GetRole", "ExpiredToken")
    ran = apply_plan()
    assert ran.err == [
        "a: its role cannot be read once more, nothing was applied:"
        " the AWS credentials have expired, sign in again: not today"
    ]
    assert (ran.status, saved.was_applied) == (2, False)


def test_without_a_saved_plan_the_remedy_is_told(saved: Saved, apply_plan: Run) -> None:
    (saved.folder / "plan").unlink()
    assert apply_plan() == Ran(2, "", [f"a: there is no saved plan, {saved.folder}/plan: run cdktf plan a first"])


def test_a_plan_that_failed_and_what_is_no_plan_are_status_2(saved: Saved, apply_plan: Run) -> None:
    saved.plans(errored=True)
    plan = saved.folder / "plan"
    assert apply_plan().err == [f"a: {plan}: the plan failed and cannot be applied, run cdktf plan a again"]
    (saved.folder / "plan.json").write_text("{}")
    assert apply_plan().err == [f"a: {plan}: is not a plan; supply the output of `terraform show -json PLAN`"]
    (saved.folder / "plan.json").unlink()
    assert apply_plan().status == 2
    assert not saved.was_applied


def test_a_stale_plan_is_refused_by_terraform_in_one_line(saved: Saved, apply_plan: Run) -> None:
    saved.plans()
    saved.applies(diagnostic("Saved plan is stale", "The given plan file …"), status=1)
    refused = apply_plan()
    assert refused.err == [
        "a: refused: the state is not the one the plan was made for, it has been written since;"
        " plan again: cdktf plan a"
    ]
    assert refused.status == 1


def test_an_apply_that_fails_midway_says_what_was_applied_and_how_to_go_on(saved: Saved, apply_plan: Run) -> None:
    saved.plans()
    applied = {"@level": "info", "type": "apply_complete", "hook": {"resource": {"addr": "x.one"}}}
    saved.applies(applied, diagnostic("AccessDenied: no"), status=1)
    ran = apply_plan()
    assert ran.err[:2] == [
        "a: AccessDenied: no",
        "a: applied before that: x.one; for the rest plan again: cdktf plan a",
    ]
    assert ran.status == 2
    assert "AccessDenied" in (saved.folder / "failed.log").read_text()


def test_a_held_lock_is_told_with_its_id(saved: Saved, apply_plan: Run) -> None:
    saved.plans()
    detail = "Error message: PreconditionFailed\nLock Info:\n  ID:        1-2-3\n  Who: me"
    saved.applies(diagnostic("Error acquiring the state lock", detail), status=1)
    assert apply_plan().err[1] == (
        "a: nothing was applied: wait for whoever holds the lock; if that run is dead:"
        f" terraform -chdir={saved.folder} force-unlock 1-2-3"
    )


def test_a_lock_that_cannot_be_given_back_is_told_with_what_was_applied(saved: Saved, apply_plan: Run) -> None:
    saved.plans()
    applied = {"@level": "info", "type": "apply_complete", "hook": {"resource": {"addr": "x.one"}}}
    detail = "Error message: AccessDenied\nLock Info:\n  ID:        1-2-3\n  Who: me"
    saved.applies(applied, DONE, diagnostic("Error releasing the state lock", detail), status=1)
    assert apply_plan().err[1:3] == [
        f"a: the lock is left behind: terraform -chdir={saved.folder} force-unlock 1-2-3",
        "a: applied before that: x.one; for the rest plan again: cdktf plan a",
    ]


def test_a_state_that_could_not_be_saved_is_named_and_guarded(saved: Saved, apply_plan: Run) -> None:
    saved.plans()
    saved.applies(diagnostic("Failed to save state"), status=1)
    (saved.folder / "errored.tfstate").touch()
    push = (
        f"The state is in {saved.folder}/errored.tfstate and nowhere else: save it with"
        f" terraform -chdir={saved.folder} state push errored.tfstate, delete the file, then plan again"
    )
    # it is there from an earlier run: another apply would write over it
    refused = apply_plan()
    assert refused == Ran(1, "", [f"a: refused: an earlier apply could not save its state. {push}"])
    assert not saved.was_applied


@pytest.mark.parametrize("arguments", [["--parallelism", "0"], ["--parallelism", "many"], ["--no-such-option"]])
def test_wrong_arguments_are_status_2(apply_plan: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        apply_plan(*arguments)
    assert raised.value.code == 2


def test_a_stack_that_is_not_there_and_a_missing_terraform_are_one_line(
    saved: Saved, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["b"]) == 2
    assert capsys.readouterr().err == 'no stack is named "b", there are: a\n'
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "no-such-terraform")
    assert main(["a"]) == 2
    assert capsys.readouterr().err.startswith("no-such-terraform is not on PATH: install Terraform")
