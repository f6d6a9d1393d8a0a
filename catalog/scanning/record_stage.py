"""Stage 4 of a scan: record finished tasks, many in one transaction, and decide the outcome of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection

from catalog.domain.choose_date import choose_date
from catalog.domain.engine import Engine
from catalog.domain.faces import Enrollment
from catalog.domain.name_dates import dates_of_uri
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.uri import file_path
from catalog.scanning.photo_task import PhotoTask, TaskState
from catalog.scanning.previous_photos import PreviousPhoto, carry_over, revert_for_copies
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.faces import record_enrollment
from catalog.store.gallery_info import IN_STACK, PREFILTERED
from catalog.store.left_out import bring_back
from catalog.store.new_photos import NewPhoto, record_new_photos
from catalog.store.photo_dates import improve_date
from catalog.store.photo_removal import photos_without_location, release_photos
from catalog.store.photos import (
    Location,
    enrolled_contents,
    find_enrolled,
    is_recorded_since,
    other_locations,
    record_location,
    record_photo,
)
from catalog.store.scans import others_running, record_charges, record_problem
from catalog.store.upsert import batches
from catalog.store.verification_rows import has_employees


def location_exists(location: Location) -> bool:
    """Return whether a known location still holds a photo, as far as can be told without a listing.

    A file is looked up at once. An object is believed to exist, because a question costs a call.
    """
    if location.missing_since is not None:
        return False
    return not location.uri.startswith("file://") or os.path.lexists(file_path(location.uri))


def _model_or_reason(enrollment: Enrollment, model: str) -> str:
    """The model, or what is stored in its place for a photo that was not sent."""
    if enrollment.skipped_by_prefilter:
        return PREFILTERED
    return IN_STACK if enrollment.skipped_in_stack else model


def _runs(tasks: Sequence[PhotoTask]) -> Iterator[list[PhotoTask]]:
    """Split tasks, in their order, so that those of one run can be recorded together.

    A run of several tasks holds enrolled contents at locations that no scan has seen, each content and location once.
    """
    run: list[PhotoTask] = []
    keys: set[str] = set()
    for task in tasks:
        is_new = task.state is TaskState.ENROLLED and task.known is None
        if run and (not is_new or not keys.isdisjoint((task.ref.uri, task.content_hash))):
            yield run
            run, keys = [], set()
        if is_new:
            run.append(task)
            keys.update((task.ref.uri, task.content_hash))
        else:
            yield [task]
    if run:
        yield run


class Recorder:
    """Records the tasks of one scan. Used from one thread."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        *,
        gallery: str,
        region: str,
        scan_id: int,
        store_expressions: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo | None = None,
    ) -> None:
        """``zone`` is the zone of the library, for dates whose source knows no zone but UTC."""
        self._database = database
        self._engine = engine
        self._gallery = gallery
        self._region = region
        self._scan_id = scan_id
        self._store_expressions = store_expressions
        self._clock = clock
        self._zone = zone
        self._began = clock()
        self._previous_photos: list[PreviousPhoto] = []
        self._edits: set[tuple[int, int]] = set()
        self._assumed_duplicates: list[tuple[int, str]] = []

    def is_enrolled(self, sha256: str) -> bool:
        """Return whether this gallery holds the content."""
        with self._database.read() as connection:
            return self._enrolled_photo(connection, sha256) is not None

    def enrolled_contents(self, contents: Collection[str]) -> set[str]:
        """Return those contents that this gallery holds."""
        with self._database.read() as connection:
            return enrolled_contents(connection, contents, self._engine.name, self._gallery)

    def record(self, tasks: Sequence[PhotoTask]) -> list[PhotoTask]:
        """Record tasks in their order, all or none of them. Returns a result for each, in the state RECORDED.

        A task in the state KNOWN whose content turns out not to be enrolled comes back in the state LISTED.
        """
        previous_photos: list[PreviousPhoto] = []
        results: list[PhotoTask] = []
        with self._database.begin() as connection:
            # Any face may be an employee's.
            keeps_expressions = self._store_expressions or not has_employees(connection)
            for run in _runs(tasks):
                results += self._record_run(connection, run, previous_photos, keeps_expressions=keeps_expressions)
        self._previous_photos += previous_photos
        return results

    def release(self, sources: Sequence[str]) -> None:
        """Remove photos that have no location left after all sources were listed.

        Not earlier: a file that is listed later may hold what an earlier file held before. Photos that an interrupted
        or limited scan left without location are removed too, unless a scan of other sources is running.
        """
        previous_photos, self._previous_photos = self._previous_photos, []
        for batch in batches(previous_photos):
            with self._database.begin() as connection:
                revert_for_copies(connection, batch, self._began)
                released = self._release(connection, [previous.photo_id for previous in batch])
            self._remove(released)
        while True:
            with self._database.begin() as connection:
                if others_running(connection, self._scan_id, sources):
                    return
                photo_ids = photos_without_location(connection)
                released = self._release(connection, photo_ids)
            self._remove(released)
            if not photo_ids:
                return

    def recount_moved(self) -> int:
        """Count photos reported as duplicates of S3 locations that the listings then did not show: they were moved."""
        assumed, self._assumed_duplicates = self._assumed_duplicates, []
        moved = 0
        for batch in batches(assumed):
            with self._database.read() as connection:
                moved += sum(next(other_locations(connection, *photo_and_uri), None) is None for photo_and_uri in batch)
        return moved

    def drain_pending_removals(self) -> None:
        """Delete from the gallery the faces whose rows are deleted, also those that an interrupted scan left."""
        pending_removals.drain(self._database, self._engine.remove, self._engine.name, self._gallery)

    def _release(self, connection: Connection, photo_ids: Sequence[int]) -> list[str]:
        return release_photos(connection, photo_ids, engine=self._engine.name, gallery=self._gallery, now=self._clock())

    def _remove(self, face_ids: list[str]) -> None:
        # After the transaction, because the gallery may live in the same database.
        if face_ids:
            self.drain_pending_removals()

    def _record_run(
        self,
        connection: Connection,
        run: Sequence[PhotoTask],
        previous_photos: list[PreviousPhoto],
        *,
        keeps_expressions: bool,
    ) -> list[PhotoTask]:
        """Record tasks of :func:`_runs`: contents new to the catalogue together, others one by one."""
        location_by_sha256: dict[str, int] = {}
        if len(run) > 1:
            location_by_sha256 = record_new_photos(
                connection,
                [self._new_photo(task) for task in run],
                engine=self._engine.name,
                gallery=self._gallery,
                scan_id=self._scan_id,
                now=self._clock(),
                keeps_expressions=keeps_expressions,
            )
        results = []
        for task in run:
            location_id = location_by_sha256.get(task.sha256 or "")
            if location_id is None:
                results.append(self._record(connection, task, previous_photos, keeps_expressions))
            else:
                results.append(self._finish_enrolled(connection, task, OutcomeKind.NEW, location_id))
        return results

    def _record(
        self,
        connection: Connection,
        task: PhotoTask,
        previous_photos: list[PreviousPhoto],
        keeps_expressions: bool,
    ) -> PhotoTask:
        match task.state:
            case TaskState.KNOWN:
                return self._record_known(connection, task, previous_photos)
            case TaskState.ENROLLED:
                return self._record_enrolled(connection, task, previous_photos, keeps_expressions)
            case TaskState.SKIPPED | TaskState.FAILED:
                kind = OutcomeKind(task.state.value)
                outcome = Outcome(task.ref.uri, kind, task.sha256, reason=task.reason)
                record_problem(connection, self._scan_id, outcome, self._clock())
                return task.recorded(outcome, None)
        raise ValueError(f"a task in the state {task.state} is not finished")

    def _record_known(self, connection: Connection, task: PhotoTask, previous_photos: list[PreviousPhoto]) -> PhotoTask:
        photo_id = self._enrolled_photo(connection, task.content_hash)
        if photo_id is None:
            return task.relisted()
        dates = [*task.dates, *dates_of_uri(task.ref.uri, task.source.uri)]
        date = choose_date(dates, zone=self._zone)
        if date is not None:
            improve_date(connection, photo_id, date)
        kind = self._kind_of_known(connection, task, photo_id)
        location_id = self._record_location(connection, task, photo_id, kind, previous_photos)
        return task.recorded(Outcome(task.ref.uri, kind, task.sha256), location_id)

    def _record_enrolled(
        self,
        connection: Connection,
        task: PhotoTask,
        previous_photos: list[PreviousPhoto],
        keeps_expressions: bool,
    ) -> PhotoTask:
        # A content that this gallery did not hold is new, even if another gallery holds it: it was charged.
        is_changed = task.known is not None and task.known.sha256 != task.sha256
        kind = OutcomeKind.CHANGED if is_changed else OutcomeKind.NEW
        new, now = self._new_photo(task), self._clock()
        photo_id = record_photo(connection, new.sha256, new.size, new.photo, now)
        record_enrollment(
            connection,
            photo_id,
            new.enrollment,
            engine=self._engine.name,
            gallery=self._gallery,
            model=new.model,
            scan_id=self._scan_id,
            now=now,
            store_expressions=keeps_expressions,
        )
        location_id = self._record_location(connection, task, photo_id, kind, previous_photos)
        return self._finish_enrolled(connection, task, kind, location_id)

    def _new_photo(self, task: PhotoTask) -> NewPhoto:
        assert task.photo is not None
        assert task.enrollment is not None
        metadata = task.photo.metadata
        dates = [*metadata.dates, *dates_of_uri(task.ref.uri, task.source.uri)]
        date = choose_date(dates, is_scan=metadata.is_scan, zone=self._zone)
        photo = replace(task.photo, metadata=metadata.dated(date))
        model = _model_or_reason(task.enrollment, self._engine.model)
        return NewPhoto(task.content_hash, task.size, photo, task.enrollment, model, task.ref)

    def _finish_enrolled(
        self, connection: Connection, task: PhotoTask, kind: OutcomeKind, location_id: int
    ) -> PhotoTask:
        """Record the charges of a task whose enrollment and location are recorded."""
        assert task.photo is not None
        assert task.enrollment is not None
        enrollment = task.enrollment
        record_charges(
            connection,
            enrollment.charges,
            engine=self._engine.name,
            region=self._region,
            command="scan",
            scan_id=self._scan_id,
            now=self._clock(),
        )
        faces, rejected = len(enrollment.faces), len(enrollment.rejected)
        outcome = Outcome(
            task.ref.uri, kind, task.sha256, faces, rejected, reason=task.photo.note, charges=enrollment.charges
        )
        return task.recorded(outcome, location_id)

    def _enrolled_photo(self, connection: Connection, sha256: str) -> int | None:
        return find_enrolled(connection, sha256, self._engine.name, self._gallery)

    def _kind_of_known(self, connection: Connection, task: PhotoTask, photo_id: int) -> OutcomeKind:
        """Outcome of a location whose content the gallery held before."""
        if task.known is not None:
            # With the same content the file was touched, or came back.
            return OutcomeKind.UNCHANGED if task.known.sha256 == task.sha256 else OutcomeKind.CHANGED
        other_location = next(filter(location_exists, other_locations(connection, photo_id, task.ref.uri)), None)
        if other_location is None:
            return OutcomeKind.MOVED
        if not other_location.uri.startswith("file://"):
            self._assumed_duplicates.append((photo_id, task.ref.uri))
        return OutcomeKind.DUPLICATE

    def _record_location(
        self,
        connection: Connection,
        task: PhotoTask,
        photo_id: int,
        kind: OutcomeKind,
        previous_photos: list[PreviousPhoto],
    ) -> int:
        """Record the location and return its row id. If its content changed, its previous photo is added.

        Decisions are carried to content that is new in this scan. Content known before has its own people.
        """
        location_id = record_location(connection, photo_id, task.ref, self._clock())
        bring_back(connection, photo_id)
        if kind is OutcomeKind.CHANGED and task.known is not None:
            edit = task.known.photo_id, photo_id
            carried = None
            if edit not in self._edits and is_recorded_since(connection, photo_id, self._began):
                self._edits.add(edit)  # copies with the same edit are one edit
                carried = carry_over(connection, *edit)
            previous_photos.append(PreviousPhoto(task.known.photo_id, carried))
        return location_id
