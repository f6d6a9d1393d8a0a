"""Verification: is this the person who was enrolled under this id? Accept, refuse, or cannot tell.

Kept apart from the gallery of photos: references are crops of their own, compared one to one. Every enrollment and
every answer goes to the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, select

from catalog.domain.charges import Charge
from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import Engine
from catalog.domain.errors import UsageError
from catalog.domain.faces import BooleanAttribute, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.neighbor_searches import logit
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.identities.matching import verification_log
from catalog.images.crop import cut_out
from catalog.store.charge_scope import charge_scope
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.tables import employee_references, employees
from catalog.store.upsert import insert_into

_RAREST = 1e-6
"""No lower rate is stated: too few pairs of strangers were ever compared to know it."""
ACCEPT = 99.0
REFUSE = 80.0
_PADDING = 0.8
_SIDE = 640
_SURE = 80.0
"""Confidence from which a judgement such as "wears sunglasses" refuses a photo."""


class VerificationVerdict(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer for one photo. ``similarity`` is to the best reference, None where no face could be compared.

    ``false_match_rate`` is how often a stranger reaches ``threshold``, as the engine's scale promises. ``reasons`` say
    why the photo cannot be judged.
    """

    employee_id: str
    verdict: VerificationVerdict
    similarity: float | None
    threshold: float
    false_match_rate: float
    reasons: tuple[str, ...]
    entry: int


def find_flaws(photo: OpenedPhoto, faces: Sequence[Face]) -> list[str]:
    """What keeps a photo from being a reference, in sentences; by Amazon's advice for input images.

    One face, turned less than 45 degrees, looking neither far down (30) nor up (45), at least 50 pixels wide and high,
    whole, uncovered, eyes open, no sunglasses, neither dark nor washed out nor blurred.
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
    quality, seen = face.quality, face.attributes
    if quality is not None:
        if quality.brightness < 20:
            flaws.append("The face is too dark.")
        if quality.brightness > 95:
            flaws.append("The face is washed out.")
        if quality.sharpness < 8:
            flaws.append("The face is blurred.")
    if _surely(seen.eyes_open, False):
        flaws.append("The eyes are closed.")
    if _surely(seen.sunglasses, True):
        flaws.append("Sunglasses cover the eyes.")
    if _surely(seen.face_occluded, True):
        flaws.append("Part of the face is covered.")
    return flaws


def _surely(judgement: BooleanAttribute | None, value: bool) -> bool:
    return judgement is not None and judgement.value is value and judgement.confidence >= _SURE


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
    """Keep reference faces under an id; photos may be added later. Returns the flaws of each photo.

    A photo with flaws is not kept, and neither is one of somebody else than the photos before it; an id none of whose
    photos is good is not made. Raises ``UsageError`` for an id that is no text on one line.
    """
    if not employee_id.strip() or not employee_id.isprintable():
        raise UsageError("An id must be text on one line.")
    with database.read() as connection:
        known = [open_photo(bytes(image)) for image in _references(connection, employee_id)]
    good: list[tuple[bytes, str]] = []
    flaws: list[list[str]] = []
    with charge_scope(database, engine=engine.name, region=region, command="verify", now=stamp.now) as charges:
        for photo in photos:
            analysis = engine.analyze(photo)
            charges += analysis.charges
            flaws.append(find_flaws(photo, analysis.faces))
            if known and not flaws[-1]:
                comparison = engine.compare(known[0], photo, 0.0)
                charges += comparison.charges
                similarity = max((each.similarity for each in comparison.matches), default=0.0)
                if similarity < REFUSE:
                    told = f"similarity {similarity:.1f}, where {REFUSE:g} is needed"
                    flaws[-1].append(f"The face is not like the one enrolled first: {told}.")
            if not flaws[-1]:
                known.append(photo)
                crop = cut_out(photo, analysis.faces[0].box, padding=_PADDING, side=_SIDE, quality=92)
                good.append((crop, sha256_of(photo.data)))
        content = {"what": "enroll", "employee_id": employee_id, "by": stamp.who, "engine": engine.name}
        with database.begin() as connection:
            for crop, sha256 in good:
                _keep(connection, employee_id, crop, sha256, stamp)
            _charge(connection, engine, charges, region, stamp)
            verification_log.record(connection, {**content, "model": engine.model, "flaws": flaws}, stamp.now)
    return flaws


def _keep(connection: Connection, employee_id: str, crop: bytes, sha256: str, stamp: DecisionStamp) -> None:
    row = {"employee_id": employee_id, "enrolled_at": utc_text(stamp.now), "enrolled_by": stamp.who}
    connection.execute(insert_into(connection, employees).on_conflict_do_nothing(), row)
    found = connection.scalar(select(employees.c.id).where(employees.c.employee_id == employee_id))
    reference = {"employee_id": found, "image": crop, "sha256": sha256}
    connection.execute(insert_into(connection, employee_references).on_conflict_do_nothing(), reference)


def remove_employee(connection: Connection, employee_id: str, stamp: DecisionStamp) -> int:
    """Forget an employee: references go, and the content of the audit entries; returns how many entries."""
    if connection.execute(delete(employees).where(employees.c.employee_id == employee_id)).rowcount == 0:
        raise UsageError(f'Nobody is enrolled as "{employee_id}".')
    gone = verification_log.forget_entries(connection, employee_id)
    verification_log.record(connection, {"what": "remove", "by": stamp.who, verification_log.EMPTIED: gone}, stamp.now)
    return len(gone)


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

    At ``accept`` and above accepted, below ``refuse`` refused, between the two, and where the photo shows no single
    usable face, nobody can tell. Raises ``UsageError`` for an unknown id.
    """
    with database.read() as connection:
        references = _references(connection, employee_id)
    if not references:
        raise UsageError(f'Nobody is enrolled as "{employee_id}".', remedy="Enroll first: catalog enroll ID PHOTO...")
    with charge_scope(database, engine=engine.name, region=region, command="verify", now=stamp.now) as charges:
        analysis = engine.analyze(photo)
        charges += analysis.charges
        reasons = tuple(find_flaws(photo, analysis.faces))
        similarity: float | None = None
        if analysis.faces:
            for image in references:
                comparison = engine.compare(open_photo(bytes(image)), photo, 0.0)
                charges += comparison.charges
                largest = max(comparison.matches, key=lambda each: each.face.box.area, default=None)
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


