"""Glue's session and statement calls, which moto answers emptily or not at all, over sessions that are real.

Sources: AWS Glue API reference; what is assumed stands in docs/sandbox.md.
"""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moto.glue.urls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.glue.responses import GlueResponse
from moto.iam.models import Role

from sandbox import roles
from sandbox.iam_evaluator import Evaluator
from sandbox.sessions import IllegalStateError, NotInstalledError, Session

DEFAULT_MINUTES = 2880
"""Timeout and idle timeout: 48 hours."""
DEFAULT_WORKERS = 5
PAGE = 100
"""Sessions or statements in an answer."""


class InvalidInput(ServiceException):
    """What is asked for makes no sense."""

    code = "InvalidInputException"


class EntityNotFound(ServiceException):
    """There is no such session or statement."""

    code = "EntityNotFoundException"


class AlreadyExists(ServiceException):
    """A session has this name."""

    code = "AlreadyExistsException"


class IllegalSessionState(ServiceException):
    """The session is not in a state for this."""

    code = "IllegalSessionStateException"


class TooMany(ServiceException):
    """As many sessions run as the account may have."""

    code = "ResourceNumberLimitExceededException"


@dataclass
class GlueSession:
    """A session as Glue describes it, and what runs it."""

    asked: dict[str, Any]
    role: Role
    arn: str
    running: Session

    def described(self) -> dict[str, Any]:
        """Return Glue's `Session`."""
        asked, running = self.asked, self.running
        workers = asked.get("NumberOfWorkers", DEFAULT_WORKERS)
        session = {
            "Id": asked["Id"],
            "Arn": self.arn,
            "CreatedOn": running.created,
            "Status": running.state,
            "Role": self.role.arn,
            "Command": asked["Command"],
            "DefaultArguments": asked.get("DefaultArguments", {}),
            "Progress": 0.0,
            "MaxCapacity": asked.get("MaxCapacity", float(workers)),
            "GlueVersion": asked.get("GlueVersion", "3.0"),
            "NumberOfWorkers": workers,
            "WorkerType": asked.get("WorkerType", "G.1X"),
            "IdleTimeout": asked.get("IdleTimeout", DEFAULT_MINUTES),
            "Timeout": asked.get("Timeout", DEFAULT_MINUTES),
        }
        for name in ("Description", "Connections", "SecurityConfiguration"):
            if name in asked:
                session[name] = asked[name]
        if running.failure:
            session["ErrorMessage"] = running.failure
        return session


class Sessions:
    """All sessions of the account.

    Args:
        evaluator: decides whether a role trusts Glue.
        start: makes a session's process from a folder's name and the role it acts as.
        quota: sessions that may run at the same time.

    """

    def __init__(self, evaluator: Evaluator, start: Callable[[str, Role], Session], quota: int) -> None:
        self._evaluator = evaluator
        self._start = start
        self._quota = quota
        self._sessions: dict[str, GlueSession] = {}
        self._started = 0
        self._lock = threading.Lock()

    def create(self, asked: dict[str, Any], arn: str) -> GlueSession:
        """Start a session (CreateSession).

        Raises:
            ServiceException: as Glue says it.

        """
        with self._lock:
            if asked["Id"] in self._sessions:
                raise AlreadyExists(f"Session already created, sessionId={asked['Id']}")
            role = roles.find_role(asked["Role"])
            if role is None or not roles.trusts(self._evaluator, role, "glue.amazonaws.com"):
                raise InvalidInput(
                    f"Role {roles.arn_of_role(asked['Role'])} should be given assume role permissions for Glue Service."
                )
            if sum(not session.running.has_ended for session in self._sessions.values()) >= self._quota:
                raise TooMany(f"Max concurrent sessions of the account exceeded, the quota is {self._quota}")
            self._started += 1
            try:
                running = self._start(f"session-{self._started}", role)
            except NotInstalledError as error:
                raise NotImplementedError(error) from None
            made = GlueSession(asked, role, arn, running)
            self._sessions[asked["Id"]] = made
            return made

    def get(self, name: str) -> GlueSession:
        """Return a session.

        Raises:
            EntityNotFound: there is none of this name.

        """
        try:
            return self._sessions[name]
        except KeyError:
            raise EntityNotFound(f"Session {name} not found") from None

    def all(self) -> list[GlueSession]:
        """Return the sessions, oldest first."""
        return list(self._sessions.values())

    def delete(self, name: str) -> None:
        """End a session and forget it (DeleteSession)."""
        session = self.get(name)
        del self._sessions[name]
        threading.Thread(target=session.running.kill, daemon=True).start()

    def end(self) -> None:
        """End all sessions, and wait until they have ended."""
        with self._lock, ThreadPoolExecutor() as pool:
            list(pool.map(lambda session: session.running.kill(), self.all()))


