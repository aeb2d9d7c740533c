"""Makes CDKTF start in under half a second, or CDK Terrain run in its place. README.md shows what each part buys.

    import fast_cdktf

    fast_cdktf.install()
    from cdktf import TerraformStack  # and everything else, as in any CDKTF program

Environment variables:
    GLUE_SESSIONS_CDK: `cdktf`, or `cdktn` for CDK Terrain, its maintained successor; by default the one that is
        installed, `cdktf` if both are.
    GLUE_SESSIONS_PLAIN_BINDINGS: `1` to run CDKTF as it is installed, without any part of this package.
    GLUE_SESSIONS_FAST: the parts to use, separated by commas, for measuring them; by default all.
    JSII_NODE: the Node to run; by default the one that is installed with the Python environment.
    JSII_RUNTIME: the JavaScript that jsii runs in it; jsii then starts Node itself.
"""

import atexit
import gc
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib.util import find_spec
from types import ModuleType

from fast_cdktf import _node
from fast_cdktf._imports import AliasFinder, BeforeImport, SubsetFinder

__all__ = ["PARTS", "install", "without_waiting"]

PARTS = ("subset", "node", "gc", "pipelining")
"""What GLUE_SESSIONS_FAST may name; README.md describes them."""

# each library with its AWS provider, the default first
_LIBRARIES = {"cdktf": "cdktf_cdktf_provider_aws", "cdktn": "cdktn_provider_aws"}

_installed = False
_kernel_pipe: ModuleType | None = None  # where constructs can be created without waiting


def install(*, long_running: bool = False) -> None:
    """Prepare the imports of `cdktf`, `constructs` and the AWS provider that follow.

    Prints one line on stderr where it does not know the installed jsii or provider, which is then loaded as usual:
    slower, with the same result.

    Args:
        long_running: the process does more than one synthesis, as tests do. Node then starts at the first import of
            CDKTF, and garbage is collected.

    Raises:
        RuntimeError: constructs has been imported before.
        SystemExit: with status 2, the library that GLUE_SESSIONS_CDK names is unknown or not installed.
    """
    global _installed
    if _installed:
        return
    if "constructs" in sys.modules:
        raise RuntimeError("call fast_cdktf.install() before the first import of cdktf or constructs")
    library = _library()
    parts = _parts()
    if "node" in parts:
        if not long_running:
            _node.start_ahead(["constructs", library])
        sys.meta_path.insert(0, BeforeImport("constructs", _use_kernel))
    else:
        _node.use_installed_node()
    if "subset" in parts:
        sys.meta_path.insert(0, SubsetFinder(_LIBRARIES[library], _LIBRARIES.values(), _report_slow))
    if library != "cdktf":
        aliases = {"cdktf": library, _LIBRARIES["cdktf"]: _LIBRARIES[library]}
        sys.meta_path.insert(0, AliasFinder(aliases))
    if "gc" in parts and not long_running:
        gc.disable()  # the process ends before there is anything to collect,
        atexit.register(gc.freeze)  # and would end with a search for garbage
    _installed = True


def without_waiting() -> AbstractContextManager[None]:
    """Create constructs in this block without waiting for Node to create each; all exist when the block ends.

    An error of one is raised by a later call in the block, or at its end, with a note that names its own call.
    """
    return nullcontext() if _kernel_pipe is None else _kernel_pipe.without_waiting()


def _use_kernel() -> None:
    global _kernel_pipe
    try:
        process = _node.kernel_process()
    except (_node.UnknownJsiiError, OSError) as error:
        _report_slow(str(error))
        _node.use_installed_node()
        return
    from fast_cdktf import _kernel  # reaches into jsii, which must be known for that

    _kernel.use(process)
    if "pipelining" in _parts():
        _kernel_pipe = _kernel


def _parts() -> set[str]:
    if os.environ.get("GLUE_SESSIONS_PLAIN_BINDINGS") == "1":
        return set()
    parts = set(PARTS)
    if (named := os.environ.get("GLUE_SESSIONS_FAST")) is not None:
        parts &= set(named.split(","))
    if "JSII_RUNTIME" in os.environ or os.name != "posix":
        parts -= {"node"}
    return parts


def _library() -> str:
    name = os.environ.get("GLUE_SESSIONS_CDK") or next(filter(find_spec, _LIBRARIES), "cdktf")
    if name not in _LIBRARIES:
        print(f'set GLUE_SESSIONS_CDK to "cdktf" or "cdktn", got "{name}"', file=sys.stderr)
    elif find_spec(name) is None:
        print(
            f"{name} is not installed here: install it, or set GLUE_SESSIONS_CDK to the library that is",
            file=sys.stderr,
        )
    else:
        return name
    raise SystemExit(2)


@cache
def _report_slow(why: str) -> None:
    print(f"CDKTF is loaded the slow way: {why}", file=sys.stderr)
