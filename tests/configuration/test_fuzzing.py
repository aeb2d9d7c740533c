"""Any input loads, or is reported with a line for each error."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configuration import Configuration, ConfigurationError, load

ENVIRONMENT = {"TEAM": "team", "EMPTY": "", "YAML": "{a: b}", "BYTES": "\udcff", "LINES": "a\nb"}

VALID = """\
state:
  bucket: ${TEAM}-bucket
  region: &region eu-west-1
  endpoints: {s3: "http://127.0.0.1:5000"}
environments:
  dev:
    region: *region
    account_id: "111122223333"
    trust_policy_quota: 4096
    roles:
      - &first
        role: arn:aws:iam::111122223333:role/service-role/${TEAM}
        trust: {keep: 'kept.json'}
      - <<: *first
        role: other
        released: true # at last
  gov:
    region: us-gov-west-1
    roles:
      - {role: team, permissions: least-privilege, trust: {ownership: additive}}
"""

SPLICES = [
    *"\n\t :-?,[]{}&*!|>'\"%@`#~=<\\\0\x1b\x7f\x85\ufeff\u2028\ud800é",
    *(" - ", ": ", "? ", "<<: ", "--- ", "...\n", "&a ", "*a", "*first", "!!str ", "!!int x", "!!binary ", "!e!x "),
    *("!<", "%YAML 1.1\n---\n", "%TAG ! x\n---\n", '"\\U00110000"', '"\\uD800"', "9" * 5000, "0x1F", "1e999", ".nan"),
    *(
        "null",
        "true",
        "2024-99-99",
        "${TEAM}",
        "${NOT_SET}",
        "${EMPTY}",
        "${YAML}",
        "${BYTES}",
        "${LINES}",
        "${",
        "$${",
    ),
]

KEYS = st.sampled_from(
    [
        *("state", "bucket", "region", "assume_role", "role_arn", "endpoints", "s3"),
        *("environments", "dev", "account_id", "deploy_role_arn", "trust_policy_quota", "aws_provider"),
        *("roles", "role", "permissions", "trust", "ownership", "keep", "released", "<<"),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["team", "eu-west-1", "111122223333", "kept.json", "additive", "${TEAM}", "${NOT_SET}"])
    | st.sampled_from(["arn:aws:iam::111122223333:role/team", "arn:aws-cn:iam::444455556666:role/path/team"])
)
STRUCTURES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
ROLES = st.lists(st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS, max_size=2), max_size=4), max_size=4)
CONFIGURATIONS = st.fixed_dictionaries(
    {
        "state": st.fixed_dictionaries({"bucket": SCALARS, "region": SCALARS}, optional={"endpoints": STRUCTURES}),
        "environments": st.dictionaries(
            st.sampled_from(["dev", "prod", "dev-a"]) | st.text(max_size=5),
            st.fixed_dictionaries({"region": SCALARS, "roles": ROLES}, optional={"account_id": SCALARS}),
            max_size=3,
        ),
    }
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    text = VALID
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 12, len(text))))
        text = text[:start] + draw(st.sampled_from(SPLICES) | st.text(max_size=3)) + text[end:]
    return text


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("fuzz")
    (directory / "kept.json").write_text(
        '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:*"}}'
    )
    return directory / "glue-sessions.yaml"


def check(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    errors = None
    try:
        configuration = load(path, ENVIRONMENT)
    except ConfigurationError as error:
        errors = error.errors
        lines = str(error).split("\n")
    if errors is None:
        names = [stack.name.lower() for stack in configuration.role_stacks]
        assert names
        assert len(set(names)) == len(names)
    else:
        assert lines == [str(error) for error in errors]
        assert all(line.startswith(f"{path}:") and line.isprintable() for line in lines)


def as_yaml(structure: Any) -> bytes:
    """Return JSON, whose escapes are YAML's too."""
    return json.dumps(structure).encode()


@settings(deadline=None)
@given(content=st.binary())
def test_any_bytes_are_judged(path: Path, content: bytes) -> None:
    check(path, content)


@settings(deadline=None)
@given(content=st.text())
def test_any_text_is_checked(path: Path, content: str) -> None:
    check(path, content.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(content=mutations())
def test_any_slip_in_a_valid_file_is_checked(path: Path, content: str) -> None:
    check(path, content.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(content=(STRUCTURES | CONFIGURATIONS).map(as_yaml))
def test_any_structure_is_checked(path: Path, content: bytes) -> None:
    check(path, content)


@settings(deadline=None)
@given(kept=st.binary() | st.text().map(str.encode) | STRUCTURES.map(as_yaml))
def test_any_kept_document_is_checked(path: Path, kept: bytes) -> None:
    (path.parent / "fuzzed.json").write_bytes(kept)
    check(path, VALID.replace("kept.json", "fuzzed.json").encode())


def test_the_valid_file_is_valid(path: Path) -> None:
    path.write_text(VALID)
    assert isinstance(load(path, ENVIRONMENT), Configuration)
