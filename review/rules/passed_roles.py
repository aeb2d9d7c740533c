"""The rule about roles that a notebook can pass to Glue although this project does not grant it."""

from collections.abc import Iterator
from dataclasses import replace

from iam.arn import RoleArn
from iam.documents.grants import SETUP_POLICY
from iam.engine import sentences
from iam.engine.decision import Verdict
from iam.engine.some_resource import Requests, SomeResource, decide_some
from iam.engine.statements import Policy
from iam.readiness.passed_roles import PASS_ROLE, requests_of_unknown_arn, requests_to_pass
from iam.role import Role as RoleInIAM
from plans import datasets
from plans.roles import Holdings, PolicyName, Role
from plans.values import Value, attributes, text
from review.own import grants as own_grants
from review.rules.rule import Hit, RoleRule
from review.rules.subject import narrowed, statement_subject

_OWN = PolicyName("inline", SETUP_POLICY.policy_name)
_UNREAD = "the role's other policies"


def _passes_other_roles(role: Role) -> Iterator[Hit]:
    before, after = _opened(role, role.before), _opened(role, role.after)
    if after is None or (before and before.decision.verdict is after.decision.verdict):
        return
    verdict, reason = after.decision
    where = f" on {', '.join(sentences.resource_list(after.statement.resource))}" if after.statement else ""
    if verdict is Verdict.ALLOWED:
        why = f"a notebook can start Glue sessions as other roles: {reason}{where}"
    elif own_grants.adopted(role):
        why = f"whether a notebook can start Glue sessions as other roles is undecided: {reason}{where}"
    else:
        why = (
            f"whether a notebook can start Glue sessions as other roles is undecided: this plan does not read {_UNREAD}"
        )
    passed = after.statement and narrowed(after.statement, actions=[PASS_ROLE.lower()])
    found = statement_subject(passed, trust=False) if passed else (f"{PASS_ROLE.lower()} on other roles",)
    yield Hit(SETUP_POLICY.address, why, found)


def _opened(role: Role, holdings: Holdings) -> SomeResource | None:
    """Return how other policies let a role pass other roles, None if they do not, or if this project itself does."""
    policies = dict(holdings.policies())
    own = policies.get(_OWN)
    if not holdings.exists or own is None or own.policy is None or own.address != SETUP_POLICY.address:
        return None
    requests = _requests(role)
    if decide_some(requests, {str(_OWN): own.policy}).decision.verdict is not Verdict.DENIED:
        return None
    unread: dict[str, Policy | None] = {} if own_grants.adopted(role) else {_UNREAD: None}
    found = decide_some(
        requests, {**{str(name): held.policy for name, held in policies.items()}, **unread}, _limits(holdings.boundary)
    )
    return None if found.decision.verdict is Verdict.DENIED else found


def _requests(role: Role) -> Requests:
    try:
        arn = RoleArn.parse(role.arn)
    except ValueError:
        return requests_of_unknown_arn(role.name)
    known = role.change.values["before"] if role.change else {}
    tags = {key: text(value) for key, value in attributes(known.get("tags")).items()}
    requests = requests_to_pass(RoleInIAM(arn, text(known.get("unique_id")), {}, {}, {}, tags=tags))
    if not text(known.get("unique_id")):
        return replace(requests, context={key: each for key, each in requests.context.items() if key != "aws:userid"})
    return requests


def _limits(boundary: Value) -> dict[str, Policy | None]:
    if boundary == "":
        return {}
    known = datasets.managed_policy(text(boundary))
    return {text(boundary).rpartition("/")[2]: known.policy if known else None}


PASSES_OTHER_ROLES = RoleRule(
    id="other-roles-to-glue",
    severity="medium",
    raised="a role may pass only itself to Glue by this project's policy, and others by another policy, or may do so",
    remedy="`permissions: isolated` denies it, whatever other policies allow; or name the roles in that policy",
    judge=_passes_other_roles,
    kinds=("role",),
)
