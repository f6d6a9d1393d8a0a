"""Faces recorded and read back; what replaces what."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import Connection, text

from catalog.domain.faces import (
    BoundingBox,
    Emotion,
    EmotionType,
    Enrollment,
    Face,
    FaceAttributes,
    FaceRecord,
    Pose,
    Quality,
    RejectedFace,
    RejectionReason,
)
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import PhotoRef
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.edited_photos import carry_decisions_over, revert_carried
from catalog.store.faces import record_enrollment, stored_faces, stored_faces_by_id
from catalog.store.photo_removal import release_photos
from catalog.store.photos import record_location, record_photo

NOW = datetime(2026, 5, 17, tzinfo=UTC)
BOX = BoundingBox(0.1, 0.2, 0.3, 0.4)
BESIDE = BoundingBox(0.6, 0.2, 0.3, 0.4)


def face(box: BoundingBox = BOX) -> Face:
    felt = FaceAttributes(emotions=(Emotion(EmotionType.HAPPY, 90), Emotion(EmotionType.CALM, 10)))
    return Face(box, 99.5, pose=Pose(1, 2, 3), quality=Quality(4, 5), attributes=felt)


def photo(conn: Connection, sha256: str = "aa", uri: str = "file:///a") -> int:
    row = record_photo(conn, sha256, 1, OpenedPhoto(np.zeros((1, 1, 3), np.uint8), 1, 1, "PNG"), NOW)
    record_location(conn, row, PhotoRef(uri, 1, 1), NOW)
    return row


def enroll(conn: Connection, photo_id: int, *found: tuple[str, BoundingBox], rejected: int = 0) -> list[int]:
    enrollment = Enrollment(
        tuple(FaceRecord(face_id, face(box)) for face_id, box in found),
        (RejectedFace(face(), (RejectionReason.LOW_SHARPNESS, RejectionReason.EXTREME_POSE)),) * rejected,
    )
    return record_enrollment(conn, photo_id, enrollment, engine="local", gallery="g", model="m", scan_id=None, now=NOW)


def count(conn: Connection, table: str) -> int:
    return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_faces_are_read_as_they_were_recorded(database: Database) -> None:
    """By gallery, by photo and by face id."""
    with database.begin() as conn:
        row = photo(conn)
        ids = enroll(conn, row, ("f1", BOX), ("f2", BESIDE), rejected=1)
        found = list(stored_faces(conn, engine="local", gallery="g", batch_size=1))
        assert [(each.row_id, each.face_id, each.sha256, each.box) for each in found] == [
            (ids[0], "f1", "aa", BOX),
            (ids[1], "f2", "aa", BESIDE),
        ]
        assert (found[0].pose, found[0].quality, found[0].not_a_face) == (Pose(1, 2, 3), Quality(4, 5), False)
        assert list(stored_faces(conn, engine="local", gallery="g", photo_ids=[row])) == found
        assert stored_faces_by_id(conn, ["f2", "f9"], "local", "g") == {"f2": found[1]}
        assert list(stored_faces(conn, engine="local", gallery="other")) == []
        assert conn.execute(text("SELECT reasons FROM rejected_faces")).scalar() == "LOW_SHARPNESS EXTREME_POSE"
        assert count(conn, "emotions") == 4


def test_recording_twice_is_recording_once(database: Database) -> None:
    """A scan that was killed after the commit records the same again; a face that is gone loses its row."""
    with database.begin() as conn:
        row = photo(conn)
        first = enroll(conn, row, ("f1", BOX), ("f2", BESIDE), rejected=1)
        assert enroll(conn, row, ("f1", BOX), ("f2", BESIDE), rejected=1) == first
        assert (count(conn, "faces"), count(conn, "rejected_faces"), count(conn, "enrollments")) == (2, 1, 1)
        assert enroll(conn, row, ("f2", BESIDE)) == first[1:]
        assert (count(conn, "faces"), count(conn, "rejected_faces"), count(conn, "emotions")) == (1, 0, 2)


def test_a_face_that_is_seen_no_more_is_owed_to_its_gallery(database: Database) -> None:
    """With a stricter filter the gallery still holds what it was given: without its row nobody would ask for it."""
    with database.begin() as conn:
        row = photo(conn)
        enroll(conn, row, ("f1", BOX), ("f2", BESIDE))
        enroll(conn, row, ("f2", BESIDE))
        assert pending_removals.read(conn, "local", "g") == ["f1"]
        enroll(conn, row, ("f1", BOX), ("f2", BESIDE))
        assert pending_removals.read(conn, "local", "g") == []


def edit(conn: Connection, box: BoundingBox) -> tuple[int, list[str]]:
    """A photo with a confirmed face changes its content; returns the new face's row and what the gallery must drop."""
    old = photo(conn)
    (before,) = enroll(conn, old, ("f1", BOX))
    conn.execute(text("INSERT INTO persons (id, person_id, hidden, created_at) VALUES (1, 'p', false, '')"))
    conn.execute(
        text(f"INSERT INTO assignments (face_id, person_id, \"by\", assigned_at) VALUES ({before}, 1, 'human', '')")
    )
    conn.execute(
        text(
            "INSERT INTO decisions (decided_at, decided_by, verb, person_id, photo_sha256,"
            " box_left, box_top, box_width, box_height) VALUES ('', 'me', 'confirm', 'p', 'aa', 0.1, 0.2, 0.3, 0.4)"
        )
    )
    new = photo(conn, "bb")
    (after,) = enroll(conn, new, ("f2", box))
    carry_decisions_over(conn, old, new)
    return after, release_photos(conn, [old], engine="local", gallery="g", now=NOW)


