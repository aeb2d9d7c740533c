"""Judge the requests of role sessions as IAM does. Requests with any other key are the operator's, and served.

A request needs one permission or several (CreateSession also passes a role and sets tags): each is put to the
evaluator with its own resource and condition keys, together with the role's policies as they are at that moment.
"""

import json
import re
from collections import deque
from dataclasses import asdict, dataclass
from urllib.parse import unquote
from xml.sax.saxutils import escape

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.responses import BaseResponse
from moto.core.utils import utcnow
from moto.iam.models import Role
from moto.s3.exceptions import S3ClientError
from moto.sts.models import AssumedRole
from werkzeug.exceptions import HTTPException

from sandbox import roles
from sandbox.iam_evaluator import Decision, Evaluator, Question
from sandbox.permissions import Permission, permissions_of

KEPT_DECISIONS = 100_000
CREDENTIAL = re.compile(r"(?:Credential|AWSAccessKeyId)=([^/&,\s]+)")


@dataclass(frozen=True)
class LoggedDecision:
    """What a role session asked for, and the answer."""

    principal: str
    action: str
    resource: str
    result: str


class Authority:
    """Who may do what, and the log of what was decided."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._log: deque[LoggedDecision] = deque(maxlen=KEPT_DECISIONS)

    def install(self) -> None:
        """Make this what moto asks before it serves a request; call it before the first one."""
        authority = self

        def authorize(response: BaseResponse, request_class: type, resource: str = "*") -> None:
            if session := _session_of(response):
                authority.authorize(session, response, resource)

        ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize  # type: ignore[method-assign, assignment]

    def authorize(self, session: AssumedRole, response: BaseResponse, resource: str) -> None:
        """Return if a role session may have what it asks for.

        Raises:
            HTTPException: it may not, in the form that the service's clients read.

        """
        for permission in permissions_of(response, resource):
            decision = self.judge(session, permission)
            if not decision.is_allowed:
                action = permission.action
                raise _refusal(
                    response,
                    f"User: {session.arn} is not authorized to perform: {action} on resource: "
                    f"{permission.resource_in_refusals} {decision.reason(action)}",
                )

    def judge(self, session: AssumedRole, permission: Permission) -> Decision:
        """Decide on one permission of a role session, and log it."""
        role = roles.find_role(session.role_arn)
        decision = self.evaluator.decide(
            Question(
                principal=session.arn,
                action=permission.action,
                resource=permission.resource,
                account=roles.ACCOUNT,
                context={**_context_of(session, role), **permission.context},
                identity_policies=roles.identity_policies(role) if role else [],
                permissions_boundary=roles.permissions_boundary(role) if role else None,
                resource_policy=permission.resource_policy,
            )
        )
        self._log.append(LoggedDecision(session.arn, permission.action, permission.resource, decision.result))
        return decision

    def logged(self) -> list[dict[str, str]]:
        """Return the log, oldest first, for JSON."""
        return [asdict(decision) for decision in self._log]


def _session_of(response: BaseResponse) -> AssumedRole | None:
    """Return the role session that a request is of, by its signature in a header or in the address."""
    found = CREDENTIAL.search(response.headers.get("Authorization") or unquote(response.uri))
    session = roles.session_of_key(found[1]) if found else None
    if session and response.headers.get("X-Amz-Security-Token", session.session_token) != session.session_token:
        raise _refusal(response, "The security token included in the request is invalid.")
    return session


def _context_of(session: AssumedRole, role: Role | None) -> dict[str, str | list[str]]:
    """Return the condition keys that every request has.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return {
        "aws:PrincipalAccount": roles.ACCOUNT,
        "aws:PrincipalArn": session.role_arn,
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
        "aws:ResourceAccount": roles.ACCOUNT,
        "aws:CurrentTime": utcnow().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:SecureTransport": "true",
        "aws:SourceIp": "127.0.0.1",
        "aws:ViaAWSService": "false",
        "aws:userid": session.user_id,
        **({f"aws:PrincipalTag/{key}": value for key, value in roles.tags_of(role).items()} if role else {}),
    }


def _refusal(response: BaseResponse, message: str) -> Exception:
    if response.service_name == "s3":
        return S3ClientError("AccessDenied", message, status=403)
    return _Refusal(message, in_json="X-Amz-Target" in response.headers)


class _Refusal(HTTPException):
    """A refusal as JSON services (Glue, SageMaker) send it, or as query services (IAM, STS) do."""

    def __init__(self, message: str, *, in_json: bool) -> None:
        if in_json:
            self.code = 400
            body = json.dumps({"__type": "AccessDeniedException", "Message": message})
        else:
            self.code = 403
            body = (
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
                f"<Message>{escape(message)}</Message></Error><RequestId>-</RequestId></ErrorResponse>"
            )
        super().__init__(body)
