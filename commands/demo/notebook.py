"""The starter notebook, run by the real Glue PySpark kernel as the execution role."""

from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from sandbox.launcher import Sandbox
from sandbox.studio import Kernel, local_part, save, text_of

_NOTEBOOK = (
    Path(__file__).resolve().parents[2] / "notebooks" / "notebook-with-glue-interactive-sessions-in-sagemaker.ipynb"
)

# what shows that a cell did its work: a refused session fails no cell, its refusal is but text among the outputs
_SIGNS = {
    "start": "Spark 3.5",
    "transform": "Rome",
    "sql": "hottest",
    "s3": "Oslo",
    "stop": "Stopped session",
}


def read_notebook() -> NotebookNode:
    """Read the starter notebook, less the cells that only AWS can run."""
    return local_part(nbformat.read(_NOTEBOOK, as_version=4))  # type: ignore[no-untyped-call]


def run_cells(notebook: NotebookNode, *, role_arn: str, aws: Sandbox) -> Iterator[NotebookNode]:
    """Run the code cells in place and give each once it has run.

    Args:
        notebook: what to run.
        role_arn: the execution role's ARN.
        aws: the local AWS.
    """
    with Kernel(role_arn=role_arn, sandbox=aws.environment) as kernel:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                kernel.run_cell(cell)
                yield cell


def failure(cell: NotebookNode) -> str | None:
    """Say what is missing among a cell's outputs, in one line; None if all is there."""
    said = text_of(cell)
    sign = _SIGNS.get(cell.id, "")
    drawn = any("image/png" in output.get("data", {}) for output in cell.outputs)
    if sign not in said or (cell.id == "plot" and not drawn):
        return f'the cell {cell.id} put out "{" ".join(said.split())[-300:]}"'
    return None


def save_page(notebook: NotebookNode, folder: Path) -> Path:
    """Write the executed notebook and its HTML page into the folder, and give the page."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "notebook.html"
    save(notebook, folder / "notebook.ipynb", page)
    return page
