"""The settings of ``glue-sessions.yaml`` as models, the loaded configuration, and the JSON Schema of the file.

One file, because a setting's type, pattern, default and description are read and changed together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import core_schema

from configuration.values import (
    VARIABLE,
    AccountId,
    BranchName,
    BucketAddress,
    BucketName,
    ConnectionName,
    DatabaseName,
    EnvironmentName,
    GitHubEnvironmentName,
    KeyArn,
    KeyPrefix,
    ProviderVersions,
    Region,
    Repository,
    RoleArnText,
    RoleText,
    Section,
    Text,
    Url,
    VpcId,
)
from configuration.yaml_text import Location
from iam.arn import RoleArn
from iam.documents import access, quotas
from iam.documents.grants import GrantSettings
from iam.documents.recipe import PERMISSION_LEVELS, Permissions, describe
from iam.policy_document import Document

TO_IMPORT = "glue-sessions-to-import"
"""The key of CDKTF's context with the policies to import, in lists of addresses by the names of their stacks."""


class AssumeRole(Section):
    """The role that Terraform assumes to reach its state."""

    role_arn: RoleArnText = Field(description="ARN of the role")
    external_id: Text | None = Field(default=None, description="external ID that the role's trust policy requires")


class Endpoints(Section):
    """Custom endpoint URLs, for a private endpoint or a local AWS."""

    s3: Url | None = Field(default=None, description="URL of S3")
    iam: Url | None = Field(default=None, description="URL of IAM")
    sts: Url | None = Field(default=None, description="URL of STS")


class State(Section):
    """Where Terraform keeps its state; all settings but `key_prefix` are arguments of its S3 backend."""

    bucket: BucketName = Field(description="S3 bucket of the state, shared by all stacks")
    region: Region = Field(description="AWS region of the bucket")
    key_prefix: KeyPrefix = Field(default="glue-sessions", description="prefix of all keys in the bucket")
    kms_key_id: Text | None = Field(
        default=None, description="KMS key that encrypts the state; default: S3-managed encryption"
    )
    profile: Text | None = Field(default=None, description="AWS profile with access to the state")
    assume_role: AssumeRole | None = Field(default=None, description="role that Terraform assumes to reach the state")
    endpoints: Endpoints | None = Field(default=None, description="custom endpoint URLs")
    custom_ca_bundle: Text | None = Field(
        default=None, description="PEM file with the certificate authorities to trust for TLS"
    )
    use_path_style: bool = Field(default=False, description="use path-style S3 URLs (https://HOST/BUCKET)")
    skip_credentials_validation: bool = Field(default=False, description="skip credentials validation with STS")
    skip_requesting_account_id: bool = Field(default=False, description="do not request the account ID from IAM or STS")
    skip_region_validation: bool = Field(default=False, description="accept a region that Terraform does not know yet")
    skip_metadata_api_check: bool = Field(
        default=False, description="do not look for credentials in the EC2 metadata service"
    )
    skip_s3_checksum: bool = Field(default=False, description="send no checksums, for an S3 that does not support them")


class Trust(Section):
    """Who owns a role's trust policy, and which statements are kept in it."""

    ownership: Literal["authoritative", "additive", "external"] = Field(
        default="authoritative",
        description="authoritative: this repository owns the whole trust policy; "
        "additive: it adds Glue's own statement and leaves the rest to its owners; "
        "external: another stack owns the role, and a plan only reports whether the role trusts Glue",
    )
    keep: str | None = Field(
        default=None,
        description="path, relative to this file, of a JSON trust policy whose statements are kept word for word; "
        "authoritative ownership only",
    )

    @field_validator("keep")
    @classmethod
    def _only_authoritative(cls, keep: str | None, info: ValidationInfo) -> str | None:
        ownership = info.data.get("ownership", "authoritative")
        if keep is not None and ownership != "authoritative":
            raise ValueError(f"remove keep, it is for authoritative ownership only, got ownership: {ownership}")
        return keep


class Buckets(Section):
    """Places in S3."""

    read: list[BucketAddress] = Field(
        default_factory=list, description="buckets, or prefixes in them, to list and read: s3://bucket/prefix/"
    )
    write: list[BucketAddress] = Field(
        default_factory=list, description="the same, to list, read, write and delete, with multipart uploads"
    )


