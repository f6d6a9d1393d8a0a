"""Enrolled faces: recorded from an enrollment, and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, bindparam, delete, func, insert, select, update

from catalog.domain.box_columns import BOX_COLUMNS, box_columns
from catalog.domain.faces import (
    BooleanAttribute,
    BoundingBox,
    Emotion,
    Enrollment,
    Face,
    FaceRecord,
    Pose,
    Quality,
    RejectedFace,
)
from catalog.domain.timestamps import utc_text
from catalog.store import pending_removals
from catalog.store.tables import emotions, enrollments, faces, photos, rejected_faces, removals
from catalog.store.upsert import batches, insert_into, repeated_batches
from catalog.store.verification_rows import has_employees


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face as stored. ``row_id`` is its key in other tables, ``face_id`` its id in the gallery."""

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
    *(faces.c[name] for name in BOX_COLUMNS),
    faces.c.confidence,
    faces.c.roll,
    faces.c.yaw,
    faces.c.pitch,
    faces.c.brightness,
    faces.c.sharpness,
    faces.c.not_a_face,
).join_from(faces, photos)

# Statements that run for every photo are built once, because building one takes as long as running it.
_INSERT_FACES, _INSERT_EMOTIONS, _INSERT_REJECTED = insert(faces), insert(emotions), insert(rejected_faces)
_ROW_IDS = select(faces.c.face_id, faces.c.id).where(
    *(faces.c[name] == bindparam(name) for name in ("photo_id", "engine", "gallery"))
)
_ROW_IDS_OF_FACES = select(faces.c.face_id, faces.c.id).where(
    *(faces.c[name] == bindparam(name) for name in ("engine", "gallery")),
    faces.c.face_id.in_(bindparam("face_ids", expanding=True)),
)
_DELETE_REJECTED = delete(rejected_faces).where(
    *(rejected_faces.c[name] == bindparam(name) for name in ("photo_id", "engine", "gallery"))
)
_DELETE_REMOVALS = delete(removals).where(
    *(removals.c[name] == bindparam(name) for name in ("engine", "gallery")),
    removals.c.face_id.in_(bindparam("face_ids", expanding=True)),
)

_BOOLEAN_ATTRIBUTES = (
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
    batch_size: int = 2000,
) -> Iterator[StoredFace]:
    """Stream the faces of a gallery in ascending order of row ids; with ``photo_ids`` those of these photos only."""
    query = _FACES.where(faces.c.engine == engine, faces.c.gallery == gallery).order_by(faces.c.id)
    if photo_ids is not None:
        selected = [
            row for batch in batches(photo_ids) for row in conn.execute(query.where(faces.c.photo_id.in_(batch)))
        ]
        yield from map(_stored_face, sorted(selected, key=lambda row: row[0]))
        return
    last = 0
    while True:
        rows = conn.execute(query.where(faces.c.id > last).limit(batch_size)).all()
        yield from map(_stored_face, rows)
        if len(rows) < batch_size:
            return
        last = rows[-1][0]


def stored_faces_by_id(conn: Connection, face_ids: Sequence[str], engine: str, gallery: str) -> dict[str, StoredFace]:
    """Return the faces of a gallery with these ids, by face id. Leaves out unknown ids."""
    face_by_id: dict[str, StoredFace] = {}
    query = _FACES.where(faces.c.engine == engine, faces.c.gallery == gallery)
    for batch in batches(face_ids):
        for row in conn.execute(query.where(faces.c.face_id.in_(batch))):
            face_by_id[row[1]] = _stored_face(row)
    return face_by_id


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
    store_expressions: bool = False,
) -> list[int]:
    """Record the enrollment of a photo. Returns the row ids of the faces, in the order of the enrollment.

    Replaces an earlier enrollment of the photo in the same gallery. A face with the same face id keeps its row. The
    other earlier faces become pending removals. While an employee is enrolled for verification, expressions are left
    out unless ``store_expressions`` is set: any face may be an employee's.
    """
    keeps_expressions = store_expressions or not has_employees(conn)
    photo_key = {"photo_id": photo_id, "engine": engine, "gallery": gallery}
    common = {**photo_key, "model": model, "scan_id": scan_id}
    enrolled_at = utc_text(now)
    row_ids = _remove_other_faces(conn, photo_key, [record.face_id for record in enrollment.faces], now)
    new_records = [record for record in enrollment.faces if record.face_id not in row_ids]
    if new_records:
        conn.execute(
            _INSERT_FACES, [_face_row(common, record, enrolled_at, keeps_expressions) for record in new_records]
        )
        row_ids = _row_ids(conn, photo_key)
        emotions_by_face = {record.face_id: record.face.attributes.emotions for record in new_records}
        emotion_rows = _emotion_rows(
            emotions_by_face, [(record.face_id, row_ids[record.face_id]) for record in new_records]
        )
        if emotion_rows and keeps_expressions:
            conn.execute(_INSERT_EMOTIONS, emotion_rows)
    if enrollment.rejected:
        conn.execute(_INSERT_REJECTED, [_rejected_row(common, rejected) for rejected in enrollment.rejected])
    conn.execute(_upsert_enrollment(conn.dialect.name), {**common, "enrolled_at": enrolled_at})
    return [row_ids[record.face_id] for record in enrollment.faces]


