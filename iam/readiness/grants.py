"""Which of the recipe's grants a role has, whom else it trusts, and what keeps the grants from working."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from iam import policy_document
from iam.documents.quotas import Quotas
from iam.documents.recipe import (
    GLUE,
    INLINE_POLICY_NAME,
    SAGEMAKER,
    Permissions,
    glue_statement,
    inline_policy,
    managed_policy_arn,
    trust_policy,
    trust_policy_keeping,
)
from iam.engine import sentences
from iam.engine.decision import Decision, Verdict, decide, decide_trust
from iam.engine.difference import difference
from iam.engine.statements import ANYTHING, Policy, Statement, merged, permissions_policy
from iam.engine.statements import trust_policy as trust_of
from iam.policy_document import Document
from iam.readiness.kernel_calls import requests
from iam.role import Role

InlinePolicy = Literal["absent", "recipe", "least-privilege", "other", "unknown"]


@dataclass(frozen=True)
class Grants:
    """The recipe's grants as one role has them.

    Attributes:
        managed_policy: whether the managed policy is attached, None if that could not be read.
        inline_policy: which of the inline policies of our name is there.
        glue_trust: whether the trust policy lets Glue assume the role.
    """

    managed_policy: bool | None
    inline_policy: InlinePolicy
    glue_trust: Decision


def grants(role: Role) -> Grants:
    """Find the recipe's grants on a role."""
    attached = role.attached_policies
    return Grants(
        managed_policy=None if attached is None else managed_policy_arn(role.arn.partition) in attached,
        inline_policy=_inline_policy(role),
        glue_trust=decide_trust(trust_of(role.trust_policy), GLUE),
    )


def declared_inline_policy(role: Role, permissions: Permissions) -> Document:
    """Give the inline policy that a configuration declares for a role."""
    arn = role.arn
    return inline_policy(permissions, partition=arn.partition, account_id=arn.account_id, role_arn=str(arn))


def _inline_policy(role: Role) -> InlinePolicy:
    if role.inline_policies is None:
        return "unknown"
    if INLINE_POLICY_NAME not in role.inline_policies:
        return "absent"
    document = role.inline_policies[INLINE_POLICY_NAME]
    if document is None:
        return "unknown"
    kinds: tuple[Permissions, ...] = ("recipe", "least-privilege")
    live = permissions_policy(document)
    for kind in kinds:
        if not difference([permissions_policy(declared_inline_policy(role, kind))], [live]).changes:
            return kind
    return "other"


def trust_in_words(document: Document) -> list[str]:
    """Say in a sentence each what the statements of a trust policy allow and deny."""
    policy = trust_of(document)
    return [sentences.statement(each, policy.spelling, trust=True) for each in merged(policy.statements)]


def trusted_beside_the_recipe(document: Document) -> list[str]:
    """Name in a fixed order whom a trust policy lets in beside SageMaker and Glue."""
    recipes = {f"Service:{SAGEMAKER}", f"Service:{GLUE}"}
    others = {
        each.principal
        for each in trust_of(document).effect("Allow")
        if each.principal.excluded or not recipes.issuperset(each.principal.patterns)
    }
    return sorted(", ".join(sentences.who_list(each)) for each in others)


def more_than_the_recipe(document: Document) -> bool:
    """Say whether a trust policy has anything that the recipe's own would take away: a principal, an action, a Deny."""
    return not set(trust_of(document).statements) <= set(trust_of(trust_policy()).statements)


def without_glue_statement(document: Document) -> Document:
    """Give a trust policy without the statements that mean what Glue's own does; the rest stays word for word."""
    ours = set(trust_of({"Statement": glue_statement()}).statements)
    statements = policy_document.statements(document)
    kept = [each for each in statements if set(trust_of({"Statement": each}).statements) != ours]
    return {**document, "Statement": kept}


def policies(role: Role) -> dict[str, Policy | None]:
    """Give a role's own policies in their normal form, by a name for people; None for what could not be read."""
    inline = {"its inline policies": None} if role.inline_policies is None else _named("policy", role.inline_policies)
    attached = (
        {"its attached policies": None}
        if role.attached_policies is None
        else _named("policy", {arn.rpartition("/")[2]: each for arn, each in role.attached_policies.items()})
    )
    return {**attached, **inline}


