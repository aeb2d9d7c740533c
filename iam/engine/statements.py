"""Policy documents in a normal form.

Order, string or list, the case of actions and condition keys, `Statement` as an object, and statements that no request
can match all vanish in it; the meaning does not. Source: IAM User Guide, "IAM JSON policy
elements reference".
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, Literal, NamedTuple

from iam.engine import conditions, key_values, pattern_syntax
from iam.engine.answers import Answer
from iam.wording import shown, shown_key

Effect = Literal["Allow", "Deny"]


class Element(NamedTuple):
    """The principals, the actions or the resources of a statement."""

    patterns: tuple[str, ...]
    """Sorted. Actions are lower case, principals read `AWS:111122223333` or `Service:glue.amazonaws.com`."""
    excluded: bool = False
    """NotAction, NotResource, NotPrincipal: everything but what the patterns match."""


ANYTHING = Element(("*",))


class Statement(NamedTuple):
    """An effect on principals, actions and resources, each with each, where the condition holds."""

    effect: Effect
    principal: Element
    action: Element
    resource: Element
    condition: conditions.Condition


@dataclass(frozen=True, eq=False)
class Policy:
    """The meaning of a document.

    Equal to itself alone, so that what was computed of it once costs nothing again.
    """

    written: tuple[Statement, ...] = ()
    """Its statements, of any number of patterns in each element."""
    spelling: dict[str, str] = field(default_factory=dict)
    """How the documents wrote each action and condition key, by its lower-case form."""

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The same statements of one pattern in each element, or of an exclusion."""
        return tuple(dict.fromkeys(singles(self.written)))

    def effect(self, effect: Effect) -> Iterator[Statement]:
        """Yield the statements of one effect, of one pattern in each element."""
        return (statement for statement in self.statements if statement.effect == effect)


def trust_policy(document: str | Mapping[str, Any]) -> Policy:
    """Return the meaning of a role's trust policy.

    Args:
        document: JSON, or the object it stands for.

    Raises:
        ValueError: what AWS would refuse, in one line: no JSON object, a statement without effect, principal or
            action, an unknown element.
    """
    return _policy(document, {"Principal": True})


def permissions_policy(document: str | Mapping[str, Any]) -> Policy:
    """Return the meaning of an identity-based policy; `document` and errors as in `trust_policy`."""
    return _policy(document, {"Resource": True})


def resource_policy(document: str | Mapping[str, Any]) -> Policy:
    """Return the meaning of a resource-based policy, like a bucket's; `document` and errors as in `trust_policy`.

    Without a Resource, a statement is about the resource that the policy is attached to.
    """
    return _policy(document, {"Principal": True, "Resource": False})


_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Condition"}
_VERSIONS = {"2008-10-17": False, "2012-10-17": True}
"""Whether a version has policy variables; without one, a document is of the first."""

Scope = Mapping[str, bool]
"""Which of Principal and Resource the statements of a kind of policy have, and whether they must."""


class _Number(str):
    """A number as JSON writes it."""

    __slots__ = ()


def _policy(document: str | Mapping[str, Any], scope: Scope) -> Policy:
    try:
        return _meaning(_loaded(document) if isinstance(document, str) else document, scope)
    except RecursionError:
        raise ValueError("supply a policy document of fewer levels, got too many to read") from None


def _loaded(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"supply a policy document in JSON, got none: {str(error).lower()}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"supply each key of an object once, got {shown(twice)} twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"supply a policy document in JSON, got {name} in it")


def _meaning(body: Any, scope: Scope) -> Policy:
    if not isinstance(body, Mapping) or "Statement" not in body:
        raise ValueError(f"supply a policy document with a Statement, got {shown(body)}")
    version = body.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        raise ValueError(f'supply Version "2012-10-17" or "2008-10-17", got {version!r}')
    spelling: dict[str, str] = {}
    found: dict[Statement, None] = {}
    for statement in _listed(body["Statement"]):
        for meaning in _statement(statement, scope, _VERSIONS[version], spelling):
            found.setdefault(meaning)
    return Policy(tuple(found), spelling)


