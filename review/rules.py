"""The findings: one rule each, with how grave it is, when it is raised and what to do."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from iam.engine import sentences, wildcards
from iam.engine.difference import Change, may_overlap
from iam.engine.statements import ANYTHING, Element, Statement, singles
from plans import datasets
from plans.plan import HIDDEN, UNKNOWN, Plan, ResourceChange
from plans.roles import JUDGED, NOTHING, Held, Role, allowed
from review import escalation

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")

# Source of the quotas: IAM User Guide, "IAM and AWS STS quotas". White space does not count. The sizes of a
# trust policy and the number of attached policies are defaults that AWS raises on request; the other two
# are fixed.
TRUST_POLICY_QUOTA = 2_048
INLINE_POLICIES_QUOTA = 10_240
MANAGED_POLICY_QUOTA = 6_144
ATTACHED_POLICIES_QUOTA = 10

NEEDED_SERVICES = ("glue.amazonaws.com", "sagemaker.amazonaws.com")
"""What an execution role with Glue interactive sessions has to trust, and without conditions."""

AT_MOST = 12
"""How many names a sentence lists of a kind before it counts the others; the tables have them all."""

ADMIN_SERVICES = ("account", "iam", "identitystore", "kms", "lakeformation", "organizations", "ram", "sso")
"""Services whose permissions management decides over other people's access."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reviewer should look at before the plan is applied."""

    rule: str
    severity: Severity
    plan: str
    role: str
    """The role, or the managed policy, it is about; "" where it is about the plan."""
    address: str
    reason: str
    remedy: str
    accepted: str = ""
    """Why it was accepted, "" where it was not."""


class Hit(NamedTuple):
    """Where a rule was raised, and why."""

    address: str
    reason: str


class Rule(NamedTuple):
    """A rule as documented. `judge` takes a role, or the plan."""

    id: str
    severity: Severity
    raised: str
    """When the rule is raised, as in "raised when …"."""
    remedy: str
    judge: Callable[[Any], Iterable[Hit]]


ROLE_RULES: dict[str, Rule] = {}
PLAN_RULES: dict[str, Rule] = {}

Judge = Callable[[Any], Iterable[Hit]]


def _rule(
    id_: str, severity: Severity, raised: str, remedy: str, among: dict[str, Rule] = ROLE_RULES
) -> Callable[[Judge], Judge]:
    def register(judge: Judge) -> Judge:
        among[id_] = Rule(id_, severity, raised, remedy, judge)
        return judge

    return register


