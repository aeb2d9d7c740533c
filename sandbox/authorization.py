"""Authorize the requests of role sessions as IAM does. Requests with any other key are the operator's, and allowed.

A request needs one or more permissions (CreateSession also passes a role and sets tags). The evaluator decides each
one with its own resource and condition keys, and with the role's policies as they are at that moment.
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
_OF_GLUE = {"glue:CredentialIssuingService": "glue.amazonaws.com", "glue:RoleAssumedBy": "glue.amazonaws.com"}
"""Condition keys of requests with credentials that Glue issued.
Source: https://docs.aws.amazon.com/glue/latest/dg/using-identity-based-policies.html"""
CREDENTIAL = re.compile(r"(?:Credential|AWSAccessKeyId)=([^/&,\s]+)")


@dataclass(frozen=True)
class LoggedDecision:
    """A permission that a role session requested, and the decision."""

    principal: str
    action: str
    resource: str
    result: str


class Authority:
    """Authorizes requests, and logs the decisions."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._log: deque[LoggedDecision] = deque(maxlen=KEPT_DECISIONS)

    def install(self) -> None:
        """Have moto authorize requests here; call it before the first request."""
        authority = self

        def authorize(response: BaseResponse, request_class: type, resource: str = "*") -> None:
            if session := _session_of(response):
                authority.authorize(session, response, resource)

        ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize  # type: ignore[method-assign, assignment]

    def authorize(self, session: AssumedRole, response: BaseResponse, resource: str) -> None:
        """Return if a role session has every permission that its request needs.

        Raises:
            HTTPException: it does not; the body has the form that the service's clients read.
        """
        for permission in permissions_of(response, resource):
            decision = self.decide(session, permission)
            if not decision.is_allowed:
                action = permission.action
                raise _denied(
                    response,
                    f"User: {session.arn} is not authorized to perform: {action} on resource: "
                    f"{permission.resource_in_messages} {decision.reason(action)}",
                )

    def decide(self, session: AssumedRole, permission: Permission) -> Decision:
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
    """Return the role session that signed a request, in a header or in the address."""
    key = CREDENTIAL.search(response.headers.get("Authorization") or unquote(response.uri))
    session = roles.session_of_key(key[1]) if key else None
    if session and response.headers.get("X-Amz-Security-Token", session.session_token) != session.session_token:
        raise _denied(response, "The security token included in the request is invalid.")
    return session


def _context_of(session: AssumedRole, role: Role | None) -> dict[str, str | list[str]]:
    """Return the condition keys of every request.

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
        **(_OF_GLUE if session.session_name == roles.GLUE_SESSION_NAME else {}),
    }


def _denied(response: BaseResponse, message: str) -> Exception:
    if response.service_name == "s3":
        return S3ClientError("AccessDenied", message, status=403)
    return _AccessDenied(message, in_json="X-Amz-Target" in response.headers)


class _AccessDenied(HTTPException):
    """An access-denied response of a JSON service (Glue, SageMaker) or of a query service (IAM, STS)."""

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
