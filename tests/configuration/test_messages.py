"""The messages about a configuration that cannot be used, word for word.

One file, because it is one table: a file with a mistake, and the lines that report it."""

# ruff: noqa: E501 - lines as users see them are not wrapped

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configuration import ConfigurationError, load

ENVIRONMENT = {
    "TEAM": "team",
    "EMPTY": "",
    "TRUE": "true",
    "WITH_SPACE": "my team",
    "YAML": "{role: x}",
    "BYTES": "\udcff",  # how os.environ decodes a byte that is not UTF-8
}

STATE = "state: {bucket: my-bucket, region: eu-west-1}\n"
ENVIRONMENTS = "environments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{inner}'] * 9)}]\n" for inner, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def after_state(text: str) -> str:
    return STATE + text


def state(settings: str) -> str:
    return "state: {bucket: my-bucket, region: eu-west-1, " + settings + "}\n" + ENVIRONMENTS


def environment(settings: str) -> str:
    return STATE + "environments:\n  dev: {" + settings + "}\n"


def environments(*settings: str) -> str:
    return STATE + "environments:\n" + "".join(f"  {one}\n" for one in settings)


def role(settings: str) -> str:
    return STATE + "environments:\n  dev:\n    region: eu-west-1\n    roles:\n      - " + settings + "\n"


def case(name: str, content: str | bytes, *lines: str) -> Any:
    """Return a case: a file's content, and the lines that report its errors, without the file's name."""
    return pytest.param(content, lines, id=name)


