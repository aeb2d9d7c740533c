import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from fast_cdktf._tarball import cut_tarball
from tests.repository import ROOT

PACKAGE = "cdktf_cdktf_provider_aws"
SUBMODULES = ("data_aws_iam_role", "iam_role", "iam_role_policy", "iam_role_policy_attachment", "provider")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python code in an interpreter and a folder of its own, with further environment variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GLUE_SESSIONS_", "JSII_", "NODE_", "COV_"))
    }

    def run(code: str, *, path: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
        pythonpath = os.pathsep.join(dict.fromkeys([str(path), str(ROOT)]))
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=inherited | {"PYTHONPATH": pythonpath} | env,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def installed() -> Path:
    """Return the folder of the prebuilt provider as it is installed."""
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="session")
def other_layout(tmp_path_factory: pytest.TempPathFactory, installed: Path) -> Path:
    """Return a folder with a small provider that imports all it has, its assembly in compact JSON.

    Quick to import whole, and not written the way that the subset is cut from.
    """
    folder = tmp_path_factory.mktemp("other-layout")
    package = folder / PACKAGE
    for submodule in (*SUBMODULES, "_jsii"):
        shutil.copytree(installed / submodule, package / submodule, ignore=shutil.ignore_patterns("*.tgz"))
    imports = "".join(f"from . import {submodule}\n" for submodule in SUBMODULES)
    (package / "__init__.py").write_text(imports)
    (tarball,) = installed.glob("_jsii/*.jsii.tgz")
    (package / "_jsii" / tarball.name).write_bytes(cut_tarball(tarball, SUBMODULES)[0])
    return folder