def _statement(statement: Any, scope: Scope, variables: bool, spelling: dict[str, str]) -> Iterable[Statement]:
    """Return a statement, or none where no request matches it."""
    if not isinstance(statement, Mapping):
        raise ValueError(f"supply statements as objects, got {shown(statement)}")
    elements = _ELEMENTS.union(*((name, f"Not{name}") for name in scope))
    if unknown := sorted(statement.keys() - elements):
        got = ", ".join(map(shown_key, unknown))
        raise ValueError(f"supply a statement with {', '.join(sorted(elements))}, got {got}")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise ValueError(f'supply Effect "Allow" or "Deny", got {effect!r}')

    def action(name: str) -> str:
        spelling.setdefault(name.lower(), name)
        return "*" if name == "*:*" else pattern_syntax.canonical(name.lower())

    def resource(arn: str) -> str:
        return pattern_syntax.canonical(
            pattern_syntax.completed(arn if variables else pattern_syntax.without_variables(arn))
        )

    principals = resources = ANYTHING
    if "Principal" in scope:
        principals = _element(statement, "Principal", str, _principals)
    if scope.get("Resource") or statement.keys() & {"Resource", "NotResource"}:
        resources = _element(statement, "Resource", resource)
    actions = _element(statement, "Action", action)
    condition = conditions.parse(statement.get("Condition", {}), variables=variables, spelling=spelling)
    if key_values.possible(condition) is not Answer.NO and not any(
        element.excluded and "*" in element.patterns for element in (principals, actions, resources)
    ):
        yield Statement(effect, principals, actions, resources, condition)


def _element(
    statement: Mapping[str, Any],
    name: str,
    normal: Callable[[str], str],
    listed: Callable[[Any], list[Any]] | None = None,
) -> Element:
    present = [key for key in (name, f"Not{name}") if key in statement]
    if len(present) != 1:
        raise ValueError(f"supply either {name} or Not{name} in each statement, got {shown(statement)}")
    values = (listed or _listed)(statement[present[0]])
    if not values or not all(isinstance(value, str) and not isinstance(value, _Number) for value in values):
        raise ValueError(f"supply {present[0]} as a string or a list of strings, got {shown(statement[present[0]])}")
    patterns = tuple(sorted({normal(value) for value in values}))
    if patterns == ("*",) and present[0] == name:
        return ANYTHING
    return Element(patterns, present[0] != name)


_ACCOUNT = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")
_PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")


def _principals(value: Any) -> list[Any]:
    if value == "*":
        return ["*"]
    if not isinstance(value, Mapping) or not value.keys() <= set(_PRINCIPAL_TYPES):
        raise ValueError(f'supply Principal as "*" or an object of {", ".join(_PRINCIPAL_TYPES)}, got {shown(value)}')
    return [_principal(kind, name) for kind, names in value.items() for name in _listed(names)]


def _principal(kind: str, name: Any) -> Any:
    if not isinstance(name, str):
        return name
    if kind == "AWS":
        if name == "*":
            return "*"
        if account := _ACCOUNT.fullmatch(name):
            return f"AWS:{account[1]}"
    return f"{kind}:{name}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def merged(statements: Iterable[Statement]) -> list[Statement]:
    """Return the same meaning in fewer statements, by merging actions, then resources, then principals.

    The result is sorted and does not depend on the order that came in.
    """
    found = list(statements)
    left_open: Any = ANYTHING
    for part in ("action", "resource", "principal"):
        groups: dict[Hashable, list[Statement]] = {}
        for index, statement in enumerate(found):
            own = index if getattr(statement, part).excluded else None
            groups.setdefault((own, statement._replace(**{part: left_open})), []).append(statement)
        found = [_merge(group, part) for group in groups.values()]
    return sorted(found, key=order)


def singles(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Undo `merged`: yield statements of one pattern in each element, or of an exclusion."""
    for statement in statements:
        for principal, action, resource in product(*map(_single, statement[1:4])):
            yield Statement(statement.effect, principal, action, resource, statement.condition)


def _single(element: Element) -> Iterable[Element]:
    return [element] if element.excluded else map(_one, element.patterns)


@lru_cache(maxsize=65_536)
def _one(pattern: str) -> Element:
    return ANYTHING if pattern == "*" else Element((pattern,))


def order(statement: Statement) -> tuple[object, ...]:
    """Return a sort key that no document's layout has a part in."""
    return (*statement[:4], sorted(test.sort_key() for test in statement.condition))


def _merge(group: list[Statement], part: str) -> Statement:
    if len(group) == 1:
        return group[0]
    patterns = {pattern for statement in group for pattern in getattr(statement, part).patterns}
    merged_part: Any = Element(tuple(sorted(patterns)))
    return group[0]._replace(**{part: merged_part})
