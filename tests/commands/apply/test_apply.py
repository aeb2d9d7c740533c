"""`apply` asks, and applies nothing without a terminal or a stack's name (real: tests/e2e/test_plan_and_apply.py)."""

from pathlib import Path

import pytest

from commands.apply.__main__ import main


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
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_terminal_nothing_is_planned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["glue-sessions-dev-one"]) == 2
    assert capsys.readouterr().err == ("there is no terminal to approve on: use one, or `plan` and then `apply-plan`\n")


def test_one_of_several_stacks_has_to_be_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    assert main([]) == 2
    assert capsys.readouterr().err == ("name STACK, there are several: glue-sessions-dev-one, glue-sessions-dev-two\n")
