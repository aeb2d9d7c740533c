"""The HTTP server: TLS, HTTP/1.1 with persistent connections, loopback only."""

import logging
import socket
import ssl
import threading
from typing import TYPE_CHECKING

from cheroot.wsgi import Server as WsgiServer

from sandbox.tls import TlsAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ADDRESS = "127.0.0.1"
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
        # Errors of clients (they hang up, they send no TLS) are not errors of the sandbox.
        log.log(level if level >= logging.ERROR else logging.INFO, "%s", msg, exc_info=traceback)
