"""Rows of a photo with a face and a named person."""

from __future__ import annotations

from sqlalchemy import Connection

CONTENT = "aa" * 32
DAY = "2026-05-17T00:00:00.000000Z"


def fill(conn: Connection, face_id: str = "f1", engine: str = "local") -> None:
    """Add a photo with a face."""
    run = conn.exec_driver_sql
    run(
        "INSERT INTO photos (id, sha256, size, format, width, height, orientation, recorded_at)"
        f" VALUES (7, '{CONTENT}', 1, 'JPEG', 1, 1, 1, '{DAY}')"
    )
    run(
        "INSERT INTO faces (id, face_id, photo_id, engine, gallery, model, box_left, box_top, box_width, box_height,"
        " confidence, not_a_face, enrolled_at)"
        f" VALUES (5, '{face_id}', 7, '{engine}', 'g', 'm', 0.1, 0.1, 0.3, 0.3, 99, false, '{DAY}')"
    )


def name_person_on_photo(conn: Connection) -> None:
    """Add the named person of the face, a merged person, and a decision that was undone."""
    run = conn.exec_driver_sql
    run(f"INSERT INTO persons (id, person_id, name, hidden, created_at) VALUES (2, 'p2', 'Ann', false, '{DAY}')")
    run(f"INSERT INTO persons (id, person_id, hidden, merged_into, created_at) VALUES (1, 'p1', false, 2, '{DAY}')")
    run(f"INSERT INTO assignments (face_id, person_id, \"by\", assigned_at) VALUES (5, 2, 'cluster', '{DAY}')")
    run(f"INSERT INTO decisions (id, decided_at, decided_by, verb, person_id) VALUES (4, '{DAY}', 'me', 'undo', 'p2')")
    run(
        "INSERT INTO decisions (id, decided_at, decided_by, verb, person_id, name, undone_by)"
        f" VALUES (3, '{DAY}', 'me', 'name', 'p2', 'Anna', 4)"
    )
