"""Many new photos recorded together leave the rows of photos recorded one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, select

from catalog.domain.faces import (
    BoundingBox,
    Emotion,
    EmotionType,
    Enrollment,
    Face,
    FaceAttributes,
    FaceRecord,
    RejectedFace,
    RejectionReason,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import PhotoRef
from catalog.store import pending_removals, tables
from catalog.store.database import Database
from catalog.store.faces import record_enrollment
from catalog.store.new_photos import NewPhoto, record_new_photos
from catalog.store.photos import record_location, record_photo

NOW = datetime(2026, 5, 17, tzinfo=UTC)
EARLIER = datetime(2026, 5, 1, tzinfo=UTC)
RECORDED = ("photos", "locations", "faces", "emotions", "rejected_faces", "enrollments", "removals")


def new_photo(number: int) -> NewPhoto:
    """A photo with ``number`` modulo 3 faces, every fourth of them with expressions, some with a rejected face."""
    box = BoundingBox(0.1, 0.2, 0.3, 0.4)
    emotions = (Emotion(EmotionType.HAPPY, 90), Emotion(EmotionType.CALM, 10)) if number % 4 == 0 else ()
    face = Face(box, 90.0 + number % 10, attributes=FaceAttributes(emotions=emotions))
    rejected = (RejectedFace(face, (RejectionReason.LOW_SHARPNESS,)),) if number % 5 == 0 else ()
    return NewPhoto(
        f"{number:064x}",
        number,
        OpenedPhoto(np.zeros((1, 1, 3), np.uint8), 10, 20 + number, "JPEG"),
        Enrollment(tuple(FaceRecord(f"f{number}/{index}", face) for index in range(number % 3)), rejected),
        "m",
        PhotoRef(f"file:///{number:04}.jpg", number, 1),
    )


def record_alone(conn: Connection, new: NewPhoto, *, gallery: str, now: datetime) -> int:
    photo_id = record_photo(conn, new.sha256, new.size, new.photo, now)
    keys = {"engine": "local", "gallery": gallery, "model": new.model, "scan_id": None, "now": now}
    record_enrollment(conn, photo_id, new.enrollment, **keys)
    return record_location(conn, photo_id, new.ref, now)


def all_rows(conn: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables that a scan writes. Hashes stand for row ids, which may have gaps."""
    hashes = dict(conn.execute(select(tables.photos.c.id, tables.photos.c.sha256)).all())
    faces = dict(conn.execute(select(tables.faces.c.id, tables.faces.c.face_id)).all())
    rows = {}
    for name in RECORDED:
        table = tables.metadata.tables[name]
        shown = []
        for row in conn.execute(select(table)).mappings():
            values = {column: value for column, value in row.items() if column != "id"}
            if "photo_id" in values:
                values["photo_id"] = hashes[values["photo_id"]]
            if name == "emotions":
                values["face_id"] = faces[values["face_id"]]
            shown.append(tuple(values.items()))
        rows[name] = sorted(shown, key=repr)
    return rows


def prepare(conn: Connection) -> None:
    """A known location of another photo, a content that another gallery holds, and a pending removal."""
    record_alone(conn, new_photo(9000), gallery="g", now=EARLIER)
    other = new_photo(9001)
    record_alone(conn, NewPhoto(*_values(other)[:-1], PhotoRef("file:///0007.jpg", 1, 1)), gallery="g", now=EARLIER)
    record_alone(
        conn,
        NewPhoto(*_values(new_photo(13))[:3], Enrollment(()), "m", PhotoRef("file:///x", 1, 1)),
        gallery="other",
        now=EARLIER,
    )
    pending_removals.add(conn, [("local", "g", "f4/0")], EARLIER)


def _values(new: NewPhoto) -> tuple[object, ...]:
    return (new.sha256, new.size, new.photo, new.enrollment, new.model, new.ref)


def test_rows_equal_those_of_photos_recorded_one_by_one(database: Database) -> None:
    """A content of another gallery is left to the caller. A location that showed another photo is taken over."""
    photos = [new_photo(number) for number in range(601)]  # two whole batches and a rest
    with database.begin() as conn:
        prepare(conn)
        alone = [record_alone(conn, new, gallery="g", now=NOW) for new in photos]
        expected = all_rows(conn)
        conn.rollback()
    assert len(set(alone)) == len(photos)
    with database.begin() as conn:
        prepare(conn)
        options = {"engine": "local", "gallery": "g", "scan_id": None, "now": NOW}
        locations = record_new_photos(conn, photos, keeps_expressions=True, **options)
        assert set(locations) == {new.sha256 for new in photos if new is not photos[13]}
        record_alone(conn, photos[13], gallery="g", now=NOW)
        assert all_rows(conn) == expected
    assert len(set(locations.values())) == 600
    assert not any(dict(row)["face_id"] == "f4/0" for row in expected["removals"])


def test_expressions_are_left_out_on_request(database: Database) -> None:
    """Neither emotions nor the strongest expression of a face is stored."""
    with database.begin() as conn:
        options = {"engine": "local", "gallery": "g", "scan_id": None, "now": NOW}
        record_new_photos(conn, [new_photo(4), new_photo(8)], keeps_expressions=False, **options)
        assert conn.execute(select(tables.emotions)).all() == []
        assert {row.emotion for row in conn.execute(select(tables.faces))} == {None}
