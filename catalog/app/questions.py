"""Questions to a catalogue. The methods belong to :class:`catalog.app.catalog.Catalog`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.app.lazy_module import LazyModule
from catalog.app.open_database import database_exists, shown_address
from catalog.reports.report_table import SQL_TIME_LIMIT

if TYPE_CHECKING:
    from catalog.app import dating, find_page, finding, grouping, people, reporting, stacks
    from catalog.app.dating import DatedPhoto
    from catalog.app.photo_input import PhotoInput, ReferenceFace
    from catalog.app.reporting import StoredFaces
    from catalog.app.resources import Resources
    from catalog.app.stacks import Stack
    from catalog.domain.faces import Analysis, BoundingBox, Comparison, Face
    from catalog.domain.opened_photo import OpenedPhoto
    from catalog.domain.people import Person
    from catalog.identities.assignment.explain import Explanation
    from catalog.identities.assignment.suggestions import Suggestion
    from catalog.identities.matching.find_person import FindResult
    from catalog.reports import annotate, person_counts
    from catalog.reports import filters as report_filters
    from catalog.reports.filters import ReportFilters
    from catalog.reports.person_counts import PersonCounts
    from catalog.reports.report_table import ReportRows, ReportTable
    from catalog.reports.status import Status
    from catalog.store.catalogued_faces import CataloguedFace
    from catalog.store.charges import ChargeSum
else:
    dating = LazyModule("catalog.app.dating")
    find_page = LazyModule("catalog.app.find_page")
    finding = LazyModule("catalog.app.finding")
    grouping = LazyModule("catalog.app.grouping")
    people = LazyModule("catalog.app.people")
    reporting = LazyModule("catalog.app.reporting")
    stacks = LazyModule("catalog.app.stacks")
    annotate = LazyModule("catalog.reports.annotate")
    person_counts = LazyModule("catalog.reports.person_counts")
    report_filters = LazyModule("catalog.reports.filters")


class CatalogQuestions(ABC):
    """The methods of ``Catalog`` that change nothing but the charge log."""

    @property
    @abstractmethod
    def _resources(self) -> Resources: ...

    def status(self) -> Status:
        """Counts of photos, faces, persons and decisions, and the last five scans."""
        return reporting.status(self._resources)

    def person_counts(self) -> PersonCounts:
        """Count the persons, and those with a name. Faster than ``status``."""
        with self._resources.reading() as database, database.read() as connection:
            return person_counts.read_person_counts(connection)

    @property
    def address(self) -> str:
        """Where the catalogue is: the path of an SQLite file, or a url without its password."""
        return shown_address(self._resources.settings)

    def charges(self, since: datetime | None = None) -> tuple[ChargeSum, ...]:
        """Sums of the paid calls since a time (aware; default: the first of this month, UTC)."""
        return reporting.charges(self._resources, since)

    def stored_faces(self) -> tuple[StoredFaces, ...]:
        """Faces that paid engines store, with their price a month, by gallery."""
        return reporting.stored_faces(self._resources)

    def charges_by_scan(self, scans: int = 10) -> tuple[ChargeSum, ...]:
        """Sums of the paid calls of each of the last ``scans`` scans that had any, latest scan first."""
        return reporting.charges_by_scan(self._resources, scans)

    def stacks(self) -> tuple[Stack, ...]:
        """Stacks of files of one exposure, of which one photo counts in statistics."""
        return stacks.stacks(self._resources)

    def price_note(self, engine: str, region: str) -> str:
        """A sentence if the prices of an engine in a region are a guess, else empty."""
        return reporting.price_note(self._resources, engine, region)

    def exists(self) -> bool:
        """False if the catalogue is an SQLite file that does not exist yet."""
        return database_exists(self._resources.settings)

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
        """The faces of a person in one gallery, as in reports: oldest photo first, photos without a date last.

        ``after`` is the id of the last face of the previous page. Raises PersonError.
        """
        return people.faces(self._resources, person, limit=limit, after=after)

    def face(self, face_id: str) -> CataloguedFace:
        """The face of the gallery in use whose id is ``face_id``, or the only one whose id begins with it.

        Raises PersonError.
        """
        return people.face(self._resources, face_id)

    def explain(self, face_id: str, *, limit: int = 10) -> Explanation:
        """The nearest neighbors of a face, at most ``limit``, and the decisions that put it where it is."""
        return grouping.explain(self._resources, face_id, limit)

    def suggestions(self, *, person: str | None = None, limit: int = 20) -> tuple[Suggestion, ...]:
        """Pairs of persons, and unassigned faces, that a yes or no would decide; most faces first."""
        return grouping.suggest(self._resources, person, limit)

    def find(
        self,
        *references: PhotoInput | ReferenceFace,
        negatives: Sequence[PhotoInput | ReferenceFace] = (),
        person: str | None = None,
        threshold: float | None = None,
        limit: int | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
    ) -> FindResult:
        """Find the photos that show the person of the reference photos, best first.

        Several views of one person find more. ``person`` searches with the faces of a person of the catalogue too.
        ``negatives`` are photos of other people who look similar. ``threshold`` is the lowest similarity, 0 to 100;
        ``limit`` the number of matches; default: the settings. ``since`` and ``until`` are inclusive: a
        year, a month or a day where the photo was taken, as text or as ``date``, or an aware time. A photo whose date
        is inexact is found if it may be of the period. Raises NoFaceError for a reference without a face.
        """
        return finding.find(
            self._resources,
            references,
            negatives=negatives,
            person=person,
            threshold=threshold,
            limit=limit,
            since=since,
            until=until,
        )

    def find_price(self, references: int = 1) -> Decimal:
        """US dollars that :meth:`find` with so many reference photos would cost at most; 0 if nothing is paid."""
        return finding.price(self._resources, references)

    def photo_dates(self, target: str | Path) -> tuple[DatedPhoto, ...]:
        """The dates of a photo, or of the photos of a folder in the order of their names.

        ``target`` is a path, a uri, or how a content hash begins. Raises UsageError for a target without a photo.
        """
        return dating.photo_dates(self._resources, target)

    def reference_faces(self, photo: PhotoInput, *, name: str | None = None) -> tuple[Face, ...]:
        """The faces of a reference photo, largest first, to choose one for :meth:`find`.

        Raises NoFaceError, which quotes ``name``; default: the path.
        """
        return finding.reference_faces(self._resources, photo, name)

    def find_page(self, references: Sequence[Sequence[ReferenceFace]], results: Sequence[FindResult]) -> bytes:
        """One HTML page with the faces of several searches: the references and the result of each."""
        return find_page.find_page(self._resources, references, results)

    def crop(self, face: str | CataloguedFace, *, side: int = 256) -> bytes:
        """A square JPEG around a face, at most ``side`` pixels. Raises PhotoError and SourceError."""
        resources = self._resources
        return finding.crop(resources, people.face(resources, face) if isinstance(face, str) else face, side)

    def crop_photo(self, photo: PhotoInput, box: BoundingBox, *, side: int = 256) -> bytes:
        """A square JPEG around a box of a photo that need not be catalogued."""
        return finding.crop_photo(self._resources, photo, box, side)

    def image(self, sha256: str, *, max_side: int) -> bytes:
        """A photo of the catalogue as an upright JPEG of at most ``max_side`` pixels. Raises PhotoError."""
        return finding.image(self._resources, sha256, max_side)

    def open_photo(self, photo: PhotoInput) -> OpenedPhoto:
        """Decode a photo once for several calls. Raises UsageError."""
        return self._resources.open_file(photo)

    def report(self, name: str, filters: ReportFilters | None = None, *, limit: int | None = None) -> ReportTable:
        """Run a named report (docs/queries.md lists them) on the gallery in use. Raises UsageError."""
        with self.open_report(name, filters, limit=limit) as rows:
            return rows.table()

    @contextmanager
    def open_report(
        self,
        name: str,
        filters: ReportFilters | None = None,
        *,
        limit: int | None = None,
        on_rows: Callable[[int], None] | None = None,
    ) -> Iterator[ReportRows]:
        """As :meth:`report`, for many rows: they are read while the block iterates them, and memory holds a few.

        ``on_rows`` is called with numbers of further rows.
        """
        filters = filters or report_filters.ReportFilters()
        with reporting.open_report(self._resources, name, filters, limit, on_rows) as rows:
            yield rows

    def sql(
        self,
        statement: str,
        *,
        limit: int | None = None,
        seconds: float = SQL_TIME_LIMIT,
        allow_superuser: bool = False,
    ) -> ReportTable:
        """Run one SELECT statement, which can only read, for at most ``seconds``.

        docs/schema.md describes the ``v1_`` views. Raises UsageError for a statement that does not only read, after the
        time limit, and for a superuser role of PostgreSQL unless ``allow_superuser``.
        """
        with self.open_sql(statement, limit=limit, seconds=seconds, allow_superuser=allow_superuser) as rows:
            return rows.table()

    @contextmanager
    def open_sql(
        self,
        statement: str,
        *,
        limit: int | None = None,
        seconds: float = SQL_TIME_LIMIT,
        allow_superuser: bool = False,
        on_rows: Callable[[int], None] | None = None,
    ) -> Iterator[ReportRows]:
        """As :meth:`sql`, for many rows: they are read while the block iterates them, and memory holds a few."""
        with reporting.open_sql(self._resources, statement, limit, seconds, allow_superuser, on_rows) as rows:
            yield rows

    def analyze(self, photo: PhotoInput) -> Analysis:
        """Detect the faces of a photo (a path or the file's bytes), largest first, with all attributes.

        Nothing is stored except the charge of a paid engine. Raises UsageError if the photo cannot be read.
        """
        resources = self._resources
        analysis = resources.engine_without_gallery.analyze(resources.open_file(photo))
        resources.charge("analyze", analysis.charges)
        return analysis

    def compare(self, source: PhotoInput, target: PhotoInput, *, threshold: float = 80) -> Comparison:
        """Compare the largest face of ``source`` with each face of ``target``.

        ``threshold`` is the lowest similarity of a match, 0 to 100. Raises NoFaceError.
        """
        resources = self._resources
        photos = resources.open_file(source), resources.open_file(target)
        comparison = resources.engine_without_gallery.compare(*photos, threshold)
        resources.charge("compare", comparison.charges)
        return comparison

    def draw_analysis(self, photo: PhotoInput, analysis: Analysis) -> bytes:
        """A JPEG of the photo with a box and a label at each face of ``analysis``."""
        return annotate.draw_analysis(self._resources.open_file(photo), analysis.faces)

    def draw_comparison(
        self, source: PhotoInput, target: PhotoInput, comparison: Comparison, *, threshold: float = 80
    ) -> bytes:
        """A JPEG of both photos with the compared faces; matches are those at or above ``threshold``."""
        resources = self._resources
        return annotate.draw_comparison(resources.open_file(source), resources.open_file(target), comparison, threshold)
