"""A proxy between the commands and the sandbox that records every call and can answer some itself."""

import http.client
import json
import queue
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from sandbox.launcher import Sandbox


@dataclass(frozen=True)
class Call:
    """A request; for S3 the operation is the method and the path, like `GET /bucket/key`."""

    operation: str
    region: str
    parameters: str


@dataclass(frozen=True)
class Refusal:
    """An error response."""

    code: str
    message: str = "not today"
    status: int = 400


@dataclass(frozen=True)
class Cut:
    """No response: the connection is closed."""


Answer = dict[str, Any] | bytes | Refusal | Cut | None
"""A JSON response, or XML, or an error, or a closed connection; None: the sandbox answers."""


@dataclass
class AwsProxy:
    """A running proxy. `answers` maps operations to functions of parameters and region, called before the sandbox."""

    environment: dict[str, str]
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Callable[[dict[str, Any], str], Answer]] = field(default_factory=dict)

    def refuse(self, operation: str, code: str, message: str = "not today") -> None:
        self.answers[operation] = lambda _, __: Refusal(code, message)

    def refuse_where(self, operation: str, parameter: str, value: str, code: str) -> None:
        """Refuse the calls with this value of a parameter."""
        self.answers[operation] = lambda given, _: Refusal(code, "not today") if given.get(parameter) == value else None

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]


class _Everything(dict[str, Callable[[dict[str, Any], str], Answer]]):
    def __init__(self, answer: Callable[[str], Answer]) -> None:
        self._answer = answer

    def get(self, operation: str, default: Any = None) -> Any:
        return lambda _, __: self._answer(operation)


def answer_all(proxy: AwsProxy, answer: Callable[[str], Answer]) -> None:
    """Answer every call with one function of its operation."""
    proxy.answers = _Everything(answer)


@contextmanager
def aws_proxy(sandbox: Sandbox) -> Iterator[AwsProxy]:
    """Run a proxy on loopback."""
    upstream = urlsplit(sandbox.endpoint)
    context = ssl.create_default_context(cafile=str(sandbox.certificate_authority))
    idle: queue.SimpleQueue[http.client.HTTPSConnection] = queue.SimpleQueue()
    proxy = AwsProxy({})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call, parameters = _call(self.headers, body, f"{self.command} {self.path}")
            proxy.calls.append(call)
            answer = proxy.answers.get(call.operation, _let_the_sandbox)(parameters, call.region)
            is_json = "X-Amz-Target" in self.headers
            if answer is None:
                self._forward(body)
            elif isinstance(answer, Cut):
                self.close_connection = True
            elif isinstance(answer, Refusal):
                text = _refusal(answer, is_json, is_s3=" " in call.operation)
                self._reply(answer.status, text, "application/x-amz-json-1.1" if is_json else "text/xml")
            elif isinstance(answer, bytes):
                self._reply(200, answer, "text/xml")
            else:
                self._reply(200, json.dumps(answer).encode(), "application/x-amz-json-1.1")

        do_GET = do_PUT = do_DELETE = do_HEAD = do_POST  # noqa: N815

        def _forward(self, body: bytes) -> None:
            try:
                connection = idle.get_nowait()
            except queue.Empty:
                connection = http.client.HTTPSConnection(str(upstream.hostname), upstream.port, context=context)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
            except (http.client.HTTPException, OSError):  # the sandbox has closed the idle connection
                connection.close()
                connection.request(self.command, self.path, body, dict(self.headers))
                response = connection.getresponse()
            content = response.read()
            idle.put(connection)
            more = {
                name: value for name, value in response.headers.items() if name.lower().startswith(("x-amz-", "etag"))
            }
            self._reply(response.status, content, response.headers.get("Content-Type", "text/plain"), more)

        def _reply(self, status: int, body: bytes, content_type: str, more: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(more or {}), "Content-Type": content_type}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.environment = {**sandbox.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_address[1]}"}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        while not idle.empty():
            idle.get_nowait().close()


def _let_the_sandbox(_: dict[str, Any], __: str) -> Answer:
    return None


def _call(headers: Any, body: bytes, request: str) -> tuple[Call, dict[str, Any]]:
    # Credential=KEY/DATE/REGION/SERVICE/aws4_request
    region = headers.get("Authorization", "///").split("/")[2]
    if target := headers.get("X-Amz-Target"):
        parameters = json.loads(body or b"{}")
        return Call(target.rpartition(".")[2], region, json.dumps(parameters, sort_keys=True)), parameters
    if headers.get("Authorization", "").split("/")[3:4] == ["s3"]:
        return Call(request.partition("?")[0], region, ""), {}
    parameters = dict(parse_qsl(body.decode()))
    return Call(parameters.get("Action", "-"), region, json.dumps(parameters, sort_keys=True)), parameters


def _refusal(refusal: Refusal, is_json: bool, *, is_s3: bool) -> bytes:
    if is_json:
        return json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
    body = f"<Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
    if is_s3:
        return f"<Error>{body}</Error>".encode()
    return (f"<ErrorResponse><Error><Type>Sender</Type>{body}</Error><RequestId>1</RequestId></ErrorResponse>").encode()
