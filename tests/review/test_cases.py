"""Plans that are easy to misread, some with their configuration beside them: every finding on each, and no other."""

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


Raised = tuple[str, str, str]
"""The rule, the severity and the address of a finding."""

FINDINGS: dict[str, list[Raised]] = {
    "accept-1": [("trust-opened-to-account", "high", "aws_iam_role.exec")],
    "accept-2": [("trust-opened-to-account", "high", "aws_iam_role.exec")],
    "accounts-google": [("trust-opened-to-identity-provider", "high", "aws_iam_role.exec")],
    "actions": [
        ("not-judged", "low", "action.aws_lambda_invoke.audit"),
        ("not-judged", "low", "action.aws_lambda_invoke.grant"),
    ],
    "actions-alone": [("not-judged", "low", "action.aws_lambda_invoke.grant")],
    "alone": [("trust-opened-to-account", "high", "aws_iam_role.spoke")],
    "ansi": [
        ("everything-allowed", "critical", "aws_iam_role_policy.p"),
        ("resource-never-matches", "medium", "aws_iam_role_policy.p"),
    ],
    "bucket-policy-unknown": [("policy-unknown", "high", "aws_s3_bucket_policy.b")],
    "create-and-forget": [("role-forgotten", "low", "aws_iam_role.exec (forgotten object)")],
    "create-and-forget-open": [
        ("role-forgotten", "low", "aws_iam_role.exec (forgotten object)"),
        ("trust-opened-to-everyone", "critical", "aws_iam_role.exec"),
    ],
    "deferred": [("plan-incomplete", "high", "aws_iam_role_policy.p")],
    "deferred-with-actions": [
        ("plan-incomplete", "high", "action.aws_lambda_invoke.grant"),
        ("plan-incomplete", "high", "aws_iam_role.later"),
    ],
    "doc-badop": [("policy-unreadable", "high", "aws_iam_role_policy.inline")],
    "doc-sid": [("policy-unreadable", "high", "aws_iam_role_policy.inline")],
    "esc-createaccesskey-role": [("resource-never-matches", "medium", "aws_iam_role_policy.p")],
    "escape": [],
    "forget-and-create": [("role-forgotten", "low", "aws_iam_role.exec (forgotten object)")],
    "forget-and-create-policy": [("role-forgotten", "low", "aws_iam_role_policy.data (forgotten object)")],
    "forget-grants": [
        ("role-forgotten", "low", "aws_iam_role_policy.data"),
        ("role-forgotten", "low", "aws_s3_bucket_policy.data"),
    ],
    "glue-job-role": [("service-role-changed", "medium", "aws_glue_job.p")],
    "import-by-identity": [
        ("check-failed", "medium", "check.broken"),
        ("check-failed", "medium", "check.skipped"),
    ],
    "incomplete-arn": [],
    "lambda-permission": [("resource-opened-to-everyone", "critical", "aws_lambda_permission.p")],
    "list-of-managed": [
        ("pass-any-role-to-service", "medium", "aws_iam_role.r"),
        ("privilege-escalation", "high", "aws_iam_role.r"),
    ],
    "map-of-policies": [
        ("pass-any-role-to-service", "medium", "aws_iam_policy.a_pass"),
        ("policy-unknown", "high", 'aws_iam_role_policy_attachment.each["jobs"]'),
        ("policy-unknown", "high", 'aws_iam_role_policy_attachment.each["pass"]'),
    ],
    "max-session": [],
    "multi": [("trust-opened-to-account", "high", "aws_iam_role.spoke")],
    "mutual-two-policies": [
        ("admin-wildcard", "high", "aws_iam_role_policy.p1"),
        ("admin-wildcard", "high", "aws_iam_role_policy.p2"),
        ("privilege-escalation", "high", "aws_iam_role_policy.p1"),
    ],
    "newer-format": [("not-judged", "low", "")] * 3,
    "numeric-null": [("policy-unreadable", "high", "aws_iam_role_policy.p")],
    "oidc": [
        ("trust-opened-to-identity-provider", "high", f'aws_iam_role.r["{key}"]')
        for key in ("any_repo", "any_suffix", "org_prefix", "q", "star_slash")
    ],
    "oidc-sub-StringNotLike": [
        ("trust-lost", "high", "aws_iam_role.exec"),
        ("trust-opened-to-identity-provider", "high", "aws_iam_role.exec"),
    ],
    "opentofu": [("trust-opened-to-account", "high", "aws_iam_role.exec")],
    "policy-attachment-users": [
        ("everything-allowed", "critical", "aws_iam_policy_attachment.a"),
        ("everything-allowed", "critical", "aws_iam_policy_attachment.a"),
        ("shared-attachment", "medium", "aws_iam_policy_attachment.a"),
    ],
    "renamed-widened": [
        ("everything-allowed", "critical", "aws_iam_role_policy.data"),
        ("policy-may-be-deleted", "high", "aws_iam_role_policy.data"),
        ("policy-may-be-deleted", "high", "aws_iam_role_policy_attachment.readonly"),
    ],
    "runs-programs": [
        ("not-judged", "low", "aws_lambda_invocation.grant"),
        ("not-judged", "low", "data.aws_lambda_invocation.grant"),
        ("not-judged", "low", "data.external.grant"),
        ("not-judged", "low", "ephemeral.aws_lambda_invocation.token"),
        ("not-judged", "low", "terraform_data.grant"),
    ],
    "sensitive-managed": [("policy-hidden", "high", "aws_iam_role.r")],
    "sensitive-nested": [
        ("permissions-wildcard", "low", "aws_iam_policy_attachment.s"),
        ("service-role-changed", "medium", "aws_lambda_function.f"),
        ("shared-attachment", "medium", "aws_iam_policy_attachment.s"),
    ],
    "shared-unknown-role": [
        ("everything-allowed", "critical", "aws_iam_policy_attachment.admin"),
        ("shared-attachment", "medium", "aws_iam_policy_attachment.admin"),
    ],
    "sound-arn-trust": [],
    "sound-mutual-notaction": [
        ("admin-wildcard", "high", "aws_iam_role_policy.p"),
        ("privilege-escalation", "high", "aws_iam_role_policy.p"),
    ],
    "sound-mutual-trust-oidc": [("trust-opened-to-identity-provider", "high", "aws_iam_role.exec")],
    "sound-numeric-epoch": [],
    "target-real": [("plan-incomplete", "high", "")],
    "trust-garbage": [("policy-unreadable", "high", "aws_iam_role.exec")],
    "unknown-operations": [
        ("plan-incomplete", "high", "aws_iam_role.exec"),
        ("plan-incomplete", "high", "aws_iam_role.other"),
        ("plan-incomplete", "high", "list.aws_iam_role.all"),
        ("role-destroyed", "critical", "aws_iam_role.exec"),
        ("role-forgotten", "low", "aws_iam_role.exec"),
    ],
    "unknown-trust": [
        ("policy-unknown", "high", "aws_iam_role.r"),
        ("policy-unknown", "high", "aws_iam_role_policy.p"),
    ],
}
"""Every finding on each case: no other may be there."""

