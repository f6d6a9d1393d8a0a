"""Writing down what was found about one photo, in one transaction, and saying what that makes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from catalog.engines.base import Engine
from catalog.images.opened import OpenedPhoto
from catalog.scanning.plan import ToRead
from catalog.sources.uri import file_path
from catalog.store.database import Database
from catalog.store.faces import record_enrollment
from catalog.store.photos import Place, find_photo, is_enrolled, places_of, record_photo, record_place
from catalog.store.removal import owed_removals, release_photo, settle_removals
from catalog.store.scans import record_charges, record_problem
from catalog.vocabulary import Enrollment, Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome, and the row id of the place, by which the scan remembers that it saw it."""

    outcome: Outcome
    location_id: int


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

    def known(self, step: ToRead, sha256: str) -> Recorded | None:
        """Record the place alone, when this gallery already holds the content; else None and nothing is written."""
        with self._database.read() as connection:
            photo_id = find_photo(connection, sha256)
            if photo_id is None or not is_enrolled(connection, photo_id, self._engine.name, self._gallery):
                return None
        with self._database.begin() as connection:
            kind = self._kind(connection, step, sha256, known=True)
            location_id, released = self._place(connection, step, photo_id, kind)
        self._remove(released)
        return Recorded(Outcome(step.ref.uri, kind, sha256), location_id)

    def enrolled(self, step: ToRead, sha256: str, size: int, photo: OpenedPhoto, enrollment: Enrollment) -> Recorded:
        """Record the photo, its place, its faces and what they cost."""
        now = self._clock()
        with self._database.begin() as connection:
            kind = self._kind(connection, step, sha256, known=find_photo(connection, sha256) is not None)
            photo_id = record_photo(connection, sha256, size, photo, now)
            record_enrollment(
                connection,
                photo_id,
                enrollment,
                engine=self._engine.name,
                gallery=self._gallery,
                model=self._engine.model,
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
            location_id, released = self._place(connection, step, photo_id, kind)
        self._remove(released)
        outcome = Outcome(step.ref.uri, kind, sha256, len(enrollment.faces), len(enrollment.rejected))
        return Recorded(outcome, location_id)

    def problem(self, uri: str, kind: OutcomeKind, reason: str, sha256: str | None = None) -> Outcome:
        """Write down that a photo was skipped or failed; what the catalogue knew of the place stays as it was."""
        outcome = Outcome(uri, kind, sha256, reason=reason)
        with self._database.begin() as connection:
            record_problem(connection, self._scan_id, outcome, self._clock())
        return outcome

    def _kind(self, connection: Connection, step: ToRead, sha256: str, *, known: bool) -> OutcomeKind:
        if step.place is not None:
            # Touched, come back, or new to this gallery only: the content is the same.
            if step.place.sha256 == sha256:
                return OutcomeKind.UNCHANGED if known else OutcomeKind.NEW
            return OutcomeKind.CHANGED
        if not known:
            return OutcomeKind.NEW
        others = [place for place in places_of(connection, sha256) if place.uri != step.ref.uri]
        return OutcomeKind.DUPLICATE if any(map(stands, others)) else OutcomeKind.MOVED

    def _place(self, connection: Connection, step: ToRead, photo_id: int, kind: OutcomeKind) -> tuple[int, list[str]]:
        """Row id of the place, and the face ids that nothing holds any more now that its content changed."""
        location_id = record_place(connection, photo_id, step.ref, self._clock())
        if kind is not OutcomeKind.CHANGED or step.place is None:
            return location_id, []
        return location_id, release_photo(
            connection, step.place.photo_id, photo_id, engine=self._engine.name, gallery=self._gallery
        )

    def _remove(self, face_ids: list[str]) -> None:
        # After the transaction: the gallery may live in the same database. A kill in between leaves a debt.
        if face_ids:
            self._engine.remove(face_ids)
            with self._database.begin() as connection:
                settle_removals(connection, face_ids, self._engine.name, self._gallery)

    def pay_debts(self) -> None:
        """Have the gallery let go of the faces that a killed scan left in it."""
        while True:
            with self._database.read() as connection:
                owed = owed_removals(connection, self._engine.name, self._gallery)
            if not owed:
                return
            self._remove(owed)
