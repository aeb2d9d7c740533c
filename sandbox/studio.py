"""Run a notebook as SageMaker Studio does, with the sandbox.

Real parts: the kernel (`aws-glue-sessions`), the wrapper that Studio starts it with (`sagemaker-kernel-wrapper`), the
arguments and environment of SageMaker Distribution's kernel specification, the execution role's credentials from a
container credentials address, and AWS's host names. docs/sandbox.md lists the differences.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import Self

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from sandbox.environment import REGION, STUDIO_ADDRESS
from sandbox.studio_host import check_credentials, credentials_path

KERNEL_NAME = "glue_pyspark"
KERNEL = "aws_glue_interactive_sessions_kernel.glue_pyspark.GlueKernel"
AWS_ONLY_TAG = "aws-only"
"""Tag of cells that run only in AWS; they are skipped."""
CELL_TIME_LIMIT = 300
"""Seconds; the first Spark cell waits until Spark has started."""


class Kernel:
    """A running Glue PySpark kernel in a Studio application of an execution role.

        with Kernel(role_arn=role_arn, sandbox=sandbox.environment) as kernel:
            print(kernel.run("spark.version"))

    Args:
        role_arn: the execution role's ARN; it must trust sagemaker.amazonaws.com.
        sandbox: the environment variables for clients of the sandbox.
        domain_id: the application's domain.
        space_name: the application's space, if any.

    Raises:
        CredentialsRefusedError: on entry: there is no such role, or it does not trust sagemaker.amazonaws.com.
    """

    def __init__(
        self, *, role_arn: str, sandbox: Mapping[str, str], domain_id: str = "d-local", space_name: str = ""
    ) -> None:
        self._role_arn = role_arn
        self._sandbox = sandbox
        self._domain_id = domain_id
        self._space_name = space_name

    def __enter__(self) -> Self:
        check_credentials(self._sandbox[STUDIO_ADDRESS], self._role_arn)
        with ExitStack() as cleanup:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="studio-")))
            _write_kernel_specification(folder)
            _write_metadata(folder, role_arn=self._role_arn, domain_id=self._domain_id, space_name=self._space_name)
            specifications = KernelSpecManager(kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False)
            self._client = NotebookClient(
                new_notebook(),  # type: ignore[no-untyped-call]
                km=AsyncKernelManager(kernel_name=KERNEL_NAME, kernel_spec_manager=specifications),
                timeout=CELL_TIME_LIMIT,
                allow_errors=True,
                resources={"metadata": {"path": str(folder)}},
            )
            log = cleanup.enter_context((folder / "log").open("wb"))
            environment = _environment(folder, self._role_arn, self._sandbox)
            cleanup.enter_context(self._client.setup_kernel(env=environment, stdout=log, stderr=log, cleanup_kc=True))
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._cleanup.close()

    def run_cell(self, cell: NotebookNode) -> None:
        """Run a code cell and store its outputs in it.

        A failing cell raises nothing. A denied session does not even fail the cell: the error message is text among
        its outputs.
        """
        cells = self._client.nb.cells
        cells.append(cell)
        self._client.execute_cell(cell, len(cells) - 1)

    def run(self, code: str) -> str:
        """Run code; return all text of its outputs."""
        cell = new_code_cell(code)  # type: ignore[no-untyped-call]
        self.run_cell(cell)
        return text_of(cell)


def run_notebook(notebook: NotebookNode, *, role_arn: str, sandbox: Mapping[str, str]) -> NotebookNode:
    """Run a notebook as an execution role; return it with outputs, without the cells that run only in AWS.

    Args:
        notebook: the notebook; it is not changed.
        role_arn: the execution role's ARN; it must trust sagemaker.amazonaws.com.
        sandbox: the environment variables for clients of the sandbox.
    """
    executed = local_part(notebook)
    with Kernel(role_arn=role_arn, sandbox=sandbox) as kernel:
        for cell in executed.cells:
            if cell.cell_type == "code":
                kernel.run_cell(cell)
    return executed


def local_part(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook without the cells that run only in AWS."""
    part = deepcopy(notebook)
    part.cells = [cell for cell in part.cells if AWS_ONLY_TAG not in cell.metadata.get("tags", [])]
    return part


def text_of(cell: NotebookNode) -> str:
    """Return all text of a cell's outputs, errors included."""
    texts = []
    for output in cell.get("outputs", []):
        texts.append(output.get("text", ""))
        texts.append(output.get("data", {}).get("text/plain", ""))
        texts.append(output.get("evalue", ""))
    return "\n".join(text for text in texts if text)


def save(executed: NotebookNode, notebook_file: Path, page_file: Path) -> None:
    """Write an executed notebook, and an HTML page of it that needs no network."""
    nbformat.write(executed, notebook_file)  # type: ignore[no-untyped-call]
    exporter = HTMLExporter(mathjax_url="", require_js_url="", jquery_url="")  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(executed)
    page_file.write_text(page, encoding="utf-8")


def _write_kernel_specification(folder: Path) -> None:
    """Write SageMaker Distribution's specification of the kernel.

    Source: https://github.com/aws/sagemaker-distribution, patch_glue_pyspark.json
    """
    specification = {
        "argv": [
            sys.executable,
            str(Path(__file__).with_name("studio_kernel.py")),
            str(folder),
            "-m",
            KERNEL,
            "-f",
            "{connection_file}",
        ],
        "display_name": "Glue PySpark",
        "language": "python",
        "env": {"request_origin": "SageMakerStudioPySparkNotebook", "glue_version": "3.0"},
    }
    kernel = folder / "kernels" / KERNEL_NAME
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(specification))


def _write_metadata(folder: Path, *, role_arn: str, domain_id: str, space_name: str) -> None:
    """Write the metadata files of a Studio application.

    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/notebooks-run-and-manage-metadata.html
    """
    account = role_arn.split(":")[4]
    app = f"arn:aws:sagemaker:{REGION}:{account}:app/{domain_id}/{space_name or 'user'}/JupyterLab/default"
    metadata = {
        "AppType": "JupyterLab",
        "DomainId": domain_id,
        "ResourceArn": app,
        "ResourceName": "default",
        "ExecutionRoleArn": role_arn,
        **({"SpaceName": space_name} if space_name else {}),
    }
    (folder / "resource-metadata.json").write_text(json.dumps(metadata))
    (folder / "internal-metadata.json").write_text(json.dumps({"Stage": "prod"}))


def _environment(folder: Path, role_arn: str, sandbox: Mapping[str, str]) -> dict[str, str]:
    host = sandbox[STUDIO_ADDRESS]
    search = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return {
        "PATH": os.pathsep.join(search),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CA_BUNDLE": sandbox["AWS_CA_BUNDLE"],
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": host + credentials_path(role_arn),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": host,
        "NO_PROXY": "127.0.0.1,localhost",
    }
