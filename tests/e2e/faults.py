"""An AWS endpoint that lets everything through to the local AWS, save what it is told to refuse or to hold."""

import contextlib
import http.client
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from sandbox.launcher import Sandbox

_FORWARDED = ("Authorization", "Content-Type", "Host", "X-Amz-Date", "X-Amz-Security-Token")


class FaultyEndpoint:
    """IAM and STS with faults, on a loopback port of their own.

        with FaultyEndpoint(aws, deny={"GetRole": "no way"}) as faulty:
            terraform.plan(**faulty.environment)

    Args:
        aws: the local AWS behind.
        deny: actions that are answered with `AccessDenied`, each with its message.
        hold: an action that is never answered; `held` tells that it has been asked for.
    """

    def __init__(self, aws: Sandbox, *, deny: Mapping[str, str] | None = None, hold: str | None = None) -> None:
        self._address = urlsplit(aws.endpoint).netloc
        self._tls = ssl.create_default_context(cafile=str(aws.certificate_authority))
        self._deny = deny or {}
        self._hold = hold
        self._left = threading.Event()
        self.held = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def environment(self) -> dict[str, str]:
        """What terraform needs in its environment to come here."""
        endpoint = f"http://127.0.0.1:{self._server.server_port}"
        return {"AWS_ENDPOINT_URL_IAM": endpoint, "AWS_ENDPOINT_URL_STS": endpoint}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        action = parse_qs(body.decode()).get("Action", [""])[0]
        if action in self._deny:
            error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(self._deny[action])}</Message>"
            return 403, f"<ErrorResponse><Error>{error}</Error><RequestId>1</RequestId></ErrorResponse>".encode()
        if action == self._hold:
            self.held.set()
            self._left.wait()
            return 503, b""
        with contextlib.closing(http.client.HTTPSConnection(self._address, context=self._tls)) as connection:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name: value for name in _FORWARDED if (value := self.headers[name])}
                status, content = answer(self.path, body, headers)
                with contextlib.suppress(ConnectionError):  # whoever asked may have been killed
                    self.send_response(status)
                    self.send_header("Content-Type", "text/xml")
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
