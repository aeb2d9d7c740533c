"""Roles before and after a plan, as values: who may assume each, and which policies each holds.

Users, groups and resources with a policy are values of the same class: users and groups are assumed by no one, and the
policy of a resource takes the place of a trust policy.
"""

import enum
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple, TypeAlias

from iam.access_analyzer import Advice
from iam.engine.answers import REVIEW_STEPS, Budget
from iam.engine.difference import Change, Difference, Kind, difference
from iam.engine.refuted import without_gains
from iam.engine.statements import Policy, Statement, permissions_policy, resource_policy, trust_policy
from iam.policy_document import size
from iam.validation import Kind as DocumentKind
from iam.validation import errors
from plans.plan import ResourceChange, Snapshot
from plans.values import Hidden, Name, Unknown, Value, shown


class Gap(enum.Enum):
    """Why a policy's document cannot be evaluated."""

    UNKNOWN = "known after apply"
    WHICH_UNKNOWN = "which policy is attached is known after apply"
    HIDDEN = "marked sensitive"
    WHICH_HIDDEN = "which policy is attached is marked sensitive"
    UNREADABLE = "cannot be read"
    NOT_IN_DATA_SET = "not in the data set of AWS managed policies"
    NOT_IN_PLAN = "its document is not in this plan"


class Held(NamedTuple):
    """A policy that a role holds, or why it cannot be evaluated."""

    policy: Policy | None
    gap: Gap | None = None
    """Why there is no policy; None where there is one."""
    detail: str = ""
    """Why a document is unreadable, or the date of the data set."""
    length: int = 0
    """Characters of the document as IAM counts them, without white space; 0 if the plan does not contain it."""
    note: str = ""
    """Version and date of an AWS managed policy."""
    address: str = ""
    """The resource that gives the policy to the role, "" if that is not in the plan."""
    hidden: Hidden | None = None
    """The sensitive value, so that a change of it can be detected."""
    refused: str = ""
    """Why AWS would refuse the document although it can be evaluated, "" if it accepts the document."""
    document: str = ""
    """The document as the plan has it, "" if the plan does not contain it."""

    @property
    def problem(self) -> str:
        """The gap, or why AWS would refuse the document, in words; "" where there is neither."""
        if self.gap is None:
            return f"AWS would refuse it: {self.refused}" if self.refused else ""
        separator = ": " if self.gap is Gap.UNREADABLE else " "
        return self.gap.value + (f"{separator}{self.detail}" if self.detail else "")

    def says_the_same(self, other: "Held") -> bool:
        """Return whether both have the same statements, or the same value that cannot be evaluated."""
        if self.policy and other.policy:
            return self.policy.written == other.policy.written
        return self._replace(address="") == other._replace(address="")


NOTHING = Held(Policy())


class PolicyName(NamedTuple):
    """What identifies a policy among those of a role."""

    kind: Literal["inline", "managed", "trust", "resource"]
    name: Name = ""

    def __str__(self) -> str:
        return f"{self.kind} policy" if self.kind in ("trust", "resource") else f"{self.kind} policy {shown(self.name)}"


TRUST_POLICY = PolicyName("trust")
RESOURCE_POLICY = PolicyName("resource")


RoleKind: TypeAlias = Literal["role", "user", "group", "policy", "resource"]
"""What a `Role` stands for: an IAM identity; "policy", a managed policy that no identity of the plan holds; or
"resource", a resource with a policy, such as a bucket."""

IDENTITY_KINDS: tuple[RoleKind, ...] = ("role", "user", "group")
"""The kinds that hold policies."""


@dataclass(slots=True)
class Holdings:
    """A role before or after a plan."""

    exists: bool = False
    trust: Held = NOTHING
    """Who may assume the role; or the policy of a resource: who may use it."""
    inline: dict[Name, Held] = field(default_factory=dict)
    managed: dict[Name, Held] = field(default_factory=dict)
    """By ARN, or by address where the ARN is known only after apply."""
    boundary: Value = ""
    """The ARN of the permissions boundary, "" for none; `boundary_text` shows it."""

    def of_kind(self, kind: str) -> dict[Name, Held]:
        """Return the inline or the managed policies."""
        return self.inline if kind == "inline" else self.managed

    def policies(self) -> Iterator[tuple[PolicyName, Held]]:
        """Yield each policy with its name."""
        yield from ((PolicyName("inline", name), held) for name, held in self.inline.items())
        yield from ((PolicyName("managed", name), held) for name, held in self.managed.items())


