"""Saved plans on their way through a pipeline; the terraform here is a shell script."""

import json
import os
import shutil
from pathlib import Path

import pytest

from commands.pipeline.__main__ import main
from terraform_cli import installation
from terraform_cli.synthesis import synthesize

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
    assert capsys.readouterr().err == f"there is no saved plan, run cdktf plan {NAME} first\n"


def test_one_version_of_the_provider_is_downloaded_into_terraforms_implied_mirror(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    terraform('cp main.tf.json "$HOME/asked.json" && mkdir -p "$3" && test "$1 $2" = "providers mirror"')
    assert main(["mirror-provider", "~> 5.100"]) == 0
    assert installation.IMPLIED_MIRROR.expanduser().is_dir()
    asked = json.loads(Path("asked.json").read_text())["terraform"]["required_providers"]
    assert asked == {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}


def test_a_plan_of_another_configuration_than_was_merged_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terraform("exit 9")  # never runs
    planned = Path("planned")
    synthesize(planned)
    document = json.loads((planned / "stacks" / NAME / "cdk.tf.json").read_text())
    document["resource"]["aws_iam_role_policy"]["glue_sessions"]["policy"] = "another"
    (folder / "cdk.tf.json").write_text(json.dumps(document))
    why = "it was planned from another configuration than was merged, plan again in another pull request"
    assert main(["apply", NAME]) == 1
    assert capsys.readouterr().err == f"{NAME}: refused: {why}\n"

    (folder / "cdk.tf.json").unlink()
    assert main(["apply", NAME]) == 1
    assert capsys.readouterr().err == f"{NAME}: refused: {why}\n"
    shutil.rmtree(planned)


def test_help_describes_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "Print the names of all stacks, one per line" in " ".join(capsys.readouterr().out.split())
