"""A Terraform plan as `terraform show -json` prints it, read into values.

Source of the shapes: Terraform's "JSON Output Format", format_version 0.1 (Terraform 0.12) to 1.2 (Terraform 1.17 and
OpenTofu 1.13). What newer plans have besides is listed, see `plans.unread`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from plans.content import load
from plans.invocations import Invocation, invocations
from plans.references import Configuration
from plans.shapes import ShapeError, list_of, object_of, string_of
from plans.unread import Unread, unread
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

    @property
    def is_forgotten(self) -> bool:
        """Whether it stays in AWS and leaves the state."""
        return self.actions == ("forget",)

    def get(self, snapshot: Snapshot, attribute: str) -> Value:
        """Return the value of an attribute."""
        return self.values[snapshot].get(attribute)

    def text(self, snapshot: Snapshot, attribute: str) -> str:
        """Return the value of a string attribute; "" where it is unset, unknown or sensitive."""
        return text(self.values[snapshot].get(attribute))


class Read(NamedTuple):
    """A data source that an apply reads, or an ephemeral resource that it opens."""

    address: str
    type: str
    arguments: Attributes
    """Its attributes before that, unknown and sensitive ones marked; none of an ephemeral resource."""


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
    invocations: tuple[Invocation, ...] = ()
    """The provider actions that the apply invokes."""
    reads: tuple[Read, ...] = ()
    """The data sources that the apply reads, and the ephemeral resources that it opens."""
    unread: tuple[Unread, ...] = ()
    """What the plan has that this project does not know."""
    outputs: tuple[ResourceChange, ...] = ()
    """What happens to the outputs of the root module: the attribute `value` of `output.NAME`."""

    @property
    def unknown_operations(self) -> tuple[Unread, ...]:
        """What the plan does to resources that this project does not know: nothing may be decided without it."""
        return tuple(each for each in self.unread if each.is_operation)


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
    except ShapeError as error:
        raise PlanError(visible(f"{source}: is not a Terraform plan: {error}")) from None


def _plan(body: dict[str, Json], name: str) -> Plan:
    prior = object_of(object_of(body.get("prior_state"), "prior_state").get("values"), "prior_state.values")
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
        failed_checks=tuple(_failed(list_of(body.get("checks"), "checks"))),
        configuration=Configuration.parse(object_of(body.get("configuration"), "configuration")),
        known_policies=policies,
        known_roles=roles,
        known_accounts=accounts,
        regions=tuple(dict.fromkeys(_regions(object_of(body.get("configuration"), "configuration")))),
        errored=bool(body.get("errored")),
        complete=body.get("complete") is not False,
        deferred=tuple(
            _address(object_of(each, part).get(what), f"{part}.{what}")
            for part, what in _DEFERRED.items()
            for each in list_of(body.get(part), part)
        ),
        invocations=tuple(invocations(body.get("action_invocations"), "action_invocations")),
        reads=tuple(_reads(list_of(body.get("resource_changes"), "resource_changes"))),
        unread=tuple(unread(body)),
        outputs=tuple(_outputs(object_of(body.get("output_changes"), "output_changes"))),
    )


_DEFERRED = {"deferred_changes": "resource_change", "deferred_action_invocations": "action_invocation"}
"""The parts of a plan that list what it defers, with the key of what each entry is about."""


def _regions(configuration: dict[str, Json]) -> Iterator[str]:
    """Yield the regions of the AWS provider's configurations."""
    for each in object_of(configuration.get("provider_config"), "configuration.provider_config").values():
        provider = object_of(each, "configuration.provider_config")
        expressions = object_of(provider.get("expressions"), "configuration.provider_config.expressions")
        region = object_of(expressions.get("region"), "configuration.provider_config.expressions.region")
        if provider.get("name") == "aws" and text(region.get("constant_value")):
            yield text(region["constant_value"])


def _address(value: Json, place: str) -> str:
    """Return the address of a part of the plan, "" without one."""
    return text(object_of(value, place).get("address"))


def _changes(entries: Json, place: str) -> tuple[ResourceChange, ...]:
    changes: dict[str, ResourceChange] = {}
    for index, each in enumerate(list_of(entries, place)):
        entry = object_of(each, f"{place}[{index}]")
        if entry.get("mode", "managed") != "managed":
            continue
        for change in _separate(_change(entry, f"{place}[{index}]")):
            if change.address in changes:
                raise ShapeError(f"{place} has {change.address} twice")
            changes[change.address] = change
    return tuple(changes.values())


def _separate(change: ResourceChange) -> Iterator[ResourceChange]:
    """Yield a change; for a replacement that keeps the old object in AWS, one change for each of the two objects."""
    if set(change.actions) != {"create", "forget"} or "before" not in change.snapshots:
        yield change
        return
    yield replace(
        change,
        address=change.address + FORGOTTEN_OBJECT,
        actions=("forget",),
        values=dict.fromkeys(SNAPSHOTS, change.values["before"]),
        snapshots=frozenset(SNAPSHOTS),
        importing="",
        moved_from="",
        replace_paths=(),
    )
    yield replace(change, actions=("create",), values={**change.values, "before": {}}, snapshots=frozenset({"after"}))


