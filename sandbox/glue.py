"""Glue's session and statement operations, which moto lacks, on sessions that run Spark.

Sources: AWS Glue API reference; docs/sandbox.md lists the assumptions.
"""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moto.glue.urls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.glue.models import glue_backends
from moto.glue.responses import GlueResponse
from moto.iam.models import Role

from sandbox import roles, session_arguments
from sandbox.iam_evaluator import Evaluator
from sandbox.installation import NotInstalledError
from sandbox.sessions import IllegalStateError, Session

DEFAULT_MINUTES = 2880
"""Timeout and idle timeout: 48 hours."""
DEFAULT_WORKERS = 5
PAGE = 100
"""Sessions or statements in a response."""
GLUE_VERSIONS = ("3.0", "4.0", "5.0", "5.1", "6.0")
"""Those with sessions. Source: AWS Glue developer guide, "AWS Glue versions"; earlier ones ended in April 2026."""
FEWEST_WORKERS = 2
"""Source: AWS Glue API reference, CreateSession, NumberOfWorkers."""


class InvalidInput(ServiceException):
    """The request is invalid."""

    code = "InvalidInputException"


class EntityNotFound(ServiceException):
    """The session or statement does not exist."""

    code = "EntityNotFoundException"


class AlreadyExists(ServiceException):
    """A session with this ID exists."""

    code = "AlreadyExistsException"


class IllegalSessionState(ServiceException):
    """The session's state does not allow the operation."""

    code = "IllegalSessionStateException"


class ResourceNumberLimitExceeded(ServiceException):
    """The quota of concurrent sessions is used up."""

    code = "ResourceNumberLimitExceededException"


StartSession = Callable[[str, Role, Mapping[str, str]], Session]


@dataclass
class GlueSession:
    """A session: the request that created it, and its process."""

    request: dict[str, Any]
    role: Role
    arn: str
    process: Session

    def description(self) -> dict[str, Any]:
        """Return Glue's `Session`."""
        request, process = self.request, self.process
        workers = request.get("NumberOfWorkers", DEFAULT_WORKERS)
        session = {
            "Id": request["Id"],
            "Arn": self.arn,
            "CreatedOn": process.created,
            "Status": process.state,
            "Role": self.role.arn,
            "Command": request["Command"],
            "DefaultArguments": request.get("DefaultArguments", {}),
            "Progress": 0.0,
            "MaxCapacity": request.get("MaxCapacity", float(workers)),
            "GlueVersion": request.get("GlueVersion", "3.0"),
            "NumberOfWorkers": workers,
            "WorkerType": request.get("WorkerType", "G.1X"),
            "IdleTimeout": request.get("IdleTimeout", DEFAULT_MINUTES),
            "Timeout": request.get("Timeout", DEFAULT_MINUTES),
        }
        for name in ("Description", "Connections", "SecurityConfiguration"):
            if name in request:
                session[name] = request[name]
        if process.failure:
            session["ErrorMessage"] = process.failure
        return session


class Sessions:
    """All sessions of the account.

    Args:
        evaluator: decides whether a role trusts Glue.
        start: starts a session's process in a folder of this name, with the role's credentials and its arguments.
        quota: most concurrent sessions in a region.
    """

    def __init__(self, evaluator: Evaluator, start: StartSession, quota: int) -> None:
        self._evaluator = evaluator
        self._start = start
        self._quota = quota
        self._sessions: dict[tuple[str, str], GlueSession] = {}
        self._started = 0
        self._lock = threading.Lock()

    def create(self, region: str, request: dict[str, Any]) -> GlueSession:
        """Start a session (CreateSession).

        Raises:
            ServiceException: with Glue's message.
        """
        with self._lock:
            if (region, request["Id"]) in self._sessions:
                raise AlreadyExists(f"Session already created, sessionId={request['Id']}")
            _check_settings(region, request)
            role = roles.find_role(request["Role"])
            if role is None or not roles.trusts(self._evaluator, role, "glue.amazonaws.com"):
                arn_of_role = roles.arn_of_role(request["Role"])
                raise InvalidInput(f"Role {arn_of_role} should be given assume role permissions for Glue Service.")
            if sum(not session.process.has_ended for session in self.all(region)) >= self._quota:
                raise ResourceNumberLimitExceeded(
                    f"Max concurrent sessions of the account exceeded, the quota is {self._quota}"
                )
            self._started += 1
            try:
                arguments = request.get("DefaultArguments", {})
                process = self._start(f"session-{self._started}", role, arguments)
            except NotInstalledError as error:
                raise NotImplementedError(error) from None
            arn = f"arn:{roles.PARTITION}:glue:{region}:{roles.ACCOUNT}:session/{request['Id']}"
            session = GlueSession(request, role, arn, process)
            self._sessions[region, request["Id"]] = session
            return session

    def get(self, region: str, name: str) -> GlueSession:
        """Return a session.

        Raises:
            EntityNotFound: there is no session of this name in the region.
        """
        try:
            return self._sessions[region, name]
        except KeyError:
            raise EntityNotFound(f"Session {name} not found") from None

    def all(self, region: str) -> list[GlueSession]:
        """Return the sessions of a region, oldest first."""
        return [session for (where, _), session in self._sessions.items() if where == region]

    def delete(self, region: str, name: str) -> None:
        """End a session and remove it (DeleteSession)."""
        session = self.get(region, name)
        del self._sessions[region, name]
        threading.Thread(target=session.process.kill, daemon=True).start()

    def end(self) -> None:
        """End all sessions, and wait for their processes."""
        with self._lock, ThreadPoolExecutor() as pool:
            list(pool.map(lambda session: session.process.kill(), self._sessions.values()))


