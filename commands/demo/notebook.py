"""`python -m commands.demo.notebook`: the starter notebook, run by the real Glue PySpark kernel as the execution role.

Its own process, so that Spark starts while Terraform works: the cells run until the session has started, and the others
once a line is on standard input.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from sandbox.studio import AWS_ONLY_TAG, Kernel, save, text_of

STARTED = "start"
"""The cell after which the session runs."""

_NOTEBOOK = (
    Path(__file__).resolve().parents[2] / "notebooks" / "notebook-with-glue-interactive-sessions-in-sagemaker.ipynb"
)
_LEFT_OUT = "Left out: this cell needs what only AWS has.\n"
_LINES_SHOWN = 8

# text in the output of each cell: a refused session does not fail a cell, it only prints the refusal
_SIGNS = {
    "start": "Spark 3.5",
    "transform": "Rome",
    "sql": "hottest",
    "s3": "Oslo",
    "stop": "Stopped session",
}


class CellError(Exception):
    """A cell lacks its expected output; one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the notebook; return 0 for success, 1 if a cell lacks its expected output."""
    parser = argparse.ArgumentParser(prog="python -m commands.demo.notebook")
    parser.add_argument("role_arn", help="the execution role")
    parser.add_argument("results", type=Path, help="folder for the executed notebook and its page")
    options = parser.parse_args(arguments)
    notebook = nbformat.read(_NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    try:
        with Kernel(role_arn=options.role_arn, sandbox=os.environ) as kernel:
            ran = 0
            for cell in run_cells(notebook, kernel):
                ran += 1
                _print(cell)
                if cell.id == STARTED and not sys.stdin.readline():
                    return 1  # the demo has ended
    except CellError as error:
        print(error)
        return 1
    save_page(notebook, options.results)
    print(f"Left out, for AWS alone: {', '.join(left_out(notebook))}")
    print(f"{ran} cells ran, {len(left_out(notebook))} need AWS itself")
    return 0


def left_out(notebook: NotebookNode) -> list[str]:
    """Return the ids of the cells that only AWS can run."""
    return [cell.id for cell in notebook.cells if AWS_ONLY_TAG in cell.metadata.get("tags", [])]


def run_cells(notebook: NotebookNode, kernel: Kernel) -> Iterator[NotebookNode]:
    """Run the code cells in place, and yield each after it has run; those that only AWS can run get a note instead.

    Raises:
        CellError: a cell lacks its expected output.
    """
    not_run = set(left_out(notebook))
    for cell in notebook.cells:
        if cell.id in not_run:
            cell.outputs = [new_output("stream", name="stdout", text=_LEFT_OUT)]  # type: ignore[no-untyped-call]
        elif cell.cell_type == "code":
            kernel.run_cell(cell)
            if error := failure(cell):
                raise CellError(error)
            yield cell


def failure(cell: NotebookNode) -> str | None:
    """Return one line if a cell lacks its expected output, None if it has it."""
    output = text_of(cell)
    sign = _SIGNS.get(cell.id, "")
    drawn = any("image/png" in each.get("data", {}) for each in cell.outputs)
    if sign not in output or (cell.id == "plot" and not drawn):
        return f'the cell {cell.id} printed "{" ".join(output.split())[-300:]}"'
    return None


def save_page(notebook: NotebookNode, folder: Path) -> None:
    """Write the executed notebook and its HTML page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save(notebook, folder / "notebook.ipynb", folder / "notebook.html")


def _print(cell: NotebookNode) -> None:
    """Print a cell and the end of its output; a blank line ends it."""
    print(f"[{cell.id}] {cell.source.splitlines()[0]}")
    for line in [each for each in text_of(cell).splitlines() if each.strip()][-_LINES_SHOWN:]:
        print(f"    {line}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
