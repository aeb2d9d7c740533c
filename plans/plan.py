"""A Terraform plan as `terraform show -json` prints it, read into values.

Source of the shapes: Terraform's "JSON Output Format", format_version 0.1 (Terraform 0.12) to 1.2.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from plans.content import load
from plans.references import Configuration
from plans.values import Attributes, Json, Value, attributes, marked, text, visible

Snapshot = Literal["before", "after"]
SNAPSHOTS: tuple[Snapshot, Snapshot] = ("before", "after")


class PlanError(ValueError):
    """A plan cannot be read; one line names the error and the remedy."""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What a plan does to one resource instance, or what happened to it outside of Terraform."""

    address: str
    type: str
    module: str
    """The address of its module, "" for the root."""
    index: str
    """Its key among instances as Terraform writes it, `["a"]` or `[0]`; "" without one."""
    actions: tuple[str, ...]
    values: Mapping[Snapshot, Attributes]
    """Attributes before and after, unknown and sensitive ones marked; none where it does not exist."""
    snapshots: frozenset[Snapshot]
    """Before, after or both: where the resource exists. A forgotten one stays."""
    importing: str
    """The id it is imported by, "" without an import."""
    moved_from: str
    replace_paths: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether the plan does anything to it."""
        return self.actions not in (("no-op",), ("read",)) or bool(self.importing or self.moved_from)

    def get(self, snapshot: Snapshot, attribute: str) -> Value:
        """Return the value of an attribute."""
        return self.values[snapshot].get(attribute)

    def text(self, snapshot: Snapshot, attribute: str) -> str:
        """Return the value of a string attribute; "" where it is unset, unknown or sensitive."""
        return text(self.values[snapshot].get(attribute))


class FailedCheck(NamedTuple):
    """A check, precondition or postcondition that did not hold during planning."""

    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's managed resources, with what the plan knows about the others."""

    name: str
    changes: tuple[ResourceChange, ...]
    drift: tuple[ResourceChange, ...]
    failed_checks: tuple[FailedCheck, ...]
    configuration: Configuration = field(repr=False)
    known_policies: Mapping[str, str] = field(repr=False)
    """Documents of managed policies in the prior state, by the policy's ARN."""
    known_roles: Mapping[str, Attributes] = field(repr=False, default_factory=dict)
    """Attributes of the roles that data sources read, by name."""
    known_accounts: Mapping[str, str] = field(repr=False, default_factory=dict)
    """Accounts that data sources read as those of the provider's credentials, by the data source's address."""
    regions: tuple[str, ...] = ()
    """The regions that the provider configurations name, those known from the configuration alone."""
    errored: bool = False
    complete: bool = True
    """False if more plans are needed to apply the configuration, as with deferred changes or `-target`."""
    deferred: tuple[str, ...] = ()
    """The addresses of the changes and of the provider actions that the plan leaves to a later one."""
    invoked_actions: tuple[str, ...] = ()
    """The addresses of the provider actions that the apply invokes."""
    outputs: tuple[ResourceChange, ...] = ()
    """What happens to the outputs of the root module: the attribute `value` of `output.NAME`."""


def parse(content: bytes, name: str, source: str = "the plan") -> Plan:
    """Return a plan from its JSON.

    Args:
        content: the output of `terraform show -json PLAN`.
        name: the plan's name in the review.
        source: where the content is from, for errors.

    Raises:
        PlanError: the content is not a plan.
    """
    try:
        body = load(content)
    except ValueError as error:
        raise PlanError(visible(f"{source}: {error}")) from None
    try:
        return _plan(body, name)
    except _ShapeError as error:
        raise PlanError(visible(f"{source}: is not a Terraform plan: {error}")) from None


class _ShapeError(Exception):
    """A part of the plan has another type than Terraform's documentation says; names the part."""


def _object(value: Json, place: str) -> dict[str, Json]:
    """Return an object; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _ShapeError(f"{place} is not an object")
    return value


def _list(value: Json, place: str) -> list[Json]:
    """Return a list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise _ShapeError(f"{place} is not a list")
    return value


