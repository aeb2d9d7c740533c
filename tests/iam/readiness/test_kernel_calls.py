"""The kernel's calls, decided with the grants and without."""

from collections.abc import Mapping

import pytest

from iam.documents.access import Access, access_policy
from iam.documents.grants import GRANTS, InlinePolicyGrant, ManagedPolicyGrant, TrustGrant
from iam.documents.recipe import PERMISSION_LEVELS, Permissions
from iam.engine.decision import Verdict, decide, decide_trust
from iam.engine.statements import trust_policy
from iam.readiness.kernel_calls import CALLS, NO_PERMISSION_NEEDED, boundary, decide_call, requests, role_policies
from iam.role import Role
from tests.iam.readiness.roles import ARN, role


def verdicts(of: Role) -> Mapping[str, Verdict]:
    policies, limits = role_policies(of), boundary(of)
    return {
        call.action: decide_call(request, lambda each: decide(each, policies, limits)).verdict
        for call, request in requests(of, region="eu-west-1")
    }


NEEDED = [call.action for call in CALLS if call.needed and call is not NO_PERMISSION_NEEDED]


@pytest.mark.parametrize("permissions", PERMISSION_LEVELS)
def test_with_the_grants_every_needed_call_is_allowed(permissions: Permissions) -> None:
    decided = verdicts(role(permissions))
    assert [action for action in NEEDED if decided[action] is not Verdict.ALLOWED] == []
    assert len(NEEDED) == 10


def test_least_privilege_also_allows_what_the_recipe_does_not() -> None:
    optional = ["glue:GetTags", "glue:GetDatabases"]
    assert [verdicts(role("recipe"))[action] for action in optional] == [Verdict.DENIED] * 2
    assert [verdicts(role("least-privilege"))[action] for action in optional] == [Verdict.ALLOWED] * 2


@pytest.mark.parametrize(("permissions", "on_catalog"), [("recipe", Verdict.DENIED), ("isolated", Verdict.ALLOWED)])
def test_the_default_database_needs_the_catalog_too(permissions: Permissions, on_catalog: Verdict) -> None:
    of = role(permissions)
    decided = {
        call.resource: decide(request, role_policies(of)).verdict
        for call, request in requests(of, region="eu-west-1")
        if call.action == "glue:GetDatabase"
    }
    assert decided == {"catalog": on_catalog, "database/default": Verdict.ALLOWED}


@pytest.mark.parametrize("permissions", PERMISSION_LEVELS)
@pytest.mark.parametrize("grant", GRANTS, ids=lambda grant: grant.key)
def test_without_a_grant_exactly_its_calls_are_denied(
    grant: ManagedPolicyGrant | InlinePolicyGrant | TrustGrant, permissions: Permissions
) -> None:
    whole = role(permissions)
    match grant:
        case ManagedPolicyGrant():
            attached = {arn: each for arn, each in (whole.attached_policies or {}).items() if arn != grant.arn("aws")}
            decided = verdicts(role(permissions, attached_policies=attached))
        case InlinePolicyGrant():
            inline = {name: each for name, each in (whole.inline_policies or {}).items() if name != grant.policy_name}
            decided = verdicts(role(permissions, inline_policies=inline))
        case TrustGrant():
            untrusting = trust_policy({"Statement": []})
            decided = dict.fromkeys(NEEDED, Verdict.ALLOWED)
            decided |= {action: decide_trust(untrusting, grant.service).verdict for action in grant.calls}
    denied = {action for action, verdict in decided.items() if verdict is Verdict.DENIED}
    assert denied & {*NEEDED, "sts:AssumeRole"} == {*grant.calls}


def test_pass_role_to_another_service_is_no_grant() -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["iam:PassRole", "iam:GetRole"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    }
    decided = verdicts(role(inline_policies={"p": {"Version": "2012-10-17", "Statement": statement}}))
    assert (decided["iam:PassRole"], decided["iam:GetRole"]) == (Verdict.DENIED, Verdict.DENIED)


