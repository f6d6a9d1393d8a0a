"""Employee verification: does a photo show the person enrolled under an id? Accepted, refused, or cannot tell.

It is independent of the photo gallery: references are crops of their own, compared one to one. Every enrollment and
every verification is recorded in the verification log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from catalog.domain.charges import Charge
from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.domain.faces import BooleanAttribute, Face
from catalog.domain.log_odds import similarity_odds
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.recommended_thresholds import ACCEPT, REFUSE
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.matching import verification_log
from catalog.images.crop import cut_out
from catalog.store.charge_scope import charge_scope
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.verification_rows import delete_employee, insert_reference, read_references

_MIN_RATE = 1e-6
"""No lower rate is stated, because too few stranger pairs were compared to know it."""
_PADDING = 0.8
_SIDE = 640
_ATTRIBUTE_CONFIDENCE = 80.0
"""Lowest confidence at which an attribute such as "wears sunglasses" refuses a photo. Not measured."""


class VerificationVerdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result for one photo. ``similarity`` is to the best reference, None if no face could be compared.

    ``false_match_rate`` is the share of strangers that reach ``threshold`` on the engine's scale. ``reasons`` are
    sentences that say why the photo cannot be judged. ``entry`` is the number in the verification log.
    """

    employee_id: str
    verdict: VerificationVerdict
    similarity: float | None
    threshold: float
    false_match_rate: float
    reasons: tuple[str, ...]
    entry: int

    @property
    def is_accepted(self) -> bool:
        return self.verdict is VerificationVerdict.ACCEPTED


def find_flaws(photo: OpenedPhoto, faces: Sequence[Face]) -> list[str]:
    """Reasons why a photo cannot be a reference, as sentences. They follow Amazon's advice for input images.

    A reference shows one face, at least 50 pixels wide and high, whole, uncovered, with open eyes, without sunglasses,
    not dark, overexposed or blurred. It is turned by less than 45 degrees, and tilted by more than -30 and less
    than 45.
    """
    if len(faces) != 1:
        return [f"It shows {len(faces) or 'no'} face{'' if len(faces) == 1 else 's'} instead of one."]
    return [*_geometry(photo, faces[0]), *_appearance(faces[0])]


def _geometry(photo: OpenedPhoto, face: Face) -> list[str]:
    flaws = []
    box, pose = face.box, face.pose
    if min(box.width * photo.width, box.height * photo.height) < 50:
        flaws.append("The face is smaller than 50 pixels.")
    if box.left < 0 or box.top < 0 or box.right > 1 or box.bottom > 1:
        flaws.append("The face is cut by the border of the photo.")
    if pose is not None:
        if abs(pose.yaw) >= 45:
            flaws.append(f"The face is turned to the side by {abs(pose.yaw):.0f} degrees; less than 45 is needed.")
        if pose.pitch <= -30 or pose.pitch >= 45:
            flaws.append(f"The face is tilted by {pose.pitch:.0f} degrees; between -30 and 45 is needed.")
    return flaws


def _appearance(face: Face) -> list[str]:
    flaws = []
    quality, attributes = face.quality, face.attributes
    if quality is not None:
        if quality.brightness < 20:
            flaws.append("The face is too dark.")
        if quality.brightness > 95:
            flaws.append("The face is washed out.")
        if quality.sharpness < 8:
            flaws.append("The face is blurred.")
    if _is_certain(attributes.eyes_open, False):
        flaws.append("The eyes are closed.")
    if _is_certain(attributes.sunglasses, True):
        flaws.append("Sunglasses cover the eyes.")
    if _is_certain(attributes.face_occluded, True):
        flaws.append("Part of the face is covered.")
    return flaws


def _is_certain(attribute: BooleanAttribute | None, value: bool) -> bool:
    return attribute is not None and attribute.value is value and attribute.confidence >= _ATTRIBUTE_CONFIDENCE


def enroll_employee(
    database: Database,
    engine: Engine,
    employee_id: str,
    photos: Sequence[OpenedPhoto],
    stamp: DecisionStamp,
    *,
    open_photo: Callable[[bytes], OpenedPhoto],
    region: str = "",
) -> list[list[str]]:
    """Enroll reference faces under an id; more photos may be added later. Returns the flaws of each photo.

    A photo with flaws is not enrolled. A photo of another person than the first reference has a flaw. If all photos
    have flaws, the id is not enrolled. Raises ``UsageError`` for an id that is not text on one line.
    """
    if not employee_id.strip() or not employee_id.isprintable():
        raise UsageError("An id must be text on one line.")
    with database.read() as connection:
        references = [open_photo(image) for image in read_references(connection, employee_id)]
    enrolled: list[tuple[bytes, str]] = []
    flaws: list[list[str]] = []
    with charge_scope(database, engine=engine.name, region=region, command="verify", now=stamp.now) as charges:
        for photo in photos:
            analysis = engine.analyze(photo)
            charges += analysis.charges
            flaws.append(find_flaws(photo, analysis.faces))
            if references and not flaws[-1]:
                comparison = engine.compare(references[0], photo, 0.0)
                charges += comparison.charges
                similarity = max((match.similarity for match in comparison.matches), default=0.0)
                if similarity < REFUSE:
                    flaws[-1].append(
                        f"The face is not similar to the one enrolled first: similarity {similarity:.1f}, "
                        f"and {REFUSE:g} is needed."
                    )
            if not flaws[-1]:
                references.append(photo)
                crop = cut_out(photo, analysis.faces[0].box, padding=_PADDING, side=_SIDE, quality=92)
                enrolled.append((crop, sha256_of(photo.data)))
        content = {"what": "enroll", "employee_id": employee_id, "by": stamp.who, "engine": engine.name}
        with database.begin() as connection:
            for crop, sha256 in enrolled:
                insert_reference(connection, employee_id, crop, sha256, who=stamp.who, now=stamp.now)
            _charge(connection, engine, charges, region, stamp)
            verification_log.record(connection, {**content, "model": engine.model, "flaws": flaws}, stamp.now)
    return flaws