@dataclass
class Role:
    """What a plan does to one role, user or group; to a managed policy that none of them holds; or to a resource."""

    name: str
    """Its name as it may be shown, that of a resource with what it is; its address if it is sensitive or unknown."""
    kind: RoleKind = "role"
    account: str = ""
    """The account it is in, "" if the plan does not contain it."""
    read_arn: str = ""
    """Its ARN as a data source of the plan reads it, "" if none does."""
    change: ResourceChange | None = None
    """Of the role itself; None where the plan contains only its policies."""
    before: Holdings = field(default_factory=Holdings)
    after: Holdings = field(default_factory=Holdings)
    declared: dict[str, ResourceChange] = field(default_factory=dict)
    """The changes of this role's other resources, by address."""
    claimed: list[str] = field(default_factory=list)
    """Addresses of exclusive sets that are newly created: what they remove is not in the plan."""
    readdressed: dict[PolicyName, tuple[str, str]] = field(default_factory=dict)
    """Policies that one resource deletes and another creates: the two addresses, in an order Terraform chooses."""
    writers: dict[PolicyName, tuple[str, ...]] = field(default_factory=dict)
    """Inline policies that several resources write with different documents, with their addresses; the last counts."""
    budget: Budget = field(default_factory=lambda: Budget(REVIEW_STEPS))
    """The work to spend on comparisons, shared by the roles of a plan."""
    advice: dict[PolicyName, Advice] = field(default_factory=dict)
    """What Access Analyzer says of the policies, if it was asked; given before anything is compared."""

    @property
    def title(self) -> str:
        """Its name with its kind, such as `user alice` or `S3 bucket data`."""
        return self.name if self.kind == "resource" else f"{self.kind} {self.name}"

    def on(self, snapshot: Snapshot) -> Holdings:
        """Return the role in one snapshot."""
        return self.before if snapshot == "before" else self.after

    @property
    def address(self) -> str:
        """The role's address, or that of the first resource that refers to it."""
        return self.change.address if self.change else next(iter(self.declared), "")

    @property
    def arn(self) -> str:
        """The role's ARN, "" if it is not known yet."""
        return self.change.text("before", "arn") if self.change else self.read_arn

    @property
    def changes(self) -> bool:
        """Whether the plan does anything to the role or to what it holds."""
        if self.kind == "resource":
            unevaluated = None in (self.before.trust.policy, self.after.trust.policy)
            return self.before.trust != self.after.trust and bool(unevaluated or self.trust.changes)
        own = [self.change] if self.change else []
        return any(change.changes for change in (*own, *self.declared.values())) or bool(
            self.trust.changes or self.permissions.changes
        )

    def source(self, change: Change) -> tuple[PolicyName, str]:
        """Return which policy a change of the permissions is in, and the address that gives it."""
        snapshot: Snapshot = "before" if change.kind in (Kind.LOST, Kind.NARROWED, Kind.ALTERED) else "after"
        name, held = self._compared(snapshot)[change.policy]
        return name, held.address or self.address

    @property
    def trust_name(self) -> PolicyName:
        """What the policy in `Holdings.trust` is."""
        return RESOURCE_POLICY if self.kind == "resource" else TRUST_POLICY

    @cached_property
    def trust(self) -> Difference:
        """The difference in who may assume the role or use the resource; none if the policy after is not known."""
        if self.after.trust.policy is None:
            return difference([], [])
        before = [self.before.trust.policy] if self.before.trust.policy else []
        compared = difference(before, [self.after.trust.policy], budget=self.budget.share())
        return without_gains(compared, [0]) if self._gains_nothing(self.trust_name) else compared

    @cached_property
    def allowed(self) -> list[tuple[Change, Statement]]:
        """The statements that allow what was not allowed before, each with its change."""
        return allowed(self.permissions)

    @cached_property
    def permissions(self) -> Difference:
        """The difference in what the role may do, over all its policies that are known.

        A policy that is not known after the plan neither gains nor loses anything: a finding names it instead.
        """
        before, after = (
            [held.policy for _, held in self._compared(snapshot) if held.policy] for snapshot in ("before", "after")
        )
        compared = difference(before, after, budget=self.budget.share())
        names = [name for name, _ in self._compared("after")]
        given = [position for position, name in enumerate(names) if self._gains_nothing(name)]
        return without_gains(compared, given) if given else compared

    def _gains_nothing(self, name: PolicyName) -> bool:
        """Return whether Access Analyzer decided that a policy allows nothing that it did not allow before."""
        return name in self.advice and self.advice[name].gains_nothing

    def _compared(self, snapshot: str) -> list[tuple[PolicyName, Held]]:
        """Return the policies of a snapshot that the difference is computed from."""
        unknown = {name for name, held in self.after.policies() if held.policy is None}
        holdings = self.before if snapshot == "before" else self.after
        return [(name, held) for name, held in holdings.policies() if held.policy and name not in unknown]


def allowed(difference: Difference) -> list[tuple[Change, Statement]]:
    """Return the statements that allow what was not allowed before, each with its change."""
    changes = [change for change in difference.changes if change.effect == "Allow" and change.broadens]
    return [(change, statement) for change in changes for statement in change.after]


def held(value: Value, parse: Callable[[str], Policy] = permissions_policy, *, address: str = "") -> Held:
    """Return a policy as a role holds it.

    Args:
        value: its document, as JSON.
        parse: reads the document; raises ValueError.
        address: the resource that gives it to the role.
    """
    if isinstance(value, Unknown):
        return Held(None, Gap.UNKNOWN, address=address)
    if isinstance(value, Hidden):
        return Held(None, Gap.HIDDEN, address=address, hidden=value)
    if not isinstance(value, str) or not value:
        return Held(None, Gap.UNREADABLE, "it is empty", address=address)
    return _read(parse, value)._replace(address=address)


_KINDS: dict[Callable[[str], Policy], DocumentKind] = {
    permissions_policy: DocumentKind.IDENTITY,
    trust_policy: DocumentKind.TRUST,
    resource_policy: DocumentKind.RESOURCE,
}
_MOST_REASONS = 3
"""Most reasons that are listed for one document; the rest are counted."""


@lru_cache(maxsize=16_384)
def _read(parse: Callable[[str], Policy], document: str) -> Held:
    reasons = errors(document, _KINDS[parse])
    more = f"; and {len(reasons) - _MOST_REASONS:,} more" if len(reasons) > _MOST_REASONS else ""
    refused = "; ".join(reasons[:_MOST_REASONS]) + more
    try:
        return Held(parse(document), length=size(json.loads(document)), refused=refused, document=document)
    except ValueError as error:
        return Held(None, Gap.UNREADABLE, refused or str(error), document=document)


def boundary_text(value: Value) -> str:
    """Return a permissions boundary as it may be shown, "" for none."""
    if isinstance(value, Unknown | Hidden):
        return value.why
    return value if isinstance(value, str) else ""
