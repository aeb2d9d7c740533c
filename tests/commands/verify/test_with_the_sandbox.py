"""`verify` against the sandbox's simulation and sessions, whose evaluator shares no code with this project's."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iam.documents.recipe import PERMISSION_LEVELS, glue_statement, trust_policy
from iam.policy_document import Document
from sandbox.launcher import Sandbox
from sandbox.studio import Kernel
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import SAGEMAKER, MakeRole
from tests.commands.verify.conftest import DENY_GLUE, Granted, Run
from tests.notebooks.conftest import RoleSession
from tests.trust_policies import trust as trusting


def _policy(**statement: Any) -> Document:
    return {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "glue:*", "Resource": "*", **statement}}


EXTRA: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a deny": {"inline": {"extra": DENY_GLUE}},
    "a deny of one session": {"inline": {"extra": _policy(Resource="arn:aws:glue:*:*:session/other")}},
    "a deny to other owners": {
        "inline": {"extra": _policy(Condition={"StringNotEquals": {"aws:RequestTag/owner": "${aws:userid}"}})}
    },
    "a deny outside a network": {
        "inline": {"extra": _policy(Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}})}
    },
    "a deny of passing to others": {
        "inline": {
            "extra": _policy(
                Action="iam:PassRole", Condition={"StringNotEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
            )
        }
    },
    "a deny in other regions": {
        "inline": {"extra": _policy(Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}})}
    },
    "a deny but for some actions": {
        "inline": {
            "extra": {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Deny", "NotAction": ["glue:*", "iam:G*"], "Resource": "*"},
            }
        }
    },
    "a deny of other tag keys": {
        "inline": {
            "extra": _policy(
                Action=["glue:CreateSession", "glue:TagResource"],
                Condition={"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["owner", "CostCenter"]}},
            )
        }
    },
    "a boundary without Glue": {"boundary": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
    "a boundary with all": {"boundary": "arn:aws:iam::aws:policy/AdministratorAccess"},
}


@pytest.mark.parametrize("permissions", PERMISSION_LEVELS)
@pytest.mark.parametrize("extra", EXTRA)
def test_the_simulation_and_the_documents_agree_or_are_undecided(
    verify: Run, granted: Granted, proxy: AwsProxy, extra: str, permissions: str
) -> None:
    granted(permissions=permissions, **EXTRA[extra])
    roles = f"[{{role: team, permissions: {permissions}}}]"
    simulation = verify("--json", "*team", roles=roles)
    proxy.refuse("SimulatePrincipalPolicy", "AccessDenied")
    documents = verify("--json", "*team", roles=roles)
    assert simulation.role("team")["evaluated_by"] == "iam:SimulatePrincipalPolicy"
    assert documents.role("team")["evaluated_by"] == "documents"
    assert simulation.verdicts("team") == documents.verdicts("team")
    undecided = {action for action, verdict in documents.verdicts("team").items() if verdict == "undecided"}
    assert bool(undecided) is (extra in ("a deny outside a network", "a deny of other tag keys"))


def test_a_call_that_the_tags_of_studio_change_is_undecided(verify: Run, granted: Granted) -> None:
    granted(**EXTRA["a deny of other tag keys"])
    run = verify("--json", "*team")
    decided = {call["action"]: call for call in run.role("team")["calls"]}
    assert run.role("team")["state"] == "undecided"
    assert decided["glue:CreateSession"]["reason"] == (
        "allowed with the owner tag alone, denied with Studio's tag of the domain: a policy denies it"
    )


DOMAIN, SPACE = "sagemaker:domain-arn", "sagemaker:space-arn"
SENT = [
    ("", ["owner"], "glue:CreateSession"),
    ("", ["owner", DOMAIN], "iam:PassRole"),
    ("lab", ["owner", DOMAIN, SPACE], "glue:CreateSession"),
    ("lab", ["owner", DOMAIN, "project"], "glue:CreateSession"),
    ("lab", ["owner", DOMAIN, SPACE, "project"], "iam:PassRole"),
]
"""A space, the tags that a session may have, and what is refused: to pass the role, once all tags are allowed."""


def test_the_real_kernel_sends_the_tags_that_verify_considers(verify: Run, granted: Granted, sandbox: Sandbox) -> None:
    tags = _policy(Effect="Allow", Action="sagemaker:ListTags")
    arn = granted(inline={"no-pass": _policy(Action="iam:PassRole"), "tags": tags})
    iam, sagemaker = sandbox.client("iam"), sandbox.client("sagemaker")
    iam.attach_role_policy(RoleName="team", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    settings: Any = {"ExecutionRole": arn}
    domain_id = sagemaker.create_domain(
        DomainName="tags", AuthMode="IAM", DefaultUserSettings=settings, SubnetIds=["s"], VpcId="v"
    )["DomainArn"].rpartition("/")[2]
    sagemaker.create_space(DomainId=domain_id, SpaceName="lab", Tags=[{"Key": "project", "Value": "x"}])

    def limit(keys: list[str]) -> None:
        others = {"ForAnyValue:StringNotEquals": {"aws:TagKeys": keys}}
        rule = _policy(Action=["glue:CreateSession", "glue:TagResource"], Condition=others)
        iam.put_role_policy(RoleName="team", PolicyName="tag-keys", PolicyDocument=json.dumps(rule))

    refused = []
    try:
        for space in ("", "lab"):
            with Kernel(role_arn=arn, sandbox=sandbox.environment, domain_id=domain_id, space_name=space) as kernel:
                for keys in (keys for name, keys, _ in SENT if name == space):
                    limit(keys)
                    output = kernel.run("1").partition("not authorized to perform: ")[2]
                    refused.append((space, keys, output.partition(" ")[0]))
    finally:
        sagemaker.delete_space(DomainId=domain_id, SpaceName="lab")
        sagemaker.delete_domain(DomainId=domain_id)
    assert refused == SENT
    for keys, verdict in (([DOMAIN, SPACE, "owner"], "undecided"), (["owner"], "undecided"), ([DOMAIN], "denied")):
        limit(keys)
        assert verify("--json", "*team").verdicts("team")["glue:CreateSession"] == verdict


OWNER_TAG = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
OF_OTHERS: dict[str, tuple[list[str], list[dict[str, Any]], str, str]] = {
    # the inline policy of AWS's page for Glue Studio, which passes roles of one name alone
    "of-the-page": (
        ["AwsGlueSessionUserRestrictedServiceRole"],
        [{"Action": ["iam:GetRole", "iam:PassRole"], "Resource": "arn:aws:iam::*:role/GlueServiceRole*"}],
        "iam:GetRole, iam:PassRole",
        "iam:PassRole",
    ),
    # compares the owner with a tag of the role, which the kernel does not know
    "of-notebooks": (
        ["AwsGlueSessionUserRestrictedNotebookServiceRole"],
        [{"Action": ["iam:GetRole", "iam:PassRole"], "Resource": "*"}],
        "glue:CreateSession, glue:TagResource, glue:GetSession, glue:RunStatement, glue:GetStatement,"
        " glue:CancelStatement, glue:StopSession",
        "glue:CreateSession",
    ),
    # from before tags needed a permission
    "of-before-tags": (
        [],
        [
            {"Action": ["glue:*Session*", "glue:*Statement*"], "Resource": "*"},
            {"Action": "iam:PassRole", "Resource": "*", "Condition": OWNER_TAG},
        ],
        "iam:GetRole, glue:TagResource",
        "glue:TagResource",
    ),
}
"""Roles with others' grants: managed and inline policies, the needed calls they lack, and what stops a session."""


