"""Writing down what was found about photos, many in one transaction, and saying what that makes each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from catalog.domain.engine import Engine
from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.source import Content
from catalog.domain.uri import file_path
from catalog.scanning.plan import ToRead
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.edited_photos import (
    CarriedDecisions,
    appeared_elsewhere,
    carry_decisions_over,
    revert_carried,
)
from catalog.store.faces import record_enrollment
from catalog.store.gallery_info import PREFILTERED
from catalog.store.photo_removal import photos_without_location, release_photos
from catalog.store.photos import (
    Location,
    find_enrolled,
    is_recorded_since,
    other_locations,
    record_location,
    record_photo,
)
from catalog.store.scans import others_running, record_charges, record_problem
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class Arrival:
    """A photo whose bytes are here."""

    step: ToRead
    sha256: str
    size: int
    content: Content | None
    """None once nobody needs the bytes, so that what waits to be recorded takes no memory."""

    @property
    def light(self) -> Arrival:
        return replace(self, content=None)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A photo whose faces are enrolled."""

    photo: OpenedPhoto
    enrollment: Enrollment


@dataclass(frozen=True, slots=True)
class Known:
    """A photo whose content is in the gallery already, or will be once the findings before it are recorded."""

    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A photo that was just enrolled."""

    arrival: Arrival
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Problem:
    """A photo that was skipped or failed; what the catalogue knew of the place stays as it was."""

    uri: str
    kind: OutcomeKind
    reason: str
    sha256: str | None = None


Finding = Known | Enrolled | Problem


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome, and the row id of the place, by which the scan remembers that it saw it."""

    outcome: Outcome
    location_id: int | None


@dataclass(frozen=True, slots=True)
class _Replaced:
    """A photo that a place showed before, and what of it went over to the one in its stead."""

    photo_id: int
    carried: CarriedDecisions | None


def location_exists(place: Location) -> bool:
    """Whether a known place still holds a photo, as far as can be told without a listing."""
    if place.missing_since is not None:
        return False
    return not place.uri.startswith("file://") or os.path.lexists(file_path(place.uri))


