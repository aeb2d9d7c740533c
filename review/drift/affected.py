"""Whom a change of a role's policies affects: what SageMaker, Glue and the Glue kernel ask for and no longer get."""

from collections.abc import Iterator, Mapping
from typing import Any

from iam.arn import RoleArn
from iam.documents.recipe import GLUE, SAGEMAKER
from iam.engine.decision import Verdict, decide, decide_trust
from iam.engine.statements import Policy
from iam.readiness.kernel_calls import requests
from iam.role import Role
from plans import datasets
from review.drift.snapshots import Sides, ThreeSides

_BY_TRUST = {
    GLUE: "Glue sessions will be refused",
    SAGEMAKER: "SageMaker cannot run notebooks as the role",
}

AT_MOST = 3
"""How many lost actions are named; the others are counted."""

_WORSE = {Verdict.DENIED: 0, Verdict.UNDECIDED: 1, Verdict.ALLOWED: 2}


def affected(role: ThreeSides, *, region: str) -> Iterator[str]:
    """Yield, a line each, who gets less than before or than after the next apply.

    Only a role that was there before is judged: one whose grants were never applied affects nobody.

    Args:
        role: the role.
        region: where Glue sessions run.
    """
    yield from _by_trust(role.trust)
    client = _client(role.attributes)
    if client is None:
        return
    boundary = _boundary(role.attributes)
    # of a role that another stack owns, the plan reads the grants alone: what else it has may allow the same
    all_read = role.planned is not None and role.planned.change is not None
    by_side = [
        {name: held.policy for name, three in role.policies.items() if (held := three[side])}
        for side in range(len(Sides._fields))
    ]
    if by_side[0] == by_side[1]:
        return
    lost: dict[tuple[str, str], list[str]] = {}
    for call, request in requests(client, region=region):
        state, live, after = (decide(request, policies, boundary).verdict for policies in by_side)
        if _WORSE[live] >= _WORSE[state]:
            continue
        what = "Glue sessions cannot start or run" if call.needed else call.when
        if live is Verdict.UNDECIDED or not all_read:
            what = what.replace("cannot", "may not be able to")
        lost.setdefault((what, "" if after is state else ", and apply does not give it back"), []).append(call.action)
    for (what, doubt), actions in lost.items():
        more = f" and {len(actions) - AT_MOST} more" if len(actions) > AT_MOST else ""
        yield f"{what}: {', '.join(actions[:AT_MOST])}{more} lost{doubt}"


def _by_trust(trust: Sides) -> Iterator[str]:
    policies = [held.policy if held else None for held in trust]
    state, live, after = policies
    if state is None or live is None or after is None:
        return
    for service, refused in _BY_TRUST.items():
        was, is_, will = (decide_trust(policy, service).verdict for policy in (state, live, after))
        if _WORSE[is_] < _WORSE[was]:
            maybe = " or not, which a condition decides" if is_ is Verdict.UNDECIDED else ""
            doubt = "" if will is was else ", and apply does not give it back"
            yield f"{refused}{maybe}: trust lost{doubt}"


def _client(attributes: Mapping[str, Any]) -> Role | None:
    """Return the role as the kernel's requests name it; None where the plan does not tell."""
    try:
        arn = RoleArn.parse(attributes.get("arn") or "")
    except ValueError:
        return None
    unique_id, tags = str(attributes.get("unique_id") or ""), attributes.get("tags") or {}
    return Role(arn, unique_id, trust_policy={}, inline_policies={}, attached_policies={}, tags=tags)


def _boundary(attributes: Mapping[str, Any]) -> dict[str, Policy | None]:
    arn = attributes.get("permissions_boundary")
    if not arn:
        return {}
    known = datasets.managed_policy(arn)
    return {arn: known.policy if known else None}
