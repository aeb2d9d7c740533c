"""Recorded plans that are easy to misread, most with their configuration beside them."""

from pathlib import Path

import pytest

from commands.review.__main__ import main
from iam.engine.difference import Kind
from review.plan_files import read
from review.report import review
from tests.plan_builder import SAGEMAKER, document, plan, role, trust
from tests.repository import ROOT

CASES = ROOT / "tests" / "review" / "plans" / "cases"
OPEN = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
SENSITIVE = {"assume_role_policy": True}


def rules(name: str) -> set[str]:
    return {finding.rule for finding in review(read(str(CASES / f"{name}.json"))).findings}


@pytest.mark.parametrize(
    ("case", "raised"),
    [
        ("list-of-managed", {"privilege-escalation", "pass-any-role-to-service"}),
        ("map-of-policies", {"policy-unknown", "pass-any-role-to-service"}),
        ("multi", {"trust-opened-to-account"}),
        ("alone", {"trust-opened-to-account"}),
        ("renamed-widened", {"everything-allowed", "policy-may-be-deleted"}),
        ("sensitive-managed", {"policy-hidden"}),
        ("shared-unknown-role", {"everything-allowed", "shared-attachment"}),
        ("unknown-trust", {"policy-unknown"}),
        ("accounts-google", {"trust-opened-to-identity-provider"}),
        ("oidc", {"trust-opened-to-identity-provider"}),
        ("oidc-sub-StringNotLike", {"trust-lost", "trust-opened-to-identity-provider"}),
        ("sound-mutual-trust-oidc", {"trust-opened-to-identity-provider"}),
        ("esc-createaccesskey-role", {"resource-never-matches"}),
        ("incomplete-arn", set()),
        ("numeric-null", {"policy-unreadable"}),
        ("doc-sid", {"policy-unreadable"}),
        ("doc-badop", {"policy-unreadable"}),
        ("trust-garbage", {"policy-unreadable"}),
        ("sound-mutual-notaction", {"admin-wildcard"}),
        ("mutual-two-policies", {"admin-wildcard"}),
        ("policy-attachment-users", {"everything-allowed", "shared-attachment"}),
        ("glue-job-role", {"service-role-changed"}),
        ("bucket-policy-unknown", {"policy-unknown"}),
        ("lambda-permission", {"resource-opened-to-everyone"}),
        ("deferred", {"plan-incomplete"}),
        ("target-real", {"plan-incomplete"}),
    ],
)
def test_a_case_raises_these_rules_and_no_others(case: str, raised: set[str]) -> None:
    assert rules(case) == raised


@pytest.mark.parametrize("case", ["sound-arn-trust", "sound-numeric-epoch"])
def test_a_wider_condition_is_a_widening(case: str) -> None:
    (role,) = review(read(str(CASES / f"{case}.json"))).roles
    assert [change.kind for change in (*role.trust.changes, *role.permissions.changes)] == [Kind.WIDENED]


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
def test_sensitive_values_are_not_shown_wherever_they_stand(format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(CASES / "sensitive-nested.json"), "--format", format_])
    output = capsys.readouterr().out
    assert "aws_iam_role.n" in output
    assert "hunter2" not in output


def test_a_hidden_trust_policy_that_changes_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "dev.json"
    for before, after, raised in ((trust(SAGEMAKER), OPEN, ["policy-hidden"]), (OPEN, OPEN, [])):
        hidden = role(before, after, actions=["update"], before_sensitive=SENSITIVE, after_sensitive=SENSITIVE)
        file.write_bytes(plan(hidden))
        assert [finding.rule for finding in review(read(str(file))).findings] == raised


@pytest.mark.parametrize("case", ["ansi", "escape"])
@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
def test_control_and_format_characters_are_written_out(
    case: str, format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(CASES / f"{case}.json"), "--format", format_])
    output = capsys.readouterr().out
    assert "\\u001b" in output
    assert [character for character in output if not character.isprintable() and character not in "\n\u200b"] == []


def test_the_attributes_that_change_besides_the_policies_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(CASES / "max-session.json")])
    assert "role exec: updated in place (max_session_duration)" in capsys.readouterr().out
