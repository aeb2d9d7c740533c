"""Terraform in one stack's folder, and the output of its commands."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.e2e.provider import Provider

_HANGS = 900
"""Seconds after which a command of Terraform is stopped: it waits for something that never happens."""


@dataclass(frozen=True)
class Run:
    """The result of one Terraform command with the option `-json`.

    Attributes:
        status: exit status. Of a plan: 0 no changes, 1 failed, 2 changes.
        output: standard output and error.
    """

    status: int
    output: str

    @cached_property
    def _events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith('{"@level"')]

    def _changes(self, event_type: str) -> dict[str, dict[str, Any]]:
        found = [event["change"] for event in self._events if event["type"] == event_type]
        return {change["resource"]["addr"]: change for change in found}

    @cached_property
    def changes(self) -> dict[str, str]:
        """Actions of the plan by address: create, update, replace, delete, import, remove (from the state)."""
        found = self._changes("planned_change").items()
        return {address: change["action"] for address, change in found if not address.startswith("data.")}

    @cached_property
    def read_on_apply(self) -> set[str]:
        """Addresses of the data sources that are only read when the plan is applied."""
        return {address for address in self._changes("planned_change") if address.startswith("data.")}

    @cached_property
    def imported(self) -> set[str]:
        """Addresses of the resources that the plan imports."""
        return {address for address, change in self._changes("planned_change").items() if "importing" in change}

    @cached_property
    def drift(self) -> dict[str, str]:
        """Changes outside Terraform since the last apply, by address."""
        return {address: change["action"] for address, change in self._changes("resource_drift").items()}

    @cached_property
    def summary(self) -> str:
        """The last line of a plan or an apply, in Terraform's words."""
        summaries = [event["@message"] for event in self._events if event["type"] == "change_summary"]
        return summaries[-1] if summaries else ""

    def _diagnostics(self, severity: str) -> list[str]:
        found = [event["diagnostic"] for event in self._events if event["type"] == "diagnostic"]
        # the same line breaks whatever terraform's version
        return [
            " ".join(f"{each['summary']}: {each.get('detail', '')}".split())
            for each in found
            if each["severity"] == severity
        ]

    @property
    def errors(self) -> list[str]:
        """Errors, one line each."""
        return self._diagnostics("error")

    @property
    def warnings(self) -> list[str]:
        """Warnings, one line each, failed checks included."""
        return self._diagnostics("warning")

    def assert_no_role_is_made_or_destroyed(self) -> None:
        """Check every change of a role that was planned or started."""
        begun = [event["hook"] for event in self._events if event["type"] == "apply_start"]
        planned = self._changes("planned_change").values()
        for change in [*planned, *begun]:
            if change["resource"]["resource_type"] == "aws_iam_role":
                assert change["action"] in {"read", "update", "import", "noop", "remove"}, change


@dataclass(frozen=True)
class Terraform:
    """Runs terraform in one folder.

    Args:
        folder: holds the stack's `cdk.tf.json`.
        binary: the terraform to run.
        environment: the whole environment it runs in.
        provider: a provider that is kept running; None if Terraform installs and starts it.
    """

    folder: Path
    binary: str
    environment: Mapping[str, str]
    provider: Provider | None = None

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """Start Terraform in its own process group, with a provider of its own: `kill` kills both."""
        return subprocess.Popen(
            [self.binary, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **variables: str) -> Run:
        """Run Terraform until it exits; `variables` are added to its environment."""
        done = self.run_unguarded(*arguments, **variables)
        done.assert_no_role_is_made_or_destroyed()
        return done

    def run_unguarded(self, *arguments: str, **variables: str) -> Run:
        """Run a command that may create or destroy a role, as no stack of an execution role ever may."""
        running = self.provider.running({**self.environment, **variables}) if self.provider else {}
        process = self.start(*arguments, **running, **variables)
        try:
            output, _ = process.communicate("", timeout=_HANGS)
        except BaseException:
            kill(process)
            raise
        return Run(process.returncode, output)

    def init(self, **variables: str) -> Run:
        """Initialize the folder: provider and backend."""
        done = self.run("init", "-input=false", "-no-color", **variables)
        if self.provider and done.status == 0:
            self.provider.install(self.folder)
        return done

    def plan(self, *arguments: str, **variables: str) -> Run:
        """Plan, and save the plan for `planned`."""
        options = ("-json", "-input=false", "-detailed-exitcode", "-out=plan.bin")
        return self.run("plan", *options, *arguments, **variables)

    def assert_nothing_to_do(self) -> None:
        """Plan, and expect "No changes" without a warning."""
        done = self.plan()
        assert (done.status, done.changes, done.read_on_apply, done.warnings) == (0, {}, set(), []), done.output

    def save_plan(self, **variables: str) -> Run:
        """Plan, and save the plan as `cdktf plan` does; expect success."""
        done = self.run("plan", "-json", "-input=false", "-out=plan", **variables)
        assert done.status == 0, done.output
        return done

    def planned(self) -> dict[str, Any]:
        """Return the last plan's changes by address, each with `before` and `after`."""
        document = json.loads(self.run("show", "-json", "plan.bin").output)
        changes = {each["address"]: each["change"] for each in document["resource_changes"]}
        for address, change in changes.items():
            if address.startswith("aws_iam_role."):
                assert not {"create", "delete"} & {*change["actions"]}, change
        return changes

    def apply(self, *arguments: str, **variables: str) -> Run:
        """Plan and apply in one run, and expect success."""
        done = self.try_to_apply(*arguments, **variables)
        assert done.status == 0, done.output
        return done

    def unlock(self) -> None:
        """Remove the lock of a killed Terraform as a person does, by the id in the next plan's error."""
        locked = self.plan()
        assert locked.status == 1
        (error,) = locked.errors
        lock_id = re.search(r" ID: +(\S+)", error)
        assert lock_id, error
        assert self.run("force-unlock", "-force", lock_id[1]).status == 0

    def try_to_apply(self, *arguments: str, **variables: str) -> Run:
        """Plan and apply in one run."""
        return self.run("apply", "-json", "-input=false", "-auto-approve", *arguments, **variables)


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill Terraform and its provider, as `kill -9` does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
