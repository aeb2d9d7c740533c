"""Each command in a code block of the README and the docs is run by a test, or listed here with the reason.

docs/pipelines/getting-started.md and docs/pipelines/plain-terraform.md have their own tests.
"""

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from commands.__main__ import COMMANDS, module
from tests.repository import ROOT

OWN_TEST = [ROOT / "docs/pipelines" / name for name in ("getting-started.md", "plain-terraform.md")]
PAGES = [*ROOT.glob("*.md"), *sorted({*ROOT.glob("docs/**/*.md")} - {*OWN_TEST}), ROOT / "fast_cdktf/README.md"]
BLOCK = re.compile(r"^```(bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SCRIPTS = tomllib.loads((ROOT / "Pipfile").read_text(encoding="utf-8"))["scripts"].keys() - {"cdktf"}
TARGETS = set(re.findall(r"^([a-z][a-z-]+|pipeline-%):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

RUN = {
    "cdktf plan": "tests/e2e/test_cdktf.py::test_the_only_stack_is_planned_and_applied_without_its_name",
    "cdktf apply": "tests/e2e/test_cdktf.py::test_the_only_stack_is_planned_and_applied_without_its_name",
    **dict.fromkeys(
        ("cdktn list", "cdktn synth", "cdktn plan", "cdktn apply"),
        "tests/e2e/test_cdk_terrain.py::test_a_role_is_adopted_with_the_command_line_of_cdk_terrain",
    ),
    "plan": "tests/commands/plan/test_plan.py::test_patterns_select_stacks_and_an_unknown_one_is_an_error",
    "apply": "tests/e2e/test_plan_and_apply.py::"
    "test_an_approved_plan_is_applied_unless_somebody_changed_the_role_meanwhile",
    "make plan": "tests/test_makefile.py::test_variables_are_passed_to_the_command",
    "make drift": "tests/test_makefile.py::test_variables_are_passed_to_the_command",
    "make state-bucket": "tests/e2e/test_state_bucket.py::"
    "test_the_state_bucket_is_created_then_imported_and_holds_its_own_state",
    "make pipeline-access": "tests/e2e/test_pipeline_access.py::test_each_role_does_its_work_and_no_more",
    "make pipeline-setup": "tests/test_makefile.py::test_variables_are_passed_to_the_command",
    "make matrix-row": "tests/test_matrix.py::test_a_row_runs_with_its_provider_from_a_mirror_on_this_machine",
    "./glue-sessions": "tests/commands/test_command_line.py::test_without_a_command_all_are_listed",
    "./glue-sessions --version": "tests/commands/test_command_line.py::test_the_version_is_the_changelogs",
    "eval": "tests/commands/test_command_line.py::test_bash_completes_with_the_printed_script",
    "completion": "tests/commands/test_command_line.py::test_bash_completes_with_the_printed_script",
    "make apply": "tests/test_makefile.py::test_variables_are_passed_to_the_command",
    "apply-plan": "tests/e2e/test_apply_plan.py::test_a_change_since_the_plan_refuses_it_and_stops_no_other_stack",
    "discover": "tests/commands/discover/test_calls_and_errors.py::test_all_enabled_regions_are_searched",
    "discover --json": "tests/commands/discover/test_calls_and_errors.py::test_all_enabled_regions_are_searched",
    "discover --region": "tests/commands/discover/test_calls_and_errors.py::test_the_command_runs_as_a_module",
    "discover --profile": "tests/commands/discover/test_calls_and_errors.py::"
    "test_a_profile_that_does_not_exist_is_one_line",
    "discover --write": "tests/commands/discover/test_write.py::test_a_missing_environment_is_created",
    "discover --role": "tests/commands/discover/test_write.py::test_only_the_selected_roles_are_written",
    "drift": "tests/e2e/test_drift_command.py::test_drift_is_reported_by_role_while_another_apply_holds_the_lock",
    "review": "tests/review/test_command.py::test_a_saved_plan_is_read_through_terraform_in_its_folder",
    "review --access-analyzer": "tests/review/test_access_analyzer.py::test_the_page_shows_what_the_command_prints",
    "verify": "tests/commands/verify/test_verify.py::test_a_role_with_the_grants_is_ready",
    "verify --json": "tests/commands/verify/test_verify.py::test_patterns_select_stacks",
    "verify --start-session": "tests/commands/verify/test_with_the_sandbox.py::"
    "test_a_real_session_runs_a_statement_and_is_deleted",
    "sandbox": "tests/docs/test_sandbox_page.py::test_its_commands_work_in_a_shell",
    "sandbox --directory": "tests/docs/test_sandbox_page.py::test_its_commands_work_in_a_shell",
    "aws": "tests/docs/test_sandbox_page.py::test_its_commands_work_in_a_shell",
}
"""The test that runs a command of this project, by its name and by each of its options."""

NOT_RUN = {
    "make setup": "needs the network; continuous integration begins with it",
    "make demo": "all its parts are tested; the whole of it, by hand before a release",
    "make test": "runs the tests",
    "make test-fast": "runs the tests",
    "make test-terraform": "runs the tests",
    "make test-pythons": "runs the tests",
    "make check": "continuous integration runs it",
    "git": "not this project's",
    "pipenv sync": "needs the network; `make setup` runs it",
    "plans.refresh_data": "needs AWS and PyPI's packages of the group data",
    **dict.fromkeys(("cd", "export", "source"), "a shell's own"),
}
"""What no test runs, with the reason."""


def lines() -> Iterator[tuple[str, list[str]]]:
    """Yield each command with its page, as words."""
    for page in PAGES:
        for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if language == "console" and not line.startswith("$ "):
                    continue  # output
                words = shlex.split(line.removeprefix("$ "), comments=True)
                while words:
                    end = words.index("&&") if "&&" in words else len(words)
                    yield page.name, words[:end]
                    words = words[end + 1 :]


def named(words: list[str]) -> str:
    """Return the command as the tables name it."""
    match words:
        case ["pipenv", "run", "python", "-m", module, *_]:
            return module
        case ["./glue-sessions"] | ["./glue-sessions", "--version"]:
            return " ".join(words)
        case ["./glue-sessions", command, *_]:
            assert command in COMMANDS
            return command
        case [("make" | "cdktf" | "cdktn" | "pipenv") as program, verb, *_]:
            assert program != "make" or verb in TARGETS
            return f"{program} {verb}"
    return words[0]


def required(words: list[str]) -> list[str]:
    """Return the names that the tables must have for a command: its own, and one for each option of this project's."""
    name = named(words)
    options = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--help"]
    return [name, *(f"{name} {option}" for option in options if name in COMMANDS)]


WRITTEN = list(lines())


def test_the_pages_have_commands() -> None:
    assert len(WRITTEN) > 30


@pytest.mark.parametrize(("page", "words"), WRITTEN, ids=[f"{page}: {' '.join(words)}" for page, words in WRITTEN])
def test_a_command_is_run_by_a_test_or_listed(page: str, words: list[str]) -> None:
    assert [name for name in required(words) if name not in RUN and name not in NOT_RUN] == []


def test_what_is_not_run_is_on_a_page() -> None:
    assert NOT_RUN.keys() - {name for _, words in WRITTEN for name in required(words)} == set()


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("test", sorted({*RUN.values()}))
def test_the_named_tests_exist(test: str) -> None:
    file, _, function = test.partition("::")
    assert function in functions(file)


@pytest.mark.parametrize("command", sorted({named(words) for _, words in WRITTEN} & COMMANDS.keys() - {"sandbox"}))
def test_the_options_in_code_blocks_exist(command: str) -> None:
    known = importlib.import_module(module(command)).parser().format_help()
    used = {word.partition("=")[0] for _, words in WRITTEN for word in words if named(words) == command}
    assert {word for word in used if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", known))


def inline(page: Path) -> Iterator[list[str]]:
    """Yield the words of each piece of inline code that begins with `make`, `pipenv run` or `./glue-sessions`."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`((?:make|pipenv run|\./glue-sessions) [^`]+)`", text):
        yield code.removeprefix("pipenv ").split()


@pytest.mark.parametrize("page", [*PAGES, *OWN_TEST], ids=lambda page: page.name)
def test_the_targets_and_commands_named_in_sentences_exist(page: Path) -> None:
    for program, *words in inline(page):
        if program == "make":
            targets = [word for word in words if "=" not in word and not word.startswith("-")]
            assert [word for word in targets if word not in TARGETS and not word.startswith("pipeline-")] == []
        else:
            known = {*SCRIPTS, "python", "cdktf"} if program == "run" else COMMANDS
            assert words[0].isupper() or words[0].startswith("--") or words[0] in known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_with_commands_says_what_they_need(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if "docs" in page.parts and any("./glue-sessions" in block for _, block in BLOCK.findall(text)):
        assert "[the set-up](../README.md#use-it)" in text
