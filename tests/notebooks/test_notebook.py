"""The notebook as it is shipped: whole, clean, and careful with its reader's money."""

import ast
import re

import nbformat
from nbformat import NotebookNode

from sandbox.studio import local_part
from tests.notebooks.conftest import NOTEBOOK


def code_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def without_magics(source: str) -> str:
    """Return what Python there is in a cell."""
    return "" if source.startswith("%%") else re.sub(r"^%.*$", "", source, flags=re.MULTILINE)


def test_it_is_a_valid_notebook_in_the_form_nbformat_writes(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert NOTEBOOK.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"  # type: ignore[no-untyped-call]


def test_it_opens_with_the_glue_pyspark_kernel(notebook: NotebookNode) -> None:
    assert notebook.metadata.kernelspec == {
        "display_name": "Glue PySpark",
        "language": "python",
        "name": "glue_pyspark",
    }


def test_its_cells_are_clean_and_keep_their_names(notebook: NotebookNode) -> None:
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
        "stop",
    ]


def test_cost_and_how_to_stop_come_first(notebook: NotebookNode) -> None:
    first = notebook.cells[0].source
    assert "What it costs" in first
    assert "%stop_session" in first
    assert notebook.cells[-2].source == "%stop_session"


def test_the_session_is_configured_before_it_starts_and_ends_by_itself(notebook: NotebookNode) -> None:
    first = next(iter(code_cells(notebook).values()))
    settings = dict(line.split() for line in first.source.splitlines())
    assert settings == {
        "%session_id_prefix": "starter",
        "%glue_version": "5.0",
        "%worker_type": "G.1X",
        "%number_of_workers": "2",
        "%idle_timeout": "15",
    }


def test_all_its_python_is_python(notebook: NotebookNode) -> None:
    for cell in code_cells(notebook).values():
        ast.parse(without_magics(cell.source), cell.id)


def test_what_only_aws_can_run_is_tagged_so(notebook: NotebookNode) -> None:
    local = code_cells(local_part(notebook))
    assert code_cells(notebook).keys() - local.keys() == {"dynamic-frame", "catalog"}
    assert not any("awsglue" in cell.source for cell in local.values())
