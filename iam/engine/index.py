"""Statements split into parts, and looked up by the services and actions they are about."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from math import prod
from typing import Any

from iam.engine.statements import Effect, Element, Policy, Statement

ELEMENTS = ("principal", "action", "resource")


def size(statement: Statement) -> int:
    """Return of how many statements of one pattern in each element a statement consists."""
    return prod(map(_parts, statement[1:4]))


def halves(statement: Statement) -> list[Statement]:
    """Return a statement in two parts, split in the element that has the most patterns; none where all have one."""
    name = max(ELEMENTS, key=lambda name: _parts(getattr(statement, name)))
    element: Element = getattr(statement, name)
    if _parts(element) < 2:
        return []
    middle = len(element.patterns) // 2
    # The second half first: the parts are taken from the end.
    return [
        with_element(statement, name, Element(half)) for half in (element.patterns[middle:], element.patterns[:middle])
    ]


def with_element(statement: Statement, name: str, element: Any) -> Statement:
    """Return a statement with another principal, action or resource."""
    return statement._replace(**{name: element})


def _parts(element: Element) -> int:
    return 1 if element.excluded else len(element.patterns)


def _by_action(statement: Statement) -> list[Statement]:
    if statement.action.excluded or len(statement.action.patterns) == 1:
        return [statement]
    return [statement._replace(action=Element((pattern,))) for pattern in statement.action.patterns]


Scopes = Mapping[Hashable, Collection[str]]
"""By everything a statement consists of but its resources, the patterns of those."""


def _scopes(statements: Iterable[Statement]) -> dict[Hashable, set[str]]:
    found: dict[Hashable, set[str]] = {}
    for statement in statements:
        for scope, part in _by_scope(statement):
            found.setdefault(scope, set()).update(part.resource.patterns)
    return found


def unchanged(statements: Iterable[Statement], changed: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the parts of statements that are not among those changed."""
    return without_written(statements, [_scopes(changed)])


def without_written(statements: Iterable[Statement], others: Sequence[Scopes]) -> Iterator[Statement]:
    """Yield the parts of statements that are not written word for word in others."""
    for statement in statements:
        for scope, part in _by_scope(statement):
            written = [found for scopes in others if (found := scopes.get(scope))]
            if not written:
                yield part
            elif not part.resource.excluded:
                left = tuple(name for name in part.resource.patterns if not any(name in found for found in written))
                if left:
                    yield part._replace(resource=Element(left))


def _by_scope(statement: Statement) -> Iterator[tuple[Hashable, Statement]]:
    """Yield a statement by principal and action, each part with all it consists of but its resources."""
    element = statement.principal
    principals = [element] if element.excluded else [Element((name,)) for name in element.patterns]
    for part in _by_action(statement):
        for principal in principals:
            excluded = part.resource if part.resource.excluded else None
            scope = (part.effect, principal, part.action, excluded, part.condition)
            yield scope, part._replace(principal=principal)


class Index:
    """Statements by the services and actions they are about."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.all = tuple(dict.fromkeys(statements))
        self._named: dict[str, list[Statement]] = {}
        self._open: dict[str, list[Statement]] = {}
        self._of_service: dict[str, list[Statement]] = {}
        """By service; "" stands for those that may be about any."""
        for statement in self.all:
            services, names, open_services = _topics(statement.action)
            for service in services:
                self._of_service.setdefault(service, []).append(statement)
            for name in names:
                self._named.setdefault(name, []).append(statement)
            for service in open_services:
                self._open.setdefault(service, []).append(statement)

    @cached_property
    def scopes(self) -> Scopes:
        """The patterns of the resources, by everything else that a statement consists of."""
        return _scopes(self.all)

    def has(self, single: Statement) -> bool:
        """Return whether a statement of one pattern in each element is written here, alone or with others."""
        return any(
            other.condition == single.condition
            and all(
                mine == theirs or (not theirs.excluded and mine.patterns[0] in _names_of(theirs))
                for mine, theirs in zip(single[1:4], other[1:4], strict=True)
            )
            for other in self.near(single)
        )

    def near(self, statement: Statement) -> Collection[Statement]:
        """Return at least the statements that may be about an action of `statement`'s."""
        services, names, open_services = _topics(statement.action)
        if "" in services:
            return self.all
        found: list[Statement] = []
        for name in names:
            found += self._named.get(name, ())
            found += self._open.get(name.partition(":")[0], ())
        for service in open_services:
            found += self._of_service.get(service, ())
        found += self._open.get("", ())
        return found if len(names) + len(open_services) == 1 else dict.fromkeys(found)


@lru_cache(maxsize=65_536)
def _names_of(element: Element) -> frozenset[str]:
    return frozenset(element.patterns)


@lru_cache(maxsize=65_536)
def _topics(action: Element) -> tuple[frozenset[str], tuple[str, ...], frozenset[str]]:
    """Return the services of an action element, the actions it names, and the services of its wildcards.

    "" stands for any service.
    """
    if action.excluded:
        return frozenset([""]), (), frozenset([""])
    names, open_services = [], set()
    for pattern in action.patterns:
        service, _, name = pattern.partition(":")
        if "*" in service or "?" in service:
            open_services.add("")
        elif "*" in name or "?" in name:
            open_services.add(service)
        else:
            names.append(pattern)
    services = {name.partition(":")[0] for name in names}
    return frozenset(open_services | services), tuple(names), frozenset(open_services)


@lru_cache(maxsize=16_384)
def indexed(policy: Policy, effect: Effect) -> Index:
    """Return the index of a policy's statements of one effect."""
    return Index(statement for statement in policy.written if statement.effect == effect)


def near_statements(statement: Statement, indexes: Iterable[Index]) -> list[Statement]:
    """Return at least the statements that may be about an action of `statement`'s."""
    return [other for index in indexes for other in index.near(statement)]
