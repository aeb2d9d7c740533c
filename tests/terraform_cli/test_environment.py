"""Variables that would bend Terraform's runs: refused in one line, or passed where they belong."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from terraform_cli import environment, installation
from terraform_cli.environment import UnusableEnvironmentError
from terraform_cli.installation import TerraformMissingError
from terraform_cli.terraform import Terraform, TerraformError
from tests.availability import terraform_binary


@pytest.mark.parametrize("workspace", ["", "default"])
def test_the_default_workspace_is_fine(workspace: str) -> None:
    environment.check({"TF_WORKSPACE": workspace})


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"TF_WORKSPACE": "staging"}, 'TF_WORKSPACE is "staging", which has other states: unset TF_WORKSPACE; '),
        (
            {"TF_CLI_ARGS_plan": "-refresh=false"},
            "TF_CLI_ARGS_plan has -refresh=false: unset it, changes that others made would not be seen",
        ),
        ({"TF_CLI_ARGS_plan": "-refresh=0"}, "TF_CLI_ARGS_plan has -refresh=0: unset it, "),
        ({"TF_CLI_ARGS": "--refresh=F"}, "TF_CLI_ARGS has --refresh=F: unset it, "),
        ({"TF_CLI_ARGS_plan": "-refresh-only"}, "TF_CLI_ARGS_plan has -refresh-only: unset it, "),
        (
            {"TF_CLI_ARGS_plan": "-parallelism=5 -target aws_iam_role.x"},
            "TF_CLI_ARGS_plan has -target aws_iam_role.x: unset it, the plan would leave out a part of the stack",
        ),
        ({"TF_CLI_ARGS": "-target='aws_iam_role.x'"}, "TF_CLI_ARGS has -target=aws_iam_role.x: unset it, "),
        ({"TF_CLI_ARGS_plan": "-replace=x"}, "TF_CLI_ARGS_plan has -replace=x: unset it, "),
        ({"TF_CLI_ARGS_plan": "-destroy"}, "TF_CLI_ARGS_plan has -destroy: unset it, "),
        ({"TF_CLI_ARGS_apply": "-destroy"}, "TF_CLI_ARGS_apply has -destroy: unset it, "),
        ({"TF_CLI_ARGS_apply": "-lock=false"}, "TF_CLI_ARGS_apply has -lock=false: unset it, two runs could write"),
        ({"TF_CLI_ARGS_plan": "-state=x"}, "TF_CLI_ARGS_plan has -state=x: unset it, it names another state"),
        ({"TF_CLI_ARGS_plan": "-var a=b"}, "TF_CLI_ARGS_plan has -var a=b: unset it, the stacks have no variables"),
        ({"TF_CLI_ARGS_init": "-backend-config=key=x"}, "TF_CLI_ARGS_init has -backend-config=key=x: unset it, glue-"),
        ({"TF_CLI_ARGS_init": "-backend=false"}, "TF_CLI_ARGS_init has -backend=false: unset it, "),
        ({"TF_CLI_ARGS": "-frobnicate"}, "TF_CLI_ARGS has -frobnicate, which not every Terraform command knows: "),
        ({"TF_CLI_ARGS_plan": "other.plan"}, 'TF_CLI_ARGS_plan has "other.plan", which is no flag: unset '),
        ({"TF_CLI_ARGS_plan": "-a 'b"}, "TF_CLI_ARGS_plan: supply arguments as in a shell: no closing quotation"),
        ({"AWS_CA_BUNDLE": "/no/ca.pem"}, "AWS_CA_BUNDLE is /no/ca.pem, which is missing: is the sandbox running? "),
        ({"TF_LOG_PATH": "/dev/stdout"}, "TF_LOG_PATH is /dev/stdout, where Terraform's answers are read: supply "),
    ],
)
def test_what_would_make_an_answer_wrong_is_refused_in_one_line(variables: dict[str, str], message: str) -> None:
    with pytest.raises(UnusableEnvironmentError, match=f"^{re.escape(message)}") as raised:
        environment.check(variables)
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value, TerraformMissingError), "which every command catches"


def test_harmless_flags_are_passed_to_the_commands_that_know_them() -> None:
    added = environment.arguments(
        {
            "TF_CLI_ARGS": "-lock-timeout=5m -parallelism 3 -input=true -no-color -upgrade -refresh=true",
            "TF_CLI_ARGS_plan": "-json -compact-warnings -new-flag",
            "TF_CLI_ARGS_show": "-json",
            "TF_CLI_ARGS_destroy": "-target=x",
        }
    )
    assert added == {
        "init": ["-lock-timeout=5m", "-upgrade"],
        "plan": ["-compact-warnings", "-new-flag", "-lock-timeout=5m", "-parallelism", "3", "-refresh=true"],
        "apply": ["-lock-timeout=5m", "-parallelism", "3"],
        "show": [],
    }


def test_the_version_is_read_whatever_arguments_are_set() -> None:
    terraform_binary()
    installation.check({**os.environ, "TF_CLI_ARGS": "-input=false", "TF_CLI_ARGS_version": "-input=false"})


def test_each_stack_has_its_own_folder_in_an_absolute_data_folder() -> None:
    stacks = Path("/out/stacks/a"), Path("/out/stacks/b"), Path("/out/drift/stacks/a")
    assert len({environment.data_folder(each, {"TF_DATA_DIR": "/data"}) for each in stacks}) == 3
    assert environment.data_folder(stacks[0], {"TF_DATA_DIR": "/data"}) == Path("/data/out/stacks/a")
    assert environment.data_folder(stacks[0], {"TF_DATA_DIR": "data"}) == Path("/out/stacks/a/data")
    assert environment.data_folder(stacks[0], {}) == Path("/out/stacks/a/.terraform")


@pytest.mark.parametrize("absolute", [True, False])
def test_terraform_runs_with_these_variables(tmp_path: Path, absolute: bool) -> None:
    """Two stacks with states of their own, without a provider, in one data folder; a workspace selected by hand."""
    terraform_binary()
    data = str(tmp_path / "data") if absolute else "data"
    variables = {
        **os.environ,
        "TF_DATA_DIR": data,
        "TF_CLI_ARGS": "-input=false -lock-timeout=1s",
        "TF_LOG": "trace",
        "TF_CLI_CONFIG_FILE": str(tmp_path / "missing"),
    }
    terraform = Terraform(tmp_path / "settings", variables)
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        stack = {
            "terraform": {"backend": {"local": {"path": f"{tmp_path}/{name}.tfstate"}}},
            "output": {"x": {"value": name}},
        }
        (folder / "main.tf.json").write_text(json.dumps(stack))
        terraform.run(folder, "plan", "-out=plan").or_raise()
        shown = terraform.run(folder, "show", "-json", "plan").or_raise()
        assert json.loads(shown.stdout)["planned_values"]["outputs"]["x"]["value"] == name
        assert not (folder / ".terraform").exists()
    own = environment.for_stack(folder, variables)
    subprocess.run(["terraform", "workspace", "new", "other"], cwd=folder, env=own, check=True, capture_output=True)
    with pytest.raises(TerraformError, match='the workspace "other" is selected, which has another state: delete /'):
        terraform.run(folder, "plan")
