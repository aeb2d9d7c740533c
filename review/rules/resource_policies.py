"""Rules about the policies of resources: who may use a bucket, a key, a queue …, and who no longer may."""

import enum
import re
from collections.abc import Iterable, Iterator

from iam.engine import pattern_syntax
from iam.engine.conditions import Comparison, Condition, Family
from iam.engine.statements import Statement
from plans.providers import account_of
from plans.roles import Role, allowed
from review.rules.rule import Hit, RoleRule, change_sentence, persists, trust_sentence
from review.rules.subject import change_subject, narrowed, statement_subject


class _Reach(enum.Enum):
    """Whom a statement lets in, beside the account of the resource."""

    EVERYONE = enum.auto()
    EVERYONE_ON_CONDITION = enum.auto()
    ACCOUNT = enum.auto()
    SERVICE = enum.auto()


# "The meaning of public", and the global condition keys of the same kind:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
_ACCOUNT_KEYS = {
    "aws:principalaccount",
    "aws:sourceaccount",
    "aws:sourceowner",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
}
_ARN_KEYS = {"aws:principalarn", "aws:sourcearn", "s3:dataaccesspointarn"}
_OTHER_KEYS = {
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "lambda:eventsourcetoken",
}
_LIMITING_KEYS = _ACCOUNT_KEYS | _ARN_KEYS | _OTHER_KEYS
"""The condition keys that limit who may use a resource, if their values are fixed."""

_WIDEST_NETWORKS = {4: 8, 6: 32}
"""The shortest prefixes of networks that are not everyone, by version of IP."""

_EVERYONE = {"*", "Service:*", "Federated:*"}
_ACCOUNT = re.compile(r"(?:AWS|Federated):(?:arn:[\w-]+:(?:iam|sts)::)?(\d{12})(?::.*)?")


def _limits(test: Comparison) -> bool:
    """Return whether a comparison limits who may use a resource."""
    required = not test.if_exists and test.each != "forallvalues"
    compares = test.positive or test.operator == "ipaddress"
    return test.key in _LIMITING_KEYS and required and compares and all(_is_fixed(test, value) for value in test.values)


def _is_fixed(test: Comparison, value: str) -> bool:
    """Return whether all requests that a value matches are of one owner."""
    if test.family is Family.IP:
        address, _, prefix = value.partition("/")
        return not prefix.isdecimal() or int(prefix) >= _WIDEST_NETWORKS[6 if ":" in address else 4]
    if "${" in pattern_syntax.unescape(value):
        return False
    if pattern_syntax.is_literal(value):
        return True
    fixed = value.partition("*")[0].partition("?")[0]
    if test.key in _ARN_KEYS:
        if fixed.startswith("arn:aws:s3:::"):
            return "/" in fixed
        fields = value.split(":", 5)
        by_field = test.operator == "arnlike" or fixed.count(":") > _ACCOUNT_FIELD
        return by_field and len(fields) > _ACCOUNT_FIELD and fields[_ACCOUNT_FIELD].isdecimal()
    return (test.key.endswith("orgpaths") and "/" in fixed) or (test.key == "aws:userid" and ":" in fixed)


_ACCOUNT_FIELD = 4
"""The position of the account in an ARN."""


def _accounts(condition: Condition) -> set[str]:
    """Return the accounts that a condition limits a statement to, none if it names none.

    Where two comparisons contradict each other, the accounts of both are returned.
    """
    named: list[set[str]] = []
    for test in filter(_limits, condition):
        if test.key in _ACCOUNT_KEYS:
            named.append(set(test.values))
        elif test.key in _ARN_KEYS:
            named.append({account_of(value) for value in test.values})
    named = [accounts for accounts in named if all(accounts)]
    return (set.intersection(*named) or set.union(*named)) if named else set()


