"""Each row of docs/failures.md names its test, and quotes messages that the test checks."""

import ast
import re
from functools import cache

import pytest

from tests.repository import ROOT

PAGE = (ROOT / "docs/failures.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| cause |")]
TEST = re.compile(r"<!-- (tests/[\w/]+\.py)::(test_\w+) -->")

NO_ERROR = {"s3:ListBucket"}


@cache
def parsed(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def strings(file: str) -> list[str]:
    """The text in a file's string literals, adjacent ones joined."""
    nodes = (node.value for node in ast.walk(parsed(file)) if isinstance(node, ast.Constant))
    return [value for value in nodes if isinstance(value, str)]


def test_the_page_has_the_rows_of_a_table() -> None:
    assert len(ROWS) >= 30
    assert {row.count(" |") for row in ROWS} == {4}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub("<!--.*", "", row).strip("| "))
def test_a_row_names_a_test_that_exists_and_quotes_its_words(row: str) -> None:
    found = TEST.search(row)
    assert found, row
    file, name = found.groups()
    assert name in {node.name for node in parsed(file).body if isinstance(node, ast.FunctionDef)}
    read = row.split(" | ")[1]
    for quoted in re.findall("`([^`]+)`", read):
        for fragment in filter(str.strip, quoted.split("…")):
            assert quoted in NO_ERROR or any(fragment.strip(" ,") in text for text in strings(file)), fragment
