"""A Glue session and its processes end with the sandbox."""

import os
import signal
import subprocess
import time

from sandbox.launcher import Sandbox
from tests.sandbox.conftest import SESSION, START_LIMIT, Role, wait_for_state
from tests.sandbox.test_lifecycle import wait_until_ended


def descendants(process_id: int) -> set[int]:
    table = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in table.splitlines()}
    found = {process_id}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process_id}


def end_with_signal(sandbox: Sandbox, number: signal.Signals, processes: int) -> None:
    """Send a signal once the sandbox has this many child processes, and wait until they have ended."""
    deadline = time.monotonic() + START_LIMIT
    while len(started := descendants(sandbox.process_id)) < processes:
        assert time.monotonic() < deadline, started
        time.sleep(0.1)
    os.kill(sandbox.process_id, number)
    assert [pid for pid in [sandbox.process_id, *started] if not wait_until_ended(pid)] == []


def test_a_sandbox_that_is_stopped_during_a_statement_leaves_nothing_behind() -> None:
    with Sandbox() as sandbox:
        role = Role(sandbox, "notebook", "glue.amazonaws.com")
        glue = sandbox.client("glue")
        glue.create_session(Id="s", Role=role.arn, **SESSION)
        wait_for_state(glue, "s", "READY")
        glue.run_statement(SessionId="s", Code="import plotly.express as px\nfigure = px.bar(y=[1])\n%plotly figure")
        sleep = "sc.parallelize([1], 1).foreach(lambda _: __import__('time').sleep(600))"
        glue.run_statement(SessionId="s", Code=sleep)
        # Node, the interpreter, its watcher, Java, two workers of PySpark, and what draws for plotly
        end_with_signal(sandbox, signal.SIGTERM, processes=8)


def test_a_sandbox_that_is_killed_leaves_nothing_behind() -> None:
    with Sandbox() as sandbox:
        role = Role(sandbox, "notebook", "glue.amazonaws.com")
        sandbox.client("glue").create_session(Id="s", Role=role.arn, **SESSION)
        end_with_signal(sandbox, signal.SIGKILL, processes=4)
