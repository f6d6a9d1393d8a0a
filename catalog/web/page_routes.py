"""The common parts of all route handlers: templates, threads for blocking calls, and errors as JSON or pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from catalog.app.review_values import BlockedUndoError, ReviewConflictError, SameNameError
from catalog.domain.errors import CatalogError, LockHeld, PersonError, PhotoError, SamePhotoError, SourceError
from catalog.domain.uri import display_name

_THREADS = 8

log = logging.getLogger(__name__)

T = TypeVar("T")


def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("catalog.web"), autoescape=True, trim_blocks=True)
    environment.filters |= {
        "day": _day,
        "moment": _moment,
        "shown": display_name,
        "urldecode": unquote,
        "number": "{:,}".format,
    }
    return environment


@dataclass(frozen=True)
class PageRoutes:
    """Renders templates, and runs calls that read the database and photos in threads."""

    executor: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "review"))
    templates: Environment = field(default_factory=_environment)

    async def call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.executor, function)

    def page(self, template: str, request: Request | None = None, **values: Any) -> Response:
        page_key = request.state.page_key if request is not None else ""
        return HTMLResponse(self.templates.get_template(template).render(page_key=page_key, **values))

    async def image(self, make: Callable[[], bytes]) -> Response:
        """A JPEG; 404 for an unknown face or photo, and for one that cannot be read."""
        try:
            return Response(await self.call(make), media_type="image/jpeg")
        except (PersonError, PhotoError, SourceError):
            return Response(status_code=404)

    async def not_found(self, request: Request, error: Exception) -> Response:
        """A page that says what does not exist."""
        response = self.page("missing.html", request, message=str(error))
        response.status_code = 404
        return response


async def catalog_error(_request: Request, error: Exception) -> Response:
    """The error as JSON. 409: the user may insist or look again; 503: try again; 422: not possible."""
    body: dict[str, object] = {"error": "not_written", "message": str(error)}
    if isinstance(error, CatalogError):
        body["remedy"] = error.remedy
    status = 503 if isinstance(error, LockHeld) else 422
    if isinstance(error, SamePhotoError):
        body["error"], status = "same_photo", 409
    elif isinstance(error, SameNameError):
        body |= {"error": "same_name", "person": error.person}
        status = 409
    elif isinstance(error, BlockedUndoError):
        body |= {"error": "blocked", "groups": list(error.groups)}
        status = 409
    elif isinstance(error, ReviewConflictError):
        body["error"], status = "changed", 409
    return JSONResponse(body, status)


async def bug(_request: Request, error: Exception) -> Response:
    log.error("A request failed.", exc_info=error)
    return JSONResponse({"error": "bug", "message": "The request failed. The log says why."}, 500)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _moment(moment: datetime | None) -> str:
    """Date and minute in the time zone of this machine."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")
