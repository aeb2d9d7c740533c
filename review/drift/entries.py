"""What an analysis of drift consists of, as values; `review.drift.renderers` puts them into words."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from iam.engine.difference import Change, Kind
from iam.engine.statements import merged, singles
from plans.roles import Held, PolicyName
from plans.values import Value


@dataclass(frozen=True)
class StatementChange:
    """A change of meaning in a policy that exists before and after."""

    policy: PolicyName
    change: Change
    spelling: Mapping[str, str]

    def __eq__(self, other: object) -> bool:
        # how the documents spell an action is no part of the meaning
        return isinstance(other, StatementChange) and (self.policy, self.change) == (other.policy, other.change)

    def __hash__(self) -> int:
        return hash((self.policy, self.change))


@dataclass(frozen=True)
class PolicyGained:
    """A policy that the role did not have."""

    policy: PolicyName
    held: Held


@dataclass(frozen=True)
class PolicyLost:
    """A policy that the role no longer has."""

    policy: PolicyName
    held: Held


@dataclass(frozen=True)
class PolicyNotCompared:
    """A policy that changed in a way that its documents do not show."""

    policy: PolicyName
    problem: str


@dataclass(frozen=True)
class BoundaryChange:
    """Another permissions boundary."""

    before: Value
    after: Value


@dataclass(frozen=True)
class AttributesChange:
    """Attributes of the role that are not about access."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class ResourceAction:
    """What Terraform does to a resource."""

    address: str
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Adoption:
    """A resource that Terraform imports."""

    address: str


@dataclass(frozen=True)
class Move:
    """A resource that gets another address."""

    address: str
    moved_from: str


@dataclass(frozen=True)
class OtherChange:
    """A resource that changed without a change of meaning in a policy."""

    address: str


@dataclass(frozen=True)
class FailedCheckMessage:
    """The message of a check that did not hold."""

    message: str


@dataclass(frozen=True)
class TrustOfAnotherStack:
    """The trust policy of an external role, which an apply does not change."""


@dataclass(frozen=True)
class TrustLost:
    """A service that could assume the role and no longer can."""

    service: str
    undecided: bool
    """Whether a condition decides if the service still can."""
    restored: bool
    """Whether the next apply restores it."""


@dataclass(frozen=True)
class CallsLost:
    """Calls of the Glue kernel that were allowed and no longer are."""

    feature: str
    """What does not work without the calls; "" for the sessions themselves."""
    actions: tuple[str, ...]
    certain: bool
    """Whether all that could allow the calls was read."""
    restored: bool
    """Whether the next apply restores them."""


@dataclass(frozen=True)
class TrustMissing:
    """Glue is not trusted by a role that another stack owns."""


@dataclass(frozen=True)
class GrantStays:
    """A grant that a role keeps although its configuration does not grant it, because its state does not have it."""

    policy: str
    certain: bool
    """Whether the role has it: the plan does not read the policies of a role that another stack owns."""


Entry: TypeAlias = (
    StatementChange
    | PolicyGained
    | PolicyLost
    | PolicyNotCompared
    | BoundaryChange
    | AttributesChange
    | ResourceAction
    | Adoption
    | Move
    | OtherChange
    | FailedCheckMessage
    | TrustOfAnotherStack
    | TrustLost
    | CallsLost
    | TrustMissing
    | GrantStays
)


def split(change: StatementChange) -> list[StatementChange]:
    """Return a gain or a loss as one change for each action, resource and principal, to be compared singly."""
    kind, before, after, decided, position = change.change
    if kind not in (Kind.GAINED, Kind.LOST):
        return [change]
    return [
        StatementChange(
            change.policy,
            Change(kind, (single,) if before else (), (single,) if after else (), decided, position),
            change.spelling,
        )
        for single in singles(before or after)
    ]


def joined(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in which the split gains and losses of a policy are merged again."""
    groups: dict[Hashable, list[Entry]] = {}
    for position, entry in enumerate(entries):
        key: Hashable = position
        if isinstance(entry, StatementChange) and entry.change.kind in (Kind.GAINED, Kind.LOST):
            key = entry.policy, entry.change.kind, entry.change.decided
        groups.setdefault(key, []).append(entry)
    return [each for group in groups.values() for each in _merge(group)]


def _merge(group: list[Entry]) -> Iterator[Entry]:
    changes = [entry for entry in group if isinstance(entry, StatementChange)]
    if len(changes) < 2:
        yield from group
        return
    first = changes[0]
    for statement in merged(row for each in changes for row in (each.change.before or each.change.after)):
        before = (statement,) if first.change.before else ()
        after = (statement,) if first.change.after else ()
        yield StatementChange(first.policy, first.change._replace(before=before, after=after), first.spelling)
