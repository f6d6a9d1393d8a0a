"""Writing down what was found about photos, many in one transaction, and saying what that makes each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from catalog.engines.base import Engine
from catalog.images.opened import OpenedPhoto
from catalog.scanning.plan import ToRead
from catalog.sources.base import Content
from catalog.sources.uri import file_path
from catalog.store.database import Database
from catalog.store.faces import record_enrollment
from catalog.store.galleries import SPARED
from catalog.store.photos import Place, find_enrolled, find_photo, other_places, record_photo, record_place
from catalog.store.removal import owed_removals, release_photo, settle_removals
from catalog.store.scans import record_charges, record_problem
from catalog.vocabulary import Enrollment, Outcome, OutcomeKind


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


def stands(place: Place) -> bool:
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

    def holds(self, sha256: str) -> bool:
        """Whether this gallery holds the content: it need not be enrolled."""
        with self._database.read() as connection:
            return self._enrolled_photo(connection, sha256) is not None

    def record(self, findings: Sequence[Finding]) -> list[Recorded | None]:
        """Record the findings in their order, all or none of them; None for a ``Known`` that turns out not to be."""
        released: list[str] = []
        with self._database.begin() as connection:
            recorded = [self._record(connection, finding, released) for finding in findings]
        self._remove(released)
        return recorded

    def pay_debts(self) -> None:
        """Have the gallery let go of the faces that a killed scan left in it."""
        while True:
            with self._database.read() as connection:
                owed = owed_removals(connection, self._engine.name, self._gallery)
            if not owed:
                return
            self._remove(owed)

    def _record(self, connection: Connection, finding: Finding, released: list[str]) -> Recorded | None:
        match finding:
            case Known(arrival):
                return self._known(connection, arrival, released)
            case Enrolled(arrival, sighting):
                return self._enroll(connection, arrival, sighting, released)
            case Problem(uri, kind, reason, sha256):
                outcome = Outcome(uri, kind, sha256, reason=reason)
                record_problem(connection, self._scan_id, outcome, self._clock())
                return Recorded(outcome, None)

    def _known(self, connection: Connection, arrival: Arrival, released: list[str]) -> Recorded | None:
        photo_id = self._enrolled_photo(connection, arrival.sha256)
        if photo_id is None:
            return None
        kind = self._kind(connection, arrival.step, arrival.sha256, photo_id)
        location_id = self._place(connection, arrival.step, photo_id, kind, released)
        return Recorded(Outcome(arrival.step.ref.uri, kind, arrival.sha256), location_id)

    def _enroll(self, connection: Connection, arrival: Arrival, sighting: Sighting, released: list[str]) -> Recorded:
        step, sha256, enrollment = arrival.step, arrival.sha256, sighting.enrollment
        now = self._clock()
        kind = self._kind(connection, step, sha256, find_photo(connection, sha256))
        photo_id = record_photo(connection, sha256, arrival.size, sighting.photo, now)
        record_enrollment(
            connection,
            photo_id,
            enrollment,
            engine=self._engine.name,
            gallery=self._gallery,
            model=SPARED if enrollment.spared else self._engine.model,
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
        location_id = self._place(connection, step, photo_id, kind, released)
        faces, rejected = len(enrollment.faces), len(enrollment.rejected)
        outcome = Outcome(step.ref.uri, kind, sha256, faces, rejected, charges=enrollment.charges)
        return Recorded(outcome, location_id)

    def _enrolled_photo(self, connection: Connection, sha256: str) -> int | None:
        return find_enrolled(connection, sha256, self._engine.name, self._gallery)

    def _kind(self, connection: Connection, step: ToRead, sha256: str, known: int | None) -> OutcomeKind:
        if step.place is not None:
            # Touched, come back, or new to this gallery only: the content is the same.
            if step.place.sha256 == sha256:
                return OutcomeKind.NEW if known is None else OutcomeKind.UNCHANGED
            return OutcomeKind.CHANGED
        if known is None:
            return OutcomeKind.NEW
        others = other_places(connection, known, step.ref.uri)
        return OutcomeKind.DUPLICATE if any(map(stands, others)) else OutcomeKind.MOVED

    def _place(
        self, connection: Connection, step: ToRead, photo_id: int, kind: OutcomeKind, released: list[str]
    ) -> int:
        """Row id of the place; face ids that nothing holds any more now that its content changed are added."""
        location_id = record_place(connection, photo_id, step.ref, self._clock())
        if kind is OutcomeKind.CHANGED and step.place is not None:
            released += release_photo(
                connection, step.place.photo_id, photo_id, engine=self._engine.name, gallery=self._gallery
            )
        return location_id

    def _remove(self, face_ids: list[str]) -> None:
        # After the transaction: the gallery may live in the same database. A kill in between leaves a debt.
        if face_ids:
            self._engine.remove(face_ids)
            with self._database.begin() as connection:
                settle_removals(connection, face_ids, self._engine.name, self._gallery)
