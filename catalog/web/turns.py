"""Middleware that limits how many requests are processed at the same time."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class ServeInOrder:
    """Processes at most ``requests`` requests at a time. The others wait and are served first in, first out."""

    def __init__(self, app: ASGIApp, *, requests: int) -> None:
        self._app = app
        self._seats = asyncio.Semaphore(requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with self._seats:
            await self._app(scope, receive, send)
