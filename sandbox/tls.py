"""The sandbox's certificate authority, and the TLS of its HTTP server."""

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import trustme
from cheroot.ssl import Adapter
from cheroot.ssl.builtin import BuiltinSSLAdapter

HOST_NAMES = ("127.0.0.1", "localhost")
AWS_SUFFIX = ".amazonaws.com"


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
