"""JSON routes that change the catalogue outside a card, and the search by a photo."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.app.catalog import Catalog
from catalog.app.photo_input import ReferenceFace
from catalog.domain.errors import UsageError
from catalog.identities.matching.find_person import FindResult
from catalog.web.page_routes import PageRoutes
from catalog.web.review_answers import number_of, read_json
from catalog.web.review_desk import ReviewDesk

FOUND_FACES = 60
"""Matches of a search that the page shows."""


class ChangeRoutes:
    """Repairs, bulk hide, undo, reviews of watch hits, and find by photo."""

    def __init__(self, desk: ReviewDesk, catalog: Catalog, pages: PageRoutes) -> None:
        self._desk = desk
        self._catalog = catalog
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/api/repairs", self.repair, methods=["POST"]),
            Route("/api/strangers", self.hide_strangers, methods=["POST"]),
            Route("/api/undo", self.undo, methods=["POST"]),
            Route("/api/hits", self.review_hit, methods=["POST"]),
            Route("/api/find", self.find, methods=["POST"]),
        ]

    async def repair(self, request: Request) -> Response:
        body = read_json(await request.body())
        return await self._with_status(await self._pages.call(lambda: self._desk.repair(body)))

    async def hide_strangers(self, request: Request) -> Response:
        body = read_json(await request.body())
        return await self._with_status(await self._pages.call(lambda: self._desk.hide_strangers(body)))

    async def undo(self, request: Request) -> Response:
        body = read_json(await request.body())
        return await self._with_status(await self._pages.call(lambda: self._desk.undo(body)))

    async def review_hit(self, request: Request) -> Response:
        """Confirm or dismiss a watch hit; the login and the time are recorded."""
        body = read_json(await request.body())
        number, state = number_of(body, "hit"), body.get("state")
        reviews = {"confirmed": self._catalog.watch_list.confirm, "dismissed": self._catalog.watch_list.dismiss}
        if state not in reviews:
            raise UsageError('"state" must be confirmed or dismissed.')
        await self._pages.call(lambda: reviews[state](number))
        return JSONResponse({"hit": number, "state": state})

    async def find(self, request: Request) -> Response:
        """Search for the largest face of a photo, which is kept in memory for the request only.

        With a paid engine the first request gets the price as 402; ``?paid=yes`` agrees to it.
        """
        photo = await request.body()
        if not photo:
            raise UsageError("No photo was sent.")
        if self._catalog.capabilities.is_paid and request.query_params.get("paid") != "yes":
            dollars = await self._pages.call(self._catalog.find_price)
            return JSONResponse({"error": "price", "dollars": f"{dollars:.4f}"}, 402)
        return JSONResponse(await self._pages.call(lambda: _found_json(self._search(photo))))

    def _search(self, photo: bytes) -> FindResult:
        opened = self._catalog.open_photo(photo)
        return self._catalog.find(ReferenceFace(opened, name="The photo"), limit=FOUND_FACES)

    async def _with_status(self, result: dict[str, Any]) -> Response:
        return JSONResponse({**result, "status": await self._pages.call(self._desk.status)})


def _found_json(result: FindResult) -> dict[str, object]:
    return {
        "persons": [
            {
                "person": candidate.person_id,
                "name": candidate.name,
                "similarity": round(candidate.score, 1),
                "faces": candidate.faces,
            }
            for candidate in result.candidates
        ],
        "tie": result.tie,
        "faces": [
            {
                "face": match.face_id,
                "person": match.person_id,
                "name": match.name,
                "similarity": round(match.similarity, 1),
                "taken": None if match.taken is None else int(match.taken.first[:4]),
            }
            for match in result.matches
        ],
    }
