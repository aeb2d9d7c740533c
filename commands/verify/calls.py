"""Whether the kernel's calls are allowed: simulated by IAM, or evaluated from the role's policy documents."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from aws.account import Account
from iam.documents.access import Access
from iam.documents.grants import GLUE_TRUST
from iam.engine.decision import Decision, Request, Verdict, decide, decide_trust
from iam.engine.statements import Policy, trust_policy
from iam.readiness.kernel_calls import (
    NO_PERMISSION_NEEDED,
    KernelCall,
    as_studio_sends,
    boundary,
    combined,
    decide_call,
    requests,
    role_policies,
)
from iam.readiness.resource_policies import Resources, Unread, decide_with_resource
from iam.role import Role

if TYPE_CHECKING:
    from mypy_boto3_iam.literals import ContextKeyTypeEnumType
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef

GLUE_ASSUMES = KernelCall("sts:AssumeRole", "role", f"first cell: {GLUE_TRUST.service} assumes the role")
"""Not a call of the kernel, but part of glue:CreateSession. IAM does not simulate trust policies."""

SIMULATION = "iam:SimulatePrincipalPolicy"
DOCUMENTS = "documents"
"""The two ways to evaluate calls."""

_TYPES: "dict[str, ContextKeyTypeEnumType]" = {
    "aws:tagkeys": "stringList",
    "aws:principalisawsservice": "boolean",
    "aws:securetransport": "boolean",
    "aws:viaawsservice": "boolean",
}


Policies = Mapping[str, Policy | None]
"""Policies by their names for people; None for one that could not be read."""


class CallResult(NamedTuple):
    """A call of the kernel and its decision.

    Attributes:
        call: the call.
        decision: the decision.
        whatever_is_granted: whether it is denied for another reason than a missing permission.
        is_readable: whether the decision lacks a policy that the caller could read with more permissions.
    """

    call: KernelCall
    decision: Decision
    whatever_is_granted: bool = False
    is_readable: bool = False


def by_documents(role: Role, *, region: str, access: Access | None = None) -> Iterator[CallResult]:
    """Evaluate the calls from the role's documents, without service control policies; see `requests`."""
    yield from _without_policies(role)
    policies, limits = role_policies(role), boundary(role)
    for call, request in requests(role, region=region, access=access):
        yield CallResult(call, decide_call(request, lambda each: decide(each, policies, limits)))


def by_simulation(account: Account, role: Role, *, region: str, access: Access | None = None) -> list[CallResult]:
    """Evaluate the calls with IAM's simulation; see `requests`.

    Raises:
        BotoCoreError, ClientError: the caller may not simulate, or IAM does not answer.
    """
    policies, limits = role_policies(role), boundary(role)
    kernels: dict[KernelCall, Decision] = {}
    studios: dict[KernelCall, dict[str, Decision]] = {}
    refused: set[KernelCall] = set()
    for (resource, _), group in groupby(_simulated_requests(role, region, access), key=_alike):
        alike = {each.request.action: each for each in group}
        pages = (
            account.client("iam")
            .get_paginator("simulate_principal_policy")
            .paginate(
                PolicySourceArn=str(role.arn),
                ActionNames=list(alike),
                ResourceArns=[resource],
                ContextEntries=list(_context(next(iter(alike.values())).request)),
            )
        )
        for page in pages:
            for result in page["EvaluationResults"]:
                call, tags, request = alike[result["EvalActionName"]]
                decision = _decision(result, decide(request, policies, limits))
                if (request.pattern or request.ranges) and decision.verdict is Verdict.ALLOWED:
                    decision = _on_all(request, policies, limits) or decision
                if _whatever_is_granted(result):
                    refused.add(call)
                if tags:
                    studios.setdefault(call, {})[tags] = decision
                else:
                    kernels[call] = decision
    decided = (
        CallResult(call, combined(decision, studios.get(call, {})), call in refused)
        for call, decision in kernels.items()
    )
    return [*_without_policies(role), *decided]


