"""Policy documents as JSON objects, and what documents and engine both ask of them."""

import json
import re
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
"""A policy document, or one of its statements."""

DELETED_PRINCIPAL_ID = "A(ROA|IDA)[A-Z0-9]+"
"""Regular expression, for Python and Terraform, of the unique ID of a role or user.

When a role or user is deleted, IAM shows its unique ID in place of its ARN, in documents that it no longer accepts.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

_ESCAPED = "&<>\u2028\u2029"


def statements(document: Document) -> list[Document]:
    """Return a document's statements; IAM accepts a single object in place of a list."""
    value = document["Statement"]
    return [value] if isinstance(value, dict) else list(value)


def strings(value: str | list[str]) -> list[str]:
    """Return an element's values as a list; IAM accepts a single string in place of a list."""
    return [value] if isinstance(value, str) else list(value)


def size(document: Document) -> int:
    """Return the number of characters that count toward IAM's quotas.

    AWS documents only that white space does not count. Beyond that, this is the most cautious reading, and the length
    of Terraform's `jsonencode(document)`: white space inside strings counts, and each `&`, `<` and `>` counts as the
    six characters of the escape that Terraform sends.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return len(text) + sum(text.count(character) for character in _ESCAPED) * (len(r"\u0026") - 1)


def trusts(document: Document, service: str) -> bool:
    """Return whether a statement of a trust policy allows a service to assume the role, with or without conditions.

    Deny statements are ignored; `iam.engine.decision.decide_trust` evaluates the whole document.

    Args:
        document: a trust policy.
        service: a service principal, such as `glue.amazonaws.com`.
    """
    return any(
        statement["Effect"] == "Allow" and service in _services(statement) and _covers_assume_role(statement)
        for statement in statements(document)
    )


def denials(document: Document, service: str) -> Iterator[str]:
    """Yield the places of the statements that deny a service the role, whatever else allows it.

    Statements with conditions or NotPrincipal are left out: they may leave the service alone, and
    `iam.engine.decision.decide_trust` says on what that depends.

    Args:
        document: a trust policy.
        service: a service principal, such as `glue.amazonaws.com`.
    """
    for index, statement in enumerate(statements(document)):
        principal = statement.get("Principal")
        named = [principal] if isinstance(principal, str) else strings((principal or {}).get("AWS", []))
        if (
            statement["Effect"] == "Deny"
            and not statement.get("Condition")
            and ("*" in named or service in _services(statement))
            and _covers_assume_role(statement)
        ):
            yield place(document, index)


def deleted_principals(document: Document) -> Iterator[tuple[str, str]]:
    """Yield the place and the unique ID of each deleted principal in a trust policy.

    IAM refuses to write a document that names one.
    """
    for index, statement in enumerate(statements(document)):
        for key in ("Principal", "NotPrincipal"):
            principals = statement.get(key)
            names = principals.get("AWS", []) if isinstance(principals, dict) else []
            for name in strings(names):
                if re.fullmatch(DELETED_PRINCIPAL_ID, name):
                    yield f"{place(document, index)}.{key}.AWS", name


def place(document: Document, index: int) -> str:
    """Return the place of a statement in a document, such as `Statement[1]`."""
    return "Statement" if isinstance(document["Statement"], dict) else f"Statement[{index}]"


def _services(statement: Document) -> list[str]:
    principal = statement.get("Principal")
    return strings(principal.get("Service", [])) if isinstance(principal, dict) else []


def _covers_assume_role(statement: Document) -> bool:
    """Return whether a statement's actions cover sts:AssumeRole; IAM ignores case, `*` and `?` are wildcards."""

    def covers(pattern: str) -> bool:
        regex = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(regex, "sts:assumerole") is not None

    if "NotAction" in statement:
        return not any(covers(pattern) for pattern in strings(statement["NotAction"]))
    return any(covers(pattern) for pattern in strings(statement["Action"]))
