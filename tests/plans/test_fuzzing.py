"""Plans in which any part has another type: read and reviewed, or refused, never a traceback."""

import copy
import io
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from plans.plan import PlanError, parse
from plans.unread import ACTIONS
from review.drift import renderers
from review.drift.analysis import Analysis, analyze
from review.drift.report import Reading
from review.markdown import markdown
from review.report import Review, review
from review.report_json import as_json
from review.terminal import show
from tests.repository import ROOT

PLANS = [
    json.loads(path.read_bytes())
    for path in sorted((ROOT / "tests/review/plans").rglob("*.json"))
    if path.stat().st_size < 12_000
]
TRUST = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": %s, "Action": "sts:AssumeRole"}]}'
LEAVES: list[Any] = [
    None, True, False, 0, -1, 1.5, "", "x", "*", "\u001b[2J", "\ud800", [], {}, [None], {"x": None}, ["x"], [["x"]],
    {"a": {"b": [True]}}, TRUST % '"*"', TRUST % "null", '{"Statement": 7}', '{"Statement": [null]}',
    '{"Statement": [{"Effect": "Allow", "Action": 7, "Resource": {}}]}', "[" * 3_000,
    '{"a":' * 3_000 + "1" + "}" * 3_000,
    '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": null}}}]}',
    '{"Version": ["2012-10-17"], "Statement": []}',
]  # fmt: skip


SHOWN_RAW = "\n\u200b"
"""A zero-width space keeps a name with an @ in a comment from being a mention."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every part of a document."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [each for key, child in children for each in places(child, (*path, key))]


PLACES = [places(plan) for plan in PLANS]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """Return a recorded plan in which some parts are replaced."""
    index = draw(st.integers(0, len(PLANS) - 1))
    plan = copy.deepcopy(PLANS[index])
    for path in draw(st.lists(st.sampled_from(PLACES[index]), min_size=1, max_size=3)):
        part = plan
        try:
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = copy.deepcopy(draw(st.sampled_from(LEAVES)))
        except (KeyError, IndexError, TypeError):
            continue  # an earlier replacement took the place away
    return plan


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged())
def test_a_damaged_plan_is_reviewed_or_refused(body: Any) -> None:
    try:
        plan = parse(json.dumps(body).encode(), "dev")
    except PlanError:
        return
    reviewed = Review((review(plan),), "high")
    try:
        drift = [Reading("dev", "dev", "exec", analyze(plan, region="eu-west-1"))]
    except PlanError as error:
        drift = [Reading("dev", "dev", "exec", Analysis(), (str(error),))]
    terminal = io.StringIO()
    show(reviewed, Console(file=terminal, width=100))
    renderers.show(drift, Console(file=terminal, width=100))
    forms = [as_json(reviewed), renderers.as_json(drift)]
    for text in (*map(json.dumps, forms), markdown(reviewed), renderers.markdown(drift), terminal.getvalue()):
        assert [each for each in text if not each.isprintable() and each not in SHOWN_RAW] == []


@st.composite
def extended(draw: st.DrawFn) -> tuple[Any, str]:
    """Return a recorded plan with something that no version has, and its name."""
    plan = copy.deepcopy(draw(st.sampled_from([each for each in PLANS if each.get("resource_changes")])))
    entry = draw(st.sampled_from(plan["resource_changes"]))
    actions = st.lists(st.sampled_from(["create", "delete", "forget", "detach"]), min_size=1, max_size=3)
    new = draw(actions.filter(lambda each: tuple(each) not in ACTIONS))
    match draw(st.sampled_from(["actions", "mode", "of the plan", "of the entry", "of the change"])):
        case "actions" if entry.get("mode", "managed") == "managed":
            entry["change"] = {"before": {}, "after": {}, **entry["change"], "actions": new}
            return plan, f"actions {', '.join(new)}"
        case "mode":
            entry["mode"] = "list"
            return plan, "mode list"
        case "of the plan":
            plan["stack_changes"] = draw(st.sampled_from(["x", 1, ["x"], {"a": {}}]))
            return plan, "stack_changes"
        case "of the entry":
            entry["stack"] = True
            return plan, "resource_changes.stack"
        case _:
            entry["change"]["handover"] = {"to": "x"}
            return plan, "resource_changes.change.handover"


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(extended())
def test_what_no_version_has_is_named(body_and_name: tuple[Any, str]) -> None:
    body, name = body_and_name
    try:
        found = review(parse(json.dumps(body).encode(), "dev")).findings
    except PlanError:  # such as actions that do not fit the values
        return
    named = [each.severity for each in found if each.rule in ("plan-incomplete", "not-judged") and name in each.reason]
    assert named
    assert "high" in named or not name.startswith(("actions", "mode"))


BYTES = json.dumps(min(PLANS, key=lambda plan: len(json.dumps(plan)))).encode()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 40), st.binary(max_size=6)), max_size=3),
)
def test_damaged_bytes_are_a_plan_or_refused_in_one_line(encoding: str, damages: list[tuple[int, int, bytes]]) -> None:
    content = BYTES.decode().encode(encoding)
    for start, length, replacement in damages:
        start %= len(content) + 1
        content = content[:start] + replacement + content[start + length :]
    refused = "dev.json: "
    try:
        review(parse(content, "dev", "dev.json"))
    except PlanError as error:
        refused = str(error)
    assert refused.startswith("dev.json: ")
    assert refused.isprintable()
