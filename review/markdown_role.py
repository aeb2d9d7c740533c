"""One role of a review in Markdown: who may assume it, what it may do, its policies, and the raw plan."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice

from iam.engine import sentences
from iam.engine.difference import Difference, Kind
from iam.engine.statements import Statement
from iam.wording import counted
from plans.plan import ResourceChange
from plans.roles import Role
from plans.values import Hidden, Unknown, Value, shown, visible
from review.markdown_text import code, folded, listed, prose, table
from review.own import grants as own_grants
from review.report import boundary_change, policy_rows, resources

OPEN_ROWS = 3
"""Most rows of permissions that are shown unfolded."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown; the rest is counted."""

    raw: int
    """Characters of the raw plan, for each group."""
    rows: int
    """Rows of a table."""
    names: int
    """Names in a cell."""
    groups: int
    """Groups of roles."""
    findings: int
    waivers: int
    """Waivers to paste."""


def role_lines(role: Role, detail: Detail) -> Iterator[str]:
    """Yield what changes for a role."""
    if role.kind == "resource":
        yield from _section("Who may use it", [*_rows(role.trust, detail, who=True, on=True)], _WHO_ON, detail)
    elif role.kind == "role" and role.change:
        kept = list(_kept(role.trust, detail))
        if role.trust.changes:
            rows = [*_rows(role.trust, detail, who=True, on=False), *kept]
            yield from _section("Who may assume it", rows, _WHO, detail)
        elif kept:
            yield ""
            yield "Who may assume it: as before."
    if role.after.trust.problem:
        yield ""
        yield f"{'Policy' if role.kind == 'resource' else 'Trust policy'}: {prose(role.after.trust.problem)}."
    if boundary := boundary_change(role):
        yield ""
        yield f"Permissions boundary: {' → '.join(map(code, boundary))}"
    yield from _permissions(role, detail)


_WHO = ("who", "may", "when")
_WHO_ON = ("who", "may", "on", "when")
_WHAT = ("actions", "on", "when")


def _permissions(role: Role, detail: Detail) -> Iterator[str]:
    rows = list(_rows(role.permissions, detail, who=False, on=True))
    lines = [*_section("What it may do", rows, _WHAT, detail), *_policies(role, detail)]
    if not lines:
        return
    if len(rows) <= OPEN_ROWS:
        yield from lines
        return
    kinds = Counter(sentences.kind(change) for change in role.permissions.changes)
    what = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    only_gains = {change.kind for change in role.permissions.changes} == {Kind.GAINED}
    level = own_grants.level(role) if only_gains and not own_grants.grants_access(role) else None
    granted = f" (what <code>permissions: {level}</code> grants)" if level else ""
    kept = f"; {counted(len(role.permissions.kept), 'statement')} as before" if role.permissions.kept else ""
    yield from folded(f"What it may do: {what}{granted}{kept}", lines[1:])


def _policies(role: Role, detail: Detail) -> Iterator[str]:
    policies = [row for row in policy_rows(role) if row[0] != "kept"]
    if policies and role.kind != "policy":
        rows = [(kind, f"{name.kind} policy {code(shown(name.name))}", prose(known)) for kind, name, known in policies]
        yield from _section("Policies", rows, ("policy", "known"), detail)
    if of := [f"{address} ({what})" for address, what in resources(role)]:
        yield ""
        yield f"Through {listed(of, detail.names)}"


def _section(title: str, rows: Sequence[Sequence[str]], heads: Sequence[str], detail: Detail) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield from table((title, *heads), rows[: detail.rows])
    if len(rows) > detail.rows:
        yield ""
        yield f"_{counted(len(rows) - detail.rows, 'more row')} folded: the review as JSON lists all._"


def _rows(of: Difference, detail: Detail, *, who: bool, on: bool) -> Iterator[tuple[str, ...]]:
    """Yield the changed statements: with principals, with resources, or with both."""
    for change in of.changes:
        kind = f"**{sentences.kind(change)}**" + ("" if change.decided else " (undecided)")
        for row in change.before:
            yield (f"{kind} from" if change.after else kind, *_cells(row, of, detail, who=who, on=on))
        for row in change.after:
            yield (f"{kind} to" if change.before else kind, *_cells(row, of, detail, who=who, on=on))


def _kept(of: Difference, detail: Detail) -> Iterator[tuple[str, ...]]:
    for row in of.kept:
        kind = "kept" if row.effect == "Allow" else "denied as before"
        yield (kind, *_cells(row, of, detail, who=True, on=False))


def _cells(row: Statement, of: Difference, detail: Detail, *, who: bool, on: bool) -> Iterator[str]:
    if who:
        yield _names(sentences.who_list(row.principal), detail)
    yield _names(sentences.action_list(row.action, of.spelling), detail)
    if on:
        yield _names(sentences.resource_list(row.resource), detail)
    yield prose(sentences.when(row.condition, of.spelling))


def _names(names: Sequence[str], detail: Detail) -> str:
    """Return names, or words such as `every action`, in one cell."""
    more = f" and {len(names) - detail.names:,} more" if len(names) > detail.names else ""
    return ", ".join(map(prose, names[: detail.names])) + more


def raw_lines(changes: Iterable[ResourceChange], detail: Detail) -> Iterator[str]:
    """Yield changes as Terraform shows them, folded."""
    changing = [change for change in changes if change.changes]
    if not changing or not detail.raw:
        return
    lines_of_changes: list[str] = []
    length = whole = 0
    for change in changing:
        lines = list(islice(_raw(change), 2_000))
        length += sum(map(len, lines)) + len(lines)
        if length > detail.raw:
            break
        lines_of_changes += map(visible, lines)
        whole += 1
    rest = len(changing) - whole
    more = ["", f"_{counted(rest, 'more change')} folded: `terraform show` prints all._"] if rest else []
    yield from folded(f"Raw plan: {counted(len(changing), 'change')}", [*fenced("diff", lines_of_changes), *more])


def fenced(language: str, lines: Sequence[str]) -> Iterator[str]:
    """Yield lines as a block of code, whatever is in them."""
    fence = "`" * max(3, *(len(run) + 1 for line in lines for run in re.findall("`+", line)), 3)
    yield f"{fence}{language}"
    yield from lines
    yield fence


def in_html(text: str) -> str:
    """Return text of a plan for the summary of what is folded."""
    return f"<code>{html.escape(visible(text))}</code>"


_SIGNS = {"create": "+", "update": "~", "delete": "-", "no-op": " ", "forget": "."}


def _raw(change: ResourceChange) -> Iterator[str]:
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
