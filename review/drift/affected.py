"""Who is affected by a change of a role's policies: what SageMaker, Glue and the Glue kernel need and no longer get."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from iam.arn import RoleArn
from iam.documents.recipe import GLUE, SAGEMAKER
from iam.engine.decision import Request, Verdict, decide, decide_trust
from iam.engine.statements import Policy
from iam.readiness.kernel_calls import decide_call, requests
from iam.role import Role
from plans import datasets
from plans.values import Attributes, attributes, text
from review.drift.entries import CallsLost, Entry, TrustLost
from review.drift.snapshots import RoleSnapshots, Snapshots

Policies = Mapping[str, Policy | None]

_RANK = {Verdict.DENIED: 0, Verdict.UNDECIDED: 1, Verdict.ALLOWED: 2}


def affected(role: RoleSnapshots, *, region: str) -> Iterator[Entry]:
    """Yield who is allowed less than as last applied.

    A role whose grants were never applied affects nobody.

    Args:
        role: the role.
        region: where Glue sessions run.
    """
    yield from _by_trust(role.trust)
    client = _client(role.attributes)
    if client is None:
        return
    boundary = _boundary(role.attributes)
    # of a role that another stack owns, the plan reads only the grants: other policies may allow the same
    all_read = role.planned is not None and role.planned.change is not None
    state, current, planned = (
        {str(name): held.policy for name, snapshots in role.policies.items() if (held := snapshots[position])}
        for position in range(len(Snapshots._fields))
    )
    if state == current:
        return
    lost: dict[tuple[str, bool, bool], list[str]] = {}
    for call, group in groupby(requests(client, region=region), key=lambda item: replace(item[0], resource="")):
        asked = [request for _, request in group]
        certain = all_read and _verdict(asked, current, boundary) is Verdict.DENIED
        # a policy that is not read, and each role from the console has one, leaves all undecided: the others tell more
        for select in (_all, _read):
            was, is_, will = (_RANK[_verdict(asked, select(held), boundary)] for held in (state, current, planned))
            if is_ < was:
                feature = "" if call.needed else call.when
                lost.setdefault((feature, certain, will >= was), []).append(call.action)
                break
    for (feature, certain, restored), actions in lost.items():
        yield CallsLost(feature, tuple(actions), certain, restored)


def _all(policies: Policies) -> Policies:
    return policies


def _read(policies: Policies) -> Policies:
    return {name: policy for name, policy in policies.items() if policy is not None}


def _verdict(asked: Iterable[Request], policies: Policies, boundary: Policies) -> Verdict:
    """Return the verdict on a call, which may need its action on several resources."""
    verdicts = (decide_call(request, lambda each: decide(each, policies, boundary)).verdict for request in asked)
    return min(verdicts, key=lambda verdict: _RANK[verdict])


def _by_trust(trust: Snapshots) -> Iterator[Entry]:
    state, current, planned = (held.policy if held else None for held in trust)
    if state is None or current is None or planned is None:
        return
    for service in (GLUE, SAGEMAKER):
        was, is_, will = (decide_trust(policy, service).verdict for policy in (state, current, planned))
        if _RANK[is_] < _RANK[was]:
            yield TrustLost(service, is_ is Verdict.UNDECIDED, will is was)


def _client(known: Attributes) -> Role | None:
    """Return the role as the kernel's requests name it; None if the plan does not contain its ARN."""
    try:
        arn = RoleArn.parse(text(known.get("arn")))
    except ValueError:
        return None
    tags = {key: text(value) for key, value in attributes(known.get("tags")).items()}
    unique_id = text(known.get("unique_id"))
    return Role(arn, unique_id, trust_policy={}, inline_policies={}, attached_policies={}, tags=tags)


def _boundary(known: Attributes) -> dict[str, Policy | None]:
    arn = text(known.get("permissions_boundary"))
    if not arn:
        return {}
    policy = datasets.managed_policy(arn)
    return {arn: policy.policy if policy else None}
