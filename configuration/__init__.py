"""Reads and judges ``glue-sessions.yaml``: what is granted, to which roles, and where the state is kept.

``python -m configuration`` prints the JSON Schema that editors check and complete the file with.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import ErrorDetails, core_schema

from configuration import yaml_text
from configuration.yaml_text import Document, Location
from iam.arn import ROLE_NAME, RoleArn, partition_of
from iam.documents import recipe, trust
from iam.wording import shown, shown_key

MAX_BYTES = 1_000_000

# Characters of an assume-role policy; AWS's default, raised on request.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
TRUST_POLICY_QUOTA = 2048


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the configuration: the file and the place in it, and what to change."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ConfigurationError(Exception):
    """The configuration cannot be used; `faults` has all that is wrong with it, ``str()`` a line for each."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


_VARIABLE = r"\$\{"  # where the JSON Schema sees one, the value is judged once it is known


@dataclass(frozen=True)
class _Matching:
    """Annotates a string that matches `pattern` as a whole; `wanted` completes "supply …" in messages."""

    pattern: str
    wanted: str
    may_hold_variables: bool = True

    def __call__(self, value: str) -> str:
        if re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"supply {self.wanted}, got {shown(value)}")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return core_schema.no_info_after_validator_function(self, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        pattern = _or_variable(self.pattern) if self.may_hold_variables else f"^(?:{self.pattern})$"
        return {**handler(schema), "pattern": pattern}


def _or_variable(pattern: str) -> str:
    return rf"^(?:{pattern})$|{_VARIABLE}"


def _judged_role(text: str) -> str:
    if not text.startswith("arn:"):
        if re.fullmatch(ROLE_NAME, text) is None:
            hint = ": leave its path out, or give the whole ARN" if re.fullmatch(rf"[!-~]*/{ROLE_NAME}", text) else ""
            raise ValueError(f"supply the name or the ARN of an IAM role, got {shown(text)}{hint}")
    elif RoleArn.parse(text).path.startswith(("/aws-service-role/", "/aws-reserved/")):
        raise ValueError(f"supply a role of your own, AWS lets nobody change this one, got {shown(text)}")
    return text


def _judged_role_arn(text: str) -> str:
    RoleArn.parse(text)
    return text


_ACCOUNT_ID = "[0-9]{12}"
_REGION = "[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}"
_ROLE_ARN = "arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+"  # for editors; RoleArn.parse is exact

AccountId = Annotated[str, _Matching(_ACCOUNT_ID, "an account id of 12 digits")]
Region = Annotated[str, _Matching(_REGION, "the name of an AWS region, like eu-west-1")]
# Buckets of today have stricter names, those made in us-east-1 before March 2018 may have these.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BucketName = Annotated[
    str, _Matching("[A-Za-z0-9._-]{3,255}", "the name of an S3 bucket (3 or more letters, digits, . - and _)")
]
KeyPrefix = Annotated[
    str,
    _Matching(
        "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}){0,7}",
        "a prefix of S3 keys (letters, digits, _ . - and slashes between them)",
    ),
]
EnvironmentName = Annotated[
    str,
    _Matching(
        "[A-Za-z0-9][A-Za-z0-9_-]{0,31}",
        "an environment's name (1 to 32 letters, digits, _ and -, first a letter or digit)",
        may_hold_variables=False,  # a key is taken as it stands
    ),
]
# In a token's sub, GitHub writes numbers behind both names for repositories made since June 2026.
# https://docs.github.com/en/actions/reference/security/oidc
Repository = Annotated[
    str,
    _Matching(
        "[A-Za-z0-9_-]{1,100}(@[0-9]+)?/[A-Za-z0-9_.-]{1,100}(@[0-9]+)?",
        "a repository as its tokens name it, like owner/name or owner@123456/name@456789",
    ),
]
BranchName = Annotated[
    str, _Matching("[A-Za-z0-9_][A-Za-z0-9_./+@=#-]{0,254}", "the name of a branch (letters, digits, _ . / + @ = # -)")
]
GitHubEnvironmentName = Annotated[
    str, _Matching("[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", "the name of a GitHub environment (letters, digits, _ . -)")
]
Text = Annotated[str, _Matching(r"\S(.*\S)?", "one line of text without white space around it")]
Url = Annotated[str, _Matching(r"https?://[!-~]+", "a URL that begins with https:// or http://")]
RoleArnText = Annotated[
    str,
    AfterValidator(_judged_role_arn),
    WithJsonSchema({"type": "string", "pattern": _or_variable(_ROLE_ARN)}),
]
RoleText = Annotated[
    str,
    AfterValidator(_judged_role),
    WithJsonSchema({"type": "string", "pattern": _or_variable(f"{ROLE_NAME}|{_ROLE_ARN}")}),
]


