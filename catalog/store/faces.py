"""Faces as an engine saw them: what enrolling a photo brought, and the same read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, bindparam, delete, insert, select, update

from catalog.domain.faces import BooleanAttribute, BoundingBox, Enrollment, Face, Pose, Quality
from catalog.domain.timestamps import utc_text
from catalog.store.tables import emotions, enrollments, faces, photos, rejected_faces, removals
from catalog.store.upsert import batches, insert_into


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face of the catalogue. ``row_id`` is for other tables, ``face_id`` for the gallery."""

    row_id: int
    face_id: str
    photo_id: int
    sha256: str
    box: BoundingBox
    confidence: float
    pose: Pose | None
    quality: Quality | None
    not_a_face: bool


_FACES: Select[*tuple[Any, ...]] = select(
    faces.c.id,
    faces.c.face_id,
    faces.c.photo_id,
    photos.c.sha256,
    faces.c.box_left,
    faces.c.box_top,
    faces.c.box_width,
    faces.c.box_height,
    faces.c.confidence,
    faces.c.roll,
    faces.c.yaw,
    faces.c.pitch,
    faces.c.brightness,
    faces.c.sharpness,
    faces.c.not_a_face,
).join_from(faces, photos)

# Statements that run for every photo are built once: building one costs as much as running it.
_INSERT_FACES, _INSERT_EMOTIONS = insert(faces), insert(emotions)
_ROW_IDS = select(faces.c.face_id, faces.c.id).where(
    *(faces.c[name] == bindparam(name) for name in ("photo_id", "engine", "gallery"))
)
_DELETE_REJECTED = delete(rejected_faces).where(
    *(rejected_faces.c[name] == bindparam(name) for name in ("photo_id", "engine", "gallery"))
)
_DELETE_REMOVALS = delete(removals).where(
    *(removals.c[name] == bindparam(name) for name in ("engine", "gallery")),
    removals.c.face_id.in_(bindparam("given", expanding=True)),
)

_JUDGEMENTS = (
    "smile",
    "eyeglasses",
    "sunglasses",
    "beard",
    "mustache",
    "eyes_open",
    "mouth_open",
    "face_occluded",
)


def stored_faces(
    conn: Connection,
    *,
    engine: str,
    gallery: str,
    photo_ids: Sequence[int] | None = None,
    batch: int = 2000,
) -> Iterator[StoredFace]:
    """The faces of a gallery, of some photos or of all, in ascending order of their row ids; streamed."""
    query = _FACES.where(faces.c.engine == engine, faces.c.gallery == gallery).order_by(faces.c.id)
    if photo_ids is not None:
        found = [row for some in batches(photo_ids) for row in conn.execute(query.where(faces.c.photo_id.in_(some)))]
        yield from map(_stored_face, sorted(found, key=lambda row: row[0]))
        return
    last = 0
    while True:
        rows = conn.execute(query.where(faces.c.id > last).limit(batch)).all()
        yield from map(_stored_face, rows)
        if len(rows) < batch:
            return
        last = rows[-1][0]


def stored_faces_by_id(conn: Connection, face_ids: Sequence[str], engine: str, gallery: str) -> dict[str, StoredFace]:
    """The known ones among these faces of a gallery, by face id."""
    found: dict[str, StoredFace] = {}
    query = _FACES.where(faces.c.engine == engine, faces.c.gallery == gallery)
    for some in batches(face_ids):
        for row in conn.execute(query.where(faces.c.face_id.in_(some))):
            found[row[1]] = _stored_face(row)
    return found


def record_enrollment(
    conn: Connection,
    photo_id: int,
    enrollment: Enrollment,
    *,
    engine: str,
    gallery: str,
    model: str,
    scan_id: int | None,
    now: datetime,
) -> list[int]:
    """Record what the gallery now holds of a photo; returns the faces' row ids in the enrollment's order.

    What an earlier enrollment of the photo in the same gallery left is replaced, but a face that is still the same
    (by its id) keeps its row and all that hangs on it; the gallery must let go of the others.
    """
    here = {"photo_id": photo_id, "engine": engine, "gallery": gallery}
    common = {**here, "model": model, "scan_id": scan_id}
    at = utc_text(now)
    kept = _keep_only(conn, here, [record.face_id for record in enrollment.faces], at)
    fresh = [record for record in enrollment.faces if record.face_id not in kept]
    if fresh:
        conn.execute(
            _INSERT_FACES,
            [{**common, "face_id": record.face_id, "enrolled_at": at, **_columns(record.face)} for record in fresh],
        )
        kept = _row_ids(conn, here)
        felt = [
            {"face_id": kept[record.face_id], "type": emotion.type.value, "confidence": emotion.confidence}
            for record in fresh
            for emotion in record.face.attributes.emotions
        ]
        if felt:
            conn.execute(_INSERT_EMOTIONS, felt)
    if enrollment.rejected:
        conn.execute(
            insert(rejected_faces),
            [
                {
                    **common,
                    **_box(rejected.face.box),
                    "confidence": rejected.face.confidence,
                    "reasons": " ".join(reason.value for reason in rejected.reasons),
                }
                for rejected in enrollment.rejected
            ],
        )
    conn.execute(_upsert_enrollment(conn.dialect.name), {**common, "enrolled_at": at})
    return [kept[record.face_id] for record in enrollment.faces]