def _string(value: Json, place: str) -> str:
    if not isinstance(value, str):
        raise _ShapeError(f"{place} is not a string")
    return value


def _plan(body: dict[str, Json], name: str) -> Plan:
    prior = _object(_object(body.get("prior_state"), "prior_state").get("values"), "prior_state.values")
    policies: dict[str, str] = {}
    roles: dict[str, Attributes] = {}
    accounts: dict[str, str] = {}
    for address, type_, mode, known in _resources(prior):
        if type_ == "aws_iam_policy" and text(known.get("arn")) and text(known.get("policy")):
            policies[text(known["arn"])] = text(known["policy"])
        elif (type_, mode) == ("aws_iam_role", "data") and text(known.get("name")):
            roles[text(known["name"])] = known
        elif type_ == "aws_caller_identity" and (account := text(known.get("account_id"))):
            accounts[address] = account
    return Plan(
        name=name,
        changes=_changes(body.get("resource_changes"), "resource_changes"),
        drift=_changes(body.get("resource_drift"), "resource_drift"),
        failed_checks=tuple(_failed(_list(body.get("checks"), "checks"))),
        configuration=Configuration.parse(_object(body.get("configuration"), "configuration")),
        known_policies=policies,
        known_roles=roles,
        known_accounts=accounts,
        regions=tuple(dict.fromkeys(_regions(_object(body.get("configuration"), "configuration")))),
        errored=bool(body.get("errored")),
        complete=body.get("complete") is not False,
        deferred=tuple(
            _address(_object(each, part).get(what), f"{part}.{what}")
            for part, what in _DEFERRED.items()
            for each in _list(body.get(part), part)
        ),
        invoked_actions=tuple(
            _address(each, "action_invocations") for each in _list(body.get("action_invocations"), "action_invocations")
        ),
        outputs=tuple(_outputs(_object(body.get("output_changes"), "output_changes"))),
    )


_DEFERRED = {"deferred_changes": "resource_change", "deferred_action_invocations": "action_invocation"}
"""The parts of a plan that list what it defers, with the key of what each entry is about."""


def _regions(configuration: dict[str, Json]) -> Iterator[str]:
    """Yield the regions of the AWS provider's configurations."""
    for each in _object(configuration.get("provider_config"), "configuration.provider_config").values():
        provider = _object(each, "configuration.provider_config")
        expressions = _object(provider.get("expressions"), "configuration.provider_config.expressions")
        region = _object(expressions.get("region"), "configuration.provider_config.expressions.region")
        if provider.get("name") == "aws" and text(region.get("constant_value")):
            yield text(region["constant_value"])


def _address(value: Json, place: str) -> str:
    """Return the address of a part of the plan, "" without one."""
    return text(_object(value, place).get("address"))


def _changes(entries: Json, place: str) -> tuple[ResourceChange, ...]:
    changes: dict[str, ResourceChange] = {}
    for index, each in enumerate(_list(entries, place)):
        entry = _object(each, f"{place}[{index}]")
        if entry.get("mode", "managed") == "managed":
            change = _change(entry, f"{place}[{index}]")
            if change.address in changes:
                raise _ShapeError(f"{place} has {change.address} twice")
            changes[change.address] = change
    return tuple(changes.values())


