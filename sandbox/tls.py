"""A certificate authority of the sandbox's own, and the TLS side of its HTTP server."""

import socket
import ssl
from pathlib import Path
from typing import Any

import trustme
from cheroot.ssl import Adapter
from cheroot.ssl.builtin import BuiltinSSLAdapter

HOST_NAMES = ("127.0.0.1", "localhost")


def make_context(authority_file: Path) -> ssl.SSLContext:
    """Return a server context for `HOST_NAMES`; write what clients must trust to `authority_file`.

    Private keys stay in memory.
    """
    authority = trustme.CA(organization_name="Local AWS sandbox")
    authority.cert_pem.write_to_path(authority_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOST_NAMES).configure_cert(context)
    return context


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
