"""The demo's notebook, with a kernel that prints what a test says."""

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from commands.demo import notebook
from commands.demo.notebook import CellError, failure, left_out, run_cells, save_page
from sandbox.studio import text_of
from tests.repository import ROOT

PICTURE = {"image/png": "aGVsbG8="}


class Kernel:
    """Prints a text for each cell, and draws a picture for each."""

    def __init__(self, text: str) -> None:
        self._text = text

    def run_cell(self, cell: NotebookNode) -> None:
        cell.outputs = [
            new_output("stream", text=self._text),  # type: ignore[no-untyped-call]
            new_output("display_data", data=PICTURE),  # type: ignore[no-untyped-call]
        ]


@pytest.fixture
def content() -> NotebookNode:
    (file,) = (ROOT / "notebooks").glob("*.ipynb")
    read: NotebookNode = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    return read


def test_cells_that_only_aws_can_run_say_that_they_were_left_out(content: NotebookNode, tmp_path: Path) -> None:
    kernel = Kernel("Spark 3.5.4 Rome hottest Oslo Stopped session")
    ran = [cell.id for cell in run_cells(content, kernel)]  # type: ignore[arg-type]
    assert notebook.STARTED in ran
    assert left_out(content) == ["dynamic-frame", "catalog"]
    assert not {*ran} & {*left_out(content)}
    cells = {cell.id: cell for cell in content.cells}
    assert [text_of(cells[name]) for name in left_out(content)] == [
        "Left out: this cell needs what only AWS has.\n"
    ] * 2
    save_page(content, tmp_path / "results")
    assert "Left out: this cell" in (tmp_path / "results" / "notebook.html").read_text(encoding="utf-8")


def test_a_cell_without_its_output_ends_the_demo_in_one_line(content: NotebookNode) -> None:
    with pytest.raises(CellError, match=r'^the cell start printed "AccessDeniedException no"$'):
        list(run_cells(content, Kernel("AccessDeniedException\nno")))  # type: ignore[arg-type]


def test_the_cell_that_plots_must_have_drawn(content: NotebookNode) -> None:
    cell = next(cell for cell in content.cells if cell.id == "plot")
    assert failure(cell) == 'the cell plot printed ""'
