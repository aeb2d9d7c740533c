from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "notebook-with-glue-interactive-sessions-in-sagemaker.ipynb"


@pytest.fixture
def notebook() -> NotebookNode:
    read: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    return read
