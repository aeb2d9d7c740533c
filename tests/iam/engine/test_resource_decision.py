"""The policy of a resource beside the role's own: what it denies, and what it leaves open."""

from dataclasses import replace
from typing import Any

import pytest

from iam.engine.decision import Decision, Request, Verdict
from iam.engine.resource_decision import Granting, RoleSession, decide_by_resource
from iam.engine.statements import resource_policy

ACCOUNT = "111122223333"
SESSION = RoleSession(f"arn:aws:iam::{ACCOUNT}:role/service-role/team", "AROATEAM")
OBJECT = "arn:aws:s3:::acme-sales/curated/example"
ALLOWED = Decision(Verdict.ALLOWED, "policy access allows it")
CONTEXT = {"aws:securetransport": ("true",), "aws:principalarn": (SESSION.role_arn,)}
REQUEST = Request("s3:GetObject", OBJECT, CONTEXT, "arn:aws:s3:::acme-sales/curated/*")
SESSIONS = f"arn:aws:sts::{ACCOUNT}:assumed-role"


def statement(effect: str, principal: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": "s3:*", "Resource": "arn:aws:s3:::acme-sales/*", **more}


def verdict(
    *statements: dict[str, Any], own: Decision = ALLOWED, session: RoleSession = SESSION, must_allow: bool = False
) -> str:
    policy = resource_policy({"Version": "2012-10-17", "Statement": list(statements)})
    return decide_by_resource(REQUEST, own, {"p": policy}, session, must_allow=must_allow).verdict.value


@pytest.mark.parametrize(
    ("principal", "denied", "allowed"),
    [
        ("*", "denied", "allowed"),
        ({"AWS": "*"}, "denied", "allowed"),
        ({"AWS": SESSION.role_arn}, "denied", "allowed"),
        ({"AWS": "AROATEAM"}, "denied", "allowed"),
        # an account denied is everyone in it; one that is allowed leaves it to the role's own policies
        ({"AWS": ACCOUNT}, "denied", "allowed"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "denied", "allowed"),
        ({"AWS": f"{SESSIONS}/team/SageMaker"}, "undecided", "undecided"),
        ({"CanonicalUser": "79a5"}, "undecided", "undecided"),
        ({"AWS": f"{SESSIONS}/other/SageMaker"}, "allowed", "undecided"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/team"}, "allowed", "undecided"),
        ({"AWS": "AROAOTHER"}, "allowed", "undecided"),
        ({"AWS": "444455556666"}, "allowed", "undecided"),
        ({"Service": "glue.amazonaws.com"}, "allowed", "undecided"),
    ],
)
def test_a_statement_is_about_the_role_its_sessions_and_its_account(principal: Any, denied: str, allowed: str) -> None:
    assert verdict(statement("Deny", principal)) == denied
    assert verdict(statement("Allow", principal), must_allow=True) == allowed
    # where the role's own policies suffice, what is allowed here does not matter
    assert verdict(statement("Allow", principal)) == "allowed"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("444455556666", "denied"),
        # AWS compares the account, the role and its session one by one
        (SESSION.role_arn, "undecided"),
        ([SESSION.role_arn, ACCOUNT], "undecided"),
        ([SESSION.role_arn, ACCOUNT, f"{SESSIONS}/team/SageMaker"], "undecided"),
        (f"{SESSIONS}/team/SageMaker", "undecided"),
        ("AROATEAM", "undecided"),
    ],
)
def test_a_denial_of_all_others(principal: Any, expected: str) -> None:
    deny = {key: value for key, value in statement("Deny").items() if key != "Principal"}
    assert verdict({**deny, "NotPrincipal": {"AWS": principal}}) == expected
    bounded = replace(SESSION, is_bounded=True)
    assert verdict({**deny, "NotPrincipal": {"AWS": principal}}, session=bounded) == "denied"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, "allowed"),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, "undecided"),
        ({"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}, "undecided"),
        ({"Condition": {"ArnNotEquals": {"aws:PrincipalArn": SESSION.role_arn}}}, "allowed"),
        ({"Condition": {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/etl"}}}, "denied"),
        ({"Resource": "arn:aws:s3:::acme-sales/curated/*"}, "denied"),
        ({"Resource": "arn:aws:s3:::acme-sales/curated/people/*"}, "undecided"),
        ({"Resource": "arn:aws:s3:::acme-sales/raw/*"}, "allowed"),
        ({"Action": "s3:PutObject"}, "allowed"),
    ],
)
def test_a_denial_on_a_condition_or_a_part(more: dict[str, Any], expected: str) -> None:
    assert verdict(statement("Deny", **more)) == expected


def test_what_the_role_may_not_do_stays_so_and_a_denial_is_named_first() -> None:
    for own in (Decision(Verdict.DENIED, "no"), Decision(Verdict.UNDECIDED, "perhaps")):
        assert verdict(statement("Allow"), own=own, must_allow=True) == own.verdict.value
        assert verdict(statement("Deny"), own=own) == "denied"


NOTHING = Decision(Verdict.DENIED, "no policy allows it")
OPEN = Decision(Verdict.UNDECIDED, "it depends")


@pytest.mark.parametrize(
    ("principal", "granting", "expected"),
    [
        ("*", (ALLOWED, ALLOWED), "allowed"),
        ({"AWS": SESSION.role_arn}, (ALLOWED, ALLOWED), "allowed"),
        ({"AWS": ["AROATEAM", ACCOUNT]}, (ALLOWED, ALLOWED), "allowed"),
        # an account leaves it to the role's own policies
        ({"AWS": ACCOUNT}, (ALLOWED, ALLOWED), "denied"),
        ({"AWS": "444455556666"}, (ALLOWED, ALLOWED), "denied"),
        ({"AWS": [f"{SESSIONS}/team/SageMaker", ACCOUNT]}, (ALLOWED, ALLOWED), "undecided"),
        # the role's policies or the boundary deny it explicitly, or may
        ({"AWS": SESSION.role_arn}, (NOTHING, NOTHING), "denied"),
        ({"AWS": SESSION.role_arn}, (OPEN, OPEN), "undecided"),
        # the boundary does not allow it: that holds a role, and no session that is named itself
        ({"AWS": SESSION.role_arn}, (ALLOWED, NOTHING), "denied"),
        ({"AWS": f"{SESSIONS}/team/SageMaker"}, (ALLOWED, NOTHING), "undecided"),
        ("*", (ALLOWED, NOTHING), "undecided"),
        ("*", None, "denied"),
    ],
)
def test_what_a_resource_allows_the_role_itself_needs_no_policy_of_the_role(
    principal: Any, granting: tuple[Decision, Decision] | None, expected: str
) -> None:
    policy = resource_policy({"Version": "2012-10-17", "Statement": [statement("Allow", principal)]})
    for must_allow in (True, False):
        found = decide_by_resource(
            REQUEST,
            NOTHING,
            {"p": policy},
            SESSION,
            must_allow=must_allow,
            granting=Granting(*granting) if granting else None,
        )
        assert found.verdict.value == expected


def test_a_grant_to_all_but_some_is_undecided() -> None:
    of_others = {**statement("Allow"), "NotPrincipal": {"AWS": "444455556666"}}
    del of_others["Principal"]
    policy = resource_policy({"Version": "2012-10-17", "Statement": [of_others]})
    granting = Granting(ALLOWED, ALLOWED)
    found = decide_by_resource(REQUEST, NOTHING, {"p": policy}, SESSION, must_allow=True, granting=granting)
    assert found.verdict is Verdict.UNDECIDED


def test_a_grant_of_a_key_may_allow_what_its_policy_does_not() -> None:
    policy = resource_policy({"Version": "2012-10-17", "Statement": [statement("Allow", {"AWS": "444455556666"})]})
    decision = decide_by_resource(REQUEST, ALLOWED, {"the policy of key k": policy}, SESSION, must_allow=True)
    assert decision.reason == "whether the policy of key k allows it depends on its grants: its statements do not"
