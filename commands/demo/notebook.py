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

# text in the output of each cell: a refused session does not fail a cell, it only prints the refusal
_SIGNS = {
    "start": "Spark 3.5",
    "transform": "Rome",
    "sql": "hottest",
    "s3": "Oslo",
    "stop": "Stopped session",
}


def read_notebook() -> tuple[NotebookNode, list[str]]:
    """Return the starter notebook without the code cells that only AWS can run, and their ids."""
    whole = nbformat.read(_NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    part = local_part(whole)
    kept = {cell.id for cell in part.cells}
    return part, [cell.id for cell in whole.cells if cell.cell_type == "code" and cell.id not in kept]


def run_cells(notebook: NotebookNode, *, role_arn: str, aws: Sandbox) -> Iterator[NotebookNode]:
    """Run the code cells in place, and yield each after it has run.

    Args:
        notebook: the notebook.
        role_arn: the execution role's ARN.
        aws: the local AWS.
    """
    with Kernel(role_arn=role_arn, sandbox=aws.environment) as kernel:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                kernel.run_cell(cell)
                yield cell


def failure(cell: NotebookNode) -> str | None:
    """Return one line if a cell lacks its expected output, None if it has it."""
    output = text_of(cell)
    sign = _SIGNS.get(cell.id, "")
    drawn = any("image/png" in each.get("data", {}) for each in cell.outputs)
    if sign not in output or (cell.id == "plot" and not drawn):
        return f'the cell {cell.id} printed "{" ".join(output.split())[-300:]}"'
    return None


def save_page(notebook: NotebookNode, folder: Path) -> Path:
    """Write the executed notebook and its HTML page into a folder; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "notebook.html"
    save(notebook, folder / "notebook.ipynb", page)
    return page
