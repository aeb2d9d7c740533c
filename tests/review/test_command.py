"""The command as people and pipelines run it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from commands.review.__main__ import main
from plans.content import MAX_DEPTH
from review.markdown import LIMIT, MARKER
from tests.plan_builder import (
    FULL_ACCESS,
    GLUE,
    SAGEMAKER,
    allow,
    attachment,
    change,
    document,
    plan,
    role,
    role_policy,
    trust,
)
from tests.repository import ROOT

PLANS = ROOT / "tests" / "review" / "plans"
SCHEMA = json.loads((ROOT / "review" / "review.schema.json").read_text(encoding="utf-8"))
EVERY_PLAN = sorted(PLANS.rglob("*.json"))

HARMFUL = plan(role(trust(SAGEMAKER), None))
HARMLESS = plan(role(trust(SAGEMAKER), trust(SAGEMAKER, GLUE)))
PASSING = plan(
    role(trust(SAGEMAKER), trust(SAGEMAKER)),
    role_policy(None, document(allow("iam:PassRole")), name="glue_sessions"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(content: bytes, name: str = "dev.json") -> str:
    Path(name).write_bytes(content)
    return name


@pytest.mark.parametrize(
    ("content", "arguments", "status"),
    [
        (HARMLESS, [], 0),
        (HARMFUL, [], 1),
        (HARMFUL, ["--fail-on", "never"], 0),
        (HARMFUL, ["--fail-on", "critical"], 1),
        (PASSING, [], 1),
        (PASSING, ["--fail-on", "critical"], 0),
    ],
)
def test_the_exit_status_depends_on_the_most_severe_finding(content: bytes, arguments: list[str], status: int) -> None:
    assert main([saved(content), *arguments]) == status


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "dev.json: is empty; supply a saved plan or the output of `terraform show -json PLAN`"),
        (b"[]", "dev.json: is not a plan"),
        (b"PK\x05\x06" + bytes(18), "dev.json: is a ZIP archive, not a saved plan"),
        (b'{"format_version": "9\\u001b[2J\\n", "resource_changes": []}', 'dev.json: has format_version "9\\u001b[2J'),
        (
            b'{"format_version": "1.2", "resource_changes": [{}]}',
            "dev.json: is not a Terraform plan: resource_changes[0].address is not a string",
        ),
        (
            b'{"format_version": "1.2", "resource_changes": [7]}',
            "dev.json: is not a Terraform plan: resource_changes[0] is not an object",
        ),
    ],
)
def test_wrong_input_is_one_line_and_status_2(content: bytes, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([saved(content)]) == 2
    output = capsys.readouterr()
    assert output.err.startswith(message)
    assert output.err.count("\n") == 1
    assert output.out == ""


CONTROL = "\u001b[1A\u001b[2K\u001b]8;;http://a\u0007\u009b31m\u007f\u0085\u2028\u202e\r\n"


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
def test_no_value_of_a_plan_reaches_the_output_raw(format_: str, capsys: pytest.CaptureFixture[str]) -> None:
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::111122223333:role/a{CONTROL}", "Service": CONTROL},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {f"aws:PrincipalTag/{CONTROL}": CONTROL}},
    }
    content = plan(
        role(trust(SAGEMAKER), document(trusted), name=f"exec{CONTROL}", boundary=("", CONTROL)),
        role_policy(None, document(allow(f"s3:Get{CONTROL}", CONTROL)), name=f"a{CONTROL}", of=f"exec{CONTROL}"),
        role_policy(None, document({"Effect": CONTROL}), name=f"b{CONTROL}", of=f"exec{CONTROL}"),
        role_policy(None, document(allow("*", **{CONTROL: 1})), name=f"c{CONTROL}", of=f"exec{CONTROL}"),
        attachment(f"arn:aws:iam::aws:policy/{CONTROL}", of=f"exec{CONTROL}"),
        change(f"aws_glue_job.j{CONTROL}", {"role_arn": "a"}, {"role_arn": CONTROL}, actions=["update", CONTROL]),
        change(f"aws_new{CONTROL}.x", None, {"name": "x"}),
        change(
            f"aws_iam_role.i{CONTROL}", {"tag": 1}, {"tag": 2}, importing={"id": CONTROL}, replace_paths=[[CONTROL]]
        ),
        resource_drift=[role(trust(SAGEMAKER), trust(GLUE), name=f"drifted{CONTROL}")],
        checks=[{"instances": [{"address": {"to_display": CONTROL}, "status": CONTROL}, {"status": "fail"}]}],
        deferred_changes=[{"reason": CONTROL, "resource_change": {"address": CONTROL}}],
        action_invocations=[{"address": CONTROL}],
    )
    assert main([saved(content), "--format", format_]) == 1
    output = capsys.readouterr()
    assert "u001b[1A" in output.out
    assert [each for each in output.out + output.err if not each.isprintable() and each not in "\n\u200b"] == []


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
@pytest.mark.parametrize("marks", [{}, {"tags": True}])
def test_values_of_as_many_levels_as_a_plan_may_have_are_reviewed(
    marks: dict[str, bool], format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The place of a value takes four levels: the plan, its changes, the change, and what is before or after."""
    tags: object = "a"
    unknown: object = True
    for _ in range(MAX_DEPTH - 6):
        tags, unknown = [tags], [unknown]
    entry = role(trust(SAGEMAKER), trust(SAGEMAKER, GLUE), after_sensitive=marks)
    entry["change"]["after"]["tags"] = tags
    entry["change"]["after_unknown"] = {"unknown": unknown}
    assert main([saved(plan(entry)), "--format", format_]) == 0
    assert "role" in capsys.readouterr().out


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
@pytest.mark.parametrize("levels", [900, 5_000, 100_000])
def test_a_policy_document_nested_too_deeply_is_unreadable(
    levels: int, format_: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = '{"a":' * levels + "1" + "}" * levels
    content = plan(role(trust(SAGEMAKER), deep), role_policy(None, f'{{"Statement": {deep}}}'))
    assert main([saved(content), "--format", format_]) == 1
    assert capsys.readouterr().out.count("policy-unreadable") >= 2


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
def test_a_character_that_the_terminal_lacks_is_written_out(format_: str) -> None:
    command = [sys.executable, "-m", "commands.review", str(PLANS / "cases" / "sensitive-nested.json")]
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*command, "--format", format_], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "aws_iam_role.n" in done.stdout