def _check_settings(region: str, request: dict[str, Any]) -> None:
    """Refuse the settings that no session can have.

    Raises:
        ServiceException: names the setting.
    """
    version = request.get("GlueVersion", GLUE_VERSIONS[0])
    if version not in GLUE_VERSIONS:
        raise InvalidInput(f"GlueVersion {version} is not supported, use one of {', '.join(GLUE_VERSIONS)}")
    if (workers := request.get("NumberOfWorkers", DEFAULT_WORKERS)) < FEWEST_WORKERS:
        raise InvalidInput(f"NumberOfWorkers must be at least {FEWEST_WORKERS}, it is {workers}")
    if refusal := session_arguments.refusal(request.get("DefaultArguments", {})):
        raise InvalidInput(refusal)
    existing = glue_backends[roles.ACCOUNT][region].connections
    for name in request.get("Connections", {}).get("Connections", []):
        if name not in existing:
            raise EntityNotFound(f"Connection {name} not found")


class GlueCalls(GlueResponse):
    """moto's Glue with sessions and statements."""

    sessions: Sessions

    def create_session(self) -> ActionResult:
        """CreateSession."""
        session = self.sessions.create(self.region, self.parameters)
        self.glue_backend.tag_resource(session.arn, self.parameters.get("Tags"))
        return ActionResult({"Session": session.description()})

    def get_session(self) -> ActionResult:
        """GetSession."""
        return ActionResult({"Session": self._session("Id").description()})

    def list_sessions(self) -> ActionResult:
        """ListSessions."""
        tags = (self.parameters.get("Tags") or {}).items()
        sessions = [
            session.description()
            for session in self.sessions.all(self.region)
            if tags <= self.glue_backend.get_tags(session.arn).items()
        ]
        page, token = self._page(sessions)
        return ActionResult({"Ids": [session["Id"] for session in page], "Sessions": page, "NextToken": token})

    def stop_session(self) -> ActionResult:
        """StopSession."""
        self._in_state(self._session("Id").process.stop)
        return ActionResult({"Id": self.parameters["Id"]})

    def delete_session(self) -> ActionResult:
        """DeleteSession."""
        self.sessions.delete(self.region, self.parameters["Id"])
        return ActionResult({"Id": self.parameters["Id"]})

    def run_statement(self) -> ActionResult:
        """RunStatement."""
        session, code = self._session("SessionId"), self.parameters["Code"]
        return ActionResult({"Id": self._in_state(lambda: session.process.run(code))})

    def get_statement(self) -> str:
        """GetStatement; as JSON, because botocore's model lacks the members that hold a figure."""
        session = self._session("SessionId")
        try:
            return json.dumps({"Statement": session.process.statements[self._statement_id()]})
        except IndexError:
            raise EntityNotFound("Statement not found") from None

    def list_statements(self) -> str:
        """ListStatements."""
        page, token = self._page(self._session("SessionId").process.statements)
        return json.dumps({"Statements": page, **({"NextToken": token} if token else {})})

    def cancel_statement(self) -> ActionResult:
        """CancelStatement."""
        session = self._session("SessionId")
        try:
            self._in_state(lambda: session.process.cancel(self._statement_id()))
        except IndexError:
            raise EntityNotFound("Statement not found") from None
        return EmptyResult()

    def _session(self, parameter: str) -> GlueSession:
        return self.sessions.get(self.region, self.parameters[parameter])

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
    """Replace moto's Glue operations; call it before the first request."""
    GlueCalls.sessions = sessions
    moto.glue.urls.url_paths["{0}/$"] = GlueCalls.dispatch


def session_starter(
    folder: Path, environment: dict[str, str], spark_settings: Callable[[], dict[str, str]]
) -> StartSession:
    """Return a function that starts sessions in subfolders of `folder`, each with its role's credentials."""

    def start(name: str, role: Role, arguments: Mapping[str, str]) -> Session:
        session = roles.assume(role, roles.GLUE_SESSION_NAME)
        credentials = {
            "AWS_ACCESS_KEY_ID": session.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
            "AWS_SESSION_TOKEN": session.session_token,
        }
        return Session(folder / name, environment | credentials, spark_settings(), arguments)

    return start
