"""A review as a pull-request comment.

GitHub limits a comment to 65,536 characters. A longer review is folded step by step, the least important parts first,
and the comment counts what it leaves out.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice

from iam.engine import sentences
from iam.engine.difference import Difference
from iam.engine.statements import Statement
from plans.plan import ResourceChange
from plans.roles import Role
from plans.values import Hidden, Unknown, Value, visible
from review.report import (
    KIND_NAMES,
    PlanReview,
    Review,
    boundary_change,
    counted,
    policy_rows,
    resources,
    waiver_lines,
    what_happens,
)
from review.rules import SEVERITIES, Finding

MARKER = "<!-- iam-plan-review -->"
"""The first line, by which a bot finds its own comment to update it."""

LIMIT = 65_536
"""Most characters of a comment on GitHub."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown; the rest is counted."""

    raw: int
    """Characters of the raw plan, for each plan."""
    rows: int
    """Rows of a table."""
    names: int
    """Names in a cell."""
    roles: int
    """Roles of a plan."""
    findings: int
    pictures: bool


DETAILS = (
    Detail(raw=60_000, rows=10_000, names=10_000, roles=10_000, findings=10_000, pictures=True),
    Detail(raw=40_000, rows=10_000, names=60, roles=10_000, findings=10_000, pictures=True),
    Detail(raw=12_000, rows=200, names=20, roles=10_000, findings=10_000, pictures=True),
    Detail(raw=0, rows=40, names=12, roles=200, findings=500, pictures=True),
    Detail(raw=0, rows=12, names=6, roles=50, findings=100, pictures=False),
    Detail(raw=0, rows=6, names=4, roles=20, findings=80, pictures=False),
    Detail(raw=0, rows=3, names=3, roles=8, findings=60, pictures=False),
    Detail(raw=0, rows=3, names=2, roles=2, findings=40, pictures=False),
    Detail(raw=0, rows=0, names=1, roles=0, findings=20, pictures=False),
)


def markdown(review: Review) -> str:
    """Return the review in Markdown, in at most LIMIT characters."""
    for detail in DETAILS:
        if text := _within_limit(_comment(review, detail)):
            return text
    # not even twenty findings fit: a reason can be as long as a policy
    return "\n".join([*_head(review), "", *_counts(review.findings)]) + "\n"


def _within_limit(lines: Iterable[str]) -> str:
    """Return the lines as one text, "" if it is longer than LIMIT."""
    text: list[str] = []
    length = 0
    for line in lines:
        text.append(line)
        length += len(line) + 1
        if length > LIMIT:
            return ""
    return "\n".join(text) + "\n"


def _head(review: Review) -> Iterator[str]:
    sign = "❌" if review.failing else "✅"
    yield MARKER
    yield f"### {sign} IAM review: {review.verdict}"


def _comment(review: Review, detail: Detail) -> Iterator[str]:
    yield from _head(review)
    yield from _findings(review, detail)
    for plan in review.plans:
        yield from _plan(plan, detail)


def _counts(findings: Sequence[Finding]) -> Iterator[str]:
    counts = Counter((finding.severity, finding.rule) for finding in findings)
    yield from _table(
        ("severity", "rule", "findings"),
        (
            (severity, code(rule), f"{count:,}")
            for (severity, rule), count in sorted(counts.items(), key=lambda item: SEVERITIES.index(item[0][0]))
        ),
    )
    yield ""
    yield "_The review as JSON lists the findings._"


def _findings(review: Review, detail: Detail) -> Iterator[str]:
    findings = review.findings
    if findings:
        several = len(review.plans) > 1
        yield ""
        yield from _table(
            ("severity", "rule", "where", "why", "what to do"),
            (_finding(finding, several) for finding in findings[: detail.findings]),
        )
    if len(findings) > detail.findings:
        yield ""
        yield _folded(len(findings) - detail.findings, "finding") + " All of them, by rule:"
        yield ""
        yield from _counts(findings)
    lines = list(waiver_lines(review.waivers))
    for line in lines[: detail.findings]:
        yield ""
        yield f"Note: {_plain(line)}"
    if len(lines) > detail.findings:
        yield ""
        yield _folded(len(lines) - detail.findings, "waiver note")


def _finding(finding: Finding, several: bool) -> tuple[str, ...]:
    severity = f"~~{finding.severity}~~ waived" if finding.accepted else f"**{finding.severity}**"
    plan = f"{code(finding.plan)} " if several else ""
    where = plan + (code(finding.address) if finding.address else "")
    remedy = f"waived: {_plain(finding.accepted)}" if finding.accepted else _plain(finding.remedy)
    return severity, code(finding.rule), where, code(finding.reason), remedy


def _plan(plan: PlanReview, detail: Detail) -> Iterator[str]:
    yield ""
    yield f"#### {code(plan.plan.name)}"
    if not plan.roles:
        yield ""
        yield "No change in roles and their policies."
    for role in plan.roles[: detail.roles]:
        yield from _role(role, detail)
    if len(plan.roles) > detail.roles:
        yield ""
        yield _folded(len(plan.roles) - detail.roles, "role")
    if plan.drift:
        yield from _drift(plan, detail)
    yield from _raw(plan, detail)


