"""Pages to browse: people, one person, photos, one photo, albums, expressions, strangers, history, originals."""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.app.catalog import Catalog
from catalog.domain.errors import PersonError, PhotoError, SourceError, UsageError
from catalog.reports.filters import ReportFilters
from catalog.store.browse_people import Shown, StrangerSelection
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.face_order import FaceOrder
from catalog.web.page_routes import PageRoutes

FACES, PEOPLE, PHOTOS, ALBUMS, HISTORY = 96, 60, 60, 60, 50
"""Entries of a page."""
LISTED_ALBUMS = 200
"""Albums that the page about strangers lists. The others are reached by their own pages."""
COMPANIONS = 100
LONGEST_QUERY = 4_000
_SHOWN: dict[str, Shown] = {"named": "named", "unnamed": "unnamed", "hidden": "hidden"}
_ORDERS = {
    "doubtful": (FaceOrder.DOUBTFUL, False, "Least similar first"),
    "oldest": (FaceOrder.OLDEST, False, "Oldest first"),
    "unconfirmed": (FaceOrder.DOUBTFUL, True, "Not confirmed"),
}
_MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "GIF": "image/gif",
    "HEIF": "image/heic",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
}


class BrowsePages:
    """Route handlers of the pages that change nothing."""

    def __init__(self, catalog: Catalog, pages: PageRoutes, *, has_originals: bool = True) -> None:
        """``has_originals``: the files themselves are served."""
        self._catalog = catalog
        self._pages = pages
        self._has_originals = has_originals

    def routes(self) -> list[Route]:
        return [
            Route("/people", self.people),
            Route("/people/{person}", self.person),
            Route("/people/{person}/{tab}", self.person),
            Route("/photos", self.photos),
            Route("/photos/{sha256}", self.photo),
            Route("/albums", self.albums),
            Route("/expressions", self.expressions),
            Route("/strangers", self.strangers),
            Route("/history", self.history),
            Route("/find", self.find),
            Route("/originals/{sha256}", self.original),
        ]

    async def people(self, request: Request) -> Response:
        query = request.query_params
        prefix, shown = query.get("q", "")[:100].strip(), _SHOWN.get(query.get("shown", ""), "named")
        people = await self._pages.call(
            lambda: self._catalog.browse.people(shown, prefix=prefix, limit=PEOPLE + 1, after=query.get("after"))
        )
        next_page = None
        if len(people) > PEOPLE:
            next_page = "/people?" + urlencode(
                {"q": prefix, "shown": shown, "after": people[PEOPLE - 1].person.person_id}
            )
        return self._pages.page(
            "people.html", request, people=people[:PEOPLE], shown=shown, prefix=prefix, more=next_page
        )

    async def person(self, request: Request) -> Response:
        person, tab = request.path_params["person"], request.path_params.get("tab", "faces")
        order = request.query_params.get("order", "doubtful")
        start = _number(request.query_params.get("start"))
        if tab not in ("faces", "time", "together") or order not in _ORDERS:
            return Response(status_code=404)
        try:
            details = await self._pages.call(lambda: self._catalog.browse.person(person))
        except PersonError as error:
            return await self._pages.not_found(request, error)
        values: dict[str, Any] = {"details": details, "tab": tab, "order": order, "orders": _ORDERS, "start": start}
        if tab == "together":
            values["companions"] = await self._pages.call(lambda: self._companions(details.person_id))
            return self._pages.page("person.html", request, **values)
        face_order, is_unconfirmed, _ = _ORDERS["oldest" if tab == "time" else order]
        faces = await self._pages.call(
            lambda: self._catalog.browse.faces(
                details.person_id, face_order, unconfirmed=is_unconfirmed, limit=FACES + 1, offset=start
            )
        )
        values["faces"], values["more"] = faces[:FACES], len(faces) > FACES
        values["years"] = [(year, list(group)) for year, group in groupby(faces[:FACES], key=_year)]
        values["step"] = FACES
        return self._pages.page("person.html", request, **values)

    def _companions(self, person: str) -> list[dict[str, object]]:
        """Persons on photos with this person: id, name and number of photos, most photos first."""
        table = self._catalog.report("co-occurrence", ReportFilters(person=person), limit=COMPANIONS)
        companions: list[dict[str, object]] = []
        for record in table.records():
            side = "b" if record["person_a_id"] == person else "a"
            companions.append(
                {
                    "person_id": record[f"person_{side}_id"],
                    "name": record[f"name_{side}"],
                    "photos": record["photos"],
                }
            )
        return companions

    async def photos(self, request: Request) -> Response:
        query = request.query_params
        persons, is_only = query.getlist("with")[:20], query.get("only") == "1"
        album, emotion = query.get("album") or None, query.get("emotion") or None
        year = _number(query.get("year")) or None
        if any(len(value) > LONGEST_QUERY for value in query.values()):
            return Response(status_code=414)
        try:
            people = [await self._pages.call(partial(self._catalog.browse.person, person)) for person in persons]
            page = await self._pages.call(
                lambda: self._catalog.browse.photos(
                    album=album,
                    persons=[person.person_id for person in people],
                    only=is_only and bool(people),
                    emotion=emotion,
                    year=year,
                    limit=PHOTOS,
                    after=query.get("after"),
                )
            )
        except (PersonError, UsageError) as error:
            return await self._pages.not_found(request, error)
        chosen = {"with": [person.person_id for person in people], "only": "1" if is_only else ""}
        chosen |= {"album": album or "", "emotion": emotion or "", "year": str(year or "")}

        def link(**changes: object) -> str:
            """Address of the page with some limits changed."""
            values = {name: value for name, value in (chosen | changes).items() if value}
            return "/photos" + ("?" + urlencode(values, doseq=True) if values else "")

        next_page = link(after=page.photos[-1].sha256) if len(page.photos) == PHOTOS else None
        return self._pages.page(
            "photos.html",
            request,
            people=people,
            photos=page.photos,
            total=page.total,
            years=page.years,
            year=year,
            album=album,
            emotion=emotion,
            only=is_only,
            link=link,
            more=next_page,
        )

    async def photo(self, request: Request) -> Response:
        try:
            details = await self._pages.call(lambda: self._catalog.browse.photo(request.path_params["sha256"]))
        except PhotoError as error:
            return await self._pages.not_found(request, error)
        return self._pages.page("photo.html", request, details=details, has_original=self._has_originals)

    async def albums(self, request: Request) -> Response:
        after = request.query_params.get("after")
        albums = await self._pages.call(lambda: self._catalog.browse.albums(limit=ALBUMS + 1, after=after))
        next_page = "/albums?" + urlencode({"after": albums[ALBUMS - 1].uri}) if len(albums) > ALBUMS else None
        return self._pages.page("albums.html", request, albums=albums[:ALBUMS], more=next_page)

    async def expressions(self, request: Request) -> Response:
        query = request.query_params
        person, start = query.get("person") or None, _number(query.get("start"))
        try:
            details = await self._pages.call(lambda: self._catalog.browse.person(person)) if person else None
            counts = await self._pages.call(lambda: self._catalog.browse.expressions(person))
        except PersonError as error:
            return await self._pages.not_found(request, error)
        emotion = query.get("emotion") or next(iter(counts), None)
        faces: tuple[CataloguedFace, ...] = ()
        if emotion in counts:
            chosen = str(emotion)
            faces = await self._pages.call(
                lambda: self._catalog.browse.faces_with_expression(chosen, person, limit=FACES + 1, offset=start)
            )
        return self._pages.page(
            "expressions.html",
            request,
            counts=counts,
            emotion=emotion,
            person=details,
            faces=faces[:FACES],
            start=start,
            step=FACES,
            more=len(faces) > FACES,
        )

    async def strangers(self, request: Request) -> Response:
        query = request.query_params
        photo, album = query.get("photo") or None, query.get("album") or None
        fewer_than = _number(query.get("fewer_than")) or (None if photo or album else 3)
        selection = StrangerSelection(photo, None if photo else album, None if photo or album else fewer_than)
        strangers = await self._pages.call(lambda: self._catalog.browse.strangers(selection))
        albums = await self._pages.call(lambda: self._catalog.browse.albums(limit=LISTED_ALBUMS + 1))
        return self._pages.page(
            "strangers.html",
            request,
            strangers=strangers,
            selection=selection,
            albums=albums[:LISTED_ALBUMS],
            more=len(albums) > LISTED_ALBUMS,
        )

    async def history(self, request: Request) -> Response:
        before = _number(request.query_params.get("before")) or None
        entries = await self._pages.call(lambda: self._catalog.review.history(limit=HISTORY, before=before))
        next_group = entries[-1].group if len(entries) == HISTORY else None
        return self._pages.page("history.html", request, entries=entries, more=next_group)

    async def find(self, request: Request) -> Response:
        return self._pages.page("find.html", request, is_paid=self._catalog.capabilities.is_paid)

    async def original(self, request: Request) -> Response:
        """The file as it is, to be saved."""
        if not self._has_originals:
            return Response(status_code=404)
        try:
            file = await self._pages.call(lambda: self._catalog.browse.original(request.path_params["sha256"]))
        except (PhotoError, SourceError) as error:
            return await self._pages.not_found(request, error)
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        media_type = _MEDIA_TYPES.get(file.format, "application/octet-stream")
        return Response(file.data, media_type=media_type, headers={"Content-Disposition": disposition})


def _year(face: CataloguedFace) -> str:
    return face.taken.first[:4] if face.taken else "Without a date"


def _number(text: str | None) -> int:
    """A number of a query, 0 if it is missing or malformed."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
