"""`verify --start-session` starts a session and always deletes it."""

import os
import signal
from typing import Any

import pytest

from commands.verify import session
from tests.aws_proxy import Answer, AwsProxy, Refusal
from tests.commands.verify.conftest import Granted, Run

ARGUMENTS = ("--json", "--start-session", "--yes", "*team")


class Glue:
    """Glue's sessions: one at a time, in the states that a test sets."""

    def __init__(self, proxy: AwsProxy) -> None:
        self.created: dict[str, Any] | None = None
        self.state = "READY"
        self.statement: dict[str, Any] = {
            "State": "AVAILABLE",
            "Output": {"Status": "ok", "Data": {"TextPlain": "42\n"}},
        }
        self.operations: list[str] = []
        proxy.refuse("SimulatePrincipalPolicy", "AccessDenied")
        answers = {
            "CreateSession": self._create,
            "GetSession": lambda _: {"Session": {"Id": "1", "Status": self.state, "ErrorMessage": "no capacity"}},
            "RunStatement": lambda _: {"Id": 0},
            "GetStatement": lambda _: {"Statement": {"Id": 0, **self.statement}},
            "StopSession": self._stop,
            "DeleteSession": self._delete,
        }
        for operation, answer in answers.items():
            proxy.answers[operation] = self._recording(operation, answer)

    def _recording(self, operation: str, answer: Any) -> Any:
        def recorded(parameters: dict[str, Any], _: str) -> Answer:
            self.operations.append(operation)
            result: Answer = answer(parameters)
            return result

        return recorded

    def _create(self, parameters: dict[str, Any]) -> Answer:
        self.created = parameters
        return {"Session": {"Id": parameters["Id"], "Status": "PROVISIONING"}}

    def _stop(self, _: dict[str, Any]) -> Answer:
        if self.state in ("FAILED", "STOPPED"):
            return Refusal("IllegalSessionStateException", f"Session is in {self.state} status")
        self.state = "STOPPED"
        return {"Id": "1"}

    def _delete(self, _: dict[str, Any]) -> Answer:
        self.created = None
        return {"Id": "1"}


@pytest.fixture
def glue(proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> Glue:
    monkeypatch.setattr(session, "POLL_SECONDS", 0.01)
    return Glue(proxy)


def test_a_minimal_session_runs_a_statement_and_is_deleted(verify: Run, granted: Granted, glue: Glue) -> None:
    granted()
    run = verify(*ARGUMENTS)
    assert run.status == 0
    assert run.role("team")["session"] == {"ran": True, "output": "42", "remaining": None}
    assert glue.operations == [
        *("CreateSession", "GetSession", "RunStatement", "GetStatement"),
        *("StopSession", "GetSession", "DeleteSession"),
    ]


def test_the_session_is_minimal_and_times_out(
    verify: Run, granted: Granted, glue: Glue, proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = granted()
    request: dict[str, Any] = {}
    create = proxy.answers["CreateSession"]

    def recorded(parameters: dict[str, Any], region: str) -> Answer:
        request.update(parameters)
        return create(parameters, region)

    proxy.answers["CreateSession"] = recorded
    verify(*ARGUMENTS)
    assert request.pop("Id")
    assert request == {
        "Role": arn,
        "Command": {"Name": "glueetl", "PythonVersion": "3"},
        "GlueVersion": "5.0",
        "WorkerType": "G.1X",
        "NumberOfWorkers": 2,
        "IdleTimeout": 5,
        "Timeout": 15,
        "Tags": {"owner": request["Tags"]["owner"]},
    }


def test_the_cost_is_printed_first_and_the_caller_last(verify: Run, granted: Granted, glue: Glue) -> None:
    granted()
    run = verify("--start-session", "--yes", "*team")
    assert run.err.splitlines()[0].startswith("a session of 2 G.1X workers costs about USD 0.015 a minute")
    assert "the caller started the sessions and passed the roles" in run.out


def test_without_a_terminal_and_without_yes_nothing_is_started(
    verify: Run, granted: Granted, glue: Glue, proxy: AwsProxy
) -> None:
    run = verify("--start-session")
    assert (run.status, proxy.calls) == (2, [])
    assert run.err.splitlines()[-1] == "supply --yes with --start-session, there is no terminal to ask on"


def test_no_session_is_started_with_a_role_that_is_not_ready(verify: Run, glue: Glue) -> None:
    run = verify(*ARGUMENTS)
    assert run.status == 1
    assert "glue-sessions-dev-team: not ready, no session is started" in run.err
    assert glue.operations == []


def test_a_refused_session_is_reported_and_nothing_is_stopped(
    verify: Run, granted: Granted, glue: Glue, proxy: AwsProxy
) -> None:
    granted()
    message = "Role team should be given assume role permissions for Glue Service."
    proxy.refuse("CreateSession", "InvalidInputException", message)
    run = verify(*ARGUMENTS)
    assert run.status == 1
    assert run.role("team")["session"]["output"] == f"InvalidInputException: {message.rstrip('.')}"
    assert run.role("team")["state"] == "not ready"
    assert glue.operations == []


def test_a_failed_session_is_deleted(verify: Run, granted: Granted, glue: Glue) -> None:
    granted()
    glue.state = "FAILED"
    run = verify(*ARGUMENTS)
    assert run.status == 1
    assert run.role("team")["session"]["output"] == "the session is FAILED: no capacity"
    assert glue.operations[-3:] == ["StopSession", "GetSession", "DeleteSession"]


def test_a_failed_statement_is_reported_and_the_session_is_deleted(verify: Run, granted: Granted, glue: Glue) -> None:
    granted()
    glue.statement = {"State": "ERROR", "Output": {"ErrorName": "Py4JError", "ErrorValue": "no Spark"}}
    run = verify(*ARGUMENTS)
    assert run.role("team")["session"]["output"] == "the statement failed: Py4JError: no Spark"
    assert glue.created is None


def test_a_session_that_is_never_ready_is_deleted(
    verify: Run, granted: Granted, glue: Glue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "READY_SECONDS", 0.1)
    granted()
    glue.state = "PROVISIONING"
    run = verify(*ARGUMENTS)
    assert run.role("team")["session"]["output"] == "the session was not ready after 0.1 s"
    assert glue.created is None


def test_a_session_that_cannot_be_stopped_is_reported_with_the_command_that_stops_it(
    verify: Run, granted: Granted, glue: Glue, proxy: AwsProxy
) -> None:
    granted()
    proxy.refuse("StopSession", "AccessDeniedException")
    run = verify(*ARGUMENTS)
    assert glue.created is not None
    remaining = run.role("team")["session"]["remaining"]
    assert remaining.endswith(f"aws glue stop-session --region us-east-1 --id {glue.created['Id']}")
    assert remaining in run.err
    assert run.status == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("operation", ["GetSession", "GetStatement"])
def test_an_interrupted_session_is_stopped_and_deleted(
    verify: Run, granted: Granted, glue: Glue, proxy: AwsProxy, number: signal.Signals, operation: str
) -> None:
    granted()
    answer = proxy.answers[operation]
    interrupted: list[str] = []

    def interrupting(parameters: dict[str, Any], region: str) -> Answer:
        if not interrupted:
            interrupted.append(operation)
            os.kill(os.getpid(), number)
        return answer(parameters, region)

    proxy.answers[operation] = interrupting
    run = verify(*ARGUMENTS)
    assert (run.status, run.out) == (130, "")
    assert run.err.splitlines()[-1] == "interrupted"
    assert glue.operations[-1] == "DeleteSession"
    assert glue.created is None
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
