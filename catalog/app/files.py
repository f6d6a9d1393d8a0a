"""Files in and out: sidecars, tables, albums, pages, backups. The methods belong to :class:`Catalog`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalog.app.lazy_module import LazyModule
from catalog.domain.errors import EngineError, UsageError
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from catalog.app import album, import_names, reporting, s3_name_files, search_folder
    from catalog.app import import_people as people_import
    from catalog.app.import_names import NameImportResult
    from catalog.app.import_people import PeopleImportResult
    from catalog.app.resources import Resources
    from catalog.exchange import picasa, region_names, sidecars, view_export
    from catalog.exchange.albums import AlbumResult
    from catalog.exchange.sidecars import SidecarOutcome
    from catalog.identities.decisions import import_labels as labels_import
    from catalog.identities.matching import references_of_person
    from catalog.reports import status as report_status
    from catalog.store import backup as database_backup
    from catalog.store import labels_file, named_faces, pending_removals, source_locks
    from catalog.store.labels_file import Labels
else:
    album = LazyModule("catalog.app.album")
    import_names = LazyModule("catalog.app.import_names")
    people_import = LazyModule("catalog.app.import_people")
    reporting = LazyModule("catalog.app.reporting")
    s3_name_files = LazyModule("catalog.app.s3_name_files")
    search_folder = LazyModule("catalog.app.search_folder")
    picasa = LazyModule("catalog.exchange.picasa")
    region_names = LazyModule("catalog.exchange.region_names")
    sidecars = LazyModule("catalog.exchange.sidecars")
    view_export = LazyModule("catalog.exchange.view_export")
    labels_import = LazyModule("catalog.identities.decisions.import_labels")
    references_of_person = LazyModule("catalog.identities.matching.references_of_person")
    report_status = LazyModule("catalog.reports.status")
    database_backup = LazyModule("catalog.store.backup")
    labels_file = LazyModule("catalog.store.labels_file")
    named_faces = LazyModule("catalog.store.named_faces")
    pending_removals = LazyModule("catalog.store.pending_removals")
    source_locks = LazyModule("catalog.store.source_locks")


@dataclass(frozen=True, slots=True)
class BackupResult:
    """``size`` is in bytes. ``persons`` and ``decisions`` are counted for a labels file, else None."""

    path: Path
    size: int
    persons: int | None = None
    decisions: int | None = None


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """``replaced`` is the copy of the SQLite catalogue that the backup replaced. Counts are those of a labels file:

    ``persons`` and ``decisions`` that were new, ``faces`` that got their person.
    """

    is_labels: bool
    replaced: Path | None = None
    persons: int = 0
    decisions: int = 0
    faces: int = 0


@dataclass(frozen=True, slots=True)
class PageResult:
    """Counts of the written pages; ``unreadable`` are sentences about photos without an image."""

    people: int
    photos: int
    images: int
    unreadable: tuple[str, ...]


class CatalogFiles(ABC):
    """The methods of :class:`Catalog` that read and write files."""

    @property
    @abstractmethod
    def _resources(self) -> Resources: ...

    def export_xmp(
        self, *, into: Path | None = None, keywords: bool = False, dry_run: bool = False
    ) -> Iterator[SidecarOutcome]:
        """Write the names of people into XMP sidecars (``photo.jpg.xmp``); yields one result for each location.

        Photos are never changed. Sidecars of photos in S3 go below ``into`` as ``bucket/key.xmp``.
        With ``keywords`` names are also written as keywords (``dc:subject``, ``PersonInImage``, digiKam's tags).
        """
        with self._resources.reading() as database, database.read() as connection:
            yield from sidecars.write_sidecars(
                named_faces.photos_with_faces(connection), into=into, keywords=keywords, dry_run=dry_run
            )

    def export_tables(
        self,
        folder: Path,
        form: Literal["csv", "json", "parquet"],
        *,
        partition: Literal["month"] | None = None,
        on_rows: Callable[[int], None] | None = None,
    ) -> tuple[tuple[Path, int], ...]:
        """Write each ``v1_`` view into a file of ``folder``. Returns the paths with their row counts.

        Parquet with a ``partition`` is a folder for each view; views about photos have files by the month of the
        photo's local date: ``photos/year=2024/month=06/part-0.parquet``. ``on_rows`` is called with numbers of further
        rows.
        """
        if partition is not None and form != "parquet":
            raise UsageError("Only Parquet is written by month.", remedy='Use the form "parquet".')
        with self._resources.reading() as database, database.read() as connection:
            exported = view_export.export_tables(
                connection, folder, form, by_month=partition == "month", on_rows=on_rows
            )
        return tuple(exported)

    def export_album(
        self, people: Sequence[str], folder: Path, *, link: bool = False, only: bool = False
    ) -> AlbumResult:
        """Copy, or link to, the photos that show all these people. Photos that are there already stay.

        With ``only`` no other person is on the photo, hidden persons aside.
        """
        uris = album.uris_of_photos_with(self._resources, people, only=only)
        return self.export_photos(uris, folder, link=link)

    def export_photos(self, uris: Sequence[str], folder: Path, *, link: bool = False) -> AlbumResult:
        """Copy, or link to, the photos at these addresses, as :meth:`find` returns them."""
        return album.place(self._resources, uris, folder, link=link)

    def export_pages(
        self,
        folder: Path,
        *,
        images: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> PageResult:
        """Write static HTML pages about people and photos. ``progress`` is called with photos done and in total.

        ``folder`` is new, empty, or was written by this method.
        """
        # Heavy: templates and charts.
        from catalog.reports.site.output_folder import SiteFolder
        from catalog.reports.site.write_site import write_site

        resources = self._resources
        with resources.reading() as database:
            written = write_site(
                database,
                SiteFolder(folder),
                read=resources.read_oriented,
                opener=resources.opener,
                workers=resources.workers,
                now=datetime.now(UTC),
                version=version("face-catalog"),
                pictures=images,
                gallery=reporting.gallery(resources),
                progress=progress or _no_progress,
            )
        return PageResult(written.people, written.photos, written.pictures, tuple(written.unreadable))

    def import_xmp(
        self,
        *,
        embedded: bool = True,
        into: Path | None = None,
        contacts: Path | None = None,
        from_s3: bool = False,
        accept_doubtful: bool = False,
        dry_run: bool = False,
    ) -> NameImportResult:
        """Read names from the files of other programs, and enter them as decisions.

        Reads sidecars, photo files, ``.picasa.ini``, Takeout's JSON, and the library of Apple Photos of a photo.

        Files beside photos in S3 are downloaded with ``from_s3``, or their sidecars are read below ``into``. Without
        ``embedded`` photo files are not read, and those in S3 never are. ``contacts`` is Picasa's ``contacts.xml``.
        Doubtful names are returned and not entered, unless ``accept_doubtful`` is set.
        """
        names = picasa.read_contacts(contacts) if contacts is not None else {}
        with ExitStack() as stack:
            problems: tuple[str, ...] = ()
            if from_s3:
                if into is not None:
                    raise UsageError("The files of photos in S3 are downloaded or in a folder, not both.")
                into, problems = stack.enter_context(s3_name_files.s3_name_files(self._resources))
            sources = region_names.NameSources(embedded=embedded, into=into, is_copy=from_s3, contacts=names)
            result = import_names.import_xmp(self._resources, sources, accept_doubtful=accept_doubtful, dry_run=dry_run)
        return replace(result, problems=problems + result.problems) if problems else result

    def import_csv(self, file: Path, *, dry_run: bool = False) -> NameImportResult:
        """Enter the names of a CSV file as decisions: of persons by person_id, of faces by face_id."""
        return import_names.import_csv(self._resources, file, dry_run=dry_run)

    def import_people(self, path: Path, *, dry_run: bool = False) -> PeopleImportResult:
        """Import known people from a folder of named photos or a CSV file, and assign the faces of the catalogue.

        The reference photos are enrolled. With ``dry_run`` nothing is written, and the cost is a quote.
        """
        return people_import.import_people(self._resources, path, dry_run=dry_run)

    def backup(self, target: Path | None = None, *, labels_only: bool = False) -> BackupResult:
        """Copy the catalogue into a new SQLite file while it is in use; default: ``catalog-TIME`` in this folder.

        With ``labels_only`` names and decisions alone, as JSON. Raises UsageError if there is no catalogue.
        """
        now = datetime.now(UTC)
        name = database_backup.backup_name(now)
        target = target or Path(f"{Path(name).stem}-labels.json" if labels_only else name)
        with self._resources.existing_database() as source:
            if source.dialect == "sqlite" and source.path is None:
                raise UsageError("There is no catalogue to back up yet.", remedy="Create one: catalog scan FOLDER")
            if not labels_only:
                return BackupResult(target, database_backup.back_up(source, target))
            with source.read() as connection:
                labels = labels_file.export_labels(connection, now)
        size = database_backup.write_private(target, labels_file.labels_json(labels).encode())
        return BackupResult(target, size, len(labels.persons), len(labels.decisions))

    def restore(self, source: Path, *, force: bool = False, wait_seconds: float = 0) -> RestoreResult:
        """Replace the catalogue by a backup, or add the contents of a labels file to it.

        Raises UsageError if a backup would replace photos, unless ``force``. Waits ``wait_seconds`` for other
        processes, then raises LockHeld.
        """
        labels = labels_file.read_labels_file(source) if _is_labels(source) else None
        resources = self._resources
        database = resources.database
        with source_locks.lock_sources(database, [source_locks.CATALOGUE], wait_seconds=wait_seconds):
            if labels is not None:
                return _import_labels(resources, labels, display_name(source.name))
            photos = report_status.read_status(database).photos
            if photos and not force:
                raise UsageError(
                    f'The catalogue "{database.url}" holds {photos:,} photos, which the backup would replace.',
                    remedy="Use --force to replace them; an SQLite catalogue is copied first.",
                )
            stamp = resources.stamp()

            def delete_references(connection: Connection, contents: set[str]) -> None:
                references_of_person.delete_references_of_photos(connection, contents, stamp)

            replaced = database_backup.restore(database, source, delete_references)
            # They hold vectors of faces that the backup may lack.
            search_folder.delete_search_files(database, resources.settings.engine.search_folder)
            if resources.configured_engine.capabilities.gallery_in_catalogue:
                # The backup brought the vectors of forgotten faces back. Other galleries wait for the next scan.
                name = resources.configured_engine.name
                with suppress(EngineError):  # a gallery of another model: the faces stay pending
                    pending_removals.drain(database, lambda ids: resources.engine.remove(ids), name, resources.gallery)
            return RestoreResult(is_labels=False, replaced=replaced)


def _no_progress(_done: int, _total: int) -> None:
    """The default: progress is not reported."""


def _import_labels(resources: Resources, labels: Labels, name: str) -> RestoreResult:
    chosen = resources.settings.engine
    with resources.database.begin() as connection:
        added = labels_import.import_labels(
            connection, labels, resources.stamp(), engine=chosen.name, gallery=chosen.gallery, name=name
        )
    return RestoreResult(True, None, added.persons, added.decisions, added.faces)


def _is_labels(source: Path) -> bool:
    try:
        with source.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise UsageError(f'The backup "{source}" cannot be read: {error.strerror}.') from error
