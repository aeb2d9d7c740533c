"""A review on the terminal."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from iam.engine import sentences
from iam.engine.difference import Difference
from plans.roles import Role
from plans.values import visible
from review.report import (
    PlanReview,
    Review,
    boundary_change,
    counted,
    policy_rows,
    resources,
    waiver_lines,
    what_happens,
)
from review.rules import Finding

_SEVERITY = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "dim"}
_SIGNS = {
    "gained": ("+", "green"),
    "widened": ("+", "green"),
    "lost": ("-", "red"),
    "narrowed": ("-", "red"),
    "altered": ("~", "yellow"),
    "changed": ("~", "yellow"),
    "kept": (" ", "dim"),
}


_AT_MOST = 20
"""Most actions, resources or principals that a statement lists."""

_ROLES = 50
_FINDINGS = 100
"""Most roles of a plan, and most findings or waiver notes, that are shown; the rest are counted."""


def show(review: Review, console: Console) -> None:
    """Print the review, in color if the console supports it."""
    for plan in review.plans:
        _plan(plan, console)
    if review.findings:
        console.print()
    for finding in review.findings[:_FINDINGS]:
        _finding(finding, console)
    _rest(len(review.findings) - _FINDINGS, "finding", console)
    lines = list(waiver_lines(review.waivers))
    for line in lines[:_FINDINGS]:
        console.print(_text(line, "yellow"))
    _rest(len(lines) - _FINDINGS, "waiver note", console)
    console.print()
    console.print(Text(review.verdict, "bold red" if review.failing else "bold green"))


def _plan(plan: PlanReview, console: Console) -> None:
    console.print(_text(plan.plan.name, "bold underline"))
    if not plan.roles:
        console.print(Padding("no change in roles and their policies", (0, 2)))
    for role in plan.roles[:_ROLES]:
        _role(role, console)
    _rest(len(plan.roles) - _ROLES, "role", console)
    if plan.drift:
        console.print(Padding(Text("changed outside of Terraform since the last apply", "bold"), (1, 2, 0, 2)))
    for role in plan.drift[:_ROLES]:
        _role(role, console)
    _rest(len(plan.drift) - _ROLES, "drifted role", console)


def _rest(number: int, what: str, console: Console) -> None:
    if number > 0:
        console.print(Text(f"{counted(number, f'more {what}')}: --format json lists all", "dim"))


def _role(role: Role, console: Console) -> None:
    title = Text.assemble(_text(role.title, "bold"), _text(f": {what_happens(role)}"))
    console.print(Padding(title, (1, 2, 0, 2)))
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    if role.kind == "resource":
        _changes(table, role.trust, trust=True)
        if problem := role.after.trust.problem:
            _row(table, "changed", f"policy: {problem}")
    elif role.kind == "role" and role.change:
        _changes(table, role.trust, trust=True)
        for statement in role.trust.kept:
            _row(
                table,
                "kept",
                sentences.statement(statement, role.trust.spelling, trust=True, at_most=_AT_MOST),
            )
    _changes(table, role.permissions, trust=False)
    for kind, name, known in policy_rows(role):
        if kind != "kept" and role.kind != "policy":
            _row(table, kind, f"{name} ({known})" if known else name)
    for address, what in resources(role):
        _row(table, "kept", f"through {address} ({what})")
    if boundary := boundary_change(role):
        _row(table, "changed", f"boundary {' → '.join(boundary)}")
    console.print(Padding(table, (0, 4)))


def _changes(table: Table, of: Difference, *, trust: bool) -> None:
    for change in of.changes:
        _row(table, change.kind, sentences.change(change, of.spelling, trust=trust, at_most=_AT_MOST))


def _row(table: Table, kind: str, text: str) -> None:
    sign, style = _SIGNS[kind]
    table.add_row(Text(sign, style), _text(text, style))


def _finding(finding: Finding, console: Console) -> None:
    severity = "waived" if finding.accepted else finding.severity
    style = "dim" if finding.accepted else _SEVERITY[finding.severity]
    where = f"{finding.plan} {finding.address}".rstrip()
    console.print(Text.assemble((severity, style), "  ", (finding.rule, "bold"), "  ", _text(where)))
    advice = f"waived: {finding.accepted}" if finding.accepted else finding.remedy
    console.print(Padding(Text.assemble(_text(finding.reason), "\n", _text(advice, "dim")), (0, 4)))


def _text(text: str, style: str = "") -> Text:
    """Return text of a plan, in which nothing is a control sequence."""
    return Text(visible(text), style)
