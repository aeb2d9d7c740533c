"""Run the demo's commands, leave none of them running, and read the output of cdktf and Terraform."""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import IO, Self

# The user's settings for another AWS, another configuration, another output folder. The user's choice of Terraform
# and of its provider's source is kept.
_FOREIGN = ("AWS_", "TF_", "CDKTF_", "GLUE_SESSIONS_CONFIG", "SAGEMAKER_ROLE_NAME")
_KEPT = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")


def without_user_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the user's settings and settings files for AWS, Terraform and CDKTF."""
    own = {name: value for name, value in environment.items() if name in _KEPT or not name.startswith(_FOREIGN)}
    return {**own, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


class Shell:
    """Runs commands; leaving the `with` block ends those that still run.

    Args:
        directory: the working directory.
        environment: the environment of the commands, which may be changed between them.
    """

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.environment = environment
        self.grace_seconds = 20.0
        """Time for a command to end after an interrupt; Terraform then releases its lock."""
        self._directory = directory
        self._running: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._running:
            self._end(process)

    def start(
        self, command: str, output: IO[str] | int = subprocess.PIPE, *, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start a command line, with `$NAME` expanded; its standard output and error go to `output`."""
        process = subprocess.Popen(
            [Template(word).safe_substitute(self.environment) for word in shlex.split(command)],
            cwd=self._directory,
            env=self.environment,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # a separate process group, to end the command with all its children
            start_new_session=True,
        )
        self._running.append(process)
        return process

    def lines(self, process: subprocess.Popen[str]) -> Iterator[str]:
        """Yield the command's output, line by line, and wait for its end."""
        assert process.stdout is not None
        for line in process.stdout:
            yield line.rstrip("\n")
        process.wait()

    def _end(self, process: subprocess.Popen[str]) -> None:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            patience = time.monotonic() + self.grace_seconds
            # cdktf ends before its Terraform does
            while _group_is_alive(process) and time.monotonic() < patience:
                time.sleep(0.05)
            if _group_is_alive(process):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _group_is_alive(process: subprocess.Popen[str]) -> bool:
    process.poll()  # reaps the child, which would otherwise count as alive
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


_ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLANNED = re.compile(r"^Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy\.$")
_APPLIED = re.compile(
    r"^Apply complete! Resources: (?:(\d+) imported, )?(\d+) added, (\d+) changed, (\d+) destroyed\.$"
)
_NO_CHANGES = re.compile(r"^No changes\.")

# the first and the last line of `terraform init`, with forty lines in between that are always the same
_INITIALIZING = "Initializing the backend..."
_INITIALIZED = "commands will detect it and remind you to do so if necessary."


@dataclass(frozen=True)
class Counts:
    """Numbers of resources that a plan or an apply adopts, adds, changes and destroys."""

    adopted: int = 0
    added: int = 0
    changed: int = 0
    destroyed: int = 0

    def __str__(self) -> str:
        numbers = {"adopt": self.adopted, "add": self.added, "change": self.changed, "destroy": self.destroyed}
        return ", ".join(f"{verb} {number}" for verb, number in numbers.items() if number) or "no changes"


def plain(line: str) -> str:
    """Return a line without colors."""
    return _ESCAPE.sub("", line)


def without_stack(line: str, stack: str) -> str:
    """Return a line without the stack's name, or the blanks of the same width, that cdktf puts before it."""
    for prefix in (f"{stack}  ", " " * len(f"{stack}  ")):
        if line.startswith(prefix):
            return line.removeprefix(prefix)
    return "" if line == stack else line


def without_initialization(lines: Iterable[str]) -> Iterator[str]:
    """Drop the output of a successful `terraform init`; that of a failed one comes at the end."""
    held: list[str] = []
    for line in lines:
        text = plain(line).strip()
        if held or text == _INITIALIZING:
            held = [] if text == _INITIALIZED else [*held, line]
        else:
            yield line
    yield from held


def counts(lines: Iterable[str]) -> Counts | None:
    """Return the summary of a plan or an apply, None if there is none."""
    for line in lines:
        text = plain(line).strip()
        if match := _PLANNED.match(text) or _APPLIED.match(text):
            return Counts(*(int(number or 0) for number in match.groups()))
        if _NO_CHANGES.match(text):
            return Counts()
    return None
