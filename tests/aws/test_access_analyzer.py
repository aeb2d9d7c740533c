"""What is asked of Access Analyzer through boto3, and what becomes of its answers and errors."""

import socket
from collections.abc import Iterator

import pytest

from aws.access_analyzer import MOST_COMPARISONS, ask
from iam.access_analyzer import (
    MOST_ISSUES,
    TRUST_POLICY_TYPE,
    Comparison,
    Issue,
    NewAccess,
    Place,
    Question,
    Validation,
)
from tests.access_analyzer import FakeAccessAnalyzer, Page, Refusal, fake_access_analyzer, finding, in_environment

TRUST = Validation("{}", "RESOURCE_POLICY", TRUST_POLICY_TYPE)
IDENTITY = Validation("[]", "IDENTITY_POLICY")
PAIR = Comparison("{}", "[]", "IDENTITY_POLICY")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAccessAnalyzer]:
    with fake_access_analyzer() as running:
        in_environment(monkeypatch, running)
        yield running


def test_each_question_is_asked_in_its_region_and_as_the_api_wants_it(running: FakeAccessAnalyzer) -> None:
    running.findings = lambda given: [finding("ERROR", f"OF_{given['policyType']}", "Statement", 1, "Action")]
    running.result = lambda _: {"result": "PASS"}
    answers = ask({TRUST: "eu-central-1", IDENTITY: "", PAIR: ""})
    assert sorted((call.operation, call.region, call.parameters) for call in running.calls) == [
        (
            "CheckNoNewAccess",
            "eu-west-1",
            {"existingPolicyDocument": "{}", "newPolicyDocument": "[]", "policyType": "IDENTITY_POLICY"},
        ),
        (
            "ValidatePolicy",
            "eu-central-1",
            {
                "policyDocument": "{}",
                "policyType": "RESOURCE_POLICY",
                "validatePolicyResourceType": TRUST_POLICY_TYPE,
                "locale": "EN",
                "maxResults": MOST_ISSUES,
            },
        ),
        (
            "ValidatePolicy",
            "eu-west-1",
            {"policyDocument": "[]", "policyType": "IDENTITY_POLICY", "locale": "EN", "maxResults": MOST_ISSUES},
        ),
    ]
    address = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"
    (found,) = answers.issues[TRUST.key]
    assert found == Issue(
        "ERROR",
        "OF_RESOURCE_POLICY",
        "Change it.",
        f"{address}#access-analyzer-reference-policy-checks-error-of-resource-policy",
        (Place(("Statement", 1, "Action"), 3),),
    )
    assert str(found.places[0]) == "Statement[1].Action"
    assert answers.comparisons == {PAIR.key: NewAccess(True)}
    assert answers.errors == ()


def test_all_pages_are_read_up_to_the_most_findings(running: FakeAccessAnalyzer) -> None:
    running.page_size = 40
    found = [finding("WARNING", f"CODE_{number}") for number in range(MOST_ISSUES)]
    running.findings = lambda _: found
    answers = ask({IDENTITY: ""})
    assert [issue.code for issue in answers.issues[IDENTITY.key]] == [each["issueCode"] for each in found]
    assert (len(running.calls), answers.errors) == (3, ())
    found.append(finding("ERROR", "ONE_MORE"))
    answers = ask({IDENTITY: ""})
    assert len(answers.issues[IDENTITY.key]) == MOST_ISSUES
    assert answers.errors == ("Access Analyzer has more than 100 findings on a document",)


def test_an_unknown_type_is_a_security_warning_and_a_foreign_link_is_dropped(running: FakeAccessAnalyzer) -> None:
    running.findings = lambda _: [finding("ERROR", "X", link="https://example.com/a", details="a\n b" + "c" * 2_000)]
    (found,) = ask({IDENTITY: ""}).issues[IDENTITY.key]
    assert (found.link, found.details) == ("", "a b" + "c" * 997 + "…")
    assert found.places == ()