@pytest.fixture
def errors_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], list[str]]:
    """Return the function that loads a file's content and returns the lines that report its errors."""
    monkeypatch.chdir(tmp_path)

    def errors_of(content: str | bytes) -> list[str]:
        path = Path("glue-sessions.yaml")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ConfigurationError) as raised:
            load(path, ENVIRONMENT)
        return str(raised.value).split("\n")

    return errors_of


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        # the file as a whole
        case(
            "a bucket that is no address",
            role("{role: team, access: {buckets: {read: [acme-sales, 's3://acme-sales//x', 's3://acme-sales/*']}}}"),
            ': environments.dev.roles[0].access.buckets.read[0]: supply a bucket, or a prefix in it, like s3://acme-sales/curated/, got "acme-sales"',
            ': environments.dev.roles[0].access.buckets.read[1]: supply a bucket, or a prefix in it, like s3://acme-sales/curated/, got "s3://acme-sales//x"',
            ': environments.dev.roles[0].access.buckets.read[2]: supply a bucket, or a prefix in it, like s3://acme-sales/curated/, got "s3://acme-sales/*"',
        ),
        case(
            "a key of another partition, and what is none",
            role("{role: team, access: {keys: ['arn:aws-cn:kms:cn-north-1:111122223333:key/1', 'alias/x']}}"),
            ': environments.dev.roles[0].access.keys[0]: supply a key of partition aws, as set by region, got "arn:aws-cn:kms:cn-north-1:111122223333:key/1"',
            ': environments.dev.roles[0].access.keys[1]: supply the ARN of a KMS key, like arn:aws:kms:eu-west-1:111122223333:key/ID, got "alias/x"',
        ),
        case(
            "databases, connections and VPCs that are none",
            role(
                "{role: team, access: {databases: {read: [a/b, Sales]}, connections: ['*'], only_in_vpcs: [subnet-1], bucket: {}}}"
            ),
            ': environments.dev.roles[0].access.databases.read[0]: supply the name of a database of the Data Catalog in lower case, in which * is any text, got "a/b"',
            ': environments.dev.roles[0].access.databases.read[1]: supply the name of a database of the Data Catalog in lower case, in which * is any text, got "Sales"',
            ': environments.dev.roles[0].access.connections[0]: supply the name of a Glue connection, got "*"',
            ': environments.dev.roles[0].access.only_in_vpcs[0]: supply the ID of a VPC, like vpc-0123456789abcdef0, got "subnet-1"',
            ": environments.dev.roles[0].access.bucket: no such setting, did you mean buckets?",
        ),
        case(
            "more than fits into inline policies",
            role(
                "{role: team, access: {buckets: {read: ["
                + ", ".join(f"'s3://acme-data-{n:03}/curated/'" for n in range(40))
                + "]}}}"
            ),
            ": environments.dev.roles[0].access: name fewer or shorter things, the role's inline policies would have 11087 characters, and IAM allows 10240 together with the role's others",
        ),
        case("an empty file", "", ": supply state and environments, the file is empty"),
        case("a file with only comments", "# nothing\n", ": supply state and environments, the file is empty"),
        case("a text in place of settings", "hello\n", ': supply settings ("state: ..."), got "hello"'),
        case("a list in place of settings", "- state\n", ': supply settings ("state: ..."), got a list'),
        case(
            "a list with an unset variable",
            "- ${NOT_SET}\n",
            ': supply settings ("state: ..."), got a list',
            ": [0]: set the environment variable NOT_SET, it is not set",
        ),
        case(
            "two documents",
            STATE + "---\n" + STATE,
            ':2:1: supply one document, a second one begins here: remove the "---"',
        ),
        case(
            "a text after the end of the document",
            '"state"\nregion: eu-west-1\n',
            ":2:1: fix the indentation, this fits neither the list nor the keys above it",
        ),
        case("a tab in the indentation", "state:\n\tbucket: my-bucket\n", ":2:1: indent with spaces, got a tab"),
        case("a NUL byte", "state: \x00\n", ":1:8: remove the character U+0000"),
        case("a terminal's escape sequence", "state: \x1b[31m\n", ":1:8: remove the character U+001B"),
        case("bytes that are not UTF-8", b"state:\n  bucket: caf\xe9\n", ": supply UTF-8, got byte 0xE9 in line 2"),
        case("UTF-16", STATE.encode("utf-16"), ": supply UTF-8, got byte 0xFF in line 1"),
        case("more than a megabyte", "# " + "x" * 1_000_000, ": supply at most 1000000 bytes, got more"),
        case(
            "JSON cut off",
            '{"state": {"bucket": "b"',
            ":1:25: close the braces with }, or put a value that has one of [ ] { } , in quotes",
        ),
        case(
            "a list that is not closed",
            "state: [a, b\n",
            ":2:1: close the list with ], or put a value that has one of [ ] { } , in quotes",
        ),
        case("a quote that is not closed", "state:\n  bucket: 'my-bucket\n", ":3:1: close the quotes"),
        case(
            "a variable in braces without quotes",
            "state: {bucket: ${NOT_SET}, region: x}\n",
            ":1:18: close the braces with }, or put a value that has one of [ ] { } , in quotes",
        ),
        case(
            "a key without a colon",
            "state:\n  bucket\n  region: x\n",
            ':3:9: fix the indentation or a missing ":", or put a value that has ": " in quotes',
        ),
        case(
            "a colon in a plain value",
            "state:\n  bucket: my: bucket\n",
            ':2:13: fix the indentation or a missing ":", or put a value that has ": " in quotes',
        ),
        case(
            "a value that begins with an at sign",
            "state:\n  bucket: @bucket\n",
            ":2:11: put the value in quotes, no plain value begins with @",
        ),
        case(
            "a value that begins with a percent sign",
            "state:\n  bucket: %bucket\n",
            ":2:11: put the value in quotes, no plain value begins with %",
        ),
        case(
            "a key that is indented too far",
            "state:\n  bucket: b\n    region: x\n",
            ':3:11: fix the indentation or a missing ":", or put a value that has ": " in quotes',
        ),
        case(
            "a key that is indented too little",
            "state:\n    bucket: b\n  region: x\n",
            ":3:3: fix the indentation, this fits neither the list nor the keys above it",
        ),
        case(
            "a list among keys",
            "state:\n  bucket: b\n- role: x\n",
            ":3:1: fix the indentation, this fits neither the list nor the keys above it",
        ),
        case(
            "an unknown escape in double quotes",
            'state:\n  bucket: "C:\\bucket"\n',
            ": environments: supply this setting, it is missing",
            ": state.region: supply this setting, it is missing",
            r': state.bucket: supply the name of an S3 bucket (3 or more letters, digits, . - and _), got "C:\bucket"',
        ),
        case(
            "an escape beyond Unicode",
            'state: "\\U00110000"\n',
            ": supply a character that exists for each escape, \\U goes up to \\U0010FFFF",
        ),
        case(
            "an alias of nothing",
            "state: *base\n",
            ":1:8: there is no &base before the alias *base; a plain * needs quotes",
        ),
        case(
            "a star without quotes",
            "state:\n  bucket: *\n",
            ":2:12: put the value in quotes, no plain value begins with * or &",
        ),
        case(
            "an unknown tag",
            "state: !secret\n  bucket: my-bucket\n",
            ": environments: supply this setting, it is missing",
            ': state: remove the tag "!secret"',
        ),
        case(
            "a tag that would run Python",
            "state: !!python/object/apply:os.system [id]\n",
            ": environments: supply this setting, it is missing",
            ': state: remove the tag "!!python/object/apply:os.system"',
        ),
        case(
            "a binary value",
            after_state("environments: !!binary aGVsbG8=\n"),
            ': environments: remove the tag "!!binary"',
        ),
        case(
            "an undeclared tag handle",
            "state: !e!x y\n",
            ':1:8: put the value in quotes, or remove the tag: what begins with "!"',
        ),
        case("a directive of another YAML", "%YAML 2.0\n---\nstate: x\n", ":1:1: remove the line that begins with %"),
        case(
            "a block text that begins on the wrong line",
            "state: | my-bucket\n",
            ":1:10: begin the text on the line after | or >",
        ),
        case(
            "an alias of a value that contains it",
            "state: &state\n  bucket: *state\n  region: eu-west-1\n",
            ": environments: supply this setting, it is missing",
            ": state.bucket: remove the alias *state, it is inside the value that it refers to",
        ),
        case(
            "a merge key of a mapping that contains it",
            "state: &state\n  bucket: my-bucket\n  region: eu-west-1\n  <<: *state\n",
            ": environments: supply this setting, it is missing",
            ": state: remove the alias *state, it is inside the value that it refers to",
        ),
        case(
            "a merge key of a text",
            "state:\n  <<: base\n  bucket: my-bucket\n  region: eu-west-1\n",
            ": environments: supply this setting, it is missing",
            ": state.<<: supply the alias of a mapping, or a list of such aliases",
        ),
        case(
            "a merge key of a list of texts",
            "state:\n  <<: [base, 1]\n  bucket: my-bucket\n  region: eu-west-1\n",
            ": environments: supply this setting, it is missing",
            ": state.<<[1]: supply the alias of a mapping, or a list of such aliases",
            ": state.<<[0]: supply the alias of a mapping, or a list of such aliases",
        ),
        case(
            "a bomb of aliases", BOMB, ": supply at most 20000 values, an alias counts as every value that it refers to"
        ),
        case("a nest of lists", "[" * 500, ":1:21: nest at most 20 levels deep"),
        case(
            "a chain of aliases",
            "a0: &a0 []\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}]\n" for i in range(500)),
            ": nest at most 20 levels deep",
        ),
        case(
            "a key that is repeated",
            STATE + "state: {}\nenvironments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n",
            ": state: supply this key once, it is repeated in line 2",
        ),
        case(
            "a setting that is repeated",
            role("role: team\n        role: other"),
            ": environments.dev.roles[0].role: supply this key once, it is repeated in line 7",
        ),
        case(
            "a list as a key",
            after_state("? [a, b]\n: c\nenvironments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n"),
            ": supply text as a key, got a list or a mapping in line 2",
        ),
        # the top level
        case("no environments", STATE, ": environments: supply this setting, it is missing"),
        case(
            "no state",
            "environments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n",
            ": state: supply this setting, it is missing",
        ),
        case("environments without an entry", after_state("environments: {}\n"), ": environments: supply at least one"),
        case(
            "environments without a value",
            after_state("environments:\n"),
            ": environments: supply environments by name, got nothing",
        ),
        case(
            "environments as a list",
            after_state("environments:\n  - dev\n"),
            ": environments: supply environments by name, got a list",
        ),
        case(
            "an unknown key at the top",
            after_state("enviroments: {}\nenvironments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n"),
            ": enviroments: no such setting, did you mean environments?",
        ),
        case(
            "an unknown key that is close to none",
            after_state("x-anchors: {}\nenvironments: {dev: {region: eu-west-1, roles: [{role: team}]}}\n"),
            ": x-anchors: no such setting, known here: state, environments, pipeline",
        ),
        # state
        case(
            "a bucket with a slash",
            state("key_prefix: a").replace("my-bucket", "my/bucket"),
            ': state.bucket: supply the name of an S3 bucket (3 or more letters, digits, . - and _), got "my/bucket"',
        ),
        case(
            "a bucket with a look-alike letter",
            state("key_prefix: a").replace("my-bucket", "my-bucк\u0435t"),
            r': state.bucket: supply the name of an S3 bucket (3 or more letters, digits, . - and _), got "my-buc\u043a\u0435t"',
        ),
        case(
            "a key prefix that begins with a slash",
            state("key_prefix: /x"),
            ': state.key_prefix: supply a prefix of S3 keys (letters, digits, _ . - and slashes between them), got "/x"',
        ),
        case(
            "a key prefix that climbs",
            state("key_prefix: x/../y"),
            ': state.key_prefix: supply a prefix of S3 keys (letters, digits, _ . - and slashes between them), got "x/../y"',
        ),
        case(
            "a switch in quotes",
            state('use_path_style: "true"'),
            ': state.use_path_style: supply true or false, got "true"',
        ),
        case(
            "a switch in the words of old YAML",
            state("use_path_style: yes"),
            ': state.use_path_style: supply true or false, got "yes"',
        ),
        case(
            "an endpoint without a scheme",
            state("endpoints: {s3: localhost:5000}"),
            ': state.endpoints.s3: supply a URL that begins with https:// or http://, got "localhost:5000"',
        ),
        case(
            "an endpoint of a service the backend does not call",
            state('endpoints: {glue: "http://127.0.0.1:5000"}'),
            ": state.endpoints.glue: no such setting, known here: s3, iam, sts",
        ),
        case(
            "a role to assume without its ARN",
            state("assume_role: {}"),
            ": state.assume_role.role_arn: supply this setting, it is missing",
        ),
        case(
            "a role to assume as a text",
            state("assume_role: terraform"),
            ': state.assume_role: supply settings ("role_arn: ..."), got "terraform"',
        ),
        case(
            "a backend setting that this project sets itself",
            state("use_lockfile: true"),
            ": state.use_lockfile: no such setting, known here: bucket, region, key_prefix, kms_key_id, profile, assume_role, endpoints, custom_ca_bundle, use_path_style, skip_credentials_validation, skip_requesting_account_id, skip_region_validation, skip_metadata_api_check, skip_s3_checksum",
        ),
        case(
            "a backend setting misspelled",
            state("skip_credential_validation: true"),
            ": state.skip_credential_validation: no such setting, did you mean skip_credentials_validation?",
        ),
        # environment
        case(
            "an environment's name with a space",
            STATE + "environments: {my dev: {region: eu-west-1, roles: [{role: team}]}}\n",
            ': environments."my dev": supply an environment\'s name (1 to 32 letters, digits, _ and -, first a letter or digit), got "my dev"',
        ),
        case(
            "an environment's name that climbs",
            STATE + "environments: {../dev: {region: eu-west-1, roles: [{role: team}]}}\n",
            ': environments."../dev": supply an environment\'s name (1 to 32 letters, digits, _ and -, first a letter or digit), got "../dev"',
        ),
        case(
            "an environment's name with a line break",
            STATE + 'environments: {"dev\\n": {region: eu-west-1, roles: [{role: team}]}}\n',
            ': environments."dev\\n": supply an environment\'s name (1 to 32 letters, digits, _ and -, first a letter or digit), got "dev\\n"',
        ),
        case(
            "an environment's name from a variable",
            STATE + 'environments: {"${TEAM}": {region: eu-west-1, roles: [{role: team}]}}\n',
            ': environments."${TEAM}": supply an environment\'s name (1 to 32 letters, digits, _ and -, first a letter or digit), got "${TEAM}"',
        ),
        case(
            "an environment without roles",
            environment("region: eu-west-1"),
            ": environments.dev.roles: supply this setting, it is missing",
        ),
        case(
            "an environment with an empty list of roles",
            environment("region: eu-west-1, roles: []"),
            ": environments.dev.roles: supply at least one",
        ),
        case(
            "an environment without a value",
            STATE + "environments: {dev: }\n",
            ': environments.dev: supply settings ("region: ..."), got nothing',
        ),
        case(
            "roles as settings",
            environment("region: eu-west-1, roles: {role: team}"),
            ': environments.dev.roles: supply a list ("- role: ..."), got settings',
        ),
        case(
            "a role without a key",
            environment("region: eu-west-1, roles: [team]"),
            ': environments.dev.roles[0]: supply settings ("role: ..."), got "team"',
        ),
        case(
            "no region",
            environment("roles: [{role: team}]"),
            ": environments.dev.region: supply this setting, it is missing",
        ),
        case(
            "a zone in place of a region",
            environment("region: eu-west-1a, roles: [{role: team}]"),
            ': environments.dev.region: supply the name of an AWS region, like eu-west-1, got "eu-west-1a"',
        ),
        case(
            "a region with a trailing space",
            environment('region: "eu-west-1 ", roles: [{role: team}]'),
            ': environments.dev.region: supply the name of an AWS region, like eu-west-1, got "eu-west-1 "',
        ),
        case(
            "an account id without quotes",
            environment("region: eu-west-1, account_id: 111122223333, roles: [{role: team}]"),
            ": environments.dev.account_id: put quotes around 111122223333, without them it is a number and loses leading zeros",
        ),
        case(
            "an account id with a leading zero and no quotes",
            environment("region: eu-west-1, account_id: 011122223333, roles: [{role: team}]"),
            ": environments.dev.account_id: put quotes around 011122223333, without them it is a number and loses leading zeros",
        ),
        case(
            "an account id with hyphens",
            environment('region: eu-west-1, account_id: "1111-2222-3333", roles: [{role: team}]'),
            ': environments.dev.account_id: supply an account id of 12 digits, got "1111-2222-3333"',
        ),
        case(
            "an account id in digits of another script",
            environment(
                'region: eu-west-1, account_id: "\u0661\u0661\u0661\u0661\u0662\u0662\u0662\u0662\u0663\u0663\u0663\u0663", roles: [{role: team}]'
            ),
            r': environments.dev.account_id: supply an account id of 12 digits, got "\u0661\u0661\u0661\u0661\u0662\u0662\u0662\u0662\u0663\u0663\u0663\u0663"',
        ),
        case(
            "a deploy role by name",
            environment("region: eu-west-1, deploy_role_arn: terraform, roles: [{role: team}]"),
            ': environments.dev.deploy_role_arn: supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got "terraform"',
        ),
        case(
            "a deploy role of another account",
            environment(
                'region: eu-west-1, account_id: "111122223333", deploy_role_arn: "arn:aws:iam::444455556666:role/terraform", roles: [{role: team}]'
            ),
            ': environments.dev.deploy_role_arn: supply a role of account 111122223333, as set by account_id, got "arn:aws:iam::444455556666:role/terraform"',
        ),
        case(
            "a deploy role of another partition",
            environment(
                'region: cn-north-1, deploy_role_arn: "arn:aws:iam::444455556666:role/terraform", roles: [{role: team}]'
            ),
            ': environments.dev.deploy_role_arn: supply a role of partition aws-cn, as set by region, got "arn:aws:iam::444455556666:role/terraform"',
        ),
        case(
            "provider versions without data sources that list policies",
            environment('region: eu-west-1, aws_provider: ">= 5.100", roles: [{role: team}]'),
            ': environments.dev.aws_provider: supply a version constraint that begins with 6.39 or newer, like ">= 6.39, < 7.0", got ">= 5.100"',
        ),
        case(
            "a provider version without quotes",
            environment("region: eu-west-1, aws_provider: 6.39, roles: [{role: team}]"),
            ": environments.dev.aws_provider: put quotes around 6.39, without them it is a number and loses leading zeros",
        ),
        case(
            "a quota below AWS's own",
            environment("region: eu-west-1, trust_policy_quota: 1024, roles: [{role: team}]"),
            ": environments.dev.trust_policy_quota: supply a whole number of at least 2048, got 1024",
        ),
        case(
            "a quota in quotes",
            environment('region: eu-west-1, trust_policy_quota: "4096", roles: [{role: team}]'),
            ': environments.dev.trust_policy_quota: supply a whole number, got "4096"',
        ),
        case(
            "a quota with a fraction",
            environment("region: eu-west-1, trust_policy_quota: 4096.5, roles: [{role: team}]"),
            ": environments.dev.trust_policy_quota: supply a whole number, got 4096.5",
        ),
        case(
            "a quota that a tag makes of text",
            environment('region: eu-west-1, trust_policy_quota: !!int "2\\n3", roles: [{role: team}]'),
            ': environments.dev.trust_policy_quota: supply a whole number, got "2\\n3"',
        ),
        case(
            "a quota in hexadecimal",
            environment("region: eu-west-1, trust_policy_quota: 0x1000, roles: [{role: team}]"),
            ": environments.dev.trust_policy_quota: supply a whole number, got 0x1000",
        ),
        # roles
        case(
            "a role without a name",
            role("permissions: recipe"),
            ": environments.dev.roles[0].role: supply this setting, it is missing",
        ),
        case(
            "a role's name that is empty",
            role('role: ""'),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got ""',
        ),
        case(
            "a role's name without a value", role("role:"), ": environments.dev.roles[0].role: supply text, got nothing"
        ),
        case(
            "a role's name with a trailing space",
            role('role: "team "'),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "team "',
        ),
        case(
            "a role's name with a line break",
            role('role: "team\\n"'),
            r': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "team\n"',
        ),
        case(
            "a role's name with a look-alike letter",
            role("role: t\u0435am"),
            r': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "t\u0435am"',
        ),
        case(
            "a role's name of 65 characters",
            role("role: " + "r" * 65),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"',
        ),
        case(
            "a role's name with its path",
            role("role: service-role/AmazonSageMaker-ExecutionRole-20240101T000001"),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "service-role/AmazonSageMaker-ExecutionRole-20240101T000001": leave its path out, or give the whole ARN',
        ),
        case(
            "a role's name that is a number",
            role("role: 20240101"),
            ": environments.dev.roles[0].role: put quotes around 20240101, without them it is a number and loses leading zeros",
        ),
        case(
            "a role's name that is a boolean",
            role("role: true"),
            ": environments.dev.roles[0].role: put quotes around true, without them it is a boolean",
        ),
        case(
            "a role's name that is a list",
            role("role: [a, b]"),
            ": environments.dev.roles[0].role: supply text, got a list",
        ),
        case(
            "a role's name that is endless",
            role("role: " + "r" * 5000),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr..." (5002 characters)',
        ),
        case(
            "an ARN of another service",
            role("role: arn:aws:s3:::my-bucket"),
            ': environments.dev.roles[0].role: supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got "arn:aws:s3:::my-bucket"',
        ),
        case(
            "an ARN of a session",
            role("role: arn:aws:sts::111122223333:assumed-role/team/session"),
            ': environments.dev.roles[0].role: supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got "arn:aws:sts::111122223333:assumed-role/team/session"',
        ),
        case(
            "an ARN of a user",
            role("role: arn:aws:iam::111122223333:user/team"),
            ': environments.dev.roles[0].role: supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got "arn:aws:iam::111122223333:user/team"',
        ),
        case(
            "an ARN with a short account",
            role("role: arn:aws:iam::1111:role/team"),
            ': environments.dev.roles[0].role: supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got "arn:aws:iam::1111:role/team"',
        ),
        case(
            "an ARN with a trailing slash",
            role("role: arn:aws:iam::111122223333:role/team/"),
            ': environments.dev.roles[0].role: supply the ARN of an IAM role, like arn:aws:iam::111122223333:role/path/name, got "arn:aws:iam::111122223333:role/team/"',
        ),
        case(
            "an ARN of a role of a service",
            role(
                "role: arn:aws:iam::111122223333:role/aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForAmazonSageMakerNotebooks"
            ),
            ': environments.dev.roles[0].role: supply a role that your account manages, only AWS can change this one, got "arn:aws:iam::111122223333:role/aws-service-role/sagemaker.amazonaws.com/AWSServiceRoleForAmazonSageMakerNotebooks"',
        ),
        case(
            "an ARN of a role of IAM Identity Center",
            role(
                "role: arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Data_0123456789abcdef"
            ),
            ': environments.dev.roles[0].role: supply a role that your account manages, only AWS can change this one, got "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Data_0123456789abcdef"',
        ),
        case(
            "an ARN of another account",
            environment(
                'region: eu-west-1, account_id: "111122223333", roles: [{role: "arn:aws:iam::444455556666:role/team"}]'
            ),
            ': environments.dev.roles[0].role: supply a role of account 111122223333, as set by account_id, got "arn:aws:iam::444455556666:role/team"',
        ),
        case(
            "an ARN of another account than the deploy role's",
            environment(
                'region: eu-west-1, deploy_role_arn: "arn:aws:iam::111122223333:role/terraform", roles: [{role: "arn:aws:iam::444455556666:role/team"}]'
            ),
            ': environments.dev.roles[0].role: supply a role of account 111122223333, as set by deploy_role_arn, got "arn:aws:iam::444455556666:role/team"',
        ),
        case(
            "an ARN of another partition",
            environment('region: us-gov-west-1, roles: [{role: "arn:aws:iam::444455556666:role/team"}]'),
            ': environments.dev.roles[0].role: supply a role of partition aws-us-gov, as set by region, got "arn:aws:iam::444455556666:role/team"',
        ),
        case(
            "permissions misspelled",
            role("role: team\n        permissions: recipie"),
            ': environments.dev.roles[0].permissions: supply "recipe", "least-privilege" or "isolated", got "recipie"',
        ),
        case(
            "permissions in capitals",
            role("role: team\n        permissions: Least-Privilege"),
            ': environments.dev.roles[0].permissions: supply "recipe", "least-privilege" or "isolated", got "Least-Privilege"',
        ),
        case(
            "a permission misspelled as a key",
            role("role: team\n        permission: recipe"),
            ": environments.dev.roles[0].permission: no such setting, did you mean permissions?",
        ),
        case(
            "released without a boolean",
            role("role: team\n        released: 1"),
            ": environments.dev.roles[0].released: supply true or false, got 1",
        ),
        case(
            "trust as a text",
            role("role: team\n        trust: additive"),
            ': environments.dev.roles[0].trust: supply settings ("ownership: ..."), got "additive"',
        ),
        case(
            "an ownership that Terraform does not know",
            role("role: team\n        trust: {ownership: shared}"),
            ': environments.dev.roles[0].trust.ownership: supply "authoritative", "additive" or "external", got "shared"',
        ),
        case(
            "a key of trust misspelled",
            role("role: team\n        trust: {owner: additive}"),
            ": environments.dev.roles[0].trust.owner: no such setting, did you mean ownership?",
        ),
        case(
            "the same role twice",
            STATE + "environments:\n  dev: {region: eu-west-1, roles: [{role: team}, {role: TEAM}]}\n",
            ": environments.dev.roles[1].role: remove this, the role is already at environments.dev.roles[0].role",
        ),
        case(
            "the same role twice, once by its ARN",
            STATE
            + 'environments:\n  dev: {region: eu-west-1, roles: [{role: team}, {role: "arn:aws:iam::111122223333:role/path/team"}]}\n',
            ": environments.dev.roles[1].role: remove this, the role is already at environments.dev.roles[0].role",
        ),
        case(
            "the same role in two environments of an account",
            environments(
                'dev: {region: eu-west-1, account_id: "111122223333", roles: [{role: team}]}',
                'prod: {region: eu-west-1, account_id: "111122223333", roles: [{role: Team}]}',
            ),
            ": environments.prod.roles[0].role: remove this, the role of account 111122223333 is already at environments.dev.roles[0].role",
        ),
        case(
            "the same ARN in two environments",
            environments(
                'dev: {region: eu-west-1, roles: [{role: "arn:aws:iam::111122223333:role/team"}]}',
                'prod: {region: eu-central-1, roles: [{role: "arn:aws:iam::111122223333:role/team"}]}',
            ),
            ": environments.prod.roles[0].role: remove this, the role of account 111122223333 is already at environments.dev.roles[0].role",
        ),
        case(
            "two roles with one stack name",
            environments(
                "dev: {region: eu-west-1, roles: [{role: a-b}]}", "DEV-a: {region: eu-west-1, roles: [{role: B}]}"
            ),
            ": environments.DEV-a.roles[0].role: rename the environment, the stack glue-sessions-DEV-a-B already belongs to environments.dev.roles[0].role",
        ),
        # pipeline
        case(
            "a pipeline without a repository",
            STATE + ENVIRONMENTS + "pipeline: {github: {}}\n",
            ": pipeline.github.repository: supply this setting, it is missing",
        ),
        case(
            "a pipeline with a branch and an environment",
            STATE + ENVIRONMENTS + "pipeline: {github: {repository: acme/data, branch: release, environment: prod}}\n",
            ": pipeline.github.environment: remove environment or branch, only one of them may be set, got branch: release",
        ),
        # variables
        case(
            "a variable that is not set",
            role("role: ${NOT_SET}"),
            ": environments.dev.roles[0].role: set the environment variable NOT_SET, it is not set",
        ),
        case(
            "a variable that is empty",
            role("role: ${EMPTY}"),
            ": environments.dev.roles[0].role: set the environment variable EMPTY, it is empty",
        ),
        case(
            "two variables that are not set, in one value",
            role("role: ${NOT_SET}-${EMPTY}-${NOT_SET}"),
            ": environments.dev.roles[0].role: set the environment variable NOT_SET, it is not set",
            ": environments.dev.roles[0].role: set the environment variable EMPTY, it is empty",
        ),
        case(
            "a variable whose value is no role",
            role("role: ${WITH_SPACE}"),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "my team" from ${WITH_SPACE}',
        ),
        case(
            "a variable whose value looks like YAML",
            role("role: ${YAML}"),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "{role: x}" from ${YAML}',
        ),
        case(
            "a variable whose value is no text",
            role("role: ${BYTES}"),
            r': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "\udcff" from ${BYTES}',
        ),
        case(
            "a variable that is not closed",
            role("role: ${TEAM"),
            ": environments.dev.roles[0].role: write ${NAME} for a variable of the environment, or $${ for a plain ${",
        ),
        case(
            "a variable with a default, as shells have it",
            role("role: ${TEAM:-x}"),
            ": environments.dev.roles[0].role: write ${NAME} for a variable of the environment, or $${ for a plain ${",
        ),
        case(
            "a variable without a name",
            role("role: ${}"),
            ": environments.dev.roles[0].role: write ${NAME} for a variable of the environment, or $${ for a plain ${",
        ),
        case(
            "a variable that ought to be a boolean",
            role("role: team\n        released: ${TRUE}"),
            ': environments.dev.roles[0].released: supply true or false, got "true" from ${TRUE}',
        ),
        case(
            "a variable as a whole section",
            after_state("environments: ${YAML}\n"),
            ': environments: supply environments by name, got "{role: x}" from ${YAML}',
        ),
        case(
            "a plain dollar sign",
            role("role: $TEAM"),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "$TEAM"',
        ),
        case(
            "an escaped variable",
            role("role: $${TEAM}"),
            ': environments.dev.roles[0].role: supply the name or the ARN of an IAM role, got "${TEAM}"',
        ),
        case(
            "everything at once",
            "state:\n  bucket: ${NOT_SET}\n  regoin: eu-west-1\nenvironments:\n  dev:\n    region: eu-west-1\n    account_id: 111122223333\n    roles:\n      - role: team\n        permissions: all\n      - role: team\n      - {}\n  prod env:\n    region: nowhere\n    roles: []\n",
            ": state.region: supply this setting, it is missing",
            ": state.bucket: set the environment variable NOT_SET, it is not set",
            ": state.regoin: no such setting, did you mean region?",
            ": environments.dev.account_id: put quotes around 111122223333, without them it is a number and loses leading zeros",
            ': environments.dev.roles[0].permissions: supply "recipe", "least-privilege" or "isolated", got "all"',
            ": environments.dev.roles[1].role: remove this, the role is already at environments.dev.roles[0].role",
            ": environments.dev.roles[2].role: supply this setting, it is missing",
            ': environments."prod env": supply an environment\'s name (1 to 32 letters, digits, _ and -, first a letter or digit), got "prod env"',
            ': environments."prod env".region: supply the name of an AWS region, like eu-west-1, got "nowhere"',
            ': environments."prod env".roles: supply at least one',
        ),
    ],
)
def test_a_malformed_file_is_reported_with_a_line_for_each_error(
    errors_of: Callable[[str | bytes], list[str]], content: str | bytes, lines: tuple[str, ...]
) -> None:
    assert errors_of(content) == [f"glue-sessions.yaml{line}" for line in lines]


