"""Finding synthesized stacks and running Terraform in many of them; the Terraform here is a shell script."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from configuration import load
from terraform_cli.stacks import LOG, Outcomes, Stack, StacksError, find, for_each
from terraform_cli.terraform import Terraform, TerraformError, condensed
from tests.repository import ROOT

NAMES = ["glue-sessions-dev-a", "glue-sessions-dev-b", "glue-sessions-prod-a"]

MakeTerraform = Callable[[str], Terraform]


@pytest.fixture
def synthesized(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a folder with three stacks, laid out as cdktf does."""
    entries = {}
    for name in NAMES:
        (tmp_path / "out/stacks" / name).mkdir(parents=True)
        entries[name] = {"name": name, "workingDirectory": f"stacks/{name}", "annotations": [], "dependencies": []}
    (tmp_path / "out/manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": entries}))
    return {"CDKTF_OUTDIR": str(tmp_path / "out")}


@pytest.fixture
def make_terraform(tmp_path: Path) -> MakeTerraform:
    def make(script: str) -> Terraform:
        program = tmp_path / "bin/terraform"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        path = f"{program.parent}:{os.defpath}"
        return Terraform(tmp_path / "settings", {"PATH": path, "HOME": str(tmp_path)})

    return make


def named(stacks: list[Stack]) -> list[str]:
    return [stack.name for stack in stacks]


def test_stacks_are_found_by_patterns_in_the_order_of_the_app(synthesized: dict[str, str]) -> None:
    assert named(find([], environment=synthesized)) == NAMES
    assert named(find(["*-prod-*", "glue-sessions-dev-b"], environment=synthesized)) == NAMES[1:]
    assert named(find(["*-[a]"], environment=synthesized)) == [NAMES[0], NAMES[2]]
    found = find(["glue-sessions-dev-a"], environment=synthesized)
    assert found[0].folder == Path(synthesized["CDKTF_OUTDIR"], "stacks/glue-sessions-dev-a")


def test_the_stack_of_another_app_is_selected_by_its_name_alone(synthesized: dict[str, str]) -> None:
    folder = Path(synthesized["CDKTF_OUTDIR"], "state-bucket")
    folder.mkdir()
    entry = {"name": "state-bucket", "workingDirectory": "stacks/state-bucket"}
    (folder / "manifest.json").write_text(json.dumps({"stacks": {"state-bucket": entry}}))
    (found,) = find(["state-bucket"], environment=synthesized)
    assert found.folder == folder / "stacks/state-bucket"
    assert named(find(["*-b", "state-bucket"], environment=synthesized)) == ["state-bucket", NAMES[1]]
    assert named(find([], environment=synthesized)) == NAMES
    with pytest.raises(StacksError, match=r"directory, run ./glue-sessions plan pipeline-access, or name"):
        find(["pipeline-access"], environment=synthesized)
    with pytest.raises(StacksError, match='no stack matches "state-\\*"'):
        find(["state-*"], environment=synthesized)


