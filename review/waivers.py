"""Findings that were accepted, with the reason, until a day: a file kept in the repository.

    - rule: pass-any-role
      plan: glue-sessions-dev-team-a
      address: aws_iam_role_policy.glue_sessions
      reason: the notebooks of team A pass roles of several jobs
      expires: 2027-03-31

`plan` and `address` may be left out: the entry then holds for every plan, every address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from review.rules import RULES, Finding

FILE = Path(".review-accept.yaml")
"""Where accepted findings are kept, in the folder that the command is run in."""

DEFAULT_PERIOD = timedelta(days=90)
"""How long a finding stays accepted when the command writes the entry."""


class WaiverError(ValueError):
    """The file or an `--accept` argument is wrong; one line says what to do."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An entry of the file."""

    rule: str
    reason: str
    expires: date
    plan: str = ""
    address: str = ""

    def covers(self, finding: Finding) -> bool:
        """Say whether the entry is about a finding."""
        return self.rule == finding.rule and self.plan in ("", finding.plan) and self.address in ("", finding.address)


def read(path: Path = FILE) -> list[Waiver]:
    """Return the entries of the file, none where there is no file. Raises WaiverError."""
    if not path.exists():
        return []
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        entries = YAML(typ="safe").load(path)
    except (YAMLError, UnicodeDecodeError) as error:
        raise WaiverError(f"{path}: is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(entries or [], list):
        raise WaiverError(f"{path}: supply a list of entries, got {type(entries).__name__}")
    return [_entry(entry, f"{path}[{index}]") for index, entry in enumerate(entries or [])]


def _entry(entry: Any, place: str) -> Waiver:
    known = ("rule", "reason", "expires", "plan", "address")
    if not isinstance(entry, dict) or not entry.keys() <= set(known):
        raise WaiverError(f"{place}: supply {', '.join(known)}, got {entry!r}")
    if missing := [key for key in ("rule", "reason", "expires") if not entry.get(key)]:
        raise WaiverError(f"{place}: supply {', '.join(missing)} too")
    if entry["rule"] not in RULES:
        raise WaiverError(f"{place}.rule: supply one of {', '.join(sorted(RULES))}, got {entry['rule']!r}")
    if not isinstance(entry["expires"], date):
        raise WaiverError(f"{place}.expires: supply a day as 2027-03-31, got {entry['expires']!r}")
    texts = {key: str(entry[key]) for key in ("rule", "reason", "plan", "address") if entry.get(key)}
    return Waiver(**texts, expires=entry["expires"])


def accept(arguments: Iterable[str], findings: Sequence[Finding], today: date) -> list[Waiver]:
    """Return an entry for each finding that `RULE=reason` arguments accept: what was found, no more.

    Raises WaiverError when an argument is wrong or accepts nothing.
    """
    entries: dict[Waiver, None] = {}
    for argument in arguments:
        rule, _, reason = argument.partition("=")
        if rule not in RULES or not reason.strip():
            raise WaiverError(f'supply --accept RULE="reason" with one of {", ".join(sorted(RULES))}, got {argument!r}')
        found = [finding for finding in findings if finding.rule == rule]
        if not found:
            raise WaiverError(f"--accept {rule}: no finding of that rule in these plans; leave it out")
        for finding in found:
            entries[Waiver(rule, reason.strip(), today + DEFAULT_PERIOD, finding.plan, finding.address)] = None
    return list(entries)


def write(entries: Iterable[Waiver], path: Path = FILE) -> None:
    """Add entries to the file; what stands there, comments included, stays."""
    from ruamel.yaml import YAML

    yaml = YAML()
    document = (yaml.load(path) if path.exists() else None) or []
    for entry in entries:
        fields = (
            ("rule", entry.rule),
            ("plan", entry.plan),
            ("address", entry.address),
            ("reason", entry.reason),
        )
        document.append({**{key: value for key, value in fields if value}, "expires": entry.expires})
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)


def apply(entries: Sequence[Waiver], findings: Iterable[Finding], today: date) -> list[Finding]:
    """Return the findings, with the reason of the entry in force that covers each. The last day counts."""
    result = []
    for finding in findings:
        reason = next((e.reason for e in entries if e.expires >= today and e.covers(finding)), "")
        result.append(replace(finding, accepted=reason))
    return result


def expired(entries: Iterable[Waiver], findings: Iterable[Finding], today: date) -> list[Waiver]:
    """Return the entries that would cover one of the findings if they had not run out."""
    found = list(findings)
    return [e for e in entries if e.expires < today and any(e.covers(f) and not f.accepted for f in found)]
