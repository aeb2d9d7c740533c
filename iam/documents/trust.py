"""Trust policies that a configuration keeps: parsed strictly, and validated as IAM would."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from iam.policy_document import Document, strings
from iam.policy_document import place as statement_place
from iam.wording import shown, shown_key

_DOCUMENT_KEYS = ("Version", "Id", "Statement")
_STATEMENT_KEYS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition")
_PRINCIPAL_KEYS = ("AWS", "Service", "Federated", "CanonicalUser")


class TrustPolicyError(ValueError):
    """A text is not an IAM trust policy; `errors` has one line for each reason, beginning with its place."""

    def __init__(self, *errors: str) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def parse_trust_policy(text: str) -> Document:
    """Parse a trust policy; statements, their forms and the order of keys stay as they are.

    Everything that IAM accepts is valid: a single statement object, strings or lists, `Deny`, `NotPrincipal`,
    conditions, either version or none.

    Raises:
        TrustPolicyError: the text is not strict JSON (duplicate keys and `NaN` are errors), or IAM would refuse the
            document.
    """
    try:
        document: Document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        errors = tuple(_document_errors(document))
    except json.JSONDecodeError as error:
        line, column = _error_position(error)
        raise TrustPolicyError(f"supply valid JSON, it has an error at line {line}, column {column}") from None
    except TrustPolicyError:
        raise
    except ValueError:  # int() refuses more than 4,300 digits
        raise TrustPolicyError("supply JSON with numbers of a usable size") from None
    except RecursionError:
        raise TrustPolicyError("supply a trust policy, got JSON nested too deeply") from None
    if errors:
        raise TrustPolicyError(*errors)
    return document


def _error_position(error: json.JSONDecodeError) -> tuple[int, int]:
    """Return line and column of a JSON error, the same in every Python.

    Python 3.13 reports a trailing comma at the comma, earlier versions after it.
    """
    before = error.doc[: error.pos].rstrip()
    at_comma = before.endswith(",") and error.doc[error.pos : error.pos + 1] in ("}", "]")
    error = json.JSONDecodeError(error.msg, error.doc, len(before) - 1) if at_comma else error
    return error.lineno, error.colno


def _unique(pairs: list[tuple[str, Any]]) -> Document:
    found: Document = {}
    for key, value in pairs:
        if key in found:
            raise TrustPolicyError(f"supply each key once, got {shown(key)} twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise TrustPolicyError(f"supply JSON, got {name}, which JSON does not have")


def _document_errors(document: object) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"supply a policy document, a JSON object with Statement, got {shown(document)}"
        return
    yield from _unknown_keys(document, "", _DOCUMENT_KEYS)
    if document.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        yield f'Version: supply "2012-10-17" or "2008-10-17", got {shown(document["Version"])}'
    if not isinstance(document.get("Id", ""), str):
        yield f"Id: supply a string, got {shown(document['Id'])}"
    if "Statement" not in document:
        yield "Statement: supply at least one statement, the key is missing"
        return
    value = document["Statement"]
    if not isinstance(value, dict | list) or not value:
        yield f"Statement: supply at least one statement, got {shown(value)}"
        return
    for index, statement in enumerate([value] if isinstance(value, dict) else value):
        yield from _statement_errors(statement, statement_place(document, index))
    sids = [s["Sid"] for s in value if isinstance(s, dict) and s.get("Sid")] if isinstance(value, list) else []
    for sid in dict.fromkeys(str(sid) for sid in sids):
        if sids.count(sid) > 1:
            yield f"Statement: supply a different Sid for each statement, got {shown(sid)} twice"


def _statement_errors(statement: object, place: str) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield f"{place}: supply a statement, a JSON object, got {shown(statement)}"
        return
    yield from _unknown_keys(statement, f"{place}.", _STATEMENT_KEYS)
    sid = statement.get("Sid", "")
    if not isinstance(sid, str) or not re.fullmatch("[A-Za-z0-9]*", sid):
        yield f"{place}.Sid: supply letters and digits, got {shown(sid)}"
    if "Effect" not in statement:
        yield f'{place}.Effect: supply "Allow" or "Deny", the key is missing'
    elif statement["Effect"] not in ("Allow", "Deny"):
        yield f'{place}.Effect: supply "Allow" or "Deny", got {shown(statement["Effect"])}'
    for key, check in (("Principal", _principal_errors), ("Action", _action_errors)):
        given = [name for name in (key, f"Not{key}") if name in statement]
        if len(given) != 1:
            wrong = "both" if given else "neither"
            yield f"{place}: supply either {key} or Not{key}, got {wrong}"
        for name in given:
            yield from check(statement[name], f"{place}.{name}")
    if "Condition" in statement:
        yield from _condition_errors(statement["Condition"], f"{place}.Condition")


def _principal_errors(principal: object, place: str) -> Iterator[str]:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        yield f'{place}: supply "*" or an object like {{"Service": "sagemaker.amazonaws.com"}}, got {shown(principal)}'
        return
    yield from _unknown_keys(principal, f"{place}.", _PRINCIPAL_KEYS)
    for key in principal:
        if key in _PRINCIPAL_KEYS:
            yield from _string_errors(principal[key], f"{place}.{key}")


def _action_errors(action: Any, place: str) -> Iterator[str]:
    errors = list(_string_errors(action, place))
    yield from errors
    if not errors:
        for name in strings(action):
            if name != "*" and not re.fullmatch(r"sts:[a-z*?]+", name, re.IGNORECASE):
                yield f'{place}: supply actions of STS, like "sts:AssumeRole", got {shown(name)}'


def _condition_errors(condition: object, place: str) -> Iterator[str]:
    if not isinstance(condition, dict):
        yield f"{place}: supply an object of operators, got {shown(condition)}"
        return
    for operator, keys in condition.items():
        at = f"{place}.{shown_key(operator)}"
        if not isinstance(keys, dict) or not keys:
            yield f"{at}: supply an object of condition keys, got {shown(keys)}"
            continue
        for key, values in keys.items():
            for value in values if isinstance(values, list) else [values]:
                if not isinstance(value, str | int | float) or value in (math.inf, -math.inf):
                    yield f"{at}.{shown_key(key)}: supply strings, numbers or booleans, got {shown(value)}"


def _string_errors(value: object, place: str) -> Iterator[str]:
    if isinstance(value, str) and value:
        return
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        yield f"{place}: supply a string or a list of strings, got {shown(value)}"


def _unknown_keys(keys: Iterable[str], place: str, known: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        if key not in known:
            yield f"{place}{shown_key(key)}: no such key in a trust policy, supply one of {', '.join(known)}"
