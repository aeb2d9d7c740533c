"""Saved plans on their way through a pipeline; the terraform here is a shell script."""

import json
import os
from pathlib import Path

import pytest

from commands.pipeline.__main__ import main
from terraform_cli import installation
from terraform_cli.synthesis import synthesize
from tests.plan_builder import plan

NAME = "glue-sessions-dev-team"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stack's folder in cdktf's output, with a plan saved in it."""
    environments = {"dev": {"region": "eu-west-1", "roles": [{"role": "team"}]}}
    configuration = {"state": {"bucket": "states", "region": "eu-west-1"}, "environments": environments}
    (tmp_path / "glue-sessions.yaml").write_text(json.dumps(configuration))
    folder = tmp_path / "cdktf.out/stacks" / NAME
    (folder / ".terraform").mkdir(parents=True)
    (folder / "plan").write_text("PK")
    (tmp_path / "cdktf.out/manifest.json").write_text(
        json.dumps({"stacks": {NAME: {"name": NAME, "workingDirectory": f"stacks/{NAME}"}}})
    )
    (tmp_path / ".terraform.lock.hcl").touch()
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("GLUE_SESSIONS_CONFIG", "CDKTF_OUTDIR", "TERRAFORM_BINARY_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    return folder


def terraform(script: str) -> None:
    program = Path("bin/terraform")
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_a_plan_is_written_as_json_next_to_it(folder: Path) -> None:
    terraform('test "$*" = "show -json plan" && test -f plan && printf "{}"')
    assert main(["show", NAME]) == 0
    assert (folder / "plan.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("step", "argument", "message"),
    [
        ("show", NAME, "Failed to read the given file as a plan\n"),
        ("show", "nobody", f'no stack matches "nobody"; stacks: {NAME}\n'),
        ("mirror-provider", "~> 5.100", "terraform providers mirror ended with status 1\n"),
    ],
)
def test_a_step_that_fails_is_one_line(
    folder: Path, capfd: pytest.CaptureFixture[str], step: str, argument: str, message: str
) -> None:
    terraform('test "$1" = show && printf "Error: Failed to read the given file as a plan\n"; exit 1')
    assert main([step, argument]) == 2
    assert capfd.readouterr().err == message


def test_without_a_plan_there_is_nothing_to_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terraform("exit 0")
    (folder / "plan").unlink()
    assert main(["show", NAME]) == 2
    assert capsys.readouterr().err == f"there is no saved plan, run ./glue-sessions plan {NAME} first\n"


def test_one_version_of_the_provider_is_downloaded_into_terraforms_implied_mirror(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    terraform('cp main.tf.json "$HOME/asked.json" && mkdir -p "$3" && test "$1 $2" = "providers mirror"')
    assert main(["mirror-provider", "~> 5.100"]) == 0
    assert installation.implied_mirror().is_dir()
    asked = json.loads(Path("asked.json").read_text())["terraform"]["required_providers"]
    assert asked == {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}


@pytest.mark.parametrize("step", ["show", "apply"])
def test_without_a_lock_file_nothing_is_shown_or_applied(
    folder: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    terraform("exit 9")  # never runs
    Path(".terraform.lock.hcl").unlink()
    assert main([step, NAME]) == 2
    assert capsys.readouterr().err == (
        ".terraform.lock.hcl: no such file: run make provider-lock and commit the file, so that plan and apply have the"
        " same provider\n"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "the reviewed plan cannot be read: no such file or directory"),
        (b"{}", "is not a plan; supply the output of `terraform show -json PLAN`"),
        (plan(errored=True), "the reviewed plan failed"),
    ],
    ids=["missing", "no plan", "failed"],
)
def test_without_a_reviewed_plan_nothing_is_planned_or_applied(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    terraform("exit 9")  # never runs
    reviewed = Path("reviewed", NAME, "plan.json")
    reviewed.parent.mkdir(parents=True)
    if content is not None:
        reviewed.write_bytes(content)
    assert main(["apply", NAME]) == 1
    assert capsys.readouterr().err == (
        f"{NAME}: refused: {reviewed}: {why}; plan and review again in another pull request\n"
    )


def test_a_saved_plan_that_lies_there_is_neither_applied_nor_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terraform('test "$1" = plan && printf "Error: no credentials\n" && exit 1; touch applied')
    reviewed = Path("reviewed", NAME, "plan.json")
    reviewed.parent.mkdir(parents=True)
    reviewed.write_bytes(plan())
    assert main(["apply", NAME]) == 2
    assert capsys.readouterr().err.startswith(f"{NAME}: no credentials\n")
    assert not (folder / "plan").exists()
    assert not (folder / "applied").exists()


def test_the_lock_file_is_written_where_the_configuration_is_and_copied_to_each_stack(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.tfrc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "own.tfrc")  # takes providers from wherever that says
    monkeypatch.setenv("GLUE_SESSIONS_CONFIG", str(Path("glue-sessions.yaml").absolute()))
    terraform(
        'case "$1" in init) grep -o "version.*" main.tf.json > .terraform.lock.hcl;;'
        ' *) test "$1 $2 $4" = "providers lock -platform=linux_amd64" ;; esac'
    )
    lock = Path(".terraform.lock.hcl").absolute()
    assert main(["provider-lock", "~> 5.100"]) == 0
    assert capsys.readouterr().out == (
        f"{lock}: for linux_amd64, linux_arm64, darwin_amd64, darwin_arm64, windows_amd64, from the registry;"
        " commit the file\n"
    )
    assert "~> 5.100" in lock.read_text()
    assert main(["provider-lock"]) == 0
    assert '">= 5.100, < 7.0"' in lock.read_text()
    configuration = json.loads(Path("glue-sessions.yaml").read_text())
    configuration["environments"]["new"] = {**configuration["environments"]["dev"], "aws_provider": ">= 6.39"}
    configuration["environments"]["new"]["account_id"] = "444455556666"
    configuration["environments"]["dev"]["account_id"] = "111122223333"
    Path("glue-sessions.yaml").write_text(json.dumps(configuration))
    assert main(["provider-lock"]) == 0
    assert '">= 5.100, < 7.0, >= 6.39"' in lock.read_text()
    (folder / ".terraform.lock.hcl").write_text("doctored")
    synthesize(Path("cdktf.out"))
    assert (folder / ".terraform.lock.hcl").read_text() == lock.read_text()


def test_a_lock_file_is_for_this_platform_alone_where_the_registry_cannot_be_reached(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.tfrc").touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "own.tfrc")
    terraform('test "$1" = init && touch .terraform.lock.hcl || { printf "Error: no registry\n"; exit 1; }')
    assert main(["provider-lock"]) == 0
    assert capsys.readouterr().out == ".terraform.lock.hcl: for this platform only, no registry; commit the file\n"
    terraform('printf "Error: no provider\n"; exit 1')
    assert main(["provider-lock"]) == 2
    assert capsys.readouterr().err == "no provider\n"


def test_help_describes_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "Print the names of all stacks, one per line" in " ".join(capsys.readouterr().out.split())