@cache
def _upsert_enrollment(dialect: str) -> Executable:
    row = insert_into(dialect, enrollments)
    return row.on_conflict_do_update(
        index_elements=["photo_id", "engine", "gallery"],
        set_={"model": row.excluded.model, "enrolled_at": row.excluded.enrolled_at, "scan_id": row.excluded.scan_id},
    )


def rename_faces(conn: Connection, face_ids: Mapping[int, str]) -> None:
    """Give rows the ids under which the gallery holds their faces now; all that hangs on the rows stays."""
    for row_id, face_id in face_ids.items():
        conn.execute(update(faces).where(faces.c.id == row_id).values(face_id=face_id))


def _keep_only(conn: Connection, here: Mapping[str, object], face_ids: Sequence[str], at: str | None) -> dict[str, int]:
    """Take away what an earlier enrollment left, save these faces; returns the row ids of those that stay."""
    earlier = _row_ids(conn, here)
    gone = {face_id: row_id for face_id, row_id in earlier.items() if face_id not in face_ids}
    if gone:
        conn.execute(delete(faces).where(faces.c.id.in_(gone.values())))
        conn.execute(
            insert_into(conn, removals).on_conflict_do_nothing(),
            [
                {"face_id": face_id, "engine": here["engine"], "gallery": here["gallery"], "wanted_at": at}
                for face_id in gone
            ],
        )
    conn.execute(_DELETE_REJECTED, here)
    # The gallery gave them (again), whoever wanted them gone.
    for some in batches(face_ids):
        conn.execute(_DELETE_REMOVALS, {"engine": here["engine"], "gallery": here["gallery"], "given": some})
    return {face_id: row_id for face_id, row_id in earlier.items() if face_id in face_ids}


def _row_ids(conn: Connection, here: Mapping[str, object]) -> dict[str, int]:
    return {row.face_id: row.id for row in conn.execute(_ROW_IDS, here)}


def _columns(face: Face) -> dict[str, object]:
    seen = face.attributes
    columns: dict[str, object] = {
        **_box(face.box),
        "confidence": face.confidence,
        "roll": face.pose.roll if face.pose else None,
        "yaw": face.pose.yaw if face.pose else None,
        "pitch": face.pose.pitch if face.pose else None,
        "brightness": face.quality.brightness if face.quality else None,
        "sharpness": face.quality.sharpness if face.quality else None,
        "age_low": seen.age_range.low if seen.age_range else None,
        "age_high": seen.age_range.high if seen.age_range else None,
        "gender": seen.gender.value.value if seen.gender else None,
        "gender_confidence": seen.gender.confidence if seen.gender else None,
        "emotion": seen.emotions[0].type.value if seen.emotions else None,
        "emotion_confidence": seen.emotions[0].confidence if seen.emotions else None,
        "landmarks": json.dumps({point.type: [round(point.x, 6), round(point.y, 6)] for point in face.landmarks})
        if face.landmarks
        else None,
        "not_a_face": False,
    }
    for name in _JUDGEMENTS:
        judgement: BooleanAttribute | None = getattr(seen, name)
        columns[name] = judgement.value if judgement else None
        columns[f"{name}_confidence"] = judgement.confidence if judgement else None
    return columns


def _box(box: BoundingBox) -> dict[str, float]:
    return {"box_left": box.left, "box_top": box.top, "box_width": box.width, "box_height": box.height}


def _stored_face(row: Row[*tuple[Any, ...]]) -> StoredFace:
    row_id, face_id, photo_id, sha256, left, top, width, height, confidence, roll, yaw, pitch = row[:12]
    brightness, sharpness, not_a_face = row[12:]
    return StoredFace(
        row_id=row_id,
        face_id=face_id,
        photo_id=photo_id,
        sha256=sha256,
        box=BoundingBox(left, top, width, height),
        confidence=confidence,
        pose=None if roll is None else Pose(roll, yaw, pitch),
        quality=None if brightness is None else Quality(brightness, sharpness),
        not_a_face=not_a_face,
    )
