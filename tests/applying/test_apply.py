"""Saved plans are checked, their roles read again, and applied; real plans: tests/e2e/test_apply_plan.py."""

import json

import pytest

from iam.documents.recipe import trust_policy
from iam.policy_document import Document
from tests import plan_builder
from tests.applying.conftest import DONE, LAMBDA, ROLE, SAGEMAKER, Ran, Run, Saved, diagnostic
from tests.aws_proxy import AwsProxy
from tests.trust_policies import trust


def test_a_plan_is_applied_after_its_role_is_read_again(saved: Saved, apply: Run, proxy: AwsProxy) -> None:
    saved.plans()
    assert apply() == Ran(0, "a: applied: 1 added, 0 changed\n", [])
    assert saved.was_applied
    assert proxy.operations == ["GetRole"]


def test_the_outputs_of_the_stack_are_printed(saved: Saved, apply: Run) -> None:
    saved.plans()
    outputs = {"ARN": {"sensitive": False, "type": "string", "value": "arn:x"}, "KEY": {"sensitive": True}}
    saved.applies(DONE, {"@level": "info", "type": "outputs", "outputs": outputs})
    assert apply() == Ran(0, "a: applied: 1 added, 0 changed\nARN = arn:x\n", [])


def test_the_deploy_role_of_the_plan_reads_the_role(saved: Saved, apply: Run, proxy: AwsProxy) -> None:
    saved.plans()
    deploy = saved.iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust(SAGEMAKER)))
    document = json.loads((saved.folder / "plan.json").read_text())
    role = [{"role_arn": {"constant_value": deploy["Role"]["Arn"]}}]
    document["configuration"]["provider_config"]["aws"]["expressions"]["assume_role"] = role
    (saved.folder / "plan.json").write_text(json.dumps(document))
    apply()
    saved.iam.delete_role(RoleName="deploy")
    assert proxy.operations[0] == "AssumeRole"
    assert json.loads(proxy.calls[0].parameters)["RoleArn"] == deploy["Role"]["Arn"]


def test_without_changes_there_is_nothing_to_apply(saved: Saved, apply: Run) -> None:
    saved.plans(applyable=False)
    assert apply() == Ran(0, "a: nothing to apply, the plan has no changes\n", [])
    # older versions of Terraform do not report whether a plan is applicable
    text = plan_builder.trust("sagemaker.amazonaws.com")
    saved.plans(plan_builder.role(text, text))
    assert apply() == Ran(0, "a: nothing to apply, the plan has no changes\n", [])
    assert not saved.was_applied


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_a_plan_that_deletes_a_role_is_always_refused(saved: Saved, apply: Run, actions: list[str]) -> None:
    text = plan_builder.trust("sagemaker.amazonaws.com")
    saved.plans(plan_builder.role(text, text if "create" in actions else None, actions=actions))
    refused = apply(despite_failed_checks=True)
    assert refused.err == ["a: refused: the plan deletes the role aws_iam_role.exec with all its policies"]
    assert (refused.status, saved.was_applied) == (1, False)


def test_a_role_that_is_forgotten_for_another_and_unknown_actions_are_refused(saved: Saved, apply: Run) -> None:
    text = plan_builder.trust("sagemaker.amazonaws.com")
    saved.plans(plan_builder.role(text, text, actions=["forget", "create"]))
    assert apply().err == ["a: refused: the plan creates another role in place of aws_iam_role.exec, which it forgets"]
    saved.plans(plan_builder.role(text, text, actions=["replace"]))
    refused = apply(despite_failed_checks=True)
    assert refused.err == [
        "a: refused: aws_iam_role.exec: actions replace: not known to this version of glue-sessions,"
        " which has to be updated"
    ]
    assert (refused.status, saved.was_applied) == (1, False)


def test_outputs_alone_are_applied_where_terraform_does_not_say_whether_to(saved: Saved, apply: Run) -> None:
    """OpenTofu's plans have no `applyable`."""
    saved.plans(output_changes={"arn": {"actions": ["create"], "before": None, "after": "a", "after_unknown": False}})
    assert apply().out == "a: applied: 1 added, 0 changed\n"


def test_a_failed_check_refuses_the_plan_unless_overridden(saved: Saved, apply: Run) -> None:
    problem = {"message": "This plan takes away Allow sts:AssumeRole to lambda.amazonaws.com."}
    instance = {"address": {"to_display": "check.kept"}, "status": "fail", "problems": [problem]}
    saved.plans(checks=[{"status": "fail", "instances": [instance]}])
    refused = apply()
    assert refused.err == [
        "a: refused: check.kept: This plan takes away Allow sts:AssumeRole to lambda.amazonaws.com."
        " To apply the plan anyway: --despite-failed-checks"
    ]
    assert (refused.status, saved.was_applied) == (1, False)
    assert apply(despite_failed_checks=True).status == 0
    assert saved.was_applied


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (trust(SAGEMAKER, LAMBDA), "gained: lambda.amazonaws.com may sts:AssumeRole"),
        (trust(LAMBDA), "lost: sagemaker.amazonaws.com may sts:AssumeRole"),
        (trust({**SAGEMAKER, "Sid": "Studio"}), "it was rewritten, with the same meaning"),
    ],
)
def test_a_changed_trust_policy_refuses_the_plan_and_the_difference_is_shown(
    saved: Saved, apply: Run, now: Document, words: str
) -> None:
    saved.plans()
    saved.trust(now)
    refused = apply(despite_failed_checks=True)
    (line,) = refused.err
    assert line.startswith(f"a: refused: the trust policy of arn:aws:iam::123456789012:role/{ROLE} has changed since")
    assert words in line
    assert line.endswith("; plan again: ./glue-sessions plan a")
    assert (refused.status, saved.was_applied) == (1, False)


