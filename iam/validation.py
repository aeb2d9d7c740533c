"""What AWS accepts as a policy document: one grammar for each kind of policy.

AWS refuses a document for its form alone: an element that the kind does not have, a misspelt operator, an action
without a service, a principal that is none. Whether a service or an action exists is a question for a list that ages;
it is not asked here.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "IAM policy validation check reference", and the
pages on the elements Sid, Principal, Resource and Condition
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html). Where the guide and recorded
answers of IAM differ, such as on `Id` in an identity-based policy, what either accepts is accepted.
"""

import enum
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from iam.policy_document import DELETED_PRINCIPAL_ID, Document, place, strings
from iam.wording import shown, shown_key


class Kind(enum.Enum):
    """The kinds of policy documents, each with a grammar; the value is its name in messages."""

    IDENTITY = "an identity-based policy"
    TRUST = "a trust policy"
    RESOURCE = "a resource-based policy"


class PolicyError(ValueError):
    """A text is not a policy document; `errors` has one line for each reason, beginning with its place."""

    def __init__(self, *errors: str) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class _Grammar:
    kind: Kind
    elements: tuple[str, ...]
    """The keys of a statement."""
    required: tuple[str, ...]
    """The elements that each statement has, as such or with Not before the name."""
    has_plain_sids: bool
    """Whether a Sid has letters and digits only, and is unique in the document.

    So it is in IAM. KMS and S3 accept spaces, as in KMS's own default key policy.
    """


_PRINCIPALS, _ACTIONS, _RESOURCES = ((element, f"Not{element}") for element in ("Principal", "Action", "Resource"))
_GRAMMARS = {
    Kind.IDENTITY: _Grammar(
        kind=Kind.IDENTITY,
        elements=("Sid", "Effect", *_ACTIONS, *_RESOURCES, "Condition"),
        required=("Action", "Resource"),
        has_plain_sids=True,
    ),
    Kind.TRUST: _Grammar(
        kind=Kind.TRUST,
        elements=("Sid", "Effect", *_PRINCIPALS, *_ACTIONS, "Condition"),
        required=("Principal", "Action"),
        has_plain_sids=True,
    ),
    Kind.RESOURCE: _Grammar(
        kind=Kind.RESOURCE,
        elements=("Sid", "Effect", *_PRINCIPALS, *_ACTIONS, *_RESOURCES, "Condition"),
        required=("Principal", "Action"),  # policies of ECR repositories, for one, have no Resource
        has_plain_sids=False,
    ),
}
_DOCUMENT_KEYS = ("Version", "Id", "Statement")
_PRINCIPAL_KEYS = ("AWS", "Service", "Federated", "CanonicalUser")

_NEGATABLE = ("StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike")
_ORDERED = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = frozenset(
    name.lower()
    for name in (
        *_NEGATABLE,
        *(re.sub("(Equals|Like)", r"Not\1", name, count=1) for name in _NEGATABLE),
        *(f"{family}{order}" for family in ("Numeric", "Date") for order in _ORDERED),
        *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"),
    )
)
"""The condition operators of IAM in lower case, without `ForAnyValue:`, `ForAllValues:` and `IfExists`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

_ACCOUNT = "[0-9]{12}"
_NAME = r"[^*?]+"
_AWS_PRINCIPAL = re.compile(
    rf"\*|{_ACCOUNT}|{DELETED_PRINCIPAL_ID}"
    rf"|arn:aws[a-z-]*:iam::{_ACCOUNT}:(root|role/{_NAME}|user/{_NAME})"
    rf"|arn:aws[a-z-]*:sts::{_ACCOUNT}:(assumed-role/{_NAME}/{_NAME}|federated-user/{_NAME})"
)
"""A user group is no principal, and a wildcard stands for everyone or for nobody, never for a part of a name."""
_RESOURCE_PRINCIPAL = re.compile(rf"arn:aws[a-z-]*:iam::cloudfront:user/{_NAME}|[0-9a-f]{{64}}")
"""What buckets accept in addition: CloudFront's origin access identities, and canonical user IDs."""
_DOMAIN = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
_SERVICE = re.compile(rf"\*|{_DOMAIN}")
_FEDERATED = re.compile(rf"\*|{_DOMAIN}|arn:aws[a-z-]*:iam::{_ACCOUNT}:(oidc|saml)-provider/{_NAME}")

