"""Waivers: findings that the repository accepts, with a reason, until a day.

    - rule: pass-any-role
      subject:
      - iam:passrole on *
      plan: glue-sessions-dev-team-a
      role: team-a
      reason: the notebooks of team A pass roles of several jobs
      expires: 2027-03-31

A waiver is bound to its subject: the values that the rule decided on. It covers a finding of which every part is in the
subject, so a smaller finding too. `plan`, `role` and `address` limit it to a place, and `where` lists several places;
without them it applies everywhere.

An entry without a subject, as earlier versions wrote them, covers what its rule finds at its place until it expires,
but no critical finding, and nothing at a place for which another entry of the rule has a subject.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from itertools import product
from pathlib import Path

from review.rules import RULES, Finding
from review.rules.subject import Subject

FILE = Path(".review-accept.yaml")
"""The waiver file, in the folder that the command runs in."""

DEFAULT_PERIOD = timedelta(days=90)
"""How long a waiver that the command writes is in force."""

MOST_PARTS = 5
"""Most parts of a subject with a line each, in waivers that a review proposes."""

PLACEHOLDER = "say here why this is acceptable and who agreed"
"""The reason of a waiver that a review proposes."""

_REQUIRED = ("rule", "reason", "expires")
_PLACE = ("plan", "role", "address")
_KEYS = (*_REQUIRED, "subject", *_PLACE, "where")
_RULE_IDS = sorted(rule.id for rule in RULES)


class WaiverError(ValueError):
    """The waiver file or an `--accept` argument is wrong; one line names the error and the remedy."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiver applies; "" is any plan, role or address."""

    plan: str = ""
    role: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An entry of the waiver file."""

    rule: str
    reason: str
    expires: date
    subject: Subject = ()
    """The values it is bound to; none in an entry of an earlier version."""
    places: tuple[Place, ...] = (Place(),)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Findings that a waiver in force is about and does not cover, all with the same new parts."""

    waiver: Waiver
    new: Subject
    """The parts of the findings that no waiver covers."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class WithoutSubject:
    """A waiver in force that has no subject, at the place of a finding."""

    waiver: Waiver
    covers: bool
    """False if every finding at its place is critical, so that it covers none."""


@dataclass(frozen=True, slots=True)
class Notices:
    """What a reviewer has to know about the waivers of a review."""

    expired: tuple[Waiver, ...] = ()
    """Expired waivers that would cover an open finding."""
    mismatches: tuple[Mismatch, ...] = ()
    without_subject: tuple[WithoutSubject, ...] = ()


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
        raise WaiverError(f"{place}.rule: {_no_such_rule(str(entry['rule']))}")
    if not isinstance(entry["expires"], date):
        raise WaiverError(f"{place}.expires: supply a date like 2027-03-31, got {entry['expires']!r}")
    return Waiver(
        str(entry["rule"]), str(entry["reason"]), entry["expires"], _subject(entry, place), _places(entry, place)
    )


def _no_such_rule(rule: str) -> str:
    close = get_close_matches(rule, _RULE_IDS, 1)
    remedy = f'did you mean "{close[0]}"?' if close else f"supply one of {', '.join(_RULE_IDS)}"
    return f'there is no rule "{rule}", {remedy}'


def _subject(entry: dict[object, object], place: str) -> Subject:
    """Return the subject of an entry; only an entry without the key has none."""
    parts = entry.get("subject")
    if "subject" not in entry:
        return ()
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) and part for part in parts):
        raise WaiverError(f"{place}.subject: supply a list of strings as `--accept` writes it, got {parts!r}")
    return tuple(sorted(parts))


def _places(entry: dict[object, object], place: str) -> tuple[Place, ...]:
    if "where" not in entry:
        return (_place(entry),)
    listed = entry["where"]
    if any(entry.get(key) for key in _PLACE):
        raise WaiverError(f"{place}: supply either where or {', '.join(_PLACE)}, got both")
    if not isinstance(listed, list) or not listed:
        raise WaiverError(f"{place}.where: supply a list of places, got {listed!r}")
    for index, each in enumerate(listed):
        if not isinstance(each, dict) or not each or not each.keys() <= set(_PLACE):
            raise WaiverError(f"{place}.where[{index}]: supply {', '.join(_PLACE)}, got {each!r}")
    return tuple(map(_place, listed))


def _place(fields: dict[object, object]) -> Place:
    return Place(**{key: str(fields[key]) for key in _PLACE if fields.get(key)})


def accept(arguments: Iterable[str], findings: Sequence[Finding], today: date) -> list[Waiver]:
    """Return waivers for the current findings of the rules named in `RULE=reason` arguments.

    Findings with the same subject share a waiver, which lists the plan and the role of each.

    Raises WaiverError when an argument is malformed or matches no finding.
    """
    chosen: list[tuple[str, Finding]] = []
    for argument in arguments:
        rule, _, reason = argument.partition("=")
        if rule not in _RULE_IDS:
            raise WaiverError(f"--accept: {_no_such_rule(rule)}")
        if not reason.strip():
            raise WaiverError(f'--accept {rule}: supply the reason too, --accept {rule}="why this is acceptable"')
        matching = [finding for finding in findings if finding.rule == rule]
        if not matching:
            raise WaiverError(f"--accept {rule}: these plans have no finding of that rule; leave the option out")
        chosen += ((reason.strip(), finding) for finding in matching)
    return _bound(chosen, today)


def proposed(findings: Iterable[Finding], today: date) -> list[Waiver]:
    """Return waivers that would cover findings, with a placeholder in place of the reason."""
    return _bound(((PLACEHOLDER, finding) for finding in findings), today)


def _bound(findings: Iterable[tuple[str, Finding]], today: date) -> list[Waiver]:
    """Return a waiver for each reason, rule and subject, bound to the places of the findings."""
    places: dict[tuple[str, str, Subject], dict[Place, None]] = {}
    for reason, finding in findings:
        of_waiver = places.setdefault((finding.rule, reason, finding.subject), {})
        of_waiver[Place(finding.plan, finding.role)] = None
    expires = today + DEFAULT_PERIOD
    return [Waiver(rule, reason, expires, subject, tuple(where)) for (rule, reason, subject), where in places.items()]


def as_yaml(waivers: Iterable[Waiver]) -> str:
    """Return waivers as the text of a waiver file, in ASCII; many places or parts of one waiver share a line."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    def quoted(value: object) -> object:
        # what begins with "? " would be a key, which the library leaves plain on a shared line
        if isinstance(value, dict):
            return {key: quoted(each) for key, each in value.items()}
        return value if not isinstance(value, str) or value[:1].isalnum() else DoubleQuotedScalarString(value)

    yaml = YAML()
    yaml.width = 1_000_000
    yaml.allow_unicode = False
    yaml.representer.ignore_aliases = lambda _: True
    entries = [_entry(waiver) for waiver in waivers]
    for entry in entries:
        for key, at_most in (("subject", MOST_PARTS), ("where", 1)):
            if isinstance(listed := entry.get(key), list) and len(listed) > at_most:
                entry[key] = in_a_line = CommentedSeq(map(quoted, listed))
                in_a_line.fa.set_flow_style()
    text = io.StringIO()
    yaml.dump(entries, text)
    return text.getvalue()


