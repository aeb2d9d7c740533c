"""The rows of the tests' matrix: which versions run which tests. tests.yaml and `make matrix-row` run them.

It needs only the standard library, so that it runs before anything is installed.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commands.command_line import EXIT_CANNOT_RUN
from commands.pipeline.github import set_output
from terraform_cli import installation
from tests.repository import ROOT

FILE = Path(__file__).with_suffix(".json")

ENVIRONMENTS = {"cdktf": ".venv", "cdktn": ".local/cdktn/.venv"}
"""The Python environment of `make CDK=…`."""


@dataclass(frozen=True)
class Row:
    """The versions of one run of tests.

    Attributes:
        name: its name.
        targets: the targets of the Makefile that it runs.
        python: version of Python.
        provider: version of the AWS provider, or a range, of which the newest is used.
        cdk: the library, `cdktf` or `cdktn`, which has its own command line and Node.
        terraform: version of Terraform; `1.17.x` is the newest 1.17, as in npm's ranges.
        opentofu: version of OpenTofu in place of Terraform.
    """

    name: str
    targets: str
    python: str
    provider: str
    cdk: str
    terraform: str = ""
    opentofu: str = ""


def rows() -> list[Row]:
    """Return all rows, as matrix.json has them."""
    return [Row(**each) for each in json.loads(FILE.read_text(encoding="utf-8"))]


def environment_of(row: Row, environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of a row: its home folder, its binary, and no other settings of Terraform.

    With CI, a test that lacks something fails where it would be skipped.
    """
    own = {name: value for name, value in environment.items() if not name.startswith(("TF_", "XDG_"))}
    binary = "tofu" if row.opentofu else "terraform"
    return {**own, "CI": "true", "HOME": str(home), "TERRAFORM_BINARY_NAME": binary}


def missing(row: Row, python: str, environment: Mapping[str, str], root: Path = ROOT) -> Iterator[str]:
    """Yield what a row needs and this machine does not have.

    Args:
        row: the row.
        python: name or path of the Python to use.
        environment: the environment of the row.
        root: the clone.
    """
    wanted = row.opentofu or row.terraform
    try:
        path, found = installation.binary(environment), installation.version(environment)
        if not re.fullmatch(wanted.replace(".", r"\.").replace("x", r"\d+"), found):
            yield f"{path} is {found}: put {'OpenTofu' if row.opentofu else 'Terraform'} {wanted} first on PATH"
    except installation.TerraformMissingError as error:
        yield f"{str(error).partition(':')[0]}: install {'OpenTofu' if row.opentofu else 'Terraform'} {wanted}"
    version = _python_version(python, environment)
    if version != row.python:
        found = f"is {version}" if version else "is not on PATH"
        yield f"{python} {found}: install Python {row.python}, or name it: PYTHON=/…/bin/python{row.python}"
    installed = _python_version(str(root / ENVIRONMENTS[row.cdk] / "bin/python"), environment)
    if installed not in ("", row.python):
        yield f"{ENVIRONMENTS[row.cdk]} has Python {installed}: use another clone (git clone . FOLDER)"


def provide(row: Row, environment: Mapping[str, str], home: Path) -> None:
    """Put the row's provider into the row's home folder, where Terraform looks first.

    A mirror on this machine may have an exact version; everything else comes from the registry.

    Args:
        row: the row.
        environment: the environment of this process.
        home: the row's home folder.

    Raises:
        TerraformMissingError: there is no Terraform.
        ProviderError: the provider cannot be downloaded.
    """
    own = environment_of(row, environment, home)
    folder = installation.implied_mirror(own) / installation.provider(own)
    if folder.exists():  # a newer one may have been released
        shutil.rmtree(folder)
    mirror = installation.provider_mirror({**environment, "TERRAFORM_BINARY_NAME": own["TERRAFORM_BINARY_NAME"]})
    found = mirror / installation.provider(own) if mirror else Path()
    packages = [*found.glob(f"{row.provider}/*_*"), *found.glob(f"*_{row.provider}_*.zip")] if mirror else []
    for package in packages:  # Terraform follows no link to the folder above
        link = folder / package.relative_to(found)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(package)
    if not packages:
        installation.mirror_provider(row.provider, own)


def run(row: Row, python: str, environment: Mapping[str, str], root: Path = ROOT) -> int:
    """Run the tests of a row; return make's exit status, or 2 if something is missing, which is then one line.

    The set-up uses the home folder of the environment, with its caches and settings; the tests have one of their own.
    """
    home = root / ".local/rows" / row.name
    home.mkdir(parents=True, exist_ok=True)
    own = environment_of(row, environment, home)
    if problems := list(missing(row, python, own, root)):
        print(f"{row.name}: {'; '.join(problems)}", file=sys.stderr)
        return EXIT_CANNOT_RUN
    try:
        provide(row, environment, home)
    except installation.ProviderError as error:
        print(f"{row.name}: the AWS provider {row.provider} cannot be downloaded: {error}", file=sys.stderr)
        return EXIT_CANNOT_RUN
    variables = {"PYTHON": shutil.which(python, path=environment.get("PATH")), "CDK": row.cdk, "TEST_HOME": home}
    command = ["make", "--no-print-directory", *(f"{name}={value}" for name, value in variables.items())]
    own["HOME"] = environment.get("HOME", str(home))
    return subprocess.run([*command, *row.targets.split()], cwd=root, env=own, check=False).returncode


def _python_version(python: str, environment: Mapping[str, str]) -> str:
    """Return the version of a Python, such as 3.12; empty if it does not run."""
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a row, or list all."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("row", nargs="?", help="its name; without it, all are listed, and set as the output `rows`")
    parser.add_argument("--python", help="the Python to use; by default, the row's by its name, such as python3.12")
    options = parser.parse_args(arguments)
    names = [row.name for row in rows()]
    if options.row is None:
        print(*names, sep="\n")
        set_output("rows", json.dumps(json.loads(FILE.read_text(encoding="utf-8"))))
        return 0
    row = next((each for each in rows() if each.name == options.row), None)
    if row is None:
        print(f'ROW is "{options.row}": supply one of {", ".join(names)}', file=sys.stderr)
        return EXIT_CANNOT_RUN
    return run(row, options.python or f"python{row.python}", os.environ)


if __name__ == "__main__":
    sys.exit(main())