@pytest.mark.parametrize("name", OF_OTHERS)
def test_the_grants_of_others_lack_what_verify_says(
    verify: Run, make_role: MakeRole, sandbox: Sandbox, name: str
) -> None:
    managed, statements, lacking, stopped_by = OF_OTHERS[name]
    inline: Document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    arn = make_role(
        name,
        trust_policy(),
        attached=tuple(f"arn:aws:iam::aws:policy/service-role/{each}" for each in managed),
        inline={"theirs": inline},
    )
    sandbox.client("iam").tag_role(RoleName=name, Tags=[{"Key": "owner", "Value": "me"}])
    found = verify("--json", f"*{name}", roles=f"[{{role: {name}}}]").role(name)
    needed = [each["action"] for each in found["calls"] if each["needed"] and each["verdict"] != "allowed"]
    assert (found["state"], ", ".join(needed)) == ("not ready", lacking)
    session = RoleSession(sandbox, arn)
    with pytest.raises(ClientError, match=f"not authorized to perform: {stopped_by} "):
        session.start_and_end_glue_session(arn)


LIMITS = {
    "a tag of the cost center": {"Null": {"aws:RequestTag/CostCenter": "true"}},
    "a network": {"Null": {"glue:VpcIds": "true"}},
}


@pytest.mark.parametrize("limit", LIMITS)
def test_what_a_notebook_can_still_set_leaves_a_role_undecided(verify: Run, granted: Granted, limit: str) -> None:
    """`%%tags` and `%connections` may satisfy it: tests/notebooks."""
    granted(inline={"limit": _policy(Action="glue:CreateSession", Condition=LIMITS[limit])})
    run = verify("--json", "*team")
    assert (run.role("team")["state"], run.verdicts("team")["glue:CreateSession"]) == ("undecided", "undecided")


@pytest.mark.e2e
def test_a_real_session_runs_a_statement_and_is_deleted(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted()
    run = verify("--json", "--start-session", "--yes", "*team")
    assert run.role("team")["session"] == {"ran": True, "output": "42", "remaining": None}
    assert run.status == 0
    created = next(call for call in proxy.calls if call.operation == "CreateSession")
    assert '"WorkerType": "G.1X"' in created.parameters
    assert proxy.operations[-1] == "DeleteSession"


def test_a_session_is_refused_where_glue_is_not_trusted(verify: Run, granted: Granted) -> None:
    # trusted under a condition that Glue does not meet: undecided by the documents, so only a session shows it
    condition = {"StringEquals": {"aws:SourceAccount": "999999999999"}}
    granted(trust=trusting(SAGEMAKER, {**glue_statement(), "Condition": condition}))
    run = verify("--json", "--start-session", "--yes", "*team", roles="[{role: team, trust: {ownership: external}}]")
    assert run.status == 1
    assert "should be given assume role permissions for Glue Service" in run.role("team")["session"]["output"]


def test_a_deny_in_the_trust_policy_is_seen(verify: Run, granted: Granted) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    granted(trust=trusting(*trust_policy()["Statement"], deny))
    assert verify("--json", "*team").verdicts("team")["sts:AssumeRole"] == "denied"