def _references(connection: Connection, employee_id: str) -> Sequence[bytes]:
    """The kept crops of an employee, the first one first."""
    return connection.scalars(
        select(employee_references.c.image)
        .join(employees, employees.c.id == employee_references.c.employee_id)
        .where(employees.c.employee_id == employee_id)
        .order_by(employee_references.c.id)
    ).all()


def _verdict(similarity: float | None, reasons: Sequence[str], accept: float, refuse: float) -> VerificationVerdict:
    if similarity is None or reasons:
        return VerificationVerdict.CANNOT_TELL
    if similarity >= accept:
        return VerificationVerdict.ACCEPTED
    return VerificationVerdict.REFUSED if similarity < refuse else VerificationVerdict.CANNOT_TELL


def false_match_rate(threshold: float) -> float:
    """How many pairs of strangers reach a similarity: 1 in 1,000 at 80, 1 in 100,000 at 99, log-odds between.

    What the scale of every engine promises (``engines/base.py``); `catalog evaluate` measures it on one's own labels.
    """
    steps = float((logit(threshold) - logit(80.0)) / (logit(99.0) - logit(80.0)))
    return float(min(1.0, max(_RAREST, 10.0 ** (-3.0 - 2.0 * steps))))


def _charge(
    connection: Connection, engine: Engine, charges: Sequence[Charge], region: str, stamp: DecisionStamp
) -> None:
    record_charges(
        connection, charges, engine=engine.name, region=region, command="verify", scan_id=None, now=stamp.now
    )
