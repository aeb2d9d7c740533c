"""Roles as a plan finds and leaves them: who may assume each, and which policies each holds.

Several resources speak of one role: itself, its inline policies, attachments, exclusive sets, the managed
policies it is given. Here they are put together, before and after, by the role's name or by what the
configuration refers to.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from iam.engine.difference import Change, Difference, Kind, difference
from iam.engine.statements import Policy, Statement, permissions_policy, trust_policy
from plans import datasets
from plans.plan import SIDES, UNKNOWN, Plan, ResourceChange, Side, Unseen
from plans.references import References


class Held(NamedTuple):
    """A policy as a role holds it, or why it cannot be judged."""

    policy: Policy | None
    problem: str = ""
    """Why there is no policy: unknown, sensitive, not in the data set, unreadable."""
    length: int = 0
    """Characters of the document, white space left out as IAM counts them; 0 where it is not at hand."""
    note: str = ""
    """What else is known of it: the version and date of an AWS managed policy."""
    address: str = ""
    """The resource that gives it to the role, "" where that is none of the plan's."""


NOTHING = Held(Policy())


@dataclass(slots=True)
class Holdings:
    """A role on one side of a plan."""

    exists: bool = False
    trust: Held = NOTHING
    inline: dict[str, Held] = field(default_factory=dict)
    managed: dict[str, Held] = field(default_factory=dict)
    """By ARN, or by address where the ARN is known after apply."""
    boundary: str = ""

    def policies(self) -> Iterator[tuple[str, Held]]:
        """Yield each policy with what it is called."""
        yield from ((f"inline policy {name}", held) for name, held in self.inline.items())
        yield from ((f"managed policy {name}", held) for name, held in self.managed.items())


@dataclass
class Role:
    """What a plan does to one role; or, of kind "policy", to a managed policy no role of it holds."""

    name: str
    kind: str = "role"
    account: str = ""
    """The account it is in, "" where the plan does not say."""
    change: ResourceChange | None = None
    """Of the role itself; None where the plan holds only its policies."""
    before: Holdings = field(default_factory=Holdings)
    after: Holdings = field(default_factory=Holdings)
    declared: dict[str, ResourceChange] = field(default_factory=dict)
    """The changes of this role's other resources, by address."""
    claimed: list[str] = field(default_factory=list)
    """Addresses of exclusive sets that are newly created: what they remove is not in the plan."""

    def on(self, side: Side) -> Holdings:
        """Return the role on one side."""
        return self.before if side == "before" else self.after

    @property
    def address(self) -> str:
        """The role's address, or that of the first resource that speaks of it."""
        return self.change.address if self.change else next(iter(self.declared), "")

    @property
    def arn(self) -> str:
        """The role's ARN, "" where it is not known yet."""
        return str((self.change.values["before"].get("arn") or "") if self.change else "")

    @property
    def changes(self) -> bool:
        """Whether the plan does anything to the role or to what it holds."""
        own = [self.change] if self.change else []
        return any(change.changes for change in (*own, *self.declared.values())) or bool(
            self.trust.changes or self.permissions.changes
        )

    def source(self, change: Change) -> tuple[str, str]:
        """Return which policy a change of the permissions is in, and the address that gives it."""
        side = self.before if change.kind in (Kind.LOST, Kind.NARROWED, Kind.ALTERED) else self.after
        known = [(name, held) for name, held in side.policies() if held.policy]
        name, held = known[change.policy]
        return name, held.address or self.address

    @cached_property
    def trust(self) -> Difference:
        """What changes in who may assume the role."""
        return difference(_known([self.before.trust]), _known([self.after.trust]))

    @cached_property
    def allowed(self) -> list[tuple[Change, Statement]]:
        """The statements that allow what was not allowed before, each with the change it is part of."""
        return allowed(self.permissions)

    @cached_property
    def permissions(self) -> Difference:
        """What changes in what the role may do, over all its policies that are known."""
        return difference(*(_known(held for _, held in side.policies()) for side in (self.before, self.after)))


def allowed(difference: Difference) -> list[tuple[Change, Statement]]:
    """Return the statements that allow what was not allowed before, each with the change it is part of."""
    changes = [change for change in difference.changes if change.effect == "Allow" and change.broadens]
    return [(change, statement) for change in changes for statement in change.after]


def _known(held: Iterable[Held]) -> list[Policy]:
    return [each.policy for each in held if each.policy]


@lru_cache(maxsize=16_384)
def _read(parse: Callable[[str], Policy], document: str) -> Held:
    try:
        policy = parse(document)
    except ValueError as error:
        return Held(None, f"cannot be read: {error}")
    return Held(policy, length=len(re.sub(r"\s+", "", document)))


def _held(value: Any, parse: Callable[[str], Policy] = permissions_policy) -> Held:
    if isinstance(value, Unseen):
        return Held(None, value.why)
    if not isinstance(value, str) or not value:
        return Held(None, "cannot be read: no policy document")
    return _read(parse, value)


