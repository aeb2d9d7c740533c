"""The environment of a Studio application: its execution role's credentials, and an HTTP proxy.

One plain HTTP address on loopback serves both. Credentials are at `CREDENTIALS_PATH`, as SageMaker serves them to
AWS's SDKs. CONNECT opens a tunnel to the sandbox for every AWS host name, so that programs without endpoint settings
use `https://<service>.<region>.amazonaws.com`. The proxy refuses all other host names.
"""

import contextlib
import json
import socket
import socketserver
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from urllib.parse import quote, unquote

from sandbox.server import ADDRESS, AWS_SUFFIX

CREDENTIALS_PATH = "/_sagemaker-instance-credentials/"
SILENCE_LIMIT = 300
"""Seconds after which an idle tunnel is closed."""

Credentials = dict[str, str]


class CredentialsRefusedError(Exception):
    """A role's credentials are not available; the message gives the reason."""


def credentials_path(role_arn: str) -> str:
    """Return the path of a role's credentials."""
    return f"{CREDENTIALS_PATH}{quote(role_arn, safe='')}/credentials"


def check_credentials(address: str, role_arn: str) -> None:
    """Check that a `StudioHost` at an address has credentials of a role.

    Raises:
        CredentialsRefusedError: it has none.
    """
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address + credentials_path(role_arn)).close()
    except urllib.error.HTTPError as error:
        with error:
            raise CredentialsRefusedError(json.load(error)["message"]) from None


class StudioHost:
    """Serves credentials and tunnels to Studio applications.

    Args:
        credentials_of: returns the credentials of a role, by ARN, in the form of AWS's container credentials, or
            raises `CredentialsRefusedError`.
        target_port: the sandbox's port on loopback, the destination of tunnels.
    """

    def __init__(self, credentials_of: Callable[[str], Credentials], target_port: int) -> None:
        class Handler(_Handler):
            pass

        Handler.credentials_of = staticmethod(credentials_of)
        Handler.target_port = target_port
        self._server = _Server((ADDRESS, 0), Handler)

    def start(self) -> None:
        """Serve in separate threads."""
        threading.Thread(target=self._server.serve_forever, name="studio", daemon=True).start()

    @property
    def address(self) -> str:
        """The address, `http://127.0.0.1:PORT`."""
        return f"http://{ADDRESS}:{self._server.server_address[1]}"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        return  # the client hung up


class _Handler(BaseHTTPRequestHandler):
    credentials_of: Callable[[str], Credentials]
    target_port: int
    timeout = SILENCE_LIMIT

    def do_GET(self) -> None:
        role, slash, rest = self.path.removeprefix(CREDENTIALS_PATH).partition("/")
        if not self.path.startswith(CREDENTIALS_PATH) or slash + rest != "/credentials":
            self.send_error(404)
            return
        try:
            self._answer(200, self.credentials_of(unquote(role)))
        except CredentialsRefusedError as refusal:
            self._answer(403, {"code": "AccessDenied", "message": str(refusal)})

    def do_CONNECT(self) -> None:
        if not self.path.partition(":")[0].endswith(AWS_SUFFIX):
            self.send_error(403, "only AWS host names are available")
            return
        with socket.create_connection((ADDRESS, self.target_port)) as far:
            far.settimeout(SILENCE_LIMIT)
            self.send_response(200, "Connection established")
            self.end_headers()
            back = threading.Thread(target=_copy, args=[far, self.connection], daemon=True)
            back.start()
            _copy(self.connection, far)
            back.join()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self, status: int, body: Credentials) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source closes, then close the sink."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def expiry(seconds: float) -> str:
    """Return the time in some seconds, in the format of credentials."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