class Databases(Section):
    """Databases of the Data Catalog, `*` in a name being any text."""

    read: list[DatabaseName] = Field(
        default_factory=list, description="databases whose tables and partitions sessions may read"
    )
    write: list[DatabaseName] = Field(
        default_factory=list, description="the same, and create, change and delete tables and partitions in"
    )


class Access(Section):
    """What the role's sessions may use besides Glue itself, as one inline policy."""

    buckets: Buckets = Field(default_factory=Buckets, description="places in S3")
    databases: Databases = Field(
        default_factory=Databases, description="databases of the Data Catalog; all others are then refused"
    )
    connections: list[ConnectionName] = Field(
        default_factory=list,
        description="Glue connections, and the network calls that they need; all other connections are then refused",
    )
    lake_formation: bool = Field(default=False, description="let Lake Formation give out access to data")
    keys: list[KeyArn] = Field(
        default_factory=list,
        description="ARNs of KMS keys that encrypt the data, or that a security configuration of Glue names",
    )
    only_in_vpcs: list[VpcId] = Field(
        default_factory=list, description="VPCs that sessions must run in; without a connection they do not start"
    )

    def in_region(self, region: str) -> access.Access:
        """Return the access of a role in this region."""
        return access.Access(
            region=region,
            read_buckets=tuple(self.buckets.read),
            write_buckets=tuple(self.buckets.write),
            read_databases=tuple(self.databases.read),
            write_databases=tuple(self.databases.write),
            connections=tuple(self.connections),
            lake_formation=self.lake_formation,
            keys=tuple(self.keys),
            only_in_vpcs=tuple(self.only_in_vpcs),
        )


class Role(Section):
    """A SageMaker execution role, and its grants."""

    role: RoleText = Field(description="name of the execution role, or its ARN with any path and partition")
    permissions: Permissions = Field(
        default="recipe", description="; ".join(f"{level}: {describe(level)}" for level in PERMISSION_LEVELS)
    )
    access: Access | None = Field(
        default=None, description="what the role's sessions may use besides Glue itself: data, connections, keys"
    )
    trust: Trust = Field(
        default_factory=Trust, description="who owns the role's trust policy, and which statements are kept in it"
    )
    released: bool = Field(
        default=False, description="true removes the grants and Glue's trust, and leaves the role in place"
    )

    @property
    def name(self) -> str:
        """The role's name: the last part of an ARN."""
        return self.role.rpartition("/")[2]

    @property
    def arn(self) -> RoleArn | None:
        """The role's ARN, if the file has one."""
        return RoleArn.parse(self.role) if self.role.startswith("arn:") else None


class Environment(Section):
    """An AWS account and region, and the roles in it."""

    region: Region = Field(description="AWS region of the provider")
    account_id: AccountId | None = Field(
        default=None, description="account of the roles, in quotes; Terraform refuses any other account"
    )
    deploy_role_arn: RoleArnText | None = Field(
        default=None, description="role that Terraform assumes to change the roles"
    )
    trust_policy_quota: int = Field(
        default=quotas.DEFAULTS.trust_policy_characters,
        ge=quotas.DEFAULTS.trust_policy_characters,
        description="most characters of a trust policy, where AWS has raised the account's quota",
    )
    aws_provider: ProviderVersions | None = Field(
        default=None,
        description="versions of the AWS provider, 6.39 or newer alone; a plan then finds existing grants through "
        "data sources instead of deprecated attributes",
    )
    roles: list[Role] = Field(min_length=1, description="the execution roles; each is a stack with its own state")


class GitHub(Section):
    """Which GitHub Actions jobs may assume the pipeline's roles."""

    repository: Repository = Field(description="repository of the pipeline, as the tokens of its jobs name it")
    branch: BranchName = Field(default="main", description="only jobs of this branch may apply")
    environment: GitHubEnvironmentName | None = Field(
        default=None, description="only jobs of this GitHub environment may apply; replaces branch"
    )
    oidc_provider_exists: bool = Field(
        default=False,
        description="true if the account already has GitHub's OIDC provider; it is then left unchanged",
    )

    @field_validator("environment")
    @classmethod
    def _not_both(cls, environment: str | None, info: ValidationInfo) -> str | None:
        branch = info.data.get("branch", "main")
        if environment is not None and branch != "main":
            raise ValueError(f"remove environment or branch, only one of them may be set, got branch: {branch}")
        return environment