def findings(plan: Plan, roles: Iterable[Role]) -> list[Finding]:
    """Return every finding on a plan, the gravest first."""
    found = [
        Finding(rule.id, rule.severity, plan.name, "", hit.address, hit.reason, rule.remedy)
        for rule in PLAN_RULES.values()
        for hit in rule.judge(plan)
    ]
    found += [
        Finding(rule.id, rule.severity, plan.name, role.name, hit.address, hit.reason, rule.remedy)
        for role in roles
        for rule in ROLE_RULES.values()
        for hit in rule.judge(role)
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


# the role itself


@_rule(
    "role-destroyed",
    "critical",
    "a role is deleted; every policy it holds goes with it, also those Terraform never managed",
    "keep the resource, rename it with a `moved` block, or forget it with `removed` (`destroy = false`)",
)
def _role_destroyed(role: Role) -> Iterator[Hit]:
    if role.change and role.change.actions == ("delete",):
        yield Hit(role.address, f"{role.name} is deleted, and all its policies with it")


@_rule(
    "role-replaced",
    "critical",
    "a role is deleted and created again: its id is another, policies outside of Terraform are gone",
    "ignore or set the attributes that force the replacement to what the role has",
)
def _role_replaced(role: Role) -> Iterator[Hit]:
    if role.change and set(role.change.actions) >= {"create", "delete"}:
        forced = f", forced by {', '.join(role.change.replace_paths)}" if role.change.replace_paths else ""
        imported = ", although it is imported" if role.change.importing else ""
        yield Hit(role.address, f"{role.name} is deleted and created anew{forced}{imported}")


@_rule(
    "role-forgotten",
    "low",
    "Terraform gives up managing a role; the role stays as it is",
    "make sure that somebody else owns the role from here on",
)
def _role_forgotten(role: Role) -> Iterator[Hit]:
    if role.change and "forget" in role.change.actions:
        yield Hit(role.address, f"{role.name} stays in AWS and leaves the state")


@_rule(
    "adoption-changes-more",
    "medium",
    "importing a role changes attributes of it other than its trust policy",
    "add the attributes to `ignore_changes`, or set them to what the role has",
)
def _adoption_changes_more(role: Role) -> Iterator[Hit]:
    if role.change and role.change.importing and role.change.actions == ("update",):
        before, after = role.change.values["before"], role.change.values["after"]
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if more := sorted(changed - {"assume_role_policy"}):
            yield Hit(role.address, f"the import also changes {', '.join(more)}")


@_rule(
    "boundary-changed",
    "high",
    "a role's permissions boundary is taken away or becomes another",
    "keep the boundary, or have its owner agree: it limits what every policy of the role can give",
)
def _boundary_changed(role: Role) -> Iterator[Hit]:
    before, after = role.before.boundary, role.after.boundary
    if before and before != after and _lives_on(role):
        yield Hit(role.address, f"the boundary {before} " + (f"becomes {after}" if after else "is taken away"))


def _lives_on(role: Role) -> bool:
    return role.before.exists and role.after.exists and not (role.change and "delete" in role.change.actions)


# who may assume it


@_rule(
    "trust-lost",
    "high",
    "a principal that could assume a role no longer can, or under fewer conditions",
    "keep the statement: `trust.keep` with authoritative ownership, or `trust.ownership: additive`",
)
def _trust_lost(role: Role) -> Iterator[Hit]:
    if _lives_on(role):
        for change in role.trust.changes:
            if change.restricts:
                yield Hit(role.address, sentences.change(change, role.trust.spelling, trust=True, at_most=AT_MOST))


@_rule(
    "trust-opened-to-everyone",
    "critical",
    "anyone in any account may assume a role, without a condition",
    "name the principals",
)
def _trust_everyone(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if _is_everyone(statement) and not statement.condition:
            yield Hit(role.address, sentences.statement(statement, role.trust.spelling, trust=True, at_most=AT_MOST))


@_rule(
    "trust-opened-to-everyone-on-condition",
    "high",
    "anyone may assume a role as long as a condition holds",
    "name the principals; a condition alone is easily wider than meant",
)
def _trust_everyone_on_condition(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if _is_everyone(statement) and statement.condition:
            yield Hit(role.address, sentences.statement(statement, role.trust.spelling, trust=True, at_most=AT_MOST))


def _is_everyone(statement: Statement) -> bool:
    return statement.principal.excluded or "*" in statement.principal.patterns


_ACCOUNT = re.compile(r"AWS:(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")


@_rule(
    "trust-opened-to-account",
    "high",
    "a principal of another account, or of one that cannot be told from the role's own, may assume a role",
    "make sure that account is yours or under contract; demand sts:ExternalId from third parties",
)
def _trust_account(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        if statement.principal.excluded:
            continue
        accounts = {found[1] for name in statement.principal.patterns if (found := _ACCOUNT.fullmatch(name))}
        if foreign := sorted(accounts - {role.account}):
            own = "" if role.account else " (the role's own account is not in this plan)"
            said = sentences.statement(statement, role.trust.spelling, trust=True, at_most=AT_MOST)
            yield Hit(role.address, f"account {', '.join(foreign)} is trusted{own}: {said}")


@_rule(
    "trust-opened-to-service",
    "medium",
    "an existing role is opened to an AWS service that SageMaker with Glue sessions does not need, "
    "for anybody's resources",
    "add a condition on aws:SourceAccount or aws:SourceArn, or leave the service out",
)
def _trust_service(role: Role) -> Iterator[Hit]:
    if not role.before.exists or role.before.trust.policy is None:
        return
    for _, statement in allowed(role.trust):
        if any(test.key.startswith("aws:source") for test in statement.condition) or statement.principal.excluded:
            continue
        services = [
            name.removeprefix("Service:") for name in statement.principal.patterns if name.startswith("Service:")
        ]
        if others := [name for name in services if name not in NEEDED_SERVICES]:
            yield Hit(role.address, f"{', '.join(others)} may act through the role for anybody's resources")


@_rule(
    "trust-opened-to-identity-provider",
    "high",
    "an OpenID Connect provider may assume a role for any of its subjects",
    "add a condition on the provider's `:sub`, as `repo:ORGANISATION/REPOSITORY:*`",
)
def _trust_identity_provider(role: Role) -> Iterator[Hit]:
    for _, statement in allowed(role.trust):
        providers = [name for name in statement.principal.patterns if ":oidc-provider/" in name]
        limited = any(
            test.key.endswith(":sub") and test.positive and "*" not in test.values for test in statement.condition
        )
        if providers and not limited:
            yield Hit(role.address, sentences.statement(statement, role.trust.spelling, trust=True, at_most=AT_MOST))


_UNIQUE_ID = re.compile(r"AWS:A(?:ROA|IDA)[A-Z0-9]{12,}")


@_rule(
    "deleted-principal",
    "high",
    "the new trust policy names a deleted principal by its id: AWS refuses it, after minutes of retries",
    "take the statement out of the role's trust policy first",
)
def _deleted_principal(role: Role) -> Iterator[Hit]:
    if role.trust.changes and role.after.trust.policy:
        names = {name for s in role.after.trust.policy.statements for name in s.principal.patterns}
        for name in sorted(filter(_UNIQUE_ID.fullmatch, names)):
            yield Hit(role.address, f"{name.removeprefix('AWS:')} is the id of a principal that was deleted")


# what it may do


@_rule(
    "everything-allowed",
    "critical",
    "a role gains every action on everything",
    "allow the actions that are needed, on the resources they are needed on",
)
def _everything_allowed(role: Role) -> Iterator[Hit]:
    for change, statement in role.allowed:
        if escalation.is_everything(statement):
            yield Hit(role.source(change)[1], "every action on everything is allowed")


@_rule(
    "pass-any-role",
    "high",
    "a role gains iam:PassRole on roles of any name, to any service",
    "pass the role's own ARN alone, to glue.amazonaws.com alone: `permissions: least-privilege`",
)
def _pass_any_role(role: Role) -> Iterator[Hit]:
    for change, statement in _passing(role):
        if escalation.passes_any_role(statement) and not escalation.limits_service(statement.condition):
            where = ", ".join(sentences.resource_list(statement.resource))
            yield Hit(role.source(change)[1], f"iam:PassRole on {where} hands any role to any service")


@_rule(
    "pass-any-role-to-service",
    "medium",
    "a role gains iam:PassRole on roles of any name, to named services",
    "name the roles; the services run as any role that trusts them",
)
def _pass_any_role_to_service(role: Role) -> Iterator[Hit]:
    for change, statement in _passing(role):
        if escalation.passes_any_role(statement) and escalation.limits_service(statement.condition):
            where = ", ".join(sentences.resource_list(statement.resource))
            services = sentences.when(statement.condition, role.permissions.spelling)
            yield Hit(role.source(change)[1], f"iam:PassRole on {where} hands over any role when {services}")


@_rule(
    "pass-role-to-any-service",
    "medium",
    "a role gains iam:PassRole on named roles without a condition on iam:PassedToService",
    "add the condition iam:PassedToService, as `permissions: least-privilege` does",
)
def _pass_role_to_any_service(role: Role) -> Iterator[Hit]:
    for change, statement in _passing(role):
        if not escalation.passes_any_role(statement) and not escalation.limits_service(statement.condition):
            where = ", ".join(sentences.resource_list(statement.resource))
            yield Hit(role.source(change)[1], f"iam:PassRole on {where} to any service")


def _passing(role: Role) -> Iterator[tuple[Change, Statement]]:
    for change, statement in role.allowed:
        wild = statement.action == ANYTHING and statement.resource == ANYTHING
        if not wild and escalation.matches(statement.action, escalation.PASS_ROLE):
            yield change, statement


@_rule(
    "privilege-escalation",
    "high",
    "after the plan a role has a known way to more permissions than it is given, which it had not before",
    "scope iam:PassRole to the roles and services needed, or take away the calls that complete the path",
)
def _privilege_escalation(role: Role) -> Iterator[Hit]:
    changes = [change for change in role.permissions.changes if change.broadens]
    before, after = role.permissions.before, role.permissions.after
    if not changes or any(map(escalation.allows_everything, after)):
        return
    where = role.source(next((c for c in changes if _completes(c)), changes[0]))[1]
    had = set(escalation.paths(before))
    gained: dict[str, list[str]] = {}
    for path in escalation.paths(after):
        if path not in had:
            gained.setdefault(path.service, []).append(path.calls)
    for service, calls in gained.items():
        yield Hit(where, f"iam:PassRole with {', or '.join(calls)} runs code as any role that trusts {service}")
    already = escalation.rewriting(before)
    if calls := [call for call in escalation.rewriting(after) if call not in already]:
        yield Hit(where, f"{', '.join(calls)} can give the caller other permissions")


def _completes(change: Change) -> bool:
    """Say whether a change is the one that most paths hang on."""
    return any(escalation.matches(statement.action, escalation.PASS_ROLE) for statement in change.after)


@_rule(
    "admin-wildcard",
    "high",
    "a role gains, by a wildcard, permissions management in a service that decides over others' access",
    "name the actions",
)
def _admin_wildcard(role: Role) -> Iterator[Hit]:
    yield from _wildcards(role, admin=True)


@_rule(
    "permissions-wildcard",
    "low",
    "a role gains, by a wildcard and on every resource, a service's permissions management",
    "name the actions, or the resources",
)
def _permissions_wildcard(role: Role) -> Iterator[Hit]:
    yield from _wildcards(role, admin=False)


def _wildcards(role: Role, *, admin: bool) -> Iterator[Hit]:
    for change, statement in role.allowed:
        everywhere = statement.resource == ANYTHING
        if statement.action.excluded:
            names = [service for service in ADMIN_SERVICES if not _excludes(statement, service)]
            if names and everywhere and admin:
                but = ", ".join(sentences.action_list(statement.action, role.permissions.spelling))
                yield Hit(role.source(change)[1], f"{but} on everything includes {', '.join(names)}")
        elif admin or everywhere:
            for pattern, included in _managing(statement.action, admin):
                written = role.permissions.spelling.get(pattern, pattern)
                yield Hit(role.source(change)[1], f"{written} includes {included}")


@lru_cache(maxsize=16_384)
def _managing(actions: Element, admin: bool) -> list[tuple[str, str]]:
    """Return the wildcards that include permissions management, with the actions by which they do."""
    found = []
    for pattern in actions.patterns:
        service, _, name = pattern.partition(":")
        if ("*" in name or "?" in name) and (service in ADMIN_SERVICES) == admin:
            names = [action.name for action in datasets.actions(pattern) or () if action.level == "permissions"]
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            if names:
                found.append((pattern, ", ".join(names[:3]) + more))
    return found


def _excludes(statement: Statement, service: str) -> bool:
    return any(wildcards.covers(pattern, f"{service}:*") for pattern in statement.action.patterns)


@_rule(
    "permissions-lost",
    "medium",
    "a role that stays can no longer do something it could",
    "make sure that nothing which runs as the role needs it",
)
def _permissions_lost(role: Role) -> Iterator[Hit]:
    if _lives_on(role):
        had = [statement for policy in role.permissions.before for statement in policy.effect("Allow")]
        for change in role.permissions.changes:
            denied = [*singles(change.after)] if change.effect == "Deny" else []
            touches = not denied or any(may_overlap(one, other) for one in denied for other in had)
            if change.restricts and touches:
                yield Hit(
                    role.address,
                    sentences.change(change, role.permissions.spelling, trust=False, at_most=AT_MOST),
                )


@_rule(
    "denial-lost",
    "medium",
    "something that was denied, whatever other policies allow, no longer is",
    "keep the Deny statement, or have its owner agree",
)
def _denial_lost(role: Role) -> Iterator[Hit]:
    if _lives_on(role):
        for change in role.permissions.changes:
            if change.effect == "Deny" and change.broadens:
                yield Hit(
                    role.address,
                    sentences.change(change, role.permissions.spelling, trust=False, at_most=AT_MOST),
                )


# statements that do not do what they say


def _written(role: Role) -> Iterator[tuple[Held, Statement, dict[str, str]]]:
    """Yield the statements of the documents this plan writes, each of one action and one resource."""
    known = {name: held.policy for name, held in role.before.policies()}
    for name, held in role.after.policies():
        if held.policy and held.length and known.get(name) is not held.policy:
            for statement in held.policy.statements:
                yield held, statement, held.policy.spelling


@_rule(
    "unknown-action",
    "medium",
    "a policy names an action that AWS does not have",
    "correct the spelling; if AWS has added the action since, refresh the data set of actions",
)
def _unknown_action(role: Role) -> Iterator[Hit]:
    found: dict[tuple[str, str], None] = {}
    for held, statement, spelling in _written(role):
        for pattern in statement.action.patterns:
            if datasets.actions(pattern) == ():
                found.setdefault((held.address, spelling.get(pattern, pattern)))
    for address, name in found:
        yield Hit(address, f"{name} is no action of AWS, as of {datasets.actions_date()}")


@_rule(
    "resource-never-matches",
    "medium",
    "a statement names a resource that none of its actions can be used on, so it has no effect",
    "give the action the resource it works on; many list and read actions take `*` alone",
)
def _resource_never_matches(role: Role) -> Iterator[Hit]:
    misses: dict[tuple[str, str], list[str]] = {}
    for held, statement, spelling in _written(role):
        if statement.action.excluded or statement.resource.excluded or statement.resource == ANYTHING:
            continue
        resource, name = statement.resource.patterns[0], statement.action.patterns[0]
        actions = datasets.actions(name)
        if actions and not any(_usable(action, resource) for action in actions):
            misses.setdefault((held.address, resource), []).append(spelling.get(name, name))
    for (address, resource), names in misses.items():
        yield Hit(address, f"{', '.join(sorted(names))} cannot be used on {resource}")


def _usable(action: datasets.Action, resource: str) -> bool:
    return wildcards.covers(resource, wildcards.escape("*")) or any(
        wildcards.overlap(resource, arn) for arn in action.resources
    )


@_rule(
    "condition-never-matches",
    "medium",
    "a statement demands a condition key that its actions do not have, so it has no effect",
    "give the actions that have the key a statement of their own",
)
def _condition_never_matches(role: Role) -> Iterator[Hit]:
    misses: dict[tuple[str, str], list[str]] = {}
    for held, statement, spelling in _written(role):
        actions = () if statement.action.excluded else datasets.actions(statement.action.patterns[0]) or ()
        for test in statement.condition:
            service = test.key.partition(":")[0]
            demanded = test.positive and not test.if_exists and test.each != "forallvalues"
            own = [action for action in actions if action.name.startswith(f"{service}:")]
            if demanded and own and not any(_has_key(action, test.key) for action in own):
                name = spelling.get(statement.action.patterns[0], statement.action.patterns[0])
                found = misses.setdefault((held.address, spelling[test.key]), [])
                if name not in found:
                    found.append(name)
    for (address, key), names in misses.items():
        yield Hit(address, f"{', '.join(sorted(names))} has no condition key {key}")


def _has_key(action: datasets.Action, key: str) -> bool:
    return any(wildcards.covers(pattern, key) for pattern in action.keys)


# quotas


@_rule(
    "trust-policy-too-long",
    "high",
    f"a role's new trust policy has more than {TRUST_POLICY_QUOTA:,} characters, AWS's default quota",
    "merge or drop statements, or have AWS raise the quota",
)
def _trust_policy_too_long(role: Role) -> Iterator[Hit]:
    if role.trust.changes and role.after.trust.length > TRUST_POLICY_QUOTA:
        yield Hit(role.address, f"{role.after.trust.length:,} characters, the quota is {TRUST_POLICY_QUOTA:,}")


@_rule(
    "inline-policies-too-long",
    "high",
    f"a role's inline policies have more than {INLINE_POLICIES_QUOTA:,} characters; the quota is fixed",
    "move statements into a managed policy",
)
def _inline_policies_too_long(role: Role) -> Iterator[Hit]:
    before, after = (sum(held.length for held in side.inline.values()) for side in (role.before, role.after))
    if after > INLINE_POLICIES_QUOTA and after != before:
        yield Hit(
            next((held.address for held in role.after.inline.values() if held.address), role.address),
            f"{after:,} characters, the quota is {INLINE_POLICIES_QUOTA:,}",
        )


@_rule(
    "managed-policy-too-long",
    "high",
    f"a managed policy has more than {MANAGED_POLICY_QUOTA:,} characters; the quota is fixed",
    "split the policy",
)
def _managed_policy_too_long(role: Role) -> Iterator[Hit]:
    for name, held in role.after.managed.items():
        if held.length > MANAGED_POLICY_QUOTA and role.before.managed.get(name, NOTHING).length != held.length:
            yield Hit(held.address, f"{name} has {held.length:,} characters, the quota is {MANAGED_POLICY_QUOTA:,}")


@_rule(
    "too-many-attached-policies",
    "medium",
    f"a role is given more than {ATTACHED_POLICIES_QUOTA} managed policies, AWS's default quota",
    "merge policies, or have AWS raise the quota",
)
def _too_many_attached_policies(role: Role) -> Iterator[Hit]:
    if len(role.after.managed) > max(ATTACHED_POLICIES_QUOTA, len(role.before.managed)):
        yield Hit(
            role.address,
            f"{len(role.after.managed)} managed policies, the quota is {ATTACHED_POLICIES_QUOTA}",
        )


# what cannot be judged


def _unjudged(role: Role) -> Iterator[tuple[str, Held]]:
    """Yield the documents that the plan brings and that could not be judged."""
    known = {"trust policy": role.before.trust, **dict(role.before.policies())}
    for name, held in [("trust policy", role.after.trust), *role.after.policies()]:
        if held.policy is None and known.get(name) != held:
            yield name, held


@_rule(
    "policy-unknown",
    "high",
    "a policy's document, or which policy is attached, is known only after apply: nobody can review it",
    "write the document with names and ARNs that are known when planning",
)
def _policy_unknown(role: Role) -> Iterator[Hit]:
    for name, held in _unjudged(role):
        if held.problem.endswith(UNKNOWN.why):
            yield Hit(held.address, f"{name}: {held.problem}")


@_rule(
    "policy-hidden",
    "high",
    "a policy's document is marked sensitive: it is neither shown nor judged here",
    "take what is secret out of the policy; ARNs are not",
)
def _policy_hidden(role: Role) -> Iterator[Hit]:
    for name, held in _unjudged(role):
        if held.problem.endswith(HIDDEN.why):
            yield Hit(held.address, f"{name}: {held.problem}")


@_rule(
    "policy-unreadable",
    "high",
    "a policy's document is not one that AWS would take",
    "correct the document",
)
def _policy_unreadable(role: Role) -> Iterator[Hit]:
    for name, held in _unjudged(role):
        if held.problem.startswith("cannot be read"):
            yield Hit(held.address, f"{name} {held.problem}")


@_rule(
    "policy-not-at-hand",
    "medium",
    "a managed policy is attached whose document is neither in the plan nor in the data set",
    "read the document in AWS, or read it with `data.aws_iam_policy` so that the plan holds it",
)
def _policy_not_at_hand(role: Role) -> Iterator[Hit]:
    for name, held in _unjudged(role):
        if held.problem.startswith(("not in", "its document")):
            yield Hit(held.address, f"{name}: {held.problem}")


@_rule(
    "undecided",
    "medium",
    "a statement changed and whether its meaning did was not decided",
    "compare the two by hand; the report shows both",
)
def _undecided(role: Role) -> Iterator[Hit]:
    for difference, trust in ((role.trust, True), (role.permissions, False)):
        for change in difference.changes:
            if not change.decided:
                yield Hit(role.address, sentences.change(change, difference.spelling, trust=trust, at_most=AT_MOST))


@_rule(
    "exclusive-removes-unseen",
    "high",
    "an exclusive set is created for a role that the plan does not read: what it removes is not shown",
    "import the set first; its plan then says what it takes away",
)
def _exclusive_removes_unseen(role: Role) -> Iterator[Hit]:
    for address in role.claimed:
        yield Hit(
            address,
            f"{address.rpartition('.')[0].rpartition('.')[2]} takes away every policy it does not list",
        )


# the plan


@_rule(
    "check-failed",
    "medium",
    "a check in the configuration failed when the plan was made",
    "read what the check says",
    PLAN_RULES,
)
def _check_failed(plan: Plan) -> Iterator[Hit]:
    for message in plan.failed_checks:
        name, _, said = message.partition(": ")
        yield Hit(name, said)


@_rule(
    "plan-incomplete",
    "high",
    "Terraform stopped with an error while planning: the plan lacks changes",
    "mend the error and plan again",
    PLAN_RULES,
)
def _plan_incomplete(plan: Plan) -> Iterator[Hit]:
    if plan.errored:
        yield Hit("", "the plan ended in an error and is incomplete")


@_rule(
    "shared-attachment",
    "medium",
    "aws_iam_policy_attachment takes its policy away from everyone that it does not list",
    "use aws_iam_role_policy_attachment",
    PLAN_RULES,
)
def _shared_attachment(plan: Plan) -> Iterator[Hit]:
    for change in plan.changes:
        if change.type == "aws_iam_policy_attachment" and change.changes and "after" in change.sides:
            yield Hit(
                change.address,
                f"{change.values['after'].get('policy_arn') or 'its policy'} is kept by no one else",
            )


@_rule(
    "not-judged",
    "low",
    "a resource about access changes that is not judged here: users, groups, resource policies and others",
    "review it by hand",
    PLAN_RULES,
)
def _not_judged(plan: Plan) -> Iterator[Hit]:
    for change in plan.changes:
        if change.changes and (why := _unjudged_kind(change)):
            yield Hit(change.address, f"{change.type} ({', '.join(change.actions)}): {why}")


def _unjudged_kind(change: ResourceChange) -> str:
    if change.type in JUDGED:
        return ""
    if "_iam_" in change.type or change.type.startswith(("aws_ssoadmin_", "aws_identitystore_")):
        return "not judged"
    for values in change.values.values():
        if any(isinstance(value, str) and '"Statement"' in value for value in values.values()):
            return "its policy document is not judged"
    return ""


RULES: dict[str, Rule] = {**ROLE_RULES, **PLAN_RULES}
"""Every rule, by id."""