class _Settings(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class AssumeRole(_Settings):
    """The role that Terraform assumes to reach its state."""

    role_arn: RoleArnText = Field(description="ARN of the role")
    external_id: Text | None = Field(default=None, description="external id that the role's trust policy asks for")


class Endpoints(_Settings):
    """URLs in place of AWS's own, for a private endpoint or a local AWS."""

    s3: Url | None = Field(default=None, description="URL of S3")
    iam: Url | None = Field(default=None, description="URL of IAM")
    sts: Url | None = Field(default=None, description="URL of STS")


class State(_Settings):
    """Where Terraform keeps its state; all but `key_prefix` are arguments of its S3 backend."""

    bucket: BucketName = Field(description="S3 bucket of the state, shared by all stacks")
    region: Region = Field(description="AWS region of the bucket")
    key_prefix: KeyPrefix = Field(default="glue-sessions", description="what all keys in the bucket begin with")
    kms_key_id: Text | None = Field(
        default=None, description="KMS key that encrypts the state, otherwise S3's own key does"
    )
    profile: Text | None = Field(default=None, description="profile of the AWS configuration that reaches the state")
    assume_role: AssumeRole | None = Field(default=None, description="role that is assumed to reach the state")
    endpoints: Endpoints | None = Field(default=None, description="URLs in place of AWS's own")
    custom_ca_bundle: Text | None = Field(
        default=None, description="PEM file of the authorities that are trusted for TLS"
    )
    use_path_style: bool = Field(default=False, description="address the bucket as https://HOST/BUCKET")
    skip_credentials_validation: bool = Field(default=False, description="ask no STS whether the credentials are valid")
    skip_requesting_account_id: bool = Field(default=False, description="ask neither IAM nor STS for the account id")
    skip_region_validation: bool = Field(default=False, description="take a region that Terraform does not know yet")
    skip_metadata_api_check: bool = Field(
        default=False, description="look for no credentials in EC2's metadata service"
    )
    skip_s3_checksum: bool = Field(default=False, description="send no checksums, for an S3 that knows none")


class Trust(_Settings):
    """Who owns a role's trust policy, and what it keeps."""

    ownership: Literal["authoritative", "additive", "external"] = Field(
        default="authoritative",
        description="authoritative: the whole trust policy is this repository's; "
        "additive: Glue's own statement is added and the rest left to its owners; "
        "external: another stack owns the role, and a plan only says whether it trusts Glue",
    )
    keep: Annotated[
        dict[str, Any] | None,
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
    ] = Field(
        default=None,
        description="JSON file, relative to this one, of a trust policy "
        "whose statements are kept word for word; for authoritative ownership alone",
    )

    @field_validator("keep")
    @classmethod
    def _only_authoritative(cls, keep: dict[str, Any] | None, info: ValidationInfo) -> dict[str, Any] | None:
        ownership = info.data.get("ownership", "authoritative")
        if keep is not None and ownership != "authoritative":
            raise ValueError(f"remove keep, it is for authoritative ownership alone, got ownership: {ownership}")
        return keep


class Role(_Settings):
    """A SageMaker execution role, and what it is granted."""

    role: RoleText = Field(description="name of the execution role, or its ARN with any path and partition")
    permissions: Literal["recipe", "least-privilege"] = Field(
        default="recipe",
        description="recipe: the managed policy and the inline policy exactly as the recipe has them; "
        "least-privilege: the same with the inline policy narrowed to what Glue sessions need",
    )
    trust: Trust = Field(default_factory=Trust, description="who owns the role's trust policy, and what it keeps")
    released: bool = Field(
        default=False, description="true takes the grants and Glue's trust away again, and leaves the role"
    )

    @property
    def name(self) -> str:
        """The role's name: of an ARN what follows the last slash."""
        return self.role.rpartition("/")[2]

    @property
    def arn(self) -> RoleArn | None:
        """The role's ARN, if it was given as one."""
        return RoleArn.parse(self.role) if self.role.startswith("arn:") else None


class Environment(_Settings):
    """An AWS account and region, and the roles in it."""

    region: Region = Field(description="AWS region of the provider")
    account_id: AccountId | None = Field(
        default=None, description="account of the roles, any other is refused; in quotes"
    )
    deploy_role_arn: RoleArnText | None = Field(
        default=None, description="role that Terraform assumes to change the roles"
    )
    trust_policy_quota: int = Field(
        default=TRUST_POLICY_QUOTA,
        ge=TRUST_POLICY_QUOTA,
        description="characters that a trust policy may have, where AWS has raised the account's quota",
    )
    roles: list[Role] = Field(min_length=1, description="the execution roles, a stack and a state for each")


class GitHub(_Settings):
    """Which jobs of GitHub Actions may take on the pipeline's roles."""

    repository: Repository = Field(description="repository of the pipeline, as the tokens of its jobs name it")
    branch: BranchName = Field(default="main", description="the branch whose jobs alone may apply")
    environment: GitHubEnvironmentName | None = Field(
        default=None, description="GitHub environment whose jobs alone may apply, instead of a branch"
    )
    oidc_provider_exists: bool = Field(
        default=False,
        description="true where the account has GitHub's OIDC provider already; it is left alone",
    )

    @field_validator("environment")
    @classmethod
    def _not_both(cls, environment: str | None, info: ValidationInfo) -> str | None:
        branch = info.data.get("branch", "main")
        if environment is not None and branch != "main":
            raise ValueError(f"remove this or branch: jobs of one of them may apply, got branch: {branch}")
        return environment


class Pipeline(_Settings):
    """The pipeline that plans and applies, for its access to AWS (pipeline_access.py)."""

    github: GitHub = Field(description="which jobs of GitHub Actions may take on the pipeline's roles")


@dataclass(frozen=True)
class RoleStack:
    """One role with its stack: `name` in Terraform's words, `state_key` in the state bucket."""

    name: str
    state_key: str
    environment_name: str
    environment: Environment
    role: Role
    partition: str


class Configuration(_Settings):
    """The whole of ``glue-sessions.yaml``."""

    state: State = Field(description="where Terraform keeps its state")
    environments: dict[EnvironmentName, Environment] = Field(
        min_length=1,
        description="environments by name: an AWS account and region each",
        json_schema_extra={"additionalProperties": False},
    )
    pipeline: Pipeline | None = Field(
        default=None, description="the pipeline that plans and applies, for its access to AWS"
    )

    @property
    def role_stacks(self) -> tuple[RoleStack, ...]:
        """All roles with their stacks, in the order of the file."""
        return tuple(
            RoleStack(
                name=_stack_name(name, role.name),
                state_key=f"{self.state.key_prefix}/{name}/{_plain(role.name)}.tfstate",
                environment_name=name,
                environment=environment,
                role=role,
                partition=partition_of(environment.region),
            )
            for name, environment in self.environments.items()
            for role in environment.roles
        )


def _stack_name(environment_name: str, role_name: str) -> str:
    return f"glue-sessions-{environment_name}-{_plain(role_name)}"


def _plain(role_name: str) -> str:
    """Spell a role's name as Terraform and S3 like it, never dependent on other roles.

    IAM compares names without regard to case, and so does the hash.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", role_name)
    if plain == role_name:
        return plain
    return f"{plain}-{hashlib.sha256(role_name.lower().encode()).hexdigest()[:8]}"


def configuration_path(environment: Mapping[str, str]) -> Path:
    """Give the path of the configuration: ``GLUE_SESSIONS_CONFIG``, or ``glue-sessions.yaml`` right here."""
    return Path(environment.get("GLUE_SESSIONS_CONFIG") or "glue-sessions.yaml")


def load(path: Path, environment: Mapping[str, str]) -> Configuration:
    """Read and judge a configuration.

    Args:
        path: the file; paths in it are relative to its directory.
        environment: what ``${NAME}`` is read from, like `os.environ`.

    Raises:
        ConfigurationError: with everything that is wrong, all at once.
    """
    document = _document(path, environment)
    for at, message in _kept_documents(document, path.parent):
        document.faults.append((at, message))
    faulted = {at for at, _ in document.faults}
    document.faults.extend(_faults_between_settings(document.value))
    try:
        configuration = Configuration.model_validate(document.value)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            at = one["loc"][:-1] if one["loc"][-1:] == ("[key]",) else one["loc"]
            if one["input"] is None and at in faulted:
                continue  # it has no value because of that fault
            document.faults.append((at, _message(one, at, document)))
    if document.faults:
        in_order = sorted(document.faults, key=lambda fault: document.position(fault[0]))
        raise ConfigurationError(*(Fault(_place(path, at), message) for at, message in in_order))
    return configuration


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema of ``glue-sessions.yaml``: of the text, in which a variable may stand for a value."""
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        def literal_schema(self, schema: core_schema.LiteralSchema) -> dict[str, Any]:
            return {"anyOf": [super().literal_schema(schema), {"type": "string", "pattern": _VARIABLE}]}

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    return {"$schema": Generator.schema_dialect, **Configuration.model_json_schema(schema_generator=Generator)}


def _document(path: Path, environment: Mapping[str, str]) -> Document:
    try:
        text = _content(path)
    except FileNotFoundError:
        raise ConfigurationError(
            Fault(_readable(path), "no such file, create it or name another with GLUE_SESSIONS_CONFIG")
        ) from None
    except ValueError as error:
        raise ConfigurationError(Fault(_readable(path), str(error))) from None
    try:
        document = yaml_text.read(text, environment)
    except yaml_text.YAMLTextError as error:
        place = _readable(path) + (f":{error.line}:{error.column}" if error.line else "")
        raise ConfigurationError(Fault(place, str(error))) from None
    if document.value is None and not document.faults:
        raise ConfigurationError(Fault(_readable(path), "supply state and environments, the file is empty"))
    return document


def _content(path: Path) -> str:
    """Read a text file of a reasonable size.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read; the message says why.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        raise ValueError("supply a file, got a directory") from None
    except OSError as error:
        raise ValueError(f"supply a file that can be read, got: {error.strerror}") from None
    except ValueError:
        raise ValueError("supply another path, no file can have this one") from None
    if len(data) > MAX_BYTES:
        raise ValueError(f"supply at most {MAX_BYTES} bytes, got more")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"supply UTF-8, got byte 0x{data[error.start]:02X} in line {line}") from None


def _kept_documents(document: Document, directory: Path) -> Iterator[tuple[Location, str]]:
    """Put each kept policy document in the place of its path, and yield what is wrong with it."""
    for at, environment, role in _roles(document.value):
        settings = role.get("trust")
        if not isinstance(settings, dict) or settings.get("keep") is None:
            continue
        at = (*at, "trust", "keep")
        keep, settings["keep"] = settings["keep"], {}
        if not isinstance(keep, str):
            yield at, f"supply the path of a JSON file, got {_got(keep, document.written.get(at))}"
            continue
        try:
            settings["keep"] = trust.parse_trust_policy(_content(directory / keep))
        except FileNotFoundError:
            yield at, f"no such file, got {shown(str(directory / keep))}"
        except trust.TrustPolicyError as error:
            yield from ((at, f"{_readable(keep)}: {fault}") for fault in error.faults)
        except ValueError as error:
            yield at, f"{_readable(keep)}: {error}"
        else:
            quota = environment.get("trust_policy_quota")
            for fault in _kept_faults(settings["keep"], quota if type(quota) is int else TRUST_POLICY_QUOTA):
                yield at, f"{_readable(keep)}: {fault}"


def _kept_faults(document: dict[str, Any], quota: int) -> Iterator[str]:
    if trust.trusts(document, recipe.GLUE):
        yield f"remove {recipe.GLUE}, Glue's own statement is added to what is kept"
    elif any(s.get("Sid") == recipe.GLUE_STATEMENT_SID for s in trust.statements(document)):
        yield f"choose another Sid than {recipe.GLUE_STATEMENT_SID}, it is that of Glue's own statement"
    if not trust.trusts(document, recipe.SAGEMAKER):
        yield f"add a statement that lets {recipe.SAGEMAKER} call sts:AssumeRole, it is missing"
    for place, principal in trust.deleted_principals(document):
        yield f"{place}: remove {principal}, its role or user is deleted and IAM refuses to write it"
    size = trust.size(recipe.trust_policy_keeping(document))
    if size > quota:
        yield (
            f"supply at most {quota} characters with Glue's own statement, got {size}: shorten it, "
            "or set trust_policy_quota where AWS has raised the account's quota"
        )


def _faults_between_settings(value: Any) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong between settings that are right one by one."""
    for name, environment in _environments(value):
        if deploy := _arn(environment.get("deploy_role_arn")):
            yield from _misplaced(deploy, ("environments", name, "deploy_role_arn"), environment)
    first: dict[tuple[str, ...], Location] = {}
    for at, environment, settings in _roles(value):
        at = (*at, "role")
        text = settings.get("role")
        if arn := _arn(text):
            yield from _misplaced(arn, at, environment)
            yield from _taken(arn.name, arn.account_id, at, first)
        elif isinstance(text, str) and re.fullmatch(ROLE_NAME, text):
            account_id, _ = _account(environment)
            yield from _taken(text, account_id, at, first)


def _misplaced(arn: RoleArn, at: Location, environment: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    account_id, setting = _account(environment)
    if account_id is not None and arn.account_id != account_id:
        yield at, f"supply a role of account {account_id}, as {setting} says, got {shown(str(arn))}"
    region = environment.get("region")
    if isinstance(region, str) and re.fullmatch(_REGION, region) and arn.partition != partition_of(region):
        yield at, f"supply a role of partition {partition_of(region)}, as region says, got {shown(str(arn))}"


def _taken(
    name: str, account_id: str | None, at: Location, first: dict[tuple[str, ...], Location]
) -> Iterator[tuple[Location, str]]:
    """Yield a fault where an earlier role of the file is this one, or has this one's stack."""
    environment_name = str(at[1])
    stack = _stack_name(environment_name, name)
    claims = {
        ("environment", environment_name, name.lower()): "remove this, the role already stands at",
        ("stack", stack.lower()): f"rename the environment, the stack {stack} is already that of",
    }
    if account_id is not None:
        account = ("account", account_id, name.lower())
        claims = {account: f"remove this, the role of account {account_id} already stands at", **claims}
    taken = [f"{remedy} {_dotted(first[claim])}" for claim, remedy in claims.items() if claim in first]
    if taken:
        yield at, taken[0]
    for claim in claims:
        first.setdefault(claim, at)


def _account(environment: dict[str, Any]) -> tuple[str | None, str]:
    """Give the account that an environment is known to be in, and the setting that says so."""
    account_id = environment.get("account_id")
    if isinstance(account_id, str) and re.fullmatch(_ACCOUNT_ID, account_id):
        return account_id, "account_id"
    deploy = _arn(environment.get("deploy_role_arn"))
    return (deploy.account_id if deploy else None), "deploy_role_arn"


def _arn(value: Any) -> RoleArn | None:
    try:
        return RoleArn.parse(value)
    except (TypeError, ValueError):
        return None


def _roles(value: Any) -> Iterator[tuple[Location, dict[str, Any], dict[str, Any]]]:
    """Yield location, environment and role of each role, as far as the document has the form for it."""
    for name, environment in _environments(value):
        roles = environment.get("roles")
        for index, role in enumerate(roles if isinstance(roles, list) else []):
            if isinstance(role, dict):
                yield ("environments", name, "roles", index), environment, role


def _environments(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    environments = value.get("environments") if isinstance(value, dict) else None
    for name, environment in environments.items() if isinstance(environments, dict) else ():
        if isinstance(environment, dict):
            yield name, environment


def _message(error: ErrorDetails, at: Location, document: Document) -> str:
    """Say in one line what pydantic found."""
    got = _got(error["input"], document.written.get(at))
    match error["type"]:
        case "missing":
            return "supply this setting, it is missing"
        case "extra_forbidden":
            return _no_such_setting(at)
        case "string_type" if isinstance(error["input"], bool):
            return f"put quotes around {got}, without them it is no text"
        case "string_type" if isinstance(error["input"], int | float):
            return f"put quotes around {got}, without them it is a number and loses leading zeros"
        case "string_type":
            return f"supply text, got {got}"
        case "bool_type":
            return f"supply true or false, got {got}"
        case "int_type" | "int_from_float" | "finite_number":
            return f"supply a whole number, got {got}"
        case "greater_than_equal":
            return f"supply a whole number from {error['ctx']['ge']} on, got {got}"
        case "literal_error":
            return f"supply {error['ctx']['expected']}, got {got}".replace("'", '"')
        case "list_type":
            return f'supply a list ("- role: ..."), got {got}'
        case "dict_type":
            return f"supply environments by their names, got {got}"
        case "model_type":
            example = next(iter(_settings_at(at).model_fields))
            return f'supply settings ("{example}: ..."), got {got}'
        case "too_short":
            return "supply at least one"
        case "value_error":
            return str(error["ctx"]["error"]) + _origin(document.written.get(at))
        case _:
            return f"supply another value, got {got}"


def _got(value: Any, written: str | None) -> str:
    match value:
        case str():
            return shown(value) + _origin(written)
        case dict() | list():
            return ("a list" if isinstance(value, list) else "settings") + ("" if value else " without entries")
        case None:
            return "nothing"
        case bool():
            return json.dumps(value)
        case _:
            number = written or ""
            return number if re.fullmatch(r"[-+.\w]{1,64}", number, re.ASCII) else shown(number)


def _origin(written: str | None) -> str:
    variables = yaml_text.variables(written or "")
    return f" from {', '.join(variables)}" if variables else ""


def _no_such_setting(at: Location) -> str:
    import difflib  # 15 ms that only a mistake needs

    known = list(_settings_at(at[:-1]).model_fields)
    near = difflib.get_close_matches(str(at[-1]), known, n=1)
    return f"no such setting, did you mean {near[0]}?" if near else f"no such setting, known here: {', '.join(known)}"


def _settings_at(at: Location) -> type[_Settings]:
    settings: type[_Settings] = Configuration
    parts = iter(at)
    for part in parts:
        hint = settings.model_fields[str(part)].annotation
        if get_origin(hint) in (dict, list):
            next(parts)
        settings = next(a for a in (hint, *get_args(hint)) if isinstance(a, type) and issubclass(a, _Settings))
    return settings


def _place(path: Path, at: Location) -> str:
    return f"{_readable(path)}: {_dotted(at)}" if at else _readable(path)


def _readable(path: Path | str) -> str:
    return str(path) if str(path).isprintable() and str(path) else shown(str(path))


def _dotted(at: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{shown_key(part)}" for part in at).removeprefix(".")
