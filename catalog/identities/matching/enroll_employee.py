"""Enrollment of employees: reference photos under an id of the user's own system.

Each photo is one attempt with one entry in the verification log, whether it is enrolled or refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from catalog.domain.charges import Charge
from catalog.domain.content_hash import sha256_of
from catalog.domain.employee_ids import check_employee_id
from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.domain.faces import Analysis
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.recommended_thresholds import ACCEPT, REFUSE
from catalog.domain.uri import display_name
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.matching import verification_log
from catalog.identities.matching.photo_flaws import find_reference_flaws, warn_of_unclear_face
from catalog.identities.matching.same_face_search import SameFaceSearch
from catalog.images.crop import cut_out
from catalog.store.charge_scope import charge_scope
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.verification_rows import (
    delete_employee,
    insert_reference,
    lock_log,
    read_references,
    reference_hashes,
    references_of_others,
)

log = logging.getLogger(__name__)

_PADDING = 0.8
_SIDE = 640


def enroll_employee(
    database: Database,
    engine: Engine,
    employee_id: str,
    photos: Sequence[OpenedPhoto],
    stamp: DecisionStamp,
    *,
    open_photo: Callable[[bytes], OpenedPhoto],
    region: str = "",
    allow_same_face: bool = False,
    allow_open_mouth: bool = False,
    subjects: Sequence[str] = (),
) -> list[list[str]]:
    """Enroll reference faces under an id; more photos may be added later. Returns the flaws of each photo.

    A photo with flaws is not enrolled. A photo of another person than the first reference has a flaw. So has a photo
    that `verify` would accept under another id, unless ``allow_same_face`` is set, and one with an open mouth, unless
    ``allow_open_mouth`` is set. If all photos have flaws, the id is not enrolled. A photo that is enrolled under the id
    already is not examined again. Logs a warning for an enrolled face that is not clear; ``subjects`` name the photos.

    Raises ``UsageError`` for an id that is not text on one line, or too long. If the engine fails, the photos before
    stay enrolled.
    """
    check_employee_id(employee_id)
    enrollment = _Enrollment(
        database, engine, employee_id, stamp, open_photo, region, allow_same_face, allow_open_mouth
    )
    shown = subjects or ["The photo"] * len(photos)
    return [enrollment.enroll(photo, subject) for photo, subject in zip(photos, shown, strict=True)]


@dataclass(frozen=True, slots=True)
class _Enrollment:
    """Enrolls photos under one id."""

    database: Database
    engine: Engine
    employee_id: str
    stamp: DecisionStamp
    open_photo: Callable[[bytes], OpenedPhoto]
    region: str
    allow_same_face: bool
    allow_open_mouth: bool

    def enroll(self, photo: OpenedPhoto, subject: str) -> list[str]:
        """Enroll one photo and log the attempt. Returns the flaws."""
        sha256 = sha256_of(photo.data)
        content = {
            "what": "enroll",
            "employee_id": self.employee_id,
            "by": self.stamp.who,
            "photo_sha256": sha256,
            "engine": self.engine.name,
            "model": self.engine.model,
        }
        with (
            verification_log.logged_failure(self.database, content, self.stamp.now),
            charge_scope(
                self.database,
                engine=self.engine.name,
                region=self.region,
                command="verify",
                now=self.stamp.now,
            ) as charges,
        ):
            with self.database.read() as connection:
                is_enrolled = sha256 in reference_hashes(connection, self.employee_id)
            if is_enrolled:
                with self.database.begin() as connection:
                    self._log(connection, content, [], ())
                return []
            return self._examine(photo, subject, content, charges)

    def _examine(self, photo: OpenedPhoto, subject: str, content: dict[str, Any], charges: list[Charge]) -> list[str]:
        analysis = self.engine.analyze(photo)
        charges += analysis.charges
        flaws = find_reference_flaws(photo, analysis.faces, allow_open_mouth=self.allow_open_mouth)
        flaws = flaws or self._unlike_first_reference(photo, charges)
        search = SameFaceSearch(self.engine, photo, self.open_photo, charges)
        similarities: dict[str, float] = {}
        compared = 0
        while True:
            with self.database.begin() as connection:
                lock_log(connection)
                # Another process may have enrolled an employee since the last comparison.
                new = (
                    []
                    if flaws or self.allow_same_face
                    else references_of_others(connection, self.employee_id, after=compared)
                )
                if not new:
                    accepted = {enrolled_id: value for enrolled_id, value in similarities.items() if value >= ACCEPT}
                    flaws += [
                        f'The face is enrolled under the id "{enrolled_id}": similarity {value:.1f}.'
                        for enrolled_id, value in sorted(accepted.items())
                    ]
                    self._write(connection, photo, analysis, content, flaws, sorted(accepted), charges)
                    if not flaws:
                        warn_of_unclear_face(log, subject, photo, analysis.faces[0])
                    return flaws
            compared = new[-1].row
            for enrolled_id, value in search.similarities(new).items():
                similarities[enrolled_id] = max(value, similarities.get(enrolled_id, 0.0))

    def _unlike_first_reference(self, photo: OpenedPhoto, charges: list[Charge]) -> list[str]:
        """The flaw of a photo that shows another person than the first reference, if there is one."""
        with self.database.read() as connection:
            references = read_references(connection, self.employee_id)
        if not references:
            return []
        comparison = self.engine.compare(self.open_photo(references[0]), photo, 0.0)
        charges += comparison.charges
        similarity = max((match.similarity for match in comparison.matches), default=0.0)
        if similarity >= REFUSE:
            return []
        return [
            f"The face is not similar to the one enrolled first: similarity {similarity:.1f}, and {REFUSE:g} is needed."
        ]

    def _write(
        self,
        connection: Connection,
        photo: OpenedPhoto,
        analysis: Analysis,
        content: dict[str, Any],
        flaws: list[str],
        same_face_as: Sequence[str],
        charges: Sequence[Charge],
    ) -> None:
        if not flaws:
            crop = cut_out(photo, analysis.faces[0].box, padding=_PADDING, side=_SIDE, quality=92)
            insert_reference(
                connection,
                self.employee_id,
                crop,
                content["photo_sha256"],
                who=self.stamp.who,
                now=self.stamp.now,
            )
        record_charges(
            connection,
            charges,
            engine=self.engine.name,
            region=self.region,
            command="verify",
            scan_id=None,
            now=self.stamp.now,
        )
        self._log(connection, content, flaws, same_face_as)

    def _log(
        self, connection: Connection, content: dict[str, Any], flaws: list[str], same_face_as: Sequence[str]
    ) -> None:
        verdict = "refused" if flaws else "enrolled"
        # "flaws" has a list for each photo: entries of earlier versions are about several photos.
        entry = {**content, "verdict": verdict, "reasons": flaws, "flaws": [flaws]}
        if same_face_as:
            entry[verification_log.SAME_FACE_AS] = list(same_face_as)
        verification_log.record(connection, entry, self.stamp.now)


def remove_employee(connection: Connection, employee_id: str, stamp: DecisionStamp) -> int:
    """Delete an employee's references and the content of its log entries; returns how many entries.

    Entries of failed attempts under an id that is not enrolled are emptied, too. Raises ``UsageError`` for an id
    without references and entries.
    """
    was_enrolled = delete_employee(connection, employee_id)
    emptied = verification_log.forget_entries(connection, employee_id)
    if not was_enrolled and not emptied:
        raise UsageError(f'No employee is enrolled under the id "{display_name(employee_id)}".')
    content = {"what": "remove", "by": stamp.who, verification_log.EMPTIED: emptied}
    verification_log.record(connection, content, stamp.now)
    return len(emptied)