def test_a_trust_policy_that_already_is_as_planned_is_applied(saved: Saved, apply: Run) -> None:
    before, after = trust(SAGEMAKER), trust_policy()
    saved.plans(plan_builder.role(json.dumps(before), json.dumps(after), name=ROLE))
    saved.trust(after)
    assert apply().status == 0


def test_a_deleted_or_different_role_refuses_the_plan(saved: Saved, apply: Run) -> None:
    saved.plans()
    arn = f"arn:aws:iam::123456789012:role/{ROLE}"
    saved.iam.delete_role(RoleName=ROLE)
    assert apply().err == [f"a: refused: the role {arn} no longer exists; plan again: ./glue-sessions plan a"]
    saved.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust(SAGEMAKER)))
    assert apply().err == [
        f"a: refused: the role {arn} was deleted and created again; plan again: ./glue-sessions plan a"
    ]
    saved.plans()
    file = saved.folder / "plan.json"
    file.write_text(file.read_text().replace("123456789012", "111122223333"))
    (line,) = apply().err
    assert line.startswith(f"a: refused: the plan is for {arn.replace('123456789012', '111122223333')}, but with these")
    assert not saved.was_applied


def test_a_role_that_cannot_be_read_again_fails_the_apply(saved: Saved, apply: Run, proxy: AwsProxy) -> None:
    saved.plans()
    proxy.refuse("GetRole", "ExpiredToken")
    ran = apply()
    assert ran.err == [
        "a: its role cannot be read again, nothing was applied:"
        " the AWS credentials have expired, sign in again: not today"
    ]
    assert (ran.status, saved.was_applied) == (2, False)


def test_without_a_saved_plan_the_error_names_the_remedy(saved: Saved, apply: Run) -> None:
    (saved.folder / "plan").unlink()
    assert apply() == Ran(2, "", [f"a: there is no saved plan {saved.folder}/plan: run ./glue-sessions plan a first"])


def test_a_failed_or_unreadable_plan_fails_the_apply(saved: Saved, apply: Run) -> None:
    saved.plans(errored=True)
    plan = saved.folder / "plan"
    assert apply().err == [f"a: {plan}: the plan failed and cannot be applied, plan again: ./glue-sessions plan a"]
    (saved.folder / "plan.json").write_text("{}")
    assert apply().err == [f"a: {plan}: is not a plan; supply the output of `terraform show -json PLAN`"]
    (saved.folder / "plan.json").unlink()
    assert apply().status == 2
    assert not saved.was_applied


def test_a_stale_plan_is_refused_in_one_line(saved: Saved, apply: Run) -> None:
    saved.plans()
    saved.applies(diagnostic("Saved plan is stale", "The given plan file …"), status=1)
    refused = apply()
    assert refused.err == [
        "a: refused: the plan is stale, the state has changed since it was made; plan again: ./glue-sessions plan a"
    ]
    assert refused.status == 1


def test_an_apply_that_fails_midway_reports_what_was_applied_and_the_next_step(saved: Saved, apply: Run) -> None:
    saved.plans()
    applied = {"@level": "info", "type": "apply_complete", "hook": {"resource": {"addr": "x.one"}}}
    saved.applies(applied, diagnostic("AccessDenied: no"), status=1)
    ran = apply()
    assert ran.err[:2] == [
        "a: AccessDenied: no",
        "a: applied before that: x.one; for the rest plan again: ./glue-sessions plan a",
    ]
    assert ran.status == 2
    assert "AccessDenied" in (saved.folder / "failed.log").read_text()


def test_a_held_lock_is_reported_with_its_id(saved: Saved, apply: Run) -> None:
    saved.plans()
    detail = "Error message: PreconditionFailed\nLock Info:\n  ID:        1-2-3\n  Who: me"
    saved.applies(diagnostic("Error acquiring the state lock", detail), status=1)
    assert apply().err[1] == (
        "a: nothing was applied: wait for the run that holds the lock; if that run is dead:"
        f" terraform -chdir={saved.folder} force-unlock 1-2-3"
    )


def test_a_lock_that_was_not_released_is_reported_with_what_was_applied(saved: Saved, apply: Run) -> None:
    saved.plans()
    applied = {"@level": "info", "type": "apply_complete", "hook": {"resource": {"addr": "x.one"}}}
    detail = "Error message: AccessDenied\nLock Info:\n  ID:        1-2-3\n  Who: me"
    saved.applies(applied, DONE, diagnostic("Error releasing the state lock", detail), status=1)
    assert apply().err[1:3] == [
        f"a: the lock was not released: terraform -chdir={saved.folder} force-unlock 1-2-3",
        "a: applied before that: x.one; for the rest plan again: ./glue-sessions plan a",
    ]


def test_an_unsaved_state_is_named_and_never_overwritten(saved: Saved, apply: Run) -> None:
    saved.plans()
    saved.applies(diagnostic("Failed to save state"), status=1)
    (saved.folder / "errored.tfstate").touch()
    push = (
        f"The only copy of the state is {saved.folder}/errored.tfstate: save it with"
        f" terraform -chdir={saved.folder} state push errored.tfstate, delete the file, then plan again"
    )
    # another apply would overwrite the file
    refused = apply()
    assert refused == Ran(1, "", [f"a: refused: an earlier apply could not save its state. {push}"])
    assert not saved.was_applied
