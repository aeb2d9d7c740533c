"""Synthesis of one role's stack, as a whole process, by each way to write it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks import environments, shop
from benchmarks.environments import NODE, PYTHON, REPOSITORY
from benchmarks.measure import FailedError, Result, Way, kept_environment, side_by_side

PROJECT = "this project"
PROJECT_ON_CDK_TERRAIN = "this project on CDK Terrain"
DOCUMENTED = "CDKTF in Python, the documented way"
DOCUMENTED_CDK_TERRAIN = "CDK Terrain in Python, the documented way"
TYPESCRIPT = "CDKTF in TypeScript, compiled"
FLOOR = "an empty stack in Python (the floor)"


def ways(work: Path) -> list[Way]:
    """Return all ways, each in its own folder in `work`.

    Raises:
        NotInstalledError: one of them could not be installed.
    """
    return [
        project(work),
        program(work, FLOOR, PYTHON, (REPOSITORY / "benchmarks/floor.py").read_text()),
        program(work, DOCUMENTED, PYTHON, documented()),
        project(work, on_cdk_terrain=True),
        program(work, DOCUMENTED_CDK_TERRAIN, environments.cdk_terrain(), documented(cdk_terrain=True)),
        _typescript(work),
    ]


def documented(*, cdk_terrain: bool = False) -> str:
    """Return the program of the documented way; for CDK Terrain with the renaming that its migration guide asks for."""
    text = (REPOSITORY / "benchmarks/documented.py").read_text()
    if cdk_terrain:
        return text.replace("cdktf_cdktf_provider_aws", "cdktn_provider_aws").replace("cdktf", "cdktn")
    return text


def run(work: Path, *, rounds: int, progress: Callable[[str], None]) -> dict[str, Result]:
    """Measure all ways, and check that all but the empty stack synthesize the same.

    Raises:
        FailedError: a program failed, or synthesized another stack.
    """
    first = project(work)
    first.seconds()
    compared = ways(work)
    results = side_by_side(compared, rounds=rounds, progress=progress)
    expected = stack_of(first)
    for way in compared:
        if way.name != FLOOR and stack_of(way) != expected:
            raise FailedError(f"{way.name}: synthesized another stack")
    return results


def cold(work: Path, *, progress: Callable[[str], None]) -> dict[str, Result]:
    """Measure a first run, with nothing in the caches of jsii and of this project, beside the documented way.

    In the folder of `run`, after it.
    """
    cache = work / "cache"
    compared = [project(work), program(work, DOCUMENTED, PYTHON, documented())]
    results = {}
    for way in compared:
        progress(f"{way.name}: with empty caches")
        emptied = Way(
            way.name,
            way.command,
            way.folder,
            {**way.environment, "XDG_CACHE_HOME": str(cache), "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache / "jsii")},
            prepare=lambda: shutil.rmtree(cache, ignore_errors=True),
        )
        results[way.name] = Result(emptied.seconds(), emptied.peak_memory())
    return results


def stack_of(way: Way) -> object:
    """Return the stack that a way has synthesized, without the library's own metadata."""
    (file,) = Path(way.environment["CDKTF_OUTDIR"]).glob("stacks/*/cdk.tf.json")
    return _without_metadata(json.loads(file.read_text()))


def _without_metadata(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_metadata(inner) for key, inner in value.items() if key != "//"}
    return [_without_metadata(inner) for inner in value] if isinstance(value, list) else value


def project(work: Path, *, on_cdk_terrain: bool = False) -> Way:
    """Return the synthesis of this project, as cdktf.json starts it."""
    name = PROJECT_ON_CDK_TERRAIN if on_cdk_terrain else PROJECT
    python = environments.cdk_terrain() if on_cdk_terrain else PYTHON
    configuration = shop.write_configuration(work / "glue-sessions.yaml", shop.role_names(1))
    variables = {"GLUE_SESSIONS_CONFIG": str(configuration), "CDKTF_OUTDIR": str(work / name)}
    if on_cdk_terrain:
        variables["GLUE_SESSIONS_CDK"] = "cdktn"
    return Way(name, (python, "-O", "main.py"), REPOSITORY, kept_environment(**variables))


def program(work: Path, name: str, python: Path, text: str) -> Way:
    """Return a program in its own folder, which synthesizes the stack that this project has written into `work`."""
    folder = work / f"{name}, the program"
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(text)
    return Way(name, (python, "main.py"), folder, _of_others(work, name))


def _typescript(work: Path) -> Way:
    return Way(TYPESCRIPT, (NODE, "main.js"), environments.typescript(), _of_others(work, TYPESCRIPT))


def _of_others(work: Path, name: str) -> dict[str, str]:
    (stack,) = (work / PROJECT).glob("stacks/*/cdk.tf.json")
    # the same Node for all, so that none warns of an old one
    return kept_environment(JSII_NODE=str(NODE), BENCHMARK_STACK=str(stack), CDKTF_OUTDIR=str(work / name))
