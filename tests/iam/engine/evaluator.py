"""An evaluator of policies, written from AWS's evaluation rules alone: it shares no code with the engine.

A request is evaluated statement by statement as the IAM User Guide describes it ("Policy evaluation logic", "IAM JSON
policy elements: Resource", "Condition operators", "Single-valued vs. multivalued context keys", "Policy elements:
Variables and tags", "AWS JSON policy elements: Principal" and "NotPrincipal"). Slow, and easy to compare with the text.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

Document = dict[str, Any]
Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """A call: who makes it, on what, and the values of the condition keys (no value: the key is absent)."""

    action: str
    resource: str = "*"
    principal: str = ""
    """`AWS:` and an ARN, `Service:` or `Federated:` and a name."""
    allowed_by_own_policies: bool = True
    """Whether the principal's identity-based policies allow the call, which trust in its account depends on."""
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class UnresolvedError(Exception):
    """A policy variable has no value: nothing is equal to it or like it."""


class UndocumentedError(Exception):
    """AWS documents no answer."""


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def decision(documents: Iterable[Document], request: Request) -> str:
    """Return `denied` for an explicit denial, else `allowed` or `not allowed`."""
    answers = {
        statement["Effect"]
        for document in documents
        for statement in listed(document["Statement"])
        if applies(statement, request, variables=document.get("Version") == "2012-10-17")
    }
    if "Deny" in answers:
        return "denied"
    return "allowed" if "Allow" in answers else "not allowed"


def applies(statement: Statement, request: Request, *, variables: bool = True) -> bool:
    """Return whether a statement is about a request."""
    return (
        names_action(statement, request.action)
        and names_resource(statement, request.resource, request.context, variables)
        and names_principal(statement, request)
        and condition_holds(statement.get("Condition", {}), request.context, variables)
    )


def names_action(statement: Statement, action: str) -> bool:
    key = "Action" if "Action" in statement else "NotAction"
    matches = any(glob(name.lower()).fullmatch(action.lower()) for name in listed(statement[key]))
    return matches == (key == "Action")


def names_resource(statement: Statement, resource: str, context: Mapping[str, Any], variables: bool) -> bool:
    if "Resource" not in statement and "NotResource" not in statement:
        return True
    key = "Resource" if "Resource" in statement else "NotResource"
    matches = False
    for text in listed(statement[key]):
        try:
            matches |= bool(arn_glob(completed(filled(text, context, variables))).fullmatch(resource))
        except UnresolvedError:
            if key == "NotResource":
                raise UndocumentedError from None
    return matches == (key == "Resource")


# patterns


LITERAL = {"*": "\ue100", "?": "\ue101"}
"""Wildcards that are to be taken as characters, while a pattern is put together."""


def filled(text: str, context: Mapping[str, Any], variables: bool) -> str:
    """Return a pattern with its policy variables replaced."""
    if not variables:
        return text

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in ("*", "?"):
            return LITERAL[name]
        if name == "$":
            return "$"
        key, _, default = name.partition(",")
        values = context.get(key.strip().lower(), ())
        if len(values) == 1:
            found = values[0]
        elif not values and default:
            found = default.strip().strip("'")
        else:
            raise UnresolvedError
        return "".join(LITERAL.get(letter, letter) for letter in found)

    return re.sub(r"\$\{([^{}]*)\}", value, text)


@cache
def glob(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(translated(letter, ".*", ".") for letter in pattern), re.DOTALL)


def translated(letter: str, many: str, one: str) -> str:
    if letter in LITERAL.values():
        return re.escape(next(plain for plain, sign in LITERAL.items() if sign == letter))
    return {"*": many, "?": one}.get(letter) or re.escape(letter)


def completed(pattern: str) -> str:
    """Add the missing fields of an incomplete ARN, unless a `*` that ends a field stands for them."""
    fields = pattern.split(":")
    if fields[0] == "arn" and len(fields) < 6 and not any(each.endswith("*") for each in fields):
        fields += ["*"] * (6 - len(fields))
    return ":".join(fields)


@cache
def arn_glob(pattern: str) -> re.Pattern[str]:
    """Resource: a wildcard stays in its field, but for a `*` that ends one, and those in the last of six."""
    if not pattern.startswith("arn:"):
        return glob(pattern)
    fields = pattern.split(":", 5)
    last = fields.pop() if len(fields) == 6 else None
    found = []
    for each in fields:
        body, end = (each[:-1], ".*") if each.endswith("*") else (each, "")
        found.append("".join(translated(letter, "[^:]*", "[^:]") for letter in body) + end)
    if last is not None:
        found.append("".join(translated(letter, ".*", ".") for letter in last))
    return re.compile(":".join(found), re.DOTALL)


# principals

ACCOUNT = re.compile(r"(?:arn:aws:iam::)?(\d{12})(?::root)?")
INSIDE = re.compile(r"AWS:arn:aws:(?:iam|sts)::(\d{12}):.*")
SESSION = re.compile(r"AWS:arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+")