class Pipeline(Section):
    """The pipeline that plans and applies; pipeline_access.py creates its access to AWS."""

    github: GitHub = Field(description="which GitHub Actions jobs may assume the pipeline's roles")
    access_analyzer: bool = Field(
        default=False,
        description="true asks IAM Access Analyzer about new and changed documents, for the review to report; "
        "AWS bills the comparisons of what is undecided",
    )


class Settings(Section):
    """All settings of ``glue-sessions.yaml``."""

    state: State = Field(description="where Terraform keeps its state")
    environments: dict[EnvironmentName, Environment] = Field(
        min_length=1,
        description="environments by name, each an AWS account and region",
        json_schema_extra={"additionalProperties": False},
    )
    pipeline: Pipeline | None = Field(
        default=None, description="the pipeline that plans and applies, for its access to AWS"
    )


@dataclass(frozen=True)
class RoleStack:
    """One role and its stack.

    Attributes:
        name: the stack's name.
        state_key: the key of its state in the state bucket.
        environment_name: the name of the role's environment.
        environment: the role's environment.
        role: the role's settings.
        kept_trust: the trust policy read from the file that `role.trust.keep` names, if any.
        partition: the AWS partition.
    """

    name: str
    state_key: str
    environment_name: str
    environment: Environment
    role: Role
    kept_trust: Document | None
    partition: str

    @property
    def grant_settings(self) -> GrantSettings:
        """The settings that decide which grants the role gets."""
        asked = self.role.access
        return GrantSettings(self.role.permissions, asked.in_region(self.environment.region) if asked else None)

    @property
    def account_id(self) -> str | None:
        """The account of the role, if its environment or its ARN names one."""
        return self.environment.account_id or (self.role.arn.account_id if self.role.arn else None)

    @property
    def known_account_id(self) -> str | None:
        """The account of the role, or of the deploy role that changes it, if the file names one."""
        deploy_role = self.environment.deploy_role_arn
        return self.account_id or (RoleArn.parse(deploy_role).account_id if deploy_role else None)

    def may_own(self, role_name: str, account_id: str) -> bool:
        """Return whether this is the stack of a role of an account; without an account it counts as one of that."""
        return self.role.name.lower() == role_name.lower() and self.known_account_id in (None, account_id)


@dataclass(frozen=True)
class Configuration:
    """A configuration that was loaded without errors.

    Attributes:
        path: the file.
        state: where Terraform keeps its state.
        environments: the environments by name.
        pipeline: the pipeline, if configured.
        role_stacks: every role with its stack, in the order of the file.
        variables: the variables in each value that has some, without ``${}``.
    """

    path: Path
    state: State
    environments: Mapping[str, Environment]
    pipeline: Pipeline | None
    role_stacks: tuple[RoleStack, ...]
    variables: Mapping[Location, tuple[str, ...]] = field(default_factory=dict)

    @property
    def provider_lock(self) -> Path:
        """The provider lock file of all stacks, next to the file; it need not exist."""
        return self.path.parent / ".terraform.lock.hcl"


def stack_name(environment_name: str, role_name: str) -> str:
    """Return the name of a role's stack."""
    return f"glue-sessions-{environment_name}-{_encode(role_name)}"


def state_key(state: State, environment_name: str, role_name: str) -> str:
    """Return the key of a role's state in the state bucket."""
    return f"{state.key_prefix}/{environment_name}/{_encode(role_name)}.tfstate"


def _encode(role_name: str) -> str:
    """Return a role's name in characters that Terraform and S3 accept; it never depends on other roles.

    IAM compares names case-insensitively, and so does the hash.
    """
    encoded = re.sub(r"[^A-Za-z0-9_-]", "-", role_name)
    if encoded == role_name:
        return encoded
    return f"{encoded}-{hashlib.sha256(role_name.lower().encode()).hexdigest()[:8]}"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file's text, in which a variable may take the place of a value."""
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        def literal_schema(self, schema: core_schema.LiteralSchema) -> dict[str, Any]:
            return {"anyOf": [super().literal_schema(schema), {"type": "string", "pattern": VARIABLE}]}

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    return {"$schema": Generator.schema_dialect, **Settings.model_json_schema(schema_generator=Generator)}
