"""Rules about the trust policy: who may assume the role, and who no longer may."""

import re
from collections.abc import Iterator
from itertools import takewhile

from iam.documents.recipe import GLUE, SAGEMAKER
from iam.engine import pattern_syntax
from iam.engine.conditions import Condition
from iam.engine.decision import Decision, Verdict, decide_trust
from iam.engine.statements import Policy, Statement
from iam.policy_document import DELETED_PRINCIPAL_ID
from plans.roles import Role, allowed
from review.own import grants as own_grants
from review.rules.rule import Hit, RoleRule, change_sentence, persists, trust_sentence
from review.rules.subject import Subject, change_subject, narrowed, statement_subject, subject

NEEDED_SERVICES = (GLUE, SAGEMAKER)
"""The services that an execution role with Glue interactive sessions has to trust, without conditions."""


def _lost(role: Role) -> Iterator[Hit]:
    if persists(role):
        released = own_grants.released(role)
        for change in role.trust.changes:
            if change.restricts and change not in released:
                sentence = change_sentence(change, role.trust, trust=True)
                yield Hit(role.address, sentence, change_subject(change, trust=True))


LOST = RoleRule(
    id="trust-lost",
    severity="high",
    raised="a principal that could assume a role no longer can, or only under more conditions",
    remedy="keep the statement: `trust.keep` with authoritative ownership, or `trust.ownership: additive`",
    judge=_lost,
)


