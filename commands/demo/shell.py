"""Runs the demo's commands, and leaves none of them running."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

# Settings of the user that lead elsewhere: to another AWS, another configuration, another output folder.
# Which terraform is run, and where it gets its provider from, stays the user's choice.
_FOREIGN = ("AWS_", "TF_", "CDKTF_", "GLUE_SESSIONS_CONFIG", "SAGEMAKER_ROLE_NAME")
_KEPT = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment without the user's settings for AWS, Terraform and CDKTF, files of settings included."""
    own = {name: value for name, value in environment.items() if name in _KEPT or not name.startswith(_FOREIGN)}
    return {**own, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


class Shell:
    """Runs commands one after another, or beside each other; leaving it ends those that still run.

    Args:
        directory: the directory to run them in.
        environment: their environment, which may grow as with `export`.
    """

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.environment = environment
        self.grace_seconds = 20.0
        """What a command has to end by itself when it is interrupted; Terraform then releases its lock."""
        self._directory = directory
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._running:
            self._end(process)

    def start(self, command: str, output: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start a command, given as it is typed; both its outputs go to `output`."""
        process = subprocess.Popen(
            shlex.split(command),
            cwd=self._directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # a group of its own, to be ended with all that it has started
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def lines(self, process: subprocess.Popen[str]) -> Iterator[str]:
        """Give what the command writes, line by line as it comes, and wait for its end."""
        assert process.stdout is not None
        for line in process.stdout:
            yield line.rstrip("\n")
        process.wait()

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            patience = time.monotonic() + self.grace_seconds
            # cdktf ends before the terraform that it has started
            while _group_is_alive(process) and time.monotonic() < patience:
                time.sleep(0.05)
            if _group_is_alive(process):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _group_is_alive(process: subprocess.Popen[str]) -> bool:
    process.poll()  # a child that has ended is there until its status is asked for
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