def _change(entry: dict[str, Json], place: str) -> ResourceChange:
    change = _object(entry.get("change"), f"{place}.change")
    address = _string(entry.get("address"), f"{place}.address")
    deposed = f" (deposed object {entry['deposed']})" if entry.get("deposed") else ""
    key = entry.get("index")
    actions = tuple(
        _string(action, f"{place}.change.actions") for action in _list(change.get("actions"), f"{place}.change.actions")
    )
    forgotten = actions == ("forget",)
    before, after = (
        None if change.get(snapshot) is None else _object(change.get(snapshot), f"{place}.change.{snapshot}")
        for snapshot in SNAPSHOTS
    )
    if not actions:
        raise _ShapeError(f"{place}.change.actions is empty")
    if after is None and {"create", "update"} & set(actions):
        raise _ShapeError(f"{place}.change.after is null, although the actions are {', '.join(actions)}")
    unknown = _object(change.get("after_unknown") or None, f"{place}.change.after_unknown")
    before_values = attributes(marked(before, _with_all_tags(change.get("before_sensitive"))))
    after_values = before_values
    if not forgotten and after is not None:
        after_values = attributes(marked(after, _with_all_tags(change.get("after_sensitive")), unknown))
    elif not forgotten:
        after_values = {}
    existing = {"before": before is not None, "after": before is not None if forgotten else after is not None}
    importing = _object(change.get("importing"), f"{place}.change.importing")
    return ResourceChange(
        address=address + deposed,
        type=_string(entry.get("type"), f"{place}.type"),
        module=text(entry.get("module_address")),
        index="" if key is None else f"[{json.dumps(key)}]",
        actions=actions,
        values={"before": before_values, "after": after_values},
        snapshots=frozenset(snapshot for snapshot in SNAPSHOTS if existing[snapshot]),
        importing=text(importing.get("id")) or (_identity(importing) if importing else ""),
        moved_from=text(entry.get("previous_address")),
        replace_paths=tuple(
            ".".join(map(str, _list(path, f"{place}.change.replace_paths")))
            for path in _list(change.get("replace_paths"), f"{place}.change.replace_paths")
        ),
    )


def _identity(importing: dict[str, Json]) -> str:
    """Return what an import without an id is by."""
    if importing.get("unknown"):
        return "by an id known after apply"
    return f"by identity {json.dumps(importing.get('identity'), sort_keys=True)}"


def _outputs(outputs: dict[str, Json]) -> Iterator[ResourceChange]:
    for output, entry in outputs.items():
        place = f"output_changes.{output}"
        change = dict(_object(entry, place))
        actions = _list(change.get("actions"), f"{place}.actions")
        for key in _OUTPUT_VALUES:
            absent = ("create" in actions and key == "before") or ("delete" in actions and key == "after")
            change[key] = None if absent else {"value": change.get(key)}
        yield _change({"address": f"output.{output}", "type": "output", "change": change}, place)


_OUTPUT_VALUES = ("before", "after", "after_unknown", "before_sensitive", "after_sensitive")


def _with_all_tags(sensitive: Json) -> Json:
    """Return the marks with those of `tags` on `tags_all` too, which repeats their values unmarked."""
    if not isinstance(sensitive, dict) or not sensitive.get("tags"):
        return sensitive
    tags, all_tags = sensitive["tags"], sensitive.get("tags_all")
    if not isinstance(tags, dict):
        return {**sensitive, "tags_all": tags}
    return {**sensitive, "tags_all": {**tags, **all_tags} if isinstance(all_tags, dict) else all_tags or tags}


def _failed(checks: list[Json]) -> Iterator[FailedCheck]:
    for check in checks:
        for each in _list(_object(check, "checks").get("instances"), "checks.instances"):
            instance = _object(each, "checks.instances")
            if instance.get("status") in ("fail", "error"):
                name = text(_object(instance.get("address"), "checks.instances.address").get("to_display")) or "check"
                problems = _list(instance.get("problems"), "checks.instances.problems")
                for problem in problems or [{"message": instance["status"]}]:
                    yield FailedCheck(name, text(_object(problem, "checks.instances.problems").get("message")))


def _resources(values: dict[str, Json]) -> Iterator[tuple[str, str, str, Attributes]]:
    """Yield address, type, mode and attributes of the resources and data sources of the prior state."""
    modules = [values.get("root_module")]
    while modules:
        module = _object(modules.pop(), "prior_state.values.root_module")
        modules += _list(module.get("child_modules"), "prior_state.values.child_modules")
        for each in _list(module.get("resources"), "prior_state.values.resources"):
            resource = _object(each, "prior_state.values.resources")
            known = attributes(marked(resource.get("values"), resource.get("sensitive_values")))
            address, type_, mode = (text(resource.get(key)) for key in ("address", "type", "mode"))
            yield address, type_, mode or "managed", known
