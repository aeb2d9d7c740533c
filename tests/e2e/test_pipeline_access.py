"""The pipeline's two roles at work, every request of theirs judged by IAM; what they ask for is what is on record."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from configuration import Configuration
from configuration.pipeline_access import pipeline_settings
from sandbox.launcher import Sandbox
from stacks.pipeline_access import PipelineAccessStack
from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import ACCOUNT, CONSOLE_TRUST, RECIPE_INLINE_POLICY, RECIPE_TRUST, Grants
from tests.e2e.programs import command
from tests.e2e.shop import Shop
from tests.e2e.terraform import Run, Terraform
from tests.repository import ROOT
from tests.template import app_in_memory

RECORD = ROOT / "iam/documents/pipeline_calls.json"
REWRITE = os.environ.get("REWRITE_EXPECTED") == "1"
OIDC_PROVIDER = "aws_iam_openid_connect_provider.github"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-96ef-1234567890ab"


def run_unguarded(stack: Terraform, *arguments: str) -> Run:
    """Run what may make or destroy a role, which no stack of an execution role ever may."""
    process = stack.start(*arguments, "-json", "-input=false", "-auto-approve")
    output, _ = process.communicate("", timeout=240)
    return Run(process.returncode, output)


@dataclass
class Pipeline:
    """Jobs of the pipeline, each with a session of a role of its own, named after what it does."""

    shop: Shop
    role_arns: Mapping[str, str]

    def job(self, role: str, work: str, *, folder_of: str | None = None) -> Shop:
        """The shop as a job sees it: with credentials of its own, in a folder of its own or of an earlier job."""
        session = self.shop.aws.client("sts").assume_role(RoleArn=self.role_arns[role], RoleSessionName=work)
        found = session["Credentials"]
        credentials = {
            "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
            "AWS_SESSION_TOKEN": found["SessionToken"],
        }
        folder = self.shop.folder / (folder_of or work)
        folder.mkdir(exist_ok=folder_of is not None)
        return replace(self.shop, folder=folder, environment={**self.shop.environment, **credentials})

    def asked(self, kinds: Mapping[str, str]) -> dict[str, dict[str, dict[str, list[str]]]]:
        """What each role was allowed, by work and kind of resource."""
        found: dict[str, dict[str, dict[str, set[str]]]] = {role: {} for role in self.role_arns}
        for decision in self.shop.aws.decisions():
            _, role_name, work = decision.principal.split("/")
            for role, arn in self.role_arns.items():
                if arn.endswith(f"/{role_name}") and not work.startswith("attempt"):
                    assert decision.result == "Allowed", decision
                    of_work = found[role].setdefault(work, {})
                    of_work.setdefault(kind_of(decision.resource, kinds), set()).add(decision.action)
        return {
            role: {work: {kind: sorted(of_kind[kind]) for kind in sorted(of_kind)} for work, of_kind in works.items()}
            for role, works in found.items()
        }


def kind_of(resource: str, kinds: Mapping[str, str]) -> str:
    if kind := kinds.get(resource):
        return kind
    if ":policy/" in resource:
        return "managed policy"
    assert resource.endswith((".tfstate", ".tflock")), resource
    return "lock" if resource.endswith(".tflock") else "state"


def make_access(shop: Shop, configuration: Configuration) -> Pipeline:
    """Apply the stack of the pipeline's access, as an administrator does."""
    settings = pipeline_settings(configuration)
    stack = shop.prepare(PipelineAccessStack(app_in_memory(), settings=settings), "pipeline-access")
    made = run_unguarded(stack, "apply")
    assert made.status == 0, made.output
    stack.assert_nothing_to_do()
    outputs = json.loads(stack.run("output", "-json").output)
    arns = {role: outputs[f"AWS_{role.upper()}_ROLE_ARN"]["value"] for role in ("plan", "apply")}
    if REWRITE:  # what is asked for shows only where nothing is refused
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        for role in ("plan", "apply"):
            shop.aws.client("iam").put_role_policy(
                RoleName=settings.role_name(role), PolicyName="everything", PolicyDocument=json.dumps(everything)
            )
    return Pipeline(shop, arns)


def make_deploy_role(aws: Sandbox, name: str) -> str:
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy(everything))
    return made["Role"]["Arn"]


def policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def without_its_role(stack: Terraform) -> Terraform:
    """The stack once somebody has deleted the role's block and kept the grants."""
    file = stack.folder / "cdk.tf.json"
    document = json.loads(file.read_text())
    del document["resource"]["aws_iam_role"], document["import"]
    file.write_text(json.dumps(document))
    return stack


