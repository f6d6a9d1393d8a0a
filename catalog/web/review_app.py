"""The review pages as an ASGI application: pages, JSON routes, crops, and the middleware around them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from catalog.app.review_values import ReviewConflictError
from catalog.domain.errors import CatalogError, LockHeld, PersonError, PhotoError, SamePhotoError, SourceError
from catalog.web.limits import ServerLimits
from catalog.web.receipt import ReceiveBody
from catalog.web.review_answers import read_json
from catalog.web.review_desk import CROP_SIDES, IMAGE_SIDES, CardChangedError, ReviewDesk
from catalog.web.review_guard import COOKIE, GuardReview
from catalog.web.sessions import LONGEST_SECONDS, Sessions
from catalog.web.turns import ServeInOrder

_STATIC = Path(__file__).parent / "static"
_CARDS = 6
_HOME_CARDS = 5
_THREADS = 8

log = logging.getLogger(__name__)

T = TypeVar("T")


def review_limits() -> ServerLimits:
    """Limits of the review server: its requests are small, except that images are sent back."""
    return ServerLimits(body=64 * 1024, connections=64, requests=32, body_seconds=10.0)


def review_app(desk: ReviewDesk, sessions: Sessions, *, host: str, limits: ServerLimits | None = None) -> Starlette:
    """The application. ``host``: the name and port under which the browser reaches it."""
    limits = limits or review_limits()
    pages = ReviewPages(desk, sessions)
    middleware = [
        Middleware(GuardReview, host=host, sessions=sessions),
        Middleware(ReceiveBody, limits=limits, refusal=_refusal),
        Middleware(ServeInOrder, requests=limits.requests),
    ]
    return Starlette(
        routes=[*pages.routes(), Mount("/static", StaticFiles(directory=_STATIC))],
        middleware=middleware,
        exception_handlers={CatalogError: _catalog_error, Exception: _bug},
    )


class ReviewPages:
    """The route handlers. Calls of the desk run in threads, because they read the database and photos."""

    def __init__(self, desk: ReviewDesk, sessions: Sessions) -> None:
        self._desk = desk
        self._sessions = sessions
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="review")
        self._templates = Environment(loader=PackageLoader("catalog.web"), autoescape=True)

    def routes(self) -> list[Route]:
        """GET pages, GET and POST of JSON, and images."""
        return [
            Route("/enter", self.enter),
            Route("/session", self.start_session, methods=["POST"]),
            Route("/", self.home),
            Route("/review", self.review),
            Route("/api/status", self.status),
            Route("/api/questions", self.questions),
            Route("/api/names", self.names),
            Route("/api/answers", self.answer, methods=["POST"]),
            Route("/api/undo", self.undo, methods=["POST"]),
            Route("/crops/{face}/{side:int}", self.crop),
            Route("/images/{sha256}/{side:int}", self.image),
        ]

    # ------------------------------------------------------------------------------------------------ pages

    async def enter(self, _request: Request) -> Response:
        return self._page("enter.html")

    async def start_session(self, request: Request) -> Response:
        """Exchange the one-time token of the opened address for a cookie."""
        token = read_json(await request.body()).get("token")
        cookie = self._sessions.exchange(token) if isinstance(token, str) else None
        if cookie is None:
            message = "This address was used already. Run catalog review again."
            return JSONResponse({"error": "token", "message": message}, 403)
        response = JSONResponse({})
        response.set_cookie(COOKIE, cookie, max_age=int(LONGEST_SECONDS), httponly=True, samesite="strict", path="/")
        return response

    async def home(self, request: Request) -> Response:
        status, cards = await asyncio.gather(
            self._call(self._desk.status), self._call(lambda: self._desk.cards(_HOME_CARDS))
        )
        return self._page("home.html", request, status=status, cards=cards)

    async def review(self, request: Request) -> Response:
        return self._page("review.html", request, status=await self._call(self._desk.status))

    # ------------------------------------------------------------------------------------------------ JSON

    async def status(self, _request: Request) -> Response:
        return JSONResponse(await self._call(self._desk.status))

    async def questions(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "")
        excluded = tuple(name for name in request.query_params.get("not", "").split(",") if name)
        count = min(max(int(limit), 1), 20) if limit.isascii() and limit.isdigit() and len(limit) < 5 else _CARDS
        return JSONResponse({"questions": await self._call(lambda: self._desk.cards(count, excluded))})

    async def names(self, request: Request) -> Response:
        prefix, near_id = request.query_params.get("q", "")[:100], request.query_params.get("near")
        return JSONResponse({"names": await self._call(lambda: self._desk.names(prefix, near_id))})

    async def answer(self, request: Request) -> Response:
        body = read_json(await request.body())
        try:
            result = await self._call(lambda: self._desk.answer(body))
        except SamePhotoError as error:
            return JSONResponse({"error": "same_photo", "message": str(error)}, 409)
        except (ReviewConflictError, CardChangedError) as error:
            card = await self._call(lambda: self._desk.card_again(str(body.get("question"))))
            return JSONResponse({"error": "changed", "message": str(error), "card": card}, 409)
        return JSONResponse({**result, "status": await self._call(self._desk.status)})

    async def undo(self, request: Request) -> Response:
        body = read_json(await request.body())
        result = await self._call(lambda: self._desk.undo(body))
        return JSONResponse({**result, "status": await self._call(self._desk.status)})

    # ------------------------------------------------------------------------------------------------ images

    async def crop(self, request: Request) -> Response:
        face, side = request.path_params["face"], request.path_params["side"]
        if side not in CROP_SIDES:
            return Response(status_code=404)
        return await self._image(lambda: self._desk.crop(face, side))

    async def image(self, request: Request) -> Response:
        sha256, side = request.path_params["sha256"], request.path_params["side"]
        if side not in IMAGE_SIDES or len(sha256) != 64:
            return Response(status_code=404)
        return await self._image(lambda: self._desk.image(sha256, side))

    async def _image(self, make: Callable[[], bytes]) -> Response:
        try:
            return Response(await self._call(make), media_type="image/jpeg")
        except (PersonError, PhotoError, SourceError):
            return Response(status_code=404)

    # ------------------------------------------------------------------------------------------------ inside

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)

    def _page(self, template: str, request: Request | None = None, **values: Any) -> Response:
        page_key = request.state.page_key if request is not None else ""
        return HTMLResponse(self._templates.get_template(template).render(page_key=page_key, **values))


def error_body(_status: int, message: str) -> tuple[str, bytes]:
    """Content type and body of an error before a request exists."""
    return "text/plain; charset=utf-8", message.encode()


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": "refused", "message": message}, status)


async def _catalog_error(_request: Request, error: Exception) -> Response:
    status = 503 if isinstance(error, LockHeld) else 422
    remedy = error.remedy if isinstance(error, CatalogError) else ""
    return JSONResponse({"error": "not_written", "message": str(error), "remedy": remedy}, status)


async def _bug(_request: Request, error: Exception) -> Response:
    log.error("A request failed.", exc_info=error)
    return JSONResponse({"error": "bug", "message": "The request failed. The log says why."}, 500)
