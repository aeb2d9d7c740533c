"""A review as a pull-request comment: the verdict, a summary, the findings, then what happens to which roles.

Roles and findings that are alike are one entry: the gravest and rarest come first and in full, and of a large group the
names are folded. GitHub limits a comment to 65,536 characters. A longer review is shortened step by step, the least
important parts first, and the comment counts what it leaves out; the review as JSON has all of it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from iam.wording import counted
from plans.roles import Role
from review import waivers
from review.groups import FindingGroup, Group, finding_groups, groups, other_changes
from review.links import Links
from review.markdown_role import Detail, fenced, in_html, raw_lines, role_lines
from review.markdown_text import code, folded, listed, prose, table
from review.own import grants as own_grants
from review.report import Review, consultation_lines, waiver_lines, what_happens
from review.rules import SEVERITIES, Finding
from review.wording import Names, happens, kinds, recipe_findings, scope

MARKER = "<!-- iam-plan-review -->"
"""The first line, by which a bot finds its own comment to update it."""

LIMIT = 65_536
"""Most characters of a comment on GitHub."""

SMALL = 2
"""Most members of a group that are shown in full, each by its name."""

NAMED = 5
"""Most roles that a finding names; more are counted."""

SUMMARY_ROWS = 12
"""Most groups in the summary."""

DETAILS = (
    Detail(raw=60_000, rows=10_000, names=10_000, groups=10_000, findings=10_000, waivers=20),
    Detail(raw=12_000, rows=200, names=60, groups=10_000, findings=10_000, waivers=20),
    Detail(raw=0, rows=40, names=20, groups=200, findings=500, waivers=10),
    Detail(raw=0, rows=12, names=6, groups=50, findings=100, waivers=5),
    Detail(raw=0, rows=6, names=4, groups=20, findings=80, waivers=3),
    Detail(raw=0, rows=3, names=3, groups=8, findings=60, waivers=1),
    Detail(raw=0, rows=3, names=2, groups=2, findings=40, waivers=0),
    Detail(raw=0, rows=0, names=1, groups=0, findings=20, waivers=0),
)


def markdown(review: Review, links: Links | None = None, *, complete: bool = True, limit: int = LIMIT) -> str:
    """Return the review in Markdown, in at most `limit` characters.

    Args:
        review: the review.
        links: where the pipeline keeps the plans and the review as JSON.
        complete: whether every plan could be reviewed; if not, the comment does not say that all is well.
        limit: most characters, fewer than LIMIT if the comment has something else in it.
    """
    comment = _Comment(review, links or Links(), complete)
    for detail in DETAILS:
        if text := _within(limit, comment.lines(detail)):
            return text
    # not even twenty findings fit: a reason can be as long as a policy
    return "\n".join([*comment.head(), "", *_counts(review.findings)]) + "\n"


def _within(limit: int, lines: Iterable[str]) -> str:
    """Return the lines as one text, "" if it is longer than this."""
    text: list[str] = []
    length = 0
    for line in lines:
        text.append(line)
        length += len(line) + 1
        if length > limit:
            return ""
    return "\n".join(text) + "\n"


class _Comment:
    def __init__(self, review: Review, links: Links, complete: bool) -> None:
        self._review = review
        self._links = links
        self._complete = complete
        self._names = Names(review)
        self._groups = groups(review)
        self._findings = finding_groups(review)
        self._others = other_changes(review)

    def lines(self, detail: Detail) -> Iterator[str]:
        yield from self.head()
        yield from self._scope()
        yield from self._summary()
        yield from self._finding_table(detail)
        yield from self._notes(detail)
        yield from self._proposed_waivers(detail)
        for group in self._groups[: detail.groups]:
            yield from self._group(group, detail)
        if len(self._groups) > detail.groups:
            rest = self._groups[detail.groups :]
            roles = sum(len(group.members) for group in rest)
            yield ""
            yield f"_{counted(roles, 'more role')} folded: the review as JSON lists all._"
        if self._others:
            yield ""
            yield f"{counted(len(self._others), 'other resource')} changed, beside roles and their policies."
            yield from raw_lines(self._others, detail)
        if not detail.raw:
            yield ""
            yield "_The raw plans are folded: `terraform show` prints them._"

    def head(self) -> Iterator[str]:
        sign = "✅" if self._complete and not self._review.failing else "❌"
        yield MARKER
        yield f"### {sign} IAM review: {self._review.verdict}"

    def _scope(self) -> Iterator[str]:
        parts = [f"{what if len(of) == 1 else f'{what}s'} {listed(of, 4)}" for what, of in scope(self._review) if of]
        if self._links.run:
            parts.append(f"[run]({self._links.run})")
        if self._links.artifacts:
            parts.append(f"[plans and this review as JSON]({self._links.artifacts})")
        if parts:
            yield ""
            line = " · ".join(parts)
            yield line[0].upper() + line[1:]

    def _summary(self) -> Iterator[str]:
        if not any(group.first.role for group in self._groups) and not self._review.findings:
            return
        forgets = any(group.counts.forgotten for group in self._groups)
        heads = ["what happens", "to", "import", "add", "change", "destroy", *["forget"] * forgets, "gravest finding"]
        rows = [
            (
                prose(happens(group)),
                self._who(group, SMALL),
                *(_number(number, place) for place, number in enumerate(group.counts[: 4 + forgets])),
                _gravest(group.gravest),
            )
            for group in self._groups[:SUMMARY_ROWS]
        ]
        yield ""
        yield from table(heads, rows, numbers=range(2, len(heads) - 1))
        if len(self._groups) > SUMMARY_ROWS:
            rest = sum(len(group.members) for group in self._groups[SUMMARY_ROWS:])
            yield ""
            yield f"And {counted(rest, 'more role')}, in {counted(len(self._groups) - SUMMARY_ROWS, 'other way')}."

    def _who(self, group: Group, at_most: int) -> str:
        if len(group.members) > at_most:
            return kinds(group)
        return ", ".join(code(self._names.of_member(member)) for member in group.members)

    def _finding_table(self, detail: Detail) -> Iterator[str]:
        if not self._findings:
            return
        yield ""
        yield from table(
            ("finding", "where and why, and what to do"),
            (self._finding(group, detail) for group in self._findings[: detail.findings]),
        )
        if len(self._findings) > detail.findings:
            rest = sum(len(group.findings) for group in self._findings[detail.findings :])
            yield ""
            yield f"_{counted(rest, 'more finding')} folded: the review as JSON lists all._ All of them, by rule:"
            yield ""
            yield from _counts(self._review.findings)
        if own := recipe_findings(self._groups):
            verb = "is" if len(own) == 1 else "are"
            yield ""
            yield (
                f"{' and '.join(map(code, own))} {verb} what `permissions: recipe` means: AWS's recipe allows "
                "`iam:PassRole` on `*`. With `permissions: least-privilege` there is no such finding."
            )

    def _finding(self, group: FindingGroup, detail: Detail) -> tuple[str, str]:
        finding = group.first
        names = self._names.of_findings(group.findings)
        severity = f"~~{finding.severity}~~ waived" if finding.accepted else f"**{finding.severity}**"
        where = ", ".join(map(code, names)) if len(names) <= NAMED else f"**{_counted(group, len(names))}**"
        if len(group.findings) == 1 and finding.role and finding.address not in own_grants.ADDRESSES:
            where += f" at {code(finding.address)}"
        example = f"for example {code(names[0])}: " if len({each.reason for each in group.findings}) > 1 else ""
        what = f"waived: {prose(finding.accepted)}" if finding.accepted else prose(finding.remedy)
        why = prose(finding.reason, [each.role for each in group.findings])
        return f"{severity}<br>{code(finding.rule)}", f"{where}: {example}{why}<br>→ {what}"

    def _notes(self, detail: Detail) -> Iterator[str]:
        lines = [*waiver_lines(self._review.waivers), *consultation_lines(self._review.consultation)]
        for line in lines[: detail.findings]:
            yield ""
            yield f"Note: {prose(line)}"
        if len(lines) > detail.findings:
            yield ""
            yield f"_{counted(len(lines) - detail.findings, 'more note')} folded: the review as JSON lists all._"

    def _proposed_waivers(self, detail: Detail) -> Iterator[str]:
        failing = {id(finding) for finding in self._review.failing}
        in_order = [each for group in self._findings for each in group.findings if id(each) in failing]
        proposed = waivers.proposed(in_order, self._review.today)
        if not proposed:
            return
        text = waivers.as_yaml(proposed[: detail.waivers]) if detail.waivers else ""
        rest = len(proposed) - detail.waivers
        more = ["", f'_{counted(rest, "more waiver")} folded: `review PLAN… --accept RULE="reason"` writes all._']
        lines = [*fenced("yaml", text.splitlines()), *(more if rest > 0 else [])] if text else more[1:]
        summary = (
            f"Accept a finding as it is: waivers to paste into {in_html(str(waivers.FILE))}, each with your reason"
        )
        yield from folded(summary, lines)

    def _group(self, group: Group, detail: Detail) -> Iterator[str]:
        member = group.first
        name = member.plan.plan.name
        alone = len(self._review.plans) > 1 and len(group.members) == 1 and self._names.of_member(member) != name
        plan = f" ({code(name)})" if alone else ""
        yield ""
        yield f"#### {self._who(group, SMALL)}: {prose(happens(group))}{plan}"
        if len(group.members) > SMALL:
            yield from folded(f"The {len(group.members):,} names", self._members(group, detail))
        if member.role:
            yield from role_lines(member.role, detail)
        yield from self._drift(group, detail)
        if len(group.members) <= SMALL:
            yield from raw_lines(member.changes, detail)

    def _members(self, group: Group, detail: Detail) -> Iterator[str]:
        """Yield the names of a group; in a plan of many roles, also the addresses of each."""
        if all(len(each.plan.roles) <= 1 for each in group.members):
            yield listed([self._names.of_member(each) for each in group.members], detail.names)
            return
        for each in group.members[: detail.names]:
            addresses = [change.address for change in each.changes if change.changes]
            yield f"- {code(self._names.of_member(each))}: {listed(addresses, detail.names)}"
        if len(group.members) > detail.names:
            yield f"- and {len(group.members) - detail.names:,} more"

    def _drift(self, group: Group, detail: Detail) -> Iterator[str]:
        member = group.first
        drift = [role for role in member.plan.drift if member.role is None or role.name == member.role.name]
        lines = [line for role in drift[: max(detail.groups, 1)] for line in self._drifted(role, detail)]
        if lines:
            yield from folded("Changed outside of Terraform since the last apply", lines[1:])

    def _drifted(self, role: Role, detail: Detail) -> Iterator[str]:
        lines = list(role_lines(role, detail))
        if lines:
            yield ""
            yield f"**{code(role.title)}**: {prose(what_happens(role))}"
        yield from lines


def _counted(group: FindingGroup, number: int) -> str:
    return counted(number, "role" if group.first.role else "place")


def _number(number: int, place: int) -> str:
    return f"**{number:,}**" if number and place == 3 else f"{number:,}"


def _gravest(finding: Finding | None) -> str:
    if finding is None:
        return "none"
    severity = f"{finding.severity}, waived:" if finding.accepted else f"**{finding.severity}**"
    return f"{severity} {code(finding.rule)}"


def _counts(findings: Sequence[Finding]) -> Iterator[str]:
    counts = Counter((finding.severity, finding.rule) for finding in findings)
    rows = sorted(counts.items(), key=lambda item: SEVERITIES.index(item[0][0]))
    yield from table(
        ("severity", "rule", "findings"), ((severity, code(rule), f"{count:,}") for (severity, rule), count in rows)
    )
    yield ""
    yield "_The review as JSON lists the findings._"
