"""Import hooks: CDK Terrain under CDKTF's name, and of the AWS provider only the submodules that are imported."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.readers import FileReader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from fast_cdktf._tarball import UnknownLayoutError, cached_cut

# where this project imports classes of the provider
_SOURCES = ("modules", "stacks")
_REPOSITORY = Path(__file__).resolve().parents[1]


class AliasFinder(MetaPathFinder):
    """Have `import cdktf` return `cdktn`, and so on for each pair of names, submodules included."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load a module under its alias; None for any other module."""
        package, dot, rest = fullname.partition(".")
        real = self._names.get(package)
        return ModuleSpec(fullname, _AliasLoader(f"{real}{dot}{rest}")) if real else None


class _AliasLoader(Loader):
    def __init__(self, real: str) -> None:
        self._real = real

    def exec_module(self, module: ModuleType) -> None:
        # not returned by create_module: the import system would overwrite its __spec__
        sys.modules[module.__name__] = import_module(self._real)


class BeforeImport(MetaPathFinder):
    """Call a function once, before a package is imported for the first time."""

    def __init__(self, package: str, call: Callable[[], None]) -> None:
        self._package: str | None = package
        self._call = call

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Call the function if this is the package; the next finder loads it."""
        if fullname == self._package:
            self._package = None
            self._call()


@dataclass(frozen=True)
class _Subset:
    locations: list[str]
    resources: Path
    submodules: frozenset[str]


class SubsetFinder(MetaPathFinder):
    """Have `import package.submodule` load that submodule alone, and Node the submodules that this project imports.

    Each class of a prebuilt provider otherwise imports all 2,200 submodules, and has Node read the JavaScript of them
    all. The classes are the package's own; only the import system is changed, by the protocols it has for that.

    Args:
        package: the provider's Python package, `cdktf_cdktf_provider_aws`.
        names: the packages that source files may call it by.
        on_failure: called with the reason where the package must be imported whole after all.
    """

    def __init__(self, package: str, names: Iterable[str], on_failure: Callable[[str], None]) -> None:
        self._package = package
        self._names = frozenset(names)
        self._on_failure = on_failure
        self._subset: _Subset | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load the package without its code, and its `_jsii` with the cut tarball.

        Raises:
            ImportError: Node has not got the submodule, for no source file imports it.
        """
        if fullname == self._package:
            return self._find_package()
        parent, _, name = fullname.rpartition(".")
        subset = self._subset
        if parent != self._package or subset is None:
            return None
        if name == "_jsii":
            init = Path(subset.locations[0], "_jsii", "__init__.py")
            return spec_from_file_location(
                fullname, init, loader=_JsiiLoader(fullname, str(init), resources=subset.resources)
            )
        if name in subset.submodules or not _has(subset.locations, name):
            return None
        raise ImportError(
            f"{fullname} is imported in no file of {' and '.join(_SOURCES)}:"
            " import it there, or set GLUE_SESSIONS_PLAIN_BINDINGS=1",
            name=fullname,
        )

    def _find_package(self) -> ModuleSpec | None:
        spec = PathFinder.find_spec(self._package)
        if spec is None or not spec.submodule_search_locations:
            return None  # not installed: Python's own error follows
        locations = list(spec.submodule_search_locations)
        submodules = {name for name in imported_submodules(self._names) if _has(locations, name)}
        try:
            tarballs = list(Path(locations[0], "_jsii").glob("*.jsii.tgz"))
            if len(tarballs) != 1:
                raise UnknownLayoutError(f"{self._package}._jsii has {len(tarballs)} tarballs")
            cut = cached_cut(tarballs[0], submodules)
        except (UnknownLayoutError, OSError) as error:
            self._on_failure(str(error))
            return None
        self._subset = _Subset(locations, cut.folder, cut.submodules)
        # without its own code: __init__ imports everything
        spec = ModuleSpec(self._package, None, is_package=True)
        spec.submodule_search_locations = locations
        return spec


class _JsiiLoader(SourceFileLoader):
    """Run the package's own `_jsii`, whose tarball, a resource, is replaced by the cut one."""

    def __init__(self, fullname: str, path: str, *, resources: Path) -> None:
        super().__init__(fullname, path)
        self._resources = resources

    def get_resource_reader(self, name: str | None = None) -> FileReader:
        return FileReader(SourceFileLoader(self.name, str(self._resources / "__init__.py")))


def imported_submodules(packages: frozenset[str]) -> set[str]:
    """Return the names of all submodules of these packages that the project's source files import."""
    return {
        submodule
        for folder in _SOURCES
        for file in sorted((_REPOSITORY / folder).rglob("*.py"))
        for submodule in _imports(file, packages)
    }


def _imports(file: Path, packages: frozenset[str]) -> Iterator[str]:
    source = file.read_bytes()
    if not any(package.encode() in source for package in packages):
        return
    for node in ast.walk(ast.parse(source, file)):
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module in packages:
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield from _submodule(module, packages)
            case ast.Import():
                for alias in node.names:
                    yield from _submodule(alias.name, packages)


def _submodule(module: str, packages: frozenset[str]) -> list[str]:
    package, _, rest = module.partition(".")
    return [rest.partition(".")[0]] if package in packages and rest else []


def _has(locations: list[str], submodule: str) -> bool:
    return any(Path(location, submodule, "__init__.py").is_file() for location in locations)
