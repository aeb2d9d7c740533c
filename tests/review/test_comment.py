"""The comment: what a reviewer sees first, what is folded, and what is never lost."""

import io
import json
import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from commands.review.__main__ import main
from configuration import stack_name
from plans import plan as plans
from review import report, waivers
from review.groups import Counts, finding_groups, groups
from review.intent import Intent
from review.links import Links
from review.markdown import LIMIT, markdown
from review.markdown_text import prose
from review.report import PlanReview, Review
from review.terminal import show
from review.wording import scope
from tests.plan_builder import FULL_ACCESS, allow, change, document, plan, role, role_policy
from tests.repository import ROOT
from tests.review.situations import LOST, PARTNERED, SITUATIONS, Plans, fleet, of_stack, partner_lost, refreshed
from tests.review.stack_plans import BEFORE, PARTNER, RECIPE, Stack

PLANS = ROOT / "tests" / "review" / "plans"
TODAY = date(2027, 1, 31)


@cache
def of_plan(name: str, content: bytes) -> PlanReview:
    return report.review(plans.parse(content, name))


def reviewed(of: Plans) -> Review:
    return Review(tuple(of_plan(name, content) for name, content in of.items()), "high", today=TODAY)


def comment(of: Plans) -> str:
    return markdown(reviewed(of))


def unfolded(text: str) -> str:
    """Return what a reader sees without unfolding anything."""
    return re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)


def test_the_one_partner_loss_of_51_roles_is_in_the_first_20_lines() -> None:
    first = "\n".join(comment(fleet(50) | partner_lost()).splitlines()[:20])
    assert "| first adoption, `recipe` | `partnered` | 1 | 2 | 1 | 0 | **high** `trust-lost` |" in first
    assert "| first adoption, `recipe` | 50 roles | 50 | 100 | 50 | 0 | **high** `pass-any-role` |" in first
    assert (
        "| **high**<br>`trust-lost` | `partnered`: lost: account `444455556666` may `sts:AssumeRole` when "
        "`sts:ExternalId` is `acme-42`<br>→ keep the statement: `trust.keep` with authoritative ownership, or "
        "`trust.ownership: additive` |"
    ) in first


def test_it_begins_with_the_verdict_and_where_it_is_about() -> None:
    links = Links("https://ci.example/run", "https://ci.example/run#artifacts")
    assert markdown(reviewed(fleet(50) | partner_lost()), links).splitlines()[1:4] == [
        "### ❌ IAM review: do not apply as is: 103 high by 3 rules; 51 roles changed",
        "",
        "Account `123456789012` · region `eu-west-1` · environment `dev` · [run](https://ci.example/run) · "
        "[plans and this review as JSON](https://ci.example/run#artifacts)",
    ]


@pytest.mark.parametrize("others", [{}, partner_lost(), SITUATIONS["of-others"](), SITUATIONS["owned"]()])
def test_50_roles_that_are_alike_take_less_than_80_lines(others: Plans) -> None:
    alone = len(comment(others).splitlines()) if others else 0
    assert len(comment(fleet(50) | others).splitlines()) - alone < 80


@pytest.mark.parametrize("name", ["team-a", "a.b@c", "prod-team", "x+y"])
def test_the_environment_is_that_in_the_stacks_name(name: str) -> None:
    for environment in ("dev", "prod-eu"):
        of = {stack_name(environment, name): Stack(name).adopted()}
        assert dict(scope(reviewed(of)))["environment"] == [environment]
    assert dict(scope(reviewed({f"glue-sessions-{name}": Stack(name).adopted()})))["environment"] == []


def test_the_names_of_a_large_group_are_folded_and_complete() -> None:
    text = comment(fleet(50))
    assert "`team-07`" not in unfolded(text)
    assert ", ".join(f"`team-{number:02}`" for number in range(50)) in text
    assert text.count("#### ") == 1


def test_each_of_two_roles_is_named() -> None:
    assert "#### `team-00`, `team-01`: first adoption, `recipe`" in comment(fleet(2))


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_situation_is_a_comment_with_tables_that_are_well_formed(name: str) -> None:
    text = comment(SITUATIONS[name]())
    assert len(text) < LIMIT
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert not re.search(r"<p>\|", html)
    assert html.count("<details>") == html.count("</details>")


def test_roles_that_are_all_different_and_long_stay_a_comment() -> None:
    of: Plans = {}
    for number in range(20):
        stack = Stack(f"role-{number}")
        actions = [f"s3:Get{'x' * 1_500}{number}{each}" for each in range(number + 3)]
        of |= of_stack(stack.name, stack.plan(stack.role(BEFORE, RECIPE), stack.policy(None, document(allow(actions)))))
    text = comment(of)
    assert len(text) <= LIMIT
    assert "folded" in text


