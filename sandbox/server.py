"""The HTTPS server: its certificates, TLS, HTTP/1.1 with persistent connections, loopback only."""

import logging
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from cheroot.ssl import Adapter
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server as WsgiServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ADDRESS = "127.0.0.1"
HOST_NAMES = ("127.0.0.1", "localhost")
AWS_SUFFIX = ".amazonaws.com"
WORKERS = 128
"""Clients served in parallel: a new connection holds a thread until its first request is answered, and Go's HTTP
client (Terraform's) opens more connections than it uses."""
PERSISTENT_CONNECTIONS = 512
CLIENT_TIME_LIMIT = 30
"""Seconds that a client may be silent, within a request or between requests."""
LARGEST_BODY = 512 * 1024 * 1024
"""Bytes; far above any Terraform state or notebook data, far below the machine's memory."""

log = logging.getLogger(__name__)


class Server:
    """An HTTPS server of `application` on a loopback port, in separate threads."""

    def __init__(self, application: "WSGIApplication", *, port: int, context: ssl.SSLContext) -> None:
        self._http = _WsgiServer(
            (ADDRESS, port),
            application,
            numthreads=WORKERS,
            request_queue_size=128,
            timeout=CLIENT_TIME_LIMIT,
        )
        self._http.ssl_adapter = TlsAdapter(context)
        self._http.keep_alive_conn_limit = PERSISTENT_CONNECTIONS
        self._http.max_request_body_size = LARGEST_BODY

    def start(self) -> None:
        """Listen and serve.

        Raises:
            OSError: the port is not available.
        """
        self._http.prepare()
        threading.Thread(target=self._http.serve, name="accept", daemon=True).start()

    @property
    def port(self) -> int:
        """The server's port, once started."""
        listener: socket.socket = self._http.socket
        return int(listener.getsockname()[1])


class _WsgiServer(WsgiServer):
    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        # Errors of clients (they hang up, send no TLS, do not know the authority) are not errors of the sandbox.
        is_own = level >= logging.ERROR and not isinstance(sys.exception(), OSError)
        log.log(level if is_own else logging.INFO, "%s", msg, exc_info=traceback and is_own)


def make_context(authority_file: Path) -> ssl.SSLContext:
    """Return a server context for `HOST_NAMES` and all AWS host names; write its authority to `authority_file`.

    Private keys stay in memory.
    """
    authority = trustme.CA(organization_name="Local AWS sandbox")
    authority.cert_pem.write_to_path(authority_file)
    context = _context_for(authority, *HOST_NAMES)
    context.sni_callback = _AwsNames(authority)  # type: ignore[assignment]
    return context


def _context_for(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


class _AwsNames:
    """Certificates for AWS host names, issued on demand: a wildcard covers only one level."""

    def __init__(self, authority: trustme.CA) -> None:
        self._authority = authority
        self._issued: dict[str, ssl.SSLContext] = {}
        self._turn = threading.Lock()

    def __call__(self, connection: ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> None:
        if name is None or not name.endswith(AWS_SUFFIX):
            return
        with self._turn:
            if name not in self._issued:
                self._issued[name] = _context_for(self._authority, name)
            connection.context = self._issued[name]


class TlsAdapter(Adapter):
    """A cheroot adapter for an existing `ssl.SSLContext`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket unchanged: connections are wrapped one by one."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Return an accepted connection with TLS, and its additions to the environ of requests.

        The handshake happens at the first read, in a worker thread: a silent client then blocks one worker until the
        time limit, and not the thread that accepts connections.
        """
        connection = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return connection, self.get_environ()

    def get_environ(self) -> dict[str, Any]:
        """Return the additions to the environ of every request over TLS."""
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    makefile = BuiltinSSLAdapter.makefile
