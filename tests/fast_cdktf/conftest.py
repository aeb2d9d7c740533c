import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from fast_cdktf._tarball import cached_cut
from tests.repository import ROOT

PACKAGE = "cdktf_cdktf_provider_aws"
SUBMODULES = ("data_aws_iam_role", "iam_role", "iam_role_policy", "iam_role_policy_attachment", "provider")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run_python(code: str, folder: Path, *, path: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in another interpreter and in a folder, with further environment variables.

    Args:
        code: the program.
        folder: where it runs.
        path: a folder from which it imports before any other.
        env: the variables.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GLUE_SESSIONS_", "JSII_", "NODE_", "COV_"))
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=inherited
        | {"PYTHONPATH": os.pathsep.join(dict.fromkeys([str(path), str(ROOT)])), "TMPDIR": str(folder)}
        | env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return `run_python` in the test's folder."""

    def run(code: str, *, path: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
        return run_python(code, tmp_path, path=path, **env)

    return run


@pytest.fixture(scope="session")
def installed() -> Path:
    """Return the folder of the installed prebuilt provider."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="session")
def other_layout(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Path:
    """Return a folder with a small provider that imports all its submodules, with an assembly in compact JSON.

    It is quick to import whole, and it has not the layout that a subset is cut from.
    """
    folder = tmp_path_factory.mktemp("other-layout")
    package = folder / PACKAGE
    for submodule in (*SUBMODULES, "_jsii"):
        shutil.copytree(installed / submodule, package / submodule, ignore=shutil.ignore_patterns("*.tgz"))
    imports = "".join(f"from . import {submodule}\n" for submodule in SUBMODULES)
    (package / "__init__.py").write_text(imports)
    (tarball,) = installed.glob("_jsii/*.jsii.tgz")
    shutil.copy(cached_cut(tarball, SUBMODULES).folder / tarball.name, package / "_jsii")
    return folder
