"""IAM's rules for policy documents, its quotas, and its error messages.

moto rejects documents that AWS accepts (`Version` 2008-10-17 or none, `sts:SetContext`, numbers in conditions), checks
nothing on CreateRole, and has no quotas. The messages are those that AWS users report.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.iam.exceptions import LimitExceededException, MalformedPolicyDocument
from moto.iam.policy_validation import VALID_CONDITIONS

VERSIONS = ("2012-10-17", "2008-10-17")
PRINCIPAL_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
AWS_PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(role|user|assumed-role|federated-user)/.+)"
)
TRUST_ELEMENTS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
INLINE_POLICIES_CHARACTERS = 10_240
"""All inline policies of one role together, excluding white space. AWS does not raise it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""


def characters(document: str) -> int:
    """Return the size of a policy document as IAM counts it: without white space."""
    return len(re.sub(r"\s", "", document))


@dataclass(frozen=True)
class Quotas:
    """An account's values of the quotas that AWS raises on request; the defaults are AWS's."""

    trust_policy_characters: int = 2048
    attached_policies: int = 10

    def check_trust_policy(self, document: str) -> None:
        """Raise IAM's `LimitExceeded` if a trust policy is too long."""
        if characters(document) > self.trust_policy_characters:
            quota = self.trust_policy_characters
            raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {quota}")

    def check_attached_policies(self, number: int) -> None:
        """Raise IAM's `LimitExceeded` if a role would have too many managed policies."""
        if number > self.attached_policies:
            raise LimitExceededException(f"Cannot exceed quota for PoliciesPerRole: {self.attached_policies}")

    def check_inline_policies(self, role_name: str, documents: list[str]) -> None:
        """Raise IAM's `LimitExceeded` if a role's inline policies would be too long together."""
        if sum(characters(document) for document in documents) > INLINE_POLICIES_CHARACTERS:
            raise LimitExceededException(
                f"Maximum policy size of {INLINE_POLICIES_CHARACTERS} bytes exceeded for role {role_name}"
            )


def check_trust_policy(text: str) -> None:
    """Check a trust policy as IAM does on writes.

    Raises:
        MalformedPolicyDocument: with IAM's own message.
    """
    for statement in check_statements(text):
        if "Resource" in statement or "NotResource" in statement:
            raise MalformedPolicyDocument("Has prohibited field Resource")
        if statement.keys() - TRUST_ELEMENTS:
            raise MalformedPolicyDocument("Syntax errors in policy.")
        _check_principal(statement)
        _check_trust_actions(statement)
        _check_condition(statement.get("Condition", {}))


def check_identity_policy(text: str) -> None:
    """Check an inline policy for errors that moto accepts.

    Raises:
        MalformedPolicyDocument: with IAM's own message.
    """
    for statement in check_statements(text):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise MalformedPolicyDocument("Policy document should not specify a principal.")


def check_statements(text: str) -> list[dict[str, Any]]:
    """Return a policy's statements after the checks that all kinds of policies share.

    Raises:
        MalformedPolicyDocument: with IAM's own message.
    """
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except ValueError:
        raise MalformedPolicyDocument("This policy contains invalid Json") from None
    if not isinstance(document, dict) or document.keys() - {"Version", "Id", "Statement"}:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise MalformedPolicyDocument("Syntax errors in policy.")
    _check_sids(statements)
    return statements


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _check_sids(statements: list[dict[str, Any]]) -> None:
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    for sid in sids:
        if not isinstance(sid, str) or not re.fullmatch("[0-9A-Za-z]*", sid):
            raise MalformedPolicyDocument(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
                "expression [0-9A-Za-z]*"
            )
    if len(set(sids)) < len(sids):
        raise MalformedPolicyDocument("Statement IDs (SID) in a single policy must be unique.")


def _check_principal(statement: dict[str, Any]) -> None:
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        raise MalformedPolicyDocument("Missing required field Principal")
    if "NotPrincipal" in statement and statement["Effect"] == "Allow":
        raise MalformedPolicyDocument("Allow with NotPrincipal is not allowed.")
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise MalformedPolicyDocument("Syntax errors in policy.")
    for kind, names in principal.items():
        if kind not in PRINCIPAL_KINDS:
            raise MalformedPolicyDocument("Syntax errors in policy.")
        for name in _strings(names):
            if not _is_principal(kind, name):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "{kind.upper()}":"{name}"')


def _is_principal(kind: str, name: str) -> bool:
    """Return whether a principal has a valid form; the unique ID of a deleted role (`AROA…`) has not."""
    if kind == "AWS":
        return bool(AWS_PRINCIPAL.fullmatch(name))
    if kind == "Service":
        return bool(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", name))
    return bool(name)


def _check_trust_actions(statement: dict[str, Any]) -> None:
    if ("Action" in statement) == ("NotAction" in statement):
        raise MalformedPolicyDocument("Missing required field Action")
    for action in _strings(statement.get("Action", statement.get("NotAction"))):
        if not action.lower().startswith("sts:"):
            raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_condition(condition: object) -> None:
    if not isinstance(condition, dict):
        raise MalformedPolicyDocument("Syntax errors in policy.")
    for operator, keys in condition.items():
        plain = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:").removesuffix("IfExists")
        if plain not in VALID_CONDITIONS or not isinstance(keys, dict):
            raise MalformedPolicyDocument("Syntax errors in policy.")
        for values in keys.values():
            for value in values if isinstance(values, list) else [values]:
                if not isinstance(value, str | bool | int | float):
                    raise MalformedPolicyDocument("Syntax errors in policy.")


def _strings(value: Any) -> Iterator[str]:
    """Yield a string, or the strings of a non-empty list."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str) for item in values):
        raise MalformedPolicyDocument("Syntax errors in policy.")
    yield from values