def _everyone(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if _is_everyone(statement) and not statement.condition:
            yield Hit(role.address, trust_sentence(statement, role.trust), _everyone_subject(statement))


OPENED_TO_EVERYONE = RoleRule(
    id="trust-opened-to-everyone",
    severity="critical",
    raised="anyone in any account may assume a role, without a condition",
    remedy="name the principals",
    judge=_everyone,
)


def _everyone_on_condition(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if _is_everyone(statement) and statement.condition:
            yield Hit(role.address, trust_sentence(statement, role.trust), _everyone_subject(statement))


OPENED_TO_EVERYONE_ON_CONDITION = RoleRule(
    id="trust-opened-to-everyone-on-condition",
    severity="high",
    raised="anyone may assume a role when a condition holds",
    remedy="name the principals; a condition alone often allows more than intended",
    judge=_everyone_on_condition,
)


def _is_everyone(statement: Statement) -> bool:
    return statement.principal.excluded or not _EVERYONE.isdisjoint(statement.principal.patterns)


def _everyone_subject(statement: Statement) -> Subject:
    if not statement.principal.excluded:
        statement = narrowed(statement, principals=_EVERYONE.intersection(statement.principal.patterns))
    return statement_subject(statement, trust=True)


_EVERYONE = {"*", "Service:*", "Federated:*"}


_ACCOUNT = re.compile(r"AWS:(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")
_FEDERATED_ACCOUNT = re.compile(r"Federated:arn:[\w-]+:iam::(\d{12}):.*")


def _account(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if statement.principal.excluded:
            continue
        patterns = [_ACCOUNT, _FEDERATED_ACCOUNT] if role.account else [_ACCOUNT]
        accounts = {
            name: match[1]
            for name in statement.principal.patterns
            for each in patterns
            if (match := each.fullmatch(name)) and match[1] != role.account
        }
        if accounts:
            foreign = ", ".join(sorted(set(accounts.values())))
            own = "" if role.account else " (this plan does not contain the role's own account)"
            sentence = trust_sentence(statement, role.trust)
            yield Hit(
                role.address,
                f"account {foreign} is trusted{own}: {sentence}",
                statement_subject(narrowed(statement, principals=accounts), trust=True),
            )


OPENED_TO_ACCOUNT = RoleRule(
    id="trust-opened-to-account",
    severity="high",
    raised="a principal of another account, or of one that may be another, may assume a role",
    remedy="make sure that the account is yours or under contract; require sts:ExternalId from third parties",
    judge=_account,
)


def _service(role: Role) -> Iterator[Hit]:
    if not role.before.exists or role.before.trust.policy is None:
        return
    for _, statement in allowed(role.trust):
        if _limits_source(statement.condition) or statement.principal.excluded:
            continue
        services = [
            name.removeprefix("Service:") for name in statement.principal.patterns if name.startswith("Service:")
        ]
        if others := [name for name in services if name not in NEEDED_SERVICES]:
            found = narrowed(statement, principals=[f"Service:{name}" for name in others])
            yield Hit(
                role.address,
                f"{', '.join(others)} may use the role on behalf of any account's resources",
                statement_subject(found, trust=True),
            )


OPENED_TO_SERVICE = RoleRule(
    id="trust-opened-to-service",
    severity="medium",
    raised="an existing role is opened to an AWS service that SageMaker with Glue sessions does not need, "
    "on behalf of any account's resources",
    remedy="add a condition on aws:SourceAccount or aws:SourceArn that names an account, or leave the service out",
    judge=_service,
)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
_SOURCE_KEYS = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")
"""Condition keys for whose resource a service uses a role; `aws:SourceIdentity` does not."""


def _limits_source(condition: Condition) -> bool:
    """Return whether a condition limits whose resources a service may use the role for."""
    return any(
        test.key in _SOURCE_KEYS
        and test.positive
        and not test.if_exists
        and test.each != "forallvalues"
        and all(_names_source(value) for value in test.values)
        for test in condition
    )


def _names_source(value: str) -> bool:
    """Return whether an account, an organization or an ARN names its owner.

    The owner of an ARN is its account, or the bucket where the ARN has none. A pattern like `*` names nobody.
    """
    if value.startswith("arn:"):
        *_, account, resource = [*value.split(":", 5), "", "", "", "", ""][:6]
        value = account or resource
    return value != "" and not value.startswith(("*", "?"))


def _identity_provider(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if statement.principal.excluded:
            continue
        if names := [name for name in statement.principal.patterns if _is_open(name, statement.condition)]:
            found = statement_subject(narrowed(statement, principals=names), trust=True)
            yield Hit(role.address, trust_sentence(statement, role.trust), found)


OPENED_TO_IDENTITY_PROVIDER = RoleRule(
    id="trust-opened-to-identity-provider",
    severity="high",
    raised="a web identity provider may assume a role for identities that do not belong to one owner",
    remedy="add a condition on the provider's `:sub`, such as `repo:ORGANIZATION/REPOSITORY:*`, or on the `:aud` or "
    "`:app_id` of your application",
    judge=_identity_provider,
)

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
_PUBLIC_PROVIDERS = {
    "accounts.google.com": ("aud", "oaud", "sub"),
    "cognito-identity.amazonaws.com": ("aud", "sub"),
    "graph.facebook.com": ("app_id", "id"),
    "www.amazon.com": ("app_id", "user_id"),
}
"""Identity providers that anyone can register with, and the keys that identify an application or a user."""

_OWNER = re.compile(r"[^:/|]+[:/|][^:/|]+[:/|]")
"""The part of a subject up to its owner, as in `repo:acme/` or `project_path:acme/`."""


def _is_open(principal: str, condition: Condition) -> bool:
    """Return whether an identity provider is trusted without a condition that fixes an owner."""
    kind, _, name = principal.partition(":")
    if kind != "Federated":
        return False
    _, is_oidc, host = name.partition(":oidc-provider/")
    keys = ("sub",) if is_oidc else _PUBLIC_PROVIDERS.get(name, ())
    required = {f"{host or name}:{key}".lower() for key in keys}
    return bool(required) and not any(
        test.key in required
        and test.positive
        and not test.if_exists
        and test.each != "forallvalues"
        and all(map(_fixes_owner, test.values))
        for test in condition
    )


def _fixes_owner(value: str) -> bool:
    """Return whether all identities that a pattern matches belong to one owner."""
    fixed = "".join(takewhile(lambda token: token not in ("*", "?"), pattern_syntax.tokens(value)))
    return fixed == value or _OWNER.match(fixed) is not None


_UNIQUE_ID = re.compile(f"AWS:{DELETED_PRINCIPAL_ID}")


def _deleted_principal(role: Role) -> Iterator[Hit]:
    if role.trust.changes and role.after.trust.policy:
        names = {name for s in role.after.trust.policy.statements for name in s.principal.patterns}
        for name in sorted(filter(_UNIQUE_ID.fullmatch, names)):
            yield Hit(role.address, f"{name.removeprefix('AWS:')} is the unique id of a deleted principal", (name,))


DELETED_PRINCIPAL = RoleRule(
    id="deleted-principal",
    severity="high",
    raised="the new trust policy names a deleted principal by its unique id: AWS rejects it, after minutes of retries",
    remedy="remove the statement from the role's trust policy first",
    judge=_deleted_principal,
)


def _glue_denied(role: Role) -> Iterator[Hit]:
    before, after = _denials_of_glue(role.before.trust.policy), _denials_of_glue(role.after.trust.policy)
    if not own_grants.adopted(role) or after is None or before == after:
        return
    denials, decision = after
    found = subject(part for each in denials for part in statement_subject(each, trust=True))
    if decision.verdict is Verdict.DENIED:
        yield Hit(role.address, f"Glue's trust has no effect: {decision.reason}", found)
    else:
        yield Hit(role.address, f"whether Glue's trust has an effect is undecided: {decision.reason}", found)


def _denials_of_glue(policy: Policy | None) -> tuple[tuple[Statement, ...], Decision] | None:
    """Return the statements by which a policy that trusts Glue denies it, or may, and the decision; else None."""
    if policy is None:
        return None
    allows = tuple(each for each in policy.written if each.effect == "Allow")
    if decide_trust(Policy(allows, policy.spelling), GLUE).verdict is not Verdict.ALLOWED:
        return None
    decision = decide_trust(policy, GLUE)
    if decision.verdict is Verdict.ALLOWED:
        return None
    denials = (each for each in policy.written if each.effect == "Deny")
    with_one = {each: decide_trust(Policy((*allows, each), policy.spelling), GLUE) for each in denials}
    return tuple(each for each, of in with_one.items() if of.verdict is not Verdict.ALLOWED), decision


GLUE_DENIED = RoleRule(
    id="glue-denied",
    severity="medium",
    raised="a role is to trust Glue, and a Deny in its trust policy keeps Glue from assuming it, or may",
    remedy="remove the Deny, or except Glue from it; only a session shows whether a condition holds for Glue",
    judge=_glue_denied,
    kinds=("role",),
)
