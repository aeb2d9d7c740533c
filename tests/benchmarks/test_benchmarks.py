"""The benchmarks run and report what they measure; no test depends on how long things take."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import __main__ as program
from benchmarks import environments, fleet, parts, plan, report, review, shop, synth
from benchmarks.fleet import Change, Synthesis
from benchmarks.measure import FailedError, Result, Way, side_by_side
from configuration import load
from fast_cdktf import PARTS
from tests.availability import cdk_terrain, terraform_binary

ALLOCATE = "import time; kept = bytearray(60_000_000); time.sleep(0.5)"


def quietly(line: str) -> None:
    """Print no progress."""


def way(name: str, code: str, folder: Path) -> Way:
    return Way(name, (sys.executable, "-c", code), folder, dict(os.environ))


def test_ways_take_turns_after_a_run_each_that_is_not_counted(tmp_path: Path) -> None:
    ways = [way(name, f"open('log', 'a').write('{name}')", tmp_path) for name in "ab"]

    results = side_by_side(ways, rounds=2, progress=quietly)

    assert (tmp_path / "log").read_text() == "abababab"  # warming up, two rounds, memory
    assert list(results) == ["a", "b"]
    assert all(result.seconds > 0 for result in results.values())


def test_memory_is_that_of_all_processes_together(tmp_path: Path) -> None:
    alone = way("alone", ALLOCATE, tmp_path).peak_memory()
    child = (
        f"import subprocess, sys; kept = bytearray(60_000_000); subprocess.run([sys.executable, '-c', {ALLOCATE!r}])"
    )
    both = way("both", child, tmp_path).peak_memory()

    assert 60_000_000 < alone < 100_000_000
    assert 120_000_000 < both < 200_000_000


@pytest.mark.parametrize("measured", [Way.seconds, Way.peak_memory])
def test_a_program_that_fails_is_an_error_with_its_output(measured: object, tmp_path: Path) -> None:
    assert callable(measured)
    with pytest.raises(FailedError, match=r"(?s)^the way: .*python.* exited with 3\nits output$"):
        measured(way("the way", "print('its output'); exit(3)", tmp_path))


def test_a_fleet_of_any_size_is_a_valid_configuration(tmp_path: Path) -> None:
    file = shop.write_configuration(tmp_path / "glue-sessions.yaml", shop.role_names(1000))

    assert len({stack.name for stack in load(file, {}).role_stacks}) == 1000


def test_a_fleet_is_synthesized_with_a_file_for_each_role_and_one_for_all(tmp_path: Path) -> None:
    one, two = fleet.synthesize(tmp_path, [1, 2], rounds=1, progress=quietly)

    assert (one.files, two.files) == (2, 3)
    assert one.bytes_written < two.bytes_written
    assert one.memory > 10_000_000


def test_the_documented_way_synthesizes_the_same_stack(tmp_path: Path) -> None:
    python = cdk_terrain()  # where it takes a third of the time
    project = synth.project(tmp_path)
    project.seconds()
    documented = synth.program(tmp_path, "documented", python, synth.documented(cdk_terrain=True))
    documented.seconds()

    assert synth.stack_of(documented) == synth.stack_of(project)


@pytest.mark.e2e
def test_a_fleet_is_adopted_and_every_request_counted(tmp_path: Path) -> None:
    terraform_binary()

    changes = {each.step: each for each in fleet.change(tmp_path, [1], progress=quietly)}

    assert list(changes) == ["init", "plan", "apply", "plan again, nothing changed", fleet.COMMAND]
    assert changes["init"].requests["IAM"] == 0
    assert all(changes[step].requests["IAM"] > 0 for step in changes if step != "init")
    assert all(each.requests["S3"] > 0 for each in changes.values())


def test_the_plans_to_review_are_those_of_adopted_roles(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(review.plan(7)))
    command = (sys.executable, "-m", "commands.review", "--format", "json", file)
    reviewed = subprocess.run(command, cwd=environments.REPOSITORY, capture_output=True, check=False)

    assert reviewed.returncode == 1, reviewed.stderr  # of the recipe's own finding
    (reviewed_plan,) = json.loads(reviewed.stdout)["plans"]
    assert [role["name"] for role in reviewed_plan["roles"]] == shop.role_names(3)


def test_what_is_printed_is_what_the_documentation_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs/performance.md"
    shutil.copy(environments.REPOSITORY / "docs/performance.md", document)
    before = document.read_text()
    ways = (
        synth.PROJECT,
        synth.FLOOR,
        synth.DOCUMENTED,
        synth.PROJECT_ON_CDK_TERRAIN,
        synth.DOCUMENTED_CDK_TERRAIN,
    )
    synthesis = {name: Result(2.5, 100_000_000) for name in ways}
    planning = {name: Result(5.0, 100_000_000) for name in (plan.PROJECT, plan.PLAIN, plan.DOCUMENTED)}
    reviews = {name: Result(0.4, 100_000_000) for name in (review.ONE_ROLE, review.MANY, *review.HARD)}
    monkeypatch.setattr(program, "REPOSITORY", tmp_path)
    monkeypatch.setattr(review, "run", lambda *_, **__: reviews)
    monkeypatch.setattr(synth, "run", lambda *_, **__: synthesis)
    monkeypatch.setattr(synth, "cold", lambda *_, **__: synthesis)
    monkeypatch.setattr(plan, "run", lambda *_, **__: planning)
    monkeypatch.setattr(
        fleet,
        "synthesize",
        lambda *_, **__: [Synthesis(1, 1.0, 10**8, 2, 9000), Synthesis(101, 1.3, 10**8, 102, 10**6)],
    )
    monkeypatch.setattr(fleet, "change", lambda *_, **__: [Change(50, "plan", 100.0, Counter(IAM=200, S3=250))])

    program.measure(tmp_path, quick=False)

    printed = capsys.readouterr().out
    assert "| each further role up to 101: milliseconds of synthesis | at most 4 | 3.00 | yes |" in printed
    assert "| 50 | plan | 100.0 s | 2.00 s | 4.0 | 0.0 | 5.0 |" in printed
    assert "**no**" in printed  # 2.5 s is not a twentieth of 2.5 s
    sections = re.findall(r"<!-- measured: \w+ -->\n\n(.+?)\n\n<!-- /measured", document.read_text(), re.DOTALL)
    assert len(sections) == before.count("<!-- measured:")
    assert all(section in printed for section in sections)
    assert "5.00 s" in "".join(ElementTree.fromstring((tmp_path / "docs/performance.svg").read_text()).itertext())


def test_each_part_of_fast_cdktf_is_measured_with_those_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [name.split(",") if name else [] for name in parts.ROWS.values()]
    assert rows == [[*PARTS[:count]] for count in range(len(PARTS) + 1)]

    last = {name: parts.ROWS[name] for name in [*parts.ROWS][-2:]}
    monkeypatch.setattr(parts, "ROWS", last)
    measured = parts.run(tmp_path, rounds=1, progress=quietly, sizes=[1, 2])

    assert {row: [*sizes] for row, sizes in measured.items()} == {row: [1, 2] for row in last}
    assert all(min(times.clock + times.processor) > 0.1 for sizes in measured.values() for times in sizes.values())


def test_what_a_part_saves_is_compared_with_the_row_above_round_by_round() -> None:
    table = parts.report(
        {
            "without": {200: parts.Times(clock=[2.0, 4.0, 8.0], processor=[1.0, 1.0, 1.0])},
            "with": {200: parts.Times(clock=[1.0, 3.0, 4.0], processor=[1.5, 1.0, 1.0])},
        }
    )

    assert table.splitlines()[2:] == [
        "| without | 4.00 s |  | 1.00 s |  |",
        "| with | 3.00 s | 50 % | 1.00 s | 0 % |",
    ]


def test_the_table_of_the_parts_is_put_into_the_readme_of_fast_cdktf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fast_cdktf").mkdir()
    readme = tmp_path / "fast_cdktf/README.md"
    shutil.copy(environments.REPOSITORY / "fast_cdktf/README.md", readme)
    monkeypatch.setattr(program, "REPOSITORY", tmp_path)
    monkeypatch.setattr(parts, "run", lambda *_, **__: {"the row": {1: parts.Times([0.3], [0.4])}})

    program.measure_parts(tmp_path, quick=False)

    assert "| the row | 0.30 s |  | 0.40 s |  |" in capsys.readouterr().out
    assert "| the row | 0.30 s |  | 0.40 s |  |" in readme.read_text()


def test_a_section_without_a_place_is_an_error() -> None:
    with pytest.raises(KeyError, match="plan"):
        report.put_into("<!-- measured: plan -->", {"plan": "table"})
