"""Server-sent events: the number of the latest decision and the progress of a scan, whenever one of them changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from catalog.web.page_routes import PageRoutes
from catalog.web.review_desk import ReviewDesk
from catalog.web.review_guard import EVENTS_PATH
from catalog.web.review_json import Json

MAX_STREAMS = 4
CHECK_SECONDS = 1.0
"""Time between two looks at the database."""
COMMENT_SECONDS = 2.0
"""A stream without events sends a comment this often: a closed window is noticed only by a failed write."""


class ReviewEvents:
    """Route handler of the stream. ``is_ending`` becomes true when the server shuts down."""

    def __init__(self, desk: ReviewDesk, pages: PageRoutes, is_ending: Callable[[], bool]) -> None:
        self._desk = desk
        self._pages = pages
        self._is_ending = is_ending
        self._streams = 0

    def routes(self) -> list[Route]:
        return [Route(EVENTS_PATH, self.events)]

    async def events(self, request: Request) -> Response:
        """A stream that ends with the server, with the session, or when the browser leaves.

        A fifth window gets 204: browsers then open no stream again, and the page asks for the status instead.
        """
        if self._streams >= MAX_STREAMS:
            return Response(status_code=204)
        return StreamingResponse(self._stream(request), media_type="text/event-stream")

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        self._streams += 1
        leaving = asyncio.ensure_future(_until_it_leaves(request))
        try:
            sent: Json = {}
            silent = 0.0
            while not self._is_ending() and request.state.is_open() and not leaving.done():
                state = await self._pages.call(self._desk.progress)
                if state != sent:
                    sent, silent = state, 0.0
                    yield f"data: {json.dumps({**state, 'status': await self._pages.call(self._desk.status)})}\n\n"
                elif silent >= COMMENT_SECONDS:
                    silent = 0.0
                    yield ": \n\n"
                await asyncio.wait([leaving], timeout=CHECK_SECONDS)
                silent += CHECK_SECONDS
        finally:
            leaving.cancel()
            self._streams -= 1


async def _until_it_leaves(request: Request) -> None:
    """Wait until the browser closes the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
