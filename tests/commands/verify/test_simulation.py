"""`verify` asks IAM to simulate the kernel's calls, and knows what the simulation does not."""

import json

import pytest

from sandbox.launcher import Sandbox
from tests.aws_proxy import AwsProxy
from tests.commands.discover.conftest import MakeRole
from tests.commands.verify.conftest import DENY_GLUE, Granted, Run


@pytest.fixture(autouse=True)
def _documents_only(proxy: AwsProxy) -> None:
    """Deny the simulation, unless a test answers it."""
    proxy.refuse("SimulatePrincipalPolicy", "AccessDenied")


@pytest.fixture(autouse=True)
def _states(sandbox: Sandbox) -> None:
    sandbox.client("s3").create_bucket(Bucket="verify-states")


def simulate(proxy: AwsProxy, *, decisions: dict[str, str] | None = None, more: str = "") -> None:
    """Answer SimulatePrincipalPolicy: allowed but for `decisions`; `more` is added to each result."""

    def answer(parameters: dict[str, str], _: str) -> bytes:
        actions = [value for key, value in parameters.items() if key.startswith("ActionNames.")]
        results = "".join(
            f"<member><EvalActionName>{action}</EvalActionName>"
            f"<EvalResourceName>{parameters['ResourceArns.member.1']}</EvalResourceName>"
            f"<EvalDecision>{(decisions or {}).get(action, 'allowed')}</EvalDecision>"
            f"<MatchedStatements><member><SourcePolicyId>one</SourcePolicyId></member></MatchedStatements>{more}</member>"
            for action in actions
        )
        return (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{results}"
            "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        ).encode()

    proxy.answers["SimulatePrincipalPolicy"] = answer


def test_iam_simulates_the_calls_if_the_caller_may(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted()
    simulate(proxy, decisions={"glue:RunStatement": "explicitDeny", "iam:PassRole": "implicitDeny"})
    run = verify("--json")
    role = run.role("team")
    assert (run.status, role["state"], role["evaluated_by"]) == (1, "not ready", "iam:SimulatePrincipalPolicy")
    reasons = {call["action"]: call["reason"] for call in role["calls"]}
    assert reasons["glue:RunStatement"] == "one denies it"
    assert reasons["iam:PassRole"] == "no policy allows it"
    assert reasons["sts:AssumeRole"] == "the trust policy trusts glue.amazonaws.com"


def test_the_simulation_gets_the_context_of_the_kernels_calls(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted()
    simulate(proxy)
    verify("--json")
    sent = [call.parameters for call in proxy.calls if call.operation == "SimulatePrincipalPolicy"]
    create = next(each for each in sent if "glue:CreateSession" in each)
    assert all(key in create for key in ("aws:requesttag/owner", "aws:tagkeys", ":SageMaker", ":session/"))
    parameters = json.loads(create)
    for name in ("aws:principalisawsservice", "aws:securetransport", "aws:viaawsservice"):
        (member,) = [key.removesuffix("Name") for key, value in parameters.items() if value == name]
        assert parameters[f"{member}Type"] == "boolean"
    passing = next(each for each in sent if "iam:PassRole" in each)
    assert "glue.amazonaws.com" in passing
    assert "iam:GetRole" not in passing


def test_a_boundary_in_the_simulation_is_the_reason(verify: Run, granted: Granted, proxy: AwsProxy) -> None:
    granted()
    detail = (
        "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary>"
        "</PermissionsBoundaryDecisionDetail>"
    )
    simulate(proxy, decisions={"glue:RunStatement": "implicitDeny"}, more=detail)
    calls = {call["action"]: call["reason"] for call in verify("--json").role("team")["calls"]}
    assert calls["glue:RunStatement"] == "the permissions boundary does not allow it"


def test_a_policy_of_the_organization_in_the_simulation_is_the_reason(
    verify: Run, granted: Granted, proxy: AwsProxy
) -> None:
    granted()
    detail = (
        "<OrganizationsDecisionDetail><AllowedByOrganizations>false</AllowedByOrganizations>"
        "</OrganizationsDecisionDetail>"
    )
    simulate(proxy, decisions={"glue:RunStatement": "implicitDeny"}, more=detail)
    calls = {call["action"]: call["reason"] for call in verify("--json").role("team")["calls"]}
    assert calls["glue:RunStatement"] == "a policy of the organization does not allow it"


NETWORK = {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}
MISSING = "<MissingContextValues><member>aws:SourceVpc</member></MissingContextValues>"


def test_missing_keys_of_the_simulation_matter_only_if_the_documents_use_them(
    verify: Run, granted: Granted, proxy: AwsProxy
) -> None:
    granted(inline={"network": {**DENY_GLUE, "Statement": {**DENY_GLUE["Statement"], "Condition": NETWORK}}})
    simulate(proxy, more=MISSING)
    run = verify("--json")
    assert (run.status, run.role("team")["state"]) == (1, "undecided")
    assert run.verdicts("team")["iam:PassRole"] == "allowed"
    assert run.verdicts("team")["glue:RunStatement"] == "undecided"


def test_a_simulation_that_contradicts_the_documents_for_lack_of_a_key_is_undecided(
    verify: Run, make_role: MakeRole, proxy: AwsProxy
) -> None:
    make_role("team")
    simulate(proxy, more=MISSING)
    calls = {call["action"]: call for call in verify("--json").role("team")["calls"]}
    assert calls["iam:PassRole"]["verdict"] == "undecided"
    assert calls["iam:PassRole"]["reason"] == "the simulation says allowed without knowing aws:SourceVpc"


def test_a_denied_simulation_is_one_line(verify: Run, granted: Granted) -> None:
    granted()
    assert verify().err == "calls evaluated from the documents: iam:SimulatePrincipalPolicy: access denied: not today\n"