def _reach(principal: str, condition: Condition, account: str) -> _Reach | None:
    """Return whom a principal of a statement lets in; None if that is the resource's own account alone."""
    limited = any(map(_limits, condition))
    accounts = _accounts(condition)
    if account and accounts == {account}:
        return None
    if principal in _EVERYONE:
        if not limited:
            return _Reach.EVERYONE
        return _Reach.ACCOUNT if accounts else _Reach.EVERYONE_ON_CONDITION
    if principal.startswith("Service:"):
        if limited and not accounts:
            return None
        return _Reach.ACCOUNT if accounts and account else _Reach.SERVICE
    match = _ACCOUNT.fullmatch(principal)
    return None if match and match[1] == account else _Reach.ACCOUNT


def _opened(role: Role, wanted: _Reach) -> Iterator[Statement]:
    """Yield the statements that let others in than before, each with those of its principals."""
    for _, statement in allowed(role.trust):
        if statement.principal.excluded:
            if _reach("*", statement.condition, role.account) is wanted:
                yield statement
            continue
        principals = [
            name for name in statement.principal.patterns if _reach(name, statement.condition, role.account) is wanted
        ]
        if principals:
            yield narrowed(statement, principals=principals)


def _hits(role: Role, statements: Iterable[Statement], note: str = "") -> Iterator[Hit]:
    for statement in statements:
        sentence = trust_sentence(statement, role.trust)
        yield Hit(_address(role), f"{role.name}: {sentence}{note}", statement_subject(statement, trust=True))


def _address(role: Role) -> str:
    return role.after.trust.address or role.before.trust.address or role.address


def _everyone(role: Role) -> Iterator[Hit]:
    return _hits(role, _opened(role, _Reach.EVERYONE))


OPENED_TO_EVERYONE = RoleRule(
    id="resource-opened-to-everyone",
    severity="critical",
    raised="anyone in any account may use a resource, without a condition that limits who",
    remedy="name the principals, or limit them by a condition such as aws:PrincipalOrgID",
    judge=_everyone,
    kinds=("resource",),
)


def _everyone_on_condition(role: Role) -> Iterator[Hit]:
    return _hits(role, _opened(role, _Reach.EVERYONE_ON_CONDITION))


OPENED_TO_EVERYONE_ON_CONDITION = RoleRule(
    id="resource-opened-to-everyone-on-condition",
    severity="high",
    raised="anyone may use a resource from a network, an organization or on another condition that limits who",
    remedy="name the principals; make sure that the condition's values are yours",
    judge=_everyone_on_condition,
    kinds=("resource",),
)


def _account(role: Role) -> Iterator[Hit]:
    return _hits(role, _opened(role, _Reach.ACCOUNT), _own_account(role))


def _own_account(role: Role) -> str:
    return "" if role.account else " (this plan does not contain the resource's own account)"


OPENED_TO_ACCOUNT = RoleRule(
    id="resource-opened-to-account",
    severity="high",
    raised="a principal of another account, or of one that may be another, may use a resource",
    remedy="make sure that the account is yours or under contract, and that it needs each of the actions",
    judge=_account,
    kinds=("resource",),
)


def _service(role: Role) -> Iterator[Hit]:
    for statement in _opened(role, _Reach.SERVICE):
        note = _own_account(role) if _accounts(statement.condition) else ", on behalf of any account's resources"
        yield from _hits(role, [statement], note)


OPENED_TO_SERVICE = RoleRule(
    id="resource-opened-to-service",
    severity="medium",
    raised="an AWS service may use a resource on behalf of the resources of any account, or of one that may be another",
    remedy="add a condition on aws:SourceAccount or aws:SourceArn; for a Lambda permission, `source_account`",
    judge=_service,
    kinds=("resource",),
)


def _access_lost(role: Role) -> Iterator[Hit]:
    if persists(role):
        for change in role.trust.changes:
            if change.restricts:
                sentence = change_sentence(change, role.trust, trust=True)
                yield Hit(_address(role), f"{role.name}: {sentence}", change_subject(change, trust=True))


ACCESS_LOST = RoleRule(
    id="resource-access-lost",
    severity="medium",
    raised="a principal that could use a resource no longer can, or only under more conditions",
    remedy="make sure that nothing that uses the resource needs it",
    judge=_access_lost,
    kinds=("resource",),
)
