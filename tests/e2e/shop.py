"""A shop that uses this project: its glue-sessions.yaml, its state bucket, its stacks' folders."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdktf import TerraformStack

from configuration import Configuration, load
from sandbox.launcher import Sandbox
from stacks.glue_sessions import GlueSessionsStack
from tests.e2e.one_root import COMMON, files_of, write
from tests.e2e.provider import Provider
from tests.e2e.terraform import Terraform
from tests.template import Template, app_in_memory

ROLE = "aws_iam_role.execution_role"
ATTACHMENT = "aws_iam_role_policy_attachment.glue_sessions"
INLINE_POLICY = "aws_iam_role_policy.glue_sessions"


def together_address(address: str, role: str) -> str:
    """Return the address that a resource has in `Shop.together`, for a role of the environment `dev`."""
    return f"{address.partition('.')[0]}.glue-sessions-dev-{role}"


def together_changes(expected: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the changes of a plan of `Shop.together`, from those of each role's stack by the role's name."""
    return {
        together_address(address, role): action
        for role, changes in expected.items()
        for address, action in changes.items()
    }


@dataclass
class Shop:
    """Writes configurations and synthesizes their stacks, each into a folder that stays its own.

    Attributes:
        aws: the local AWS.
        bucket: the state bucket.
        folder: where everything of the shop is.
        binary: the terraform to run.
        environment: the environment terraform runs in.
        provider: the provider for the stacks' folders; None if Terraform installs it in each and starts it in each run.
        variables: what `${NAME}` in the configuration is read from.
        state: further settings of `state`.
        pipeline: the section `pipeline`.
    """

    aws: Sandbox
    bucket: str
    folder: Path
    binary: str
    environment: Mapping[str, str]
    provider: Provider | None = None
    variables: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    pipeline: dict[str, Any] | None = None
    _prepared: set[Path] = field(default_factory=set)

    @property
    def configuration_file(self) -> Path:
        """The shop's glue-sessions.yaml."""
        return self.folder / "glue-sessions.yaml"

    @property
    def environment_of_commands(self) -> Mapping[str, str]:
        """An environment in which the Terraform of commands uses the running provider until the next one is started."""
        return {**self.environment, **(self.provider.running(self.environment) if self.provider else {})}

    def configure(self, **environments: Any) -> Configuration:
        """Write glue-sessions.yaml with these environments and read it as the app does."""
        region = self.aws.environment["AWS_REGION"]
        state = {"bucket": self.bucket, "region": region, "use_path_style": True, **self.state}
        named = {name: {"region": region, **settings} for name, settings in environments.items()}
        document = {"state": state, "environments": named, "pipeline": self.pipeline}
        self.configuration_file.write_text(json.dumps(document))  # JSON is YAML
        return load(self.configuration_file, self.variables)

    def stacks(self, **environments: Any) -> dict[str, Terraform]:
        """Synthesize these environments; return a folder ready to plan for each stack, by name.

        The shop's folder is then one as cdktf writes them (CDKTF_OUTDIR).
        """
        configuration = self.configure(**environments)
        names = [settings.name for settings in configuration.role_stacks]
        entries = {name: {"name": name, "workingDirectory": name} for name in names}
        (self.folder / "manifest.json").write_text(json.dumps({"stacks": entries}))
        return {
            settings.name: self.prepare(
                GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state), settings.name
            )
            for settings in configuration.role_stacks
        }

    def together(self, *, default_tags: Mapping[str, str] | None = None, **environments: Any) -> Terraform:
        """Synthesize these environments into one folder: many roles in one run, and in one state.

        Args:
            default_tags: what the provider tags everything with.
            environments: as for `stacks`.
        """
        configuration = self.configure(**environments)
        stacks = {
            settings.name: Template.from_stack(
                GlueSessionsStack(app_in_memory(), settings=settings, state=configuration.state)
            ).document
            for settings in configuration.role_stacks
        }
        files = files_of(stacks)
        if default_tags:
            files[COMMON]["provider"]["aws"][0]["default_tags"] = {"tags": default_tags}
        return self._initialized(files, "-".join(environments))

    def stack(self, role: str, *, environment: Mapping[str, Any] | None = None, **settings: Any) -> Terraform:
        """Synthesize the stack of one role, in the environment `dev`.

        Args:
            role: name or ARN.
            environment: settings of the environment.
            settings: settings of the role.
        """
        (terraform,) = self.stacks(dev={**(environment or {}), "roles": [{"role": role, **settings}]}).values()
        return terraform

    def objects(self) -> set[str]:
        """Keys of all objects in the state bucket."""
        found = self.aws.client("s3").list_objects_v2(Bucket=self.bucket)
        return {each["Key"] for each in found.get("Contents", [])}

    def state_versions(self, key: str) -> list[str]:
        """Ids of all versions of a state that the bucket keeps, newest first."""
        found = self.aws.client("s3").list_object_versions(Bucket=self.bucket, Prefix=key)
        return [version["VersionId"] for version in found.get("Versions", []) if version["Key"] == key]

    def prepare(self, stack: TerraformStack, name: str) -> Terraform:
        """Synthesize a stack into its folder and initialize that, if it is new."""
        return self._initialized({COMMON: Template.from_stack(stack).document}, name)

    def _initialized(self, files: Mapping[str, Mapping[str, Any]], name: str) -> Terraform:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        write(folder, files)
        terraform = Terraform(folder, self.binary, self.environment, self.provider)
        if folder not in self._prepared:
            initialized = terraform.init()
            assert initialized.status == 0, initialized.output
            self._prepared.add(folder)
        return terraform