def _role(role: Role, detail: Detail) -> Iterator[str]:
    yield ""
    kind = KIND_NAMES[role.kind]
    yield f"**{kind[0].upper()}{kind[1:]} {code(role.name)}**: {_plain(what_happens(role))}"
    if of := [f"{address} ({what})" for address, what in resources(role)]:
        yield f"\nThrough {_names(of, detail)}"
    if role.kind == "resource":
        rows = _statement_rows(role.trust, detail, who=True, on=True)
        yield from _section("Who may use it", rows, ("", "who", "may", "on", "when"), detail)
        if role.after.trust.problem:
            yield f"\nPolicy: {_plain(role.after.trust.problem)}."
    if role.kind == "role" and role.change:
        yield from _section(
            "Who may assume it",
            _statement_rows(role.trust, detail, who=True, on=False),
            ("", "who", "may", "when"),
            detail,
        )
        if role.after.trust.problem:
            yield f"\nTrust policy: {_plain(role.after.trust.problem)}."
    if role.permissions.changes:
        rows = _statement_rows(role.permissions, detail, who=False, on=True)
        yield from _section("What it may do", rows, ("", "actions", "on", "when"), detail)
        if role.permissions.kept:
            yield f"\nAnd {counted(len(role.permissions.kept), 'statement')} as before."
    policies = [row for row in policy_rows(role) if row[0] != "kept"]
    if policies and role.kind != "policy":
        cells = ((kind, code(name), _plain(known)) for kind, name, known in policies)
        yield from _section("Policies", cells, ("", "policy", "known"), detail)
    if boundary := boundary_change(role):
        yield f"\nPermissions boundary: {' → '.join(map(code, boundary))}"
    if detail.pictures and role.kind == "role" and (role.trust.changes or policies):
        yield from _picture(role)


def _section(title: str, rows: Iterable[Sequence[str]], heads: Sequence[str], detail: Detail) -> Iterator[str]:
    all_rows = list(rows)
    if not all_rows:
        return
    yield ""
    yield from _table((title, *heads[1:]), all_rows[: detail.rows])
    if len(all_rows) > detail.rows:
        yield ""
        yield _folded(len(all_rows) - detail.rows, "row")


def _statement_rows(of: Difference, detail: Detail, *, who: bool, on: bool) -> Iterator[tuple[str, ...]]:
    """Yield the changed statements: with principals, with resources, or with both."""

    def cells(row: Statement) -> tuple[str, ...]:
        verb = "" if row.effect == "Allow" else "**denied** "
        principals = [_names(sentences.who_list(row.principal), detail)] if who else []
        actions = _names(sentences.action_list(row.action, of.spelling), detail)
        resources = [_names(sentences.resource_list(row.resource), detail)] if on else []
        return (*principals, verb + actions, *resources, code(sentences.when(row.condition, of.spelling)))

    yield from _rows(of, cells)
    if not on:
        yield from (("kept", *cells(row)) for row in of.kept)


