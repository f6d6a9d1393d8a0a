"""Pages of the watch list and of enrolled employees, with the stored reference crops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog.app.catalog import Catalog
from catalog.domain.errors import UsageError
from catalog.identities.matching.verification_log import AuditRow
from catalog.web.page_routes import PageRoutes

OPEN_HITS, REVIEWED_HITS, LOG_ROWS = 20, 50, 200
"""Entries of a page."""


class WatchPages:
    """Route handlers of the two pages."""

    def __init__(self, catalog: Catalog, pages: PageRoutes) -> None:
        self._catalog = catalog
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/watch", self.watch),
            Route("/watch/references/{number:int}", self.watch_reference),
            Route("/employees", self.employees),
            Route("/employees/references/{number:int}", self.employee_reference),
        ]

    async def watch(self, request: Request) -> Response:
        watch_list = self._catalog.watch_list
        entries = await self._pages.call(watch_list.list)
        hits = await self._pages.call(watch_list.hits)
        open_hits = [hit for hit in reversed(hits) if hit.state == "open"]
        reviewed = sorted(
            (hit for hit in hits if hit.state != "open"),
            key=lambda hit: (hit.reviewed_at is not None, hit.reviewed_at, hit.number),
            reverse=True,
        )
        names = {hit.watch for hit in open_hits[:OPEN_HITS]} | {entry.name for entry in entries}
        references = {name: await self._pages.call(partial(watch_list.references, name)) for name in sorted(names)}
        return self._pages.page(
            "watch.html",
            request,
            entries=entries,
            open_hits=open_hits[:OPEN_HITS],
            open_count=len(open_hits),
            reviewed=reviewed[:REVIEWED_HITS],
            references=references,
        )

    async def watch_reference(self, request: Request) -> Response:
        return await self._reference(request, self._catalog.watch_list.reference_image)

    async def employees(self, request: Request) -> Response:
        employees = await self._pages.call(self._catalog.employees.list)
        references = {
            employee.employee_id: await self._pages.call(
                partial(self._catalog.employees.references, employee.employee_id)
            )
            for employee in employees
        }
        audit = await self._pages.call(self._catalog.employees.audit)
        last: dict[str, AuditRow] = {}
        counts: dict[str, int] = defaultdict(int)
        for row in audit.rows:
            if row.content is not None and row.content.get("what") == "verify":
                last[row.content["employee_id"]] = row
                counts[row.content["employee_id"]] += 1
        return self._pages.page(
            "employees.html",
            request,
            employees=employees,
            references=references,
            last=last,
            counts=counts,
            log=list(reversed(audit.rows))[:LOG_ROWS],
            log_length=len(audit.rows),
            broken=audit.broken,
            head=audit.head,
        )

    async def employee_reference(self, request: Request) -> Response:
        return await self._reference(request, self._catalog.employees.reference_image)

    async def _reference(self, request: Request, read: Callable[[int], bytes]) -> Response:
        number = request.path_params["number"]
        try:
            return Response(await self._pages.call(lambda: read(number)), media_type="image/jpeg")
        except UsageError:
            return Response(status_code=404)