FORGOTTEN_OBJECT = " (forgotten object)"
"""The end of the address of an object that a replacement leaves in AWS."""


def _reads(entries: list[Json]) -> Iterator[Read]:
    for index, each in enumerate(entries):
        entry = object_of(each, f"resource_changes[{index}]")
        if entry.get("mode") in ("data", "ephemeral"):
            change = object_of(entry.get("change"), f"resource_changes[{index}].change")
            arguments = marked(change.get("after"), change.get("after_sensitive"), change.get("after_unknown"))
            yield Read(text(entry.get("address")), text(entry.get("type")), attributes(arguments))


def _change(entry: dict[str, Json], place: str) -> ResourceChange:
    change = object_of(entry.get("change"), f"{place}.change")
    address = string_of(entry.get("address"), f"{place}.address")
    deposed = f" (deposed object {entry['deposed']})" if entry.get("deposed") else ""
    key = entry.get("index")
    actions = tuple(
        string_of(action, f"{place}.change.actions")
        for action in list_of(change.get("actions"), f"{place}.change.actions")
    )
    forgotten = actions == ("forget",)
    before, after = (
        None if change.get(snapshot) is None else object_of(change.get(snapshot), f"{place}.change.{snapshot}")
        for snapshot in SNAPSHOTS
    )
    if not actions:
        raise ShapeError(f"{place}.change.actions is empty")
    if after is None and {"create", "update"} & set(actions):
        raise ShapeError(f"{place}.change.after is null, although the actions are {', '.join(actions)}")
    unknown = object_of(change.get("after_unknown") or None, f"{place}.change.after_unknown")
    before_values = attributes(marked(before, _with_all_tags(change.get("before_sensitive"))))
    after_values = before_values
    if not forgotten and after is not None:
        after_values = attributes(marked(after, _with_all_tags(change.get("after_sensitive")), unknown))
    elif not forgotten:
        after_values = {}
    existing = {"before": before is not None, "after": before is not None if forgotten else after is not None}
    importing = change.get("importing")
    return ResourceChange(
        address=address + deposed,
        type=string_of(entry.get("type"), f"{place}.type"),
        module=text(entry.get("module_address")),
        index="" if key is None else f"[{json.dumps(key)}]",
        actions=actions,
        values={"before": before_values, "after": after_values},
        snapshots=frozenset(snapshot for snapshot in SNAPSHOTS if existing[snapshot]),
        importing="" if importing is None else _imported_by(object_of(importing, f"{place}.change.importing")),
        moved_from=text(entry.get("previous_address")),
        replace_paths=tuple(
            ".".join(map(str, list_of(path, f"{place}.change.replace_paths")))
            for path in list_of(change.get("replace_paths"), f"{place}.change.replace_paths")
        ),
    )


def _imported_by(importing: dict[str, Json]) -> str:
    """Return what an import is by: an id, or what is known of it."""
    if id_ := text(importing.get("id")):
        return id_
    if importing.get("identity"):
        return f"by identity {json.dumps(importing['identity'], sort_keys=True)}"
    return "by an id known after apply" if importing.get("unknown") else "by an id that the plan does not contain"


def _outputs(outputs: dict[str, Json]) -> Iterator[ResourceChange]:
    for output, entry in outputs.items():
        place = f"output_changes.{output}"
        change = dict(object_of(entry, place))
        actions = list_of(change.get("actions"), f"{place}.actions")
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
    for each in checks:
        check = object_of(each, "checks")
        instances = [
            object_of(each, "checks.instances") for each in list_of(check.get("instances"), "checks.instances")
        ]
        for instance in instances or [check]:
            if instance.get("status") in (*_NOT_FAILED, None):
                continue
            name = text(object_of(instance.get("address"), "checks.instances.address").get("to_display")) or "check"
            problems = list_of(instance.get("problems"), "checks.instances.problems")
            for problem in problems or [{"message": str(instance["status"])}]:
                yield FailedCheck(name, text(object_of(problem, "checks.instances.problems").get("message")))


_NOT_FAILED = ("pass", "unknown")
"""The statuses of a check that did not fail; an unknown one is decided during the apply."""


def _resources(values: dict[str, Json]) -> Iterator[tuple[str, str, str, Attributes]]:
    """Yield address, type, mode and attributes of the resources and data sources of the prior state."""
    modules = [values.get("root_module")]
    while modules:
        module = object_of(modules.pop(), "prior_state.values.root_module")
        modules += list_of(module.get("child_modules"), "prior_state.values.child_modules")
        for each in list_of(module.get("resources"), "prior_state.values.resources"):
            resource = object_of(each, "prior_state.values.resources")
            known = attributes(marked(resource.get("values"), resource.get("sensitive_values")))
            address, type_, mode = (text(resource.get(key)) for key in ("address", "type", "mode"))
            yield address, type_, mode or "managed", known