_ACTION = re.compile(r"\*|(\*|[A-Za-z0-9.-]+):[^:]+")
_TRUST_ACTION = re.compile(r"\*|sts:[a-z*?]+", re.IGNORECASE)
_RESOURCE_ARN = re.compile(r"\*|arn:(\*|aws[a-z-]*):[^:]+(:.*)?", re.DOTALL)
_S3_WITH_REGION = ("accesspoint/", "access-grants/", "async-request/", "job/", "storage-lens/", "storage-lens-group/")
"""The resource types of S3 whose ARNs have a region.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""


def parse(text: str, kind: Kind) -> Document:
    """Parse a policy document; statements, their forms and the order of keys stay as they are.

    Everything that AWS accepts is valid: a single statement object, strings or lists, `Deny`, exclusions, conditions,
    either version or none.

    Raises:
        PolicyError: the text is not strict JSON (duplicate keys and `NaN` are errors), or AWS would refuse the
            document.
    """
    try:
        document: Document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        found = tuple(_document_errors(document, _GRAMMARS[kind]))
    except json.JSONDecodeError as error:
        line, column = _error_position(error)
        raise PolicyError(f"supply valid JSON, it has an error at line {line}, column {column}") from None
    except PolicyError:
        raise
    except ValueError:  # int() refuses more than 4,300 digits
        raise PolicyError("supply JSON with numbers of a usable size") from None
    except RecursionError:
        raise PolicyError(f"supply {kind.value}, got JSON nested too deeply") from None
    if found:
        raise PolicyError(*found)
    return document


def errors(text: str, kind: Kind) -> tuple[str, ...]:
    """Return why AWS would refuse a policy document, a line for each reason; empty if it accepts the document."""
    try:
        parse(text, kind)
    except PolicyError as error:
        return error.errors
    return ()


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
            raise PolicyError(f"supply each key once, got {shown(key)} twice in one object")
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise PolicyError(f"supply JSON, got {name}, which JSON does not have")


def _document_errors(document: object, grammar: _Grammar) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"supply a policy document, a JSON object with Statement, got {shown(document)}"
        return
    yield from _unknown_keys(document, "", _DOCUMENT_KEYS, grammar.kind)
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
        yield from _statement_errors(statement, place(document, index), grammar)
    if grammar.has_plain_sids and isinstance(value, list):
        yield from _repeated_sids(value)


def _repeated_sids(statements: list[object]) -> Iterator[str]:
    sids = [str(each["Sid"]) for each in statements if isinstance(each, dict) and each.get("Sid")]
    for sid in dict.fromkeys(sids):
        if sids.count(sid) > 1:
            yield f"Statement: supply a different Sid for each statement, got {shown(sid)} twice"


def _statement_errors(statement: object, at: str, grammar: _Grammar) -> Iterator[str]:
    if not isinstance(statement, dict):
        yield f"{at}: supply a statement, a JSON object, got {shown(statement)}"
        return
    yield from _unknown_keys(statement, f"{at}.", grammar.elements, grammar.kind)
    yield from _sid_errors(statement.get("Sid", ""), f"{at}.Sid", grammar)
    if "Effect" not in statement:
        yield f'{at}.Effect: supply "Allow" or "Deny", the key is missing'
    elif statement["Effect"] not in ("Allow", "Deny"):
        yield f'{at}.Effect: supply "Allow" or "Deny", got {shown(statement["Effect"])}'
    for key in ("Principal", "Action", "Resource"):
        if key not in grammar.elements:
            continue
        given = [name for name in (key, f"Not{key}") if name in statement]
        if len(given) > 1 or (not given and key in grammar.required):
            yield f"{at}: supply either {key} or Not{key}, got {'both' if given else 'neither'}"
        for name in given:
            yield from _element_errors(key, statement[name], f"{at}.{name}", grammar)
    if "Condition" in statement:
        yield from _condition_errors(statement["Condition"], f"{at}.Condition")


def _sid_errors(sid: object, at: str, grammar: _Grammar) -> Iterator[str]:
    if not grammar.has_plain_sids:
        if not isinstance(sid, str):
            yield f"{at}: supply a string, got {shown(sid)}"
    elif not isinstance(sid, str) or not re.fullmatch("[A-Za-z0-9]*", sid):
        yield f"{at}: supply letters and digits, got {shown(sid)}"


def _element_errors(key: str, value: Any, at: str, grammar: _Grammar) -> Iterator[str]:
    if key == "Principal":
        yield from _principal_errors(value, at, grammar)
        return
    found = list(_string_errors(value, at))
    yield from found
    if not found:
        for name in strings(value):
            wrong = _action_error(name, grammar.kind) if key == "Action" else _resource_error(name, grammar.kind)
            if wrong:
                yield f"{at}: {wrong}, got {shown(name)}"


def _action_error(name: str, kind: Kind) -> str:
    """Return what an action has to be, "" if the name is one."""
    match kind:
        case Kind.TRUST:
            return "" if _TRUST_ACTION.fullmatch(name) else 'supply actions of STS, like "sts:AssumeRole"'
        case Kind.IDENTITY | Kind.RESOURCE:
            return "" if _ACTION.fullmatch(name) else 'supply a service and an action, like "s3:GetObject"'
        case never:
            assert_never(never)


def _resource_error(name: str, kind: Kind) -> str:
    """Return what a resource has to be, "" if the name is one.

    IAM completes an ARN of fewer than six fields. Services may accept other names in their own policies, as API
    Gateway does.
    """
    if kind is Kind.IDENTITY and not _RESOURCE_ARN.fullmatch(name):
        return 'supply "*" or an ARN, like "arn:aws:s3:::bucket/*"'
    fields = [*name.split(":", 5), *[""] * 6][:6]
    _, _, service, region, _, resource = fields
    if region and not {"*", "?"} & {*region}:
        if service == "iam":
            return "supply an ARN of IAM without a region"
        if service == "s3" and resource and not resource.startswith(("*", "?", *_S3_WITH_REGION)):
            return "supply an ARN of a bucket or an object without a region"
    return ""


def _principal_errors(principal: object, at: str, grammar: _Grammar) -> Iterator[str]:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        yield f'{at}: supply "*" or an object like {{"Service": "sagemaker.amazonaws.com"}}, got {shown(principal)}'
        return
    yield from _unknown_keys(principal, f"{at}.", _PRINCIPAL_KEYS, grammar.kind)
    for key in principal:
        if key not in _PRINCIPAL_KEYS:
            continue
        found = list(_string_errors(principal[key], f"{at}.{key}"))
        yield from found
        if not found:
            for name in strings(principal[key]):
                if wrong := _name_error(key, name, grammar.kind):
                    yield f"{at}.{key}: {wrong}, got {shown(name)}"


def _name_error(key: str, name: str, kind: Kind) -> str:
    """Return what a principal of a type has to be, "" if the name is one."""
    if key == "Service" and not _SERVICE.fullmatch(name):
        return 'supply a service principal, like "sagemaker.amazonaws.com"'
    if key == "Federated" and not _FEDERATED.fullmatch(name):
        return "supply the ARN of an identity provider, or a domain like cognito-identity.amazonaws.com"
    accepted = _AWS_PRINCIPAL.fullmatch(name) or (kind is Kind.RESOURCE and _RESOURCE_PRINCIPAL.fullmatch(name))
    if key == "AWS" and not accepted:
        return 'supply "*", an account, or the ARN of an account, a role, a user or a session'
    return ""


def _condition_errors(condition: object, at: str) -> Iterator[str]:
    if not isinstance(condition, dict):
        yield f"{at}: supply an object of operators, got {shown(condition)}"
        return
    for operator, keys in condition.items():
        yield from _operator_errors(operator, at)
        if not isinstance(keys, dict):
            yield f"{at}.{shown_key(operator)}: supply an object of condition keys, got {shown(keys)}"
            continue
        for key, values in keys.items():
            yield from _test_errors(key, values, f"{at}.{shown_key(operator)}")


def _operator_errors(operator: str, at: str) -> Iterator[str]:
    each, _, name = operator.lower().rpartition(":")
    known = name in OPERATORS or (name.endswith("ifexists") and name.removesuffix("ifexists") in OPERATORS - {"null"})
    if not known or each not in ("", "foranyvalue", "forallvalues"):
        yield f"{at}: supply condition operators that IAM has, like StringEquals, got {shown(operator)}"


def _test_errors(key: str, values: object, at: str) -> Iterator[str]:
    if ":" not in key:
        yield f'{at}: supply a condition key with its service, like "aws:SourceAccount", got {shown(key)}'
    for value in values if isinstance(values, list) else [values]:
        if not isinstance(value, str | int | float) or value in (math.inf, -math.inf):
            yield f"{at}.{shown_key(key)}: supply strings, numbers or booleans, got {shown(value)}"


def _string_errors(value: object, at: str) -> Iterator[str]:
    if isinstance(value, str) and value:
        return
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        yield f"{at}: supply a string or a list of strings, got {shown(value)}"


def _unknown_keys(keys: Iterable[str], at: str, known: Sequence[str], kind: Kind) -> Iterator[str]:
    for key in keys:
        if key not in known:
            yield f"{at}{shown_key(key)}: no such key in {kind.value}, supply one of {', '.join(known)}"
