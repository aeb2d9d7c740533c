"""The part of the prebuilt AWS provider that is used, on the Python and on the Node side.

To import any class of the package is to import its 2,200 submodules, and to have Node read the JavaScript
of them all, before the first line of a stack runs. After `use_subset`, Python imports the submodules that
are named, and Node gets a copy of the package's tarball that holds those alone. The classes are the
package's own and jsii is left as it is: only the import system is told where to look, by the protocols it
has for that.
"""

import sys
from collections.abc import Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.readers import FileReader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from fast_cdktf._cache import cached_folder

# Part of the name of a cached copy: raise it when `cut_tarball` writes something else.
_FORMAT = 1


class UnknownLayoutError(Exception):
    """The package does not look as this module knows it."""


def use_subset(package: str, submodules: Collection[str]) -> None:
    """Have `import package.submodule` load the named submodules only.

    Args:
        package: a prebuilt provider's Python package, `cdktf_cdktf_provider_aws`.
        submodules: names of its submodules, `iam_role`. To import another raises `ModuleNotFoundError`.

    Raises:
        UnknownLayoutError: the package is laid out in another way; nothing has been changed.
        OSError: the cut tarball cannot be written; nothing has been changed.
    """
    if package in sys.modules:
        return  # imported as a whole already, which serves as well
    spec = PathFinder.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return  # not installed: the import that follows says so
    locations = list(spec.submodule_search_locations)
    tarballs = list(Path(locations[0], "_jsii").glob("*.jsii.tgz"))
    if len(tarballs) != 1:
        raise UnknownLayoutError(f"{package}._jsii has {len(tarballs)} tarballs")
    cut = _cached_tarball(tarballs[0], sorted(submodules))
    sys.meta_path.insert(0, _SubsetFinder(package, locations, frozenset(submodules), cut.parent))


class _SubsetFinder(MetaPathFinder):
    def __init__(self, package: str, locations: list[str], submodules: frozenset[str], resources: Path) -> None:
        self._package = package
        self._locations = locations
        self._submodules = submodules
        self._resources = resources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == self._package:
            # A package without code of its own: its __init__ is what imports everything.
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = self._locations
            return spec
        parent, _, name = fullname.rpartition(".")
        if parent != self._package or name in self._submodules:
            return None
        if name == "_jsii":
            init = Path(self._locations[0], "_jsii", "__init__.py")
            return spec_from_file_location(
                fullname, init, loader=_JsiiLoader(fullname, str(init), resources=self._resources)
            )
        raise ModuleNotFoundError(f"{fullname} is not among the bindings in use, add it to fast_cdktf/bindings.py")


class _JsiiLoader(SourceFileLoader):
    """Runs the package's own `_jsii`, which loads its tarball as a resource and is given the cut one."""

    def __init__(self, fullname: str, path: str, *, resources: Path) -> None:
        super().__init__(fullname, path)
        self._resources = resources

    def get_resource_reader(self, name: str | None = None) -> FileReader:
        return FileReader(SourceFileLoader(self.name, str(self._resources / "__init__.py")))


def _cached_tarball(tarball: Path, submodules: list[str]) -> Path:
    """Return the cut copy of `tarball`, made at the first use, under the name that the package loads."""

    def cut() -> dict[str, bytes]:
        from fast_cdktf._cut_tarball import cut_tarball  # not needed in the runs that follow

        return {tarball.name: cut_tarball(tarball, submodules)}

    return cached_folder([tarball], [_FORMAT, *submodules], cut) / tarball.name
