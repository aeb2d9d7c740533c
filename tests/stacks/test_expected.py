"""The committed Terraform JSON of each example configuration; tests/expected/README.md explains how to refresh it."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from configuration import load
from configuration.pipeline_access import pipeline_settings
from stacks.pipeline_access import PipelineAccessStack
from stacks.state_bucket import StateBucketStack
from tests.repository import AS_SHIPPED, ROOT
from tests.stacks.conftest import templates
from tests.template import Template, app_in_memory

EXPECTED = ROOT / "tests/expected"
EXAMPLES = sorted(folder.name for folder in EXPECTED.iterdir() if folder.is_dir())
VARIABLES = {
    "SAGEMAKER_ROLE_NAME": "AmazonSageMaker-ExecutionRole-20240101T000001",
    "TF_STATE_BUCKET": "forecasting-terraform-state",
    "AWS_REGION": "eu-west-1",
}


def configuration_file(example: str) -> Path:
    return EXPECTED / example / "glue-sessions.yaml"


def compare(file: Path, document: Any) -> None:
    if os.environ.get("REWRITE_EXPECTED") == "1":
        file.write_text(json.dumps(document, indent=2) + "\n")
    assert comparable(json.loads(file.read_text())) == comparable(document)


def comparable(value: Any) -> Any:
    """Return Terraform JSON without metadata and without white space between the tokens of expressions."""
    match value:
        case dict():
            return {key: comparable(each) for key, each in value.items() if key != "//"}
        case list():
            return [comparable(each) for each in value]
        case str():
            return without_white_space_in_expressions(value)
        case _:
            return value


def without_white_space_in_expressions(template: str) -> str:
    kept: list[str] = []
    inside = ["text"]  # innermost last: text, string (in quotes), expression (of a template), braces
    is_gap = False
    for token in re.findall(r"\\.|[$%]{2}\{|[$%]\{|\w+|\s+|[^\w\s]", template):
        in_text = inside[-1] in ("text", "string")
        if not in_text and token.isspace():
            is_gap = True
            continue
        if in_text and token in ("${", "%{"):
            inside.append("expression")
        elif not in_text and token in ("{", '"'):
            inside.append("braces" if token == "{" else "string")
        elif token == {"string": '"', "expression": "}", "braces": "}"}.get(inside[-1]):
            inside.pop()
        if is_gap and re.fullmatch(r"\w\w", kept[-1][-1] + token[0]):
            kept.append(" ")
        is_gap = False
        kept.append(token)
    return "".join(kept)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_synthesizes_the_expected_stacks(example: str) -> None:
    synthesized = templates(load(configuration_file(example), VARIABLES))
    for name, template in synthesized.items():
        compare(EXPECTED / example / f"{name}.cdk.tf.json", template.document)
    assert {file.name for file in EXPECTED.glob(f"{example}/*.cdk.tf.json")} == {
        f"{name}.cdk.tf.json" for name in synthesized
    }


@pytest.mark.parametrize("example", ["as-shipped", "everything"])
def test_an_example_synthesizes_the_expected_state_bucket(example: str) -> None:
    state = load(configuration_file(example), VARIABLES).state
    template = Template.from_stack(StateBucketStack(app_in_memory(), state=state))
    compare(EXPECTED / example / "state-bucket.json", template.document)


def test_an_example_synthesizes_the_expected_pipeline_access() -> None:
    settings = pipeline_settings(load(configuration_file("pipeline"), VARIABLES))
    template = Template.from_stack(PipelineAccessStack(app_in_memory(), settings=settings))
    compare(EXPECTED / "pipeline/pipeline-access.json", template.document)


def test_the_file_as_shipped_is_the_repositorys() -> None:
    shipped = AS_SHIPPED.read_text()
    own = (ROOT / "glue-sessions.yaml").read_text()
    if parsed(own) != parsed(shipped):
        pytest.skip("this repository is in use: glue-sessions.yaml is no longer the one that was shipped")
    if os.environ.get("REWRITE_EXPECTED") == "1":
        AS_SHIPPED.write_text(own)
    assert AS_SHIPPED.read_text() == own, "run: make expected"


def parsed(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


SAME = [
    ("${[ for s in local.a :\n s ]}", "${[for s in local.a : s]}"),
    ("${ {a = 1} }x", "${{a=1}}x"),
    ({"//": {"path": "a"}, "b": [" ${ c }"]}, {"b": [" ${c}"]}),
]
DIFFERENT = [
    ("a  b", "a b"),
    ("$${ a }", "$${a}"),
    ('${f("a b")}', '${f("a  b")}'),
    ('${f("a ${ b } c")}', '${f("a ${b}  c")}'),
    ("${for s}", "${fors}"),
    ("${ a } b", "${a}b"),
    ('${f({a = "}"})}  c', '${f({a = "}"})} c'),
]


def test_only_metadata_and_white_space_in_expressions_is_ignored() -> None:
    for one, other in SAME:
        assert comparable(one) == comparable(other)
    for one, other in DIFFERENT:
        assert comparable(one) != comparable(other)
