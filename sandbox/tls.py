"""A certificate authority of the sandbox's own, and the TLS side of its HTTP server."""

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
    """Return a server context for `HOST_NAMES` and all of AWS's; write what clients must trust to `authority_file`.

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
    """Certificates for AWS's host names, issued as clients ask for them: no wildcard covers their depths."""

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
    """cheroot's view of an `ssl.SSLContext` that is ready made."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket as it is: connections are wrapped one by one."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, Any]]:
        """Return the TLS side of an accepted connection, and what it adds to a request's environ.

        The handshake is left to the first read, which a worker thread does: a client that connects and says
        nothing then holds one worker until the time limit, and not the thread that accepts everybody.
        """
        connection = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return connection, self.get_environ()

    def get_environ(self) -> dict[str, Any]:
        """Return what every request over TLS has in its environ."""
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    makefile = BuiltinSSLAdapter.makefile
