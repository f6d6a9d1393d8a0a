"""The HTTP server: uvicorn on one bound socket, in the foreground or in a thread."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp

from catalog.web.allocator import return_large_buffers
from catalog.web.connection import ErrorBody, connection_class
from catalog.web.limits import ServerLimits

_BACKLOG = 128
_SWITCH_SECONDS = 0.0005
"""Longest turn of a thread while others wait for Python's global lock; Python's default is ten times as long.

The event loop needs the lock again after each read. Beside threads that parse uploads it waited so long at each of
dozens of sockets that a small request took seconds.
"""
_GRACE = 2
"""Seconds that requests in progress may take after the server is asked to end."""


class WebServer:
    """Serves one ASGI application on one address. Port 0 takes a free port, see :attr:`url`."""

    def __init__(
        self,
        app: ASGIApp,
        error_body: ErrorBody,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        sockets: Sequence[socket.socket] = (),
        limits: ServerLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Bind the address, or serve on listening ``sockets``, with TLS if a context is given.

        Clients can connect from now on and wait.

        Raises OSError if the address is in use.
        """
        limits = limits or ServerLimits()
        self._sockets = list(sockets) or [listen(host, port)]
        for listener in self._sockets:
            # Accepted connections inherit it; asyncio sets it only for sockets whose protocol number is not 0. Without
            # it the body of a reply waits 40 ms until the client acknowledges the head.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # h11 is set explicitly: connection limits build on it, and httptools is not a dependency.
        config = uvicorn.Config(
            app,
            http=connection_class(limits, error_body),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=int(limits.idle_seconds) + 1,
            timeout_graceful_shutdown=_GRACE,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        )
        self._server = uvicorn.Server(config)

    @property
    def port(self) -> int:
        port: int = self._sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        host = self._sockets[0].getsockname()[0]
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def serve_forever(self) -> None:
        """Serve until :meth:`shutdown`, SIGINT or SIGTERM. Then uvicorn raises the signal again."""
        return_large_buffers()
        sys.setswitchinterval(_SWITCH_SECONDS)
        # uvicorn captures signals once its loop runs. One that comes before would raise KeyboardInterrupt between the
        # creation of the server's coroutine and its start, and Python would warn of a coroutine never awaited.
        with self._server.capture_signals():
            self._server.run(sockets=self._sockets)

    def shutdown(self) -> None:
        """End :meth:`serve_forever`, from any thread."""
        self._server.should_exit = True

    @property
    def is_ending(self) -> bool:
        """True from the request to end until the end."""
        return self._server.should_exit

    def close(self) -> None:
        for listener in self._sockets:
            listener.close()

    @contextlib.contextmanager
    def in_background(self) -> Iterator[str]:
        """Serve from another thread while the context lasts; gives the URL."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        try:
            yield self.url
        finally:
            self.shutdown()
            thread.join()
            self.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free port. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def is_loopback(host: str) -> bool:
    """True for an address, or localhost, that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
