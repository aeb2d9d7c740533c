"""The rules about grants that a release does not remove."""

from collections.abc import Iterator, Sequence

from iam.documents.grants import GLUE_TRUST, LIVE_ROLE_ADDRESS, PolicyGrant
from plans.plan import Plan
from review.own.staying import staying_grants
from review.rules.rule import Hit, PlanRule
from review.rules.subject import subject, token


def _stays(plan: Plan) -> Iterator[Hit]:
    if grants := staying_grants(plan).certain:
        why = (
            f"the role keeps {_names(grants)}, which its configuration does not grant: the state does not have them, so"
            " this plan does not delete them"
        )
        yield Hit(GLUE_TRUST.address, why, subject(token(grant.policy_name) for grant in grants))


def _may_stay(plan: Plan) -> Iterator[Hit]:
    if grants := staying_grants(plan).undecided:
        why = (
            f"the role is released, and whether it keeps {_names(grants)} is undecided: the state does not have them,"
            " and this plan does not read the role's policies"
        )
        yield Hit(LIVE_ROLE_ADDRESS, why, subject(token(grant.policy_name) for grant in grants))


def _names(grants: Sequence[PolicyGrant]) -> str:
    return " and ".join(grant.policy_name for grant in grants)


STAYS = PlanRule(
    id="grants-stay",
    severity="high",
    raised="a role keeps what its configuration does not grant, above all a released one, because its state lacks it",
    remedy=(
        "`./glue-sessions apply STACK` imports what stays, and then deletes it; without a terminal, configure the role"
        " again (without `released`), apply, then take it away; if others grant it now, delete the role's entry in"
        " glue-sessions.yaml"
    ),
    judge=_stays,
)

MAY_STAY = PlanRule(
    id="grants-may-stay",
    severity="low",
    raised="a released role that another stack owns may keep grants: the plan does not read its policies",
    remedy="`verify` reads the role's policies; once it says that the role is released, delete the role's"
    " entry in glue-sessions.yaml",
    judge=_may_stay,
)