# groups


def test_the_roles_own_arn_and_account_make_no_difference() -> None:
    one, other = Stack("team-a", "least-privilege"), Stack("team-b", "least-privilege", "210987654321")
    (group,) = groups(reviewed(of_stack("team-a", one.adopted()) | of_stack("team-b", other.adopted(), "prod")))
    assert [member.role.name for member in group.members if member.role] == ["team-a", "team-b"]
    assert group.counts == Counts(imported=2, added=4, changed=2)


def test_roles_of_one_plan_that_are_alike_are_one_group_with_the_addresses_of_each() -> None:
    reads = document(allow("s3:GetObject", "arn:aws:s3:::data/*"))
    changes = [
        each
        for name in ("a", "b", "c")
        for each in (
            role(BEFORE, RECIPE, name=name),
            {**role_policy(None, reads, name="data", of=name), "address": f"aws_iam_role_policy.data-{name}"},
        )
    ]
    text = comment({"platform": plan(*changes)})
    assert text.count("#### ") == 1
    assert "| updated in place | 3 roles | 0 | 3 | 3 | 0 | none |" in text
    for name in ("a", "b", "c"):
        assert f"\n- `{name}`: `aws_iam_role.{name}`, `aws_iam_role_policy.data-{name}`\n" in text


@pytest.mark.parametrize("names", [("s3", "sqs"), ("data", "logs"), ("exec", "exec-2")])
def test_a_role_that_is_called_like_what_it_gains_is_not_alike(names: tuple[str, str]) -> None:
    of: Plans = {}
    for name in names:
        stack = Stack(name)
        more = document(allow(f"{name}:*" if name == "s3" or name == "sqs" else "s3:*", f"arn:aws:s3:::{name}"))
        of |= of_stack(name, stack.plan(stack.role(RECIPE, RECIPE), stack.policy(stack.inline, more)))
    assert len(groups(reviewed(of))) == 2


@pytest.mark.parametrize("after", ["*", "?", "-${aws:username}"])
def test_an_arn_that_goes_on_after_the_roles_own_is_another_one(after: str) -> None:
    of: Plans = {}
    for name in ("a", "admin-of-all"):
        stack = Stack(name)
        more = document(allow("iam:PassRole", f"{stack.arn}{after}"))
        of |= of_stack(name, stack.plan(stack.role(RECIPE, RECIPE), stack.policy(stack.inline, more)))
    assert len(groups(reviewed(of))) == 2


def test_other_attributes_make_a_difference_by_their_values() -> None:
    def changed(hours: int) -> bytes:
        updated = Stack("exec").role(RECIPE, RECIPE, actions=["update"])
        for snapshot, value in (("before", 3600), ("after", hours * 3600)):
            updated["change"][snapshot] = {**updated["change"][snapshot], "max_session_duration": value}
        return Stack("exec").plan(updated)

    def of_no_role(value: str) -> bytes:
        return plan(change("aws_s3_object.x", {"content": ""}, {"content": value}))

    assert len(groups(reviewed({"a": changed(2), "b": changed(2), "c": changed(12)}))) == 2
    assert len(groups(reviewed({"a": of_no_role("x"), "b": of_no_role("x"), "c": of_no_role("y")}))) == 2


def test_many_roles_that_all_differ_are_counted_and_the_gravest_is_first() -> None:
    of: Plans = {}
    for number in range(40):
        stack = Stack(f"role-{number}")
        more = document(allow("*" if number == 30 else f"s3:Get{number}*"))
        of |= of_stack(stack.name, stack.plan(stack.role(BEFORE, RECIPE), stack.policy(None, more)))
    text = comment(of)
    assert "`role-30` | 0 | 1 | 1 | 0 | **critical** `everything-allowed` |" in text.splitlines()[7]
    assert "\nAnd 28 more roles, in 28 other ways.\n" in text


def test_another_roles_arn_or_account_makes_a_difference() -> None:
    of: Plans = {}
    for name, account in (("a", "444455556666"), ("b", "777788889999")):
        stack = Stack(name)
        before = json.dumps(json.loads(PARTNERED)).replace("444455556666", account)
        of |= of_stack(name, stack.adopted(before))
    assert [group.first.rule for group in finding_groups(reviewed(of))][:2] == ["trust-lost", "trust-lost"]
    assert len(groups(reviewed(of))) == 2


