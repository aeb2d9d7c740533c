"""The rows of the tests' matrix cover what is supported, and `make matrix-row` runs one or says what is missing."""

import json
import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest

from terraform_cli import installation
from tests import matrix
from tests.commands.pipeline.workflows import read
from tests.matrix import Row
from tests.repository import ROOT
from tests.test_makefile import add_program

ROWS = {row.name: row for row in matrix.rows()}
WHOLE = [row for row in ROWS.values() if row.targets == "check test"]
TERRAFORM = [row for row in ROWS.values() if row.targets == "test-terraform"]
PLAN, TESTS = (read((ROOT / f".github/workflows/{name}.yaml").read_text()) for name in ("plan", "tests"))
OLDEST = ".".join(map(str, installation.OLDEST))

PYTHON = ".".join(map(str, sys.version_info[:2]))
ROW = Row("a", "check test", PYTHON, "5.100.0", "cdktf", terraform="1.17.x")
TOFU = Row("b", "test-terraform", PYTHON, "~> 6.0", "cdktf", opentofu="1.10.0")


def versions(row: Row) -> tuple[str, str, str, str]:
    """Return what varies between the rows of the end-to-end tests."""
    return f"Terraform {row.terraform} OpenTofu {row.opentofu}", row.provider, row.python, row.cdk


def test_the_rows_are_those_of_the_workflow() -> None:
    assert len(WHOLE) + len(TERRAFORM) == len(ROWS) == len(matrix.rows())
    assert TESTS["jobs"]["tests"]["strategy"]["matrix"] == {"include": "${{ fromJSON(needs.changes.outputs.rows) }}"}
    *steps, last = TESTS["jobs"]["tests"]["steps"]
    assert last == {"run": 'make matrix-row ROW="$ROW"', "env": {"ROW": "${{ matrix.name }}"}}
    installed = {step["if"]: step["with"] for step in steps if "if" in step}
    assert installed == {
        "matrix.terraform": {"terraform_version": "${{ matrix.terraform }}", "terraform_wrapper": False},
        "matrix.opentofu": {"tofu_version": "${{ matrix.opentofu }}", "tofu_wrapper": False},
    }


def test_each_python_runs_all_tests_with_the_terraform_of_the_other_workflows() -> None:
    assert [row.python for row in WHOLE] == ["3.11", "3.12", "3.13"]
    used = {str(step["with"].get("terraform_version")) for step in PLAN["jobs"]["plan"]["steps"] if "with" in step}
    assert {row.terraform for row in WHOLE} == used - {"None"}


def test_each_pair_of_extremes_meets_in_as_few_rows_as_possible() -> None:
    programs, providers, pythons, libraries = kinds = [{*each} for each in zip(*map(versions, TERRAFORM), strict=True)]
    assert {f"{row.terraform}{row.opentofu}" for row in TERRAFORM} == {f"{OLDEST}.0", "1.17.x", "1.13.x"}
    assert (len(programs), providers, pythons) == (4, {"5.100.0", "~> 6.0"}, {"3.11", "3.13"})
    assert libraries == matrix.ENVIRONMENTS.keys()
    wanted = {(a, b) for one, other in combinations(kinds, 2) for a in one for b in other}
    covered = [{*combinations(versions(row), 2)} for row in TERRAFORM]
    assert set().union(*covered) == wanted
    # each program needs a row with each provider: there cannot be fewer
    assert len(TERRAFORM) == len(programs) * len(providers)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a folder to use as PATH, with a Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "env"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    add_program(folder / "python", f'exec "{sys.executable}" "$@"')
    return folder


def binary(path: Path, name: str, version: str) -> None:
    add_program(path / name, f"""echo '{{"terraform_version": "{version}"}}'""")


@pytest.mark.parametrize(
    ("row", "version", "message"),
    [
        (ROW, "1.17.2", None),
        (ROW, "1.1.7", "BIN/terraform is 1.1.7: put Terraform 1.17.x first on PATH"),
        (ROW, "1.170.0", "BIN/terraform is 1.170.0: put Terraform 1.17.x first on PATH"),
        (ROW, "1.17.0-rc1", "BIN/terraform is 1.17.0-rc1: put Terraform 1.17.x first on PATH"),
        (ROW, "newest", "BIN/terraform does not report its version: install Terraform 1.17.x"),
        (ROW, "", "terraform is not on PATH: install Terraform 1.17.x"),
        (TOFU, "1.10.0", None),
        (TOFU, "1.10.01", "BIN/tofu is 1.10.01: put OpenTofu 1.10.0 first on PATH"),
        (TOFU, "", "tofu is not on PATH: install OpenTofu 1.10.0"),
    ],
)
def test_another_terraform_than_the_rows_is_named(
    tmp_path: Path, path: Path, row: Row, version: str, message: str | None
) -> None:
    if version:
        binary(path, "tofu" if row.opentofu else "terraform", version)
    own = matrix.environment_of(row, {"PATH": str(path)}, tmp_path)
    missing = [each.replace(str(path), "BIN") for each in matrix.missing(row, "python", own, tmp_path)]
    assert missing == ([message] if message else [])


