"""The process of the sandbox: its start, its output, and its end with its parent process."""

import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.launcher import PACKAGE_PARENT, Sandbox, SandboxError
from tests.waiting import wait_until

COMMAND = [sys.executable, "-m", "sandbox"]


def is_running(process_id: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True).stdout
    return state != "" and not state.startswith("Z")  # a zombie has ended, and only its exit status remains


def wait_until_ended(process_id: int, seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(process_id):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_stopped_sandbox_is_gone_with_its_files() -> None:
    sandbox = Sandbox().start()
    process_id, directory = sandbox.process_id, sandbox.log_file.parent
    assert sandbox.client("sts").get_caller_identity()["Account"] == "123456789012"
    sandbox.stop()
    assert not is_running(process_id)
    assert not directory.exists()
    sandbox.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_has_its_directory_alone_and_a_signal_ends_it_with_status_0_and_removes_its_files(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--directory", str(tmp_path)], cwd=PACKAGE_PARENT, stdout=subprocess.PIPE, text=True
    )
    wait_until((tmp_path / "environment").exists, "the sandbox is ready")
    files = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    second = subprocess.run(
        [*COMMAND, "--directory", str(tmp_path)], cwd=PACKAGE_PARENT, capture_output=True, text=True
    )
    kept = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert (second.returncode, second.stderr) == (
        2,
        f"sandbox: cannot run: another sandbox uses {tmp_path}: supply another directory\n",
    )
    assert kept == files
    assert f"source {tmp_path}/environment" in output
    assert "export AWS_ENDPOINT_URL=https://127.0.0.1:" in output
    assert [*tmp_path.iterdir()] == []


def test_it_ends_when_its_parent_process_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time; from sandbox.launcher import Sandbox; "
            "print(Sandbox().start().process_id, flush=True); time.sleep(60)",
        ],
        cwd=PACKAGE_PARENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        sandbox_id = int(parent.stdout.readline())
    assert is_running(sandbox_id)
    parent.kill()
    parent.wait()
    assert wait_until_ended(sandbox_id)


def test_the_environment_file_can_be_sourced_from_any_directory_name(tmp_path: Path) -> None:
    directory = tmp_path / "it's a place"
    process = subprocess.Popen([*COMMAND, "--directory", str(directory)], cwd=PACKAGE_PARENT, stdout=subprocess.DEVNULL)
    try:
        wait_until((directory / "environment").exists, "the sandbox is ready")
        script = f'. {shlex.quote(str(directory / "environment"))} && printf "%s\\n" "$AWS_CA_BUNDLE"'
        shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert Path(shell.stdout.rstrip("\n")).read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert (directory / "environment").stat().st_mode & 0o077 == 0
    finally:
        process.terminate()
        process.wait(timeout=120)


def test_a_port_in_use_is_reported_in_one_line_with_status_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run([*COMMAND, "--port", str(port)], cwd=PACKAGE_PARENT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("sandbox: cannot run: ")
    assert str(port) in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "-1"], ["--port", "x"], ["--nope"]])
def test_an_invalid_command_line_exits_with_status_2_without_a_traceback(arguments: list[str]) -> None:
    ended = subprocess.run([*COMMAND, *arguments], cwd=PACKAGE_PARENT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_a_sandbox_that_cannot_start_reports_its_last_lines() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Sandbox(["--port", str(taken.getsockname()[1])])
        with pytest.raises(SandboxError, match=r"ended with status 2; its last lines:\nsandbox: cannot run: "):
            sandbox.start()
    sandbox.stop()


def test_a_sandbox_that_is_not_ready_in_time_is_stopped() -> None:
    sandbox = Sandbox(time_limit=0.01)
    with pytest.raises(SandboxError, match=r"not ready in 0\.01 s"):
        sandbox.start()
    with pytest.raises(SandboxError, match="not running"):
        _ = sandbox.process_id


def test_requests_are_logged_only_with_verbose() -> None:
    with Sandbox() as quiet, Sandbox(["--verbose"]) as verbose:
        for sandbox in (quiet, verbose):
            sandbox.client("iam").list_roles()
        assert "ListRoles" not in quiet.log_file.read_text()
        assert "POST / ListRoles 200" in verbose.log_file.read_text()


def test_clients_without_its_authority_and_those_that_hang_up_are_not_logged() -> None:
    with Sandbox() as sandbox:
        with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
            urllib.request.urlopen(sandbox.endpoint, context=ssl.create_default_context())
        address = urlsplit(sandbox.endpoint)
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        sandbox.client("iam").list_roles()
        assert "Traceback" not in sandbox.log_file.read_text()