def test_a_role_tag_is_a_principal_tag() -> None:
    statement = {
        "Effect": "Deny",
        "Action": "glue:*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "a"}},
    }
    policies = {**(role().inline_policies or {}), "deny": {"Version": "2012-10-17", "Statement": statement}}
    assert verdicts(role(inline_policies=policies, tags={"Team": "a"}))["glue:RunStatement"] is Verdict.DENIED
    assert verdicts(role(inline_policies=policies, tags={"Team": "b"}))["glue:RunStatement"] is Verdict.ALLOWED


TAG_KEYS = {
    "as long as all are listed": (["owner", "sagemaker:domain-arn", "sagemaker:space-arn"], Verdict.UNDECIDED),
    "as long as all are the kernel's": (["owner"], Verdict.UNDECIDED),
    "none of the kernel's": (["team"], Verdict.DENIED),
    "any": (["*"], Verdict.ALLOWED),
}


@pytest.mark.parametrize(("keys", "verdict"), TAG_KEYS.values(), ids=TAG_KEYS)
def test_a_limit_on_tag_keys_counts_the_tags_that_studio_adds(keys: list[str], verdict: Verdict) -> None:
    limit = {
        "Effect": "Allow",
        "Action": ["glue:CreateSession", "glue:TagResource"],
        "Resource": "*",
        "Condition": {"ForAllValues:StringLike": {"aws:TagKeys": keys}},
    }
    others = {"Effect": "Allow", "NotAction": limit["Action"], "Resource": "*"}
    bounded = role(boundary={"arn:aws:iam::111122223333:policy/tags": {"Statement": [limit, others]}})
    decided = verdicts(bounded)
    assert [decided["glue:CreateSession"], decided["glue:TagResource"]] == [verdict] * 2
    assert decided["glue:RunStatement"] is Verdict.ALLOWED


def test_what_cells_do_they_do_in_the_session_of_glue() -> None:
    users = {
        (call.action, request.context["aws:userid"][0].partition(":")[2])
        for call, request in requests(role(), region="eu-west-1", access=Access("eu-west-1", read_buckets=("s3://b",)))
    }
    assert {("glue:CreateSession", "SageMaker"), ("glue:GetDatabase", "GlueJobRunnerSession")} <= users
    assert {user for action, user in users if action.startswith("s3:")} == {"GlueJobRunnerSession"}


def test_a_denial_of_some_prefixes_is_undecided_whichever_is_the_example() -> None:
    access = Access("eu-west-1", read_buckets=("s3://b/curated/", "s3://b/raw/"))
    policy = access_policy(access, partition="aws", account_id=ARN.account_id)

    def listing(prefixes: list[str], operator: str = "StringLike") -> Verdict:
        deny = {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}
        condition = {"Condition": {operator: {"s3:prefix": prefixes}}}
        of = role(inline_policies={"a": policy, "b": {"Version": "2012-10-17", "Statement": [{**deny, **condition}]}})
        return next(
            decide(request, role_policies(of)).verdict
            for call, request in requests(of, region="eu-west-1", access=access)
            if call.action == "s3:ListBucket"
        )

    assert listing(["curated/*"]) is listing(["raw/people/*"]) is Verdict.UNDECIDED
    assert listing(["${aws:PrincipalTag/team}/*"]) is Verdict.UNDECIDED
    assert listing(["private/*"]) is listing(["curated", "curated/*", "raw*"], "StringNotLike") is Verdict.ALLOWED
    assert listing(["curated*", "raw", "raw/*"]) is Verdict.DENIED


def test_an_example_that_is_also_named_keeps_its_pattern() -> None:
    access = Access("eu-west-1", read_buckets=("s3://b/a/", "s3://b/a/example/"))
    found = [
        request.pattern
        for call, request in requests(role(), region="eu-west-1", access=access)
        if call.resource == "arn:aws:s3:::b/a/example"
    ]
    assert found == ["arn:aws:s3:::b/a/*"]