def _rows(of: Difference, cells: Callable[[Statement], tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for change in of.changes:
        kind = f"**{change.kind}**" + ("" if change.decided else " (undecided)")
        for row in change.before:
            yield (f"{kind} from" if change.after else kind, *cells(row))
        for row in change.after:
            yield (f"{kind} to" if change.before else kind, *cells(row))


def _drift(plan: PlanReview, detail: Detail) -> Iterator[str]:
    yield ""
    what = counted(len(plan.drift), "role")
    yield f"<details><summary>Drift: {what} changed outside of Terraform since the last apply</summary>"
    for role in plan.drift[: detail.roles]:
        yield from _role(role, detail)
    if len(plan.drift) > detail.roles:
        yield ""
        yield _folded(len(plan.drift) - detail.roles, "role")
    yield ""
    yield "</details>"


def _raw(plan: PlanReview, detail: Detail) -> Iterator[str]:
    changes = [change for change in plan.plan.changes if change.changes]
    if not changes:
        return
    yield ""
    if not detail.raw:
        yield f"_The raw plan ({counted(len(changes), 'change')}) is folded: `terraform show` prints it._"
        return
    shown: list[str] = []
    length = whole = 0
    for change in changes:
        lines = list(islice(_raw_lines(change), 2_000))
        length += sum(map(len, lines)) + len(lines)
        if length > detail.raw:
            break
        shown += map(visible, lines)
        whole += 1
    fence = "`" * max(3, *(len(run) + 1 for line in shown for run in re.findall("`+", line)), 3)
    yield f"<details><summary>Raw plan: {counted(len(changes), 'change')}</summary>"
    yield ""
    yield f"{fence}diff"
    yield from shown
    yield fence
    if whole < len(changes):
        yield ""
        yield f"_{counted(len(changes) - whole, 'more change')} folded: `terraform show` prints all._"
    yield ""
    yield "</details>"


_SIGNS = {"create": "+", "delete": "-", "update": "~", "read": "<=", "forget": ".", "no-op": " "}


def _raw_lines(change: ResourceChange) -> Iterator[str]:
    """Yield a change as Terraform shows it: a heading and the attributes that change, without sensitive values."""
    sign = "/".join(_SIGNS.get(action, action) for action in change.actions)
    notes = [f"imported from {change.importing}"] if change.importing else []
    notes += [f"moved from {change.moved_from}"] if change.moved_from else []
    notes += [f"replaced because of {', '.join(change.replace_paths)}"] if change.replace_paths else []
    yield f"# {sign} {change.address}" + (f" ({'; '.join(notes)})" if notes else "")
    names = sorted(change.values["before"].keys() | change.values["after"].keys())
    for name in names:
        before, after = change.get("before", name), change.get("after", name)
        if "after" not in change.snapshots and name not in ("assume_role_policy", "policy", "policy_arn", "name"):
            continue
        if before != after:
            yield from _attribute(name, _laid_out(before), _laid_out(after))


def _attribute(name: str, before: list[str], after: list[str]) -> Iterator[str]:
    if len(before) < 2 and len(after) < 2:
        yield from (f"-   {name} = {text}" for text in before)
        yield from (f"+   {name} = {text}" for text in after)
        return
    yield f"    {name}:"
    for line in list(unified_diff(before, after, lineterm="", n=3))[2:]:
        yield f"{line[0]}     {line[1:]}" if not line.startswith("@@") else f"      {line}"


def _laid_out(value: Value) -> list[str]:
    """Return a value as lines of JSON, none for an empty one; a policy document is laid out too."""
    if isinstance(value, Unknown | Hidden):
        return [f"({value.why})"]
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, str) and value.startswith("{"):
        try:
            return _json(json.loads(value))
        except (ValueError, RecursionError):
            return [json.dumps(value)]
    return _json(value)


def _json(value: Value) -> list[str]:
    indent = 2 if isinstance(value, dict | list) else None
    return json.dumps(value, indent=indent, sort_keys=True, default=lambda unseen: f"({unseen.why})").splitlines()


_PICTURE_NODES = 24
"""Most nodes on each side of a picture."""


def _picture(role: Role) -> Iterator[str]:
    """Draw who may assume the role and which policies it has; green is gained, red and dashed is lost."""
    links: dict[str, list[tuple[str, str]]] = {"in": [], "out": []}
    seen: dict[str, str] = {}
    for statement in role.trust.kept:
        seen |= dict.fromkeys(sentences.who_list(statement.principal), "kept")
    for change in role.trust.changes:
        for rows, kind in ((change.before, "lost"), (change.after, "gained")):
            for row in rows:
                for name in sentences.who_list(row.principal):
                    seen[name] = kind if seen.get(name, kind) == kind else "changed"
    links["in"] = list(seen.items())
    links["out"] = [(name, kind) for kind, name, _ in policy_rows(role)]
    yield ""
    yield "```mermaid"
    yield "flowchart LR"
    yield f'  role["{_label(role.name)}"]'
    number = 0
    for side, side_links in links.items():
        for name, kind in side_links[:_PICTURE_NODES]:
            number += 1
            arrow = "-.->" if kind == "lost" else "-->"
            yield f'  n{number}["{_label(name)}"]:::{kind}'
            yield f"  n{number} {arrow} role" if side == "in" else f"  role {arrow} n{number}"
        if len(side_links) > _PICTURE_NODES:
            yield f'  more_{side}["{len(side_links) - _PICTURE_NODES} more"]'
            yield f"  more_{side} --> role" if side == "in" else f"  role --> more_{side}"
    yield "  classDef gained stroke:#1a7f37,stroke-width:2px"
    yield "  classDef lost stroke:#cf222e,stroke-width:2px,stroke-dasharray:4"
    yield "  classDef changed stroke:#9a6700,stroke-width:2px"
    yield "  classDef kept stroke:#8c959f"
    yield "```"


def _label(text: str) -> str:
    short = visible(re.sub(r"arn:[\w-]+:iam::aws:policy/", "", text))
    return "".join(f"#{ord(character)};" if character in '"#<>[]{}|`\\' else character for character in short)


def _folded(number: int, what: str) -> str:
    return f"_{counted(number, f'more {what}')} folded: the review as JSON lists all._"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _names(names: Sequence[str], detail: Detail) -> str:
    shown = ", ".join(code(name) for name in names[: detail.names])
    return f"{shown} and {len(names) - detail.names:,} more" if len(names) > detail.names else shown


def code(text: str) -> str:
    """Return text as inline code, so that nothing in it is markup or a mention."""
    if not text:
        return ""
    flat = visible(" ".join(text.split())).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"


def _plain(text: str) -> str:
    """Return text with markup and mentions escaped; code in backticks stays code."""
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\|*_~<>\[\]#])", r"\\\1", part).replace("@", "@\u200b")
        for part in re.split(r"(`[^`|]*`)", visible(" ".join(text.split())))
    )