JUDGED = (
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_policy",
    "aws_iam_policy_attachment",
    "aws_iam_role_policies_exclusive",
    "aws_iam_role_policy_attachments_exclusive",
)
"""The resource types that are put together here."""


def roles(plan: Plan, changes: tuple[ResourceChange, ...]) -> list[Role]:
    """Return each role that `changes` (the plan's, or its drift) speak of, and managed policies of none."""
    return _Assembly(plan, changes).result()


def drifted_roles(plan: Plan) -> list[Role]:
    """Return each role that something happened to outside of Terraform: from the state to what AWS has.

    A role's own attributes list every policy it holds, and the state has them as they were before the grants were
    applied. What resources of the plan give it is therefore judged by those resources alone.
    """
    found = roles(plan, plan.drift)
    drifted = {change.address for change in plan.drift}
    for change in plan.changes:
        if change.address in drifted or "before" not in change.sides:
            continue
        given = change.values["before"]
        for role in found:
            if role.name != given.get("role"):
                continue
            for holdings in (role.before, role.after):
                if change.type == "aws_iam_role_policy":
                    holdings.inline.pop(given.get("name", ""), None)
                elif change.type == "aws_iam_role_policy_attachment":
                    holdings.managed.pop(given.get("policy_arn", ""), None)
    return found


