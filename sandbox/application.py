"""The WSGI application: moto's dispatcher, one request at a time, with errors in AWS's form."""

import io
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterable
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from xml.sax.saxutils import escape

import botocore.session
from botocore.validate import ParamValidator
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox import s3
from sandbox.authorization import Authority
from sandbox.environment import REGION
from sandbox.iam_evaluator import EvaluatorError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)


DECISIONS_PATH = "/_sandbox/decisions"
"""No bucket can have this name."""
SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")
"""The region and service that a request is signed for."""
VALIDATED_SERVICES = ("glue", "sagemaker")
REPORTED_ERRORS = ("missing required field", "invalid type")


class Application:
    """Answer AWS API requests from moto's stores.

    Args:
        authority: authorizes the requests of role sessions, and keeps the log that `DECISIONS_PATH` returns.

    moto keeps its state in plain dictionaries, so requests are handled one by one. That makes conditional writes to
    S3 atomic, which Terraform's lock files need. Bodies are read before a request takes its turn, so that a slow
    client delays no others.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._moto = _Dispatcher(create_backend_app)
        self.turn = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle one request (PEP 3333)."""
        started = time.monotonic()
        body = _read_body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["RAW_URI"] = environ["REQUEST_URI"]  # moto reads object keys from it, still encoded
        if environ["PATH_INFO"] == DECISIONS_PATH:
            answer = _json_answer(self._authority.logged())
        elif malformed := _malformed(environ, body):
            answer = _error(environ, "400 Bad Request", *malformed)
        elif region := _region_elsewhere(environ):
            answer = _redirect(environ, region)
        else:
            answer = self._answer(environ)
        start_response(answer.status, answer.headers)
        log.info(
            "%s %s %s %s %.0f ms",
            environ["REQUEST_METHOD"],
            environ["REQUEST_URI"],
            _operation(environ, body),
            answer.status.partition(" ")[0],
            (time.monotonic() - started) * 1000,
        )
        return [answer.body]

    def _answer(self, environ: "WSGIEnvironment") -> "_Answer":
        answer = _Answer()
        try:
            with self.turn:
                answer.body = b"".join(self._moto(environ, answer.start))
        except (NotImplementedError, EvaluatorError) as error:
            message = f"the sandbox does not have this operation: {error}"
            return _error(environ, "501 Not Implemented", "NotImplemented", message)
        except Exception as error:
            log.exception("the sandbox failed on %s %s", environ["REQUEST_METHOD"], environ["REQUEST_URI"])
            # Not 500: SDKs and Terraform would retry it for minutes, and a retry never helps here.
            message = f"the sandbox failed: {type(error).__name__}: {error}"
            return _error(environ, "501 Not Implemented", "SandboxFailure", message)
        return answer


class _Dispatcher(DomainDispatcherApplication):
    @cache  # noqa: B019, there is one dispatcher, and moto would list its folders twice for each request
    def get_backend_for_host(self, host: str | None) -> Any:
        # of an unknown address of AWS, moto would print advice on its own source
        is_unknown = (
            host is not None
            and "amazonaws.com" in host
            and not any(at.match(f"http://{host}") for _, at in self.backend_url_patterns)
        )
        backend = None if is_unknown else super().get_backend_for_host(host)
        if host is not None and backend is None:
            raise NotImplementedError(f"moto has no service at {host}")
        return backend


class _Answer:
    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
        self.status, self.headers = status, headers
        return None


def _read_body(environ: "WSGIEnvironment") -> bytes:
    if environ.get("wsgi.input_terminated"):  # chunked
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return bytes(environ["wsgi.input"].read())
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return bytes(environ["wsgi.input"].read(length)) if length else b""


