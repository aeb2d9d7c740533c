"""apply-plan with real plans: what others do between plan and apply, and what becomes of an apply that is cut."""

import re
import shlex
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commands.apply_plan.__main__ import main
from tests.aws_proxy import Answer, AwsProxy, Refusal, answer_all
from tests.e2e.conftest import MakeRole, through
from tests.e2e.execution_role import (
    CONSOLE_TRUST,
    GLUE_STATEMENT,
    RECIPE_INLINE_POLICY,
    RECIPE_TRUST,
    ExecutionRole,
    Grants,
    statement,
    trust,
)
from tests.e2e.provider import Provider
from tests.e2e.shop import ATTACHMENT, INLINE_POLICY, Shop
from tests.e2e.terraform import Run, Terraform
from tests.ran import Ran

SAGEMAKER = CONSOLE_TRUST["Statement"][0]
LAMBDA = statement("lambda.amazonaws.com", Sid="Theirs")
GRANTED = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
ADDITIVE = {"trust": {"ownership": "additive"}}


ApplyPlan = Callable[..., Ran]


@pytest.fixture
def apply_plan(
    shop: Shop,
    environment: Mapping[str, str],
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> ApplyPlan:
    """Run the command in this process, on a shop's stacks; `variables` are added to its environment."""

    def run(*arguments: str, folder: Path = shop.folder, **variables: str) -> Ran:
        wanted = {**environment, "CDKTF_OUTDIR": str(folder), **variables}
        running = provider.running(wanted) if folder == shop.folder else {}  # elsewhere it is installed as locked
        with monkeypatch.context() as patch:
            for name, value in {**wanted, **running}.items():
                patch.setenv(name, value)
            capsys.readouterr()
            status = main(arguments)
            return Ran(status, *capsys.readouterr())

    return run


def test_a_change_since_the_plan_refuses_it_and_stops_no_other_stack(
    shop: Shop, make_role: MakeRole, apply_plan: ApplyPlan, tmp_path: Path
) -> None:
    """One role that nobody touched, one that another team's stack has added to, one that loses a statement."""
    mine, shared, checked = (make_role() for _ in range(3))
    checked.trust = trust(SAGEMAKER, LAMBDA)
    stacks = shop.stacks(
        dev={"roles": [{"role": mine.name}, {"role": shared.name, **ADDITIVE}, {"role": checked.name}]}
    )
    for stack in stacks.values():
        stack.save_plan()
    theirs = Terraform(tmp_path / "theirs", shop.binary, shop.environment, shop.provider)
    theirs.folder.mkdir()
    (theirs.folder / "main.tf").write_text(THEIR_STACK.replace("ROLE", shared.name))
    assert theirs.init().status == 0
    theirs.apply()
    before = [role.read() for role in (shared, checked)]

    first, second, third = stacks
    ran = apply_plan("*")
    assert ran.out == f"{first}: applied: 1 imported, 2 added, 1 changed, 0 destroyed\n"
    assert ran.err.splitlines() == [
        f"{second}: refused: the trust policy of {shared.arn} has changed since the plan was made:"
        f" gained: lambda.amazonaws.com may sts:AssumeRole; plan again: ./glue-sessions plan {second}",
        f"{third}: refused: check.trust_statements_kept: This plan removes from the trust policy of {checked.arn}:"
        " Allow sts:AssumeRole to lambda.amazonaws.com. To keep a statement, save it in a file and name that file in"
        " trust.keep, or set trust.ownership to additive. To apply the plan anyway: --despite-failed-checks",
    ]
    assert ran.status == 1
    assert mine.grants == GRANTED
    assert [role.read() for role in (shared, checked)] == before

    # the remedies: a new plan, which sees what was added, and the word of whoever has read the check
    stacks[second].save_plan()
    ran = apply_plan(second, third, "--despite-failed-checks")
    assert (ran.status, ran.err) == (0, "")
    assert shared.trust == trust(SAGEMAKER, LAMBDA, GLUE_STATEMENT)
    assert checked.trust == RECIPE_TRUST

    # their stack keeps ours as well, and ours has moved on: its plan is of yesterday
    theirs.apply()
    assert shared.trust == trust(SAGEMAKER, LAMBDA, GLUE_STATEMENT)
    again = apply_plan(second)
    assert again.err == (
        f"{second}: refused: the plan is stale, the state has changed since it was made;"
        f" plan again: ./glue-sessions plan {second}\n"
    )
    assert again.status == 1


THEIR_STACK = """
data "aws_iam_role" "live" { name = "ROLE" }
locals {
  live = jsondecode(data.aws_iam_role.live.assume_role_policy)
  mine = {
    Sid = "Theirs", Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole"
  }
}
import {
  to = aws_iam_role.role
  id = "ROLE"
}
resource "aws_iam_role" "role" {
  name = "ROLE"
  assume_role_policy = jsonencode(merge(local.live, {
    Statement = flatten([
      [for each in local.live.Statement : each if try(each.Sid, "") != "Theirs"],
      [local.mine],
    ])
  }))
  lifecycle { ignore_changes = [path, description, max_session_duration, permissions_boundary, tags, tags_all] }
}
"""


def test_a_plan_is_applied_on_another_machine_and_a_change_at_the_last_moment_is_lost(
    shop: Shop, role: ExecutionRole, apply_plan: ApplyPlan, proxy: AwsProxy, tmp_path: Path
) -> None:
    """Terraform reads the role again right before the write: IAM has no write that names what it replaces."""
    replace(shop, provider=None).stack(role.name, **ADDITIVE).save_plan()  # installed and locked as cdktf does it
    kept = tmp_path / "elsewhere"
    shutil.copytree(shop.folder, kept, ignore=shutil.ignore_patterns(".terraform", "elsewhere"))
    stack = f"glue-sessions-dev-{role.name}"
    assert {file.name for file in (kept / stack).iterdir()} == {"cdk.tf.json", "plan", ".terraform.lock.hcl"}

    def add_theirs(parameters: dict[str, Any], region: str) -> Answer:
        role.trust = trust(SAGEMAKER, LAMBDA)
        return None

    proxy.answers["UpdateAssumeRolePolicy"] = add_theirs
    ran = apply_plan(stack, folder=kept, **through(proxy))
    assert (ran.status, ran.err) == (0, "")
    assert role.grants == Grants(trust(SAGEMAKER, GLUE_STATEMENT), attached=True, inline_policy=RECIPE_INLINE_POLICY)

    calls = proxy.operations
    # the three grants are then written at the same time
    write = min(map(calls.index, ("UpdateAssumeRolePolicy", "AttachRolePolicy", "PutRolePolicy")))
    state = f"/{shop.bucket}/glue-sessions/dev/{role.name}.tfstate"
    assert calls[calls.index("GetRole") + 1 : write] == [
        "GetCallerIdentity",
        "GetCallerIdentity",
        f"GET /{shop.bucket}",
        f"PUT {state}.tflock",
        f"HEAD {state}",
        "GetCallerIdentity",
        "GetRole",
    ]


def test_expired_credentials_are_reported_and_nothing_is_lost(
    shop: Shop, role: ExecutionRole, apply_plan: ApplyPlan, proxy: AwsProxy
) -> None:
    stack = shop.stack(role.name)
    name = f"glue-sessions-dev-{role.name}"
    stack.save_plan()
    expired = Refusal("ExpiredToken", "The security token included in the request is expired", 403)

    # before the apply
    proxy.answers["GetRole"] = lambda _, __: expired
    ran = apply_plan("*", **through(proxy))
    assert ran.err.startswith(
        f"{name}: its role cannot be read again, nothing was applied: the AWS credentials have expired, sign in"
    )
    assert ran.status == 2
    assert role.read() == role.made
    del proxy.answers["GetRole"]

    # midway: one grant is written, and from then on no call is accepted
    attached = threading.Event()

    def answer(operation: str) -> Answer:
        if operation == "AttachRolePolicy":
            attached.set()
            return None
        return expired if attached.is_set() or operation == "PutRolePolicy" else None

    answer_all(proxy, answer)
    ran = apply_plan("*", **through(proxy))
    assert ran.status == 2
    assert "ExpiredToken" in ran.err
    assert role.grants == Grants(RECIPE_TRUST, attached=True, inline_policy=None)
    lost = shop.folder / name / "errored.tfstate"
    assert f"{name}: The only copy of the state is {lost}: save it with" in ran.err
    assert lost.exists()

    # with new credentials, a person does exactly what the error says
    refused = apply_plan("*")
    assert refused.status == 1
    assert "an earlier apply could not save its state" in refused.err
    push = re.search(r"save it with terraform (.*), delete the file", refused.err)
    assert push
    pushed = unlocked(stack, shlex.split(push[1]))
    assert pushed.status == 0, pushed.output
    lost.unlink()
    # what was attached could not be read back: terraform does not trust it, and attaches it once more
    assert stack.save_plan().changes == {INLINE_POLICY: "create", ATTACHMENT: "replace"}


def unlocked(stack: Terraform, arguments: list[str]) -> Run:
    """Run Terraform; if an interrupted apply still holds the lock, remove it as Terraform's error says."""
    done = stack.run(*arguments)
    lock = re.search(r"ID: +(\S+)", done.output)
    if lock:
        assert stack.run("force-unlock", "-force", lock[1]).status == 0
        done = stack.run(*arguments)
    return done
