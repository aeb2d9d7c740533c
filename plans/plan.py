"""A Terraform plan as `terraform show -json` prints it, read into values.

Source of the shapes: Terraform's "JSON Output Format", format_version 0.1 (Terraform 0.12) to 1.2.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Side = Literal["before", "after"]
SIDES: tuple[Side, Side] = ("before", "after")

SUPPORTED_MAJOR_VERSIONS = ("0", "1")


class PlanError(ValueError):
    """A plan could not be read; one line says what to do."""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a plan does to one resource instance, or what happened to it outside of Terraform."""

    address: str
    type: str
    module: str
    """The address of its module, "" for the root."""
    index: str
    """Its key among instances as Terraform writes it, `["a"]` or `[0]`; "" for the only one."""
    actions: tuple[str, ...]
    values: Mapping[Side, Mapping[str, Any]]
    """Attributes before and after, those that are known."""
    sides: frozenset[Side]
    """Before, after or both: where the resource exists. One that is forgotten stays."""
    unknown: Mapping[str, Any]
    sensitive: Mapping[Side, Any]
    importing: str
    """The id it is imported by, "" where it is not."""
    moved_from: str
    replace_paths: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether anything is to happen to it."""
        return self.actions not in (("no-op",), ("read",)) or bool(self.importing or self.moved_from)

    def get(self, side: Side, attribute: str) -> Any:
        """Return an attribute's value, UNKNOWN before it is applied and HIDDEN where it is sensitive."""
        if _marked(self.sensitive[side], attribute):
            return HIDDEN
        if side == "after" and _marked(self.unknown, attribute):
            return UNKNOWN
        return self.values[side].get(attribute)


class Unseen:
    """A value that the plan does not show."""

    def __init__(self, why: str) -> None:
        self.why = why

    def __bool__(self) -> bool:
        return False


UNKNOWN = Unseen("known after apply")
HIDDEN = Unseen("marked sensitive")


def _marked(marks: Any, attribute: str) -> bool:
    return marks is True or (isinstance(marks, Mapping) and marks.get(attribute) is True)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, as far as it is about managed resources."""

    name: str
    changes: tuple[ResourceChange, ...]
    drift: tuple[ResourceChange, ...]
    failed_checks: tuple[str, ...]
    configuration: Mapping[str, Any] = field(repr=False)
    known_policies: Mapping[str, str] = field(repr=False)
    """Documents that the plan's data sources read, by the policy's ARN."""
    known_roles: Mapping[str, Mapping[str, Any]] = field(repr=False, default_factory=dict)
    """Attributes of the roles that the plan's data sources read, by name."""
    errored: bool = False


def parse(content: bytes, name: str, source: str = "the plan") -> Plan:
    """Return a plan from its JSON; the review calls it `name` and errors `source`. Raises PlanError."""
    try:
        body = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        raise PlanError(f"{source}: {_not_json(content)}") from None
    if not isinstance(body, dict) or "format_version" not in body:
        raise PlanError(f"{source}: holds no plan; supply the output of `terraform show -json PLAN`")
    version = str(body["format_version"])
    if version.partition(".")[0] not in SUPPORTED_MAJOR_VERSIONS:
        raise PlanError(f"{source}: has format_version {version}; 0.x and 1.x can be read")
    if "resource_changes" not in body and "planned_values" not in body:
        raise PlanError(f"{source}: holds a state, not a plan; run `terraform plan -out PLAN` and supply PLAN")
    try:
        known = list(_known((body.get("prior_state") or {}).get("values") or {}))
        return Plan(
            name=name,
            changes=_changes(body.get("resource_changes") or []),
            drift=_changes(body.get("resource_drift") or []),
            failed_checks=tuple(_failed(body.get("checks") or [])),
            configuration=(body.get("configuration") or {}).get("root_module") or {},
            known_policies={
                found["arn"]: found["policy"]
                for type_, _, found in known
                if type_ == "aws_iam_policy" and found.get("arn") and found.get("policy")
            },
            known_roles={
                found["name"]: found
                for type_, mode, found in known
                if (type_, mode) == ("aws_iam_role", "data") and found.get("name")
            },
            errored=bool(body.get("errored")),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise PlanError(f"{source}: is not shaped as Terraform's plans are ({error})") from None


def _not_json(content: bytes) -> str:
    lines = content.strip().splitlines()
    if not lines:
        return "is empty; supply a saved plan or the output of `terraform show -json PLAN`"
    if lines[0].startswith(b'{"@'):
        return "is the log of `terraform plan -json`; supply the output of `terraform show -json PLAN`"
    return "is neither a saved plan nor JSON; supply the output of `terraform show -json PLAN`"


def _changes(entries: Iterable[Mapping[str, Any]]) -> tuple[ResourceChange, ...]:
    return tuple(_change(entry) for entry in entries if entry.get("mode", "managed") == "managed")


def _change(entry: Mapping[str, Any]) -> ResourceChange:
    change = entry["change"]
    address = entry["address"]
    deposed = f" (deposed object {entry['deposed']})" if entry.get("deposed") else ""
    key = entry.get("index")
    forgotten = change["actions"] == ["forget"]
    before = change.get("before")
    after = before if forgotten else change.get("after")
    return ResourceChange(
        address=address + deposed,
        type=entry["type"],
        module=entry.get("module_address") or "",
        index="" if key is None else f"[{json.dumps(key)}]",
        actions=tuple(change["actions"]),
        values={"before": before or {}, "after": after or {}},
        sides=frozenset(side for side in SIDES if {"before": before, "after": after}[side] is not None),
        unknown=change.get("after_unknown") or {},
        sensitive={
            "before": change.get("before_sensitive") or {},
            "after": change.get("before_sensitive" if forgotten else "after_sensitive") or {},
        },
        importing=str((change.get("importing") or {}).get("id") or ("by identity" if change.get("importing") else "")),
        moved_from=entry.get("previous_address") or "",
        replace_paths=tuple(".".join(map(str, path)) for path in change.get("replace_paths") or ()),
    )


def _failed(checks: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for check in checks:
        for instance in check.get("instances") or ():
            if instance.get("status") in ("fail", "error"):
                name = (instance.get("address") or {}).get("to_display", "check")
                problems = instance.get("problems") or [{"message": instance["status"]}]
                yield from (f"{name}: {problem.get('message', '')}" for problem in problems)


def _known(values: Mapping[str, Any]) -> Iterable[tuple[str, str, Mapping[str, Any]]]:
    """Yield type, mode and attributes of what is known before anything is applied, also by reading it."""
    modules = [values.get("root_module") or {}]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules") or []
        for resource in module.get("resources") or ():
            yield resource.get("type") or "", resource.get("mode") or "managed", resource.get("values") or {}