@pytest.mark.parametrize(
    ("code", "words", "asked"),
    [
        ("AccessDeniedException", "access denied: not today", 1),
        ("ThrottlingException", "still throttled after 2 retries, try again later: not today", 3),
        (
            "InternalServerException",
            "AWS still fails after 2 retries, try again later: InternalServerException: not today",
            3,
        ),
    ],
)
def test_what_is_denied_or_throttled_is_not_asked_again_and_the_rest_is(
    running: FakeAccessAnalyzer, code: str, words: str, asked: int
) -> None:
    running.result = lambda _: Refusal(code)
    pairs = [Comparison(str(number), "[]", "IDENTITY_POLICY") for number in range(9)]
    answers = ask({**dict.fromkeys(pairs, ""), IDENTITY: ""})
    assert answers.errors == (f"Access Analyzer: CheckNoNewAccess: {words}",)
    assert answers.issues == {IDENTITY.key: ()}
    assert running.operations == ["CheckNoNewAccess"] * asked + ["ValidatePolicy"]


@pytest.mark.parametrize("code", ["InvalidParameterException", "UnprocessableEntityException", "ValidationException"])
def test_an_error_about_a_document_concerns_that_document(running: FakeAccessAnalyzer, code: str) -> None:
    other = PAIR._replace(before="other")
    running.result = lambda given: (
        Refusal(code) if given["existingPolicyDocument"] == "{}" else {"result": "FAIL", "reasons": []}
    )
    answers = ask({PAIR: "eu-west-1", other: "eu-west-1"})
    assert answers.comparisons == {other.key: NewAccess(False)}
    assert answers.errors == (f"Access Analyzer in eu-west-1: CheckNoNewAccess: {code}: not today",)


@pytest.mark.parametrize("page", [b"<html>Sign in</html>", b"{}"], ids=str)
def test_a_response_of_something_else_is_an_error(running: FakeAccessAnalyzer, page: bytes) -> None:
    running.findings = lambda _: Page(page)
    running.result = lambda _: Page(page)
    answers = ask({IDENTITY: "", PAIR: ""})
    assert (answers.issues, answers.comparisons) == ({}, {})
    assert answers.errors == tuple(
        f"Access Analyzer: {operation}: the response is not one of Access Analyzer"
        for operation in ("ValidatePolicy", "CheckNoNewAccess")
    )


@pytest.mark.parametrize("region", ["eu-west-1\n", "eu-west-1.example.com", "x y", "\ud800", "-", "EU-WEST-1"])
def test_nothing_is_asked_in_what_is_no_region(running: FakeAccessAnalyzer, region: str) -> None:
    answers = ask({TRUST: region, PAIR: region, IDENTITY: "us-gov-west-1"})
    assert answers.errors == (f"Access Analyzer in {region} was not asked: the plan names a region that is none",)
    assert [call.region for call in running.calls] == ["us-gov-west-1"]


def test_without_credentials_region_or_network_one_line_says_so(
    running: FakeAccessAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: dict[Question, str] = {TRUST: "", IDENTITY: "", PAIR: ""}
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_ACCESSANALYZER", url)
        (line,) = ask(questions).errors
    assert line.startswith(
        f'Access Analyzer was not asked: AWS cannot be reached: Could not connect to the endpoint URL: "{url}'
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert ask(questions).errors == (
        "Access Analyzer was not asked: no AWS credentials found, sign in or set AWS_PROFILE",
    )
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    (line,) = ask(questions).errors
    assert line.startswith("Access Analyzer was not asked: The config profile (nobody) could not be found")
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_ENDPOINT_URL_ACCESSANALYZER")
    assert ask(questions).errors == ("Access Analyzer was not asked: the plan names no region, set AWS_REGION",)
    assert running.calls == []


def test_comparisons_are_billed_and_therefore_limited(running: FakeAccessAnalyzer) -> None:
    pairs = [PAIR._replace(before=str(number)) for number in range(MOST_COMPARISONS + 2)]
    answers = ask({**dict.fromkeys(pairs, ""), IDENTITY: ""})
    assert running.operations == ["CheckNoNewAccess"] * MOST_COMPARISONS + ["ValidatePolicy"]
    assert answers.comparisons.keys() == {pair.key for pair in pairs[:MOST_COMPARISONS]}
    assert answers.errors == ("Access Analyzer: 2 comparisons left out, more than 100 in one run",)


def test_nothing_is_called_for_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert ask({}).errors == ()
