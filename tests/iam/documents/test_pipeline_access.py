"""The policies of the pipeline's roles, evaluated for each recorded call."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest

from iam.documents.pipeline_access import ACCESS_ANALYZER, CALLS, PipelineRole, Reach, permissions
from iam.engine.decision import Request, Verdict, decide
from iam.engine.statements import permissions_policy
from plans import datasets
from tests.repository import ROOT

ACCOUNT = "arn:aws:iam::111122223333"
STATES = "arn:aws:s3:::states/glue-sessions"
MANAGED_POLICY = "arn:aws:iam::aws:policy/service-role/AwsGlueSessionUserRestrictedServiceRole"
REACH = Reach(
    partition="aws",
    account_id="111122223333",
    adopted_roles=["team"],
    external_roles=[f"{ACCOUNT}:role/service-role/others"],
    deploy_roles=["arn:aws:iam::444455556666:role/deploy"],
    bucket="states",
    key_prefix="glue-sessions",
    environments=["dev"],
    kms_key="arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-96ef-1234567890ab",
    data_buckets=["sales"],
    data_keys=["arn:aws:kms:eu-west-1:111122223333:key/5678abcd-12ab-34cd-96ef-1234567890ab"],
)
THINGS = {
    "adopted role": [f"{ACCOUNT}:role/service-role/team", f"{ACCOUNT}:role/team"],
    "external role": [f"{ACCOUNT}:role/service-role/others"],
    "deploy role": ["arn:aws:iam::444455556666:role/deploy"],
    "managed policy": [MANAGED_POLICY, f"{ACCOUNT}:policy/boundary"],
    "bucket": ["arn:aws:s3:::states"],
    "state": [f"{STATES}/dev/team.tfstate"],
    "lock": [f"{STATES}/dev/team.tfstate.tflock"],
    "orphaned state": [f"{STATES}/gone/team.tfstate"],
    "key": [str(REACH.kms_key)],
    "data bucket": ["arn:aws:s3:::sales"],
    "data key": [*REACH.data_keys],
    "data catalog": ["arn:aws:glue:eu-west-1:111122223333:catalog"],
}
ROLES: tuple[PipelineRole, ...] = get_args(PipelineRole)


def request(action: str, resource: str, policy_arn: str = MANAGED_POLICY) -> Request:
    return Request(action, resource, {"iam:policyarn": (policy_arn,)})


def recorded(role: PipelineRole) -> Iterator[Request]:
    for work in CALLS[role].values():
        for kind, actions in work.items():
            yield from (request(action, thing) for action in actions for thing in THINGS[kind])


def allows(policy: dict[str, Any], asked: Request) -> bool:
    verdict = decide(asked, {"policy": permissions_policy(policy)}).verdict
    assert verdict is not Verdict.UNDECIDED
    return verdict is Verdict.ALLOWED


@pytest.mark.parametrize("role", ROLES)
def test_every_recorded_call_is_allowed(role: PipelineRole) -> None:
    policy = permissions(role, REACH)
    assert [asked for asked in recorded(role) if not allows(policy, asked)] == []


@pytest.mark.parametrize("role", ROLES)
def test_without_any_one_action_or_resource_some_recorded_call_is_denied(role: PipelineRole) -> None:
    policy = permissions(role, REACH)
    calls = [*recorded(role)]
    for number, statement in enumerate(policy["Statement"]):
        for element in ("Action", "Resource"):
            for left_out in statement[element]:
                # the pattern for orphaned states covers the configured environments
                if role == "plan" and left_out == f"{STATES}/dev/*.tfstate":
                    continue
                rest = [each for each in statement[element] if each != left_out]
                statements = [*policy["Statement"]]
                statements[number : number + 1] = [{**statement, element: rest}] if rest else []
                poorer = {**policy, "Statement": statements}
                assert not all(allows(poorer, asked) for asked in calls), left_out


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "asked",
    [
        *(
            request(f"iam:{action}", THINGS["adopted role"][0])
            for action in (
                "CreateRole",
                "DeleteRole",
                "DeleteRolePermissionsBoundary",
                "ListInstanceProfilesForRole",
                "PassRole",
                "PutRolePermissionsBoundary",
                "TagRole",
                "UpdateRole",
            )
        ),
        request("iam:AttachRolePolicy", THINGS["adopted role"][0], "arn:aws:iam::aws:policy/AdministratorAccess"),
        request("iam:DetachRolePolicy", THINGS["adopted role"][0], "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"),
        request("iam:UpdateAssumeRolePolicy", THINGS["external role"][0]),
        request("iam:PutRolePolicy", f"{ACCOUNT}:role/glue-sessions-apply"),
        request("iam:PutRolePolicy", f"{ACCOUNT}:role/another-team"),
        request("iam:PutRolePolicy", f"{ACCOUNT}:role/team-lead"),
        request("iam:CreatePolicyVersion", f"{ACCOUNT}:policy/boundary"),
        request("s3:PutObject", f"{STATES}/pipeline-access.tfstate"),
        request("s3:GetObject", f"{STATES}/pipeline-access.tfstate"),
        request("s3:PutObject", f"{STATES}/gone/team.tfstate"),
        request("s3:DeleteObject", f"{STATES}/dev/team.tfstate"),
        request("s3:PutBucketPolicy", "arn:aws:s3:::states"),
        request("s3:GetObject", "arn:aws:s3:::sales/orders.csv"),
        request("s3:PutBucketPolicy", "arn:aws:s3:::sales"),
        request("kms:Decrypt", REACH.data_keys[0]),
        request("kms:PutKeyPolicy", REACH.data_keys[0]),
        request("glue:PutResourcePolicy", "arn:aws:glue:eu-west-1:111122223333:catalog"),
        request("sts:AssumeRole", f"{ACCOUNT}:role/another"),
    ],
    ids=lambda asked: f"{asked.action} {asked.resource.rpartition(':')[2]}",
)
def test_neither_role_may_do_anything_else(role: PipelineRole, asked: Request) -> None:
    assert not allows(permissions(role, REACH), asked)


def test_the_plan_role_changes_nothing_but_locks() -> None:
    for statement in permissions("plan", REACH)["Statement"]:
        for action in statement["Action"]:
            name = action.partition(":")[2]
            reads = name.startswith(("Get", "List", "Simulate")) or action.startswith("kms:")
            assert reads or statement["Resource"] == [f"{STATES}/dev/*.tfstate.tflock"], action


@pytest.mark.parametrize("role", ROLES)
def test_actions_without_resources_are_not_allowed(role: PipelineRole) -> None:
    few = Reach("aws", "111122223333", ["team"], [], [], "states", "glue-sessions", ["dev"], None)
    policy = permissions(role, few)
    assert all(statement["Resource"] for statement in policy["Statement"])
    actions = {action.partition(":")[0] for statement in policy["Statement"] for action in statement["Action"]}
    assert actions == ({"iam", "s3", "glue"} if role == "plan" else {"iam", "s3"})


def test_only_the_plan_role_asks_access_analyzer_and_only_with_the_setting() -> None:
    asking = replace(REACH, access_analyzer=True)
    added = {"Effect": "Allow", "Action": [*ACCESS_ANALYZER], "Resource": ["*"]}
    assert permissions("plan", asking)["Statement"] == [*permissions("plan", REACH)["Statement"], added]
    assert permissions("apply", asking) == permissions("apply", REACH)
    for action in ACCESS_ANALYZER:
        asked = Request(action, "*", {})
        assert [allows(permissions("plan", reach), asked) for reach in (asking, REACH)] == [True, False]
        (known,) = datasets.actions(action.lower()) or ()
        assert (known.name, known.supports("arn:aws:access-analyzer:eu-west-1:111122223333:analyzer/a")) == (
            action,
            False,
        )


DOCUMENTED = {
    "adopted role": "execution roles, adopted",
    "external role": "execution roles, `external`",
    "deploy role": "roles named as `deploy_role_arn`",
    "managed policy": "managed policies",
    "bucket": "the state bucket",
    "state": "states of the configured environments",
    "lock": "their lock files",
    "orphaned state": "states of other environments",
    "key": "the key named as `kms_key_id`",
    "data bucket": "buckets named in `access`",
    "data key": "keys named in `access`",
    "data catalog": "the Data Catalog",
}


def test_the_documentation_lists_the_recorded_calls() -> None:
    def actions(role: PipelineRole, kind: str) -> str:
        found = {action for work in CALLS[role].values() for action in work.get(kind, ())}
        return " ".join(f"`{action}`" for action in sorted(found))

    rows = [f"| {words} | {actions('plan', kind)} | {actions('apply', kind)} |" for kind, words in DOCUMENTED.items()]
    asked = " ".join(f"`{action}`" for action in ACCESS_ANALYZER)
    rows.append(f"| with `access_analyzer: true`, no resource | {asked} |  |")
    text = (ROOT / "docs/pipelines/access.md").read_text()
    assert "\n".join(["| on | plan role | apply role |", "|---|---|---|", *rows]) in text, "\n".join(rows)