def remove_employee(connection: Connection, employee_id: str, stamp: DecisionStamp) -> int:
    """Delete an employee's references and the content of its log entries; returns how many entries.

    Raises ``UsageError`` for an unknown id.
    """
    if not delete_employee(connection, employee_id):
        raise UsageError(f'No employee is enrolled under the id "{employee_id}".')
    emptied = verification_log.forget_entries(connection, employee_id)
    content = {"what": "remove", "by": stamp.who, verification_log.EMPTIED: emptied}
    verification_log.record(connection, content, stamp.now)
    return len(emptied)


def verify_employee(
    database: Database,
    engine: Engine,
    open_photo: Callable[[bytes], OpenedPhoto],
    employee_id: str,
    photo: OpenedPhoto,
    stamp: DecisionStamp,
    *,
    accept: float = ACCEPT,
    refuse: float = REFUSE,
    region: str = "",
) -> Verification:
    """Compare the largest face of a photo with an employee's references.

    Accepted at ``accept`` and above, refused below ``refuse``. Between the two, or if the photo does not show one
    usable face, the verdict is "cannot tell". Raises ``UsageError`` for an unknown id.
    """
    with database.read() as connection:
        references = read_references(connection, employee_id)
    if not references:
        raise UsageError(
            f'No employee is enrolled under the id "{employee_id}".', remedy="Enroll first: catalog enroll ID PHOTO..."
        )
    with charge_scope(database, engine=engine.name, region=region, command="verify", now=stamp.now) as charges:
        analysis = engine.analyze(photo)
        charges += analysis.charges
        reasons = tuple(find_flaws(photo, analysis.faces))
        similarity: float | None = None
        if analysis.faces:
            for image in references:
                comparison = engine.compare(open_photo(image), photo, 0.0)
                charges += comparison.charges
                largest = max(comparison.matches, key=lambda match: match.face.box.area, default=None)
                if largest is not None:
                    similarity = max(largest.similarity, similarity or 0.0)
        verdict = _verdict(similarity, reasons, accept, refuse)
        content: dict[str, Any] = {
            "what": "verify",
            "employee_id": employee_id,
            "by": stamp.who,
            "photo_sha256": sha256_of(photo.data),
            "verdict": verdict.value,
            "similarity": similarity,
            "accept": accept,
            "refuse": refuse,
            "reasons": list(reasons),
            "engine": engine.name,
            "model": engine.model,
        }
        with database.begin() as connection:
            _charge(connection, engine, charges, region, stamp)
            entry = verification_log.record(connection, content, stamp.now)
    return Verification(employee_id, verdict, similarity, accept, false_match_rate(accept), reasons, entry.number)


def _verdict(similarity: float | None, reasons: Sequence[str], accept: float, refuse: float) -> VerificationVerdict:
    if similarity is None or reasons:
        return VerificationVerdict.CANNOT_TELL
    if similarity >= accept:
        return VerificationVerdict.ACCEPTED
    return VerificationVerdict.REFUSED if similarity < refuse else VerificationVerdict.CANNOT_TELL


def false_match_rate(threshold: float) -> float:
    """Share of stranger pairs that reach a similarity: 1 in 1,000 at 80, 1 in 100,000 at 99, log-odds between.

    Both engines' scales are defined so; see :mod:`catalog.domain.engine`. `catalog evaluate` measures the share on the
    user's labels.
    """
    steps = (similarity_odds(threshold) - similarity_odds(80.0)) / (similarity_odds(99.0) - similarity_odds(80.0))
    return min(1.0, max(_MIN_RATE, float(10.0 ** (-3.0 - 2.0 * steps))))


def _charge(
    connection: Connection, engine: Engine, charges: Sequence[Charge], region: str, stamp: DecisionStamp
) -> None:
    record_charges(
        connection, charges, engine=engine.name, region=region, command="verify", scan_id=None, now=stamp.now
    )
