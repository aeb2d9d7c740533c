"""Run Terraform in one stack's folder, initialize the folder when needed, and condense errors to one line each."""

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
from typing import IO, Any

from terraform_cli import backend, installation
from terraform_cli import environment as terraform_environment

_ERROR = re.compile(r"^Error: ", re.MULTILINE)
_MUST_INITIALIZE = re.compile(r"\b(terraform|tofu) init\b|there is no package for ")
_RESPONSE = re.compile(r"https response error StatusCode: \d+, RequestID: [^,]*, (HostID: [^,]*, )?(api error )?")
_GIVEN_UP = re.compile(r"exceeded maximum number of attempts, (\d+), https response error StatusCode: 5\d\d")
_NO_BUCKET = re.compile(r'S3 bucket "[^"]+" does not exist')
_CALL_ON_NO_BUCKET = re.compile(r"operation error S3: [^\n]*\bNoSuchBucket\b")
"""AWS's answer, which Terraform quotes below its own error about the bucket."""

_LOCK = re.compile(
    r"recorded in the dependency lock file|lock file is read-only|\blocked provider\b|dependency lock file:"
)
_LONGEST = 600
"""Longest error line in characters; AWS's refusals take about 300."""

NOT_STARTED = "not started because of the interrupt"
"""Error of a stack that an interrupt kept from starting."""

_running: set["subprocess.Popen[bytes]"] = set()
_lock = threading.Lock()
_cache = threading.Lock()
_interrupted = threading.Event()


class TerraformError(Exception):
    """Terraform failed for a stack: `lines` has one line per error, `output` is Terraform's full output."""

    def __init__(self, *lines: str, output: str = "") -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.output = output


@dataclass(frozen=True)
class Done:
    """A finished Terraform run: exit status and output."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Standard output and standard error."""
        return self.stdout + self.stderr

    @cached_property
    def events(self) -> list[dict[str, Any]]:
        """The events of a command with `-json`, in order."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith('{"@level"')]

    def diagnostics(self, severity: str = "error") -> list[dict[str, Any]]:
        """Return the diagnostics of one severity among the events."""
        diagnostics = [event["diagnostic"] for event in self.events if event.get("type") == "diagnostic"]
        return [each for each in diagnostics if each.get("severity") == severity]

    @cached_property
    def errors(self) -> list[str]:
        """One line per error, of a command with `-json` or without."""
        diagnostics = [condensed(each["summary"], each.get("detail", "")) for each in self.diagnostics()]
        return list(dict.fromkeys([*diagnostics, *_in_text(self.stdout), *_in_text(self.stderr)]))

    def or_raise(self) -> "Done":
        """Return self if the run succeeded; 2 is the exit status of a plan with changes.

        Raises:
            TerraformError: the run failed.
        """
        if self.status not in (0, 2):
            raise TerraformError(*self.errors or [f"terraform ended with status {self.status}"], output=self.output)
        return self


def condensed(summary: str, detail: str = "") -> str:
    """Return a Terraform error in one line: its summary and the first paragraph of its detail.

    Request ids of AWS responses are dropped. A missing state bucket, a lock file that does not fit, and a call that AWS
    answered with errors of its own until it was given up get the remedy of this project.
    """
    if missing := _NO_BUCKET.search(summary):
        return f"{missing[0]}: create it with make state-bucket, or correct state.bucket"
    text = ": ".join([summary.rstrip(":. \n"), detail.strip().partition("\n\n")[0]])
    line = _RESPONSE.sub("", " ".join(text.split())).rstrip(":. ")
    if _LOCK.search(line):
        line = f"{line.partition('; for more')[0]}; to write .terraform.lock.hcl again: make provider-lock"
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    given_up = _GIVEN_UP.search(text)
    return f"{line}; AWS failed {given_up[1]} times in a row: try again later" if given_up else line


class Terraform:
    """Terraform, to be run in the folders of stacks.

    Args:
        settings: a folder for Terraform's settings, shared by all stacks.
        environment: the environment to run in.
        locked: whether folders are initialized with exactly the providers of their lock files.

    Raises:
        TerraformMissingError: there is no Terraform, or the environment would make it do something else.
    """

    def __init__(self, settings: Path, environment: Mapping[str, str] = os.environ, *, locked: bool = False) -> None:
        terraform_environment.check(environment)
        self._added = terraform_environment.arguments(environment)
        self._lockfile = ["-lockfile=readonly"] if locked else []
        self._binary = installation.binary(environment)
        self._environment = {
            **environment,
            **installation.settings(settings.absolute(), environment),
            "TF_IN_AUTOMATION": "1",  # suppresses advice on the next command
        }

    def run(self, folder: Path, *arguments: str) -> Done:
        """Run Terraform in a stack's folder; initialize the folder first if it is new or if Terraform asks for it.

        Another way to the same state, such as another profile or KMS key, is taken over.

        If this program dies, Terraform still finishes: it writes into files, reads no input, and gets signals only
        from `interrupt_all`.

        Raises:
            TerraformError: it was not started, because of an interrupt, of another workspace, or of another state than
                in the last run here.
        """
        try:
            terraform_environment.check_selected_workspace(folder, self._environment)
        except terraform_environment.UnusableEnvironmentError as error:
            raise TerraformError(str(error)) from None
        data = terraform_environment.data_folder(folder, self._environment)
        if data.is_dir():
            done = self._run(folder, *arguments)
            if done.status != 1 or not _MUST_INITIALIZE.search(done.output):
                return done
        places = backend.places(folder, data)
        reconfigure = ["-reconfigure"] if places else []
        if places and places[0] != places[1] and reconfigure[0] not in self._added["init"]:
            raise TerraformError(backend.other_place(*places, folder, data))
        # concurrent runs of init would corrupt the provider cache
        cached = "TF_PLUGIN_CACHE_DIR" in self._environment
        with _cache if cached else contextlib.nullcontext():
            initialized = self._run(folder, "init", "-input=false", "-no-color", *self._lockfile, *reconfigure)
        return initialized if initialized.status else self._run(folder, *arguments)

    def _run(self, folder: Path, *arguments: str) -> Done:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with _lock:
                if _interrupted.is_set():
                    raise TerraformError(NOT_STARTED)
                command, *rest = arguments
                process = subprocess.Popen(
                    [self._binary, command, *self._added.get(command, ()), *rest],
                    cwd=folder,
                    env=terraform_environment.for_stack(folder, self._environment),
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
def interrupt_all() -> Iterator[None]:
    """Interrupt all running Terraform processes, which then save their states; start no new ones meanwhile."""
    with _lock:
        _interrupted.set()
        for process in _running:
            process.send_signal(signal.SIGINT)  # only once: on a second one Terraform exits without saving its state
    try:
        yield
    finally:
        _interrupted.clear()


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _in_text(text: str) -> Iterator[str]:
    """Yield the errors in Terraform's human-readable output, one line each."""
    if "Error: " not in text:
        return
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [re.sub("^[│╷╵] ?", "", line).rstrip() for line in plain.splitlines() if not line.startswith('{"@level"')]
    no_bucket = False
    for block in _ERROR.split("\n".join(lines))[1:]:
        if no_bucket and _CALL_ON_NO_BUCKET.match(block):
            continue
        no_bucket = bool(_NO_BUCKET.search(block))
        summary, _, detail = block.partition("\n\n")
        paragraphs = [each for each in detail.split("\n\n") if not re.match(r"\s+(with|on) ", each)]
        yield condensed(summary, "\n\n".join(paragraphs))
