"""What the demo prints: one line per step, or everything."""

import io
from typing import Literal

import pytest
from rich.console import Console

from commands.demo.output import Output
from commands.demo.shell import plain
from commands.demo.steps import DemoError


def output(*, terminal: bool = False, verbose: bool = False) -> tuple[Output, io.StringIO]:
    written = io.StringIO()
    colors: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=written, force_terminal=terminal, color_system=colors, width=60, highlight=False)
    return Output(console, verbose=verbose), written


def print_step(to: Output) -> None:
    with to.step("First"):
        to.note("A sentence.")
        to.command("cdktf plan")
        to.line("\x1b[32m+\x1b[0m create [red]")
        to.line("")
        to.result("adopt 1")
        to.result("all is well")


def test_a_step_is_one_line() -> None:
    to, written = output()
    print_step(to)
    with to.step("Second"):
        to.line("details")
    to.end("Done.\nGoodbye.")
    assert written.getvalue() == "ok First: adopt 1, all is well  (0.0 s)\nok Second  (0.0 s)\n\nDone.\nGoodbye.\n"
    assert not to.colors


def test_with_verbose_all_details_are_printed() -> None:
    to, written = output(verbose=True)
    print_step(to)
    assert written.getvalue() == (
        "\nFirst\nA sentence.\n$ cdktf plan\n  + create [red]\n\nok adopt 1\nok all is well\n  (0.0 s)\n"
    )


def test_a_step_that_fails_prints_its_details_but_not_those_of_others() -> None:
    to, written = output()
    print_step(to)
    with pytest.raises(DemoError), to.step("Second"):  # noqa: PT012
        to.line("Error: no")
        raise DemoError("it failed")
    assert written.getvalue().splitlines()[1:] == ["Second", "  Error: no"]


def test_a_failed_step_prints_its_details_once_with_verbose() -> None:
    to, written = output(verbose=True)
    with pytest.raises(DemoError), to.step("Second"):  # noqa: PT012
        to.line("Error: no")
        raise DemoError("it failed")
    assert written.getvalue().splitlines() == ["", "Second", "  Error: no"]


def test_a_terminal_has_colors_and_a_clock() -> None:
    to, written = output(terminal=True, verbose=True)
    with to.step("waiting for it"):
        to.line("\x1b[32m+\x1b[0m create")
    assert "\x1b[32m+\x1b[0m create" in written.getvalue()
    assert "waiting for it" in plain(written.getvalue())
    assert to.colors


def test_sentences_are_wrapped_and_names_are_not_broken() -> None:
    to, written = output(terminal=True, verbose=True)
    arn = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole-20240101T000001"
    to.note(f"a long sentence that goes on for more than sixty columns of a terminal\n{arn}")
    assert [len(line) < 61 for line in written.getvalue().splitlines()] == [True, True, False]
    assert written.getvalue().splitlines()[-1] == arn


def test_a_long_line_is_wrapped_on_a_terminal_alone() -> None:
    for terminal, lines in ((True, 2), (False, 1)):
        to, written = output(terminal=terminal)
        with to.step("Run the notebook"):
            to.result("10 cells ran, 2 need AWS itself, and this goes on for long")
        printed = plain(written.getvalue()).splitlines()[-lines:]
        assert printed[0].startswith("ok Run the notebook: 10 cells ran")
        assert (len(printed[0]) <= 60) is terminal
        assert [line[:3] for line in printed[1:]] == ["   "] * (lines - 1)
