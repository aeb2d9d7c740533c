"""What IAM Access Analyzer is asked about policy documents, and what it answers, as values.

Source of the shapes: the API's operations ValidatePolicy and CheckNoNewAccess,
https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_Operations.html
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

PolicyType = Literal["IDENTITY_POLICY", "RESOURCE_POLICY"]

TRUST_POLICY_TYPE = "AWS::IAM::AssumeRolePolicyDocument"
BUCKET_POLICY_TYPE = "AWS::S3::Bucket"
"""The types of resources whose policies ValidatePolicy has checks of their own for, and that a review reads."""

IssueType = Literal["ERROR", "SECURITY_WARNING", "WARNING", "SUGGESTION"]
_ISSUE_TYPES: tuple[IssueType, ...] = get_args(IssueType)

MOST_ISSUES = 100
"""Most issues of one document that are kept."""

_MOST_CHARACTERS = 1_000
"""Most characters of one text of AWS that are kept. The longest message that AWS documents has fewer than 500."""

_MOST_PLACES = 20

_DOCUMENTATION = re.compile(r"https://docs\.(aws\.amazon\.com|amazonaws\.cn)/[A-Za-z0-9_./#-]{1,300}")


class Validation(NamedTuple):
    """The question to ValidatePolicy: what is wrong with a document?"""

    document: str
    policy_type: PolicyType
    resource_type: str = ""
    """The type of the resource it is attached to, "" for the checks of any."""

    @property
    def key(self) -> str:
        """Return what identifies the question without its document."""
        return _digest("ValidatePolicy", *self)


class Comparison(NamedTuple):
    """The question to CheckNoNewAccess: does the document after allow what the one before does not?"""

    before: str
    after: str
    policy_type: PolicyType

    @property
    def key(self) -> str:
        """Return what identifies the question without its documents."""
        return _digest("CheckNoNewAccess", *self)


Question = Validation | Comparison


def _digest(*parts: str) -> str:
    lengths = ",".join(str(len(part)) for part in parts)
    return hashlib.sha256("\0".join([lengths, *parts]).encode(errors="surrogatepass")).hexdigest()


class Place(NamedTuple):
    """A part of a document."""

    path: tuple[str | int, ...]
    """The keys and indexes that lead to it."""
    line: int = 0
    """Its line in the document as the plan has it, from 1; 0 if AWS named none."""

    def __str__(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).removeprefix(".")


class Issue(NamedTuple):
    """A finding of ValidatePolicy, its texts shortened."""

    type: IssueType
    code: str
    details: str
    link: str
    """The address of AWS's explanation, "" if it is not in AWS's documentation."""
    places: tuple[Place, ...]


class NewAccess(NamedTuple):
    """The result of CheckNoNewAccess."""

    passed: bool
    """Whether the document after allows nothing new for certain; AWS: otherwise it "might allow new access"."""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """What Access Analyzer answered; a question without an answer is missing."""

    issues: Mapping[str, tuple[Issue, ...]] = field(default_factory=dict)
    """By key of the validation."""
    comparisons: Mapping[str, NewAccess] = field(default_factory=dict)
    """By key of the comparison."""
    errors: tuple[str, ...] = ()
    """Why questions have no answer, one line for each reason."""


class Advice(NamedTuple):
    """What Access Analyzer says of one policy of a role."""

    issues: tuple[Issue, ...] = ()
    new_access: NewAccess | None = None
    decides: bool = False
    """Whether `new_access` may decide what the engine could not: only if nobody could have forged it."""

    @property
    def gains_nothing(self) -> bool:
        """Whether it is decided that the policy allows nothing that it did not allow before."""
        return self.decides and self.new_access is not None and self.new_access.passed


def issue(finding: Any) -> Issue:
    """Return a finding of ValidatePolicy, in which a type that this project does not know is a security warning.

    Args:
        finding: a `ValidatePolicyFinding` of the API.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(finding, dict):
        raise ValueError("a finding is not an object")
    type_ = shortened(finding.get("findingType"))
    link = shortened(finding.get("learnMoreLink"))
    return Issue(
        type_ if type_ in _ISSUE_TYPES else "SECURITY_WARNING",
        shortened(finding.get("issueCode")) or "UNKNOWN",
        shortened(finding.get("findingDetails")),
        link if _DOCUMENTATION.fullmatch(link) else "",
        tuple(map(_place, _list(finding.get("locations"))[:_MOST_PLACES])),
    )


def new_access(response: Any) -> NewAccess:
    """Return the result in a response of CheckNoNewAccess.

    Raises:
        ValueError: it has none.
    """
    result = response.get("result") if isinstance(response, dict) else None
    if result not in ("PASS", "FAIL"):
        raise ValueError("the response has no result")
    reasons = (shortened(each.get("description")) for each in _list(response.get("reasons")) if isinstance(each, dict))
    return NewAccess(result == "PASS", tuple(filter(None, reasons))[:_MOST_PLACES])


def as_finding(of: Issue) -> dict[str, object]:
    """Return an issue in the shape that `issue` reads."""
    return {
        "findingType": of.type,
        "issueCode": of.code,
        "findingDetails": of.details,
        "learnMoreLink": of.link,
        "locations": [
            {
                "path": [{"index": step} if isinstance(step, int) else {"value": step} for step in place.path],
                "span": {"start": {"line": place.line}},
            }
            for place in of.places
        ],
    }


def as_response(of: NewAccess) -> dict[str, object]:
    """Return a result in the shape that `new_access` reads."""
    reasons = [{"description": reason} for reason in of.reasons]
    return {"result": "PASS" if of.passed else "FAIL", "reasons": reasons}


def _place(location: Any) -> Place:
    """Return a location; a substring of a value is that value."""
    if not isinstance(location, dict):
        raise ValueError("a location is not an object")
    path: list[str | int] = []
    for step in _list(location.get("path"))[:_MOST_PLACES]:
        if not isinstance(step, dict):
            raise ValueError("a step of a path is not an object")
        index: Any = step.get("index")
        if _is_number(index):
            path.append(index)
        elif name := shortened(step.get("value", step.get("key"))):
            path.append(name)
    line: Any = location
    for key in ("span", "start", "line"):
        line = line.get(key) if isinstance(line, dict) else None
    return Place(tuple(path), line if _is_number(line) and line > 0 else 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | None):
        raise ValueError("a list is missing")
    return value or []


def shortened(value: Any) -> str:
    """Return a text of AWS on one line, shortened; "" for what is none."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}…"
