"""The HTTP server under the protocol: the standard library's, with the limits that it lacks.

Loopback is where it belongs. What keeps strangers from hurting it all the same: a cap on connections, on the size of a
body and on the time that a request may take to arrive; answers in Amazon's shape to whatever comes; no word about
itself. A web page cannot reach it, as browsers do not send ``application/x-amz-json-1.1`` without asking first.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from catalog.endpoint import protocol
from catalog.endpoint.errors import ConnectionDropped, WireError
from catalog.endpoint.service import Service

log = logging.getLogger(__name__)

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time left: the peer sees a reset


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a client may take of the server.

    ``body`` in bytes: two images of 5 MiB in base64 are 14 MB, and an image that is too large must be read to be
    refused by name. ``connections`` at one time; more are turned away. ``arrival`` in seconds from a request's first
    byte to its last; ``idle`` in seconds between two requests of one connection.
    """

    body: int = 32 * 1024 * 1024
    connections: int = 256
    arrival: float = 30.0
    idle: float = 60.0


class EndpointServer(ThreadingHTTPServer):
    """Serves one :class:`Service` on one address; port 0 takes a free one, see :attr:`url`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, service: Service, host: str = "127.0.0.1", port: int = 0, limits: ServerLimits | None = None
    ) -> None:
        self.service = service
        self.limits = limits or ServerLimits()
        self._seats = threading.BoundedSemaphore(self.limits.connections)
        self._arriving: dict[socket.socket, float] = {}
        self._arriving_lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Request)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        text = str(host)
        return f"http://[{text}]:{port}" if ":" in text else f"http://{text}:{port}"

    @contextlib.contextmanager
    def in_background(self) -> Iterator[str]:
        """Serve from a thread of its own for as long as the context lasts; gives the URL."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self.url
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._seats.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()

    def service_actions(self) -> None:
        """Between polls: cut off requests that have been arriving for too long, byte by byte."""
        latest = time.monotonic() - self.limits.arrival
        with self._arriving_lock:
            late = [connection for connection, since in self._arriving.items() if since < latest]
            for connection in late:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def arriving(self, connection: socket.socket) -> Iterator[None]:
        with self._arriving_lock:
            self._arriving[connection] = time.monotonic()
        try:
            yield
        finally:
            with self._arriving_lock:
                del self._arriving[connection]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - as the base class has it
        log.debug("A connection ended badly.", exc_info=True)


class _Request(BaseHTTPRequestHandler):
    """One connection, and the requests that come over it."""

    server: EndpointServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    """Buffered, so that headers and body leave in one packet."""

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.limits.idle)

    def handle_one_request(self) -> None:
        try:
            if not self.rfile.peek(1):  # type: ignore[attr-defined] # a BufferedReader, whatever the stubs say
                self.close_connection = True
                return
            with self.server.arriving(self.connection):
                self.raw_requestline = self.rfile.readline(65537)
                if len(self.raw_requestline) > 65536:
                    self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
                    self.send_error(414)
                    return
                if not self.parse_request():
                    return
                body = self._read_body()
            self._answer(body)
        except WireError as error:
            self._send(protocol.failure(error, self._request_id()))
        except ConnectionDropped:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection = True
        except OSError:  # timed out, cut off or gone: there is nobody left to answer
            self.close_connection = True

    def _read_body(self) -> bytes:
        """Raises WireError and marks the connection for closing where the body's end cannot be known or is too far."""
        lengths = set(self.headers.get_all("Content-Length", []))
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise WireError("MissingContentLength", "The request must say its Content-Length.", status=411)
        if not lengths:
            return b""
        text = lengths.pop()
        if lengths or not (text.isascii() and text.isdigit()):
            self.close_connection = True
            raise WireError("BadRequest", "The request's Content-Length cannot be read.")
        length = int(text[:20])
        if length > self.server.limits.body:
            self.close_connection = True
            self._discard(length)
            raise WireError(
                "RequestEntityTooLargeException", f"The request exceeds {self.server.limits.body} bytes.", status=413
            )
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError
        return body

    def _discard(self, length: int) -> None:
        """Read a refused body to its end, if that is near: closing on unread bytes would reset the refusal away."""
        left = length if length <= 4 * self.server.limits.body else 0
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536))) or left

    def _answer(self, body: bytes) -> None:
        request_id = self._request_id()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.service.answer(self.command, self.path, headers, body, request_id), request_id)

    def _send(self, answer: protocol.WireResponse, request_id: str = "") -> None:
        self.send_response(answer.status)
        self.send_header("x-amzn-RequestId", request_id or self._request_id())
        self.send_header("Content-Type", protocol.CONTENT_TYPE)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """The base class calls this for what is not HTTP; Amazon's shape goes out instead of its page."""
        self.close_connection = True
        self.request_version = "HTTP/1.1"  # before it is known the base class assumes 0.9, which has no headers
        error = WireError("BadRequest", message or "The request is not well-formed HTTP.", status=code)
        self._send(protocol.failure(error, self._request_id()))

    def version_string(self) -> str:
        return "catalog"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        log.debug(format, *args)

    def _request_id(self) -> str:
        return str(uuid.uuid4())


def is_loopback(host: str) -> bool:
    """True for an address, or localhost, that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