def _account(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") >= 5 else ""


class _Assembly:
    def __init__(self, plan: Plan, changes: tuple[ResourceChange, ...]) -> None:
        self._plan = plan
        self._by_type: dict[str, list[ResourceChange]] = {}
        for change in changes:
            self._by_type.setdefault(change.type, []).append(change)
        self._by_address = {change.address: change for change in changes}
        self._references = References(plan.configuration, self._by_address)
        self._roles: dict[str, Role] = {}
        self._by_name: dict[str, list[Role]] = {}
        self._policies = {
            change.values[side].get("arn"): change
            for change in self._by_type.get("aws_iam_policy", ())
            for side in SIDES
        }
        self._given: set[str] = set()
        """Addresses of the managed policies that some role holds."""

    def result(self) -> list[Role]:
        for change in self._by_type.get("aws_iam_role", ()):
            self._add_role(change)
        for change in self._by_type.get("aws_iam_role_policy", ()):
            self._each_side(change, "role", self._inline)
        for change in self._by_type.get("aws_iam_role_policy_attachment", ()):
            self._each_side(change, "role", self._attach)
        for change in self._by_type.get("aws_iam_policy_attachment", ()):
            self._shared_attachment(change)
        for change in self._by_type.get("aws_iam_role_policies_exclusive", ()):
            self._each_side(change, "role_name", self._exclusive_inline)
        for change in self._by_type.get("aws_iam_role_policy_attachments_exclusive", ()):
            self._each_side(change, "role_name", self._exclusive_managed)
        found = list(self._roles.values())
        accounts = {_account(role.arn) for role in found} - {""}
        for role in found:
            if role.change and "after" not in role.change.sides:
                role.after = Holdings()
            role.account = _account(role.arn) or (next(iter(accounts)) if len(accounts) == 1 else "")
        policies = self._by_type.get("aws_iam_policy", ())
        found += [self._unheld(p) for p in policies if p.changes and p.address not in self._given]
        return found

    def _add_role(self, change: ResourceChange) -> None:
        names = sorted({name for side in SIDES if (name := change.values[side].get("name"))})
        role = Role(names[0] if names else change.address, change=change)
        self._roles[change.address] = role
        for name in names:
            self._by_name.setdefault(name.lower(), []).append(role)
        for side in SIDES:
            holdings = role.on(side)
            if side not in change.sides:
                continue
            holdings.exists = True
            holdings.trust = _held(change.get(side, "assume_role_policy"), trust_policy)._replace(
                address=change.address
            )
            boundary = change.get(side, "permissions_boundary")
            holdings.boundary = boundary.why if isinstance(boundary, Unseen) else boundary or ""
            self._blocks(change, side, holdings)

    def _blocks(self, change: ResourceChange, side: Side, holdings: Holdings) -> None:
        """Take over the policies that the role's own attributes list; unset, they are what it holds."""
        listed = change.get(side, "inline_policy")
        if listed is UNKNOWN:
            listed = change.get("before", "inline_policy")
        marks = change.unknown.get("inline_policy") if side == "after" else None
        for position, block in enumerate(listed or ()):
            unknown = isinstance(marks, list) and position < len(marks) and (marks[position] or {}).get("policy")
            if block.get("name") or block.get("policy"):
                document = UNKNOWN if unknown else block.get("policy")
                name = block.get("name") or f"block {position}"
                holdings.inline[name] = _held(document)._replace(address=change.address)
        arns = change.get(side, "managed_policy_arns")
        if arns is UNKNOWN:
            arns = change.get("before", "managed_policy_arns")
        for arn in arns or ():
            holdings.managed[arn] = self._managed(arn, side)._replace(address=change.address)

    def _each_side(
        self, change: ResourceChange, attribute: str, put: Callable[[ResourceChange, Side, Role], None]
    ) -> None:
        for side in SIDES:
            if side in change.sides:
                role = self._role(change, side, attribute)
                role.declared[change.address] = change
                put(change, side, role)
        if "after" not in change.sides or "before" not in change.sides:
            self._gone(change, attribute)

    def _gone(self, change: ResourceChange, attribute: str) -> None:
        """Take what a deleted resource declared off the role, where the role itself lists it still."""
        if "after" in change.sides:
            return
        role = self._role(change, "before", attribute)
        if change.type == "aws_iam_role_policy":
            role.after.inline.pop(change.values["before"].get("name", ""), None)
        elif change.type == "aws_iam_role_policy_attachment":
            role.after.managed.pop(change.values["before"].get("policy_arn", ""), None)

    def _role(self, change: ResourceChange, side: Side, attribute: str) -> Role:
        address = self._references.target(change, attribute, "aws_iam_role")
        name = change.get(side, attribute)
        named = self._by_name.get(name.lower(), []) if isinstance(name, str) else []
        if address in self._roles and (not named or self._roles[address] in named):
            return self._roles[address]
        if named:
            near = [role for role in named if role.change and role.change.module == change.module]
            return (near or named)[0]
        known = name if isinstance(name, str) and name else f"the role of {change.address}"
        role = self._roles.setdefault(f"name {known}", Role(known))
        role.before.exists = role.after.exists = True
        return role

    def _inline(self, change: ResourceChange, side: Side, role: Role) -> None:
        name = change.values[side].get("name") or change.address
        role.on(side).inline[name] = _held(change.get(side, "policy"))._replace(address=change.address)

    def _shared_attachment(self, change: ResourceChange) -> None:
        for side in SIDES:
            names = change.values[side].get("roles") or ()
            for name in names:
                named = self._by_name.get(str(name).lower(), [])
                role = named[0] if named else self._roles.setdefault(f"name {name}", Role(str(name)))
                role.before.exists = role.after.exists = True if not named else role.after.exists
                role.declared[change.address] = change
                self._attach(change, side, role)

    def _attach(self, change: ResourceChange, side: Side, role: Role) -> None:
        arn = change.get(side, "policy_arn")
        policy = self._by_address.get(self._references.target(change, "policy_arn", "aws_iam_policy") or "")
        if isinstance(arn, str) and arn:
            name, held = arn, self._managed(arn, side, policy)
        elif policy:
            self._given.add(policy.address)
            name, held = policy.address, _held(policy.get(side, "policy"))
        else:
            why = arn.why if isinstance(arn, Unseen) else "not said"
            name, held = f"of {change.address}", Held(None, f"which policy it is, is {why}")
        role.on(side).managed[name] = held._replace(address=change.address)

    def _managed(self, arn: str, side: Side, policy: ResourceChange | None = None) -> Held:
        policy = self._policies.get(arn) or policy
        if policy:
            self._given.add(policy.address)
            return _held(policy.get(side, "policy")) if side in policy.sides else NOTHING
        if known := datasets.managed_policy(arn):
            elsewhere = "" if arn.startswith("arn:aws:") else ", as in the partition aws"
            return Held(known.policy, note=f"{known.version} of {known.updated}{elsewhere}")
        if document := self._plan.known_policies.get(arn):
            return _held(document)
        if ":iam::aws:policy/" in arn:
            return Held(None, f"not in the data set of {datasets.managed_policies_date()}")
        return Held(None, "its document is not in this plan")

    def _exclusive_inline(self, change: ResourceChange, side: Side, role: Role) -> None:
        self._exclusive(change, side, role, "policy_names", role.on(side).inline)

    def _exclusive_managed(self, change: ResourceChange, side: Side, role: Role) -> None:
        listed = change.get(side, "policy_arns")
        for arn in listed or ():
            role.on(side).managed.setdefault(arn, self._managed(arn, side)._replace(address=change.address))
        self._exclusive(change, side, role, "policy_arns", role.on(side).managed)

    def _exclusive(self, change: ResourceChange, side: Side, role: Role, attribute: str, held: dict[str, Held]) -> None:
        listed = change.get(side, attribute)
        if side == "before" or isinstance(listed, Unseen):
            return
        declared = {address for address, other in role.declared.items() if "after" in other.sides}
        for name in [name for name in held if name not in (listed or ())]:
            if held[name].address not in declared:
                del held[name]
        if "create" in change.actions and not role.change:
            role.claimed.append(change.address)

    def _unheld(self, change: ResourceChange) -> Role:
        name: str = change.values["before"].get("name") or change.values["after"].get("name") or change.address
        role = Role(name, kind="policy", declared={change.address: change})
        for side in SIDES:
            holdings = role.on(side)
            holdings.exists = side in change.sides
            if side in change.sides:
                holdings.managed[name] = _held(change.get(side, "policy"))._replace(address=change.address)
        return role
