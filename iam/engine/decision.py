"""Whether policies let a request through, from their documents alone; what the documents do not settle is undecided.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). Service control policies
and session policies are not seen.
"""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from iam.engine import wildcards
from iam.engine.conditions import Answer, Comparison
from iam.engine.statements import Element, Policy, Statement

Context = Mapping[str, tuple[str, ...]]
"""Values of condition keys by lower-case key. No values: the request has no such key. A key not in it is unknown."""


class Verdict(enum.StrEnum):
    """What becomes of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDECIDED = "undecided"


class Decision(NamedTuple):
    """A verdict, and in words what it rests on."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Request:
    """A call as IAM judges it.

    Attributes:
        action: like `glue:CreateSession`.
        resource: a whole ARN, or `*` for an action without resources.
        context: what is known of the condition keys.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)


def decide(
    request: Request,
    policies: Mapping[str, Policy | None],
    boundary: Mapping[str, Policy | None] | None = None,
) -> Decision:
    """Judge a request by a role's own policies and its permissions boundary.

    Args:
        request: what is asked for.
        policies: identity-based policies by name; None for one that could not be read.
        boundary: the permissions boundary by name, empty or None where there is none.
    """
    boundary = boundary or {}
    sources = {**policies, **{f"the permissions boundary {name}": policy for name, policy in boundary.items()}}
    denials = [_judged(name, policy, "Deny", request) for name, policy in sources.items()]
    if denied := _first(denials, Answer.YES):
        return Decision(Verdict.DENIED, f"{denied.name} denies it")
    grants = [_judged(name, policy, "Allow", request) for name, policy in policies.items()]
    limits = [_judged(f"the permissions boundary {name}", p, "Allow", request) for name, p in boundary.items()]
    granted, limited = _first(grants, Answer.YES), _first(limits, Answer.YES)
    if limits and all(limit.answer is Answer.NO for limit in limits):
        return Decision(Verdict.DENIED, f"{limits[0].name} does not allow it")
    if all(grant.answer is Answer.NO for grant in grants):
        return Decision(Verdict.DENIED, "no policy allows it")
    open_questions = [
        *(f"whether {each.name} denies it{each.doubt}" for each in denials if each.answer is Answer.UNDECIDED),
        *(() if granted else (f"whether {e.name} allows it{e.doubt}" for e in grants if e.answer is Answer.UNDECIDED)),
        *(() if limited else (f"whether {e.name} allows it{e.doubt}" for e in limits if e.answer is Answer.UNDECIDED)),
    ]
    if open_questions:
        return Decision(Verdict.UNDECIDED, "; ".join(open_questions))
    assert granted is not None
    return Decision(Verdict.ALLOWED, f"{granted.name} allows it")


def decide_trust(policy: Policy, service: str) -> Decision:
    """Say whether a trust policy lets an AWS service call `sts:AssumeRole`; a condition leaves it undecided.

    Args:
        policy: a trust policy.
        service: a service principal, like `glue.amazonaws.com`.
    """
    request = Request("sts:AssumeRole", "*")
    denial = _judged("", policy, "Deny", request, service)
    grant = _judged("", policy, "Allow", request, service)
    if denial.answer is Answer.YES:
        return Decision(Verdict.DENIED, f"the trust policy denies it to {service}")
    if grant.answer is Answer.NO:
        return Decision(Verdict.DENIED, f"the trust policy does not name {service}")
    for judged, does in ((denial, "denies"), (grant, "allows")):
        if judged.answer is Answer.UNDECIDED:
            return Decision(Verdict.UNDECIDED, f"whether the trust policy {does} it{judged.doubt}")
    return Decision(Verdict.ALLOWED, f"the trust policy trusts {service}")


class _Judged(NamedTuple):
    name: str
    answer: Answer
    doubt: str = ""


def _first(judged: Iterable[_Judged], answer: Answer) -> _Judged | None:
    return next((each for each in judged if each.answer is answer), None)


def _judged(name: str, policy: Policy | None, effect: str, request: Request, service: str = "") -> _Judged:
    """Say whether a statement of that effect applies to the request."""
    if policy is None:
        return _Judged(name, Answer.UNDECIDED, " is unknown, it could not be read")
    doubts: dict[str, None] = {}
    for statement in policy.statements:
        if statement.effect != effect:
            continue
        match _applies(statement, request, service, doubts):
            case Answer.YES:
                return _Judged(name, Answer.YES)
            case Answer.UNDECIDED:
                continue
    if not doubts:
        return _Judged(name, Answer.NO)
    keys = ", ".join(sorted(policy.spelling.get(key, key) for key in doubts))
    return _Judged(name, Answer.UNDECIDED, f" depends on {keys}")


def _applies(statement: Statement, request: Request, service: str, doubts: dict[str, None]) -> Answer:
    """Say whether a statement applies, and add what that depends on to `doubts` if it is undecided."""
    found: dict[str, None] = {}
    action = request.action.lower()
    answers = [
        _element(statement.action, lambda pattern: _matches(pattern, action, {}, found)),
        _element(statement.resource, lambda pattern: _matches(pattern, request.resource, request.context, found)),
    ]
    if service:
        answers.append(_trusted(statement, service, found))
    answer = _all(answers)
    if answer is not Answer.NO:
        answer = _all([answer, *(_holds(test, request.context, found) for test in statement.condition)])
    if answer is Answer.UNDECIDED:
        doubts.update(found)
    return answer


def _element(element: Element, matches: Callable[[str], Answer]) -> Answer:
    answer = _any(matches(pattern) for pattern in element.patterns)
    return _not(answer) if element.excluded else answer


def _trusted(statement: Statement, service: str, doubts: dict[str, None]) -> Answer:
    principal = statement.principal
    if f"Service:{service}" in principal.patterns:
        return Answer.NO if principal.excluded else Answer.YES
    # a Deny for everybody is one for services too; that an Allow for everybody is, no source says
    if "*" in principal.patterns and statement.effect == "Deny":
        return Answer.YES
    if principal.excluded or "*" in principal.patterns:
        doubts["who NotPrincipal leaves" if principal.excluded else 'what Principal "*" means for services'] = None
        return Answer.UNDECIDED
    return Answer.NO


def _holds(test: Comparison, context: Context, doubts: dict[str, None]) -> Answer:
    """Say whether a comparison of a condition holds in a request."""
    values = context.get(test.key)
    if values is None:
        doubts[test.key] = None
        return Answer.UNDECIDED
    if test.operator == "null":
        return _answer(test.values == {"false" if values else "true"})
    negated = "not" in test.operator
    if not values:
        return _answer(test.if_exists or test.each == "forallvalues" or (negated and test.each != "foranyvalue"))

    def fits(value: str) -> Answer:
        match = _any(_compared(test, wanted, value, context, doubts) for wanted in test.values)
        return _not(match) if negated else match

    if test.each == "forallvalues" or (negated and not test.each):
        return _all(map(fits, values))
    return _any(map(fits, values))


def _compared(test: Comparison, wanted: str, value: str, context: Context, doubts: dict[str, None]) -> Answer:
    match test.operator.replace("not", "", 1):
        case "stringlike":
            return _matches(wanted, value, context, doubts)
        case "arnlike":
            wanted_parts, parts = wanted.split(":", 5), value.split(":", 5)
            if len(wanted_parts) == len(parts):
                pairs = zip(wanted_parts, parts, strict=True)
                return _all(_matches(pattern, part, context, doubts) for pattern, part in pairs)
        case "stringequalsignorecase" | "bool":
            # no variable is filled in: what it stands for would have to lose its case too
            return _matches(wildcards.escape(wanted), value.lower(), {}, doubts)
    doubts[test.key] = None
    return Answer.UNDECIDED


def _matches(pattern: str, value: str, context: Context, doubts: dict[str, None]) -> Answer:
    """Match a value with a pattern, policy variables filled in as far as they are known."""
    filled = "".join(_filled(token, context) for token in wildcards.tokens(pattern))
    literal = wildcards.escape(value)
    if not wildcards.has_variable(filled):
        return _answer(wildcards.covers(filled, literal))
    if not wildcards.overlap(filled, literal):
        return Answer.NO
    doubts.update(dict.fromkeys(token for token in wildcards.tokens(filled) if wildcards.has_variable(token)))
    return Answer.UNDECIDED


def _filled(token: str, context: Context) -> str:
    values = context.get(token[2:-1].strip().lower(), ()) if wildcards.has_variable(token) else ()
    return wildcards.escape(values[0]) if len(values) == 1 else token


def _answer(holds: bool) -> Answer:
    return Answer.YES if holds else Answer.NO


def _not(answer: Answer) -> Answer:
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES}.get(answer, answer)


def _all(answers: Iterable[Answer]) -> Answer:
    found = set(answers)
    return next((each for each in (Answer.NO, Answer.UNDECIDED) if each in found), Answer.YES)


def _any(answers: Iterable[Answer]) -> Answer:
    return _not(_all(map(_not, answers)))
