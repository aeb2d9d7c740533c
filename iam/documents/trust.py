"""Trust policies of IAM roles as values: read strictly, asked whom they trust, measured."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from iam.wording import shown, shown_key

_DOCUMENT_KEYS = ("Version", "Id", "Statement")
_STATEMENT_KEYS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition")
_PRINCIPAL_KEYS = ("AWS", "Service", "Federated", "CanonicalUser")

# When a role or user is deleted, IAM shows the unique id it had in place of its ARN.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
DELETED_PRINCIPAL_ID = r"A(ROA|IDA)[A-Z0-9]+"
"""Regular expression of a whole principal, for Python as for Terraform."""


class TrustPolicyError(ValueError):
    """A text is no IAM trust policy; `faults` has one line for each reason, beginning with its place."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def parse_trust_policy(text: str) -> dict[str, Any]:
    """Read a trust policy, keeping every statement, form and key order as it stands.

    All that IAM takes is legal: a single statement object, strings or lists, ``Deny``, ``NotPrincipal``,
    conditions, either version or none.

    Raises:
        TrustPolicyError: `text` is not strict JSON (duplicate keys and ``NaN`` are not), or IAM would
            refuse the document.
    """
    try:
        document: dict[str, Any] = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        faults = tuple(_document_faults(document))
    except json.JSONDecodeError as error:
        line, column = _error_position(error)
        raise TrustPolicyError(f"supply valid JSON, it has an error at line {line}, column {column}") from None
    except TrustPolicyError:
        raise
    except ValueError:  # int() refuses more than 4,300 digits
        raise TrustPolicyError("supply JSON with numbers of a usable size") from None
    except RecursionError:
        raise TrustPolicyError("supply a trust policy, got JSON nested too deeply") from None
    if faults:
        raise TrustPolicyError(*faults)
    return document


def _error_position(error: json.JSONDecodeError) -> tuple[int, int]:
    """Return line and column of a JSON error, the same in every Python.

    Python 3.13 reports a trailing comma at the comma, earlier versions after it.
    """
    before = error.doc[: error.pos].rstrip()
    at_comma = before.endswith(",") and error.doc[error.pos : error.pos + 1] in ("}", "]")
    error = json.JSONDecodeError(error.msg, error.doc, len(before) - 1) if at_comma else error
    return error.lineno, error.colno


def statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    """List a document's statements; IAM takes a single object in place of a list."""
    found = document["Statement"]
    return [found] if isinstance(found, dict) else found


def trusts(document: dict[str, Any], service: str) -> bool:
    """Tell whether a statement allows `service`, like ``glue.amazonaws.com``, to assume the role.

    Conditions are not judged, nor are ``Deny`` statements: a service trusted under a condition is trusted.
    """
    return any(
        statement["Effect"] == "Allow" and service in _strings(_services(statement)) and _covers_assume_role(statement)
        for statement in statements(document)
    )


def deleted_principals(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield place and id of each principal that IAM shows by the unique id it had before it was deleted.

    A document that names one can be read but no longer written: IAM refuses it as an invalid principal.
    """
    for index, statement in enumerate(statements(document)):
        for key in ("Principal", "NotPrincipal"):
            principals = statement.get(key)
            named = principals.get("AWS", []) if isinstance(principals, dict) else []
            for principal in _strings(named):
                if re.fullmatch(DELETED_PRINCIPAL_ID, principal):
                    yield f"{_place(document, index)}.{key}.AWS", principal


def size(document: dict[str, Any]) -> int:
    """Count a document's characters as IAM's quotas do: without the white space between its parts."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def _services(statement: dict[str, Any]) -> Any:
    principal = statement.get("Principal")
    return principal.get("Service", []) if isinstance(principal, dict) else []


def _covers_assume_role(statement: dict[str, Any]) -> bool:
    """IAM matches actions without regard to case; ``*`` and ``?`` are its wildcards."""

    def covers(pattern: str) -> bool:
        regex = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(regex, "sts:assumerole") is not None

    if "NotAction" in statement:
        return not any(covers(pattern) for pattern in _strings(statement["NotAction"]))
    return any(covers(pattern) for pattern in _strings(statement["Action"]))


def _strings(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _place(document: dict[str, Any], index: int) -> str:
    return "Statement" if isinstance(document["Statement"], dict) else f"Statement[{index}]"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise TrustPolicyError(f"supply each key once, got {shown(key)} twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise TrustPolicyError(f"supply JSON, got {name}, which JSON does not have")


def _document_faults(document: Any) -> Iterator[str]:
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
    found = document["Statement"]
    if not isinstance(found, dict | list) or not found:
        yield f"Statement: supply at least one statement, got {shown(found)}"
        return
    for index, statement in enumerate([found] if isinstance(found, dict) else found):
        yield from _statement_faults(statement, _place(document, index))
    sids = [s["Sid"] for s in found if isinstance(s, dict) and s.get("Sid")] if isinstance(found, list) else []
    for sid in dict.fromkeys(str(sid) for sid in sids):
        if sids.count(sid) > 1:
            yield f"Statement: supply a Sid of its own for each statement, got {shown(sid)} twice"


def _statement_faults(statement: Any, place: str) -> Iterator[str]:
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
    for key, judge in (("Principal", _principal_faults), ("Action", _action_faults)):
        given = [name for name in (key, f"Not{key}") if name in statement]
        if len(given) != 1:
            wrong = "both" if given else "neither"
            yield f"{place}: supply either {key} or Not{key}, got {wrong}"
        for name in given:
            yield from judge(statement[name], f"{place}.{name}")
    if "Condition" in statement:
        yield from _condition_faults(statement["Condition"], f"{place}.Condition")


def _principal_faults(principal: Any, place: str) -> Iterator[str]:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        yield f'{place}: supply "*" or an object like {{"Service": "sagemaker.amazonaws.com"}}, got {shown(principal)}'
        return
    yield from _unknown_keys(principal, f"{place}.", _PRINCIPAL_KEYS)
    for key in principal:
        if key in _PRINCIPAL_KEYS:
            yield from _string_faults(principal[key], f"{place}.{key}")


def _action_faults(action: Any, place: str) -> Iterator[str]:
    faults = list(_string_faults(action, place))
    yield from faults
    if not faults:
        for name in _strings(action):
            if name != "*" and not re.fullmatch(r"sts:[a-z*?]+", name, re.IGNORECASE):
                yield f'{place}: supply actions of STS, like "sts:AssumeRole", got {shown(name)}'


def _condition_faults(condition: Any, place: str) -> Iterator[str]:
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


def _string_faults(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str) and value:
        return
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        yield f"{place}: supply a string or a list of strings, got {shown(value)}"


def _unknown_keys(found: dict[str, Any], place: str, known: tuple[str, ...]) -> Iterator[str]:
    for key in found:
        if key not in known:
            yield f"{place}{shown_key(key)}: no such key in a trust policy, supply one of {', '.join(known)}"