class GlueCalls(GlueResponse):
    """moto's Glue with sessions that run."""

    sessions: Sessions

    def create_session(self) -> ActionResult:
        """CreateSession."""
        asked = self.parameters
        arn = f"arn:{roles.PARTITION}:glue:{self.region}:{roles.ACCOUNT}:session/{asked['Id']}"
        made = self.sessions.create(asked, arn)
        self.glue_backend.tag_resource(arn, asked.get("Tags"))
        return ActionResult({"Session": made.described()})

    def get_session(self) -> ActionResult:
        """GetSession."""
        return ActionResult({"Session": self._session("Id").described()})

    def list_sessions(self) -> ActionResult:
        """ListSessions."""
        wanted = (self.parameters.get("Tags") or {}).items()
        found = [
            session.described()
            for session in self.sessions.all()
            if wanted <= self.glue_backend.get_tags(session.arn).items()
        ]
        page, token = self._page(found)
        return ActionResult({"Ids": [session["Id"] for session in page], "Sessions": page, "NextToken": token})

    def stop_session(self) -> ActionResult:
        """StopSession."""
        self._in_state(self._session("Id").running.stop)
        return ActionResult({"Id": self.parameters["Id"]})

    def delete_session(self) -> ActionResult:
        """DeleteSession."""
        self.sessions.delete(self.parameters["Id"])
        return ActionResult({"Id": self.parameters["Id"]})

    def run_statement(self) -> ActionResult:
        """RunStatement."""
        session, code = self._session("SessionId"), self.parameters["Code"]
        return ActionResult({"Id": self._in_state(lambda: session.running.run(code))})

    def get_statement(self) -> str:
        """GetStatement; as JSON, because botocore's model lacks the members that a figure comes in."""
        session = self._session("SessionId")
        try:
            return json.dumps({"Statement": session.running.statements[self._statement_id()]})
        except IndexError:
            raise EntityNotFound("Statement not found") from None

    def list_statements(self) -> str:
        """ListStatements."""
        page, token = self._page(self._session("SessionId").running.statements)
        return json.dumps({"Statements": page, **({"NextToken": token} if token else {})})

    def cancel_statement(self) -> ActionResult:
        """CancelStatement."""
        session = self._session("SessionId")
        try:
            self._in_state(lambda: session.running.cancel(self._statement_id()))
        except IndexError:
            raise EntityNotFound("Statement not found") from None
        return EmptyResult()

    def _session(self, parameter: str) -> GlueSession:
        return self.sessions.get(self.parameters[parameter])

    def _statement_id(self) -> int:
        number = int(self.parameters["Id"])
        if number < 0:
            raise InvalidInput(f"Statement id must be zero or more, it is {number}")
        return number

    def _in_state(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except IllegalStateError as error:
            raise IllegalSessionState(str(error)) from None

    def _page(self, items: list[Any]) -> tuple[list[Any], str | None]:
        start = int(self.parameters.get("NextToken") or 0)
        end = start + int(self.parameters.get("MaxResults") or PAGE)
        return items[start:end], str(end) if end < len(items) else None


def install(sessions: Sessions) -> None:
    """Make this moto's Glue; call it before the first request."""
    GlueCalls.sessions = sessions
    moto.glue.urls.url_paths["{0}/$"] = GlueCalls.dispatch


def session_starter(
    folder: Path, environment: dict[str, str], spark_settings: Callable[[], dict[str, str]]
) -> Callable[[str, Role], Session]:
    """Return what starts sessions in subfolders of `folder`, each with its role's credentials."""

    def start(name: str, role: Role) -> Session:
        acts_as = roles.assume(role, "GlueJobRunnerSession")
        credentials = {
            "AWS_ACCESS_KEY_ID": acts_as.access_key_id,
            "AWS_SECRET_ACCESS_KEY": acts_as.secret_access_key,
            "AWS_SESSION_TOKEN": acts_as.session_token,
        }
        return Session(folder / name, environment | credentials, spark_settings())

    return start
