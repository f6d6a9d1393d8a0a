"""Middleware that receives request bodies: bounded before they are read, within a deadline, in a bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalog.web.limits import MEBIBYTE, ServerLimits
from catalog.web.memory_budget import MemoryBudget

Refusal = Callable[[int, str], Response]
"""An error response, from its status and a sentence."""

_PEAK = 4
"""Bytes in use at the peak for each byte of a body: the body, its text, the JSON value, the decoded image."""
_SMALL = MEBIBYTE
_TINY = 64 * 1024
"""Bytes of a body that needs no reservation: such bodies of all connections together need less than one large body."""
_DISCARD = 4
"""A refused body is read to its end if it is at most this many times the limit.

Closing a connection with unread bytes resets it, and the client might not see the response.
"""


class ReceiveBody:
    """Passes each request on with its whole body, which must have a Content-Length.

    Bodies up to 1 MiB and larger bodies have separate memory, so that uploads of large images do not delay small
    requests. Bodies up to 64 KiB never wait for memory. ``check`` may refuse a request by its head, before its body is
    read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: ServerLimits,
        refusal: Refusal,
        check: Callable[[Scope], Response | None] | None = None,
        body_by_path: Mapping[str, int] | None = None,
    ) -> None:
        """``body_by_path``: bytes of one body for some paths, instead of the general limit."""
        self._app = app
        self._limits = limits
        self._refusal = refusal
        self._check = check
        self._body_by_path = body_by_path or {}
        self._small = MemoryBudget(limits.memory)
        self._large = MemoryBudget(limits.memory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"transfer-encoding" in headers:
            await _close_with(self._refusal(411, "The request must have a Content-Length."), scope, receive, send)
            return
        length = int(headers.get(b"content-length", b"0"))  # the HTTP parser accepts digits only
        refused = self._check(scope) if self._check else None
        limit = self._body_by_path.get(scope["path"], self._limits.body)
        if length > limit:
            refused = self._refusal(413, f"The request exceeds {limit} bytes.")
        try:
            if refused is not None:
                await self._discard(receive, length, limit)
                await _close_with(refused, scope, receive, send)
                return
            budget = self._small if length <= _SMALL else self._large
            needs_memory = length > _TINY
            async with budget.reserve(length * _PEAK) if needs_memory else contextlib.nullcontext():
                async with asyncio.timeout(self._limits.body_seconds):
                    receive_whole = _replay(await _read(receive, length), receive)
                await self._app(scope, receive_whole, send)
        except TimeoutError:
            await _close_with(self._refusal(408, "The request took too long to arrive."), scope, receive, send)
        except ClientDisconnect:
            return

    async def _discard(self, receive: Receive, length: int, limit: int) -> None:
        if length > _DISCARD * limit:
            return
        async with asyncio.timeout(self._limits.body_seconds):
            has_more = True
            while has_more:
                message = await _next(receive)
                has_more = message.get("more_body", False)


async def _read(receive: Receive, length: int) -> bytes:
    body = bytearray()
    has_more = True
    while has_more:
        message = await _next(receive)
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    if len(body) < length:
        raise ClientDisconnect
    return bytes(body)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message


def _replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once, keeps no reference to it, and then waits for the client to leave."""
    bodies = [body]

    async def receive_whole() -> Message:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        return await receive()

    return receive_whole


async def _close_with(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
