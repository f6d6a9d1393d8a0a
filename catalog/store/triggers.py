"""Triggers that maintain ``assignments.photo_id``, a copy of ``faces.photo_id``.

Reports join a million faces to persons and photos, and rows of ``faces`` are wide. The copy is in a narrow row that is
indexed by person and by photo. It is null for a face that a user marked as not a face, so that reports do not count it.
"""

from __future__ import annotations

_SQLITE = (
    """CREATE TRIGGER assignments_photo_id AFTER INSERT ON assignments
BEGIN
    UPDATE assignments SET photo_id = (
        SELECT face.photo_id FROM faces AS face WHERE face.id = NEW.face_id AND NOT face.not_a_face
    ) WHERE face_id = NEW.face_id;
END""",
    """CREATE TRIGGER faces_not_a_face AFTER UPDATE OF not_a_face, photo_id ON faces
BEGIN
    UPDATE assignments SET photo_id = CASE WHEN NEW.not_a_face THEN NULL ELSE NEW.photo_id END WHERE face_id = NEW.id;
END""",
)

_POSTGRESQL = (
    """CREATE FUNCTION assignments_photo_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.photo_id := (SELECT face.photo_id FROM faces AS face WHERE face.id = NEW.face_id AND NOT face.not_a_face);
    RETURN NEW;
END $$""",
    """CREATE TRIGGER assignments_photo_id BEFORE INSERT OR UPDATE OF face_id ON assignments
FOR EACH ROW EXECUTE FUNCTION assignments_photo_id()""",
    """CREATE FUNCTION faces_not_a_face() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE assignments SET photo_id = CASE WHEN NEW.not_a_face THEN NULL ELSE NEW.photo_id END WHERE face_id = NEW.id;
    RETURN NULL;
END $$""",
    """CREATE TRIGGER faces_not_a_face AFTER UPDATE OF not_a_face, photo_id ON faces
FOR EACH ROW EXECUTE FUNCTION faces_not_a_face()""",
)


def trigger_statements(dialect: str) -> list[str]:
    """Return the statements that create the triggers on ``sqlite`` or ``postgresql``."""
    return list({"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[dialect])