def _malformed(environ: "WSGIEnvironment", body: bytes) -> tuple[str, str] | None:
    """Return code and message if the region, or the form of a JSON service's request, is wrong: moto checks neither."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope and scope["region"] not in _regions(scope["service"]):
        where = f"supply a region that has {scope['service']}, such as {REGION}"
        return "UnknownRegion", f"{where}, got {scope['region']}"
    if "HTTP_X_AMZ_TARGET" not in environ:
        return None
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        return "SerializationException", "the request is not a JSON object"
    if scope is None or scope["service"] not in VALIDATED_SERVICES:
        return None
    model = get_service_model(scope["service"])
    operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    if operation not in model.operation_names:
        return "UnknownOperationException", f"there is no operation {operation}"
    report = ParamValidator().validate(parameters, model.operation_model(operation).input_shape)
    # AWS accepts unknown members, and the sandbox does not enforce lengths.
    report._errors = [error for error in report._errors if error[0] in REPORTED_ERRORS]
    return ("ValidationException", report.generate_report()) if report.has_errors() else None


def _region_elsewhere(environ: "WSGIEnvironment") -> str:
    """Return the region of the bucket of a request that is signed for another one; "" for any other request.

    CreateBucket, whose bucket may exist anywhere, has an answer of its own.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html, "Making requests to Regional endpoints"
    """
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    path = environ["PATH_INFO"]
    creates = environ["REQUEST_METHOD"] == "PUT" and not environ.get("QUERY_STRING") and not path.strip("/").count("/")
    if not scope or scope["service"] != "s3" or creates:
        return ""
    return s3.region_elsewhere(environ.get("HTTP_HOST", ""), path, scope["region"])


@cache
def _regions(service: str) -> frozenset[str]:
    """Return the regions of a service as botocore knows them; for one that has none, such as IAM, those of STS."""
    session = botocore.session.Session()
    regions = (session.get_available_regions(service, each) for each in session.get_available_partitions())
    return frozenset(chain(*regions)) or _regions("sts")


def _json_answer(value: object) -> _Answer:
    answer = _Answer()
    answer.status, answer.body = "200 OK", json.dumps(value).encode()
    answer.headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer.body)))]
    return answer


def _error(environ: "WSGIEnvironment", status: str, code: str, message: str) -> _Answer:
    """Return an error in the form that the service's clients read: JSON, or XML."""
    answer = _Answer()
    answer.status = status
    request_id = str(uuid4())
    if "HTTP_X_AMZ_TARGET" in environ or environ.get("CONTENT_TYPE") == "application/json":
        answer.body = json.dumps({"__type": code, "message": message}).encode()
        content_type = "application/x-amz-json-1.1"
    else:
        answer.body = (
            f"<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
            f"</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        ).encode()
        content_type = "text/xml"
    answer.headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(answer.body))),
        ("x-amzn-RequestId", request_id),
    ]
    return answer


def _redirect(environ: "WSGIEnvironment", region: str) -> _Answer:
    """Return S3's answer to a request for a bucket of another region.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    answer = _Answer()
    answer.status = "301 Moved Permanently"
    message = f"The bucket is in the region {region}: send the request to its endpoint"
    if environ["REQUEST_METHOD"] != "HEAD":
        answer.body = f"<Error><Code>PermanentRedirect</Code><Message>{message}</Message></Error>".encode()
    answer.headers = [
        ("Content-Type", "application/xml"),
        ("Content-Length", str(len(answer.body))),
        ("x-amz-bucket-region", region),
        ("x-amz-request-id", str(uuid4())),
    ]
    return answer


def _operation(environ: "WSGIEnvironment", body: bytes) -> str:
    """Return the AWS operation of a request, `-` for S3, where only the address has it."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target)
    for field in body[:2000].split(b"&"):
        if field.startswith(b"Action="):
            return field.removeprefix(b"Action=").decode("ascii", "replace")
    return "-"


def log_to_stderr(*, requests: bool) -> None:
    """Log errors to stderr, and each request as well if `requests`."""

    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    log.setLevel(logging.INFO if requests else logging.WARNING)
