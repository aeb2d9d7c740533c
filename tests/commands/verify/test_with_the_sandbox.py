"""`verify` against the sandbox's simulation and sessions, whose evaluator shares no code with this project's."""

from typing import Any

import pytest

from iam.documents.recipe import PERMISSION_LEVELS, glue_statement, trust_policy
from iam.policy_document import Document
from sandbox.launcher import Sandbox
from sandbox.studio import Kernel
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import SAGEMAKER
from tests.commands.verify.conftest import DENY_GLUE, Granted, Run
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


def test_a_call_that_the_tags_of_studio_change_is_undecided_and_the_kernel_is_refused(
    verify: Run, granted: Granted, sandbox: Sandbox
) -> None:
    arn = granted(**EXTRA["a deny of other tag keys"])
    sandbox.client("iam").attach_role_policy(
        RoleName="team", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    )
    run = verify("--json", "*team")
    decided = {call["action"]: call for call in run.role("team")["calls"]}
    assert run.role("team")["state"] == "undecided"
    assert decided["glue:CreateSession"]["reason"] == (
        "allowed with the owner tag alone, denied with Studio's tag of the domain: a policy denies it"
    )
    domain_arn = sandbox.client("sagemaker").create_domain(
        DomainName="team", AuthMode="IAM", DefaultUserSettings={"ExecutionRole": arn}, SubnetIds=["s"], VpcId="v"
    )["DomainArn"]
    try:
        with Kernel(role_arn=arn, sandbox=sandbox.environment, domain_id=domain_arn.rpartition("/")[2]) as kernel:
            assert "not authorized to perform: glue:CreateSession" in kernel.run("1")
    finally:
        sandbox.client("sagemaker").delete_domain(DomainId=domain_arn.rpartition("/")[2])


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