def boundary(role: Role) -> dict[str, Policy | None]:
    """Give a role's permissions boundary like `policies`, empty if it has none."""
    return {arn.rpartition("/")[2]: _parsed(document) for arn, document in role.boundary.items()}


def _named(kind: str, documents: Mapping[str, Document | None]) -> dict[str, Policy | None]:
    return {f"{kind} {name}": _parsed(document) for name, document in documents.items()}


def _parsed(document: Document | None) -> Policy | None:
    return None if document is None else _permissions(json.dumps(document))


@lru_cache(maxsize=1024)
def _permissions(text: str) -> Policy:
    return permissions_policy(text)


_ALLOW_EVERYTHING = Policy((Statement("Allow", ANYTHING, ANYTHING, ANYTHING, frozenset()),))


def denials(role: Role, *, region: str) -> Iterator[str]:
    """Yield, a line each, what denies the kernel's calls whatever is granted: a boundary, an explicit Deny."""
    yield from _denials(role, region, {Verdict.DENIED})


def obstacles(role: Role, *, region: str, quotas: Quotas) -> Iterator[str]:
    """Yield, a line each, what would or may keep the recipe's grants from working or from being made.

    Args:
        role: the role as it is.
        region: where sessions run.
        quotas: those of its account.
    """
    yield from _denials(role, region, {Verdict.DENIED, Verdict.UNDECIDED})
    yield from _exceeded(role, quotas)


def _denials(role: Role, region: str, verdicts: set[Verdict]) -> Iterator[str]:
    granted = {**policies(role), "the grants": _ALLOW_EVERYTHING}
    by_reason: dict[str, list[str]] = {}
    for call, request in requests(role, region=region):
        decision = decide(request, granted, boundary(role))
        if call.needed and decision.verdict in verdicts:
            by_reason.setdefault(decision.reason, []).append(call.action)
    for reason, actions in by_reason.items():
        more = f" and {len(actions) - 2} more of the kernel's calls" if len(actions) > 2 else ""
        yield f"{', '.join(actions[:2])}{more}: {reason}"


def _exceeded(role: Role, quotas: Quotas) -> Iterator[str]:
    found = grants(role)
    attached = len(role.attached_policies or ())
    if found.managed_policy is False and attached >= quotas.attached_policies:
        yield f"{attached} managed policies are attached, the quota is {quotas.attached_policies}"
    if found.inline_policy == "absent" and role.inline_policies is not None:
        documents = [*role.inline_policies.values(), declared_inline_policy(role, "recipe")]
        size = sum(policy_document.size(document) for document in documents if document)
        if size > quotas.inline_policies_characters:
            yield (
                f"inline policies would have {size} characters with the recipe's,"
                f" the quota is {quotas.inline_policies_characters}"
            )
    if found.glue_trust.verdict is not Verdict.ALLOWED:
        size = policy_document.size(trust_policy_keeping(role.trust_policy))
        if size > quotas.trust_policy_characters:
            yield (
                f"the trust policy would have {size} characters with Glue's statement,"
                f" the quota is {quotas.trust_policy_characters}"
            )
    for place, principal in policy_document.deleted_principals(role.trust_policy):
        yield f"the trust policy names a deleted principal, {principal} in {place}: IAM refuses to write it again"


_DATAZONE = "datazone.amazonaws.com"
_UNIFIED_STUDIO_ROLE_NAME = "datazone_usr_role"


def unified_studio_sign(role: Role) -> str | None:
    """Say by what a role shows that SageMaker Unified Studio (DataZone) owns it, None if by nothing.

    Unified Studio makes such roles, writes to them as it likes, and takes the Glue kernels out of its notebooks.
    """
    if role.arn.name.startswith(_UNIFIED_STUDIO_ROLE_NAME):
        return f"it has the name of Unified Studio's own roles, {_UNIFIED_STUDIO_ROLE_NAME}…"
    if any(f"Service:{_DATAZONE}" in each.principal.patterns for each in trust_of(role.trust_policy).effect("Allow")):
        return f"it trusts {_DATAZONE}"
    return None
