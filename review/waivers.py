"""Waivers: findings that the repository accepts, with a reason, until a day.

    - rule: pass-any-role
      plan: glue-sessions-dev-team-a
      address: aws_iam_role_policy.glue_sessions
      reason: the notebooks of team A pass roles of several jobs
      expires: 2027-03-31

`plan` and `address` are optional: without them, a waiver applies to every plan and every address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from review.rules import RULES, Finding

FILE = Path(".review-accept.yaml")
"""The waiver file, in the folder that the command runs in."""

DEFAULT_PERIOD = timedelta(days=90)
"""How long a waiver that the command writes is in force."""

_REQUIRED = ("rule", "reason", "expires")
_KEYS = (*_REQUIRED, "plan", "address")
_RULE_IDS = sorted(rule.id for rule in RULES)


class WaiverError(ValueError):
    """The waiver file or an `--accept` argument is wrong; one line names the error and the remedy."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An entry of the waiver file."""

    rule: str
    reason: str
    expires: date
    plan: str = ""
    address: str = ""

    def covers(self, finding: Finding) -> bool:
        """Return whether the waiver is about a finding, whether or not it has expired."""
        return self.rule == finding.rule and self.plan in ("", finding.plan) and self.address in ("", finding.address)


def read(path: Path = FILE) -> list[Waiver]:
    """Return the entries of the waiver file, none without a file. Raises WaiverError."""
    if not path.exists():
        return []
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        entries: object = YAML(typ="safe").load(path)
    except (YAMLError, UnicodeDecodeError) as error:
        raise WaiverError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise WaiverError(f"{path}: supply a list of waivers, got {type(entries).__name__}")
    return [_waiver(entry, f"{path}[{index}]") for index, entry in enumerate(entries)]


def _waiver(entry: object, place: str) -> Waiver:
    if not isinstance(entry, dict) or not entry.keys() <= set(_KEYS):
        raise WaiverError(f"{place}: supply {', '.join(_KEYS)}, got {entry!r}")
    if missing := [key for key in _REQUIRED if not entry.get(key)]:
        raise WaiverError(f"{place}: supply {', '.join(missing)} too")
    if entry["rule"] not in _RULE_IDS:
        raise WaiverError(f"{place}.rule: supply one of {', '.join(_RULE_IDS)}, got {entry['rule']!r}")
    if not isinstance(entry["expires"], date):
        raise WaiverError(f"{place}.expires: supply a date like 2027-03-31, got {entry['expires']!r}")
    texts = {key: str(entry[key]) for key in ("rule", "reason", "plan", "address") if entry.get(key)}
    return Waiver(**texts, expires=entry["expires"])


def accept(arguments: Iterable[str], findings: Sequence[Finding], today: date) -> list[Waiver]:
    """Return a waiver for each current finding of the rules named in `RULE=reason` arguments.

    Raises WaiverError when an argument is malformed or matches no finding.
    """
    waivers: dict[Waiver, None] = {}
    for argument in arguments:
        rule, _, reason = argument.partition("=")
        if rule not in _RULE_IDS or not reason.strip():
            raise WaiverError(f'supply --accept RULE="reason" with one of {", ".join(_RULE_IDS)}, got {argument!r}')
        matching = [finding for finding in findings if finding.rule == rule]
        if not matching:
            raise WaiverError(f"--accept {rule}: these plans have no finding of that rule; leave the option out")
        for finding in matching:
            waivers[Waiver(rule, reason.strip(), today + DEFAULT_PERIOD, finding.plan, finding.address)] = None
    return list(waivers)


def write(waivers: Iterable[Waiver], path: Path = FILE) -> None:
    """Append waivers to the file; its other content, including comments, stays as it is."""
    from ruamel.yaml import YAML

    yaml = YAML()
    document = (yaml.load(path) if path.exists() else None) or []
    for waiver in waivers:
        fields = (
            ("rule", waiver.rule),
            ("plan", waiver.plan),
            ("address", waiver.address),
            ("reason", waiver.reason),
        )
        document.append({**{key: value for key, value in fields if value}, "expires": waiver.expires})
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)


def apply(waivers: Sequence[Waiver], findings: Iterable[Finding], today: date) -> list[Finding]:
    """Return the findings, each with the reason of the waiver in force that covers it. The last day counts."""
    result = []
    for finding in findings:
        reason = next((each.reason for each in waivers if each.expires >= today and each.covers(finding)), "")
        result.append(replace(finding, accepted=reason))
    return result


def expired(waivers: Iterable[Waiver], findings: Iterable[Finding], today: date) -> list[Waiver]:
    """Return the expired waivers that would cover an open finding."""
    open_findings = [finding for finding in findings if not finding.accepted]
    return [each for each in waivers if each.expires < today and any(map(each.covers, open_findings))]
