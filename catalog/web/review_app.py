"""The review pages as an ASGI application: the queue with its JSON routes and images, and the middleware around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from catalog.app.catalog import Catalog
from catalog.app.review_values import ReviewConflictError
from catalog.domain.errors import CatalogError
from catalog.web.browse_pages import BrowsePages
from catalog.web.change_routes import ChangeRoutes
from catalog.web.device_name import device_name
from catalog.web.limits import MEBIBYTE, ServerLimits
from catalog.web.page_routes import PageRoutes, bug, catalog_error
from catalog.web.receipt import ReceiveBody
from catalog.web.review_answers import read_json
from catalog.web.review_desk import CROP_SIDES, HOME_CARDS, IMAGE_SIDES, CardChangedError, ReviewDesk
from catalog.web.review_events import ReviewEvents
from catalog.web.review_guard import COOKIE, GuardReview
from catalog.web.sessions import LONGEST_SECONDS, Sessions
from catalog.web.turns import ServeInOrder
from catalog.web.watch_pages import WatchPages

_STATIC = Path(__file__).parent / "static"
LONGEST_PHOTO = 30 * MEBIBYTE
"""Bytes of a photo that is searched for."""
_CARDS = 6


def review_limits() -> ServerLimits:
    """Limits of the review server: its requests are small, except that images are sent back."""
    return ServerLimits(body=64 * 1024, connections=64, requests=32, body_seconds=10.0)


def review_app(
    catalog: Catalog,
    sessions: Sessions,
    *,
    host: str,
    desk: ReviewDesk | None = None,
    limits: ServerLimits | None = None,
    is_ending: Callable[[], bool] = lambda: False,
    approve: Callable[[str], bool] | None = None,
) -> Starlette:
    """The application. ``host``: the name and port under which the browser reaches it. ``desk``: default a new one.

    ``is_ending`` becomes true when the server shuts down, so that open streams end. ``approve`` decides whether a
    device of the network may sign in, by its name; then the pages are served by TLS, and no original file is served.
    """
    limits = limits or review_limits()
    desk, pages = desk or ReviewDesk(catalog), PageRoutes()
    pages.templates.globals["is_local"] = approve is None
    routes = [
        *ReviewPages(desk, sessions, pages, approve).routes(),
        *BrowsePages(catalog, pages, has_originals=approve is None).routes(),
        *WatchPages(catalog, pages).routes(),
        *ChangeRoutes(desk, catalog, pages).routes(),
        *ReviewEvents(desk, pages, is_ending).routes(),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    middleware = [
        Middleware(GuardReview, host=host, sessions=sessions, scheme="http" if approve is None else "https"),
        Middleware(ReceiveBody, limits=limits, refusal=_refusal, body_by_path={"/api/find": LONGEST_PHOTO}),
        Middleware(ServeInOrder, requests=limits.requests),
    ]
    return Starlette(
        routes=routes, middleware=middleware, exception_handlers={CatalogError: catalog_error, Exception: bug}
    )


class ReviewPages:
    """Signing in, the queue of questions, answers, and images."""

    def __init__(
        self, desk: ReviewDesk, sessions: Sessions, pages: PageRoutes, approve: Callable[[str], bool] | None = None
    ) -> None:
        """``approve`` decides whether a device may sign in; None: no question, this machine alone."""
        self._approve = approve
        self._desk = desk
        self._sessions = sessions
        self._pages = pages

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
            Route("/crops/{face}/{side:int}", self.crop),
            Route("/images/{sha256}/{side:int}", self.image),
        ]

    # ------------------------------------------------------------------------------------------------ pages

    async def enter(self, _request: Request) -> Response:
        return self._pages.page("enter.html")

    async def start_session(self, request: Request) -> Response:
        """Exchange the one-time token of the opened address for a cookie."""
        token = read_json(await request.body()).get("token")
        cookie = self._sessions.exchange(token) if isinstance(token, str) else None
        if cookie is not None and not await self._is_allowed(request):
            self._sessions.end(cookie)
            return JSONResponse({"error": "refused", "message": "This device was not allowed at the computer."}, 403)
        if cookie is None:
            message = "This address was used already. Run catalog review again."
            return JSONResponse({"error": "token", "message": message}, 403)
        response = JSONResponse({})
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=int(LONGEST_SECONDS),
            httponly=True,
            samesite="strict",
            path="/",
            secure=self._approve is not None,
        )
        return response

    async def _is_allowed(self, request: Request) -> bool:
        """Ask at the terminal, if another device signs in."""
        approve = self._approve
        if approve is None:
            return True
        device = device_name(request.headers.get("user-agent", ""), request.client.host if request.client else "")
        return await self._pages.call(lambda: approve(device))

    async def home(self, request: Request) -> Response:
        await self._pages.call(self._desk.wait_until_warm)
        status, cards, overview = await asyncio.gather(
            self._pages.call(self._desk.status),
            self._pages.call(lambda: self._desk.cards(HOME_CARDS)),
            self._pages.call(self._desk.overview),
        )
        return self._pages.page("home.html", request, status=status, cards=cards, overview=overview)

    async def review(self, request: Request) -> Response:
        """The queue, or with ``person`` the candidates of one person."""
        return self._pages.page(
            "review.html",
            request,
            status=await self._pages.call(self._desk.status),
            person=request.query_params.get("person", "")[:100],
        )

    # ------------------------------------------------------------------------------------------------ JSON

    async def status(self, _request: Request) -> Response:
        return JSONResponse(await self._pages.call(self._desk.status))

    async def questions(self, request: Request) -> Response:
        limit = request.query_params.get("limit", "")
        excluded = tuple(name for name in request.query_params.get("not", "").split(",") if name)
        count = min(max(int(limit), 1), 20) if limit.isascii() and limit.isdigit() and len(limit) < 5 else _CARDS
        person = request.query_params.get("person")
        if person:
            return JSONResponse({"questions": await self._pages.call(lambda: self._desk.candidates(person))})
        return JSONResponse({"questions": await self._pages.call(lambda: self._desk.cards(count, excluded))})

    async def names(self, request: Request) -> Response:
        prefix, near_id = request.query_params.get("q", "")[:100], request.query_params.get("near")
        return JSONResponse({"names": await self._pages.call(lambda: self._desk.names(prefix, near_id))})

    async def answer(self, request: Request) -> Response:
        body = read_json(await request.body())
        try:
            result = await self._pages.call(lambda: self._desk.answer(body))
        except (ReviewConflictError, CardChangedError) as error:
            card = await self._pages.call(lambda: self._desk.card_again(str(body.get("question"))))
            return JSONResponse({"error": "changed", "message": str(error), "card": card}, 409)
        return JSONResponse({**result, "status": await self._pages.call(self._desk.status)})

    # ------------------------------------------------------------------------------------------------ images

    async def crop(self, request: Request) -> Response:
        face, side = request.path_params["face"], request.path_params["side"]
        if side not in CROP_SIDES:
            return Response(status_code=404)
        return await self._pages.image(lambda: self._desk.crop(face, side))

    async def image(self, request: Request) -> Response:
        sha256, side = request.path_params["sha256"], request.path_params["side"]
        if side not in IMAGE_SIDES or len(sha256) != 64:
            return Response(status_code=404)
        return await self._pages.image(lambda: self._desk.image(sha256, side))


def error_body(_status: int, message: str) -> tuple[str, bytes]:
    """Content type and body of an error before a request exists."""
    return "text/plain; charset=utf-8", message.encode()


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"error": "refused", "message": message}, status)
