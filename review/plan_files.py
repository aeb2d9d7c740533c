"""Plan files: read one, and review several with the waivers of the repository."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from plans.assembly import described
from plans.content import SHOW
from plans.plan import Plan, PlanError, parse
from plans.values import visible
from review import waivers
from review.access_analyzer import Analyzer, consult
from review.report import Review, review
from review.report_json import as_json
from review.rules import Severity
from terraform_cli import installation
from terraform_cli.environment import for_stack

_SHOW_TIMEOUT = 120
"""Seconds that `terraform show` may take; it starts the providers to read their schemas."""

_SHOW_ELSEWHERE = f"supply {SHOW}, or of `tofu show -json PLAN` if OpenTofu wrote it"

_ZIP = b"PK"
"""First bytes of a saved plan, which is a ZIP archive."""

_FRAME = dict.fromkeys(map(ord, "│╷╵"), " ")
"""The lines that Terraform draws around an error."""


def review_files(
    arguments: Sequence[str],
    *,
    fail_on: Severity | None = "high",
    accept: Sequence[str] = (),
    waiver_file: Path = waivers.FILE,
    only_json: bool = False,
    analyzer: Analyzer | None = None,
) -> Review:
    """Return the review of plan files, with the waivers in force applied.

    Args:
        arguments: saved plans, their JSON, or `-` for JSON on standard input.
        fail_on: the lowest severity that fails the review; None: no finding fails it.
        accept: waivers to add to the waiver file, `RULE=reason` each.
        waiver_file: the waiver file.
        only_json: refuse saved plans: to show one, Terraform runs the providers in the plan's folder.
        analyzer: answers for Access Analyzer; by default, it is not asked.

    Raises:
        PlanError: a plan cannot be read; one line for each.
        WaiverError: the waiver file or an `accept` argument is wrong.
    """
    plans = []
    errors = []
    for argument in arguments:
        try:
            plans.append(read(argument, only_json=only_json))
        except PlanError as error:
            errors.append(str(error))
    if errors:
        raise PlanError("\n".join(errors))
    return review_plans(plans, fail_on=fail_on, accept=accept, waiver_file=waiver_file, analyzer=analyzer)


def review_plans(
    plans: Iterable[Plan],
    *,
    fail_on: Severity | None = "high",
    accept: Sequence[str] = (),
    waiver_file: Path = waivers.FILE,
    analyzer: Analyzer | None = None,
) -> Review:
    """Return the review of plans, as `review_files` does. Raises WaiverError."""
    given = list(plans)
    roles = [described(plan, plan.changes) for plan in given]
    consultation = None
    if analyzer:
        roles, consultation = consult(analyzer, given, roles)
    reviews = list(map(review, given, roles))
    today = datetime.now(UTC).date()
    entries = waivers.read(waiver_file)
    if added := waivers.accept(accept, [finding for each in reviews for finding in each.findings], today):
        waivers.write(added, waiver_file)
    current = waivers.Waivers([*entries, *added], today)
    waived = [replace(each, findings=tuple(current.apply(each.findings))) for each in reviews]
    notices = current.notices([finding for each in waived for finding in each.findings])
    return Review(tuple(waived), fail_on, notices, today, consultation)


def json_text(review: Review) -> str:
    """Return a review as JSON, on one line and in ASCII without control characters."""
    return json.dumps(as_json(review)).replace("\x7f", "\\u007f")  # the one control character that json leaves


def write_json(review: Review, path: Path) -> None:
    """Write a review as JSON. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{json_text(review)}\n", encoding="utf-8")


def read(argument: str, *, only_json: bool = False) -> Plan:
    """Return a plan: a saved plan unless `only_json`, its JSON, or `-` for JSON on standard input. Raises PlanError."""
    if argument == "-":
        return parse(sys.stdin.buffer.read(), "plan", "standard input")
    path = Path(argument)
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise PlanError(visible(f"{argument}: is a directory; supply the plan in it")) from None
    except OSError as error:
        raise PlanError(visible(f"{argument}: cannot be read: {(error.strerror or str(error)).lower()}")) from None
    if content.startswith(_ZIP):
        if only_json:
            raise PlanError(visible(f"{argument}: is a saved plan or another archive; supply {SHOW}"))
        content = _show(path, content)
    return parse(content, plan_name(path), argument)


def plan_name(path: Path) -> str:
    """Return the name of a plan: its folder's where the file is called `plan`, otherwise the file's."""
    stem = path.name.removesuffix(".json").removesuffix(".tfplan")
    folder = path.absolute().parent.name
    return folder if stem in ("plan", "tfplan") and folder else stem


def _show(path: Path, content: bytes) -> bytes:
    """Return a saved plan as JSON. Raises PlanError."""
    if not _may_be_a_plan(content):
        raise PlanError(visible(f"{path}: is a ZIP archive, not a saved plan; supply the plan in it"))
    try:
        binary = installation.binary()
        command = [binary, f"-chdir={path.absolute().parent}", "show", "-no-color", "-json", path.name]
        done = subprocess.run(
            command,
            env=for_stack(path.absolute().parent, os.environ),
            capture_output=True,
            timeout=_SHOW_TIMEOUT,
            check=False,
        )
    except installation.TerraformMissingError as error:
        raise PlanError(visible(f"{path}: {error}, or supply {SHOW}")) from None
    except subprocess.TimeoutExpired:
        raise PlanError(
            visible(f"{path}: terraform show took more than {_SHOW_TIMEOUT} seconds: run it by hand, and supply {SHOW}")
        ) from None
    if done.returncode:
        printed = " ".join(done.stderr.decode(errors="replace").translate(_FRAME).split())
        message = printed[max(printed.find("Error:"), 0) :][:300] or "no message"
        raise PlanError(visible(f"{path}: terraform show could not read the plan: {message}; {_SHOW_ELSEWHERE}"))
    return done.stdout


def _may_be_a_plan(content: bytes) -> bool:
    """Return whether a ZIP archive has a saved plan's entry `tfplan`; Terraform explains a damaged one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "tfplan" in archive.namelist()
    except zipfile.BadZipFile:
        return True
