"""Whether the policy of a resource, such as a bucket's, leaves a session of a role what the role's policies allow.

Source: IAM User Guide, "Policy evaluation logic" and "AWS JSON policy elements: Principal". Resource control policies
are not considered.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from iam.engine.answers import Answer, answer
from iam.engine.decision import Decision, Request, Verdict, applies
from iam.engine.statement_sets import principal_matches
from iam.engine.statements import Element, Policy, Statement


@dataclass(frozen=True)
class RoleSession:
    """A session of a role, whatever its name.

    Attributes:
        role_arn: ARN of the role.
        unique_id: unique ID of the role, which stands for its ARN in policies.
        is_bounded: whether the role has a permissions boundary.
    """

    role_arn: str
    unique_id: str
    is_bounded: bool = False


class Granting(NamedTuple):
    """What the decision of a role's policies would be if one of them allowed everything.

    Attributes:
        beyond: without regard to what the permissions boundary does not allow; what it denies counts.
        within: within the boundary.
    """

    beyond: Decision
    within: Decision


def decide_by_resource(
    request: Request,
    own: Decision,
    policies: dict[str, Policy],
    session: RoleSession,
    *,
    must_allow: bool,
    granting: Granting | None = None,
) -> Decision:
    """Return the decision on a request, from that of the role's own policies and from the resource's policy.

    Args:
        request: the call; its context has what is known of the resource too.
        own: the decision of the role's policies.
        policies: the policy of the resource by a name for people; empty if it has none.
        session: who calls, in the account of the resource.
        must_allow: whether the resource's policy has to allow it too, as that of a KMS key.
        granting: what a resource's policy that allows the role leaves; None if `own` is the last word.
    """

    def trusted(statement: Statement, doubts: dict[str, None]) -> Answer:
        found = _is_about(statement, session)
        if found is Answer.UNDECIDED:
            doubts["whom its principals name"] = None
        return found

    denials = [applies(name, policy, "Deny", request, trusted) for name, policy in policies.items()]
    for each in denials:
        if each.answer is Answer.YES:
            return Decision(Verdict.DENIED, f"{each.name} denies it")
    if own.verdict is not Verdict.ALLOWED:
        outside = granting is not None and granting.within.verdict is Verdict.DENIED
        granted = _granted(request, policies, session, outside=outside) if granting else None
        if granting is None or granted is None or granting.beyond.verdict is Verdict.DENIED:
            return own
        doubts = [each for each in (granted, *granting) if each.verdict is Verdict.UNDECIDED]
        if (own.verdict is Verdict.UNDECIDED and doubts) or (outside and not doubts):
            return own
        if doubts:
            return doubts[0]
        own, must_allow = granted, False
    for each in denials:
        if each.answer is Answer.UNDECIDED:
            return Decision(Verdict.UNDECIDED, f"whether {each.name} denies it{each.doubt}")
    if not must_allow:
        return own
    for name, policy in policies.items():
        grant = applies(name, policy, "Allow", request, trusted)
        if grant.answer is not Answer.YES:
            doubt = grant.doubt if grant.answer is Answer.UNDECIDED else " depends on its grants: its statements do not"
            return Decision(Verdict.UNDECIDED, f"whether {name} allows it{doubt}")
    return own


def _granted(request: Request, policies: dict[str, Policy], session: RoleSession, *, outside: bool) -> Decision | None:
    """Return whether a resource's policy allows a request to the role itself and not just to its account.

    What the permissions boundary does not allow (`outside`) holds for the role, but not for a session that is named
    itself, nor for "*" with a condition on aws:PrincipalArn; of "*" alone, AWS does not document it.
    """

    def named(statement: Statement, doubts: dict[str, None]) -> Answer:
        everyone = statement.principal.excluded
        of_account = f"AWS:{session.role_arn.split(':')[4]}"
        own = statement.principal.patterns if everyone else [p for p in statement.principal.patterns if p != of_account]
        if not own:
            return Answer.NO
        found = _is_about(statement._replace(principal=Element(tuple(own), everyone)), session)
        if found is Answer.UNDECIDED or (found is Answer.YES and (everyone or (outside and "*" in own))):
            doubts["whom its principals name"] = None
            return Answer.UNDECIDED
        return found

    for name, policy in policies.items():
        grant = applies(name, policy, "Allow", request, named)
        if grant.answer is Answer.YES:
            return Decision(Verdict.ALLOWED, f"{name} allows it")
        if grant.answer is Answer.UNDECIDED:
            return Decision(Verdict.UNDECIDED, f"whether {name} allows it{grant.doubt}")
    return None


_SESSIONS = re.compile(r"AWS:arn:[\w-]+:sts::(\d{12}):assumed-role/([^/]+)/.+")


def _is_about(statement: Statement, session: RoleSession) -> Answer:
    """Return whether a statement is about a role session.

    An account that is allowed leaves it to the role's own policies, which allow it where that matters here. A Deny with
    NotPrincipal is about every role with a permissions boundary, as AWS documents, and spares only sessions that it
    names with their role and their account: the name of a session is not known here.
    """
    _, _, _, _, account, role = session.role_arn.split(":", 5)
    principal = statement.principal
    if principal.excluded and statement.effect == "Deny" and session.is_bounded:
        return Answer.YES
    found = answer(principal_matches(statement.effect, principal, f"AWS:{session.role_arn}"))
    if principal.excluded:
        spares = [each for each in principal.patterns if _may_be(each, account, role, session.unique_id)]
        return Answer.UNDECIDED if spares or found is Answer.NO else found
    if found is Answer.YES:
        return found
    for pattern in principal.patterns:
        if pattern == f"AWS:{session.unique_id}" or (statement.effect == "Allow" and pattern == f"AWS:{account}"):
            return Answer.YES
    doubtful = any(_may_be(each, account, role, session.unique_id) for each in principal.patterns)
    return Answer.UNDECIDED if doubtful else found


def _may_be(pattern: str, account: str, role: str, unique_id: str) -> bool:
    """Return whether a principal may be a session of the role, or stand for the role or its account."""
    sessions = _SESSIONS.fullmatch(pattern)
    return (
        pattern.startswith("CanonicalUser:")  # may be the account's
        or pattern == f"AWS:{unique_id}"
        or bool(sessions and sessions.groups() == (account, role.rpartition("/")[2]))
    )