class Recorder:
    """Writes one scan's findings to the catalogue. Used from one thread."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        *,
        gallery: str,
        region: str,
        scan_id: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._engine = engine
        self._gallery = gallery
        self._region = region
        self._scan_id = scan_id
        self._clock = clock
        self._began = clock()
        self._replaced: list[_Replaced] = []
        self._successions: set[tuple[int, int]] = set()
        self._believed: list[tuple[int, str]] = []

    def holds(self, sha256: str) -> bool:
        """Whether this gallery holds the content: it need not be enrolled."""
        with self._database.read() as connection:
            return self._enrolled_photo(connection, sha256) is not None

    def record(self, findings: Sequence[Finding]) -> list[Recorded | None]:
        """Record the findings in their order, all or none of them; None for a ``Known`` that turns out not to be."""
        replaced: list[_Replaced] = []
        with self._database.begin() as connection:
            recorded = [self._record(connection, finding, replaced) for finding in findings]
        self._replaced += replaced
        return recorded

    def release(self, sources: Sequence[str]) -> None:
        """Let go of the photos whose places show others now and that no place of the sources showed instead.

        For after the sources' listings: until then a later file may turn out to hold what an earlier one held. What a
        killed or limited scan left behind goes too, unless a scan of other sources runs that may still come to it.
        """
        replaced, self._replaced = self._replaced, []
        for some in batches(replaced):
            with self._database.begin() as connection:
                for each in some:
                    if each.carried is not None and appeared_elsewhere(connection, each.photo_id, self._began):
                        revert_carried(connection, each.carried)
                released = self._release(connection, [each.photo_id for each in some])
            self._remove(released)
        while True:
            with self._database.begin() as connection:
                if others_running(connection, self._scan_id, sources):
                    return
                left = photos_without_location(connection)
                released = self._release(connection, left)
            self._remove(released)
            if not left:
                return

    def recount_moved(self) -> int:
        """How many photos were told as duplicates of places that the listings did not show; to be asked after them.

        A file is asked for at once whether it stands. An object costs a call, and a listing shows them all.
        """
        believed, self._believed = self._believed, []
        moved = 0
        for some in batches(believed):
            with self._database.read() as connection:
                moved += sum(next(other_locations(connection, *each), None) is None for each in some)
        return moved

    def _release(self, connection: Connection, photo_ids: Sequence[int]) -> list[str]:
        return release_photos(connection, photo_ids, engine=self._engine.name, gallery=self._gallery, now=self._clock())

    def drain_pending_removals(self) -> None:
        """Delete from the gallery the faces that an interrupted scan left in it."""
        pending_removals.drain(self._database, self._engine.remove, self._engine.name, self._gallery)

    def _record(self, connection: Connection, finding: Finding, replaced: list[_Replaced]) -> Recorded | None:
        match finding:
            case Known(arrival):
                return self._known(connection, arrival, replaced)
            case Enrolled(arrival, sighting):
                return self._enroll(connection, arrival, sighting, replaced)
            case Problem(uri, kind, reason, sha256):
                outcome = Outcome(uri, kind, sha256, reason=reason)
                record_problem(connection, self._scan_id, outcome, self._clock())
                return Recorded(outcome, None)

    def _known(self, connection: Connection, arrival: Arrival, replaced: list[_Replaced]) -> Recorded | None:
        photo_id = self._enrolled_photo(connection, arrival.sha256)
        if photo_id is None:
            return None
        kind = self._kind(connection, arrival.step, arrival.sha256, photo_id)
        location_id = self._place(connection, arrival.step, photo_id, kind, replaced)
        return Recorded(Outcome(arrival.step.ref.uri, kind, arrival.sha256), location_id)

    def _enroll(
        self, connection: Connection, arrival: Arrival, sighting: Sighting, replaced: list[_Replaced]
    ) -> Recorded:
        step, sha256, enrollment = arrival.step, arrival.sha256, sighting.enrollment
        now = self._clock()
        # What this gallery did not hold is new to it, and was paid for, wherever else it is known from.
        changed = step.place is not None and step.place.sha256 != sha256
        kind = OutcomeKind.CHANGED if changed else OutcomeKind.NEW
        photo_id = record_photo(connection, sha256, arrival.size, sighting.photo, now)
        record_enrollment(
            connection,
            photo_id,
            enrollment,
            engine=self._engine.name,
            gallery=self._gallery,
            model=PREFILTERED if enrollment.spared else self._engine.model,
            scan_id=self._scan_id,
            now=now,
        )
        record_charges(
            connection,
            enrollment.charges,
            engine=self._engine.name,
            region=self._region,
            command="scan",
            scan_id=self._scan_id,
            now=now,
        )
        location_id = self._place(connection, step, photo_id, kind, replaced)
        faces, rejected = len(enrollment.faces), len(enrollment.rejected)
        outcome = Outcome(step.ref.uri, kind, sha256, faces, rejected, charges=enrollment.charges)
        return Recorded(outcome, location_id)

    def _enrolled_photo(self, connection: Connection, sha256: str) -> int | None:
        return find_enrolled(connection, sha256, self._engine.name, self._gallery)

    def _kind(self, connection: Connection, step: ToRead, sha256: str, known: int) -> OutcomeKind:
        """What a place is whose content the gallery held."""
        if step.place is not None:
            # Touched or come back: the content is the same.
            return OutcomeKind.UNCHANGED if step.place.sha256 == sha256 else OutcomeKind.CHANGED
        standing = next(filter(location_exists, other_locations(connection, known, step.ref.uri)), None)
        if standing is None:
            return OutcomeKind.MOVED
        if not standing.uri.startswith("file://"):
            self._believed.append((known, step.ref.uri))
        return OutcomeKind.DUPLICATE

    def _place(
        self,
        connection: Connection,
        step: ToRead,
        photo_id: int,
        kind: OutcomeKind,
        replaced: list[_Replaced],
    ) -> int:
        """Row id of the place; the photo that it showed before is added if its content changed.

        Content that was known before the scan is no edit of what the place showed: it has its own people.
        """
        location_id = record_location(connection, photo_id, step.ref, self._clock())
        if kind is OutcomeKind.CHANGED and step.place is not None:
            both = step.place.photo_id, photo_id
            carried = None
            if both not in self._successions and is_recorded_since(connection, photo_id, self._began):
                self._successions.add(both)  # copies that were edited alike are one edit
                carried = carry_decisions_over(connection, *both)
            replaced.append(_Replaced(step.place.photo_id, carried))
        return location_id

    def _remove(self, face_ids: list[str]) -> None:
        # After the transaction, because the gallery may live in the same database.
        if face_ids:
            self.drain_pending_removals()
