"""A review on the terminal: what happens to which roles, the findings, and the verdict last.

Lines are wrapped at the width of the terminal. Where the output is no terminal, nothing is wrapped, so that an ARN can
be found in it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from iam.engine import sentences
from iam.engine.difference import Difference
from iam.wording import counted
from plans.roles import Role
from plans.values import visible
from review.groups import FindingGroup, Group, finding_groups, groups
from review.report import (
    Review,
    boundary_change,
    consultation_lines,
    policy_rows,
    resources,
    waiver_lines,
    what_happens,
)
from review.wording import Names, happens, kinds, recipe_findings, scope

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

_GROUPS = 50
_FINDINGS = 100
"""Most groups of roles, and most findings or notes, that are shown; the rest are counted."""

_NAMES = 5
"""Most roles that a finding names; more are counted."""

_NARROWEST = 40
"""Least columns that text is wrapped at."""


class _Line(NamedTuple):
    """A line with its indentation; what does not fit hangs two columns further in."""

    text: Text
    indent: int = 0


def show(review: Review, console: Console) -> None:
    """Print the review, in color if the console supports it."""
    for line in _lines(review):
        _print(line, console)


def _print(line: _Line, console: Console) -> None:
    margin = " " * line.indent
    if not console.is_terminal:
        console.print(Text(margin) + line.text, soft_wrap=True)
        return
    width = max(console.width - line.indent - 2, _NARROWEST)
    for number, part in enumerate(line.text.wrap(console, width)):
        part.rstrip()
        console.print(Text(margin + "  " * (number > 0)) + part, soft_wrap=True)


def _lines(review: Review) -> Iterator[_Line]:
    names = Names(review)
    found = groups(review)
    for group in found[:_GROUPS]:
        yield from _group(group, names, several=len(review.plans) > 1)
        yield _Line(Text())
    yield from _rest(sum(len(group.members) for group in found[_GROUPS:]), "role")
    findings = finding_groups(review)
    for finding in findings[:_FINDINGS]:
        yield from _finding(finding, names)
    yield from _rest(sum(len(each.findings) for each in findings[_FINDINGS:]), "finding")
    if own := recipe_findings(found):
        verb = "is" if len(own) == 1 else "are"
        means = "what permissions: recipe means; with permissions: least-privilege there is no such finding"
        yield _Line(Text(f"{' and '.join(own)} {verb} {means}", "dim"))
    notes = [*waiver_lines(review.waivers), *consultation_lines(review.consultation)]
    yield from (_Line(_text(note, "yellow")) for note in notes[:_FINDINGS])
    yield from _rest(len(notes) - _FINDINGS, "note")
    if findings or notes:
        yield _Line(Text())
    places = [f"{what if len(of) == 1 else f'{what}s'} {', '.join(of[:_NAMES])}" for what, of in scope(review) if of]
    if places:
        yield _Line(_text(", ".join(places), "dim"))
    style = "bold yellow" if review.fails_for_the_recipe_alone else "bold red" if review.failing else "bold green"
    yield _Line(Text(review.verdict, style))


def _rest(number: int, what: str) -> Iterator[_Line]:
    if number > 0:
        yield _Line(Text(f"{counted(number, f'more {what}')}: --format json lists all", "dim"))


def _group(group: Group, names: Names, *, several: bool) -> Iterator[_Line]:
    member = group.first
    alone = len(group.members) == 1
    name = names.of_member(member) if member.role is None else member.role.title
    title = Text.assemble(_text(name if alone else kinds(group), "bold"), _text(f": {_plain(happens(group))}"))
    if alone and several and member.role:
        title.append_text(_text(f"  ({member.plan.plan.name})", "dim"))
    yield _Line(title)
    if not alone:
        yield _Line(_text(", ".join(map(names.of_member, group.members)), "dim"), 2)
    if member.role:
        yield from _role(member.role)
    drift = [role for role in member.plan.drift if member.role is None or role.name == member.role.name]
    if drift:
        yield _Line(Text("changed outside of Terraform since the last apply", "bold"), 2)
    for role in drift[:_GROUPS]:
        yield _Line(_text(f"{role.title}: {what_happens(role)}"), 2)
        yield from _role(role)
    yield from _rest(len(drift) - _GROUPS, "drifted role")


def _plain(text: str) -> str:
    """Return a sentence of this project without the backticks of Markdown."""
    return text.replace("`", "")


def _role(role: Role) -> Iterator[_Line]:
    if role.kind == "resource":
        yield from _changes(role.trust, trust=True)
        if problem := role.after.trust.problem:
            yield _row("changed", f"policy: {problem}")
    elif role.kind == "role" and role.change:
        yield from _changes(role.trust, trust=True)
        for statement in role.trust.kept:
            yield _row("kept", sentences.statement(statement, role.trust.spelling, trust=True, at_most=_AT_MOST))
    yield from _changes(role.permissions, trust=False)
    for kind, name, known in policy_rows(role):
        if kind != "kept" and role.kind != "policy":
            yield _row(kind, f"{name} ({known})" if known else str(name))
    for address, what in resources(role):
        yield _row("kept", f"through {address} ({what})")
    if boundary := boundary_change(role):
        yield _row("changed", f"boundary {' → '.join(boundary)}")


def _changes(of: Difference, *, trust: bool) -> Iterator[_Line]:
    for change in of.changes:
        # what a Deny gains is a loss
        kind = str(change.kind) if change.effect == "Allow" else "changed" if change.broadens else "lost"
        yield _row(kind, sentences.change(change, of.spelling, trust=trust, at_most=_AT_MOST))


def _row(kind: str, text: str) -> _Line:
    sign, style = _SIGNS[kind]
    return _Line(_text(f"{sign} {text}", style), 4)


def _finding(group: FindingGroup, names: Names) -> Iterator[_Line]:
    finding = group.first
    severity = "waived" if finding.accepted else finding.severity
    style = "dim" if finding.accepted else _SEVERITY[finding.severity]
    if len(group.findings) == 1:
        where = f"{finding.plan} {finding.address}".rstrip()
    else:
        roles = names.of_findings(group.findings)
        where = ", ".join(roles) if len(roles) <= _NAMES else counted(len(roles), "role" if finding.role else "place")
    yield _Line(Text.assemble((severity, style), "  ", (finding.rule, "bold"), "  ", _text(where)))
    alike = len({each.reason for each in group.findings}) == 1
    yield _Line(_text(finding.reason if alike else f"for example {finding.reason}"), 4)
    yield _Line(_text(f"waived: {finding.accepted}" if finding.accepted else finding.remedy, "dim"), 4)


def _text(text: str, style: str = "") -> Text:
    """Return text of a plan, in which nothing is a control sequence."""
    return Text(visible(text), style)