def test_another_python_than_the_rows_is_named(tmp_path: Path, path: Path) -> None:
    binary(path, "terraform", "1.17.2")
    add_program(path / "old", "echo 3.9")
    own = matrix.environment_of(ROW, {"PATH": str(path)}, tmp_path)
    remedy = f"install Python {PYTHON}, or name it: PYTHON=/…/bin/python{PYTHON}"
    assert [*matrix.missing(ROW, "old", own, tmp_path)] == [f"old is 3.9: {remedy}"]
    assert [*matrix.missing(ROW, "none", own, tmp_path)] == [f"none is not on PATH: {remedy}"]
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(path / "old")
    assert [*matrix.missing(ROW, "python", own, tmp_path)] == [
        ".venv has Python 3.9: use another clone (git clone . FOLDER)"
    ]


@pytest.fixture
def environment(tmp_path: Path, path: Path) -> Mapping[str, str]:
    """Return an environment with settings of its user, and with a make that prints what it gets."""
    add_program(
        path / "make", 'echo "$@"; echo "$HOME $TERRAFORM_BINARY_NAME ${TF_PLUGIN_CACHE_DIR-unset} $CI"; exit 3'
    )
    return {"PATH": str(path), "HOME": str(tmp_path / "user"), "TF_PLUGIN_CACHE_DIR": "/cache"}


@pytest.mark.parametrize("package", ["5.100.0/linux_amd64/provider", "terraform-provider-aws_5.100.0_linux_amd64.zip"])
def test_a_row_runs_with_its_provider_from_a_mirror_on_this_machine(
    tmp_path: Path, path: Path, environment: Mapping[str, str], capfd: pytest.CaptureFixture[str], package: str
) -> None:
    binary(path, "terraform", "1.17.2")
    mirror = Path(".terraform.d/plugins/registry.terraform.io/hashicorp/aws")
    for each in (package, package.replace("5.100.0", "6.1.0")):
        (tmp_path / "user" / mirror / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "user" / mirror / each).touch()
    for _ in range(2):
        assert matrix.run(ROW, "python", environment, tmp_path) == 3
    home = tmp_path / ".local/rows/a"
    assert (home / mirror / package).exists()
    assert len([*(home / mirror).iterdir()]) == 1
    # Terraform follows links to packages alone
    assert not (home / mirror / "5.100.0").is_symlink()
    assert capfd.readouterr().out.splitlines()[2:] == [
        f"--no-print-directory PYTHON={path}/python CDK=cdktf TEST_HOME={home} check test",
        f"{tmp_path}/user terraform unset true",
    ]


def test_the_newest_provider_is_downloaded_from_the_binarys_own_registry(
    tmp_path: Path, path: Path, environment: Mapping[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    asks = 'cat main.tf.json; echo; test "$*" = "providers mirror $HOME/.terraform.d/plugins"; exit 1'
    add_program(path / "tofu", f"""test "$1" = version || {{ {asks}; }}; echo '{{"terraform_version": "1.10.0"}}'""")
    (path / "cat").symlink_to("/usr/bin/cat")
    stale = tmp_path / ".local/rows/b/.terraform.d/plugins/registry.opentofu.org/hashicorp/aws/6.0.0"
    stale.mkdir(parents=True)
    assert matrix.run(TOFU, "python", environment, tmp_path) == 2
    out, err = capfd.readouterr()
    assert json.loads(out)["terraform"]["required_providers"]["aws"]["version"] == "~> 6.0"
    failure = "tofu providers mirror ended with status 1"
    assert err == f"b: the AWS provider ~> 6.0 cannot be downloaded: {failure}\n"
    assert not stale.exists()


def test_a_row_that_cannot_run_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert matrix.main(["opentofu-1.13-provider-6"]) == 2
    assert matrix.main(["no-such-row"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("opentofu-1.13-provider-6: tofu is not on PATH: install OpenTofu 1.13.x; python3.11 is not")
    assert second == f'ROW is "no-such-row": supply one of {", ".join(ROWS)}'


def test_the_workflow_gets_all_rows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    assert matrix.main([]) == 0
    assert capsys.readouterr().out.split() == [*ROWS]
    name, _, value = (tmp_path / "outputs").read_text().partition("=")
    assert (name, json.loads(value)) == ("rows", json.loads(matrix.FILE.read_text()))
