"""Plan files: read one, and review several with the waivers of the repository."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from plans.plan import Plan, PlanError, parse
from review import waivers
from review.report import Review, review
from review.rules import Severity
from terraform_cli import installation

_SHOW_TIMEOUT = 120
"""Seconds that `terraform show` may take; it starts the providers to read their schemas."""

_ZIP = b"PK"
"""First bytes of a saved plan, which is a ZIP archive."""


def review_files(arguments: Sequence[str], *, fail_on: Severity | None = "high", accept: Sequence[str] = ()) -> Review:
    """Return the review of plan files, with the waivers in force applied.

    Args:
        arguments: saved plans, their JSON, or `-` for JSON on standard input.
        fail_on: the lowest severity that fails the review; None: no finding fails it.
        accept: waivers to add to the waiver file, `RULE=reason` each.

    Raises:
        PlanError: a plan cannot be read; one line for each.
        WaiverError: the waiver file or an `accept` argument is wrong.
    """
    reviews = []
    errors = []
    for argument in arguments:
        try:
            reviews.append(review(read(argument)))
        except PlanError as error:
            errors.append(str(error))
    if errors:
        raise PlanError("\n".join(errors))
    today = datetime.now(UTC).date()
    entries = waivers.read()
    if added := waivers.accept(accept, [finding for each in reviews for finding in each.findings], today):
        waivers.write(added)
    entries += added
    waived = [replace(each, findings=tuple(waivers.apply(entries, each.findings, today))) for each in reviews]
    expired = waivers.expired(entries, [finding for each in waived for finding in each.findings], today)
    return Review(tuple(waived), fail_on, tuple(expired))


def read(argument: str) -> Plan:
    """Return a plan: a saved plan, its JSON, or `-` for JSON on standard input. Raises PlanError."""
    if argument == "-":
        return parse(sys.stdin.buffer.read(), "plan", "standard input")
    path = Path(argument)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{argument}: cannot be read: {(error.strerror or str(error)).lower()}") from None
    if content.startswith(_ZIP):
        content = _show(path)
    return parse(content, plan_name(path), argument)


def plan_name(path: Path) -> str:
    """Return the name of a plan: its folder's where the file is called `plan`, otherwise the file's."""
    stem = path.name.removesuffix(".json").removesuffix(".tfplan")
    folder = path.absolute().parent.name
    return folder if stem in ("plan", "tfplan") and folder else stem


def _show(path: Path) -> bytes:
    """Return a saved plan as JSON. Raises PlanError."""
    try:
        binary = installation.binary()
        command = [binary, f"-chdir={path.absolute().parent}", "show", "-json", path.name]
        done = subprocess.run(command, capture_output=True, timeout=_SHOW_TIMEOUT, check=False)
    except installation.TerraformMissingError as error:
        raise PlanError(f"{path}: {error}, or supply the output of `terraform show -json PLAN`") from None
    except subprocess.TimeoutExpired:
        raise PlanError(f"{path}: terraform show took more than {_SHOW_TIMEOUT} seconds") from None
    if done.returncode:
        message = " ".join(done.stderr.decode(errors="replace").replace("│", " ").split()) or "no message"
        raise PlanError(f"{path}: terraform show could not read the plan: {message[:300]}")
    return done.stdout
