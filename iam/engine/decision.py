"""Whether policies allow a request, from their documents alone; what the documents do not settle is undecided.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html). Service control policies
and session policies are not considered.
"""

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from iam.engine import key_values, pattern_syntax, wildcards
from iam.engine.answers import Answer, all_of, answer, any_of
from iam.engine.conditions import Comparison, Condition
from iam.engine.pattern_syntax import Syntax
from iam.engine.statements import Element, Policy, Statement

Context = Mapping[str, tuple[str, ...]]
"""Values of condition keys by lower-case key. No values: the request has no such key. A key not in it is unknown."""


class Verdict(enum.StrEnum):
    """The answer to a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDECIDED = "undecided"


class Decision(NamedTuple):
    """A verdict, and the reason for it in words."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Request:
    """A call as IAM evaluates it.

    Attributes:
        action: as in `glue:CreateSession`.
        resource: a complete ARN, or `*` for an action without resources.
        context: the condition keys whose values are known.
        pattern: what the resource is an example of; what does not decide alike on all of it is undecided.
        ranges: patterns of what the value of a condition key is an example of; the same holds for them.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    pattern: str = ""
    ranges: Context = field(default_factory=dict)


def decide(
    request: Request,
    policies: Mapping[str, Policy | None],
    boundary: Mapping[str, Policy | None] | None = None,
) -> Decision:
    """Evaluate a request by a role's own policies and its permissions boundary.

    Args:
        request: the call.
        policies: identity-based policies by name; None for one that could not be read.
        boundary: the permissions boundary by name, empty or None where there is none.
    """
    boundary = boundary or {}
    sources = {**policies, **{f"the permissions boundary {name}": policy for name, policy in boundary.items()}}
    denials = [applies(name, policy, "Deny", request) for name, policy in sources.items()]
    if denied := _first(denials, Answer.YES):
        return Decision(Verdict.DENIED, f"{denied.name} denies it")
    grants = [applies(name, policy, "Allow", request) for name, policy in policies.items()]
    limits = [applies(f"the permissions boundary {name}", p, "Allow", request) for name, p in boundary.items()]
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
    """Evaluate whether a trust policy lets an AWS service call `sts:AssumeRole`; a condition leaves it undecided.

    Args:
        policy: a trust policy.
        service: a service principal, as in `glue.amazonaws.com`.
    """
    request = Request("sts:AssumeRole", "*")

    def trusted(statement: Statement, doubts: dict[str, None]) -> Answer:
        return _trusted(statement, service, doubts)

    denial = applies("", policy, "Deny", request, trusted)
    grant = applies("", policy, "Allow", request, trusted)
    if denial.answer is Answer.YES:
        return Decision(Verdict.DENIED, f"the trust policy denies it to {service}")
    if grant.answer is Answer.NO:
        return Decision(Verdict.DENIED, f"the trust policy does not name {service}")
    for found, does in ((denial, "denies"), (grant, "allows")):
        if found.answer is Answer.UNDECIDED:
            return Decision(Verdict.UNDECIDED, f"whether the trust policy {does} it{found.doubt}")
    return Decision(Verdict.ALLOWED, f"the trust policy trusts {service}")


class Applies(NamedTuple):
    """Whether a statement of a policy applies to a request."""

    name: str
    answer: Answer
    doubt: str = ""


def _first(found: Iterable[Applies], answer: Answer) -> Applies | None:
    return next((each for each in found if each.answer is answer), None)


IsAbout = Callable[[Statement, dict[str, None]], Answer]
"""Returns whether a statement is about the caller, and adds what that depends on to the dictionary."""


def applies(
    name: str, policy: Policy | None, effect: str, request: Request, is_about: IsAbout | None = None
) -> Applies:
    """Return whether a statement of a policy applies to a request.

    Args:
        name: the policy's name for people.
        policy: the policy, None if it could not be read.
        effect: that of the statements, `Allow` or `Deny`.
        request: the call.
        is_about: whether a statement is about the caller, for policies that have principals.
    """
    if policy is None:
        return Applies(name, Answer.UNDECIDED, " is unknown, it could not be read")
    doubts: dict[str, None] = {}
    for statement in policy.written:
        if statement.effect == effect and _statement_applies(statement, request, is_about, doubts) is Answer.YES:
            return Applies(name, Answer.YES)
    if not doubts:
        return Applies(name, Answer.NO)
    keys = ", ".join(sorted(policy.spelling.get(key, key) for key in doubts))
    return Applies(name, Answer.UNDECIDED, f" depends on {keys}")


def _statement_applies(
    statement: Statement, request: Request, is_about: IsAbout | None, doubts: dict[str, None]
) -> Answer:
    """Return whether a statement applies, and add what that depends on to `doubts` if it is undecided."""
    found: dict[str, None] = {}
    answers = [
        action_matches(statement, request.action),
        _element(statement.resource, lambda pattern: _matches(pattern, request, found)),
    ]
    if is_about:
        answers.append(is_about(statement, found))
    whole = all_of(answers)
    if whole is not Answer.NO:
        whole = all_of([whole, condition_holds(statement.condition, request.context, found, request.ranges)])
    if whole is Answer.UNDECIDED:
        doubts.update(found)
    return whole


def action_matches(statement: Statement, action: str) -> Answer:
    """Return whether a statement is about an action."""
    name = pattern_syntax.escape(action.lower())
    return _element(statement.action, lambda pattern: answer(wildcards.covers(pattern, name)))


def _element(element: Element, matches: Callable[[str], Answer]) -> Answer:
    found = any_of([matches(pattern) for pattern in element.patterns])
    return ~found if element.excluded else found


def _matches(pattern: str, request: Request, doubts: dict[str, None]) -> Answer:
    pattern = filled(pattern, request.context)
    literal = request.pattern or pattern_syntax.escape(pattern_syntax.without_variables(request.resource))
    if wildcards.covers(pattern, literal, Syntax.RESOURCE):
        return Answer.YES
    unknown = pattern_syntax.variables(pattern)
    if not (unknown or request.pattern) or not wildcards.overlap(pattern, literal, Syntax.RESOURCE):
        return Answer.NO
    doubts.update(dict.fromkeys(sorted(unknown) or ["the resource"]))
    return Answer.UNDECIDED


def filled(pattern: str, context: Context) -> str:
    """Return a pattern with the values of the policy variables that are known."""
    if "${" not in pattern:
        return pattern
    return "".join(_value(token, context) for token in pattern_syntax.tokens(pattern_syntax.canonical(pattern)))


_DEFAULT = re.compile(r"\$\{[^,]+, '(.*)'\}")


def _value(token: str, context: Context) -> str:
    if not pattern_syntax.has_variable(token):
        return token
    values = context.get(pattern_syntax.variable_key(token))
    if values is not None and len(values) == 1:
        return pattern_syntax.escape(pattern_syntax.without_variables(values[0]))
    default = _DEFAULT.fullmatch(token)
    return pattern_syntax.escape(default[1]) if values == () and default else token


def _trusted(statement: Statement, service: str, doubts: dict[str, None]) -> Answer:
    principal = statement.principal
    if f"Service:{service}" in principal.patterns:
        return Answer.NO if principal.excluded else Answer.YES
    # A Deny for everybody is one for services too; no source documents that for an Allow.
    if "*" in principal.patterns and statement.effect == "Deny":
        return Answer.YES
    if principal.excluded or "*" in principal.patterns:
        doubts["who NotPrincipal leaves" if principal.excluded else 'what Principal "*" means for services'] = None
        return Answer.UNDECIDED
    return Answer.NO


def condition_holds(
    condition: Condition, context: Context, doubts: dict[str, None], ranges: Context | None = None
) -> Answer:
    """Return whether a condition holds in a request; one that contradicts itself never does.

    Args:
        condition: the condition.
        context: the known values of condition keys.
        doubts: receives the keys that the answer depends on, if it is undecided.
        ranges: as in `Request`.
    """
    if key_values.possible(condition) is Answer.NO:
        return Answer.NO
    ranges = ranges or {}
    return all_of(
        [
            _holds_on_all(test, context, ranges[test.key], doubts)
            if test.key in ranges
            else _holds(test, context, doubts)
            for test in condition
        ]
    )


def _holds_on_all(test: Comparison, context: Context, patterns: tuple[str, ...], doubts: dict[str, None]) -> Answer:
    """Return whether a comparison holds for all values that one of the patterns matches, or for none of them."""
    known = replace(test, values=frozenset(filled(value, context) for value in test.values))
    one = Comparison("", "stringlike", False, test.key, frozenset(patterns))
    unknown = {variable for value in known.values for variable in pattern_syntax.variables(value)}
    if not unknown:
        for holds, found in ((True, Answer.NO), (False, Answer.YES)):
            if key_values.exists(((one, True), (known, holds)))[0] is Answer.NO:
                return found
    doubts.update(dict.fromkeys(sorted(unknown) or [test.key]))
    return Answer.UNDECIDED


def _holds(test: Comparison, context: Context, doubts: dict[str, None]) -> Answer:
    """Return whether a comparison holds in a request."""
    values = context.get(test.key)
    if values is None:
        if key_values.exists(((test, False),))[0] is Answer.NO:
            return Answer.YES
        doubts[test.key] = None
        return Answer.UNDECIDED
    if not values:
        found = answer(test.holds_absent())
    else:
        known = replace(test, values=frozenset(filled(value, context) for value in test.values))
        every = test.each == "forallvalues" or (test.negated and not test.each)
        found = (all_of if every else any_of)([key_values.matches(known, value) for value in values])
    if found is Answer.UNDECIDED:
        unknown = {variable for value in test.values for variable in pattern_syntax.variables(filled(value, context))}
        doubts.update(dict.fromkeys(sorted(unknown) or [test.key]))
    return found
