"""Small web applications and raw connections, to test one middleware at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from catalog.web.limits import ServerLimits
from catalog.web.server import WebServer


def refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


def error_body(status: int, message: str) -> tuple[str, bytes]:
    return "application/json", json.dumps({"status": status, "error": message}).encode()


class Recorder:
    """An application that records each request and answers with the length of its body, after ``delay`` seconds."""

    def __init__(self, delay: float = 0.0) -> None:
        self.paths: list[str] = []
        self.running = 0
        self.maximum = 0
        self._delay = delay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        self.paths.append(scope["path"])
        self.running += 1
        self.maximum = max(self.maximum, self.running)
        await asyncio.sleep(self._delay)
        self.running -= 1
        await JSONResponse({"length": len(body)})(scope, receive, send)


@contextlib.contextmanager
def serving(app: Any, *middleware: Middleware, limits: ServerLimits | None = None) -> Iterator[str]:
    """Serve an application behind middleware; gives the URL."""
    site = Starlette(routes=[Mount("", app=app)], middleware=list(middleware))
    with WebServer(site, error_body, limits=limits).in_background() as url:
        yield url


def connect(url: str, timeout: float = 5.0) -> socket.socket:
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=timeout)


def exchange(url: str, data: bytes, *, wait: float = 5.0) -> bytes:
    """Send raw bytes, keep the connection open, and return all bytes received until the server closes."""
    with connect(url, wait) as connection:
        connection.sendall(data)
        received = b""
        with contextlib.suppress(OSError):
            while chunk := connection.recv(65536):
                received += chunk
        return received


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
