"""Rules about a policy that several resources of a plan write or delete: Terraform does not order them."""

from collections.abc import Iterator

from plans.roles import Role
from review.rules.rule import AT_MOST, EVERY_KIND, Hit, RoleRule
from review.rules.subject import statement_subject, subject, token


def _may_be_deleted(role: Role) -> Iterator[Hit]:
    for policy, (deleted, created) in role.readdressed.items():
        why = f"{policy}: {deleted} deletes it and {created} creates it; the deletion may come last"
        yield Hit(created, why, (f"{policy} {token(deleted)} → {token(created)}",))


POLICY_MAY_BE_DELETED = RoleRule(
    id="policy-may-be-deleted",
    severity="high",
    raised="one resource deletes a policy of a role and another creates it: Terraform does not order the two",
    remedy="rename the resource with a `moved` block",
    judge=_may_be_deleted,
    kinds=EVERY_KIND,
)


def _written_twice(role: Role) -> Iterator[Hit]:
    for policy, addresses in role.writers.items():
        parts = []
        those = {*addresses}
        for _, held in role.after.policies():
            if held.address in those:
                statements = held.policy.written if held.policy else ()
                found = [part for each in statements for part in statement_subject(each, trust=False)]
                parts += [f"{policy} by {token(held.address)}: {part}" for part in found or [held.problem]]
        more = f" and {len(addresses) - AT_MOST:,} more" if len(addresses) > AT_MOST else ""
        listed = ", ".join(addresses[:AT_MOST]) + more
        why = f"{policy}: {listed} write it, with different documents; the one that is last counts"
        yield Hit(addresses[-1], why, subject(parts))


WRITTEN_TWICE = RoleRule(
    id="policy-written-twice",
    severity="high",
    raised="several resources write one inline policy, with different documents: Terraform does not order them",
    remedy="write the policy with one resource, or give each policy a name",
    judge=_written_twice,
    kinds=EVERY_KIND,
)
