"""`apply` asks, and applies nothing without a terminal or a stack's name (real: tests/e2e/test_plan_and_apply.py)."""

from pathlib import Path

import pytest

from commands.apply.__main__ import main
from commands.command_line import status_of
from terraform_cli.planning import Planned
from terraform_cli.stacks import Outcomes, Stack


@pytest.fixture(autouse=True)
def two_roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "glue-sessions.yaml").write_text(
        "state: {bucket: states, region: eu-west-1}\n"
        "environments: {dev: {region: eu-west-1, roles: [{role: one}, {role: two}]}}\n"
    )
    monkeypatch.chdir(tmp_path)
    for name in ("GLUE_SESSIONS_CONFIG", "CDKTF_OUTDIR", "TF_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


class Terminal:
    """Standard input that is a terminal, on which somebody types an answer or Ctrl-C."""

    def __init__(self, answer: str | None = None) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        if self._answer is None:
            raise KeyboardInterrupt
        return self._answer


def test_without_a_terminal_nothing_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["glue-sessions-dev-one"]) == 2
    assert capsys.readouterr().err == ("there is no terminal to approve on: use one, or `plan` and then `apply-plan`\n")


def test_one_of_several_stacks_has_to_be_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    assert main([]) == 2
    assert capsys.readouterr().err == ("name STACK, there are several: glue-sessions-dev-one, glue-sessions-dev-two\n")


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outcomes[Planned]:
    """Return a plan with two warnings, in place of Terraform's; applying it fails the test."""
    outcomes = Outcomes([(Stack("glue-sessions-dev-one", tmp_path), Planned(True, {"to add": 1}, ("a", "b")))], [])
    monkeypatch.setattr("commands.planning.plan", lambda *_, **__: (outcomes, None))
    monkeypatch.setattr("commands.plan_page.show_plan", lambda *_, **__: print("the page"))
    monkeypatch.setattr("applying.apply.apply_plans", lambda *_, **__: pytest.fail("it was applied"))
    return outcomes


QUESTION = 'the page\n\nApply to glue-sessions-dev-one, although the plan warns (2, see above)? Only "yes" applies it: '


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", ""])
def test_only_yes_applies(
    answer: str, planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["*-one"]) == 1
    assert capsys.readouterr().out == f"{QUESTION}nothing was applied\n"


def test_an_interrupt_at_the_question_applies_nothing(
    planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    assert status_of(main, ["*-one"]) == 130
    assert tuple(capsys.readouterr()) == (QUESTION, "\ninterrupted, nothing was applied\n")


def test_a_plan_without_changes_is_not_asked_about(
    planned: Outcomes[Planned], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    planned.done[:] = [(planned.done[0][0], Planned(False, {}, ()))]
    assert main(["*-one"]) == 0
    assert capsys.readouterr().out == "glue-sessions-dev-one: nothing to apply, the plan has no changes\n"
