"""The shipped notebook: complete, without outputs, and with the cost first."""

import ast
import re

import nbformat
from nbformat import NotebookNode

from sandbox.studio import local_part
from tests.notebooks.conftest import NOTEBOOK


def code_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def without_magics(source: str) -> str:
    """Return the Python code of a cell."""
    return "" if source.startswith("%%") else re.sub(r"^%.*$", "", source, flags=re.MULTILINE)


def test_it_is_a_valid_notebook_in_the_format_of_nbformat(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert NOTEBOOK.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"  # type: ignore[no-untyped-call]


def test_it_opens_with_the_glue_pyspark_kernel(notebook: NotebookNode) -> None:
    assert notebook.metadata.kernelspec == {
        "display_name": "Glue PySpark",
        "language": "python",
        "name": "glue_pyspark",
    }


def test_its_cells_have_no_outputs_and_stable_names(notebook: NotebookNode) -> None:
    for cell in code_cells(notebook).values():
        assert cell.outputs == []
        assert cell.execution_count is None
    assert list(code_cells(notebook)) == [
        "configure",
        "start",
        "status",
        "load",
        "transform",
        "view",
        "sql",
        "plot",
        "s3",
        "dynamic-frame",
        "catalog",
        "tables",
        "stop",
    ]


def test_it_begins_with_the_cost_and_how_to_stop_the_session(notebook: NotebookNode) -> None:
    first = notebook.cells[0].source
    assert "What it costs" in first
    assert "%stop_session" in first
    assert notebook.cells[-2].source == "%stop_session"


def test_the_session_is_configured_before_it_starts_and_has_an_idle_timeout(notebook: NotebookNode) -> None:
    first = next(iter(code_cells(notebook).values()))
    settings = dict(line.split() for line in first.source.splitlines())
    assert settings == {
        "%session_id_prefix": "starter",
        "%glue_version": "5.0",
        "%worker_type": "G.1X",
        "%number_of_workers": "2",
        "%idle_timeout": "15",
    }


def test_its_code_is_valid_python(notebook: NotebookNode) -> None:
    for cell in code_cells(notebook).values():
        ast.parse(without_magics(cell.source), cell.id)


def test_cells_that_run_only_in_aws_have_a_tag(notebook: NotebookNode) -> None:
    local = code_cells(local_part(notebook))
    assert code_cells(notebook).keys() - local.keys() == {"dynamic-frame", "catalog"}
    assert not any("awsglue" in cell.source for cell in local.values())