@pytest.mark.parametrize("format_", ["terminal", "markdown", "json"])
def test_a_reader_that_stops_reading_does_not_change_the_exit_status(format_: str) -> None:
    path = Path(saved(many(60))).absolute()
    with subprocess.Popen(
        [sys.executable, "-m", "commands.review", str(path), "--format", format_, "--fail-on", "never"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_every_plan_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["absent.json", ".", saved(HARMLESS), saved(b"", "empty.json")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "absent.json: cannot be read: no such file or directory",
        ".: is a directory; supply the plan in it",
        "empty.json: is empty; supply a saved plan or the output of `terraform show -json PLAN`",
    ]


def test_a_plan_is_read_from_standard_input() -> None:
    command = [sys.executable, "-m", "commands.review", "-", "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, input=HARMFUL, capture_output=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["rule"] == "role-destroyed"
    assert done.stderr == b""


@pytest.mark.parametrize("path", EVERY_PLAN, ids=[path.stem for path in EVERY_PLAN])
def test_every_recorded_plan_is_reviewed_in_every_format(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(path), "--format", "json"]) in (0, 1)
    jsonschema.validate(json.loads(capsys.readouterr().out), SCHEMA)
    assert main([str(path), "--format", "markdown"]) in (0, 1)
    assert capsys.readouterr().out.startswith(MARKER)
    assert main([str(path)]) in (0, 1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", EVERY_PLAN, ids=[path.stem for path in EVERY_PLAN])
def test_every_change_in_iam_is_mentioned(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(path), "--format", "markdown"])
    text = capsys.readouterr().out
    for entry in json.loads(path.read_text(encoding="utf-8")).get("resource_changes", []):
        if entry.get("mode") == "managed" and entry["type"].startswith("aws_iam_"):
            changes = entry["change"]["actions"] != ["no-op"] or entry["change"].get("importing")
            assert not changes or entry["address"] in text


def terraform(script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace terraform by a script."""
    path = Path("stand-in").absolute()
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(path))


def test_a_saved_plan_is_read_through_terraform_in_its_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = folder / "stacks" / "dev"
    stack.mkdir(parents=True)
    (stack / "shown.json").write_bytes(HARMFUL)
    (stack / "plan").write_bytes(b"PK\x03\x04")
    terraform(f'test "$*" = "-chdir={stack} show -no-color -json plan" && cat {stack}/shown.json', monkeypatch)
    assert main([str(stack / "plan")]) == 1
    assert "critical  role-destroyed  dev aws_iam_role.exec\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "printf 'Warning: a\\n│ Error: no\\n│ schema' >&2; exit 1",
            "could not read the plan: Error: no schema; supply",
        ),
        ("exit 1", "could not read the plan: no message"),
        (None, "plan: no-such-terraform is not on PATH: install Terraform"),
    ],
)
def test_a_saved_plan_that_terraform_cannot_show_is_one_line(
    script: str | None, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "no-such-terraform")
    if script:
        terraform(script, monkeypatch)
    assert main([saved(b"PK\x03\x04", "plan")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_several_plans_are_one_comment(capsys: pytest.CaptureFixture[str]) -> None:
    Path("stack-a").mkdir()
    assert main([saved(HARMFUL, "stack-a/plan.json"), saved(HARMLESS, "b.json"), "--format", "markdown"]) == 1
    text = capsys.readouterr().out
    assert text.count(MARKER) == 1
    assert "#### `stack-a`: deleted\n" in text
    assert "#### `b`: updated in place\n" in text
    assert "| **critical**<br>`role-destroyed` | `stack-a` at `aws_iam_role.exec`: `exec` is deleted" in text


def test_the_same_plan_gives_the_same_text(capsys: pytest.CaptureFixture[str]) -> None:
    texts = set()
    for seed in "123":
        command = [
            sys.executable,
            "-m",
            "commands.review",
            str(PLANS / "adopt-authoritative.json"),
            "--format",
            "markdown",
        ]
        done = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": seed}, capture_output=True, check=False)
        texts.add(done.stdout)
    assert len(texts) == 1


def test_sensitive_values_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(PLANS / "modules-and-unknowns.json")
    for format_ in ("markdown", "json", "terminal"):
        main([path, "--format", format_])
        assert "secret-bucket" not in capsys.readouterr().out


def many(roles: int) -> bytes:
    """Return a plan that changes this many roles in five resources each."""
    changes = []
    for number in range(roles):
        name = f"role-{number}"
        changes += [
            role(None if number % 2 else trust(SAGEMAKER), trust(SAGEMAKER, GLUE), name=name),
            role_policy(
                document(allow("s3:GetObject", f"arn:aws:s3:::data-{number}/*")),
                document(allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::data-{number}/*")),
                name=f"data-{number}",
                of=name,
            ),
            role_policy(None, document(allow(["iam:PassRole", "glue:*"])), name=f"glue-{number}", of=name),
            attachment(FULL_ACCESS, of=name),
            attachment("arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", of=name),
        ]
    for number, entry in enumerate(changes):
        if "attachment" in entry["type"]:
            entry["address"] += f"[{number}]"
    return plan(*changes)


def measured(path: str, *arguments: str) -> tuple[float, bytes]:
    """Return the mebibytes and the output of a run."""
    script = (
        "import re, runpy, sys\n"
        "try:\n"
        "    runpy.run_module('commands.review', run_name='__main__', alter_sys=True)\n"
        "finally:\n"
        # getrusage would include the memory of the parent process
        "    status = open('/proc/self/status').read()\n"
        "    print(int(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1]) / 1024, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script, str(Path(path).absolute()), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    return float(done.stderr.split()[-1]), done.stdout


@pytest.mark.thorough
@pytest.mark.parametrize("format_", ["markdown", "json", "terminal"])
def test_five_thousand_resources_take_300_megabytes_at_most(format_: str) -> None:
    mebibytes, output = measured(saved(many(1_000)), "--format", format_)
    assert mebibytes < 300
    assert b"role-999" in output if format_ == "json" else b"folded" in output or b"--format json" in output


def folded(text: str) -> list[str]:
    return [line for line in text.splitlines() if "folded" in line]


def test_what_does_not_fit_is_folded_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    main([saved(many(400)), "--format", "markdown"])
    text = capsys.readouterr().out
    assert len(text) <= LIMIT
    assert any("more roles folded" in line for line in folded(text))
    assert "_The raw plans are folded: `terraform show` prints them._" in folded(text)
    assert "| **high**<br>`pass-any-role` | **400 roles**: " in text


def test_a_small_plan_is_not_folded(capsys: pytest.CaptureFixture[str]) -> None:
    main([str(PLANS / "adopt-authoritative.json"), "--format", "markdown"])
    assert folded(capsys.readouterr().out) == []
