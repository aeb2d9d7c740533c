"""Policy documents in a normal form: statements of one principal, one action and one resource.

Order, string or list, the case of actions and condition keys, `Statement` as an object, and how statements
are split or merged all vanish in it; what they mean does not. Source: IAM User Guide, "IAM JSON policy
elements reference".
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any, Literal, NamedTuple

from iam.engine import conditions, wildcards
from iam.wording import shown

Effect = Literal["Allow", "Deny"]


class Element(NamedTuple):
    """What a statement says of its principals, its actions or its resources."""

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
    """The meaning of a document: `statements` of one pattern in each element, or of an exclusion.

    Equal to itself alone, so that what was found out about it once is found again at no cost.
    """

    statements: tuple[Statement, ...] = ()
    spelling: dict[str, str] = field(default_factory=dict)
    """How the documents wrote each action and condition key, by its lower-case form."""

    def effect(self, effect: Effect) -> Iterator[Statement]:
        """Yield the statements of one effect."""
        return (statement for statement in self.statements if statement.effect == effect)


def trust_policy(document: str | Mapping[str, Any]) -> Policy:
    """Return the normal form of a role's trust policy, given as JSON or as an object.

    Raises ValueError, with one line, for what AWS would refuse: no JSON object, a statement without effect,
    principal or action, an unknown element.
    """
    return _policy(document, {"Principal", "NotPrincipal"})


def permissions_policy(document: str | Mapping[str, Any]) -> Policy:
    """Return the normal form of an identity-based policy; what goes in, and errors, as in `trust_policy`."""
    return _policy(document, {"Resource", "NotResource"})


_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Condition"}
_VERSIONS = {None: False, "2008-10-17": False, "2012-10-17": True}


def _policy(document: str | Mapping[str, Any], scope: set[str]) -> Policy:
    try:
        body = json.loads(document) if isinstance(document, str) else document
    except json.JSONDecodeError as error:
        raise ValueError(f"supply a policy document in JSON, got none: {str(error).lower()}") from None
    if not isinstance(body, Mapping) or "Statement" not in body:
        raise ValueError(f"supply a policy document with a Statement, got {shown(body)}")
    if body.get("Version") not in _VERSIONS:
        raise ValueError(f'supply Version "2012-10-17" or "2008-10-17", got {body["Version"]!r}')
    spelling: dict[str, str] = {}
    found: dict[Statement, None] = {}
    for statement in _listed(body["Statement"]):
        for single in _statements(statement, scope, _VERSIONS[body.get("Version")], spelling):
            found.setdefault(single)
    return Policy(tuple(found), spelling)


def _statements(statement: Any, scope: set[str], variables: bool, spelling: dict[str, str]) -> Iterable[Statement]:
    if not isinstance(statement, Mapping):
        raise ValueError(f"supply statements as objects, got {shown(statement)}")
    if unknown := sorted(statement.keys() - _ELEMENTS - scope):
        raise ValueError(f"supply a statement with {', '.join(sorted(scope | _ELEMENTS))}, got {', '.join(unknown)}")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise ValueError(f'supply Effect "Allow" or "Deny", got {effect!r}')

    def action(name: str) -> str:
        spelling.setdefault(name.lower(), name)
        return "*" if name == "*:*" else wildcards.canonical(name.lower())

    def resource(arn: str) -> str:
        return wildcards.canonical(arn if variables else wildcards.without_variables(arn))

    principals = resources = [ANYTHING]
    if "Principal" in scope:
        principals = _elements(statement, "Principal", str, _principals)
    else:
        resources = _elements(statement, "Resource", resource)
    condition = conditions.parse(statement.get("Condition", {}), variables=variables, spelling=spelling)
    return map(
        Statement._make,
        product([effect], principals, _elements(statement, "Action", action), resources, [condition]),
    )


def _elements(
    statement: Mapping[str, Any],
    name: str,
    normal: Callable[[str], str],
    listed: Callable[[Any], list[Any]] | None = None,
) -> list[Element]:
    present = [key for key in (name, f"Not{name}") if key in statement]
    if len(present) != 1:
        raise ValueError(f"supply either {name} or Not{name} in each statement, got {shown(statement)}")
    values = (listed or _listed)(statement[present[0]])
    if not values or not all(isinstance(value, str) for value in values):
        raise ValueError(f"supply {present[0]} as a string or a list of strings, got {shown(statement[present[0]])}")
    patterns = tuple(sorted({normal(value) for value in values}))
    if present[0] == name:
        return [_element((pattern,)) for pattern in patterns]
    return [] if "*" in patterns else [_element(patterns, True)]


@lru_cache(maxsize=65_536)
def _element(patterns: tuple[str, ...], excluded: bool = False) -> Element:
    return Element(patterns, excluded)


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
    return [element] if element.excluded else [_element((pattern,)) for pattern in element.patterns]


def order(statement: Statement) -> tuple[object, ...]:
    """Return a sort key that no document's layout has a part in."""
    return (
        *statement[:4],
        sorted((test.key, test.operator, sorted(test.values)) for test in statement.condition),
    )


def _merge(group: list[Statement], part: str) -> Statement:
    if len(group) == 1:
        return group[0]
    patterns = {pattern for statement in group for pattern in getattr(statement, part).patterns}
    merged_part: Any = Element(tuple(sorted(patterns)))
    return group[0]._replace(**{part: merged_part})
