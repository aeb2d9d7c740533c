"""Waivers of findings, in a file of the repository."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands.review.__main__ import main
from tests.plan_builder import SAGEMAKER, allow, document, plan, role, role_policy, trust

STAYS = role(trust(SAGEMAKER), trust(SAGEMAKER))
PASSING = plan(STAYS, role_policy(None, document(allow("iam:PassRole")), name="glue_sessions"))
PASSING_TWICE = plan(
    STAYS,
    role_policy(None, document(allow("iam:PassRole")), name="glue_sessions"),
    role_policy(None, document(allow("iam:PassRole", "arn:aws:iam::*:role/*")), name="other"),
)
FILE = Path(".review-accept.yaml")
TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dev.json").write_bytes(PASSING)


def waive(**more: object) -> None:
    entry = {"rule": "pass-any-role", "reason": "known", "expires": TODAY, **more}
    lines = [f"  {key}: {value}" for key, value in entry.items() if value]
    FILE.write_text("# known findings\n- " + "\n".join(lines).lstrip() + "\n", encoding="utf-8")


def test_a_waived_finding_does_not_fail_and_shows_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev.json"]) == 1
    assert main(["dev.json", "--accept", "pass-any-role=roles of jobs = many"]) == 0
    assert "waived: roles of jobs = many" in capsys.readouterr().out


def test_a_waiver_is_recorded_in_the_file_for_90_days() -> None:
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    assert main(["dev.json"]) == 0
    assert FILE.read_text(encoding="utf-8") == (
        "- rule: pass-any-role\n"
        "  plan: dev\n"
        "  address: aws_iam_role_policy.glue_sessions\n"
        "  reason: known\n"
        f"  expires: {TODAY + timedelta(days=90)}\n"
    )


def test_only_current_findings_are_waived() -> None:
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    Path("dev.json").write_bytes(PASSING_TWICE)
    assert main(["dev.json"]) == 1
    Path("prod.json").write_bytes(PASSING)
    assert main(["prod.json"]) == 1


def test_a_waiver_without_plan_and_address_applies_everywhere() -> None:
    waive()
    Path("dev.json").write_bytes(PASSING_TWICE)
    assert main(["dev.json"]) == 0


def test_other_content_of_the_file_stays() -> None:
    waive(rule="everything-allowed")
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    assert FILE.read_text(encoding="utf-8").startswith("# known findings\n- rule: everything-allowed\n")


def test_an_expired_waiver_has_no_effect_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    waive(expires=TODAY - timedelta(days=1))
    for arguments in ([], ["--format", "markdown"]):
        assert main(["dev.json", *arguments]) == 1
        assert f"expired on {TODAY - timedelta(days=1)}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- rule: [", ".review-accept.yaml: is not YAML"),
        ("rule: x", ".review-accept.yaml: supply a list of waivers, got dict"),
        ("- x", ".review-accept.yaml[0]: supply rule, reason, expires, plan, address, got 'x'"),
        (
            "- {rule: pass-any-role, reason: x, until: 2027-01-01}",
            ".review-accept.yaml[0]: supply rule, reason",
        ),
        ("- {rule: pass-any-role, reason: x}", ".review-accept.yaml[0]: supply expires too"),
        ("- {rule: x, reason: x, expires: 2027-01-01}", ".review-accept.yaml[0].rule: supply one of"),
        ("- {rule: pass-any-role, reason: x, expires: soon}", ".review-accept.yaml[0].expires: supply a date"),
    ],
)
def test_a_wrong_file_is_one_line_and_status_2(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    FILE.write_text(text, encoding="utf-8")
    assert main(["dev.json"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("pass-any-role", "supply --accept RULE="),
        ("pass-any-role= ", "supply --accept RULE="),
        ("pass-all-roles=x", "supply --accept RULE="),
        ("role-destroyed=x", "--accept role-destroyed: these plans have no finding of that rule"),
    ],
)
def test_waiving_a_missing_finding_is_refused(argument: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev.json", "--accept", argument]) == 2
    assert capsys.readouterr().err.startswith(message)
    assert not FILE.exists()
