"""Direction of the eyes of faces, and the mean apparent age of persons."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SQLITE = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at, person.external_ids,
    (
        SELECT CAST(AVG((aged.age_low + aged.age_high) * 0.5) AS DOUBLE PRECISION)
        FROM assignments AS mine JOIN faces AS aged ON aged.id = mine.face_id WHERE mine.person_id = person.id
    ) AS apparent_age,
    (
        SELECT CAST(AVG(
            CAST(SUBSTR(dated.taken_at, 1, 4) AS INTEGER) - (aged.age_low + aged.age_high) * 0.5
        ) AS DOUBLE PRECISION)
        FROM assignments AS mine JOIN faces AS aged ON aged.id = mine.face_id
        JOIN photos AS dated ON dated.id = aged.photo_id
        WHERE mine.person_id = person.id
    ) AS apparent_birth_year
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
    """CREATE VIEW v1_faces AS
SELECT face.face_id, photo.sha256 AS photo_sha256, person.person_id,
    face.box_left, face.box_top, face.box_width, face.box_height, face.confidence, face.roll, face.yaw, face.pitch,
    face.brightness, face.sharpness, face.age_low, face.age_high, face.gender, face.gender_confidence,
    face.smile, face.smile_confidence, face.eyeglasses, face.eyeglasses_confidence, face.sunglasses,
    face.sunglasses_confidence, face.beard, face.beard_confidence, face.mustache, face.mustache_confidence,
    face.eyes_open, face.eyes_open_confidence, face.mouth_open, face.mouth_open_confidence, face.face_occluded,
    face.face_occluded_confidence,
    face.emotion, face.emotion_confidence, person.hidden, face.engine, face.gallery, face.model, face.enrolled_at,
    face.eye_yaw, face.eye_pitch, face.eye_direction_confidence
FROM faces AS face
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face""",
]

POSTGRESQL = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at, person.external_ids,
    (
        SELECT CAST(AVG((aged.age_low + aged.age_high) * 0.5) AS DOUBLE PRECISION)
        FROM assignments AS mine JOIN faces AS aged ON aged.id = mine.face_id WHERE mine.person_id = person.id
    ) AS apparent_age,
    (
        SELECT CAST(AVG(
            CAST(SUBSTR(dated.taken_at, 1, 4) AS INTEGER) - (aged.age_low + aged.age_high) * 0.5
        ) AS DOUBLE PRECISION)
        FROM assignments AS mine JOIN faces AS aged ON aged.id = mine.face_id
        JOIN photos AS dated ON dated.id = aged.photo_id
        WHERE mine.person_id = person.id
    ) AS apparent_birth_year
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
    """COMMENT ON VIEW v1_people IS 'one row per person with a name or a face'""",
    """COMMENT ON COLUMN v1_people.person_id IS 'permanent public id of the person'""",
    """COMMENT ON COLUMN v1_people.name IS 'name by a user; null: unnamed'""",
    """COMMENT ON COLUMN v1_people.faces IS 'faces of this person, 0 or more'""",
    """COMMENT ON COLUMN v1_people.photos IS 'photos that show this person, 0 or more; a photo counts once'""",
    """COMMENT ON COLUMN v1_people.first_seen IS 'earliest taken_at of a photo with this person, UTC; null: no photo with a date'""",
    """COMMENT ON COLUMN v1_people.last_seen IS 'latest taken_at of a photo with this person, UTC; null: no photo with a date'""",
    """COMMENT ON COLUMN v1_people.hidden IS 'true: excluded from lists and reports'""",
    """COMMENT ON COLUMN v1_people.birth_date IS 'YYYY-MM-DD; null: unknown'""",
    """COMMENT ON COLUMN v1_people.created_at IS 'when the person was added, UTC'""",
    """COMMENT ON COLUMN v1_people.external_ids IS 'JSON object of ids elsewhere by scheme (qid, viaf, gnd ...); null: none'""",
    """COMMENT ON COLUMN v1_people.apparent_age IS 'mean over the faces of the middle of their age range, years; null: no face with an age'""",
    """COMMENT ON COLUMN v1_people.apparent_birth_year IS 'mean over the dated photos of year minus apparent age; null: no dated face with an age'""",
    """CREATE VIEW v1_faces AS