@dataclass(frozen=True, slots=True)
class NewEnrollment:
    """The enrollment of a photo of which the gallery held nothing."""

    photo_id: int
    enrollment: Enrollment
    model: str


def record_new_enrollments(
    conn: Connection,
    new_enrollments: Sequence[NewEnrollment],
    *,
    engine: str,
    gallery: str,
    scan_id: int | None,
    now: datetime,
    keeps_expressions: bool,
) -> None:
    """Record enrollments of photos that were recorded just now, as :func:`record_enrollment` does."""
    enrolled_at = utc_text(now)
    face_rows: list[dict[str, object]] = []
    rejected_rows: list[dict[str, object]] = []
    enrollment_rows: list[dict[str, object]] = []
    emotions_by_face: dict[str, tuple[Emotion, ...]] = {}
    for new in new_enrollments:
        common = {
            "photo_id": new.photo_id,
            "engine": engine,
            "gallery": gallery,
            "model": new.model,
            "scan_id": scan_id,
        }
        face_rows += [_face_row(common, record, enrolled_at, keeps_expressions) for record in new.enrollment.faces]
        rejected_rows += [_rejected_row(common, rejected) for rejected in new.enrollment.rejected]
        enrollment_rows.append({**common, "enrolled_at": enrolled_at})
        emotions_by_face |= {
            record.face_id: record.face.attributes.emotions
            for record in new.enrollment.faces
            if record.face.attributes.emotions
        }
    gallery_key = {"engine": engine, "gallery": gallery}
    for rows in repeated_batches(face_rows):
        conn.execute(_DELETE_REMOVALS, {**gallery_key, "face_ids": [row["face_id"] for row in rows]})
        conn.execute(_INSERT_FACES, list(rows))
    if keeps_expressions and emotions_by_face:
        for ids in repeated_batches(list(emotions_by_face)):
            rows_of_faces = conn.execute(_ROW_IDS_OF_FACES, {**gallery_key, "face_ids": ids})
            row_ids = [(row.face_id, row.id) for row in rows_of_faces]
            conn.execute(_INSERT_EMOTIONS, _emotion_rows(emotions_by_face, row_ids))
    if rejected_rows:
        conn.execute(_INSERT_REJECTED, rejected_rows)
    conn.execute(_upsert_enrollment(conn.dialect.name), enrollment_rows)


@cache
def _upsert_enrollment(dialect: str) -> Executable:
    row = insert_into(dialect, enrollments)
    return row.on_conflict_do_update(
        index_elements=["photo_id", "engine", "gallery"],
        set_={"model": row.excluded.model, "enrolled_at": row.excluded.enrolled_at, "scan_id": row.excluded.scan_id},
    )


def count_expressions(conn: Connection) -> int:
    """Number of faces with a stored expression."""
    return conn.scalar(select(func.count()).select_from(faces).where(faces.c.emotion.is_not(None))) or 0


def delete_expressions(conn: Connection) -> int:
    """Delete the expressions of all faces. Returns the number of faces."""
    conn.execute(delete(emotions))
    without = {"emotion": None, "emotion_confidence": None}
    return conn.execute(update(faces).where(faces.c.emotion.is_not(None)).values(without)).rowcount


