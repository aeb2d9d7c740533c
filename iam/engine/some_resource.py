"""Whether policies allow an action on some resource of a kind, without naming one.

`decide` evaluates a request on one resource. Here the resource is a set: what one pattern matches and others do not.
Everything else of the request is known, so that each statement applies to it, does not, or may, and only resources are
left to compare: exact, by `wildcards.exists`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from iam.engine import pattern_syntax, wildcards
from iam.engine.answers import Answer
from iam.engine.decision import Context, Decision, Verdict, action_matches, condition_holds, filled
from iam.engine.pattern_syntax import Syntax
from iam.engine.statements import ANYTHING, Element, Policy, Statement
from iam.engine.wildcards import Union


@dataclass(frozen=True)
class Requests:
    """Calls of one action that differ in their resource alone.

    Attributes:
        action: as in `iam:PassRole`.
        resources: the pattern of the resources.
        other_than: patterns of resources to leave out.
        context: the condition keys whose values are known, as in `decision.Request`.
    """

    action: str
    resources: str
    other_than: tuple[str, ...]
    context: Context = field(default_factory=dict)


class SomeResource(NamedTuple):
    """Whether one of the requests is allowed, and the Allow statement by which it is, or may be."""

    decision: Decision
    statement: Statement | None = None


class _Applies(NamedTuple):
    """A statement that applies to the requests whose resource it matches, or may; all there is of an unread policy."""

    policy: str
    statement: Statement | None
    resource: Element
    doubt: str
    """On what it depends whether it applies, "" if it certainly does."""


def decide_some(
    requests: Requests,
    policies: Mapping[str, Policy | None],
    boundary: Mapping[str, Policy | None] | None = None,
) -> SomeResource:
    """Evaluate whether a role's own policies and its permissions boundary allow one of the requests.

    Args:
        requests: the calls.
        policies: identity-based policies by name; None for one that could not be read.
        boundary: the permissions boundary by name, empty or None where there is none.
    """
    limits = {f"the permissions boundary {name}": policy for name, policy in (boundary or {}).items()}
    denials = [*_applying({**policies, **limits}, "Deny", requests)]
    grants = [*_applying(policies, "Allow", requests)]
    bounds = [*_applying(limits, "Allow", requests)] if limits else [_Applies("", None, ANYTHING, "")]
    pairs = [(grant, bound) for grant in grants for bound in bounds]
    widest = [denial._replace(resource=_widest(denial.resource)) for denial in denials]
    for grant, bound in pairs:
        if not grant.doubt and not bound.doubt and _exists(requests, (grant, bound), widest) is Answer.YES:
            return SomeResource(Decision(Verdict.ALLOWED, f"{grant.policy} allows it"), grant.statement)
    certain = [denial for denial in denials if not denial.doubt]
    for grant, bound in pairs:
        if _exists(requests, (grant, bound), certain) is not Answer.NO:
            return SomeResource(Decision(Verdict.UNDECIDED, _reason(grant, bound, denials)), grant.statement)
    if any(_exists(requests, pair, ()) is not Answer.NO for pair in pairs):
        names = " and ".join(dict.fromkeys(denial.policy for denial in certain))
        return SomeResource(Decision(Verdict.DENIED, f"{names} denies it"))
    if limits and any(_exists(requests, (grant,), ()) is not Answer.NO for grant in grants):
        return SomeResource(Decision(Verdict.DENIED, f"{' and '.join(limits)} does not allow it"))
    return SomeResource(Decision(Verdict.DENIED, "no policy allows it"))


def _applying(policies: Mapping[str, Policy | None], effect: str, requests: Requests) -> Iterator[_Applies]:
    for name, policy in policies.items():
        if policy is None:
            yield _Applies(name, None, ANYTHING, " is unknown, it could not be read")
            continue
        for statement in policy.written:
            if statement.effect != effect or action_matches(statement, requests.action) is Answer.NO:
                continue
            doubts: dict[str, None] = {}
            holds = condition_holds(statement.condition, requests.context, doubts)
            if holds is not Answer.NO:
                resource = _filled(statement.resource, requests.context)
                doubts.update(dict.fromkeys(sorted(_variables(resource))))
                keys = ", ".join(sorted(policy.spelling.get(key, key) for key in doubts))
                yield _Applies(name, statement, resource, f" depends on {keys}" if doubts else "")


def _filled(resource: Element, context: Context) -> Element:
    return Element(tuple(filled(pattern, context) for pattern in resource.patterns), resource.excluded)


def _widest(resource: Element) -> Element:
    """Return a denial's resources, and whatever its policy variables may stand for."""
    if resource.excluded:
        literal = (pattern for pattern in resource.patterns if not pattern_syntax.has_variable(pattern))
        return Element(tuple(literal), excluded=True)
    return Element(tuple(_open(pattern) for pattern in resource.patterns))


def _open(pattern: str) -> str:
    unknown = pattern_syntax.variables(pattern)
    return "".join(
        "*" if token in unknown else token for token in pattern_syntax.tokens(pattern_syntax.canonical(pattern))
    )


def _variables(resource: Element) -> Iterator[str]:
    return (variable for pattern in resource.patterns for variable in pattern_syntax.variables(pattern))


def _exists(requests: Requests, matched: Iterable[_Applies], denials: Sequence[_Applies]) -> Answer:
    """Return whether all of `matched` and none of `denials` match some resource."""
    required = [_union([requests.resources])]
    excluded = set(_union(requests.other_than))
    for each in matched:
        if each.resource.excluded:
            excluded.update(_union(each.resource.patterns))
        else:
            required.append(_union(each.resource.patterns))
    for denial in denials:
        if denial.resource.excluded:
            required.append(_union(denial.resource.patterns))
        else:
            excluded.update(_union(denial.resource.patterns))
    found, _ = wildcards.exists(tuple(dict.fromkeys(required)), tuple(sorted(excluded, key=str)))
    return found


def _union(patterns: Iterable[str]) -> Union:
    return tuple((pattern, Syntax.RESOURCE) for pattern in sorted(patterns))


def _reason(grant: _Applies, bound: _Applies, denials: Iterable[_Applies]) -> str:
    open_questions = [
        *(f"whether {each.policy} denies it{each.doubt}" for each in denials if each.doubt),
        *(f"whether {each.policy} allows it{each.doubt}" for each in (grant, bound) if each.doubt),
    ]
    return "; ".join(dict.fromkeys(open_questions)) or f"the resources of {grant.policy} are too many to compare"
