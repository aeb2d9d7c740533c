"""Types of values in ``glue-sessions.yaml``: each with its pattern, for the file and for its JSON Schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from iam.arn import REGION, ROLE_NAME, RoleArn
from iam.wording import shown

ACCOUNT_ID = "[0-9]{12}"
_ROLE_ARN = "arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]+"  # for editors; RoleArn.parse is exact
VARIABLE = r"\$\{"  # the JSON Schema accepts any text with a variable; its value is checked when the file is loaded


@dataclass(frozen=True)
class Pattern:
    """Annotates a string that must match `pattern` as a whole; `expected` completes "supply …" in messages."""

    pattern: str
    expected: str
    allow_variables: bool = True

    def __call__(self, value: str) -> str:
        """Return a value that matches; raise `ValueError` otherwise."""
        if re.fullmatch(self.pattern, value) is None:
            raise ValueError(f"supply {self.expected}, got {shown(value)}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        pattern = or_variable(self.pattern) if self.allow_variables else f"^(?:{self.pattern})$"
        return {**handler(schema), "pattern": pattern}


def or_variable(pattern: str) -> str:
    """Return the pattern of a text that matches a pattern, or has a variable."""
    return rf"^(?:{pattern})$|{VARIABLE}"


def _check_role(text: str) -> str:
    if not text.startswith("arn:"):
        if re.fullmatch(ROLE_NAME, text) is None:
            hint = ": leave its path out, or give the whole ARN" if re.fullmatch(rf"[!-~]*/{ROLE_NAME}", text) else ""
            raise ValueError(f"supply the name or the ARN of an IAM role, got {shown(text)}{hint}")
    elif RoleArn.parse(text).path.startswith(("/aws-service-role/", "/aws-reserved/")):
        raise ValueError(f"supply a role that your account manages, only AWS can change this one, got {shown(text)}")
    return text


def _check_role_arn(text: str) -> str:
    RoleArn.parse(text)
    return text


AccountId = Annotated[str, Pattern(ACCOUNT_ID, "an account id of 12 digits")]
Region = Annotated[str, Pattern(REGION, "the name of an AWS region, like eu-west-1")]
# Today's naming rules are stricter; buckets created in us-east-1 before March 2018 may have these names.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BucketName = Annotated[
    str, Pattern("[A-Za-z0-9._-]{3,255}", "the name of an S3 bucket (3 or more letters, digits, . - and _)")
]
KeyPrefix = Annotated[
    str,
    Pattern(
        "[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}){0,7}",
        "a prefix of S3 keys (letters, digits, _ . - and slashes between them)",
    ),
]
EnvironmentName = Annotated[
    str,
    Pattern(
        "[A-Za-z0-9][A-Za-z0-9_-]{0,31}",
        "an environment's name (1 to 32 letters, digits, _ and -, first a letter or digit)",
        allow_variables=False,  # variables in keys are not replaced
    ),
]
# In a token's sub, GitHub appends numeric ids to both names for repositories created since June 2026.
# https://docs.github.com/en/actions/reference/security/oidc
Repository = Annotated[
    str,
    Pattern(
        "[A-Za-z0-9_-]{1,100}(@[0-9]+)?/[A-Za-z0-9_.-]{1,100}(@[0-9]+)?",
        "a repository as its tokens name it, like owner/name or owner@123456/name@456789",
    ),
]
BranchName = Annotated[
    str, Pattern("[A-Za-z0-9_][A-Za-z0-9_./+@=#-]{0,254}", "the name of a branch (letters, digits, _ . / + @ = # -)")
]
GitHubEnvironmentName = Annotated[
    str, Pattern("[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", "the name of a GitHub environment (letters, digits, _ . -)")
]
Text = Annotated[str, Pattern(r"\S(.*\S)?", "one line of text without white space around it")]
Url = Annotated[str, Pattern(r"https?://[!-~]+", "a URL that begins with https:// or http://")]
BucketAddress = Annotated[
    str,
    Pattern(
        r"s3://[A-Za-z0-9._-]{3,255}(/[A-Za-z0-9!_.'()=+,@:&;-]+)*/?",
        "a bucket, or a prefix in it, like s3://acme-sales/curated/",
    ),
]
# Glue stores names in lower case, and ARNs are compared by case.
# https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html
DatabaseName = Annotated[
    str,
    Pattern("[a-z0-9_.@*-]{1,255}", "the name of a database of the Data Catalog in lower case, in which * is any text"),
]
ConnectionName = Annotated[str, Pattern("[A-Za-z0-9_. -]{1,255}", "the name of a Glue connection")]
KeyArn = Annotated[
    str,
    Pattern(
        f"arn:aws[a-z-]*:kms:{REGION}:{ACCOUNT_ID}:key/[A-Za-z0-9-]+",
        "the ARN of a KMS key, like arn:aws:kms:eu-west-1:111122223333:key/ID",
    ),
]
# From 6.39 on, the provider has data sources that list a role's policies.
# https://github.com/hashicorp/terraform-provider-aws/pull/47119
_FROM_6_39 = r"(6\.(39|[4-9][0-9]|[1-9][0-9]{2})(\.[0-9]{1,3})?|([7-9]|[1-9][0-9])(\.[0-9]{1,3}){0,2})"
ProviderVersions = Annotated[
    str,
    Pattern(
        rf"((>=|>|~>|=) ?)?{_FROM_6_39}(, ?(>=|>|~>|=|<=|<|!=) ?[0-9]{{1,3}}(\.[0-9]{{1,3}}){{0,2}})*",
        'a version constraint that begins with 6.39 or newer, like ">= 6.39, < 7.0"',
    ),
]
VpcId = Annotated[str, Pattern("vpc-[0-9a-f]{8,17}", "the ID of a VPC, like vpc-0123456789abcdef0")]
RoleArnText = Annotated[
    str,
    AfterValidator(_check_role_arn),
    WithJsonSchema({"type": "string", "pattern": or_variable(_ROLE_ARN)}),
]
RoleText = Annotated[
    str,
    AfterValidator(_check_role),
    WithJsonSchema({"type": "string", "pattern": or_variable(f"{ROLE_NAME}|{_ROLE_ARN}")}),
]


class Section(BaseModel):
    """A mapping of the file whose keys are settings."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