def rename_faces(conn: Connection, face_ids: Mapping[int, str]) -> None:
    """Set new face ids, by row id. Persons and decisions of the faces stay."""
    for row_id, face_id in face_ids.items():
        conn.execute(update(faces).where(faces.c.id == row_id).values(face_id=face_id))


def _remove_other_faces(
    conn: Connection, photo_key: Mapping[str, object], face_ids: Sequence[str], wanted_at: datetime
) -> dict[str, int]:
    """Remove the faces of an earlier enrollment except these. Returns the row ids of the remaining faces by id."""
    earlier = _row_ids(conn, photo_key)
    removed = {face_id: row_id for face_id, row_id in earlier.items() if face_id not in face_ids}
    if removed:
        conn.execute(delete(faces).where(faces.c.id.in_(removed.values())))
        engine, gallery = str(photo_key["engine"]), str(photo_key["gallery"])
        pending_removals.add(conn, [(engine, gallery, face_id) for face_id in removed], wanted_at)
    conn.execute(_DELETE_REJECTED, photo_key)
    # The gallery holds these faces now, so that an earlier pending removal of them is void.
    for batch in batches(face_ids):
        conn.execute(
            _DELETE_REMOVALS, {"engine": photo_key["engine"], "gallery": photo_key["gallery"], "face_ids": batch}
        )
    return {face_id: row_id for face_id, row_id in earlier.items() if face_id in face_ids}


def _row_ids(conn: Connection, photo_key: Mapping[str, object]) -> dict[str, int]:
    return {row.face_id: row.id for row in conn.execute(_ROW_IDS, photo_key)}


def _face_row(
    common: Mapping[str, object], record: FaceRecord, enrolled_at: str | None, keeps_expressions: bool
) -> dict[str, object]:
    columns = _columns(record.face, keeps_expressions)
    return {**common, "face_id": record.face_id, "enrolled_at": enrolled_at, **columns}


def _emotion_rows(
    emotions_by_face: Mapping[str, Sequence[Emotion]], row_ids: Sequence[tuple[str, int]]
) -> list[dict[str, object]]:
    return [
        {"face_id": row_id, "type": emotion.type.value, "confidence": emotion.confidence}
        for face_id, row_id in row_ids
        for emotion in emotions_by_face[face_id]
    ]


def _rejected_row(common: Mapping[str, object], rejected: RejectedFace) -> dict[str, object]:
    return {
        **common,
        **box_columns(rejected.face.box),
        "confidence": rejected.face.confidence,
        "reasons": " ".join(reason.value for reason in rejected.reasons),
    }


def _columns(face: Face, keeps_expressions: bool) -> dict[str, object]:
    attributes = face.attributes
    expression = attributes.emotions[0] if attributes.emotions and keeps_expressions else None
    columns: dict[str, object] = {
        **box_columns(face.box),
        "confidence": face.confidence,
        "roll": face.pose.roll if face.pose else None,
        "yaw": face.pose.yaw if face.pose else None,
        "pitch": face.pose.pitch if face.pose else None,
        "brightness": face.quality.brightness if face.quality else None,
        "sharpness": face.quality.sharpness if face.quality else None,
        "age_low": attributes.age_range.low if attributes.age_range else None,
        "age_high": attributes.age_range.high if attributes.age_range else None,
        "gender": attributes.gender.value.value if attributes.gender else None,
        "gender_confidence": attributes.gender.confidence if attributes.gender else None,
        "eye_yaw": attributes.eye_direction.yaw if attributes.eye_direction else None,
        "eye_pitch": attributes.eye_direction.pitch if attributes.eye_direction else None,
        "eye_direction_confidence": attributes.eye_direction.confidence if attributes.eye_direction else None,
        "emotion": expression.type.value if expression else None,
        "emotion_confidence": expression.confidence if expression else None,
        "landmarks": json.dumps({point.type: [round(point.x, 6), round(point.y, 6)] for point in face.landmarks})
        if face.landmarks
        else None,
        "not_a_face": False,
    }
    for name in _BOOLEAN_ATTRIBUTES:
        attribute: BooleanAttribute | None = getattr(attributes, name)
        columns[name] = attribute.value if attribute else None
        columns[f"{name}_confidence"] = attribute.confidence if attribute else None
    return columns


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
