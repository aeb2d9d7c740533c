"""The arguments and exit statuses of `apply-plan`; what it does: tests/applying."""

import os

import pytest

from commands.apply_plan.__main__ import main
from tests import plan_builder
from tests.applying.conftest import Saved, saved, terraform

__all__ = ["saved", "terraform"]


def test_saved_plans_are_applied_and_reported(saved: Saved, capsys: pytest.CaptureFixture[str]) -> None:
    saved.plans()
    assert main(["a"]) == 0
    assert capsys.readouterr() == ("a: applied: 1 added, 0 changed\n", "")
    assert saved.was_applied


def test_a_failed_check_is_status_1_unless_the_option_is_given(saved: Saved) -> None:
    instance = {"address": {"to_display": "check.kept"}, "status": "fail", "problems": [{"message": "Lost."}]}
    saved.plans(
        plan_builder.attachment(plan_builder.GLUE_SESSIONS), checks=[{"status": "fail", "instances": [instance]}]
    )
    assert main(["a"]) == 1
    assert not saved.was_applied
    assert main(["*", "--despite-failed-checks", "--parallelism", "1"]) == 0
    assert saved.was_applied


@pytest.mark.parametrize("arguments", [["--parallelism", "0"], ["--parallelism", "many"], ["--no-such-option"]])
def test_wrong_arguments_are_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["a", *arguments])
    assert raised.value.code == 2


def test_an_unknown_stack_and_a_missing_terraform_are_one_line(
    saved: Saved, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["b"]) == 2
    assert capsys.readouterr().err == 'no stack matches "b"; stacks: a\n'
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "no-such-terraform")
    assert main(["a"]) == 2
    assert capsys.readouterr().err.startswith("no-such-terraform is not on PATH: install Terraform")