def with_resource_policies(
    results: Iterable[CallResult],
    role: Role,
    resources: Resources,
    *,
    region: str,
    access: Access | None = None,
) -> Iterator[CallResult]:
    """Yield the results with the policies of buckets, keys and the Data Catalog, which no simulation considers.

    IAM's simulation takes the policy of a resource for users alone, not for roles.

    Args:
        results: what the role's own policies decide.
        role: the role.
        resources: the policies of the resources in the account of the role.
        region: as in `requests`.
        access: as in `requests`.
    """
    by_call = dict(requests(role, region=region, access=access))
    for result in results:
        if request := by_call.get(result.call):
            own = result.decision
            found = decide_with_resource(request, own, role, resources, certain=result.whatever_is_granted)
            refused = result.whatever_is_granted or found.refuses
            yield CallResult(result.call, found.decision, refused, found.unread is Unread.DENIED)
        else:
            yield result


class _Simulated(NamedTuple):
    """A request to simulate: with the kernel's tags alone, or also with Studio's, named as in `STUDIO_TAGS`."""

    call: KernelCall
    tags: str
    request: Request


def _simulated_requests(role: Role, region: str, access: Access | None) -> Iterator[_Simulated]:
    for call, request in requests(role, region=region, access=access):
        yield _Simulated(call, "", request)
    for call, request in requests(role, region=region):
        for tags, each in as_studio_sends(request).items():
            yield _Simulated(call, tags, each)


def _without_policies(role: Role) -> Iterator[CallResult]:
    yield CallResult(NO_PERMISSION_NEEDED, Decision(Verdict.ALLOWED, "it needs no permission"))
    yield CallResult(GLUE_ASSUMES, decide_trust(trust_policy(role.trust_policy), GLUE_TRUST.service))


def _alike(simulated: _Simulated) -> tuple[str, list[tuple[str, tuple[str, ...]]]]:
    return simulated.request.resource, sorted(simulated.request.context.items())


def _context(request: Request) -> "Iterator[ContextEntryTypeDef]":
    for key, values in request.context.items():
        if values:
            yield {
                "ContextKeyName": key,
                "ContextKeyValues": list(values),
                "ContextKeyType": _TYPES.get(key, "string"),
            }


def _decision(result: "EvaluationResultTypeDef", documents: Decision) -> Decision:
    """Return the simulation's decision, or undecided where it depends on keys that the simulation assumes absent."""
    missing = {*result.get("MissingContextValues", ())}
    for each in result.get("ResourceSpecificResults", ()):
        missing.update(each.get("MissingContextValues", ()))
    decision = _simulated(result)
    if not missing or decision.verdict is documents.verdict:
        return decision
    if documents.verdict is Verdict.UNDECIDED:
        return documents
    return Decision(
        Verdict.UNDECIDED, f"the simulation says {decision.verdict} without knowing {', '.join(sorted(missing))}"
    )


def _on_all(request: Request, policies: Policies, limits: Policies) -> Decision | None:
    """Return an undecided decision if the role's policies allow the example that was simulated, not all others."""
    one = decide(replace(request, pattern="", ranges={}), policies, limits)
    several = decide(request, policies, limits)
    return several if one.verdict is Verdict.ALLOWED and several.verdict is not Verdict.ALLOWED else None


def _simulated(result: "EvaluationResultTypeDef") -> Decision:
    sources = ", ".join(dict.fromkeys(each["SourcePolicyId"] for each in result.get("MatchedStatements", ())))
    match result["EvalDecision"]:
        case "allowed":
            return Decision(Verdict.ALLOWED, f"{sources or 'a policy'} allows it")
        case "explicitDeny":
            return Decision(Verdict.DENIED, f"{sources or 'a policy'} denies it")
    if _outside_organization(result):
        return Decision(Verdict.DENIED, "a policy of the organization does not allow it")
    if _outside_boundary(result):
        return Decision(Verdict.DENIED, "the permissions boundary does not allow it")
    return Decision(Verdict.DENIED, "no policy allows it")


def _whatever_is_granted(result: "EvaluationResultTypeDef") -> bool:
    """Return whether a call is denied for another reason than a missing permission."""
    outside = _outside_organization(result) or _outside_boundary(result)
    return result["EvalDecision"] == "explicitDeny" or (result["EvalDecision"] == "implicitDeny" and outside)


def _outside_organization(result: "EvaluationResultTypeDef") -> bool:
    return result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False


def _outside_boundary(result: "EvaluationResultTypeDef") -> bool:
    return result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False