def test_a_waived_finding_makes_a_difference_and_comes_last() -> None:
    found = reviewed(fleet(2))
    entry = waivers.Waiver("pass-any-role", "agreed", TODAY, ("iam:passrole on *",), (waivers.Place(role="team-00"),))
    current = waivers.Waivers([entry], TODAY)
    waived = tuple(
        PlanReview(each.plan, each.roles, each.drift, tuple(current.apply(each.findings))) for each in found.plans
    )
    review = Review(waived, "high", today=TODAY)
    assert len(groups(review)) == 2
    assert [bool(each.first.accepted) for each in finding_groups(review)] == [False, False, True]
    assert "| ~~high~~ waived<br>`pass-any-role` | `team-00`: " in markdown(review)


def test_what_belongs_to_no_role_or_not_to_this_project_has_its_address() -> None:
    text = comment({"platform": (PLANS / "modules-and-unknowns.json").read_bytes()})
    assert "`shared-attachment` | `aws_iam_policy_attachment.exclusive`: " in text
    assert "`everything-allowed` | `bob` at `aws_iam_user_policy_attachment.u`: " in text
    assert "aws_iam_role.execution_role" not in unfolded(comment(partner_lost()))


def test_a_plan_that_only_refreshes_the_state_says_so() -> None:
    review = reviewed(refreshed())
    assert [group.first.intents for group in groups(review)] == [(Intent.REFRESH,)]
    assert "#### `glue-sessions-dev-team-b`: no change; the state takes over what changed in AWS" in markdown(review)


# waivers to paste


def pasted(text: str, folder: Path) -> list[waivers.Waiver]:
    """Return the waivers of a comment, pasted into a waiver file."""
    (block,) = re.findall(r"^(`{3,})yaml\n(.*?)\n\1$", text, flags=re.DOTALL | re.MULTILINE)
    file = folder / waivers.FILE
    file.write_text(block[1] + "\n", encoding="utf-8")
    return waivers.read(file)


@pytest.mark.parametrize("name", [*SITUATIONS, "hostile names"])
def test_with_the_waivers_that_it_proposes_the_gate_passes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    of = SITUATIONS.get(name, lambda: of_stack("``` \u202e: #\n- é", partner_lost()["glue-sessions-dev-partnered"]))()
    files = []
    for number, content in enumerate(of.values()):
        Path(f"{number:02}.json").write_bytes(content)
        files.append(f"{number:02}.json")
    status = main([*files, "--format", "markdown"])
    text = capsys.readouterr().out
    assert ("```yaml" in text) == bool(status)
    if status:
        assert {waiver.reason for waiver in pasted(text, tmp_path)} == {waivers.PLACEHOLDER}
        assert main(files) == 0


def test_a_proposed_waiver_covers_nothing_else(tmp_path: Path) -> None:
    entries = pasted(comment(partner_lost()), tmp_path)
    assert {entry.expires for entry in entries} == {TODAY + waivers.DEFAULT_PERIOD}
    two = document(PARTNER, {**PARTNER, "Principal": {"AWS": "777788889999"}}, *json.loads(BEFORE)["Statement"])
    found = reviewed(of_stack("partnered", Stack("partnered").adopted(two, checks=[LOST]))).findings
    open_ = [each for each in waivers.Waivers(entries, TODAY).apply(found) if not each.accepted]
    assert [each.rule for each in open_] == ["trust-lost"]


def test_the_recipes_own_findings_are_named_as_such() -> None:
    line = "`pass-any-role` and `privilege-escalation` are what `permissions: recipe` means: "
    assert line in comment(fleet(1))
    assert "means: " not in comment(fleet(1, "least-privilege"))
    stack = Stack("team-00")
    wider = stack.plan(stack.role(RECIPE, RECIPE), stack.policy(None, document(allow("iam:*"))))
    assert "means: " not in comment(of_stack("team-00", wider))


@pytest.mark.parametrize(
    ("plans", "verdict"),
    [
        (fleet(1), "2 high, both from permissions: recipe: consider least-privilege; 1 role changed"),
        (fleet(3), "6 high by 2 rules, all from permissions: recipe: consider least-privilege; 3 roles changed"),
        (partner_lost(), "do not apply as is: 3 high; 1 role changed"),
        (fleet(3) | partner_lost(), "do not apply as is: 9 high by 3 rules; 4 roles changed"),
    ],
)
def test_the_verdict_says_where_the_recipe_alone_fails_the_review(plans: Plans, verdict: str) -> None:
    found = reviewed(plans)
    assert found.verdict == verdict
    assert found.failing
    assert comment(plans).splitlines()[1] == f"### ❌ IAM review: {verdict}"


