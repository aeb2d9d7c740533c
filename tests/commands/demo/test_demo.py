import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from rich.console import Console

from commands.demo import account
from commands.demo.cdktf_output import Counts, counts, plain, without_initialization, without_stack
from commands.demo.journey import CONFIGURATION, STEPS, DemoError, Journey, expect
from commands.demo.narrator import Narrator
from commands.demo.shell import Shell, own_environment
from configuration import load
from sandbox.launcher import Sandbox
from tests.repository import ROOT


def narrator(*, terminal: bool) -> tuple[Narrator, io.StringIO]:
    written = io.StringIO()
    colours: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=written, force_terminal=terminal, color_system=colours, width=60, highlight=False)
    return Narrator(console), written


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
def test_the_summary_of_a_plan_or_an_apply_is_read(line: str, expected: Counts | None) -> None:
    assert counts(["something else", line]) == expected


def test_counts_read_as_a_sentence() -> None:
    assert str(Counts(1, 2, 3, 4)) == "adopt 1, add 2, change 3, destroy 4"
    assert str(Counts()) == "no changes"


def test_another_summary_than_expected_is_an_error_in_one_line() -> None:
    expect("cdktf plan", ["Plan: 1 to add, 0 to change, 0 to destroy."], Counts(added=1))
    with pytest.raises(DemoError) as raised:
        expect("cdktf plan", ["Plan: 0 to add, 0 to change, 1 to destroy."], Counts(added=1))
    assert str(raised.value) == (
        "`cdktf plan` should adopt 0, add 1, change 0, destroy 0, but it says: adopt 0, add 0, change 0, destroy 1"
    )
    with pytest.raises(DemoError, match="but it says: no summary"):
        expect("cdktf plan", [], Counts(added=1))


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
def test_the_name_of_the_stack_is_taken_off_the_lines(line: str, expected: str) -> None:
    assert without_stack(line, "my-stack") == expected


def test_colours_are_taken_out() -> None:
    assert plain("\x1b[0m\x1b[1mPlan:\x1b[0m 1") == "Plan: 1"


INITIALIZATION = [
    "\x1b[1mInitializing the backend...\x1b[0m",
    "- Installing hashicorp/aws v5.100.0...",
    "commands will detect it and remind you to do so if necessary.\x1b[0m",
]


def test_what_terraform_init_writes_is_left_out() -> None:
    assert list(without_initialization(["before", *INITIALIZATION, "after"])) == ["before", "after"]


def test_what_terraform_init_wrote_when_it_failed_is_shown() -> None:
    assert list(without_initialization([*INITIALIZATION[:2], "Error: no"])) == [*INITIALIZATION[:2], "Error: no"]


def test_the_users_own_settings_are_left_out() -> None:
    own = own_environment(
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
    assert own == {
        "TF_CLI_CONFIG_FILE": "/etc/terraformrc",
        "PATH": "/bin",
        "TERRAFORM_BINARY_NAME": "tofu",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def test_the_configuration_names_the_role_and_the_bucket_by_the_variables_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "glue-sessions.yaml").write_text(CONFIGURATION)
    variables = {"AWS_REGION": "eu-west-1", "TF_STATE_BUCKET": "states", "SAGEMAKER_ROLE_NAME": "team"}
    shipped = load(ROOT / "glue-sessions.yaml", variables)
    assert load(tmp_path / "glue-sessions.yaml", variables) == shipped


def test_a_command_runs_with_what_was_exported_and_gives_its_lines(tmp_path: Path) -> None:
    with Shell(tmp_path, {"PATH": os.defpath, "NAME": "before"}) as shell:
        shell.environment["NAME"] = "after"
        process = shell.start("sh -c 'echo $NAME; pwd; echo wrong >&2; exit 3'")
        assert list(shell.lines(process)) == ["after", str(tmp_path), "wrong"]
        assert process.returncode == 3


@pytest.mark.parametrize(
    "script",
    [
        # as cdktf does: it ends, and what it has started goes on
        "sh -c 'trap \"\" INT; sleep 600 & echo $!; trap - INT; wait'",
        "sh -c 'trap \"\" INT; sleep 600 & echo $!; wait'",
    ],
)
def test_commands_that_run_are_ended_with_all_that_they_started(tmp_path: Path, script: str) -> None:
    with Shell(tmp_path, dict(os.environ)) as shell:
        shell.grace_seconds = 0.2
        child = int(next(shell.lines(shell.start(script))))
        assert runs(child)
    assert not runs(child)


def test_an_interrupt_while_it_is_still_being_loaded_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = subprocess.run(
        [sys.executable, "-m", "commands.demo"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted, nothing is left running\n")


def test_a_command_that_is_interrupted_may_end_by_itself(tmp_path: Path) -> None:
    tidy = "sh -c 'trap \"touch tidied; exit\" INT; echo ready; while true; do sleep 0.1; done'"
    with Shell(tmp_path, dict(os.environ)) as shell:
        assert next(shell.lines(shell.start(tidy))) == "ready"
    assert (tmp_path / "tidied").exists()


def runs(process_id: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return told.stdout.strip()[:1] not in ("", "Z")


def test_off_a_terminal_the_text_is_plain() -> None:
    told, written = narrator(terminal=False)
    told.heading("1/2  First")
    told.say("A sentence.")
    told.typed("cdktf plan")
    told.output("\x1b[32m+\x1b[0m create [red]")
    told.output("")
    with told.running("cdktf plan"):
        told.proved("adopt 1")
    assert written.getvalue() == (
        "\n1/2  First\nA sentence.\n$ cdktf plan\n  + create [red]\n\nok adopt 1\n  (0.0 s)\n"
    )
    assert not told.colours


def test_on_a_terminal_the_text_has_colours_and_a_clock() -> None:
    told, written = narrator(terminal=True)
    with told.running("waiting for it"):
        told.output("\x1b[32m+\x1b[0m create")
    assert "\x1b[32m+\x1b[0m create" in written.getvalue()
    assert "waiting for it" in plain(written.getvalue())
    assert told.colours


def test_sentences_are_wrapped_and_names_stay_whole() -> None:
    told, written = narrator(terminal=True)
    arn = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-20240101T000001"
    told.say(f"a long sentence that goes on for more than sixty columns of a terminal\n{arn}")
    assert [len(line) < 61 for line in written.getvalue().splitlines()] == [True, True, False]
    assert written.getvalue().splitlines()[-1] == arn


def test_each_step_has_a_heading() -> None:
    headings = [step.__doc__ for step in STEPS]
    assert all(headings)
    assert len(set(headings)) == len(headings)


def test_the_role_is_as_the_console_makes_it(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    arn = account.make_domain(iam, sandbox.client("sagemaker"))
    role = account.read_role(iam)
    assert arn == role.all_else["Arn"]
    assert role.all_else["Path"] == "/service-role/"
    assert role.all_else["Tags"] == [{"Key": "team", "Value": "data-science"}]
    assert role.trust_policy == account.sagemaker_alone()
    assert role.attached_policies == {"arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"}
    assert role.inline_policies == {}


def test_a_step_that_finds_the_role_otherwise_ends_the_demo(sandbox: Sandbox, tmp_path: Path) -> None:
    from commands.demo.journey import prove

    told, _ = narrator(terminal=False)
    with Shell(tmp_path, {}) as shell:
        journey = Journey(sandbox, shell, told, tmp_path, results=tmp_path)
        journey.before = journey.read_role()
        with pytest.raises(DemoError, match="this is not so: its trust policy is the recipe's"):
            prove(journey)
