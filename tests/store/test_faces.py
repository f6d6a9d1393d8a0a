"""Faces: recorded, read, replaced, and decisions carried to edited photos."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Connection, text

from catalog.domain.faces import (
    AgeRange,
    BoundingBox,
    Emotion,
    EmotionType,
    Enrollment,
    EyeDirection,
    Face,
    FaceAttributes,
    FaceRecord,
    Pose,
    Quality,
    RejectedFace,
    RejectionReason,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.people import AssignedBy
from catalog.domain.photos import PhotoRef
from catalog.store import pending_removals
from catalog.store.assignments import assign
from catalog.store.database import Database
from catalog.store.edited_photos import carry_decisions_over, revert_carried
from catalog.store.faces import record_enrollment, stored_faces, stored_faces_by_id
from catalog.store.people import add_persons
from catalog.store.photo_removal import release_photos
from catalog.store.photos import record_location, record_photo

NOW = datetime(2026, 5, 17, tzinfo=UTC)
OLD, NEW = "aa" * 32, "bb" * 32
DAY = "2026-05-17T00:00:00.000000Z"
BOX = BoundingBox(0.1, 0.2, 0.3, 0.4)
BESIDE = BoundingBox(0.6, 0.2, 0.3, 0.4)


def face(box: BoundingBox = BOX) -> Face:
    felt = FaceAttributes(
        age_range=AgeRange(30, 41),
        eye_direction=EyeDirection(-12.5, 4.0, 88.0),
        emotions=(Emotion(EmotionType.HAPPY, 90), Emotion(EmotionType.CALM, 10)),
    )
    return Face(box, 99.5, pose=Pose(1, 2, 3), quality=Quality(4, 5), attributes=felt)


def photo(conn: Connection, sha256: str = OLD, uri: str = "file:///a") -> int:
    row = record_photo(conn, sha256, 1, OpenedPhoto(np.zeros((1, 1, 3), np.uint8), 1, 1, "PNG"), NOW)
    record_location(conn, row, PhotoRef(uri, 1, 1), NOW)
    return row


def enroll(conn: Connection, photo_id: int, *boxes: tuple[str, BoundingBox], rejected: int = 0) -> list[int]:
    enrollment = Enrollment(
        tuple(FaceRecord(face_id, face(box)) for face_id, box in boxes),
        (RejectedFace(face(), (RejectionReason.LOW_SHARPNESS, RejectionReason.EXTREME_POSE)),) * rejected,
    )
    return record_enrollment(conn, photo_id, enrollment, engine="local", gallery="g", model="m", scan_id=None, now=NOW)


def count(conn: Connection, table: str) -> int:
    return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_the_direction_of_the_eyes_is_recorded(database: Database) -> None:
    """``v1_faces`` shows yaw, pitch and confidence of the eyes."""
    with database.begin() as conn:
        enroll(conn, photo(conn), ("f1", BOX))
        shown = conn.execute(text("SELECT eye_yaw, eye_pitch, eye_direction_confidence FROM v1_faces")).one()
    assert tuple(shown) == (-12.5, 4.0, 88.0)


def test_people_have_a_mean_apparent_age(database: Database) -> None:
    """``v1_people`` shows the mean over the faces, and the year of birth that follows from dated photos."""
    with database.begin() as conn:
        first, second = photo(conn), photo(conn, NEW, "file:///b")
        rows = [*enroll(conn, first, ("f1", BOX)), *enroll(conn, second, ("f2", BOX))]
        conn.execute(text("UPDATE faces SET age_low = 40, age_high = 51 WHERE face_id = 'f2'"))
        conn.execute(
            text(
                "UPDATE photos SET taken_at = '2010-07-01T00:00:00.000000Z', taken_local = '2010-07-01T00:00:00'"
                " WHERE id = :id"
            ),
            {"id": second},
        )
        (person,) = add_persons(conn, 1, NOW)
        assign(conn, [(row, None) for row in rows], person.id, AssignedBy.CLUSTER, DAY)
        shown = conn.execute(text("SELECT apparent_age, apparent_birth_year FROM v1_people")).all()
    assert [tuple(row) for row in shown] == [(40.5, 1964.5)]


def test_faces_are_read_as_they_were_recorded(database: Database) -> None:
    """By gallery, by photo and by face id."""
    with database.begin() as conn:
        row = photo(conn)
        ids = enroll(conn, row, ("f1", BOX), ("f2", BESIDE), rejected=1)
        stored = list(stored_faces(conn, engine="local", gallery="g", batch_size=1))
        assert [(face.row_id, face.face_id, face.sha256, face.box) for face in stored] == [
            (ids[0], "f1", OLD, BOX),
            (ids[1], "f2", OLD, BESIDE),
        ]
        assert (stored[0].pose, stored[0].quality, stored[0].not_a_face) == (Pose(1, 2, 3), Quality(4, 5), False)
        assert list(stored_faces(conn, engine="local", gallery="g", photo_ids=[row])) == stored
        assert stored_faces_by_id(conn, ["f2", "f9"], "local", "g") == {"f2": stored[1]}
        assert list(stored_faces(conn, engine="local", gallery="other")) == []
        assert conn.execute(text("SELECT reasons FROM rejected_faces")).scalar() == "LOW_SHARPNESS EXTREME_POSE"
        assert count(conn, "emotions") == 4


def test_recording_an_enrollment_again_changes_nothing(database: Database) -> None:
    """After a kill a scan records the same again. A face that is not in the enrollment any more is removed."""
    with database.begin() as conn:
        row = photo(conn)
        first = enroll(conn, row, ("f1", BOX), ("f2", BESIDE), rejected=1)
        assert enroll(conn, row, ("f1", BOX), ("f2", BESIDE), rejected=1) == first
        assert (count(conn, "faces"), count(conn, "rejected_faces"), count(conn, "enrollments")) == (2, 1, 1)
        assert enroll(conn, row, ("f2", BESIDE)) == first[1:]
        assert (count(conn, "faces"), count(conn, "rejected_faces"), count(conn, "emotions")) == (1, 0, 2)


def test_a_face_missing_from_a_new_enrollment_becomes_a_pending_removal(database: Database) -> None:
    """The gallery still holds it, and no row refers to it."""
    with database.begin() as conn:
        row = photo(conn)
        enroll(conn, row, ("f1", BOX), ("f2", BESIDE))
        enroll(conn, row, ("f2", BESIDE))
        assert pending_removals.read(conn, "local", "g") == ["f1"]
        enroll(conn, row, ("f1", BOX), ("f2", BESIDE))
        assert pending_removals.read(conn, "local", "g") == []


def edit(conn: Connection, box: BoundingBox) -> tuple[int, list[str]]:
    """Edit a photo with a confirmed face. Returns the row of the new face, and the pending removals."""
    old = photo(conn)
    (before,) = enroll(conn, old, ("f1", BOX))
    conn.execute(text("INSERT INTO persons (id, person_id, hidden, created_at) VALUES (1, 'p1', false, '2026')"))
    conn.execute(
        text(f"INSERT INTO assignments (face_id, person_id, \"by\", assigned_at) VALUES ({before}, 1, 'human', '')")
    )
    conn.execute(
        text(
            "INSERT INTO decisions (decided_at, decided_by, verb, person_id, photo_sha256,"
            " box_left, box_top, box_width, box_height)"
            f" VALUES ('{DAY}', 'me', 'confirm', 'p1', '{OLD}', 0.1, 0.2, 0.3, 0.4)"
        )
    )
    new = photo(conn, NEW)
    (after,) = enroll(conn, new, ("f2", box))
    carry_decisions_over(conn, old, new)
    return after, release_photos(conn, [old], engine="local", gallery="g", now=NOW)


def test_decisions_are_carried_to_the_same_face_of_an_edited_photo(database: Database) -> None:
    """The decision is repeated for the new content; the old one stays."""
    with database.begin() as conn:
        after, released = edit(conn, BoundingBox(0.12, 0.2, 0.3, 0.4))
        assert released == ["f1"]
        assert conn.execute(text('SELECT face_id, person_id, "by" FROM assignments')).all() == [(after, 1, "human")]
        rows = conn.execute(text("SELECT photo_sha256, box_left FROM decisions ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [(OLD, 0.1), (NEW, pytest.approx(0.12))]
        assert pending_removals.read(conn, "local", "g") == ["f1"]
        pending_removals.clear(conn, released, "local", "g")
        assert (count(conn, "photos"), count(conn, "faces"), count(conn, "removals")) == (1, 1, 0)


def test_decisions_are_not_carried_to_another_face(database: Database) -> None:
    """The face of the edited photo has another box."""
    with database.begin() as conn:
        edit(conn, BESIDE)
        assert (count(conn, "assignments"), count(conn, "decisions")) == (0, 1)


def test_a_previous_photo_with_another_location_stays(database: Database) -> None:
    """Editing a copy does not change the original."""
    with database.begin() as conn:
        old = photo(conn)
        photo(conn, OLD, "file:///copy")
        enroll(conn, old, ("f1", BOX))
        photo(conn, NEW)
        assert release_photos(conn, [old], engine="local", gallery="g", now=NOW) == []
        assert count(conn, "faces") == 1


def test_a_previous_photo_with_only_missing_locations_is_removed(database: Database) -> None:
    """A missing location does not keep a photo."""
    with database.begin() as conn:
        old = photo(conn)
        photo(conn, OLD, "file:///moved")
        enroll(conn, old, ("f1", BOX))
        photo(conn, NEW, "file:///moved")
        conn.execute(text("UPDATE locations SET missing_since = '2026' WHERE uri = 'file:///a'"))
        assert release_photos(conn, [old], engine="local", gallery="g", now=NOW) == ["f1"]
        assert count(conn, "photos") == 1


def test_carried_decisions_can_be_reverted(database: Database) -> None:
    """The new content is another photo, not an edit."""
    with database.begin() as conn:
        old = photo(conn)
        (before,) = enroll(conn, old, ("f1", BOX))
        conn.execute(text("INSERT INTO persons (id, person_id, hidden, created_at) VALUES (1, 'p1', false, '2026')"))
        conn.execute(
            text(f"INSERT INTO assignments (face_id, person_id, \"by\", assigned_at) VALUES ({before}, 1, 'human', '')")
        )
        new = photo(conn, NEW)
        enroll(conn, new, ("f2", BOX))
        carried = carry_decisions_over(conn, old, new)
        assert count(conn, "assignments") == 2
        assert carried is not None
        revert_carried(conn, carried)
        assert conn.execute(text("SELECT face_id FROM assignments")).all() == [(before,)]


def test_enrolling_a_face_again_cancels_its_pending_removal(database: Database) -> None:
    """The old content came back before the gallery deleted its faces."""
    with database.begin() as conn:
        edit(conn, BOX)
        back = photo(conn, OLD)
        enroll(conn, back, ("f1", BOX))
        assert pending_removals.read(conn, "local", "g") == []
