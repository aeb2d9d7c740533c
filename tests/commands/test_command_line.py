"""Ctrl-C while a command waits for its input file, which is a pipe that nobody writes into."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.repository import ROOT


@pytest.mark.parametrize(
    ("arguments", "variable", "file"),
    [
        (("commands.plan",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml"),
        (("commands.drift",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml"),
        (("commands.verify",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml"),
        (("commands.pipeline", "stacks"), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml"),
        (("commands.create_state_bucket",), "GLUE_SESSIONS_CONFIG", "glue-sessions.yaml"),
        (("commands.apply_plan", "*"), "CDKTF_OUTDIR", "manifest.json"),
        (("commands.review", "plan.json"), "PWD", "plan.json"),
    ],
)
def test_an_interrupted_command_prints_one_line(
    tmp_path: Path, arguments: tuple[str, ...], variable: str, file: str
) -> None:
    pipe = tmp_path / file
    os.mkfifo(pipe)
    named = pipe if variable == "GLUE_SESSIONS_CONFIG" else tmp_path
    with subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), variable: str(named)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # the default in a terminal; a test runner in the background may ignore the signal
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        writing = opened_for_writing(pipe, process)
        process.send_signal(signal.SIGINT)
        os.close(writing)  # ends the read if the signal came just before it
        output = process.communicate(timeout=60)
    assert (process.returncode, *output) == (2, "", "interrupted\n")


def opened_for_writing(pipe: Path, process: "subprocess.Popen[str]") -> int:
    """Wait until the process reads the pipe; return the pipe's other end."""
    while process.poll() is None:
        with contextlib.suppress(OSError):  # nobody reads it yet
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    pytest.fail(f"the command ended without reading {pipe}: {process.communicate()}")