SAGEMAKER = '{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}'


def policy(*statements: str) -> str:
    return '{"Version": "2012-10-17", "Statement": [' + ", ".join(statements) + "]}"


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        case("an empty file", "", "supply valid JSON, it has an error at line 1, column 1"),
        case("no JSON", "Version: 2012-10-17\n", "supply valid JSON, it has an error at line 1, column 1"),
        case(
            "JSON that is cut off",
            policy(SAGEMAKER)[:-10],
            "supply valid JSON, it has an error at line 1, column 124",
        ),
        case(
            "a trailing comma",
            policy(SAGEMAKER)[:-1] + ",}",
            "supply valid JSON, it has an error at line 1, column 142",
        ),
        case("bytes that are not UTF-8", b'{"\xff": 1}', "supply UTF-8, got byte 0xFF in line 1"),
        case("a list", "[]", "supply a policy document, a JSON object with Statement, got []"),
        case(
            "a string of JSON within JSON", '"{}"', 'supply a policy document, a JSON object with Statement, got "{}"'
        ),
        case("NaN", '{"Statement": NaN}', "supply JSON, got NaN, which JSON does not have"),
        case("an endless number", '{"Statement": ' + "9" * 5000 + "}", "supply JSON with numbers of a usable size"),
        case("JSON nested too deeply", "[" * 100000, "supply a trust policy, got JSON nested too deeply"),
        case(
            "a key twice",
            '{"Statement": [], "Statement": []}',
            'supply each key once, got "Statement" twice in one object',
        ),
        case(
            "a key of a statement twice",
            policy('{"Effect": "Deny", ' + SAGEMAKER[1:]),
            'supply each key once, got "Effect" twice in one object',
        ),
        case(
            "no statement", '{"Version": "2012-10-17"}', "Statement: supply at least one statement, the key is missing"
        ),
        case("an empty list of statements", policy(), "Statement: supply at least one statement, got []"),
        case(
            "a version of the wrong day",
            policy(SAGEMAKER).replace("2012", "2013"),
            'Version: supply "2012-10-17" or "2008-10-17", got "2013-10-17"',
        ),
        case(
            "keys in lower case",
            '{"version": "2012-10-17", "statement": []}',
            "version: no such key in a trust policy, supply one of Version, Id, Statement",
            "statement: no such key in a trust policy, supply one of Version, Id, Statement",
            "Statement: supply at least one statement, the key is missing",
        ),
        case(
            "a response of GetRole in place of the document",
            '{"Role": {"AssumeRolePolicyDocument": {}}}',
            "Role: no such key in a trust policy, supply one of Version, Id, Statement",
            "Statement: supply at least one statement, the key is missing",
        ),
        case(
            "a statement that is text",
            policy('"Allow"', SAGEMAKER),
            'Statement[0]: supply a statement, a JSON object, got "Allow"',
        ),
        case(
            "no effect",
            policy(SAGEMAKER, '{"Principal": "*", "Action": "sts:AssumeRole"}'),
            'Statement[1].Effect: supply "Allow" or "Deny", the key is missing',
        ),
        case(
            "an effect in lower case",
            policy(SAGEMAKER.replace("Allow", "allow")),
            'Statement[0].Effect: supply "Allow" or "Deny", got "allow"',
        ),
        case(
            "no principal, as in a permissions policy",
            policy('{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}'),
            "Statement[0].Resource: no such key in a trust policy, supply one of Sid, Effect, Principal, NotPrincipal, Action, NotAction, Condition",
            "Statement[0]: supply either Principal or NotPrincipal, got neither",
        ),
        case(
            "both principals",
            policy('{"NotPrincipal": {"AWS": "444455556666"}, ' + SAGEMAKER[1:]),
            "Statement[0]: supply either Principal or NotPrincipal, got both",
        ),
        case(
            "a user group as principal",
            policy(SAGEMAKER.replace('"Service": "sagemaker.amazonaws.com"', '"AWS": "arn:aws:iam::1:group/a"')),
            'Statement[0].Principal.AWS: supply "*", an account, or the ARN of an account, a role, a user or a session, got "arn:aws:iam::1:group/a"',
        ),
        case(
            "a misspelt operator",
            policy('{"Condition": {"StringEqual": {"aws:SourceAccount": "1"}}, ' + SAGEMAKER[1:]),
            'Statement[0].Condition: supply condition operators that IAM has, like StringEquals, got "StringEqual"',
        ),
        case(
            "a principal that is text",
            policy(SAGEMAKER.replace('{"Service": "sagemaker.amazonaws.com"}', '"sagemaker.amazonaws.com"')),
            'Statement[0].Principal: supply "*" or an object like {"Service": "sagemaker.amazonaws.com"}, got "sagemaker.amazonaws.com"',
        ),
        case(
            "a principal of an unknown kind",
            policy(SAGEMAKER.replace('"Service"', '"Services"')),
            "Statement[0].Principal.Services: no such key in a trust policy, supply one of AWS, Service, Federated, CanonicalUser",
        ),
        case(
            "a principal that is an empty list",
            policy(SAGEMAKER.replace('"sagemaker.amazonaws.com"', "[]")),
            "Statement[0].Principal.Service: supply a string or a list of strings, got []",
        ),
        case(
            "a principal that is a number",
            policy(SAGEMAKER, SAGEMAKER.replace('"Service": "sagemaker.amazonaws.com"', '"AWS": 111122223333')),
            "Statement[1].Principal.AWS: supply a string or a list of strings, got 111122223333",
        ),
        case(
            "both actions",
            policy('{"NotAction": "sts:TagSession", ' + SAGEMAKER[1:]),
            "Statement[0]: supply either Action or NotAction, got both",
        ),
        case(
            "no action",
            policy('{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}'),
            "Statement[0]: supply either Action or NotAction, got neither",
        ),
        case(
            "an action of another service",
            policy(SAGEMAKER, SAGEMAKER.replace("sts:AssumeRole", "iam:PassRole")),
            'Statement[1].Action: supply actions of STS, like "sts:AssumeRole", got "iam:PassRole"',
        ),
        case(
            "a Sid with a hyphen",
            policy('{"Sid": "sage-maker", ' + SAGEMAKER[1:]),
            'Statement[0].Sid: supply letters and digits, got "sage-maker"',
        ),
        case(
            "a Sid twice",
            policy('{"Sid": "A", ' + SAGEMAKER[1:], '{"Sid": "A", ' + SAGEMAKER[1:]),
            'Statement: supply a different Sid for each statement, got "A" twice',
        ),
        case(
            "a condition that is text",
            policy('{"Condition": "x", ' + SAGEMAKER[1:]),
            'Statement[0].Condition: supply an object of operators, got "x"',
        ),
        case(
            "an operator without keys",
            policy('{"Condition": {"StringEquals": "x"}, ' + SAGEMAKER[1:]),
            'Statement[0].Condition.StringEquals: supply an object of condition keys, got "x"',
        ),
        case(
            "a condition's value that is an object",
            policy('{"Condition": {"StringEquals": {"aws:SourceAccount": {}}}, ' + SAGEMAKER[1:]),
            "Statement[0].Condition.StringEquals.aws:SourceAccount: supply strings, numbers or booleans, got {}",
        ),
        case(
            "Glue already trusted",
            policy(SAGEMAKER.replace('"sagemaker.amazonaws.com"', '["sagemaker.amazonaws.com", "glue.amazonaws.com"]')),
            "remove glue.amazonaws.com, Glue's own statement is added to what is kept",
        ),
        case(
            "SageMaker not trusted",
            policy(SAGEMAKER.replace("sagemaker", "lambda")),
            "add a statement that lets sagemaker.amazonaws.com call sts:AssumeRole, it is missing",
        ),
        case(
            "SageMaker only denied",
            policy(SAGEMAKER.replace("Allow", "Deny")),
            "add a statement that lets sagemaker.amazonaws.com call sts:AssumeRole, it is missing",
        ),
        case(
            "SageMaker may only set the source identity",
            policy(SAGEMAKER.replace("sts:AssumeRole", "sts:SetSourceIdentity")),
            "add a statement that lets sagemaker.amazonaws.com call sts:AssumeRole, it is missing",
        ),
        case(
            "a statement under Glue's Sid",
            policy('{"Sid": "GlueInteractiveSessions", ' + SAGEMAKER[1:]),
            "choose another Sid than GlueInteractiveSessions, it is that of Glue's own statement",
        ),
        case(
            "Glue denied",
            policy(SAGEMAKER, SAGEMAKER.replace("Allow", "Deny").replace("sagemaker", "glue")),
            "Statement[1]: remove this Deny, or give it a condition: it keeps glue.amazonaws.com from assuming the role, whatever else allows that",
        ),
        case(
            "everybody denied",
            policy('{"Effect": "Deny", "Principal": {"AWS": "*"}, "NotAction": "sts:TagSession"}', SAGEMAKER),
            "Statement[0]: remove this Deny, or give it a condition: it keeps glue.amazonaws.com from assuming the role, whatever else allows that",
        ),
        case(
            "a deleted role",
            policy(
                SAGEMAKER,
                '{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:root", "AROAEXAMPLEROLE12345Z"]}, "Action": "sts:AssumeRole"}',
            ),
            "Statement[1].Principal.AWS: remove AROAEXAMPLEROLE12345Z, its role or user is deleted and IAM rejects it",
        ),
        case(
            "a deleted user in a single statement",
            '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com", "AWS": "AIDAEXAMPLEUSER12345Z"}, "Action": "sts:*"}}',
            "Statement.Principal.AWS: remove AIDAEXAMPLEUSER12345Z, its role or user is deleted and IAM rejects it",
        ),
        case(
            "a document over the quota",
            policy(
                SAGEMAKER,
                *[
                    SAGEMAKER.replace(
                        '"Service": "sagemaker.amazonaws.com"', f'"AWS": "arn:aws:iam::111122223333:role/{n:060}"'
                    )
                    for n in range(12)
                ],
            ),
            "supply at most 2048 characters with Glue's own statement, got 2163: shorten it, or set trust_policy_quota where AWS has raised the account's quota",
        ),
        case(
            "several errors at once",
            '{"Version": "2012", "Id": 1, "Statement": [{"Effect": "allow", "Principal": {"Service": []}, "Action": 1, "Resource": "*"}]}',
            'Version: supply "2012-10-17" or "2008-10-17", got "2012"',
            "Id: supply a string, got 1",
            "Statement[0].Resource: no such key in a trust policy, supply one of Sid, Effect, Principal, NotPrincipal, Action, NotAction, Condition",
            'Statement[0].Effect: supply "Allow" or "Deny", got "allow"',
            "Statement[0].Principal.Service: supply a string or a list of strings, got []",
            "Statement[0].Action: supply a string or a list of strings, got 1",
        ),
    ],
)
def test_a_malformed_kept_document_is_reported_with_a_line_for_each_error(
    errors_of: Callable[[str | bytes], list[str]], content: str | bytes, lines: tuple[str, ...]
) -> None:
    kept = Path("trust/team.json")
    kept.parent.mkdir()
    kept.write_bytes(content if isinstance(content, bytes) else content.encode())
    place = "glue-sessions.yaml: environments.dev.roles[0].trust.keep: trust/team.json: "
    assert errors_of(role("role: team\n        trust: {keep: trust/team.json}")) == [place + line for line in lines]


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        pytest.param("keep: {Statement: []}", "supply text, got settings", id="a document itself"),
        pytest.param("keep: [a.json]", "supply text, got a list", id="a list of paths"),
        pytest.param(
            "keep: 1", "put quotes around 1, without them it is a number and loses leading zeros", id="a number"
        ),
        pytest.param('keep: ""', '"": supply a file, got a directory', id="an empty path"),
        pytest.param("keep: .", ".: supply a file, got a directory", id="a directory"),
        pytest.param("keep: nope.json", 'no such file, got "nope.json"', id="a missing file"),
        pytest.param(
            "keep: glue-sessions.yaml/x",
            "glue-sessions.yaml/x: supply a file that can be read, got: Not a directory",
            id="a file in a file",
        ),
        pytest.param(
            'keep: "a\\0b"', '"a\\u0000b": supply another path, no file can have this one', id="a NUL in a path"
        ),
        pytest.param(
            'keep: "${NOT_SET}"', "set the environment variable NOT_SET, it is not set", id="an unset variable"
        ),
    ],
)
def test_a_kept_document_that_cannot_be_read_is_reported(
    errors_of: Callable[[str | bytes], list[str]], settings: str, line: str
) -> None:
    place = "glue-sessions.yaml: environments.dev.roles[0].trust.keep: "
    assert errors_of(role(f"role: team\n        trust: {{{settings}}}")) == [place + line]


