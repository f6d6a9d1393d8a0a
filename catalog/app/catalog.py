"""The public class :class:`Catalog`, and :func:`open`, which makes one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType

from catalog.app import people, reporting
from catalog.app.deciding import Decisions
from catalog.app.resources import Resources
from catalog.app.settings import Settings, load_settings
from catalog.domain.errors import UsageError
from catalog.domain.faces import Analysis, Comparison
from catalog.domain.people import Person
from catalog.reports.annotate import draw_analysis, draw_comparison
from catalog.reports.filters import ReportFilters
from catalog.reports.run_report import ReportTable
from catalog.reports.status import Status
from catalog.store.catalogued_faces import CataloguedFace
from catalog.store.charges import ChargeSum


def open(  # noqa: A001  called as catalog.open()
    database: str | Path | None = None,
    *,
    config: Path | None = None,
    settings: Mapping[str, object] | None = None,
    create: bool = False,
    read_only: bool = False,
    user: str | None = None,
) -> Catalog:
    """Open a catalogue; use it in a ``with`` block, which closes it.

    ``database`` is the path of an SQLite file, ``sqlite:///PATH`` or ``postgresql://...``; default: the setting
    ``database.url``, else the user's own catalogue. ``config`` is a settings file that replaces the user's own.
    ``settings`` maps ``section.key`` to a value and is applied last: ``{"engine.name": "local"}``.

    With ``create`` a missing catalogue is created; without it the first call that needs the catalogue raises
    DatabaseError. ``read_only`` changes nothing, and a missing catalogue reads as an empty one. ``user`` is recorded
    with each decision; default: the login name.

    The database and the engine are opened at the first call that needs them. Raises SettingsError.
    """
    address = None if database is None else str(database)
    loaded = load_settings(config, flags={**(settings or {}), "database.url": address})
    return Catalog(loaded, create=create, read_only=read_only, user=user)


class Catalog:
    """One catalogue of photos, faces and persons. Its methods may be called from several threads.

    Values returned are frozen and hold no connection. Methods raise :class:`catalog.CatalogError` or a subclass, each
    with ``exit_code`` and ``remedy``. After ``close`` every method raises UsageError.
    """

    def __init__(
        self, settings: Settings, *, create: bool = False, read_only: bool = False, user: str | None = None
    ) -> None:
        self._stack = ExitStack()
        self._lock = Lock()
        self._open_resources: Resources | None = Resources(
            settings, self._stack, create=create, read_only=read_only, user=user
        )
        self._settings = settings
        self.decisions = Decisions(lambda: self._resources)
        """What users decide about persons and faces."""

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the engine, the decoder processes and the database. A second call does nothing."""
        with self._lock:
            self._open_resources = None
        self._stack.close()

    @property
    def _resources(self) -> Resources:
        if self._open_resources is None:
            raise UsageError("The catalogue is closed.", remedy="Open it again with catalog.open().")
        return self._open_resources

    @property
    def settings(self) -> Settings:
        """The settings in use, with the origin of each."""
        return self._settings

    # ------------------------------------------------------------------------------------------------- questions

    def status(self) -> Status:
        """Counts of photos, faces, persons and decisions, and the last five scans."""
        return reporting.status(self._resources)

    def charges(self, since: datetime | None = None) -> tuple[ChargeSum, ...]:
        """Sums of the paid calls since a time (aware; default: the first of this month, UTC)."""
        return reporting.charges(self._resources, since)

    def charges_by_scan(self, scans: int = 10) -> tuple[ChargeSum, ...]:
        """Sums of the paid calls of each of the last ``scans`` scans that had any, latest scan first."""
        return reporting.charges_by_scan(self._resources, scans)

    def people(
        self,
        *,
        named: bool | None = None,
        hidden: bool = False,
        limit: int | None = None,
        after: str | None = None,
    ) -> tuple[Person, ...]:
        """The persons, those on most photos first.

        ``named`` True or False keeps persons with or without a name. ``hidden`` includes hidden persons. ``after`` is
        the id of the last person of the previous page.
        """
        return people.list_people(self._resources, named=named, hidden=hidden, limit=limit, after=after)

    def person(self, id_or_name: str) -> Person:
        """The person with this id or exact name. The id of a merged person gives the person it was merged into.

        Raises PersonError, and AmbiguousPersonError if several persons have the name.
        """
        return people.person(self._resources, id_or_name)

    def namesakes(self, name: str) -> tuple[str, ...]:
        """Ids of all persons with this exact name."""
        return people.namesakes(self._resources, name)

    def faces(self, person: str, *, limit: int | None = None, after: str | None = None) -> tuple[CataloguedFace, ...]:
        """The faces of a person in all galleries, oldest photo first, photos without a date last.

        ``after`` is the id of the last face of the previous page. Raises PersonError.
        """
        return people.faces(self._resources, person, limit=limit, after=after)

    def face(self, face_id: str) -> CataloguedFace:
        """The face of the gallery in use whose id is ``face_id``, or the only one whose id begins with it.

        Raises PersonError.
        """
        return people.face(self._resources, face_id)

    def report(self, name: str, filters: ReportFilters | None = None, *, limit: int | None = None) -> ReportTable:
        """Run a named report (docs/queries.md lists them) on the gallery in use. Raises UsageError."""
        return reporting.report(self._resources, name, filters or ReportFilters(), limit)

    def sql(self, statement: str, *, limit: int | None = None) -> ReportTable:
        """Run one SELECT statement, which can only read. docs/schema.md describes the ``v1_`` views."""
        return reporting.sql(self._resources, statement, limit)

    def analyze(self, photo: str | Path | bytes) -> Analysis:
        """Detect the faces of a photo (a path or the file's bytes), largest first, with all attributes.

        Nothing is stored except the charge of a paid engine. Raises UsageError if the photo cannot be read.
        """
        resources = self._resources
        analysis = resources.engine_without_gallery.analyze(resources.open_file(photo))
        resources.charge("analyze", analysis.charges)
        return analysis

    def compare(self, source: str | Path | bytes, target: str | Path | bytes, *, threshold: float = 80) -> Comparison:
        """Compare the largest face of ``source`` with each face of ``target``.

        ``threshold`` is the lowest similarity of a match, 0 to 100. Raises NoFaceError.
        """
        resources = self._resources
        photos = resources.open_file(source), resources.open_file(target)
        comparison = resources.engine_without_gallery.compare(*photos, threshold)
        resources.charge("compare", comparison.charges)
        return comparison

    def draw_analysis(self, photo: str | Path | bytes, analysis: Analysis) -> bytes:
        """A JPEG of the photo with a box and a label at each face of ``analysis``."""
        return draw_analysis(self._resources.open_file(photo), analysis.faces)

    def draw_comparison(
        self, source: str | Path | bytes, target: str | Path | bytes, comparison: Comparison, *, threshold: float = 80
    ) -> bytes:
        """A JPEG of both photos with the compared faces; matches are those at or above ``threshold``."""
        resources = self._resources
        return draw_comparison(resources.open_file(source), resources.open_file(target), comparison, threshold)