def write(waivers: Iterable[Waiver], path: Path = FILE) -> None:
    """Append waivers to the file; its other content, including comments, stays as it is."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4_096  # a part of a subject stays on one line
    yaml.representer.ignore_aliases = lambda _: True
    document = (yaml.load(path) if path.exists() else None) or []
    document.extend(map(_entry, waivers))
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)


def _entry(waiver: Waiver) -> dict[str, object]:
    places = [{key: value for key in _PLACE if (value := getattr(place, key))} for place in waiver.places]
    where: dict[str, object] = {**places[0]} if len(places) == 1 else {"where": places}
    subject = {"subject": list(waiver.subject)} if waiver.subject else {}
    return {"rule": waiver.rule, **subject, **where, "reason": waiver.reason, "expires": waiver.expires}


class Waivers:
    """The entries of the waiver file on one day."""

    def __init__(self, entries: Iterable[Waiver], today: date) -> None:
        self._today = today
        self._entries = tuple(entries)
        self._positions: dict[tuple[str, Place], list[int]] = {}
        for position, entry in enumerate(self._entries):
            for place in entry.places:
                self._positions.setdefault((entry.rule, place), []).append(position)

    def apply(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings, each with the reasons of the waivers in force that cover it. The last day counts."""
        if not self._entries:
            return list(findings)
        return [replace(finding, accepted=self._reasons(finding)) for finding in findings]

    def notices(self, findings: Iterable[Finding]) -> Notices:
        """Return what to report about the waivers, given the findings that `apply` returned."""
        if not self._entries:
            return Notices()
        expired: dict[int, None] = {}
        mismatches: dict[tuple[int, Subject], list[Finding]] = {}
        without_subject: dict[int, bool] = {}
        for finding in findings:
            applying = self._applying(finding)
            in_force = self._in_force(applying)
            for position, each in applying.items():
                if position in in_force and not each.subject:
                    without_subject[position] = without_subject.get(position, False) or bool(finding.accepted)
                elif position not in in_force and not finding.accepted and _covers(each, finding):
                    expired[position] = None
            missed = [position for position, each in in_force.items() if each.subject and _is_about(each, finding)]
            if missed and not finding.accepted:
                mismatches.setdefault((missed[0], _new(finding, in_force.values())), []).append(finding)
        return Notices(
            tuple(self._entries[position] for position in expired),
            tuple(Mismatch(self._entries[each], new, tuple(found)) for (each, new), found in mismatches.items()),
            tuple(WithoutSubject(self._entries[each], covers) for each, covers in without_subject.items()),
        )

    def _reasons(self, finding: Finding) -> str:
        in_force = self._in_force(self._applying(finding)).values()
        if any(not each.subject for each in in_force):
            return next(iter(in_force)).reason if finding.severity != "critical" else ""
        if _new(finding, in_force):
            return ""
        whole = [each.reason for each in in_force if _covers(each, finding)]
        parts = [each.reason for each in in_force if not set(each.subject).isdisjoint(finding.subject)]
        return whole[0] if whole else "; ".join(dict.fromkeys(parts))

    def _applying(self, finding: Finding) -> dict[int, Waiver]:
        """Return the waivers for a finding's rule and place; those without a subject only if no other applies."""
        places = product(("", finding.plan), ("", finding.role), ("", finding.address))
        found = {position for place in places for position in self._positions.get((finding.rule, Place(*place)), ())}
        applying = {position: self._entries[position] for position in sorted(found)}
        return {position: each for position, each in applying.items() if each.subject} or applying

    def _in_force(self, applying: Mapping[int, Waiver]) -> dict[int, Waiver]:
        return {position: each for position, each in applying.items() if each.expires >= self._today}


def _covers(waiver: Waiver, finding: Finding) -> bool:
    """Return whether a waiver that applies to a finding's rule and place also has its subject, or has none."""
    return not waiver.subject or set(finding.subject) <= set(waiver.subject)


def _new(finding: Finding, waivers: Iterable[Waiver]) -> Subject:
    """Return the parts of a finding that none of the waivers has."""
    accepted = {part for each in waivers for part in each.subject}
    return tuple(part for part in finding.subject if part not in accepted)


def _is_about(waiver: Waiver, finding: Finding) -> bool:
    """Return whether a waiver names the finding's role or address, or shares a part with the finding."""
    named = any(place.role or place.address for place in waiver.places)
    return named or not set(waiver.subject).isdisjoint(finding.subject)
