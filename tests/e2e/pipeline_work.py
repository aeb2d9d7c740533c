"""The work of the pipeline's two roles on the local AWS, which logs each request it allows or denies.

`test_pipeline_access` compares those requests with iam/documents/pipeline_calls.json, which `record_pipeline_calls`
writes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from configuration.pipeline_access import PipelineSettings, pipeline_settings
from iam.documents.pipeline_access import PipelineRole
from sandbox.launcher import Sandbox
from stacks.pipeline_access import PipelineAccessStack
from tests.e2e.conftest import MakeRole
from tests.e2e.execution_role import ACCOUNT, CONSOLE_TRUST, RECIPE_INLINE_POLICY, RECIPE_TRUST, ExecutionRole, Grants
from tests.e2e.programs import command
from tests.e2e.shop import Shop
from tests.e2e.terraform import Run, Terraform
from tests.template import app_in_memory

PIPELINE_ROLES: tuple[PipelineRole, ...] = get_args(PipelineRole)
Calls = dict[str, dict[str, dict[str, list[str]]]]
"""The actions of each role, by work and by kind of resource."""

_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-96ef-1234567890ab"
_DATA_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/5678abcd-12ab-34cd-96ef-1234567890ab"
_ATTEMPT = "attempt"
_EVERYTHING = "everything"


def apply_unguarded(stack: Terraform, *arguments: str) -> Run:
    """Apply a stack that may create or destroy a role, as no stack of an execution role ever may."""
    return stack.run_unguarded("apply", "-json", "-input=false", "-auto-approve", *arguments)


@dataclass
class PipelineWork:
    """Everything that a pipeline does; each kind of work is a job with a separate session.

    Attributes:
        shop: the shop, its pipeline's access applied.
        settings: the settings of the pipeline's access.
        role_arns: ARNs of the pipeline's roles.
        environments: the configuration of the environments.
        adopted: the execution role that the pipeline adopts.
        external: one whose ownership is external.
        deployed: one that a deploy role changes.
        deploy_role: ARN of that deploy role.
    """

    shop: Shop
    settings: PipelineSettings
    role_arns: Mapping[PipelineRole, str]
    environments: dict[str, Any]
    adopted: ExecutionRole
    external: ExecutionRole
    deployed: ExecutionRole
    deploy_role: str

    @property
    def stack_name(self) -> str:
        """The stack of the adopted role."""
        return f"glue-sessions-dev-{self.adopted.name}"

    def plan(self) -> None:
        """Plan the adopted role with the plan role."""
        stack = self._job("plan", "plan").stacks(dev=self.environments["dev"])[self.stack_name]
        planned = stack.plan()
        assert planned.summary == "Plan: 1 to import, 2 to add, 1 to change, 0 to destroy.", planned.output

    def apply(self) -> None:
        """Plan all roles again and apply the saved plans, with the apply role."""
        for stack in self._job("apply", "apply").stacks(**self.environments).values():
            stack.save_plan()
            applied = stack.run("apply", "-json", "-input=false", "plan")
            assert applied.status == 0, applied.output
        granted = Grants(RECIPE_TRUST, attached=True, inline_policy=RECIPE_INLINE_POLICY)
        assert self.adopted.grants == self.deployed.grants == granted
        assert self.external.grants == granted._replace(trust=self.external.made.grants.trust)

    def drift_and_verify(self) -> None:
        """Run both commands with the plan role, on a role that others changed and with an orphaned state."""
        self.adopted.trust = CONSOLE_TRUST
        # what bears on a call that the role may make is read
        allow_everything(self.shop.aws, self.adopted.name)
        self.shop.aws.client("s3").put_object(Bucket=self.shop.bucket, Key=self._orphaned_key, Body=b"{}")
        for name in ("drift", "verify"):
            job = self._job("plan", name)
            dev = self.environments["dev"]
            job.configure(dev=_with_access(dev, _data_bucket(self.shop)) if name == "verify" else dev)
            done = command(job, name)
            # 1 for a role with findings, and nothing that could not be read
            assert (done.returncode, done.stderr) == (1, ""), done.stdout + done.stderr
            assert self.adopted.name in done.stdout
        self.shop.aws.client("iam").delete_role_policy(RoleName=self.adopted.name, PolicyName=_EVERYTHING)

    def release(self) -> None:
        """Release the roles with the apply role."""
        roles = [{**role, "released": True} for role in self.environments["dev"]["roles"]]
        job = self._job("apply", "release", folder_of="plan")
        for stack in job.stacks(dev={**self.environments["dev"], "roles": roles}).values():
            stack.apply()
        assert self.adopted.read() == self.adopted.made
        assert self.external.read() == self.external.made

    def attempt(self, role: PipelineRole) -> Terraform:
        """Return the planned stack in a session of the role whose requests do not count as work."""
        job = self._job(role, f"{_ATTEMPT}-of-{role}", folder_of="plan")
        return job.stacks(dev=self.environments["dev"])[self.stack_name]

    def calls(self) -> Calls:
        """Return what the roles asked of AWS, which allowed all of it."""
        kinds = self._kinds()
        calls: dict[str, dict[str, dict[str, set[str]]]] = {role: {} for role in PIPELINE_ROLES}
        for decision in self.shop.aws.decisions():
            _, role_name, work = decision.principal.split("/")
            for role, arn in self.role_arns.items():
                if arn.endswith(f"/{role_name}") and not work.startswith(_ATTEMPT):
                    assert decision.result == "Allowed", decision
                    by_kind = calls[role].setdefault(work, {})
                    by_kind.setdefault(_kind(decision.resource, kinds), set()).add(decision.action)
        return {
            role: {work: {kind: sorted(by_kind[kind]) for kind in sorted(by_kind)} for work, by_kind in works.items()}
            for role, works in calls.items()
        }

    def _job(self, role: PipelineRole, work: str, *, folder_of: str | None = None) -> Shop:
        """Return the shop as a job sees it: its own credentials, and its own folder or that of an earlier job."""
        session = self.shop.aws.client("sts").assume_role(RoleArn=self.role_arns[role], RoleSessionName=work)
        credentials = {
            "AWS_ACCESS_KEY_ID": session["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["Credentials"]["SessionToken"],
        }
        folder = self.shop.folder / (folder_of or work)
        folder.mkdir(exist_ok=folder_of is not None)
        return replace(self.shop, folder=folder, environment={**self.shop.environment, **credentials})

    @property
    def _orphaned_key(self) -> str:
        return f"{self.shop.state['key_prefix']}/gone/team.tfstate"

    def _kinds(self) -> Mapping[str, str]:
        """Return the kind of each resource; those of `Reach.arns` by name."""
        return {
            self.adopted.arn: "adopted role",
            self.external.arn: "external role",
            self.deploy_role: "deploy role",
            f"arn:aws:s3:::{self.shop.bucket}": "bucket",
            f"arn:aws:s3:::{self.shop.bucket}/{self._orphaned_key}": "orphaned state",
            _KEY: "key",
            f"arn:aws:s3:::{_data_bucket(self.shop)}": "data bucket",
            _DATA_KEY: "data key",
            f"arn:aws:glue:us-east-1:{ACCOUNT}:catalog": "data catalog",
        }


def _data_bucket(shop: Shop) -> str:
    return f"data-{shop.state['key_prefix']}"


def _with_access(environment: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    """Return the environment with `access` for its first role, so that `verify` reads what it names."""
    first, *others = environment["roles"]
    access = {"buckets": {"read": [f"s3://{bucket}/"]}, "keys": [_DATA_KEY]}
    return {**environment, "roles": [{**first, "access": access}, *others]}


def _kind(resource: str, kinds: Mapping[str, str]) -> str:
    if kind := kinds.get(resource):
        return kind
    if ":policy/" in resource:
        return "managed policy"
    assert resource.endswith((".tfstate", ".tflock")), resource
    return "lock" if resource.endswith(".tflock") else "state"


def begin(shop: Shop, make_role: MakeRole, unique_name: str) -> PipelineWork:
    """Create execution roles and a deploy role, and apply the stack of the pipeline's access as an administrator."""
    shop.state = {"kms_key_id": _KEY, "key_prefix": unique_name[-30:].strip("-")}
    shop.pipeline = {"github": {"repository": "acme/data"}}
    adopted, external, deployed = make_role(), make_role(), make_role()
    deploy_role = _create_deploy_role(shop.aws, f"{unique_name}-deploy")
    environments: dict[str, Any] = {
        "dev": {"roles": [{"role": adopted.name}, {"role": external.arn, "trust": {"ownership": "external"}}]},
        "elsewhere": {"deploy_role_arn": deploy_role, "roles": [{"role": deployed.name}]},
    }
    shop.aws.client("s3").create_bucket(Bucket=_data_bucket(shop))
    with_access = {**environments, "dev": _with_access(environments["dev"], _data_bucket(shop))}
    settings = pipeline_settings(shop.configure(**with_access))
    stack = shop.prepare(PipelineAccessStack(app_in_memory(), settings=settings), "pipeline-access")
    applied = apply_unguarded(stack)
    assert applied.status == 0, applied.output
    stack.assert_nothing_to_do()
    outputs = json.loads(stack.run("output", "-json").output)
    arns = {role: outputs[f"AWS_{role.upper()}_ROLE_ARN"]["value"] for role in PIPELINE_ROLES}
    return PipelineWork(shop, settings, arns, environments, adopted, external, deployed, deploy_role)


def allow_everything(aws: Sandbox, role_name: str) -> None:
    """Give a role an inline policy that allows every action."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    aws.client("iam").put_role_policy(RoleName=role_name, PolicyName=_EVERYTHING, PolicyDocument=_policy(statement))


def _create_deploy_role(aws: Sandbox, name: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    created = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
    allow_everything(aws, name)
    return created["Role"]["Arn"]


def _policy(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
