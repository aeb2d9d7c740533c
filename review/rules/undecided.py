"""Rules about what cannot be evaluated: unknown, sensitive, unreadable, missing, undecided."""

from collections.abc import Callable, Iterator

from plans.roles import Gap, Held, PolicyName, Role
from review.rules.rule import EVERY_KIND, Hit, RoleRule, change_sentence
from review.rules.subject import change_subject, place_only


def _brought(role: Role) -> Iterator[tuple[PolicyName, Held]]:
    """Yield the documents that the plan brings."""
    known = {role.trust_name: role.before.trust, **dict(role.before.policies())}
    for name, held in [(role.trust_name, role.after.trust), *role.after.policies()]:
        if known.get(name) != held:
            yield name, held


def _unevaluated(role: Role) -> Iterator[tuple[PolicyName, Held]]:
    """Yield the documents that the plan brings and that could not be evaluated."""
    return ((name, held) for name, held in _brought(role) if held.policy is None)


def _gap(*gaps: Gap) -> Callable[[Role], Iterator[Hit]]:
    """Return the judge of a rule about the documents that are not evaluated for one of these reasons."""

    def judge(role: Role) -> Iterator[Hit]:
        for name, held in _unevaluated(role):
            if held.gap in gaps:
                yield Hit(held.address, f"{name}: {held.problem}", place_only(held.address, str(name)))

    return judge


POLICY_UNKNOWN = RoleRule(
    id="policy-unknown",
    severity="high",
    raised="a policy's document, or which policy is attached, is known only after apply: nobody can review it",
    remedy="write the document with names and ARNs that are known during planning",
    judge=_gap(Gap.UNKNOWN, Gap.WHICH_UNKNOWN),
    kinds=EVERY_KIND,
)


POLICY_HIDDEN = RoleRule(
    id="policy-hidden",
    severity="high",
    raised="a policy's document is marked sensitive: it is neither shown nor evaluated",
    remedy="take secrets out of the policy; ARNs are not secret",
    judge=_gap(Gap.HIDDEN, Gap.WHICH_HIDDEN),
    kinds=EVERY_KIND,
)


def _unreadable(role: Role) -> Iterator[Hit]:
    for name, held in _brought(role):
        if held.gap is Gap.UNREADABLE or held.refused:
            yield Hit(held.address, f"{name}: {held.problem}", (f"{name}: {held.problem}",))


POLICY_UNREADABLE = RoleRule(
    id="policy-unreadable",
    severity="high",
    raised="AWS would reject a policy's document",
    remedy="correct the document",
    judge=_unreadable,
    kinds=EVERY_KIND,
)


POLICY_NOT_AT_HAND = RoleRule(
    id="policy-not-at-hand",
    severity="medium",
    raised="a managed policy is attached whose document is neither in the plan nor in the data set",
    remedy="read the document in AWS, or read it with `data.aws_iam_policy` so that the plan contains it",
    judge=_gap(Gap.NOT_IN_DATA_SET, Gap.NOT_IN_PLAN),
)


def _undecided(role: Role) -> Iterator[Hit]:
    for difference, trust in ((role.trust, True), (role.permissions, False)):
        for change in difference.changes:
            if not change.decided:
                sentence = change_sentence(change, difference, trust=trust)
                yield Hit(role.address, sentence, change_subject(change, trust=trust))


UNDECIDED = RoleRule(
    id="undecided",
    severity="medium",
    raised="a statement changed, and whether its meaning changed could not be decided",
    remedy="compare the two statements by hand; the report shows both",
    judge=_undecided,
    kinds=EVERY_KIND,
)


def _exclusive(role: Role) -> Iterator[Hit]:
    for address in role.claimed:
        resource = address.rpartition(".")[0].rpartition(".")[2]
        yield Hit(address, f"{resource} removes every policy that it does not list", place_only(address))


EXCLUSIVE_REMOVES_UNSEEN = RoleRule(
    id="exclusive-removes-unseen",
    severity="high",
    raised="an exclusive set is created for a role that the plan does not read: it does not show what is removed",
    remedy="import the set first; its plan then shows what it removes",
    judge=_exclusive,
)
