"""What was reviewed is applied, by a new plan; the Terraform here is a shell script that shows plan.json."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from applying.apply import report
from applying.reviewed import REVIEWED, apply_reviewed
from terraform_cli.stacks import find, settings_folder
from terraform_cli.terraform import Terraform
from tests import plan_builder
from tests.applying.conftest import LAMBDA, ROLE, SAGEMAKER, Ran, Saved, diagnostic
from tests.trust_policies import trust

ATTACHED = plan_builder.attachment(plan_builder.GLUE_SESSIONS)
REMEDY = (
    "a: refused: the merged code does not do what was reviewed, and nothing was applied: plan and review again in"
    " another pull request"
)


@pytest.fixture
def reviewed(saved: Saved, tmp_path: Path) -> Path:
    """Return the file of the reviewed plan of stack `a`."""
    file = tmp_path / "reviewed/a" / REVIEWED
    file.parent.mkdir(parents=True)
    return file


def apply(reviewed: Path, capsys: pytest.CaptureFixture[str]) -> Ran:
    capsys.readouterr()
    terraform = Terraform(settings_folder(), locked=True)
    status = report(apply_reviewed(find(["a"]), terraform, reviewed.parents[1]))
    out, err = capsys.readouterr()
    return Ran(status, out, err.splitlines())


def review(saved: Saved, file: Path, *changes: Mapping[str, Any], **more: Any) -> None:
    """Let a plan be reviewed; the next one does the same."""
    saved.plans(*changes, **more)
    file.write_bytes((saved.folder / "plan.json").read_bytes())


def test_a_plan_that_does_what_was_reviewed_is_applied(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed)
    assert apply(reviewed, capsys) == Ran(0, "a: applied: 1 added, 0 changed\n", [])
    assert saved.was_applied


def test_a_plan_that_does_more_is_refused_line_by_line(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed)
    everything = plan_builder.role_policy(None, plan_builder.document(plan_builder.allow("*")))
    saved.plans(ATTACHED, everything)
    refused = apply(reviewed, capsys)
    assert refused.err == ['a: refused: aws_iam_role_policy.inline: action: reviewed none, now "create"', REMEDY]
    assert (refused.status, saved.was_applied) == (1, False)


def test_a_plan_with_an_objection_is_refused(saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    review(saved, reviewed)
    capsys.readouterr()
    terraform = Terraform(settings_folder(), locked=True)
    outcomes = apply_reviewed(
        find(["a"]), terraform, reviewed.parents[1], objections=lambda plan: [f"not {plan.name}, {len(plan.changes)}"]
    )
    assert report(outcomes) == 1
    assert capsys.readouterr().err == "a: refused: not a, 1\n"
    assert not saved.was_applied


def test_a_reviewed_plan_that_deletes_a_role_is_refused_too(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed, plan_builder.role(plan_builder.trust("sagemaker.amazonaws.com"), None))
    refused = apply(reviewed, capsys)
    assert refused.err == ["a: refused: the plan deletes the role aws_iam_role.exec with all its policies"]
    assert (refused.status, saved.was_applied) == (1, False)


def test_failed_checks_were_reviewed_and_refuse_nothing(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {"message": "This plan takes away Allow sts:AssumeRole to lambda.amazonaws.com."}
    instance = {"address": {"to_display": "check.kept"}, "status": "fail", "problems": [problem]}
    review(saved, reviewed, checks=[{"status": "fail", "instances": [instance]}])
    assert apply(reviewed, capsys).status == 0


def test_without_changes_there_is_nothing_to_apply(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed)
    values = ATTACHED["change"]["after"]
    saved.plans(plan_builder.change(ATTACHED["address"], values, values))
    assert apply(reviewed, capsys) == Ran(0, "a: nothing to apply, the plan has no changes\n", [])


def test_a_trust_policy_that_changes_between_the_plan_and_its_apply_is_not_overwritten(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed)
    saved.trust(trust(SAGEMAKER, LAMBDA))
    (line,) = apply(reviewed, capsys).err
    assert line.startswith(f"a: refused: the trust policy of arn:aws:iam::123456789012:role/{ROLE} has changed since")
    assert line.endswith("; run this job again: it applies the rest of what was reviewed, or refuses it")
    assert not saved.was_applied


def test_an_apply_that_fails_halfway_says_to_run_the_job_again(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed)
    applied = {"@level": "info", "type": "apply_complete", "hook": {"resource": {"addr": "x.one"}}}
    saved.applies(applied, diagnostic("AccessDenied: no"), status=1)
    ran = apply(reviewed, capsys)
    assert ran.err[:2] == [
        "a: AccessDenied: no",
        "a: applied before that: x.one; for the rest run this job again: it applies the rest of what was reviewed, or"
        " refuses it",
    ]
    assert ran.status == 2


def test_a_state_that_is_locked_when_it_is_planned_says_how_to_unlock_it(
    saved: Saved, reviewed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review(saved, reviewed)
    held = diagnostic(
        "Error acquiring the state lock", "Error message: PreconditionFailed\nLock Info:\n  ID:        1-2"
    )
    (saved.folder / "planned").write_text(json.dumps(held))
    ran = apply(reviewed, capsys)
    assert ran.err[1] == (
        "a: nothing was applied: wait for the run that holds the lock; if that run is dead:"
        f" terraform -chdir={saved.folder} force-unlock 1-2"
    )
    assert (ran.status, saved.was_applied) == (2, False)
