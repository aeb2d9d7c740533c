"""The JSON Schema and docs/configuration.md match the models, and `__all__` has what other rooms import."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from ruamel.yaml import YAML

import configuration
from configuration import (
    Access,
    AssumeRole,
    Buckets,
    ConfigurationError,
    Databases,
    Endpoints,
    Environment,
    GitHub,
    Pipeline,
    Role,
    Settings,
    State,
    Trust,
    json_schema,
    load,
)
from tests.repository import AS_SHIPPED, ROOT

SCHEMA = ROOT / "glue-sessions.schema.json"
REFERENCE = (ROOT / "docs/configuration.md").read_text()


def parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", REFERENCE, re.DOTALL)


def with_every_setting(text: str) -> str:
    """Return the shipped file with its commented settings turned on."""
    return re.sub(r"^(\s*)# (?=\s*[a-z_]+:( |$))", r"\1", text, flags=re.MULTILINE)


VALID = {
    "the file as shipped": AS_SHIPPED.read_text(),
    "the file as shipped, all settings turned on": with_every_setting(AS_SHIPPED.read_text()),
    "the example of the reference": blocks("yaml")[0],
}
MINIMAL: dict[str, Any] = {
    "state": {"bucket": "my-bucket", "region": "eu-west-1"},
    "environments": {"dev": {"region": "eu-west-1", "roles": [{"role": "team"}]}},
}


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    """Return the minimal configuration with one value set."""
    document: dict[str, Any] = json.loads(json.dumps(MINIMAL))
    target: Any = document
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return document


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_json_schema_is_current() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "configuration"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert SCHEMA.read_text() == printed, "run: python -m configuration > glue-sessions.schema.json"


def test_editors_find_the_json_schema_by_the_first_line_of_the_file() -> None:
    first = AS_SHIPPED.read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema=./{SCHEMA.name}"


@pytest.mark.parametrize("text", VALID.values(), ids=VALID.keys())
def test_the_json_schema_accepts_valid_files(validator: Draft202012Validator, text: str) -> None:
    assert [error.message for error in validator.iter_errors(parsed(text))] == []


DEV = ("environments", "dev")
TEAM = (*DEV, "roles", 0)


@pytest.mark.parametrize(
    "document",
    [
        changed("state", value=None),
        changed("enviroments", value={}),
        changed("state", "bucket", value="my/bucket"),
        changed("state", "use_lockfile", value=True),
        changed("state", "use_path_style", value="true"),
        changed("state", "assume_role", value={}),
        changed("state", "endpoints", value={"s3": "localhost:5000"}),
        changed("environments", value={}),
        changed("environments", "my dev", value=MINIMAL["environments"]["dev"]),
        changed("environments", "${TEAM}", value=MINIMAL["environments"]["dev"]),
        changed(*DEV, "region", value="eu-west-1a"),
        changed(*DEV, "account_id", value=111122223333),
        changed(*DEV, "account_id", value="1111"),
        changed(*DEV, "deploy_role_arn", value="terraform"),
        changed(*DEV, "trust_policy_quota", value=1024),
        *(
            changed(*DEV, "aws_provider", value=value)
            for value in ("", "6", "6.38.9", "> 6.38", "~> 6", "< 6.40", "!= 6.39", ">= 6.39,", "6.39-beta1", "latest")
        ),
        changed(*DEV, "roles", value=[]),
        changed(*DEV, "roles", value={"role": "team"}),
        changed(*TEAM, value="team"),
        changed(*TEAM, "role", value="service-role/team"),
        changed(*TEAM, "role", value="arn:aws:s3:::bucket"),
        changed(*TEAM, "permissions", value="Recipe"),
        changed(*TEAM, "released", value=1),
        changed(*TEAM, "trust", value={"ownership": "shared"}),
        changed(*TEAM, "trust", value={"keep": {}}),
        changed(*TEAM, "relased", value=True),
        changed("pipeline", value={}),
        changed("pipeline", value={"github": {"repository": "name"}}),
        changed("pipeline", value={"github": {"repository": "owner/name", "branch": "release-*"}}),
    ],
    ids=str,
)
def test_the_json_schema_rejects_invalid_files(validator: Draft202012Validator, document: dict[str, Any]) -> None:
    assert validator.is_valid(MINIMAL)
    assert not validator.is_valid(document)


@pytest.mark.parametrize("path", [("state", "bucket"), (*DEV, "region"), (*TEAM, "role"), (*TEAM, "permissions")])
def test_the_json_schema_lets_a_variable_stand_for_any_text(
    validator: Draft202012Validator, path: tuple[str | int, ...]
) -> None:
    assert validator.is_valid(changed(*path, value="${NAME}"))


# docs/configuration.md

SECTIONS: dict[str, type[BaseModel]] = {
    "state": State,
    "state.assume_role": AssumeRole,
    "state.endpoints": Endpoints,
    "environments": Environment,
    "environments.NAME.roles": Role,
    "environments.NAME.roles.access": Access,
    "environments.NAME.roles.access.buckets": Buckets,
    "environments.NAME.roles.access.databases": Databases,
    "environments.NAME.roles.trust": Trust,
    "pipeline": Pipeline,
    "pipeline.github": GitHub,
}


def table(settings: type[BaseModel]) -> Iterator[str]:
    yield "| setting | default | |"
    yield "|---|---|---|"
    for name, field in settings.model_fields.items():
        default = "required" if field.is_required() else ""
        if field.default not in (PydanticUndefined, None):
            default = f"`{json.dumps(field.default).strip(chr(34))}`"
        yield f"| `{name}` | {default} | {field.description} |"


@pytest.mark.parametrize(("heading", "settings"), SECTIONS.items(), ids=SECTIONS.keys())
def test_the_reference_has_a_current_table_for_each_section(heading: str, settings: type[BaseModel]) -> None:
    _, found, section = REFERENCE.partition(f"\n### `{heading}`\n")
    assert found
    rows = [line for line in section.partition("\n#")[0].splitlines() if line.startswith("|")]
    assert rows == list(table(settings))


def test_the_reference_has_every_section() -> None:
    def nested(settings: type[BaseModel]) -> set[type[BaseModel]]:
        text = str([field.annotation for field in settings.model_fields.values()])
        found = {one for one in SECTIONS.values() if f"configuration.settings.{one.__name__}" in text}
        return found.union(*(nested(one) for one in found))

    assert nested(Settings) == set(SECTIONS.values())


def test_examples_of_the_reference_are_configurations(tmp_path: Path) -> None:
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust/team-b-sagemaker.json").write_text(blocks("json")[0])
    path = tmp_path / "glue-sessions.yaml"
    path.write_text(blocks("yaml")[0])
    configuration = load(path, {"TF_STATE_BUCKET": "shop", "SAGEMAKER_ROLE_NAME": "team-a"})
    names = [f"{stack.name}  {stack.state_key}" for stack in configuration.role_stacks]
    assert "\n".join(names) + "\n" == blocks("text")[0]


def test_the_example_of_access_is_a_setting_of_a_role(tmp_path: Path) -> None:
    path = tmp_path / "glue-sessions.yaml"
    path.write_text(
        json.dumps(changed("environments", "dev", "roles", 0, "access", value=parsed(blocks("yaml")[1])["access"]))
    )
    (stack,) = load(path, {}).role_stacks
    assert stack.grant_settings.access
    assert stack.grant_settings.access.read_databases == ("sales", "mart_*")


def test_the_messages_in_the_reference_are_those_of_its_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("glue-sessions.yaml")
    path.write_text(blocks("yaml")[-1])
    with pytest.raises(ConfigurationError) as raised:
        load(path, {})
    assert f"{raised.value}\n" == blocks("text")[1]


# The package's names

ROOMS = ("applying", "aws", "benchmarks", "commands", "modules", "plans", "review", "stacks", "terraform_cli", "tests")


def imported_names() -> Iterator[tuple[str, str]]:
    """Yield module and name of each import that the apps and other rooms make from the package."""
    for path in (*ROOT.glob("*.py"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "configuration":
                yield from ((str(node.module), alias.name) for alias in node.names)


def test_all_lists_the_exported_names() -> None:
    names = {name for name, value in vars(configuration).items() if not isinstance(value, ModuleType)}
    assert set(configuration.__all__) == {name for name in names if not name.startswith("_")}


def test_other_rooms_import_only_exported_names_and_the_two_public_modules() -> None:
    imports = set(imported_names())
    assert ("configuration", "load_or_exit") in imports
    assert {name for module, name in imports if module == "configuration"} <= {*configuration.__all__, "yaml_text"}
    assert {module for module, _ in imports} == {"configuration", "configuration.pipeline_access"}
