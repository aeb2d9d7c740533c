"""Running commands, and reading what cdktf and Terraform print."""

import os
import subprocess
from pathlib import Path

import pytest

from commands.demo.shell import (
    Counts,
    Shell,
    counts,
    plain,
    without_initialization,
    without_stack,
    without_user_settings,
)
from tests.waiting import wait_until


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Plan: 1 to import, 2 to add, 1 to change, 0 to destroy.", Counts(adopted=1, added=2, changed=1)),
        ("Plan: 2 to add, 0 to change, 3 to destroy.", Counts(added=2, destroyed=3)),
        ("\x1b[1mPlan:\x1b[0m 1 to add, 0 to change, 0 to destroy.", Counts(added=1)),
        ("Apply complete! Resources: 1 imported, 2 added, 1 changed, 0 destroyed.", Counts(1, 2, 1, 0)),
        ("Apply complete! Resources: 0 added, 0 changed, 0 destroyed.", Counts()),
        ("\x1b[32mNo changes.\x1b[0m Your infrastructure matches the configuration.", Counts()),
        ("Planning: 1 to add, 0 to change, 0 to destroy.", None),
        ("", None),
    ],
)
def test_the_summary_of_a_plan_or_an_apply_is_recognized(line: str, expected: Counts | None) -> None:
    assert counts(["something else", line]) == expected


def test_counts_read_as_a_sentence() -> None:
    assert str(Counts(1, 2, 3, 4)) == "adopt 1, add 2, change 3, destroy 4"
    assert str(Counts()) == "no changes"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("my-stack  + create", "+ create"),
        ("            ~ update in-place", "  ~ update in-place"),
        ("my-stack", ""),
        ("", ""),
        ("another line", "another line"),
    ],
)
def test_the_name_of_the_stack_is_removed_from_lines(line: str, expected: str) -> None:
    assert without_stack(line, "my-stack") == expected


def test_colors_are_removed() -> None:
    assert plain("\x1b[0m\x1b[1mPlan:\x1b[0m 1") == "Plan: 1"


INITIALIZATION = [
    "\x1b[1mInitializing the backend...\x1b[0m",
    "- Installing hashicorp/aws v5.100.0...",
    "commands will detect it and remind you to do so if necessary.\x1b[0m",
]


def test_the_output_of_terraform_init_is_dropped() -> None:
    assert list(without_initialization(["before", *INITIALIZATION, "after"])) == ["before", "after"]


def test_the_output_of_a_failed_terraform_init_is_kept() -> None:
    assert list(without_initialization([*INITIALIZATION[:2], "Error: no"])) == [*INITIALIZATION[:2], "Error: no"]


def test_the_users_settings_are_removed() -> None:
    environment = without_user_settings(
        {
            "AWS_PROFILE": "production",
            "AWS_ENDPOINT_URL_IAM": "https://iam.example",
            "AWS_SESSION_TOKEN": "secret",
            "TF_VAR_name": "x",
            "TF_CLI_ARGS": "-destroy",
            "TF_STATE_BUCKET": "production-states",
            "TF_CLI_CONFIG_FILE": "/etc/terraformrc",
            "CDKTF_CONTEXT_JSON": "{}",
            "GLUE_SESSIONS_CONFIG": "production.yaml",
            "SAGEMAKER_ROLE_NAME": "production",
            "PATH": "/bin",
            "TERRAFORM_BINARY_NAME": "tofu",
        }
    )
    assert environment == {
        "TF_CLI_CONFIG_FILE": "/etc/terraformrc",
        "PATH": "/bin",
        "TERRAFORM_BINARY_NAME": "tofu",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def test_a_command_gets_changes_of_the_environment_and_yields_its_lines(tmp_path: Path) -> None:
    with Shell(tmp_path, {"PATH": os.defpath, "NAME": "before"}) as shell:
        shell.environment["NAME"] = "after"
        process = shell.start("sh -c 'echo $NAME; pwd; echo wrong >&2; exit 3'")
        assert list(shell.lines(process)) == ["after", str(tmp_path), "wrong"]
        assert process.returncode == 3


@pytest.mark.parametrize(
    "script",
    [
        # like cdktf, which ends before its children
        "sh -c 'trap \"\" INT; sleep 600 & echo $!; trap - INT; wait'",
        "sh -c 'trap \"\" INT; sleep 600 & echo $!; wait'",
    ],
)
def test_running_commands_are_ended_with_their_children(tmp_path: Path, script: str) -> None:
    with Shell(tmp_path, dict(os.environ)) as shell:
        shell.grace_seconds = 0.2
        child = int(next(shell.lines(shell.start(script))))
        assert runs(child)
    wait_until(lambda: not runs(child), "the child has ended")


def test_an_interrupted_command_may_clean_up(tmp_path: Path) -> None:
    tidy = "sh -c 'trap \"touch tidied; exit\" INT; echo ready; while true; do sleep 0.1; done'"
    with Shell(tmp_path, dict(os.environ)) as shell:
        assert next(shell.lines(shell.start(tidy))) == "ready"
    assert (tmp_path / "tidied").exists()


def runs(process_id: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in ("", "Z")