def assert_refused(run: Run, action: str) -> None:
    assert run.status == 1
    assert any(f"is not authorized to perform: {action} " in error for error in run.errors), run.errors


def test_each_role_does_its_work_and_no_more(shop: Shop, make_role: MakeRole, unique_name: str) -> None:
    shop.state = {"kms_key_id": KEY, "key_prefix": unique_name[-30:].strip("-")}
    shop.pipeline = {"github": {"repository": "acme/data"}}
    adopted, external, deployed = make_role(), make_role(), make_role()
    deploy_role = make_deploy_role(shop.aws, f"{unique_name}-deploy")
    roles: dict[str, Any] = {
        "dev": {"roles": [{"role": adopted.name}, {"role": external.arn, "trust": {"ownership": "external"}}]},
        "elsewhere": {"deploy_role_arn": deploy_role, "roles": [{"role": deployed.name}]},
    }
    own = f"glue-sessions-dev-{adopted.name}"
    pipeline = make_access(shop, shop.configure(**roles))
    kinds = {
        adopted.arn: "adopted role",
        external.arn: "external role",
        deploy_role: "deploy role",
        f"arn:aws:s3:::{shop.bucket}": "bucket",
        f"arn:aws:s3:::{shop.bucket}/{shop.state['key_prefix']}/gone/team.tfstate": "left-over state",
        KEY: "key",
    }

    planning = pipeline.job("plan", "plan").stacks(dev=roles["dev"])
    planned = planning[own].plan()
    assert planned.summary == "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy.", planned.output
    if not REWRITE:
        attempt = (
            pipeline.job("plan", "attempt-to-apply", folder_of="plan").stacks(dev=roles["dev"])[own].try_to_apply()
        )
        assert_refused(attempt, "iam:UpdateAssumeRolePolicy")
        assert adopted.read() == adopted.made

    granted = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
    applying = pipeline.job("apply", "apply")
    saved = replace(planning[own], environment=applying.environment).run("apply", "-json", "-input=false", "plan.bin")
    assert saved.status == 0, saved.output
    others = {"dev": {"roles": roles["dev"]["roles"][1:]}, "elsewhere": roles["elsewhere"]}
    for stack in applying.stacks(**others).values():
        stack.apply()
    assert adopted.grants == deployed.grants == granted
    assert external.grants == granted._replace(trust=external.made.grants.trust)

    adopted.trust = CONSOLE_TRUST
    gone = f"{shop.state['key_prefix']}/gone/team.tfstate"
    shop.aws.client("s3").put_object(Bucket=shop.bucket, Key=gone, Body=b"{}")
    for name in ("drift", "verify"):
        job = pipeline.job("plan", name)
        job.configure(dev=roles["dev"])
        done = command(job, name)
        # found, and nothing that could not be read
        assert (done.returncode, done.stderr) == (1, ""), done.stdout + done.stderr
        assert adopted.name in done.stdout

    if not REWRITE:
        before = adopted.read()
        deleting = without_its_role(
            pipeline.job("apply", "attempt-to-delete", folder_of="plan").stacks(dev=roles["dev"])[own]
        )
        assert_refused(run_unguarded(deleting, "apply"), "iam:ListInstanceProfilesForRole")
        assert adopted.read() == before

    for role in roles["dev"]["roles"]:
        role["released"] = True
    for stack in pipeline.job("apply", "release", folder_of="plan").stacks(dev=roles["dev"]).values():
        stack.apply()
    assert adopted.read() == adopted.made
    assert external.read() == external.made

    asked = pipeline.asked(kinds)
    if REWRITE:
        RECORD.write_text(json.dumps(asked, indent=2) + "\n")
    assert json.loads(RECORD.read_text()) == asked, "record it anew: REWRITE_EXPECTED=1 pytest " + __file__

    assert_it_can_be_left(shop, roles)


def assert_it_can_be_left(shop: Shop, roles: Mapping[str, Any]) -> None:
    """The roles go, and the OIDC provider stays for whoever else trusts it."""
    shop.pipeline = {"github": {"repository": "acme/data", "oidc_provider_exists": True}}
    settings = pipeline_settings(shop.configure(**roles))
    stack = shop.prepare(PipelineAccessStack(app_in_memory(), settings=settings), "pipeline-access")
    forgotten = run_unguarded(stack, "apply")
    assert (forgotten.status, forgotten.changes) == (0, {OIDC_PROVIDER: "remove"}), forgotten.output
    destroyed = run_unguarded(stack, "apply", "-destroy")
    assert destroyed.summary == "Apply complete! Resources: 0 added, 0 changed, 4 destroyed.", destroyed.output
    (provider,) = shop.aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert provider["Arn"].endswith(":oidc-provider/token.actions.githubusercontent.com")
