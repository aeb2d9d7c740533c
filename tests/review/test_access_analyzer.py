"""`review --access-analyzer` against a stand-in, and answers that another job has kept."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aws.access_analyzer import ask
from commands.review.__main__ import main
from iam.access_analyzer import BUCKET_POLICY_TYPE, TRUST_POLICY_TYPE, Comparison, Validation
from plans import plan as plans
from review import access_analyzer, report
from review.access_analyzer import answers_to_keep, kept_answers, write
from review.plan_files import review_files
from tests.access_analyzer import FakeAccessAnalyzer, Refusal, fake_access_analyzer, finding, in_environment
from tests.plan_builder import SAGEMAKER, allow, change, document, plan, role, role_policy, trust
from tests.repository import ROOT

PAGE = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "review" / "review.schema.json").read_text(encoding="utf-8"))
TRUSTED = trust(SAGEMAKER)
STAYS = role(TRUSTED, TRUSTED)
BEFORE = document(allow("s3:GetObject", "arn:aws:s3:::data/?*/x"))
AFTER = document(allow("s3:GetObject", "arn:aws:s3:::data/${aws:username}/x"))
UNDECIDED = plan(STAYS, role_policy(BEFORE, AFTER))
PASSING = document(allow("iam:PassRole"))
DETAILS = (
    "Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it allows"
    " iam:PassRole permissions on multiple resources."
)

OF_TYPE = {
    "access-analyzer-error": ("ERROR", "high"),
    "access-analyzer-security-warning": ("SECURITY_WARNING", "high"),
    "access-analyzer-warning": ("WARNING", "low"),
    "access-analyzer-suggestion": ("SUGGESTION", "low"),
}
NEW_ACCESS = "access-analyzer-new-access"
RULE_IDS = {*OF_TYPE, NEW_ACCESS}


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeAccessAnalyzer]:
    monkeypatch.chdir(tmp_path)
    with fake_access_analyzer() as running:
        in_environment(monkeypatch, running)
        yield running


def saved(content: bytes, name: str = "dev.json") -> str:
    Path(name).write_bytes(content)
    return name


def reviewed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """Return the review as JSON of the plans with Access Analyzer, which the schema describes."""
    main([*arguments, "--access-analyzer", "--format", "json"])
    review = json.loads(capsys.readouterr().out)
    jsonschema.validate(review, SCHEMA)
    return review


def found(review: Any) -> dict[str, Any]:
    return {each["rule"]: each for each in review["findings"] if each["rule"].startswith("access-analyzer")}


@pytest.mark.parametrize("rule", OF_TYPE)
def test_a_finding_of_each_type_is_one_of_the_review_and_can_be_waived(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str], rule: str
) -> None:
    type_, severity = OF_TYPE[rule]
    running.findings = lambda given: (
        [finding(type_, "PASS_ROLE_WITH_STAR_IN_RESOURCE", "Statement", 0, "Resource", details=DETAILS)]
        if "PassRole" in given["policyDocument"]
        else []
    )
    file = saved(plan(STAYS, role_policy(None, PASSING)))
    link = running.findings({"policyDocument": "PassRole"})[0]["learnMoreLink"]
    review = reviewed(capsys, file)
    assert found(review) == {
        rule: {
            "rule": rule,
            "severity": severity,
            "plan": "dev",
            "role": "exec",
            "address": "aws_iam_role_policy.inline",
            "reason": f"inline policy inline: {DETAILS} (PASS_ROLE_WITH_STAR_IN_RESOURCE, Statement[0].Resource)",
            "remedy": f"read {link}",
            "subject": ["PASS_ROLE_WITH_STAR_IN_RESOURCE iam:passrole on *"],
            "accepted": None,
            "access_analyzer": {
                "finding_type": type_,
                "issue_code": "PASS_ROLE_WITH_STAR_IN_RESOURCE",
                "details": DETAILS,
                "learn_more_link": link,
                "locations": [{"path": "Statement[0].Resource", "line": 3}],
            },
        }
    }
    assert review["access_analyzer"] == {"questions": 1, "decided": [], "errors": []}
    waived = found(reviewed(capsys, file, "--accept", f"{rule}=it is meant to"))
    assert waived[rule]["accepted"] == "it is meant to"


@pytest.mark.parametrize(
    ("policy", "path", "parts"),
    [
        (
            document(allow(["s3:GetObject", "s3:PutObject"])),
            ["Statement", 0],
            ["s3:getobject on *", "s3:putobject on *"],
        ),
        (document(allow("s3:*"), allow("iam:*")), ["Statement", 1, "Action"], ["iam:* on *"]),
        (json.dumps({"Statement": allow("s3:*")}), ["Statement", "Action"], ["s3:* on *"]),
        (json.dumps({"Statement": [allow("s3:*")]}), ["Version"], ['inline policy inline Version {"Statement": [']),
        (document(allow("s3:*")), ["Statement"], ['inline policy inline Statement [{"Action": "s3:*"']),
        (document(allow("s3:*")), ["Statement", 7], ["inline policy inline Statement[7] ["]),
        (document(allow("s3:*")), [], ["inline policy inline"]),
        (document({"Effect": "Allow"}), ["Statement", 0], ['inline policy inline {"Effect": "Allow"}']),
        ("{", ["Statement", 0], ["inline policy inline {"]),
        ("[]", ["Statement", 0], ["inline policy inline Statement[0] []"]),
    ],
)
def test_a_waiver_is_bound_to_the_code_and_to_what_the_statement_means(
    running: FakeAccessAnalyzer,
    capsys: pytest.CaptureFixture[str],
    policy: str,
    path: list[str | int],
    parts: list[str],
) -> None:
    running.findings = lambda _: [finding("WARNING", "A_CODE", *path)]
    review = reviewed(capsys, saved(plan(STAYS, role_policy(None, policy))))
    subject = found(review)["access-analyzer-warning"]["subject"]
    assert len(subject) == len(parts)
    assert all(each.startswith(f"A_CODE {part}") for each, part in zip(subject, parts, strict=True)), subject


def test_without_the_option_nothing_is_asked_and_nothing_is_different(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([saved(UNDECIDED), "--format", "json"]) == 0
    review = json.loads(capsys.readouterr().out)
    assert "access_analyzer" not in review
    assert running.calls == []


def test_new_and_changed_documents_are_asked_about_once_by_what_they_are(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    wider = trust(SAGEMAKER, "glue.amazonaws.com")
    bucket = document({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::data"})
    queue = bucket.replace("s3", "sqs")
    repository = document({"Effect": "Allow", "Principal": "*", "Action": "ecr:*"})
    content = plan(
        role(TRUSTED, wider),
        role_policy(PASSING, PASSING),
        role_policy(None, PASSING, name="new"),
        change("aws_s3_bucket_policy.b", None, {"bucket": "data", "policy": bucket}),
        change("aws_sqs_queue_policy.q", None, {"queue_url": "https://q", "policy": queue}),
        change("aws_ecr_repository_policy.r", None, {"repository": "r", "policy": repository}),
        change("aws_lambda_permission.p", None, {"function_name": "f", "action": "lambda:*", "principal": "*"}),
        change("aws_iam_policy.hidden", None, {"name": "hidden", "policy": PASSING}, after_sensitive={"policy": True}),
    )
    review = reviewed(capsys, saved(content), saved(content, "prod.json"))
    asked = {
        (each.parameters["policyDocument"], each.parameters.get("validatePolicyResourceType")) for each in running.calls
    }
    assert asked == {(wider, TRUST_POLICY_TYPE), (PASSING, None), (bucket, BUCKET_POLICY_TYPE), (queue, None)}
    assert review["access_analyzer"]["questions"] == len(running.calls) == 4


def test_a_comparison_that_passes_decides_what_was_undecided(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    file = saved(UNDECIDED)
    assert "undecided" in {each["rule"] for each in reviewed(capsys, file)["findings"]}
    running.result = lambda given: {
        "result": "PASS" if (given["existingPolicyDocument"], given["newPolicyDocument"]) == (BEFORE, AFTER) else "FAIL"
    }
    review = reviewed(capsys, file)
    assert {each["rule"] for each in review["findings"]} == {"permissions-lost"}
    (exec_,) = review["plans"][0]["roles"]
    assert [(each["kind"], each["decided"]) for each in exec_["permissions"]["changes"]] == [("lost", True)]
    assert review["access_analyzer"]["decided"] == [{"plan": "dev", "role": "exec", "policy": "inline policy inline"}]
    line = "the inline policy inline of role exec (dev) allows nothing new, which was undecided"
    for format_ in ("terminal", "markdown"):
        main([file, "--access-analyzer", "--format", format_])
        assert f"Access Analyzer: {line}" in capsys.readouterr().out


def test_a_comparison_that_fails_is_a_finding_and_leaves_it_undecided(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    running.result = lambda _: {
        "result": "FAIL",
        "reasons": [{"description": "New access in the statement with index: 0.", "statementIndex": 0}],
    }
    review = reviewed(capsys, saved(UNDECIDED))
    assert {each["rule"] for each in review["findings"]} == {"permissions-lost", "undecided", NEW_ACCESS}
    new = found(review)[NEW_ACCESS]
    assert new["reason"] == "inline policy inline: New access in the statement with index: 0."
    (undecided,) = (each for each in review["findings"] if each["rule"] == "undecided")
    assert (new["subject"], new["severity"]) == (undecided["subject"], "medium")


@pytest.mark.parametrize(
    "code",
    ["InvalidParameterException", "UnprocessableEntityException", "ThrottlingException", "AccessDeniedException"],
)
def test_a_comparison_that_cannot_be_made_changes_nothing(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str], code: str
) -> None:
    running.result = lambda _: Refusal(code)
    file = saved(UNDECIDED)
    review = reviewed(capsys, file)
    (error,) = review["access_analyzer"]["errors"]
    assert error.startswith("Access Analyzer: CheckNoNewAccess: ")
    assert main([file, "--format", "json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    del review["access_analyzer"]
    assert review == plain


def test_without_credentials_the_review_says_so_in_one_line_and_goes_on(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    for content, status in ((UNDECIDED, 0), (plan(role(TRUSTED, None)), 1)):
        file = saved(content)
        assert main([file]) == status
        plain = capsys.readouterr().out.splitlines()
        assert main([file, "--access-analyzer"]) == status
        more = [line for line in capsys.readouterr().out.splitlines() if line not in plain]
        asked = content is UNDECIDED  # a deletion has no document
        credentials = "no AWS credentials found, sign in or set AWS_PROFILE"
        why = credentials if asked else "no policy document is written here that it could check"
        assert more == [f"Access Analyzer was not asked: {why}"]


def test_what_certainly_allows_more_is_not_compared(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    more = json.loads(AFTER)["Statement"] + [allow("s3:PutObject")]
    new = role_policy(None, AFTER, name="new")  # nothing to compare it with
    reviewed(capsys, saved(plan(STAYS, role_policy(BEFORE, document(*more)), new)))
    assert set(running.operations) == {"ValidatePolicy"}


def kept(content: bytes) -> Path:
    """Let another job ask about a plan and keep the answers; return their file."""
    file = Path(access_analyzer.FILE)
    (answers,) = answers_to_keep([plans.parse(content, "dev")], ask)
    write(answers, file)
    return file


def test_answers_that_were_kept_add_findings_and_decide_nothing(running: FakeAccessAnalyzer) -> None:
    running.findings = lambda _: [finding("ERROR", "INVALID_ACTION", "Statement", 0)]
    running.result = lambda _: {"result": "PASS"}
    file = kept(UNDECIDED)
    assert "data/" not in file.read_text()
    review = review_files([saved(UNDECIDED)], analyzer=kept_answers({"dev": file}))
    plain = review_files([saved(UNDECIDED)])
    assert {each.rule for each in review.findings} == {
        *(each.rule for each in plain.findings),
        "access-analyzer-error",
    }
    (line,) = report.consultation_lines(review.consultation)
    assert line.endswith("they add findings and decide nothing")
    running.result = lambda _: {"result": "FAIL"}
    review = review_files([saved(UNDECIDED)], analyzer=kept_answers({"dev": kept(UNDECIDED)}))
    assert NEW_ACCESS in {each.rule for each in review.findings}


def test_the_command_reports_answers_that_lie_next_to_a_plan(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    running.findings = lambda _: [finding("ERROR", "INVALID_ACTION", "Statement", 0)]
    kept(UNDECIDED)
    running.calls.clear()
    assert main([saved(UNDECIDED), "--kept-answers"]) == 1
    assert "high  access-analyzer-error" in capsys.readouterr().out
    assert running.calls == []


def test_answers_about_other_documents_are_not_used_and_the_missing_ones_are_named(
    running: FakeAccessAnalyzer,
) -> None:
    running.findings = lambda _: [finding("ERROR", "INVALID_ACTION", "Statement", 0)]
    file = kept(plan(STAYS, role_policy(None, PASSING)))
    review = review_files([saved(UNDECIDED)], analyzer=kept_answers({"dev": file}))
    assert not any(each.rule.startswith("access-analyzer") for each in review.findings)
    assert review.consultation
    assert review.consultation.errors == ("Access Analyzer: 2 questions about these plans without an answer",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file or directory"),
        (b"", "is not valid"),
        (b"[]", "is not valid"),
        (b"[" * 100_000, "is not valid"),
        (b'{"validations": {"VALIDATION": [7]}, "comparisons": {}, "errors": []}', "is not valid"),
        (b'{"validations": {"VALIDATION": [{"locations": {}}]}, "comparisons": {}, "errors": []}', "is not valid"),
        (b'{"validations": {"VALIDATION": [{"locations": [7]}]}, "comparisons": {}, "errors": []}', "is not valid"),
        (
            b'{"validations": {"VALIDATION": [{"locations": [{"path": [7]}]}]}, "comparisons": {}, "errors": []}',
            "is not valid",
        ),
        (b'{"validations": {}, "comparisons": {"COMPARISON": {"result": "MAYBE"}}, "errors": []}', "is not valid"),
        (b'{"validations": {}, "comparisons": {}}', "is not valid"),
        (b" " * 9_000_000, "is not valid"),
    ],
    ids=range(11),
)
def test_a_file_that_is_none_is_one_line(running: FakeAccessAnalyzer, content: bytes | None, why: str) -> None:
    file = Path(access_analyzer.FILE)
    if content is not None:
        for question in (Validation(AFTER, "IDENTITY_POLICY"), Comparison(BEFORE, AFTER, "IDENTITY_POLICY")):
            content = content.replace(type(question).__name__.upper().encode(), question.key.encode())
        file.write_bytes(content)
    review = review_files([saved(UNDECIDED)], analyzer=kept_answers({"dev": file}))
    assert review.findings == review_files([saved(UNDECIDED)]).findings
    assert review.consultation
    assert review.consultation.errors == (f"Access Analyzer: the answers about dev cannot be read: {why}",)


def test_the_page_shows_what_the_command_prints(
    running: FakeAccessAnalyzer, capsys: pytest.CaptureFixture[str]
) -> None:
    running.result = lambda _: {"result": "PASS"}
    running.findings = lambda given: (
        [finding("SECURITY_WARNING", "PASS_ROLE_WITH_STAR_IN_RESOURCE", "Statement", 0, "Resource", details=DETAILS)]
        if "PassRole" in given["policyDocument"]
        else []
    )
    passing = role_policy(None, document(allow("iam:PassRole", "arn:aws:iam::111122223333:role/glue-*")), name="jobs")
    data = role_policy(BEFORE, AFTER, name="data")
    assert main([saved(plan(STAYS, data, passing)), "--access-analyzer"]) == 1
    printed = capsys.readouterr().out
    assert f"```console\n$ ./glue-sessions review dev.json --access-analyzer\n{printed}```" in PAGE, printed
