"""One HTTP connection: limits that apply before a request exists, and resets on purpose.

ASGI middleware sees requests only. Silent connections, slow headers and malformed HTTP are handled here, on top of
uvicorn's protocol class.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from catalog.web.limits import ServerLimits

RESET = "catalog.reset"
"""Key in ``scope["extensions"]``: a function that resets the connection without a response."""

ErrorBody = Callable[[int, str], tuple[str, bytes]]
"""Content type and body of an error response, from its status and a sentence."""

_LINGER_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 seconds: closing the socket sends RST."""

log = logging.getLogger(__name__)
# uvicorn warns about every malformed request. Clients must not be able to fill the log.
log.setLevel(logging.ERROR)


class LimitedConnection(H11Protocol):
    """A connection with limits; :func:`connection_class` sets ``limits`` and ``error_body``."""

    limits: ServerLimits
    error_body: ErrorBody

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = log
        self.waiting_since = time.monotonic()
        self._is_half_closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._is_head_timer = False
        app = self.app

        async def app_with_reset(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[RESET] = self.reset
            await app(scope, receive, send)

        self.app = app_with_reset

    # ------------------------------------------------------------------------------------------------ events

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._make_room()
        self._start_timer(self.limits.idle_seconds)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._restart_timer()

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio reads the result, uvicorn returns none
        """A client may close its sending side after its requests and still read the responses."""
        self._is_half_closed = True
        if self.transport.get_extra_info("ssl_object") is not None:
            return False  # TLS connections close as a whole
        return not self.is_waiting() and not self.cycle.more_body

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self.waiting_since = time.monotonic()
        super().on_response_complete()
        if self._is_half_closed and self.is_waiting():
            self.transport.close()
        else:
            self._restart_timer()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the base class's signature
        """Called for malformed HTTP, while the parser's exception is handled."""
        error = sys.exc_info()[1]
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        content_type, body = type(self).error_body(status, "The request is not well-formed HTTP.")
        headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), ("Connection", "close")]
        if self.conn.our_state is h11.IDLE:
            for event in (h11.Response(status_code=status, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    # ------------------------------------------------------------------------------------------------ state

    def is_waiting(self) -> bool:
        """True while no complete request head has arrived: the connection costs the server nothing but its place."""
        return self.cycle is None or self.cycle.response_complete

    def reset(self) -> None:
        """Cut the connection without a response; the client sees a reset."""
        connection = self.transport.get_extra_info("socket")
        if isinstance(connection, socket.socket) or hasattr(connection, "setsockopt"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        if self.cycle is not None:
            self.cycle.disconnected = True  # uvicorn then expects no response
        self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that has waited longest for a request; if none waits, close the new connection."""
        waiting = [
            connection
            for connection in self.connections
            if isinstance(connection, LimitedConnection) and connection is not self and connection.is_waiting()
        ]
        connection = min(waiting, key=lambda candidate: candidate.waiting_since, default=self)
        self.connections.discard(connection)
        connection.transport.abort()

    # ------------------------------------------------------------------------------------------------ timers

    def _restart_timer(self) -> None:
        """Bound the wait for a request, and the time that the head of a request may take."""
        if not self.is_waiting() or self.transport.is_closing():
            self._stop_timer()
            return
        has_partial_head = self.conn.our_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not has_partial_head:
            self._start_timer(self.limits.idle_seconds)
        elif not self._is_head_timer:
            self._start_timer(self.limits.head_seconds)
            self._is_head_timer = True

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._is_head_timer = False


def connection_class(limits: ServerLimits, error_body: ErrorBody) -> type[LimitedConnection]:
    """A protocol class for one server."""
    return type("Connection", (LimitedConnection,), {"limits": limits, "error_body": staticmethod(error_body)})