SELECT face.face_id, photo.sha256 AS photo_sha256, person.person_id,
    face.box_left, face.box_top, face.box_width, face.box_height, face.confidence, face.roll, face.yaw, face.pitch,
    face.brightness, face.sharpness, face.age_low, face.age_high, face.gender, face.gender_confidence,
    face.smile, face.smile_confidence, face.eyeglasses, face.eyeglasses_confidence, face.sunglasses,
    face.sunglasses_confidence, face.beard, face.beard_confidence, face.mustache, face.mustache_confidence,
    face.eyes_open, face.eyes_open_confidence, face.mouth_open, face.mouth_open_confidence, face.face_occluded,
    face.face_occluded_confidence,
    face.emotion, face.emotion_confidence, person.hidden, face.engine, face.gallery, face.model, face.enrolled_at,
    face.eye_yaw, face.eye_pitch, face.eye_direction_confidence
FROM faces AS face
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face""",
    """COMMENT ON VIEW v1_faces IS 'one row per face with its attributes'""",
    """COMMENT ON COLUMN v1_faces.face_id IS 'the gallery''s id of the face, a UUID'""",
    """COMMENT ON COLUMN v1_faces.photo_sha256 IS 'content hash of the photo'""",
    """COMMENT ON COLUMN v1_faces.person_id IS 'public id of the person; null: unassigned'""",
    """COMMENT ON COLUMN v1_faces.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN v1_faces.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN v1_faces.box_width IS 'width of the face, fraction of the upright width, above 0'""",
    """COMMENT ON COLUMN v1_faces.box_height IS 'height of the face, fraction of the upright height, above 0'""",
    """COMMENT ON COLUMN v1_faces.confidence IS 'confidence that the box contains a face, 0-100'""",
    """COMMENT ON COLUMN v1_faces.roll IS 'rotation in the image plane, degrees, -180 to 180; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.yaw IS 'turn to the side, degrees, -180 to 180; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.pitch IS 'nod, degrees, -180 to 180; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.brightness IS 'brightness of the face, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.sharpness IS 'sharpness of the face, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.age_low IS 'lower end of the apparent age, years; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.age_high IS 'upper end of the apparent age, years; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.gender IS 'Male or Female, as it appears; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.gender_confidence IS 'confidence of gender, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.smile IS 'smiles; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.smile_confidence IS 'confidence of smile, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.eyeglasses IS 'wears eyeglasses; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.eyeglasses_confidence IS 'confidence of eyeglasses, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.sunglasses IS 'wears sunglasses; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.sunglasses_confidence IS 'confidence of sunglasses, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.beard IS 'has a beard; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.beard_confidence IS 'confidence of beard, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.mustache IS 'has a mustache; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.mustache_confidence IS 'confidence of mustache, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.eyes_open IS 'has open eyes; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.eyes_open_confidence IS 'confidence of eyes_open, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.mouth_open IS 'has an open mouth; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.mouth_open_confidence IS 'confidence of mouth_open, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.face_occluded IS 'is partly covered; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.face_occluded_confidence IS 'confidence of face_occluded, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.emotion IS 'strongest apparent expression; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.emotion_confidence IS 'confidence of emotion, 0-100; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.hidden IS 'true: the person is excluded from lists and reports; null: unassigned'""",
    """COMMENT ON COLUMN v1_faces.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN v1_faces.gallery IS 'gallery or collection with the face'""",
    """COMMENT ON COLUMN v1_faces.model IS 'networks and version that detected the face'""",
    """COMMENT ON COLUMN v1_faces.enrolled_at IS 'when the face was enrolled, UTC'""",
    """COMMENT ON COLUMN v1_faces.eye_yaw IS 'direction of the eyes to the side, degrees, as yaw; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.eye_pitch IS 'direction of the eyes up or down, degrees, as pitch; null: not measured'""",
    """COMMENT ON COLUMN v1_faces.eye_direction_confidence IS 'confidence of eye_yaw and eye_pitch, 0-100; null: not measured'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    for view in ("v1_people", "v1_faces"):
        connection.exec_driver_sql(f"DROP VIEW {view}")
    for name, comment in (
        ("eye_yaw", "direction of the eyes to the side, degrees; null: not measured"),
        ("eye_pitch", "direction of the eyes up (positive) or down, degrees; null: not measured"),
        ("eye_direction_confidence", "confidence of `eye_yaw` and `eye_pitch`, 0-100"),
    ):
        op.add_column("faces", sa.Column(name, sa.Float(), nullable=True, comment=comment))
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