def test_a_stack_has_the_settings_of_its_name(synthesized: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "glue-sessions.yaml"
    file.write_text(
        "state: {bucket: states, region: eu-west-1}\n"
        "environments:\n  dev: {region: eu-west-1, roles: [{role: b}, {role: c}]}\n"
    )
    a, b, other = find([], load(file, {}), synthesized)
    assert (a.settings, other.settings) == (None, None)
    assert b.settings
    assert b.settings.role.name == "b"


@pytest.mark.parametrize(
    ("manifest", "patterns", "words"),
    [
        (
            None,
            [],
            "manifest.json: no such file or directory, run ./glue-sessions plan, or name cdktf's output in",
        ),
        ("{", [], "manifest.json: not a manifest of cdktf, run ./glue-sessions plan again"),
        ('{"stacks": {"a": {}}}', [], "manifest.json: not a manifest of cdktf, run ./glue-sessions plan again"),
        ('{"stacks": []}', [], "manifest.json: not a manifest of cdktf, run ./glue-sessions plan again"),
        ('{"stacks": {}}', ["a"], 'no stack matches "a"; stacks: none'),
        ("", ["prod-*"], f'no stack matches "prod-*"; stacks: {", ".join(NAMES)}'),
        ("", ["*", "b"], f'no stack matches "b"; stacks: {", ".join(NAMES)}'),
    ],
)
def test_missing_stacks_are_one_line(
    synthesized: dict[str, str], manifest: str | None, patterns: list[str], words: str
) -> None:
    file = Path(synthesized["CDKTF_OUTDIR"], "manifest.json")
    if manifest is None:
        file.unlink()
    elif manifest:
        file.write_text(manifest)
    with pytest.raises(StacksError) as raised:
        find(patterns, environment=synthesized)
    assert words in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_failed_stack_does_not_stop_the_others_and_is_named_at_the_end(
    synthesized: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    stacks = find([], environment=synthesized)

    def work(stack: Stack) -> str:
        if stack.name == NAMES[1]:
            raise TerraformError("one thing: is wrong", "another: too", output="all of it")
        return stack.name.upper()

    outcomes = for_each(stacks, work, step="tests")
    assert outcomes.done == [(stack, stack.name.upper()) for stack in (stacks[0], stacks[2])]
    outcomes.report_failed()
    assert capsys.readouterr().err.splitlines() == [
        f"{NAMES[1]}: one thing: is wrong",
        f"{NAMES[1]}: another: too",
        f"1 of 3 stacks failed: {NAMES[1]}",
        f"Terraform's full output: {stacks[1].folder / LOG}",
    ]
    assert (stacks[1].folder / LOG).read_text() == "all of it"
    assert not (stacks[0].folder / LOG).exists()


def test_nothing_is_printed_if_no_stack_failed(capsys: pytest.CaptureFixture[str]) -> None:
    Outcomes[None]([], []).report_failed()
    assert capsys.readouterr() == ("", "")


def test_results_are_in_the_order_of_the_stacks_and_parallelism_is_bounded(
    synthesized: dict[str, str],
) -> None:
    stacks = find([], environment=synthesized)
    second_is_done = threading.Event()
    at_work = threading.Semaphore(2)

    def work(stack: Stack) -> str:
        assert at_work.acquire(blocking=False)
        if stack is stacks[0]:
            assert second_is_done.wait(60)
        at_work.release()
        if stack is stacks[1]:
            second_is_done.set()
        return stack.name

    outcomes = for_each(stacks, work, step="tests", parallelism=2)
    assert [result for _, result in outcomes.done] == NAMES


@pytest.mark.parametrize(
    "request_text",
    ["Inconsistent dependency lock file\nrun: terraform init", "there is no package for hashicorp/aws cached"],
)
def test_a_folder_is_initialized_only_when_terraform_asks_for_it(
    make_terraform: MakeTerraform, tmp_path: Path, request_text: str
) -> None:
    (tmp_path / "asked").write_text(f"Error: {request_text}\n")
    terraform = make_terraform(
        'echo "$1" >> calls\n'
        '[ "$1" = init ] && mkdir -p .terraform && touch .terraform/fits && exit 0\n'
        "[ -e .terraform/fits ] && echo fine && exit 2\n"
        "cat asked >&2; exit 1"
    )
    assert terraform.run(tmp_path, "plan").or_raise().stdout == "fine\n"
    (tmp_path / ".terraform/fits").unlink()
    assert terraform.run(tmp_path, "plan").or_raise().stdout == "fine\n"
    assert terraform.run(tmp_path, "plan").status == 2
    assert (tmp_path / "calls").read_text().split() == ["init", "plan", "plan", "init", "plan", "plan"]


def test_an_error_of_the_initialization_is_reported(make_terraform: MakeTerraform, tmp_path: Path) -> None:
    terraform = make_terraform(
        'if [ "$1" = init ]; then printf "╷\\n│ Error: No bucket\\n│ \\n│   with x,\\n│   on a.json line 1:\\n│ \\n'
        '│ It is\\n│ gone.\\n│ \\n│ More.\\n╵\\n" >&2; else echo "please run \\"tofu init\\""; fi; exit 1'
    )
    with pytest.raises(TerraformError) as raised:
        terraform.run(tmp_path, "plan").or_raise()
    assert raised.value.lines == ("No bucket: It is gone",)
    assert "More." in raised.value.output


def test_errors_of_a_json_run_are_one_line_each(make_terraform: MakeTerraform, tmp_path: Path) -> None:
    def event(summary: str, detail: str = "", severity: str = "error") -> str:
        diagnostic = {"severity": severity, "summary": summary, "detail": detail}
        return json.dumps({"@level": severity, "type": "diagnostic", "diagnostic": diagnostic})

    (tmp_path / "said").write_text(
        "\n".join(
            [event("One", "first\nparagraph\n\nsecond"), event("Mind", "", "warning"), event("Two"), event("Two")]
        )
    )
    (tmp_path / ".terraform").mkdir()
    done = make_terraform("cat said; exit 1").run(tmp_path, "plan", "-json")
    assert done.errors == ["One: first paragraph", "Two"]
    assert [each["summary"] for each in done.diagnostics("warning")] == ["Mind"]
    silent = make_terraform("kill -9 $$").run(tmp_path, "plan")
    with pytest.raises(TerraformError, match="terraform ended with status -9"):
        silent.or_raise()


def test_an_error_loses_its_request_ids_and_is_cut_if_long() -> None:
    detail = (
        "operation error IAM: GetRole, https response error StatusCode: 403, RequestID: 1-2, api error AccessDenied: no"
    )
    assert (
        condensed("reading IAM Role (x)", detail)
        == "reading IAM Role (x): operation error IAM: GetRole, AccessDenied: no"
    )
    assert condensed("No valid credential sources found.\n", "Set some.") == (
        "No valid credential sources found: Set some"
    )
    assert condensed("x" * 2_000, "y") == "x" * 599 + "…"


@pytest.mark.parametrize(("status", "remedy"), [(503, "; AWS failed 10 times in a row: try again later"), (0, "")])
def test_only_what_aws_itself_failed_is_worth_another_try(status: int, remedy: str) -> None:
    detail = f"exceeded maximum number of attempts, 10, https response error StatusCode: {status}, RequestID: , failed"
    assert condensed("reading IAM Role (x)", f"operation error IAM: GetRole, {detail}") == (
        f"reading IAM Role (x): operation error IAM: GetRole, exceeded maximum number of attempts, 10, failed{remedy}"
    )


def test_a_missing_state_bucket_is_reported_with_the_remedy() -> None:
    summary = 'Failed to get existing workspaces: S3 bucket "states" does not exist.\n'
    assert condensed(summary, "The referenced S3 bucket must have been previously created.") == (
        'S3 bucket "states" does not exist: create it with make state-bucket, or correct state.bucket'
    )


def test_aws_s_own_answer_about_a_missing_bucket_is_no_second_error(
    make_terraform: MakeTerraform, tmp_path: Path
) -> None:
    """Terraform quotes it below its own error; another error of the same run is still reported."""
    (tmp_path / "said").write_text(
        'Error: Failed to get existing workspaces: S3 bucket "states" does not exist.\n\n'
        "The referenced S3 bucket must have been previously created.\n\n"
        "Error: operation error S3: ListObjectsV2, https response error StatusCode: 404, RequestID: 1, HostID: 2,"
        " NoSuchBucket:\n\n\nError: Another\n\nOne.\n"
    )
    (tmp_path / ".terraform").mkdir()
    done = make_terraform("cat said >&2; exit 1").run(tmp_path, "plan")
    assert done.errors == [
        'S3 bucket "states" does not exist: create it with make state-bucket, or correct state.bucket',
        "Another: One",
    ]
    other = (tmp_path / "said").read_text().partition("\n\nError: ")[2]
    (tmp_path / "said").write_text(f"Error: {other}")
    done = make_terraform("cat said >&2; exit 1").run(tmp_path, "plan")
    assert done.errors == ["operation error S3: ListObjectsV2, NoSuchBucket", "Another: One"]


def test_an_interrupt_lets_terraform_finish_and_starts_nothing_more(tmp_path: Path) -> None:
    """SIGTERM goes to this program only, as a pipeline sends it; Terraform gets one SIGINT and may finish."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        (folder / ".terraform").mkdir(parents=True)
    binary = tmp_path / "terraform"
    binary.write_text(
        "#!/bin/sh\ntrap 'echo interrupted >> signals; touch stop' INT\ntouch begun\n"
        "while [ ! -e stop ]; do sleep 0.05; done\necho state > written\n"
    )
    binary.chmod(0o755)
    program = (
        "import pathlib\n"
        "from terraform_cli.stacks import Stack, for_each\n"
        "from terraform_cli.terraform import Terraform\n"
        "terraform = Terraform(pathlib.Path('settings'))\n"
        "stacks = [Stack(each, pathlib.Path(each)) for each in ('one', 'two')]\n"
        "outcomes = for_each(stacks, lambda each: terraform.run(each.folder, 'apply').status, step='', parallelism=1)\n"
        "print(*(f'{stack.name} {status}' for stack, status in outcomes.done))\n"
        "outcomes.report_failed()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.defpath}", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not (folders[0] / "begun").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    finally:
        (folders[0] / "stop").touch()
        process.kill()
    assert out == "one 0\n"
    assert err.splitlines() == [
        "interrupted, waiting for Terraform to finish its current calls",
        "two: not started because of the interrupt",
        "1 of 2 stacks failed: two",
    ]
    assert (folders[0] / "signals").read_text() == "interrupted\n"
    assert (folders[0] / "written").read_text() == "state\n"
    assert not (folders[1] / "begun").exists()