def names_principal(statement: Statement, request: Request) -> bool:
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return True
    if "Principal" in statement:
        return any(is_principal(entry, statement["Effect"], request) for entry in entries(statement["Principal"]))
    named = entries(statement["NotPrincipal"])
    if "*" in named:
        return False
    account = INSIDE.fullmatch(request.principal)
    if account is None:
        return request.principal not in named
    # Exempt is who is named with the account; what becomes of who is named or contained alone, AWS leaves open.
    of_account = any(
        entry.startswith("AWS:") and (match := ACCOUNT.fullmatch(entry[4:])) and match[1] == account[1]
        for entry in named
    )
    inside = [entry for entry in named if (match := INSIDE.fullmatch(entry)) and match[1] == account[1]]
    if request.principal in named and of_account and not SESSION.fullmatch(request.principal):
        return False
    if of_account or request.principal in named or (inside and SESSION.fullmatch(request.principal)):
        raise UndocumentedError
    return True


def entries(value: Any) -> list[str]:
    if value == "*":
        return ["*"]
    found = [f"{kind}:{name}" for kind, names in value.items() for name in listed(names)]
    return ["*" if entry == "AWS:*" else entry for entry in found]


def is_principal(entry: str, effect: str, request: Request) -> bool:
    if entry in ("*", request.principal):
        return True
    inside = INSIDE.fullmatch(request.principal)
    if inside is None or not entry.startswith("AWS:"):
        return False
    if (account := ACCOUNT.fullmatch(entry[4:])) and account[1] == inside[1]:
        return effect == "Deny" or request.allowed_by_own_policies
    session = SESSION.fullmatch(request.principal)
    role = re.fullmatch(r"AWS:arn:aws:iam::(\d{12}):role/(?:.*/)?([^/]+)", entry)
    return bool(session and role and session.groups() == role.groups())


# conditions


def condition_holds(block: Mapping[str, Mapping[str, Any]], context: Mapping[str, Any], variables: bool) -> bool:
    answers = [
        comparison_holds(operator, listed(values), context.get(key.lower(), ()), context, variables)
        for operator, keys in block.items()
        for key, values in keys.items()
    ]
    return all(answers)


def comparison_holds(
    operator: str, wanted: list[Any], given: tuple[str, ...], context: Mapping[str, Any], variables: bool
) -> bool:
    each, _, operator = operator.lower().rpartition(":")
    if operator == "null":
        return ("true" if not given else "false") in [str(value).lower() for value in wanted]
    if_exists = operator.endswith("ifexists")
    operator = operator.removesuffix("ifexists")
    values = []
    for value in wanted:
        with suppress(UnresolvedError):
            values.append(filled(text(value), context, variables))
    negated = "not" in operator
    compare = operator.replace("not", "", 1)

    def holds(value: str) -> bool:
        return any(compares(compare, one, value) for one in values) != negated

    if not given:
        if each == "foranyvalue":
            if if_exists:
                raise UndocumentedError
            return False
        return bool(each) or if_exists or negated
    if each == "forallvalues":
        return all(map(holds, given))
    if each == "foranyvalue":
        return any(map(holds, given))
    if len(given) > 1:
        raise UndocumentedError
    return holds(given[0])


def text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def compares(operator: str, wanted: str, value: str) -> bool:
    """Return whether a value is as a positive operator asks."""
    plain = "".join(next((sign for sign, mark in LITERAL.items() if mark == letter), letter) for letter in wanted)
    if operator == "stringequals":
        return value == plain
    if operator == "stringequalsignorecase":
        return value.lower() == plain.lower()
    if operator == "stringlike":
        return bool(glob(wanted).fullmatch(value))
    if operator in ("arnequals", "arnlike"):
        if wanted == "*":
            return True
        patterns, fields = wanted.split(":", 5), value.split(":", 5)
        if len(patterns) < 6:
            raise UndocumentedError
        return len(fields) == 6 and all(
            glob(pattern).fullmatch(each) for pattern, each in zip(patterns, fields, strict=True)
        )
    if operator == "bool":
        return value.lower() == plain.lower()
    if operator == "binaryequals":
        return value == plain
    if operator == "ipaddress":
        return ipaddress.ip_address(value) in ipaddress.ip_network(plain, strict=False)
    if operator.startswith("numeric"):
        return in_order(operator.removeprefix("numeric"), Decimal(value), Decimal(plain))
    if operator.startswith("date"):
        return in_order(operator.removeprefix("date"), instant(value), instant(plain))
    raise AssertionError(operator)


@cache
def instant(value: str) -> datetime:
    if value.isdecimal():
        return datetime.fromtimestamp(int(value), UTC)
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def in_order(order: str, value: Any, wanted: Any) -> bool:
    answers: dict[str, bool] = {
        "equals": value == wanted,
        "lessthan": value < wanted,
        "lessthanequals": value <= wanted,
        "greaterthan": value > wanted,
        "greaterthanequals": value >= wanted,
    }
    return answers[order]
