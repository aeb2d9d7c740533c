"""Whether the policy of a resource, such as a bucket's, leaves a session of a role what the role's policies allow.

Source: IAM User Guide, "Policy evaluation logic" and "AWS JSON policy elements: Principal". Resource control policies
are not considered.
"""

import re
from dataclasses import dataclass

from iam.engine.answers import Answer, answer
from iam.engine.decision import Decision, Request, Verdict, applies
from iam.engine.statement_sets import principal_matches
from iam.engine.statements import Policy, Statement


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


def decide_by_resource(
    request: Request, own: Decision, policies: dict[str, Policy], session: RoleSession, *, must_allow: bool
) -> Decision:
    """Return the decision on a request, from that of the role's own policies and from the resource's policy.

    Args:
        request: the call; its context has what is known of the resource too.
        own: the decision of the role's policies.
        policies: the policy of the resource by a name for people; empty if it has none.
        session: who calls, in the account of the resource.
        must_allow: whether the resource's policy has to allow it too, as that of a KMS key.
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
        return own
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


_SESSIONS = re.compile(r"AWS:arn:[\w-]+:sts::(\d{12}):assumed-role/([^/]+)/.+")


def _is_about(statement: Statement, session: RoleSession) -> Answer:
    """Return whether a statement is about a role session.

    An account that is allowed leaves it to the role's own policies, which allow it where that matters here. A Deny with
    NotPrincipal is about every role with a permissions boundary, as AWS documents.
    """
    _, _, _, _, account, role = session.role_arn.split(":", 5)
    principal = statement.principal
    if principal.excluded and statement.effect == "Deny" and session.is_bounded:
        return Answer.YES
    found = answer(principal_matches(statement.effect, principal, f"AWS:{session.role_arn}"))
    if found is (Answer.NO if not principal.excluded else Answer.YES):
        for pattern in principal.patterns:
            sessions = _SESSIONS.fullmatch(pattern)
            if pattern.startswith("CanonicalUser:"):  # may be the account's
                return Answer.UNDECIDED
            if sessions and sessions.groups() == (account, role.rpartition("/")[2]):
                return Answer.UNDECIDED
            if pattern == f"AWS:{session.unique_id}" or (statement.effect == "Allow" and pattern == f"AWS:{account}"):
                return Answer.UNDECIDED if principal.excluded else Answer.YES
    return found
