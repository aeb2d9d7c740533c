"""The steps of the demo against the local AWS, without Terraform and the notebook."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from commands.demo import account, steps
from commands.demo.output import Output
from commands.demo.shell import Counts, Shell, plain
from commands.demo.steps import CONFIGURATION, OWN_ACCOUNT, STEPS, Demo, DemoError, expect
from configuration import load
from sandbox.launcher import Sandbox
from tests.repository import AS_SHIPPED, ROOT

MOST_LINES = 25
WIDTH = 80


def test_counts_read_as_a_sentence() -> None:
    assert str(Counts(1, 2, 3, 4)) == "adopt 1, add 2, change 3, destroy 4"
    assert str(Counts()) == "no changes"


def test_an_unexpected_summary_is_an_error_in_one_line() -> None:
    expect("cdktf plan", ["Plan: 1 to add, 0 to change, 0 to destroy."], Counts(added=1))
    with pytest.raises(DemoError) as raised:
        expect("cdktf plan", ["Plan: 0 to add, 0 to change, 1 to destroy."], Counts(added=1))
    assert str(raised.value) == ("`cdktf plan` should add 1, but its summary is: destroy 1")
    with pytest.raises(DemoError, match="but its summary is: missing"):
        expect("cdktf plan", [], Counts(added=1))


def test_the_configuration_uses_the_variables_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "glue-sessions.yaml").write_text(CONFIGURATION)
    variables = {"AWS_REGION": "eu-west-1", "TF_STATE_BUCKET": "states", "SAGEMAKER_ROLE_NAME": "team"}
    shipped = load(AS_SHIPPED, variables)
    used = load(tmp_path / "glue-sessions.yaml", variables)
    assert (used.state, used.role_stacks) == (shipped.state, shipped.role_stacks)


def printed_in_the_readme() -> list[str]:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    return page.partition("<!-- demo -->\n```\n")[2].partition("```")[0].splitlines()


def test_the_readme_shows_the_steps_and_what_to_do_next() -> None:
    lines = printed_in_the_readme()
    titles = ["Start a local AWS", *(str(step.__doc__) for step in STEPS)]
    assert [line for line, title in zip(lines, titles, strict=False) if not line.startswith(f"ok {title}")] == []
    assert "\n".join(lines).endswith(OWN_ACCOUNT)


def test_each_line_fits_80_columns_even_if_its_step_takes_minutes() -> None:
    *steps, _, _, _, _, _, _, _, _, _ = printed_in_the_readme()
    for line in steps:
        step, found, _ = line.rpartition("  (")
        assert found
        assert len(f"{step}  (999.9 s)") <= WIDTH, line
    assert [line for line in OWN_ACCOUNT.splitlines() if len(line) > WIDTH] == []


@pytest.mark.parametrize("width", [WIDTH, 100])
def test_the_whole_demo_prints_at_most_25_lines(width: int) -> None:
    written = io.StringIO()
    console = Console(file=written, width=width, force_terminal=True, color_system=None, highlight=False)
    output = Output(console)
    *steps, _, _, _, _, _, _, _, _, _ = printed_in_the_readme()
    for line in steps:
        title, _, result = line.removeprefix("ok ").rpartition("  (")[0].partition(": ")
        with output.step(title):
            for _ in range(50):
                output.line("details")
            if result:
                output.result(result)
    output.end(f"Done in 100 s, and nothing is left running. {OWN_ACCOUNT}")
    lines = plain(written.getvalue().replace("\r", "\n")).splitlines()
    kept = [line for line in lines if line.startswith(("ok ", "   ", "Done", "  ")) or line in OWN_ACCOUNT]
    assert len(steps) == 1 + len(STEPS)
    assert len(kept) <= MOST_LINES
    assert [line for line in kept if len(line) > width] == []


def test_each_step_has_a_title_in_one_line() -> None:
    titles = [step.__doc__ or "" for step in STEPS]
    assert all(title and "\n" not in title for title in titles)
    assert len(set(titles)) == len(titles)


def test_an_interrupt_while_loading_is_one_line(tmp_path: Path) -> None:
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


def test_the_role_is_as_the_console_creates_it(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    arn = account.create_domain(iam, sandbox.client("sagemaker"))
    role = account.read_role(iam)
    assert arn == str(role.arn)
    assert role.other["Path"] == "/service-role/"
    assert role.other["Tags"] == [{"Key": "team", "Value": "data-science"}]
    assert role.trust_policy == account.trust_of_the_console()
    assert role.attached_policies == {"arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"}
    assert role.inline_policies == {}


def test_a_role_without_the_grants_ends_the_demo(sandbox: Sandbox, tmp_path: Path) -> None:
    with Shell(tmp_path, {}) as shell:
        demo = Demo(sandbox, shell, Output(Console(file=io.StringIO())), tmp_path, results=tmp_path)
        demo.before = demo.read_role()
        with pytest.raises(DemoError, match="this is wrong: its trust policy is the recipe's"):
            steps.check_role(demo)


def test_a_command_with_an_unexpected_status_ends_the_demo(sandbox: Sandbox, tmp_path: Path) -> None:
    with Shell(tmp_path, {"PATH": os.defpath}) as shell:
        demo = Demo(sandbox, shell, Output(Console(file=io.StringIO())), tmp_path, results=tmp_path)
        assert demo.run("sh -c 'echo a; exit 1'", status=1) == ["a"]
        with pytest.raises(DemoError, match="ended with status 3, expected 0"):
            demo.run("sh -c 'exit 3'")


@pytest.mark.parametrize(("library", "program"), [(None, "cdktf"), ("cdktf", "cdktf"), ("cdktn", "cdktn")])
def test_the_command_line_of_the_library_plans(
    sandbox: Sandbox, tmp_path: Path, library: str | None, program: str
) -> None:
    (tmp_path / "glue-sessions.yaml").write_text(CONFIGURATION)
    (tmp_path / program).write_text('#!/bin/sh\necho "No changes. Asked to: $*"\n')
    (tmp_path / program).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.defpath}",
        "GLUE_SESSIONS_CONFIG": str(tmp_path / "glue-sessions.yaml"),
        "AWS_REGION": "eu-west-1",
        "TF_STATE_BUCKET": "states",
        "SAGEMAKER_ROLE_NAME": "team",
        **({"GLUE_SESSIONS_CDK": library} if library else {}),
    }
    written = io.StringIO()
    with Shell(tmp_path, environment) as shell:
        demo = Demo(sandbox, shell, Output(Console(file=written), verbose=True), tmp_path, results=tmp_path)
        demo.plan(Counts())
    assert f"$ {program} plan\n" in written.getvalue()
    assert "Asked to: plan" in written.getvalue()


@pytest.mark.parametrize(
    ("prints", "error"),
    [
        (r"[configure] %%region\n\n[start] print(1)\n    Spark 3.5.4\n\n", None),
        (r"[configure] %%region\n\nthe cell start printed no\n", "did not start: the cell start printed no"),
    ],
)
def test_the_demo_waits_until_the_session_has_started(
    sandbox: Sandbox, tmp_path: Path, prints: str, error: str | None
) -> None:
    written = io.StringIO()
    with Shell(tmp_path, {"PATH": os.defpath}) as shell:
        demo = Demo(sandbox, shell, Output(Console(file=written), verbose=True), tmp_path, results=tmp_path)
        demo.notebook = shell.start(f"printf '{prints}'")
        if error:
            with pytest.raises(DemoError, match=error):
                steps.await_session(demo)
        else:
            steps.await_session(demo)
            assert "Spark 3.5.4" in written.getvalue()