def test_the_same_findings_of_another_policy_are_not_the_recipes() -> None:
    stack = Stack("team-00")
    wider = stack.plan(stack.role(RECIPE, RECIPE), stack.policy(None, document(allow("iam:*"))))
    assert reviewed(of_stack("team-00", wider)).verdict.startswith("do not apply as is: ")


# what is folded is kept


def test_the_whole_review_is_written_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "dev.json"
    saved.write_bytes(Stack("exec").adopted())
    file = tmp_path / "cdktf.out" / "review.json"
    assert main([str(saved), "--format", "markdown", "--json-file", str(file)]) == 1
    capsys.readouterr()
    assert main([str(saved), "--format", "json"]) == 1
    assert file.read_text() == capsys.readouterr().out
    assert main([str(saved), "--json-file", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"--json-file {tmp_path}: cannot be written: is a directory\n"


def test_links_are_those_of_the_pipeline() -> None:
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/x", "GITHUB_RUN_ID": "42"}
    run = "https://github.com/acme/x/actions/runs/42"
    assert Links.of(github) == (run, f"{run}#artifacts")
    assert Links.of({"CI_JOB_URL": "https://gitlab.com/j/1"}).artifacts == "https://gitlab.com/j/1/artifacts/browse"
    assert Links.of({"GITHUB_SERVER_URL": "https://github.com"}) == ("", "")


# prose


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lost: a.b may sts:AssumeRole", "lost: `a.b` may `sts:AssumeRole`"),
        ("pass it to glue.amazonaws.com: `permissions: x`", "pass it to `glue.amazonaws.com`: `permissions: x`"),
        ("2,100 characters, the quota is 2,048", "2,100 characters, the quota is 2,048"),
        ("exec is gone", "`exec` is gone"),
        ("<img src=x> @octocat a|b", "`<img` `src=x>` `@octocat` `a\\|b`"),
        ("a lone ` tick", "a lone `` ` `` tick"),
        ("[a](http://b)", "`[a](http://b`)"),
        ("AT&T &lt; x", "`AT&T` `&lt`; x"),
        ("", ""),
    ],
)
def test_names_are_code_and_prose_is_prose(text: str, expected: str) -> None:
    assert prose(text, {"exec"}) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("<b>x</b>", "a ` b <i> ` c", "![x](y)", "**a**", "# a", "a\n\n- b", "www.a.b", "~~a~~"),
        # two pieces of code side by side
        *("<i/x>`|`a`", "`a`<i/x>`|", "`a``b:<i>`", "`a`<i>`b`", "x:`|`<i>`<i>`|`<i>`"),
    ],
)
def test_nothing_in_a_sentence_is_markup(text: str) -> None:
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).renderInline(prose(text))
    assert re.findall(r"<(?!/?code>)[^>]+>", html) == []


def test_a_sentence_mentions_nobody() -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).renderInline(prose("@acme/team`|`a` by @octocat, `x`@me`|"))
    assert "@" not in re.sub(r"<code>.*?</code>|@\u200b", "", html)


# the terminal


def printed(of: Plans, *, width: int, terminal: bool) -> str:
    file = io.StringIO()
    show(reviewed(of), Console(file=file, width=width, force_terminal=terminal, color_system=None, highlight=False))
    return file.getvalue()


def test_output_that_is_no_terminal_is_not_wrapped() -> None:
    text = printed(fleet(1, "least-privilege"), width=80, terminal=False)
    assert f"managed policy {FULL_ACCESS} allows it on arn:aws:iam::*:role/*AmazonSageMaker*\n" in text
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert text == printed(fleet(1, "least-privilege"), width=200, terminal=False)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_terminals_width_is_used(width: int) -> None:
    lines = printed(fleet(50) | partner_lost(), width=width, terminal=True).splitlines()
    assert width - 25 < max(map(len, lines)) <= width


def test_roles_that_are_alike_are_printed_once() -> None:
    text = printed(fleet(50) | partner_lost(), width=80, terminal=False)
    assert text.startswith("role partnered: first adoption, recipe  (glue-sessions-dev-partnered)\n")
    assert text.count("50 roles: first adoption, recipe") == 1
    assert text.count("gained: iam:GetRole") == 2
    assert "high  pass-any-role  51 roles\n" in text
    assert text.endswith("do not apply as is: 103 high by 3 rules; 51 roles changed\n")
