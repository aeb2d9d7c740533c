"""Terraform run in one stack's folder: initialized when it asks for it, its errors told in a line each."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from terraform_cli import installation

_ERROR = re.compile(r"^Error: ", re.MULTILINE)
_MUST_INITIALIZE = re.compile(r"\b(terraform|tofu) init\b|there is no package for ")
_RESPONSE = re.compile(r"https response error StatusCode: \d+, RequestID: [^,]*, (HostID: [^,]*, )?(api error )?")
_NO_BUCKET = re.compile(r'S3 bucket "[^"]+" does not exist')
_LONGEST = 600
"""Characters of an error's line; what AWS refuses is told in about 300."""

NOT_BEGUN = "interrupted before it was begun"
"""Why a stack was not done."""

_running: set["subprocess.Popen[bytes]"] = set()
_lock = threading.Lock()
_cache = threading.Lock()
_interrupted = threading.Event()


class TerraformError(Exception):
    """Terraform could not do it for a stack: `lines` say why, a line for each error, `output` is all that it said."""

    def __init__(self, *lines: str, output: str = "") -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.output = output


@dataclass(frozen=True)
class Done:
    """What one run of terraform gave: its exit status, and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """All that it wrote."""
        return self.stdout + self.stderr

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """What a command with `-json` told, in order."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith('{"@level"')]

    def diagnostics(self, severity: str = "error") -> list[dict[str, Any]]:
        """The diagnostics among the events, errors or warnings."""
        found = [event["diagnostic"] for event in self.events if event.get("type") == "diagnostic"]
        return [each for each in found if each.get("severity") == severity]

    @cached_property
    def errors(self) -> list[str]:
        """Its errors, a line each, of a command with `-json` or without."""
        told = [condensed(each["summary"], each.get("detail", "")) for each in self.diagnostics()]
        return list(dict.fromkeys([*told, *_in_text(self.stdout), *_in_text(self.stderr)]))

    def or_raise(self) -> "Done":
        """Give this, if it worked; 2 is a plan's that has changes.

        Raises:
            TerraformError: it did not work.
        """
        if self.status not in (0, 2):
            raise TerraformError(*self.errors or [f"terraform ended with status {self.status}"], output=self.output)
        return self


def condensed(summary: str, detail: str = "") -> str:
    """Give an error of terraform's in one line: its summary, and the first paragraph of what it adds.

    The ids of AWS's responses are left out. Of a state bucket that is not there, the remedy is this project's own.
    """
    if missing := _NO_BUCKET.search(summary):
        return f"{missing[0]}: make it with make state-bucket, or correct state.bucket"
    said = ": ".join([summary.rstrip(":. \n"), detail.strip().partition("\n\n")[0]])
    line = _RESPONSE.sub("", " ".join(said.split())).rstrip(":. ")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


class Terraform:
    """Terraform as it runs in the folders of stacks.

    Args:
        settings: a folder for terraform's settings, shared by all stacks.
        environment: the environment to run in.

    Raises:
        TerraformMissingError: there is no terraform.
    """

    def __init__(self, settings: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._binary = installation.binary(environment)
        self._environment = {
            **environment,
            **installation.settings(settings.absolute(), environment),
            "TF_IN_AUTOMATION": "1",  # no advice on what to type next
        }

    def run(self, folder: Path, *arguments: str) -> Done:
        """Run it in a stack's folder, which is initialized if it never was or if terraform says that it must be.

        Whatever becomes of this program, terraform goes on to its end: it writes into files, reads nothing, and gets
        no signal but by `interrupting`.

        Raises:
            TerraformError: it was not begun, because of an interrupt.
        """
        if (folder / ".terraform").is_dir():
            done = self._run(folder, *arguments)
            if done.status != 1 or not _MUST_INITIALIZE.search(done.output):
                return done
        # terraform fills a cache of providers for one run at a time
        cached = "TF_PLUGIN_CACHE_DIR" in self._environment
        with _cache if cached else contextlib.nullcontext():
            initialized = self._run(folder, "init", "-input=false", "-no-color")
        return initialized if initialized.status else self._run(folder, *arguments)

    def _run(self, folder: Path, *arguments: str) -> Done:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with _lock:
                if _interrupted.is_set():
                    raise TerraformError(NOT_BEGUN)
                process = subprocess.Popen(
                    [self._binary, *arguments],
                    cwd=folder,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
                _running.add(process)
            try:
                status = process.wait()
            finally:
                with _lock:
                    _running.discard(process)
            return Done(status, *(_content(file) for file in (out, err)))


@contextlib.contextmanager
def interrupting() -> Iterator[None]:
    """Have every terraform that runs end in order, what it has begun and its state written; none begins meanwhile."""
    with _lock:
        _interrupted.set()
        for process in _running:
            process.send_signal(signal.SIGINT)  # once: a second makes terraform leave everything
    try:
        yield
    finally:
        _interrupted.clear()


def _content(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


def _in_text(text: str) -> Iterator[str]:
    """Yield the errors in what terraform writes for people, a line each."""
    if "Error: " not in text:
        return
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [re.sub("^[│╷╵] ?", "", line).rstrip() for line in plain.splitlines() if not line.startswith('{"@level"')]
    for block in _ERROR.split("\n".join(lines))[1:]:
        summary, _, detail = block.partition("\n\n")
        paragraphs = [each for each in detail.split("\n\n") if not re.match(r"\s+(with|on) ", each)]
        yield condensed(summary, "\n\n".join(paragraphs))
