"""The smallest Glue session, started and deleted: shows that Glue can assume a role."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from aws.account import Account
from aws.errors import AWS_ERRORS, in_words, is_not_found
from terraform_cli.interruption import ignore_interrupts, sigterm_as_interrupt

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

WORKERS = 2
IDLE_MINUTES = 5
TIMEOUT_MINUTES = 15
POLL_SECONDS = 1.0
READY_SECONDS = 300
_STATEMENT_SECONDS = 120
_STOPPED_SECONDS = 120
_CODE = "print(spark.sql('select 6 * 7').first()[0])"

# in most regions; billed by the second, one minute at least; a G.1X is one DPU: https://aws.amazon.com/glue/pricing/
_USD_PER_DPU_HOUR = 0.44
COST = (
    f"a session of {WORKERS} G.1X workers costs about USD {WORKERS * _USD_PER_DPU_HOUR / 60:.3f} a minute, for at least"
    f" one and at most {TIMEOUT_MINUTES} minutes (USD {_USD_PER_DPU_HOUR} per DPU-hour, regions differ)"
)


_Answer = TypeVar("_Answer")


class SessionResult(NamedTuple):
    """Outcome of a session: whether its statement ran, its output or error, and the session if it may still run."""

    ran: bool
    output: str
    remaining: str | None


class _SessionError(Exception):
    """The session or its statement failed; the message says why."""


def run_session(account: Account, role_arn: str, *, region: str, report: Callable[[str], object]) -> SessionResult:
    """Start a session as the caller, passing the role; run a statement; then stop and delete the session.

    An interrupt also stops and deletes the session.

    Args:
        account: the caller.
        role_arn: the role that the session runs as.
        region: the region of the session.
        report: called with the description of each step.

    Raises:
        KeyboardInterrupt: on an interrupt, after the session is deleted.
    """
    glue = account.client("glue", region)
    session_id = str(uuid.uuid4())
    ran, output = False, ""
    remaining: str | None = None
    with sigterm_as_interrupt():
        report(f"starting session {session_id}")
        may_exist = True
        try:
            try:
                _create(glue, session_id, role_arn, owner=account.identity.user_id)
            except ClientError:
                may_exist = False
                raise
            _until_ready(glue, session_id)
            report("the session is ready, running a statement")
            ran, output = True, _run(glue, session_id)
        except _SessionError as error:
            output = str(error)
        except AWS_ERRORS as error:
            output = in_words(error)
        finally:
            if may_exist:
                with ignore_interrupts():
                    report("stopping and deleting the session")
                    remaining = _remove(glue, session_id)
                    if remaining:
                        report(remaining)
    return SessionResult(ran, output, remaining)


def _create(glue: "GlueClient", session_id: str, role_arn: str, *, owner: str) -> None:
    glue.create_session(
        Id=session_id,
        Role=role_arn,
        Command={"Name": "glueetl", "PythonVersion": "3"},
        GlueVersion="5.0",
        WorkerType="G.1X",
        NumberOfWorkers=WORKERS,
        IdleTimeout=IDLE_MINUTES,
        Timeout=TIMEOUT_MINUTES,
        # as the kernel does; the managed policy limits owners to their own sessions
        Tags={"owner": owner.replace(",", "")},
    )


def _until_ready(glue: "GlueClient", session_id: str) -> None:
    for session in _polled(lambda: glue.get_session(Id=session_id)["Session"], READY_SECONDS):
        match session["Status"]:
            case "READY":
                return
            case "FAILED" | "STOPPED" | "TIMEOUT" as status:
                raise _SessionError(f"the session is {status}: {session.get('ErrorMessage', 'no reason given')}")
    raise _SessionError(f"the session was not ready after {READY_SECONDS:g} s")


def _run(glue: "GlueClient", session_id: str) -> str:
    number = glue.run_statement(SessionId=session_id, Code=_CODE)["Id"]
    for statement in _polled(
        lambda: glue.get_statement(SessionId=session_id, Id=number)["Statement"], _STATEMENT_SECONDS
    ):
        output = statement.get("Output", {})
        match statement["State"]:
            case "AVAILABLE" if output.get("Status", "ok") == "ok":
                return str(output.get("Data", {}).get("TextPlain", "")).strip()
            case "AVAILABLE" | "ERROR" | "CANCELLED" as state:
                reason = f"{output.get('ErrorName', state)}: {output.get('ErrorValue', 'no reason given')}"
                raise _SessionError(f"the statement failed: {reason}")
    raise _SessionError(f"the statement was not done after {_STATEMENT_SECONDS} s")


def _remove(glue: "GlueClient", session_id: str) -> str | None:
    """Stop and delete a session, even if it may not exist; return a warning if it may still run."""
    try:
        with contextlib.suppress(glue.exceptions.IllegalSessionStateException):  # already stopped
            glue.stop_session(Id=session_id)
        for session in _polled(lambda: glue.get_session(Id=session_id)["Session"], _STOPPED_SECONDS):
            if session["Status"] in ("STOPPED", "FAILED", "TIMEOUT"):
                glue.delete_session(Id=session_id)
                return None
        reason = f"it was not stopped after {_STOPPED_SECONDS} s"
    except AWS_ERRORS as error:
        if is_not_found(error):
            return None
        reason = in_words(error)
    return (
        f"session {session_id} may still run and incur costs ({reason}):"
        f" aws glue stop-session --region {glue.meta.region_name} --id {session_id}"
    )


def _polled(ask: Callable[[], _Answer], seconds: float) -> Iterator[_Answer]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield ask()
        time.sleep(POLL_SECONDS)
