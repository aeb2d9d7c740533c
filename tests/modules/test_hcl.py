"""HCL files of expressions: holes that must match, and the files as `terraform fmt` writes them."""

import base64
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from modules import hcl
from terraform_cli import installation
from tests.availability import terraform_binary

FILE = """\
# Comments and line breaks are left out.
greeting = join(" ", [
  # of whom
  argument.greeted,
  expression.other
])

other = "${argument.constant}"
"""
FILES = sorted(Path(hcl.__file__).with_name("expressions").glob("*.hcl"))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "greetings.hcl").write_text(FILE)
    monkeypatch.setattr(hcl, "_FOLDER", tmp_path)
    return "greetings.hcl"


def test_an_expression_is_one_line_with_its_holes_filled_in(file: str) -> None:
    expressions = hcl.Expressions(file, constant="local.a")
    assert expressions.expression("greeting", greeted="var.b") == 'join(" ", [var.b, "${local.a}"])'
    assert expressions.reference("other") == '${"${local.a}"}'


def test_a_constant_that_the_file_does_not_use_is_refused(file: str) -> None:
    with pytest.raises(ValueError, match=r"^supply arguments that greetings.hcl uses, got more, spare$"):
        hcl.Expressions(file, constant="", more="", spare="")


def test_an_expression_that_a_file_has_twice_is_refused(file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(FILE + FILE)
    with pytest.raises(ValueError, match=r"^supply each expression once, got greeting twice$"):
        hcl.Expressions(file, constant="")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("greting", {}, "supply an expression of greetings.hcl, got greting"),
        ("greeting", {}, "supply argument greeted, which greeting in greetings.hcl uses"),
        ("other", {"greeted": "a"}, "supply arguments that other in greetings.hcl uses, got greeted"),
    ],
)
def test_holes_and_arguments_must_match(file: str, name: str, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        hcl.Expressions(file, constant="local.a").expression(name, **arguments)


# IAM accepts any visible ASCII in a path
TEXTS = [
    "".join(map(chr, range(ord("!"), ord("~") + 1))),
    *(
        '"',
        "\\",
        r"\"",
        "${",
        "%{",
        "$${",
        "%%{",
        "$$${",
        "$",
        "%",
        "${a}",
        "%{ if true }",
        r"\${",
        '${"$${x}"}',
        "}",
        "é😀",
    ),
]


def test_text_stands_in_terraform_json_and_in_expressions_as_it_is(tmp_path: Path) -> None:
    values = {
        "literal": [hcl.literal(text) for text in TEXTS],
        "quoted": [hcl.reference(f'true ? {hcl.quoted(text)} : ""') for text in TEXTS],
        "nested": hcl.literals({"a": [*TEXTS, 1, None]})["a"][:-2],
        "template": [hcl.template(f"{text} ${{local.b}}", "${local.b}") for text in TEXTS],
    }
    (tmp_path / "main.tf.json").write_text(json.dumps({"locals": {"b": "b", "values": values}}))
    done = subprocess.run(
        [terraform_binary(), "console"],
        cwd=tmp_path,
        env={**os.environ, **installation.settings(tmp_path / "settings")},
        input="base64encode(jsonencode(local.values))",
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(base64.b64decode(done.stdout))
    assert found == {
        "literal": TEXTS,
        "quoted": TEXTS,
        "nested": TEXTS,
        "template": [f"{text} b" for text in TEXTS],
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_as_terraform_fmt_writes_it(path: Path) -> None:
    formatted = subprocess.run(
        [terraform_binary(), "fmt", "-"], input=path.read_text(), capture_output=True, text=True, check=True
    )
    assert formatted.stdout == path.read_text()


def test_every_expression_of_the_files_is_used() -> None:
    names = {name for path in FILES for name in re.findall(r"^([a-z_]+) +=", path.read_text(), re.MULTILINE)}
    expressions = "".join(path.read_text() for path in FILES)
    constructs = "".join(path.read_text() for path in Path(hcl.__file__).parent.glob("*.py"))
    used = {name for name in names if f"expression.{name}" in expressions or f'"{name}"' in constructs}
    assert names == used
    assert len(names) > 20