def test_what_a_human_said_is_carried_to_the_face_in_the_same_place(database: Database) -> None:
    """Changed content replaces the photo; the decision is repeated for the new content, the old one stays."""
    with database.begin() as conn:
        after, released = edit(conn, BoundingBox(0.12, 0.2, 0.3, 0.4))
        assert released == ["f1"]
        assert conn.execute(text('SELECT face_id, person_id, "by" FROM assignments')).all() == [(after, 1, "human")]
        said = conn.execute(text("SELECT photo_sha256, box_left FROM decisions ORDER BY id")).all()
        assert [tuple(row) for row in said] == [("aa", 0.1), ("bb", pytest.approx(0.12))]
        assert pending_removals.read(conn, "local", "g") == ["f1"]
        pending_removals.clear(conn, released, "local", "g")
        assert (count(conn, "photos"), count(conn, "faces"), count(conn, "removals")) == (1, 1, 0)


def test_what_does_not_fit_any_more_is_not_carried(database: Database) -> None:
    """Somebody else stands elsewhere: nothing was said about that face."""
    with database.begin() as conn:
        edit(conn, BESIDE)
        assert (count(conn, "assignments"), count(conn, "decisions")) == (0, 1)


def test_content_that_another_place_shows_stays(database: Database) -> None:
    """A changed copy takes nothing from the original."""
    with database.begin() as conn:
        old = photo(conn)
        photo(conn, "aa", "file:///copy")
        enroll(conn, old, ("f1", BOX))
        photo(conn, "bb")
        assert release_photos(conn, [old], engine="local", gallery="g", now=NOW) == []
        assert count(conn, "faces") == 1


def test_content_whose_other_places_are_all_missing_goes(database: Database) -> None:
    """A place that was missed holds nothing any more."""
    with database.begin() as conn:
        old = photo(conn)
        photo(conn, "aa", "file:///moved")
        enroll(conn, old, ("f1", BOX))
        photo(conn, "bb", "file:///moved")
        conn.execute(text("UPDATE locations SET missing_since = '2026' WHERE uri = 'file:///a'"))
        assert release_photos(conn, [old], engine="local", gallery="g", now=NOW) == ["f1"]
        assert count(conn, "photos") == 1


def test_what_was_carried_can_be_taken_back(database: Database) -> None:
    """The successor turns out to be another photo: nobody said anything about its faces."""
    with database.begin() as conn:
        old = photo(conn)
        (before,) = enroll(conn, old, ("f1", BOX))
        conn.execute(text("INSERT INTO persons (id, person_id, hidden, created_at) VALUES (1, 'p', false, '')"))
        conn.execute(
            text(f"INSERT INTO assignments (face_id, person_id, \"by\", assigned_at) VALUES ({before}, 1, 'human', '')")
        )
        new = photo(conn, "bb")
        enroll(conn, new, ("f2", BOX))
        carried = carry_decisions_over(conn, old, new)
        assert count(conn, "assignments") == 2
        assert carried is not None
        revert_carried(conn, carried)
        assert conn.execute(text("SELECT face_id FROM assignments")).all() == [(before,)]


def test_a_face_that_is_enrolled_again_is_no_longer_owed(database: Database) -> None:
    """The old content came back before the gallery let go of its faces: it must keep them."""
    with database.begin() as conn:
        edit(conn, BOX)
        back = photo(conn, "aa")
        enroll(conn, back, ("f1", BOX))
        assert pending_removals.read(conn, "local", "g") == []