TEXTS: dict[str, tuple[list[str], list[str]]] = {
    "actions-alone": (["no change in roles and their policies", "1 low"], ["hunter2", "no change in IAM"]),
    "alone": (["(this plan does not contain the role's own account)"], []),
    "forget-and-create": (
        [
            "role exec-old: forgotten, not deleted",
            "exec-old stays in AWS with all its policies",
            "role exec-new: created",
            "gained: glue.amazonaws.com, sagemaker.amazonaws.com may sts:AssumeRole",
        ],
        ["lost"],
    ),
    "forget-and-create-policy": (["gained: s3:GetObject", "stays in AWS"], ["lost", "no effect"]),
    "forget-grants": ([], ["lost"]),
    "glue-job-role": (["aws_glue_job runs with arn:aws:iam::111122223333:role/admin"], []),
    "import-by-identity": (
        ["role exec: adopted (imported)", "role later: adopted (imported)", "gained: glue.amazonaws.com"],
        ["lost"],
    ),
    "incomplete-arn": (["gained: sqs:* on arn:aws:sqs:*:*:*"], ["no effect"]),
    "list-of-managed": (["managed policy aws_iam_policy.a_pass", "managed policy aws_iam_policy.b_jobs"], []),
    "max-session": (["role exec: updated in place (max_session_duration)"], []),
    "multi": (["(this plan does not contain the role's own account)"], []),
    "newer-format": (["stack_changes", "resource_changes.lifecycle", "change.handover"], ["deprecations", "detached"]),
    "renamed-widened": (["the deletion may come last", "rename the resource with a `moved` block"], []),
    "sensitive-nested": (["aws_iam_role.n", "boundary none → marked sensitive"], ["hunter2"]),
    "sound-arn-trust": (["widened: logs.amazonaws.com may sts:AssumeRole when aws:SourceArn"], []),
    "sound-numeric-epoch": (["aws:EpochTime < 1700000000 → every action on * when aws:EpochTime < 1700004999"], []),
    "unknown-trust": ([], ["lost"]),
}
"""What the review of a case must contain, and what it must not."""


def test_every_case_has_its_findings() -> None:
    assert {path.stem for path in CASES.glob("*.json")} == FINDINGS.keys()
    assert TEXTS.keys() <= FINDINGS.keys()


@pytest.mark.parametrize("case", FINDINGS)
def test_a_case_has_these_findings_and_no_others(case: str) -> None:
    found = review(read(str(CASES / f"{case}.json"))).findings
    assert sorted((each.rule, each.severity, each.address) for each in found) == FINDINGS[case]


@pytest.mark.parametrize("case", TEXTS)
def test_the_review_of_a_case_contains_these_texts_and_not_those(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "2000")
    main([str(CASES / f"{case}.json")])
    text = " ".join(capsys.readouterr().out.split())
    present, absent = TEXTS[case]
    assert [each for each in present if each not in text] == []
    assert [each for each in absent if each in text] == []


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
