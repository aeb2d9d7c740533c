"""Waivers of findings, in a file of the repository."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from commands.review.__main__ import main
from review import waivers
from review.plan_files import read, review_files
from review.report import review
from review.report_json import as_json
from review.rules import Finding
from review.waivers import Place, Waiver, as_yaml
from tests.plan_builder import SAGEMAKER, allow, change, document, plan, role, role_policy, trust
from tests.repository import ROOT

STAYS = role(trust(SAGEMAKER), trust(SAGEMAKER))
PASSING = plan(STAYS, role_policy(None, document(allow("iam:PassRole")), name="glue_sessions"))
PASSING_TWICE = plan(
    STAYS,
    role_policy(None, document(allow("iam:PassRole")), name="glue_sessions"),
    role_policy(None, document(allow("iam:PassRole", "arn:aws:iam::*:role/*")), name="other"),
)
PARTNER = "arn:aws:iam::222222222222:role/partner"
CASES = ROOT / "tests" / "review" / "plans" / "cases"
FILE = Path(".review-accept.yaml")
TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dev.json").write_bytes(PASSING)


def test_a_waiver_to_paste_reads_as_what_it_was_whatever_it_names() -> None:
    names = ("? a", "? ", "- a", "#", "a: b", "'", '"', "null", "1e3", "*", "&a", "<<", "\u2028", "\x85 \U0001f600")
    parts = tuple(sorted(names))
    many = (Place(plan="? a", role="- a"), Place(plan="a: b"), Place(address="? [0]"))
    for subject in (parts, parts[:2]):
        for places in (many, many[:1]):
            waiver = Waiver("trust-lost", "? why", TODAY, subject, places)
            FILE.write_text("\n".join(as_yaml([waiver]).splitlines()), encoding="utf-8")
            assert waivers.read() == [waiver]


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
        "  subject:\n"
        "  - iam:passrole on *\n"
        "  plan: dev\n"
        "  role: exec\n"
        "  reason: known\n"
        f"  expires: {TODAY + timedelta(days=90)}\n"
    )


def test_only_current_findings_are_waived() -> None:
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    Path("dev.json").write_bytes(PASSING_TWICE)
    assert main(["dev.json"]) == 1
    Path("prod.json").write_bytes(PASSING)
    assert main(["prod.json"]) == 1


def test_a_waiver_for_a_partner_does_not_cover_another_account(capsys: pytest.CaptureFixture[str]) -> None:
    Path("dev.json").write_bytes((CASES / "accept-1.json").read_bytes())
    assert main(["dev.json", "--accept", "trust-opened-to-account=partner"]) == 0
    assert main(["dev.json"]) == 0
    Path("dev.json").write_bytes((CASES / "accept-2.json").read_bytes())
    capsys.readouterr()
    for arguments in ([], ["--format", "markdown"]):
        assert main(["dev.json", *arguments]) == 1
        assert (
            "the waiver for trust-opened-to-account (partner) no longer fits dev aws_iam_role.exec; "
            "new: AWS:999999999999 sts:assumerole"
        ) in " ".join(capsys.readouterr().out.replace("`", "").split())


def test_json_names_the_subject_and_what_no_longer_fits(capsys: pytest.CaptureFixture[str]) -> None:
    Path("dev.json").write_bytes((CASES / "accept-1.json").read_bytes())
    main(["dev.json", "--accept", "trust-opened-to-account=partner"])
    Path("dev.json").write_bytes((CASES / "accept-2.json").read_bytes())
    capsys.readouterr()
    main(["dev.json", "--format", "json"])
    output = json.loads(capsys.readouterr().out)
    new = ["AWS:999999999999 sts:assumerole"]
    assert [finding["subject"] for finding in output["findings"]] == [new]
    assert output["waiver_mismatches"] == [
        {
            "rule": "trust-opened-to-account",
            "reason": "partner",
            "new": new,
            "findings": [{"plan": "dev", "role": "exec", "address": "aws_iam_role.exec"}],
        }
    ]


def trusting(*principals: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole", **more}
    return role(trust(SAGEMAKER), document(statement))


def granting(*statements: dict[str, Any], name: str = "inline") -> dict[str, Any]:
    return role_policy(None, document(*statements), name=name)


def losing(before: dict[str, Any], *after: dict[str, Any]) -> dict[str, Any]:
    return role_policy(document(before, allow("iam:GetUser")), document(allow("iam:GetUser"), *after))


EXTERNAL_ID = {"StringEquals": {"sts:ExternalId": "x"}}
TAGGED = {"StringEquals": {"aws:PrincipalTag/team": "x"}}
ANYONE_WITH_ID, ANYONE_TAGGED = (trusting("*", Condition=condition) for condition in (EXTERNAL_ID, TAGGED))
TO_GLUE = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
ANY_ROLE = "arn:aws:iam::*:role/*"
A, B = (f"arn:aws:iam::111122223333:role/{name}" for name in "ab")
PASS_A, PASS_B = (allow("iam:PassRole", arn) for arn in (A, B))
REWRITE, REWRITE_A = allow("iam:PutRolePolicy"), allow("iam:PutRolePolicy", A)
GLUE_PATH = (allow("iam:PassRole"), allow(["glue:CreateSession", "glue:RunStatement"]))


@pytest.mark.parametrize(
    ("rule", "accepted", "later", "covered"),
    [
        ("trust-opened-to-account", [trusting(PARTNER)], [trusting(PARTNER)], True),
        ("trust-opened-to-account", [trusting(PARTNER, "222222222222")], [trusting(PARTNER)], True),
        ("trust-opened-to-account", [trusting(PARTNER)], [trusting(PARTNER, "222222222222")], False),
        ("trust-opened-to-account", [trusting(PARTNER)], [trusting(PARTNER, "111122223333")], True),
        ("trust-opened-to-account", [trusting(PARTNER)], [trusting(PARTNER, Action="sts:*")], False),
        ("trust-opened-to-account", [trusting(PARTNER, Condition=EXTERNAL_ID)], [trusting(PARTNER)], False),
        ("trust-opened-to-everyone", [trusting("*")], [trusting("*", PARTNER)], True),
        (
            "trust-opened-to-everyone-on-condition",
            [trusting("*", Condition=EXTERNAL_ID)],
            [trusting("*", Condition=TAGGED)],
            False,
        ),
        ("pass-any-role", [granting(allow("iam:passrole"))], [granting(allow(["s3:Get*", "iam:PassRole"]))], True),
        ("pass-any-role", [granting(allow("iam:PassRole", ["*", ANY_ROLE]))], [granting(allow("iam:PassRole"))], True),
        ("pass-any-role", [granting(allow("iam:PassRole", ANY_ROLE))], [granting(allow("iam:PassRole"))], False),
        ("pass-role-to-any-service", [granting(PASS_A, PASS_B)], [granting(PASS_B)], True),
        ("pass-role-to-any-service", [granting(PASS_A)], [granting(PASS_A, PASS_B)], False),
        ("privilege-escalation", [granting(REWRITE)], [granting(REWRITE, allow("s3:*"))], True),
        (
            "privilege-escalation",
            [granting(allow("iam:PutRolePolicy", A))],
            [granting(allow("iam:PutRolePolicy"))],
            False,
        ),
        ("privilege-escalation", [granting(*GLUE_PATH)], [granting(*GLUE_PATH, name="other")], True),
        (
            "privilege-escalation",
            [granting(*GLUE_PATH)],
            [granting(*GLUE_PATH, allow("glue:CreateDevEndpoint"))],
            False,
        ),
        ("admin-wildcard", [granting(allow("iam:*"))], [granting(allow("iam:*"), name="other")], True),
        ("admin-wildcard", [granting(allow("iam:*", A))], [granting(allow("iam:*"))], False),
        ("role-destroyed", [role(trust(SAGEMAKER), None)], [role(trust(SAGEMAKER), None, name="other")], False),
        ("boundary-changed", ["a", ""], ["a", "b"], False),
        ("permissions-lost", [losing(allow(["s3:A", "s3:B"]))], [losing(allow("s3:A"))], True),
        ("permissions-lost", [losing(allow("s3:A"), allow("s3:A", Condition=TO_GLUE))], [losing(allow("s3:A"))], False),
    ],
)
def test_a_waiver_covers_the_same_and_smaller_findings_only(
    rule: str, accepted: list[Any], later: list[Any], covered: bool
) -> None:
    Path("dev.json").write_bytes(plan_of(accepted))
    assert main(["dev.json", "--accept", f"{rule}=known", "--fail-on", "never"]) == 0
    Path("dev.json").write_bytes(plan_of(later))
    assert {bool(finding["accepted"]) for finding in reviewed() if finding["rule"] == rule} == {covered}


def reviewed() -> list[dict[str, Any]]:
    """Return the findings on dev.json as JSON, with the waivers of the file."""
    waived = review_files(["dev.json"])
    findings: list[dict[str, Any]] = as_json(waived)["findings"]
    return findings


def plan_of(changes: list[Any]) -> bytes:
    if isinstance(changes[0], str):
        return plan(role(trust(SAGEMAKER), trust(SAGEMAKER), boundary=(changes[0], changes[1])))
    return plan(*changes) if changes[0]["type"] == "aws_iam_role" else plan(STAYS, *changes)


def test_other_content_of_the_file_stays() -> None:
    waive(rule="everything-allowed")
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    assert FILE.read_text(encoding="utf-8").startswith("# known findings\n- rule: everything-allowed\n")


def test_one_waiver_serves_all_roles_with_the_same_finding() -> None:
    names = [f"team-{number}" for number in range(50)]
    Path("dev.json").write_bytes(
        plan(
            *(role(trust(SAGEMAKER), trust(SAGEMAKER), name=name) for name in names),
            *(role_policy(None, document(allow("iam:PassRole")), name=name, of=name) for name in names),
        )
    )
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    assert main(["dev.json"]) == 0
    (entry,) = YAML(typ="safe").load(FILE)
    assert entry["subject"] == ["iam:passrole on *"]
    assert sorted(entry["where"], key=lambda place: place["role"]) == [
        {"plan": "dev", "role": name} for name in sorted(names)
    ]


def test_a_waiver_without_a_place_applies_everywhere() -> None:
    waive(subject="[iam:passrole on *]")
    Path("prod.json").write_bytes(PASSING)
    assert main(["dev.json", "prod.json"]) == 0
    Path("prod.json").write_bytes(PASSING_TWICE)
    assert main(["dev.json", "prod.json"]) == 1


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ({"plan": "dev", "role": "exec", "address": "aws_iam_role_policy.glue_sessions"}, 0),
        ({"plan": "prod"}, 1),
        ({"role": "other"}, 1),
        ({"address": "aws_iam_role_policy.other"}, 1),
        ({"where": "[{plan: prod}, {role: exec}]"}, 0),
    ],
)
def test_plan_role_and_address_limit_a_waiver(place: dict[str, object], status: int) -> None:
    waive(subject="[iam:passrole on *]", **place)
    assert main(["dev.json"]) == status


def test_a_renamed_resource_keeps_its_waiver_if_the_finding_has_values() -> None:
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    Path("dev.json").write_bytes(plan(STAYS, role_policy(None, document(allow("iam:PassRole")), name="renamed")))
    assert main(["dev.json"]) == 0


def test_a_renamed_resource_whose_policy_is_unknown_needs_another_waiver(capsys: pytest.CaptureFixture[str]) -> None:
    for name, arguments, status in (("a", ["--accept", "policy-unknown=known"], 0), ("a", [], 0), ("b", [], 1)):
        unknown = role_policy(None, None, name=name, actions=["create"])
        unknown["change"] |= {"after": {"name": name, "role": "exec"}, "after_unknown": {"policy": True}}
        Path("dev.json").write_bytes(plan(STAYS, unknown))
        assert main(["dev.json", *arguments]) == status
    assert "new: aws_iam_role_policy.b inline policy b" in " ".join(capsys.readouterr().out.split())


def test_a_waiver_for_a_role_does_not_cover_a_user_of_the_same_name() -> None:
    administrator = document(allow("*"))
    Path("dev.json").write_bytes(plan(STAYS, role_policy(None, administrator)))
    assert main(["dev.json", "--accept", "everything-allowed=known"]) == 0
    of_user = {"name": "inline", "user": "exec", "policy": administrator}
    Path("dev.json").write_bytes(plan(change("aws_iam_user_policy.inline", None, of_user)))
    assert main(["dev.json"]) == 1


def test_a_waiver_for_a_part_of_a_bucket_does_not_cover_the_bucket() -> None:
    for path, arguments, status in (("a/*", ["--accept", "resource-opened-to-everyone=public"], 0), ("*", [], 1)):
        statement = allow("s3:GetObject", f"arn:aws:s3:::data/{path}", Principal="*")
        policy = change("aws_s3_bucket_policy.data", None, {"bucket": "data", "policy": document(statement)})
        Path("dev.json").write_bytes(plan(policy))
        assert main(["dev.json", *arguments]) == status


def test_two_waivers_cover_a_finding_together(capsys: pytest.CaptureFixture[str]) -> None:
    parts = [f"AWS:{account} sts:assumerole" for account in ("222222222222", "999999999999")]
    entries = [
        {"rule": "trust-opened-to-account", "subject": [part], "reason": f"partner {part[4]}", "expires": TODAY}
        for part in parts
    ]
    with FILE.open("w", encoding="utf-8") as file:
        YAML().dump(entries, file)
    Path("dev.json").write_bytes(plan(trusting("222222222222", "999999999999")))
    assert main(["dev.json", "--fail-on", "critical"]) == 0
    assert "waived: partner 2; partner 9" in capsys.readouterr().out


def test_an_entry_without_a_subject_works_until_it_expires_and_asks_for_renewal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waive(plan="dev", address="aws_iam_role_policy.glue_sessions")
    assert main(["dev.json"]) == 0
    assert (
        f"the waiver for pass-any-role (known) has no subject and covers whatever the rule finds until {TODAY}; "
        'renew it with --accept pass-any-role="reason"'
    ) in " ".join(capsys.readouterr().out.split())
    Path("dev.json").write_bytes(PASSING_TWICE)
    assert main(["dev.json"]) == 1


def test_a_renewed_entry_no_longer_covers_more_than_its_subject(capsys: pytest.CaptureFixture[str]) -> None:
    waive()
    assert main(["dev.json", "--accept", "pass-any-role=known"]) == 0
    assert "has no subject" not in capsys.readouterr().out
    Path("dev.json").write_bytes(PASSING_TWICE)
    assert main(["dev.json"]) == 1


@pytest.mark.parametrize("plan_name", ["dev", ""])
def test_an_entry_without_a_subject_covers_no_critical_finding(
    plan_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    waive(rule="role-destroyed", plan=plan_name)
    Path("dev.json").write_bytes(plan(role(trust(SAGEMAKER), None)))
    assert main(["dev.json"]) == 1
    line = "the waiver for role-destroyed (known) has no subject and covers nothing critical; renew it with --accept"
    assert line in " ".join(capsys.readouterr().out.split())
    assert main(["dev.json", "--accept", "role-destroyed=the team has moved on"]) == 0


def recorded_findings() -> list[Finding]:
    files = sorted((ROOT / "tests" / "review" / "plans").rglob("*.json"))
    return [finding for file in files for finding in review(read(str(file))).findings]


def test_every_finding_has_a_subject_of_sorted_parts() -> None:
    for finding in recorded_findings():
        assert finding.subject, finding
        assert list(finding.subject) == sorted(set(finding.subject)), finding
        assert all(finding.subject), finding


def test_an_expired_waiver_has_no_effect_and_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    waive(expires=TODAY - timedelta(days=1))
    for arguments in ([], ["--format", "markdown"]):
        assert main(["dev.json", *arguments]) == 1
        assert f"expired on {TODAY - timedelta(days=1)}" in " ".join(capsys.readouterr().out.split())


ENTRY = "- {rule: pass-any-role, reason: x, expires: 2027-01-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- rule: [", ".review-accept.yaml: is not YAML"),
        ("rule: x", ".review-accept.yaml: supply a list of waivers, got dict"),
        ("- x", ".review-accept.yaml[0]: supply rule, reason, expires, subject, plan, role, address, where"),
        (
            "- {rule: pass-any-role, reason: x, until: 2027-01-01}",
            ".review-accept.yaml[0]: supply rule, reason",
        ),
        ("- {rule: pass-any-role, reason: x}", ".review-accept.yaml[0]: supply expires too"),
        (
            "- {rule: x, reason: x, expires: 2027-01-01}",
            '.review-accept.yaml[0].rule: there is no rule "x", ',
        ),
        ("- {rule: pass-any-role, reason: x, expires: soon}", ".review-accept.yaml[0].expires: supply a date"),
        (f"{ENTRY}, subject: all}}", ".review-accept.yaml[0].subject: supply a list of strings"),
        (f"{ENTRY}, subject: []}}", ".review-accept.yaml[0].subject: supply a list of strings"),
        (f"{ENTRY}, subject: [1]}}", ".review-accept.yaml[0].subject: supply a list of strings"),
        (f"{ENTRY}, where: dev}}", ".review-accept.yaml[0].where: supply a list of places"),
        (f"{ENTRY}, where: [{{}}]}}", ".review-accept.yaml[0].where[0]: supply plan, role, address, got {}"),
        (f"{ENTRY}, where: [{{stack: x}}]}}", ".review-accept.yaml[0].where[0]: supply plan, role, address"),
        (f"{ENTRY}, plan: x, where: [{{role: x}}]}}", ".review-accept.yaml[0]: supply either where or plan, role"),
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
        ("pass-any-role", '--accept pass-any-role: supply the reason too, --accept pass-any-role="why'),
        ("pass-any-role= ", "--accept pass-any-role: supply the reason too"),
        ("pass-all-roles=x", '--accept: there is no rule "pass-all-roles", did you mean "pass-any-role"?'),
        ("unlike=x", '--accept: there is no rule "unlike", supply one of access-analyzer-error, '),
        ("role-destroyed=x", "--accept role-destroyed: these plans have no finding of that rule"),
    ],
)
def test_waiving_a_missing_finding_is_refused(argument: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dev.json", "--accept", argument]) == 2
    assert capsys.readouterr().err.startswith(message)
    assert not FILE.exists()