@pytest.mark.parametrize("ownership", ["additive", "external"])
def test_statements_can_be_kept_only_under_authoritative_ownership(
    errors_of: Callable[[str | bytes], list[str]], ownership: str
) -> None:
    Path("team.json").write_text(policy(SAGEMAKER))
    assert errors_of(role(f"role: team\n        trust: {{ownership: {ownership}, keep: team.json}}")) == [
        "glue-sessions.yaml: environments.dev.roles[0].trust.keep: "
        f"remove keep, it is for authoritative ownership only, got ownership: {ownership}"
    ]


def test_a_missing_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as raised:
        load(Path("nope.yaml"), {})
    assert str(raised.value) == "nope.yaml: no such file, create it or name another with GLUE_SESSIONS_CONFIG"


def test_a_directory_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as raised:
        load(Path(), {})
    assert str(raised.value) == ".: supply a file, got a directory"


def test_a_path_with_a_line_break_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as raised:
        load(Path("a\nb"), {})
    assert str(raised.value) == '"a\\nb": no such file, create it or name another with GLUE_SESSIONS_CONFIG'


def test_ten_megabytes_are_refused_without_being_read_as_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("glue-sessions.yaml")
    path.write_bytes(b"- x\n" * 2_500_000)
    with pytest.raises(ConfigurationError) as raised:
        load(path, {})
    assert str(raised.value) == "glue-sessions.yaml: supply at most 1000000 bytes, got more"
