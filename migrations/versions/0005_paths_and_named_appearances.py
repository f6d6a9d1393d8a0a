"""Paths of locations, named appearances, and comments in plain words. All views are created again."""

from urllib.parse import unquote_to_bytes

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROWS = 5000

VIEWS = ('v1_people', 'v1_appearances', 'v1_faces', 'v1_emotions', 'v1_emotions_by_month', 'v1_co_occurrence', 'v1_photos', 'v1_locations', 'v1_rejected_faces', 'v1_scans', 'v1_charges', 'v1_problems', 'v1_decisions')

SQLITE = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
    """CREATE VIEW v1_appearances AS
SELECT photo.sha256 AS photo_sha256, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, photo.taken_at, person.person_id,
    person.name, face.face_id, assigned.similarity, face.box_left, face.box_top, face.box_width, face.box_height,
    photo.taken_at_offset, CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since, assigned."by" AS assigned_by,
    person.hidden, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path
FROM assignments AS assigned
JOIN persons AS person ON person.id = assigned.person_id
JOIN faces AS face ON face.id = assigned.face_id
JOIN photos AS photo ON photo.id = face.photo_id
WHERE NOT face.not_a_face AND person.merged_into IS NULL""",
    """CREATE VIEW v1_named_appearances AS
SELECT photo.sha256 AS photo_sha256, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, photo.taken_at,
    photo.taken_at_offset, person.person_id, person.name, named.box_left, named.box_top, named.box_width,
    named.box_height, named.source, person.hidden, CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since
FROM named_appearances AS named
JOIN persons AS stated ON stated.id = named.person_id
JOIN persons AS person ON person.id = COALESCE(stated.merged_into, stated.id)
JOIN photos AS photo ON photo.id = named.photo_id
WHERE photo.left_out_by IS NULL AND NOT EXISTS (
    SELECT 1 FROM assignments AS assigned
    WHERE assigned.photo_id = named.photo_id AND assigned.person_id = person.id
)""",
    """CREATE VIEW v1_faces AS
SELECT face.face_id, photo.sha256 AS photo_sha256, person.person_id,
    face.box_left, face.box_top, face.box_width, face.box_height, face.confidence, face.roll, face.yaw, face.pitch,
    face.brightness, face.sharpness, face.age_low, face.age_high, face.gender, face.gender_confidence,
    face.smile, face.smile_confidence, face.eyeglasses, face.eyeglasses_confidence, face.sunglasses,
    face.sunglasses_confidence, face.beard, face.beard_confidence, face.mustache, face.mustache_confidence,
    face.eyes_open, face.eyes_open_confidence, face.mouth_open, face.mouth_open_confidence, face.face_occluded,
    face.face_occluded_confidence,
    face.emotion, face.emotion_confidence, person.hidden, face.engine, face.gallery, face.model, face.enrolled_at
FROM faces AS face
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face""",
    """CREATE VIEW v1_emotions AS
SELECT face.face_id, emotion.type, emotion.confidence
FROM emotions AS emotion
JOIN faces AS face ON face.id = emotion.face_id
WHERE NOT face.not_a_face""",
    """CREATE VIEW v1_emotions_by_month AS
SELECT counted.month, counted.type, counted.faces,
    CAST(SUM(counted.faces) OVER (PARTITION BY counted.month) AS INTEGER) AS measured,
    100.0 * counted.faces / SUM(counted.faces) OVER (PARTITION BY counted.month) AS share
FROM (
    SELECT strftime('%Y-%m', photo.taken_at, COALESCE(photo.taken_at_offset, 0) || ' minutes') AS month, face.emotion AS type, COUNT(*) AS faces
    FROM faces AS face
    JOIN photos AS photo ON photo.id = face.photo_id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND photo.taken_at IS NOT NULL
        AND face.id NOT IN (SELECT hiding.face_id FROM assignments AS hiding
        JOIN persons AS unseen ON unseen.id = hiding.person_id WHERE unseen.hidden)
    GROUP BY 1, 2
) AS counted""",
    """CREATE VIEW v1_co_occurrence AS
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b,
    pair.photos, pair.first_seen, pair.last_seen
FROM (
    SELECT one.person_id AS a, other.person_id AS b, COUNT(DISTINCT photo.id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS one
    JOIN assignments AS other ON other.photo_id = one.photo_id AND other.person_id > one.person_id
    JOIN photos AS photo ON photo.id = one.photo_id
    GROUP BY one.person_id, other.person_id
) AS pair
JOIN persons AS a ON a.id = pair.a
JOIN persons AS b ON b.id = pair.b
WHERE NOT a.hidden AND NOT b.hidden AND a.merged_into IS NULL AND b.merged_into IS NULL""",
    """CREATE VIEW v1_photos AS
SELECT photo.sha256 AS photo_sha256, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri,
    (SELECT COUNT(*) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL) AS places,
    CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since, photo.taken_at, photo.taken_at_offset,
    strftime('%Y-%m-%dT%H:%M:%S', photo.taken_at, COALESCE(photo.taken_at_offset, 0) || ' minutes') AS taken_local, photo.camera_make, photo.camera_model,
    photo.gps_latitude, photo.gps_longitude, photo.gps_altitude, photo.format, photo.width, photo.height, photo.size,
    (SELECT COUNT(*) FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face) AS faces,
    photo.recorded_at, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
    """CREATE VIEW v1_locations AS
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since, place.left_out_by,
    COALESCE(place.path, place.uri) AS path
FROM locations AS place
JOIN photos AS photo ON photo.id = place.photo_id""",
    """CREATE VIEW v1_rejected_faces AS
SELECT photo.sha256 AS photo_sha256, rejected.box_left, rejected.box_top, rejected.box_width, rejected.box_height,
    rejected.confidence, rejected.reasons, rejected.engine, rejected.gallery, rejected.model
FROM rejected_faces AS rejected
JOIN photos AS photo ON photo.id = rejected.photo_id""",
    """CREATE VIEW v1_scans AS
SELECT scan.id AS scan_id, scan.started_at, scan.finished_at, scan.state, scan.exit_code, scan.engine, scan.gallery,
    scan.model, scan.version, scan.discovered, scan.new, scan.unchanged, scan.changed, scan.moved, scan.duplicate,
    scan.skipped, scan.failed, scan.faces, scan.rejected, scan.persons_new,
    COALESCE((SELECT SUM(charge.calls) FROM charges AS charge WHERE charge.scan_id = scan.id), 0) AS calls,
    COALESCE((SELECT SUM(charge.microdollars) FROM charges AS charge WHERE charge.scan_id = scan.id), 0) / 1000000.0
        AS dollars
FROM scans AS scan""",
    """CREATE VIEW v1_charges AS
SELECT charge.charged_at, charge.scan_id, charge.command, charge.engine, charge.region, charge.operation, charge.calls,
    charge.microdollars / 1000000.0 AS dollars
FROM charges AS charge""",
    """CREATE VIEW v1_problems AS
SELECT problem.scan_id, problem.uri, problem.outcome, problem.reason, problem.sha256 AS photo_sha256, problem.at
FROM problems AS problem""",
    """CREATE VIEW v1_decisions AS
SELECT decision.id AS decision_id, decision.decided_at, decision.decided_by, decision.verb, decision.person_id,
    decision.other_person_id, decision.name, decision.photo_sha256, decision.undone_by IS NOT NULL AS undone
FROM decisions AS decision""",
]

POSTGRESQL = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
    """CREATE VIEW v1_appearances AS
SELECT photo.sha256 AS photo_sha256, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, photo.taken_at, person.person_id,
    person.name, face.face_id, assigned.similarity, face.box_left, face.box_top, face.box_width, face.box_height,
    photo.taken_at_offset, CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since, assigned."by" AS assigned_by,
    person.hidden, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path
FROM assignments AS assigned
JOIN persons AS person ON person.id = assigned.person_id
JOIN faces AS face ON face.id = assigned.face_id
JOIN photos AS photo ON photo.id = face.photo_id
WHERE NOT face.not_a_face AND person.merged_into IS NULL""",
    """CREATE VIEW v1_named_appearances AS
SELECT photo.sha256 AS photo_sha256, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, photo.taken_at,
    photo.taken_at_offset, person.person_id, person.name, named.box_left, named.box_top, named.box_width,
    named.box_height, named.source, person.hidden, CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since
FROM named_appearances AS named
JOIN persons AS stated ON stated.id = named.person_id
JOIN persons AS person ON person.id = COALESCE(stated.merged_into, stated.id)
JOIN photos AS photo ON photo.id = named.photo_id
WHERE photo.left_out_by IS NULL AND NOT EXISTS (
    SELECT 1 FROM assignments AS assigned
    WHERE assigned.photo_id = named.photo_id AND assigned.person_id = person.id
)""",
    """CREATE VIEW v1_faces AS
SELECT face.face_id, photo.sha256 AS photo_sha256, person.person_id,
    face.box_left, face.box_top, face.box_width, face.box_height, face.confidence, face.roll, face.yaw, face.pitch,
    face.brightness, face.sharpness, face.age_low, face.age_high, face.gender, face.gender_confidence,
    face.smile, face.smile_confidence, face.eyeglasses, face.eyeglasses_confidence, face.sunglasses,
    face.sunglasses_confidence, face.beard, face.beard_confidence, face.mustache, face.mustache_confidence,
    face.eyes_open, face.eyes_open_confidence, face.mouth_open, face.mouth_open_confidence, face.face_occluded,
    face.face_occluded_confidence,
    face.emotion, face.emotion_confidence, person.hidden, face.engine, face.gallery, face.model, face.enrolled_at
FROM faces AS face
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face""",
    """CREATE VIEW v1_emotions AS
SELECT face.face_id, emotion.type, emotion.confidence
FROM emotions AS emotion
JOIN faces AS face ON face.id = emotion.face_id
WHERE NOT face.not_a_face""",
    """CREATE VIEW v1_emotions_by_month AS
SELECT counted.month, counted.type, counted.faces,
    CAST(SUM(counted.faces) OVER (PARTITION BY counted.month) AS INTEGER) AS measured,
    100.0 * counted.faces / SUM(counted.faces) OVER (PARTITION BY counted.month) AS share
FROM (
    SELECT to_char(CAST(photo.taken_at AS timestamptz) AT TIME ZONE 'UTC' + COALESCE(photo.taken_at_offset, 0) * interval '1 minute', 'YYYY-MM') AS month, face.emotion AS type, COUNT(*) AS faces
    FROM faces AS face
    JOIN photos AS photo ON photo.id = face.photo_id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND photo.taken_at IS NOT NULL
        AND face.id NOT IN (SELECT hiding.face_id FROM assignments AS hiding
        JOIN persons AS unseen ON unseen.id = hiding.person_id WHERE unseen.hidden)
    GROUP BY 1, 2
) AS counted""",
    """CREATE VIEW v1_co_occurrence AS
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b,
    pair.photos, pair.first_seen, pair.last_seen
FROM (
    SELECT one.person_id AS a, other.person_id AS b, COUNT(DISTINCT photo.id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen
    FROM assignments AS one
    JOIN assignments AS other ON other.photo_id = one.photo_id AND other.person_id > one.person_id
    JOIN photos AS photo ON photo.id = one.photo_id
    GROUP BY one.person_id, other.person_id
) AS pair
JOIN persons AS a ON a.id = pair.a
JOIN persons AS b ON b.id = pair.b
WHERE NOT a.hidden AND NOT b.hidden AND a.merged_into IS NULL AND b.merged_into IS NULL""",
    """CREATE VIEW v1_photos AS
SELECT photo.sha256 AS photo_sha256, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri,
    (SELECT COUNT(*) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL) AS places,
    CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since, photo.taken_at, photo.taken_at_offset,
    to_char(CAST(photo.taken_at AS timestamptz) AT TIME ZONE 'UTC' + COALESCE(photo.taken_at_offset, 0) * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS') AS taken_local, photo.camera_make, photo.camera_model,
    photo.gps_latitude, photo.gps_longitude, photo.gps_altitude, photo.format, photo.width, photo.height, photo.size,
    (SELECT COUNT(*) FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face) AS faces,
    photo.recorded_at, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
    """CREATE VIEW v1_locations AS
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since, place.left_out_by,
    COALESCE(place.path, place.uri) AS path
FROM locations AS place
JOIN photos AS photo ON photo.id = place.photo_id""",
    """CREATE VIEW v1_rejected_faces AS
SELECT photo.sha256 AS photo_sha256, rejected.box_left, rejected.box_top, rejected.box_width, rejected.box_height,
    rejected.confidence, rejected.reasons, rejected.engine, rejected.gallery, rejected.model
FROM rejected_faces AS rejected
JOIN photos AS photo ON photo.id = rejected.photo_id""",
    """CREATE VIEW v1_scans AS
SELECT scan.id AS scan_id, scan.started_at, scan.finished_at, scan.state, scan.exit_code, scan.engine, scan.gallery,
    scan.model, scan.version, scan.discovered, scan.new, scan.unchanged, scan.changed, scan.moved, scan.duplicate,
    scan.skipped, scan.failed, scan.faces, scan.rejected, scan.persons_new,
    COALESCE((SELECT SUM(charge.calls) FROM charges AS charge WHERE charge.scan_id = scan.id), 0) AS calls,
    COALESCE((SELECT SUM(charge.microdollars) FROM charges AS charge WHERE charge.scan_id = scan.id), 0) / 1000000.0
        AS dollars
FROM scans AS scan""",
    """CREATE VIEW v1_charges AS
SELECT charge.charged_at, charge.scan_id, charge.command, charge.engine, charge.region, charge.operation, charge.calls,
    charge.microdollars / 1000000.0 AS dollars
FROM charges AS charge""",
    """CREATE VIEW v1_problems AS
SELECT problem.scan_id, problem.uri, problem.outcome, problem.reason, problem.sha256 AS photo_sha256, problem.at
FROM problems AS problem""",
    """CREATE VIEW v1_decisions AS
SELECT decision.id AS decision_id, decision.decided_at, decision.decided_by, decision.verb, decision.person_id,
    decision.other_person_id, decision.name, decision.photo_sha256, decision.undone_by IS NOT NULL AS undone
FROM decisions AS decision""",
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
    """COMMENT ON VIEW v1_appearances IS 'one row per face of a person: person, photo and position'""",
    """COMMENT ON COLUMN v1_appearances.photo_sha256 IS 'SHA-256 of the photo''s bytes, 64 hex digits'""",
    """COMMENT ON COLUMN v1_appearances.uri IS 'first present location of the photo, else its first missing one; file:// or s3://'""",
    """COMMENT ON COLUMN v1_appearances.taken_at IS 'when the photo was taken, UTC; null: unknown'""",
    """COMMENT ON COLUMN v1_appearances.person_id IS 'public id of the person'""",
    """COMMENT ON COLUMN v1_appearances.name IS 'name of the person; null: unnamed'""",
    """COMMENT ON COLUMN v1_appearances.face_id IS 'the gallery''s id of the face, a UUID'""",
    """COMMENT ON COLUMN v1_appearances.similarity IS 'similarity to the person''s other faces at the assignment, 0-100; null: by a user, or only face'""",
    """COMMENT ON COLUMN v1_appearances.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN v1_appearances.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN v1_appearances.box_width IS 'width of the face, fraction of the upright width, above 0'""",
    """COMMENT ON COLUMN v1_appearances.box_height IS 'height of the face, fraction of the upright height, above 0'""",
    """COMMENT ON COLUMN v1_appearances.taken_at_offset IS 'offset of the camera in minutes east of UTC; null: unknown, and taken_at is local time'""",
    """COMMENT ON COLUMN v1_appearances.missing_since IS 'when the last location of the photo was missed, UTC; null: present'""",
    """COMMENT ON COLUMN v1_appearances.assigned_by IS 'cluster or human'""",
    """COMMENT ON COLUMN v1_appearances.hidden IS 'true: the person is excluded from lists and reports'""",
    """COMMENT ON COLUMN v1_appearances.path IS 'the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped'""",
    """COMMENT ON VIEW v1_named_appearances IS 'one row per person on a photo without a detected face, as a file of another program states it'""",
    """COMMENT ON COLUMN v1_named_appearances.photo_sha256 IS 'SHA-256 of the photo''s bytes, 64 hex digits'""",
    """COMMENT ON COLUMN v1_named_appearances.uri IS 'first present location of the photo, else its first missing one; file:// or s3://'""",
    """COMMENT ON COLUMN v1_named_appearances.path IS 'the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped'""",
    """COMMENT ON COLUMN v1_named_appearances.taken_at IS 'when the photo was taken, UTC; null: unknown'""",
    """COMMENT ON COLUMN v1_named_appearances.taken_at_offset IS 'offset of the camera in minutes east of UTC; null: unknown, and taken_at is local time'""",
    """COMMENT ON COLUMN v1_named_appearances.person_id IS 'public id of the person'""",
    """COMMENT ON COLUMN v1_named_appearances.name IS 'name of the person'""",
    """COMMENT ON COLUMN v1_named_appearances.box_left IS 'left edge of the face, fraction of the upright width; may be below 0; null: the file gives no position'""",
    """COMMENT ON COLUMN v1_named_appearances.box_top IS 'top edge of the face, fraction of the upright height; may be below 0; null: the file gives no position'""",
    """COMMENT ON COLUMN v1_named_appearances.box_width IS 'width of the face, fraction of the upright width, above 0; null: the file gives no position'""",
    """COMMENT ON COLUMN v1_named_appearances.box_height IS 'height of the face, fraction of the upright height, above 0; null: the file gives no position'""",
    """COMMENT ON COLUMN v1_named_appearances.source IS 'file that states the name'""",
    """COMMENT ON COLUMN v1_named_appearances.hidden IS 'true: the person is excluded from lists and reports'""",
    """COMMENT ON COLUMN v1_named_appearances.missing_since IS 'when the last location of the photo was missed, UTC; null: present'""",
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
    """COMMENT ON VIEW v1_emotions IS 'one row per face and emotion: apparent expression, not a feeling'""",
    """COMMENT ON COLUMN v1_emotions.face_id IS 'the gallery''s id of the face, a UUID'""",
    """COMMENT ON COLUMN v1_emotions.type IS 'HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR or UNKNOWN'""",
    """COMMENT ON COLUMN v1_emotions.confidence IS '0-100; the emotions of a face are independent and need not add up to 100'""",
    """COMMENT ON VIEW v1_emotions_by_month IS 'faces of each month by strongest emotion; hidden persons are left out'""",
    """COMMENT ON COLUMN v1_emotions_by_month.month IS 'YYYY-MM in local time of the camera; undated photos are left out'""",
    """COMMENT ON COLUMN v1_emotions_by_month.type IS 'strongest emotion of these faces; a type without faces has no row'""",
    """COMMENT ON COLUMN v1_emotions_by_month.faces IS 'faces of the month with this strongest emotion, 1 or more'""",
    """COMMENT ON COLUMN v1_emotions_by_month.measured IS 'faces of the month with measured emotions, 1 or more'""",
    """COMMENT ON COLUMN v1_emotions_by_month.share IS 'faces as a share of measured, percent, above 0 to 100'""",
    """COMMENT ON VIEW v1_co_occurrence IS 'pairs of persons on the same photos, each pair once; hidden persons are left out'""",
    """COMMENT ON COLUMN v1_co_occurrence.person_a_id IS 'public id of the first person'""",
    """COMMENT ON COLUMN v1_co_occurrence.name_a IS 'name of the first person; null: unnamed'""",
    """COMMENT ON COLUMN v1_co_occurrence.person_b_id IS 'public id of the second person'""",
    """COMMENT ON COLUMN v1_co_occurrence.name_b IS 'name of the second person; null: unnamed'""",
    """COMMENT ON COLUMN v1_co_occurrence.photos IS 'photos with both persons, 1 or more'""",
    """COMMENT ON COLUMN v1_co_occurrence.first_seen IS 'earliest taken_at of these photos, UTC; null: none has a date'""",
    """COMMENT ON COLUMN v1_co_occurrence.last_seen IS 'latest taken_at of these photos, UTC; null: none has a date'""",
    """COMMENT ON VIEW v1_photos IS 'one row per photo (content), with any number of locations'""",
    """COMMENT ON COLUMN v1_photos.photo_sha256 IS 'SHA-256 of the photo''s bytes, 64 hex digits'""",
    """COMMENT ON COLUMN v1_photos.uri IS 'first present location of the photo, else its first missing one; file:// or s3://'""",
    """COMMENT ON COLUMN v1_photos.places IS 'present locations, 0 or more; above 1: the photo has copies'""",
    """COMMENT ON COLUMN v1_photos.missing_since IS 'when its last location was missed, UTC; null: present'""",
    """COMMENT ON COLUMN v1_photos.taken_at IS 'when the photo was taken, UTC; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.taken_at_offset IS 'offset of the camera in minutes east of UTC; null: unknown, and taken_at is local time'""",
    """COMMENT ON COLUMN v1_photos.taken_local IS 'local time of the camera, YYYY-MM-DDTHH:MM:SS without offset; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.camera_make IS 'maker of the camera; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.camera_model IS 'model of the camera; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.gps_latitude IS 'degrees, WGS 84, -90 to 90, north positive; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.gps_longitude IS 'degrees, WGS 84, -180 to 180, east positive; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.gps_altitude IS 'meters above sea level; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.format IS 'JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP, JPEG2000, JPEGXL, PSD, PCX, PNM, TGA or RAW'""",
    """COMMENT ON COLUMN v1_photos.width IS 'width of the upright image, pixels'""",
    """COMMENT ON COLUMN v1_photos.height IS 'height of the upright image, pixels'""",
    """COMMENT ON COLUMN v1_photos.size IS 'size of the file, bytes'""",
    """COMMENT ON COLUMN v1_photos.faces IS 'faces on the photo, 0 or more'""",
    """COMMENT ON COLUMN v1_photos.recorded_at IS 'when the catalogue first recorded this content, UTC'""",
    """COMMENT ON COLUMN v1_photos.path IS 'the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped'""",
    """COMMENT ON VIEW v1_locations IS 'one row per location of a photo'""",
    """COMMENT ON COLUMN v1_locations.photo_sha256 IS 'content hash of the photo'""",
    """COMMENT ON COLUMN v1_locations.uri IS 'uri of the location: file://, percent-encoded from the bytes of the name, or s3://'""",
    """COMMENT ON COLUMN v1_locations.album IS 'uri of its folder or prefix, with a closing slash'""",
    """COMMENT ON COLUMN v1_locations.size IS 'size in bytes when last read'""",
    """COMMENT ON COLUMN v1_locations.first_seen IS 'when a scan first found this content at this location, UTC'""",
    """COMMENT ON COLUMN v1_locations.missing_since IS 'when a complete scan first missed it, UTC; null: present'""",
    """COMMENT ON COLUMN v1_locations.left_out_by IS 'the exclusion rule that left it out of a scan; null: not left out'""",
    """COMMENT ON COLUMN v1_locations.path IS 'the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped'""",
    """COMMENT ON VIEW v1_rejected_faces IS 'faces that were detected and not enrolled'""",
    """COMMENT ON COLUMN v1_rejected_faces.photo_sha256 IS 'content hash of the photo'""",
    """COMMENT ON COLUMN v1_rejected_faces.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN v1_rejected_faces.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN v1_rejected_faces.box_width IS 'width of the face, fraction of the upright width, above 0'""",
    """COMMENT ON COLUMN v1_rejected_faces.box_height IS 'height of the face, fraction of the upright height, above 0'""",
    """COMMENT ON COLUMN v1_rejected_faces.confidence IS 'confidence that the box contains a face, 0-100'""",
    """COMMENT ON COLUMN v1_rejected_faces.reasons IS 'reason codes of Amazon Rekognition (LOW_SHARPNESS, SMALL_BOUNDING_BOX ...), separated by spaces'""",
    """COMMENT ON COLUMN v1_rejected_faces.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN v1_rejected_faces.gallery IS 'gallery that it was not enrolled in'""",
    """COMMENT ON COLUMN v1_rejected_faces.model IS 'networks and version that detected it'""",
    """COMMENT ON VIEW v1_scans IS 'one row per run of `catalog scan`'""",
    """COMMENT ON COLUMN v1_scans.scan_id IS 'number of the scan, in order of start'""",
    """COMMENT ON COLUMN v1_scans.started_at IS 'UTC'""",
    """COMMENT ON COLUMN v1_scans.finished_at IS 'UTC; null: running, or killed'""",
    """COMMENT ON COLUMN v1_scans.state IS 'running, completed, interrupted, limited or failed'""",
    """COMMENT ON COLUMN v1_scans.exit_code IS 'exit code of the command; null: not ended'""",
    """COMMENT ON COLUMN v1_scans.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN v1_scans.gallery IS 'gallery or collection'""",
    """COMMENT ON COLUMN v1_scans.model IS 'networks and version'""",
    """COMMENT ON COLUMN v1_scans.version IS 'version of the program'""",
    """COMMENT ON COLUMN v1_scans.discovered IS 'photos found in the sources: the sum of the next seven counts'""",
    """COMMENT ON COLUMN v1_scans.new IS 'photos recorded for the first time'""",
    """COMMENT ON COLUMN v1_scans.unchanged IS 'locations without a change'""",
    """COMMENT ON COLUMN v1_scans.changed IS 'locations with new content'""",
    """COMMENT ON COLUMN v1_scans.moved IS 'known content at a new location, the old location is missing'""",
    """COMMENT ON COLUMN v1_scans.duplicate IS 'known content at a new location, the old location is present'""",
    """COMMENT ON COLUMN v1_scans.skipped IS 'skipped by a rule'""",
    """COMMENT ON COLUMN v1_scans.failed IS 'could not be recorded'""",
    """COMMENT ON COLUMN v1_scans.faces IS 'faces enrolled'""",
    """COMMENT ON COLUMN v1_scans.rejected IS 'faces not enrolled'""",
    """COMMENT ON COLUMN v1_scans.persons_new IS 'persons added'""",
    """COMMENT ON COLUMN v1_scans.calls IS 'paid calls made, 0 with the local engine'""",
    """COMMENT ON COLUMN v1_scans.dollars IS 'US dollars, by the price list'""",
    """COMMENT ON VIEW v1_charges IS 'paid calls, grouped by operation'""",
    """COMMENT ON COLUMN v1_charges.charged_at IS 'UTC'""",
    """COMMENT ON COLUMN v1_charges.scan_id IS 'number of the scan; null: another command'""",
    """COMMENT ON COLUMN v1_charges.command IS 'scan, find-person, analyze, compare ...'""",
    """COMMENT ON COLUMN v1_charges.engine IS 'engine that was charged'""",
    """COMMENT ON COLUMN v1_charges.region IS 'AWS region; empty elsewhere'""",
    """COMMENT ON COLUMN v1_charges.operation IS 'IndexFaces, SearchFaces, SearchFacesByImage, DetectFaces or CompareFaces'""",
    """COMMENT ON COLUMN v1_charges.calls IS 'answered calls, 1 or more'""",
    """COMMENT ON COLUMN v1_charges.dollars IS 'US dollars, by the price list'""",
    """COMMENT ON VIEW v1_problems IS 'photos that a scan skipped or failed on, with the reason'""",
    """COMMENT ON COLUMN v1_problems.scan_id IS 'number of the scan'""",
    """COMMENT ON COLUMN v1_problems.uri IS 'the place'""",
    """COMMENT ON COLUMN v1_problems.outcome IS 'failed or skipped'""",
    """COMMENT ON COLUMN v1_problems.reason IS 'one sentence'""",
    """COMMENT ON COLUMN v1_problems.photo_sha256 IS 'content hash; null: not readable'""",
    """COMMENT ON COLUMN v1_problems.at IS 'UTC'""",
    """COMMENT ON VIEW v1_decisions IS 'decisions of users, in order'""",
    """COMMENT ON COLUMN v1_decisions.decision_id IS 'number of the decision'""",
    """COMMENT ON COLUMN v1_decisions.decided_at IS 'UTC'""",
    """COMMENT ON COLUMN v1_decisions.decided_by IS 'login name of the user, or the program that imported it'""",
    """COMMENT ON COLUMN v1_decisions.verb IS 'name, merge, split, confirm, reject, not_a_face, hide ...'""",
    """COMMENT ON COLUMN v1_decisions.person_id IS 'public id of the person; null: no person'""",
    """COMMENT ON COLUMN v1_decisions.other_person_id IS 'public id of a second person; null: none'""",
    """COMMENT ON COLUMN v1_decisions.name IS 'new name; null: none'""",
    """COMMENT ON COLUMN v1_decisions.photo_sha256 IS 'content hash of the photo, for a decision on one face; null: other decisions'""",
    """COMMENT ON COLUMN v1_decisions.undone IS 'true: undone by a later decision'""",
]

COMMENTS = [
    """COMMENT ON TABLE decisions IS 'decisions of users, append-only, replayed after a change of engine, model or database'""",
    """COMMENT ON COLUMN decisions.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN decisions.decided_at IS 'UTC'""",
    """COMMENT ON COLUMN decisions.decided_by IS 'login name of the user, or the program that imported it'""",
    """COMMENT ON COLUMN decisions.verb IS 'name, merge, split, confirm, reject, not_a_face, hide, forget ...'""",
    """COMMENT ON COLUMN decisions.person_id IS 'public id of the person'""",
    """COMMENT ON COLUMN decisions.other_person_id IS 'public id of a second person: merged, or split off'""",
    """COMMENT ON COLUMN decisions.name IS 'new name, or the former name, depending on the verb'""",
    """COMMENT ON COLUMN decisions.photo_sha256 IS 'content hash of the photo, for a decision on one face'""",
    """COMMENT ON COLUMN decisions.box_left IS 'box of the face, for a decision on one face'""",
    """COMMENT ON COLUMN decisions.box_top IS 'box of the face'""",
    """COMMENT ON COLUMN decisions.box_width IS 'box of the face'""",
    """COMMENT ON COLUMN decisions.box_height IS 'box of the face'""",
    """COMMENT ON COLUMN decisions.details IS 'JSON: further data for replay and undo'""",
    """COMMENT ON COLUMN decisions.undone_by IS 'decision that undid it; null: effective'""",
    """COMMENT ON COLUMN decisions.copy_of IS 'number of the decision that this one repeats for an edited photo; null: no copy'""",
    """COMMENT ON COLUMN decisions."group" IS 'number of the first decision of a group, undone as a whole; null: no group'""",
    """COMMENT ON TABLE employees IS 'persons whom `catalog verify` verifies'""",
    """COMMENT ON COLUMN employees.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN employees.employee_id IS 'the caller''s id of the person'""",
    """COMMENT ON COLUMN employees.enrolled_at IS 'UTC'""",
    """COMMENT ON COLUMN employees.enrolled_by IS 'login name of the user who enrolled the person'""",
    """COMMENT ON TABLE persons IS 'persons, named or not'""",
    """COMMENT ON COLUMN persons.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN persons.person_id IS 'permanent public id'""",
    """COMMENT ON COLUMN persons.name IS 'name by a user; null: unnamed'""",
    """COMMENT ON COLUMN persons.hidden IS 'left out of lists and reports'""",
    """COMMENT ON COLUMN persons.birth_date IS 'YYYY-MM-DD; null: unknown'""",
    """COMMENT ON COLUMN persons.merged_into IS 'row id of the person that this id redirects to'""",
    """COMMENT ON COLUMN persons.created_at IS 'UTC'""",
    """COMMENT ON TABLE photos IS 'one row per content; a copy or a move adds a location, not a photo'""",
    """COMMENT ON COLUMN photos.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN photos.sha256 IS 'SHA-256 of the file''s bytes, 64 hex digits'""",
    """COMMENT ON COLUMN photos.size IS 'size of the file in bytes'""",
    """COMMENT ON COLUMN photos.format IS 'JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP ... or RAW'""",
    """COMMENT ON COLUMN photos.width IS 'width of the upright image in pixels'""",
    """COMMENT ON COLUMN photos.height IS 'height of the upright image in pixels'""",
    """COMMENT ON COLUMN photos.orientation IS 'EXIF orientation that was applied, 1-8'""",
    """COMMENT ON COLUMN photos.taken_at IS 'when the photo was taken, UTC; the camera''s wall clock if the offset is null'""",
    """COMMENT ON COLUMN photos.taken_at_offset IS 'minutes east of UTC where the photo was taken; null: unknown'""",
    """COMMENT ON COLUMN photos.camera_make IS 'maker of the camera, from EXIF'""",
    """COMMENT ON COLUMN photos.camera_model IS 'model of the camera, from EXIF'""",
    """COMMENT ON COLUMN photos.gps_latitude IS 'degrees, WGS 84, north positive'""",
    """COMMENT ON COLUMN photos.gps_longitude IS 'degrees, WGS 84, east positive'""",
    """COMMENT ON COLUMN photos.gps_altitude IS 'meters above sea level'""",
    """COMMENT ON COLUMN photos.recorded_at IS 'when the catalogue first recorded this content, UTC'""",
    """COMMENT ON COLUMN photos.left_out_by IS 'the exclusion rule that left out its last location; null: not left out'""",
    """COMMENT ON TABLE removals IS 'pending removals: faces without rows that a gallery must still delete'""",
    """COMMENT ON COLUMN removals.face_id IS 'the gallery''s id of the face'""",
    """COMMENT ON COLUMN removals.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN removals.gallery IS 'gallery or collection that still holds it'""",
    """COMMENT ON COLUMN removals.wanted_at IS 'UTC'""",
    """COMMENT ON TABLE review_answers IS 'answers of the review pages, so that a repeated answer changes nothing; holds no name'""",
    """COMMENT ON COLUMN review_answers.key IS 'idempotency key of the page that showed the question'""",
    """COMMENT ON COLUMN review_answers.login IS 'login name of the user'""",
    """COMMENT ON COLUMN review_answers.body_sha256 IS 'hash of the answer, to refuse another answer with this key'""",
    """COMMENT ON COLUMN review_answers."group" IS 'group of the answer''s decisions; null: it made none'""",
    """COMMENT ON COLUMN review_answers.at IS 'UTC; deleted after seven days'""",
    """COMMENT ON TABLE scans IS 'one row per run of `catalog scan`'""",
    """COMMENT ON COLUMN scans.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN scans.started_at IS 'UTC'""",
    """COMMENT ON COLUMN scans.finished_at IS 'UTC; null: running, or killed'""",
    """COMMENT ON COLUMN scans.state IS 'running, completed, interrupted, limited or failed'""",
    """COMMENT ON COLUMN scans.exit_code IS 'exit code of the command'""",
    """COMMENT ON COLUMN scans.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN scans.gallery IS 'gallery or collection'""",
    """COMMENT ON COLUMN scans.model IS 'networks and version'""",
    """COMMENT ON COLUMN scans.version IS 'version of the program'""",
    """COMMENT ON COLUMN scans.host IS 'machine it ran on'""",
    """COMMENT ON COLUMN scans.pid IS 'process that ran it'""",
    """COMMENT ON COLUMN scans.discovered IS 'photos found in the sources: the sum of the next seven counts'""",
    """COMMENT ON COLUMN scans.new IS 'photos recorded for the first time'""",
    """COMMENT ON COLUMN scans.unchanged IS 'locations without a change'""",
    """COMMENT ON COLUMN scans.changed IS 'locations with new content'""",
    """COMMENT ON COLUMN scans.moved IS 'known content at a new location, the old location is missing'""",
    """COMMENT ON COLUMN scans.duplicate IS 'known content at a new location, the old location is present'""",
    """COMMENT ON COLUMN scans.skipped IS 'skipped by a rule'""",
    """COMMENT ON COLUMN scans.failed IS 'could not be recorded'""",
    """COMMENT ON COLUMN scans.faces IS 'faces enrolled'""",
    """COMMENT ON COLUMN scans.rejected IS 'faces rejected by the quality filter'""",
    """COMMENT ON COLUMN scans.persons_new IS 'persons added'""",
    """COMMENT ON COLUMN scans.persons_deleted IS 'persons that lost their id: must be 0'""",
    """COMMENT ON COLUMN scans.churn IS 'faces separated from a face of the same person'""",
    """COMMENT ON COLUMN scans.conflicts IS 'persons with two faces in one photo'""",
    """COMMENT ON TABLE tombstones IS 'forgotten faces, which are not enrolled again; without name or vector'""",
    """COMMENT ON COLUMN tombstones.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN tombstones.photo_sha256 IS 'content hash of the photo'""",
    """COMMENT ON COLUMN tombstones.box_left IS 'left edge, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN tombstones.box_top IS 'top edge, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN tombstones.box_width IS 'width, fraction of the upright width'""",
    """COMMENT ON COLUMN tombstones.box_height IS 'height, fraction of the upright height'""",
    """COMMENT ON COLUMN tombstones.forgotten_at IS 'UTC'""",
    """COMMENT ON TABLE verifications IS 'enrollments and verifications, chained by digests so that a change is detected'""",
    """COMMENT ON COLUMN verifications.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN verifications.at IS 'UTC'""",
    """COMMENT ON COLUMN verifications.content IS 'JSON of request and result; null: forgotten'""",
    """COMMENT ON COLUMN verifications.content_sha256 IS 'SHA-256 of the original `content` with its salt'""",
    """COMMENT ON COLUMN verifications.previous IS '`chain` of the row before; 64 zeros in the first'""",
    """COMMENT ON COLUMN verifications.chain IS 'SHA-256 of previous, at and content_sha256'""",
    """COMMENT ON TABLE watches IS 'the watch list: persons of interest, searched by every scan'""",
    """COMMENT ON COLUMN watches.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN watches.name IS 'name of the person of interest'""",
    """COMMENT ON COLUMN watches.threshold IS 'lowest similarity of a hit, 0-100'""",
    """COMMENT ON COLUMN watches.created_at IS 'UTC'""",
    """COMMENT ON COLUMN watches.created_by IS 'login name of the user who added it'""",
    """COMMENT ON TABLE work IS 'work queue of shared scans; empty if none runs'""",
    """COMMENT ON COLUMN work.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN work.source_uri IS 'the folder or prefix that is being scanned'""",
    """COMMENT ON COLUMN work.uri IS 'uri of the location'""",
    """COMMENT ON COLUMN work.size IS 'as listed, bytes'""",
    """COMMENT ON COLUMN work.modified_ns IS 'as listed, ns since the epoch'""",
    """COMMENT ON COLUMN work.etag IS 'as listed'""",
    """COMMENT ON COLUMN work.version IS 'as listed'""",
    """COMMENT ON TABLE charges IS 'paid calls, recorded in the transaction that stores their results'""",
    """COMMENT ON COLUMN charges.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN charges.charged_at IS 'UTC'""",
    """COMMENT ON COLUMN charges.scan_id IS 'the scan; null: another command'""",
    """COMMENT ON COLUMN charges.command IS 'scan, find-person, analyze, compare ...'""",
    """COMMENT ON COLUMN charges.engine IS 'engine that was charged'""",
    """COMMENT ON COLUMN charges.region IS 'AWS region; empty elsewhere'""",
    """COMMENT ON COLUMN charges.operation IS 'IndexFaces, SearchFaces ...'""",
    """COMMENT ON COLUMN charges.calls IS 'answered calls'""",
    """COMMENT ON COLUMN charges.microdollars IS 'millionths of a US dollar, by the price list'""",
    """COMMENT ON TABLE employee_references IS 'the reference faces of an employee'""",
    """COMMENT ON COLUMN employee_references.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN employee_references.employee_id IS 'row id'""",
    """COMMENT ON COLUMN employee_references.image IS 'padded crop of the face, JPEG. Biometric data'""",
    """COMMENT ON COLUMN employee_references.sha256 IS 'content hash of the photo'""",
    """COMMENT ON TABLE enrollments IS 'photos enrolled per gallery; they are not enrolled, or charged, again'""",
    """COMMENT ON COLUMN enrollments.photo_id IS 'the photo enrolled'""",
    """COMMENT ON COLUMN enrollments.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN enrollments.gallery IS 'gallery or collection with the faces'""",
    """COMMENT ON COLUMN enrollments.model IS 'networks and version that analyzed the photo'""",
    """COMMENT ON COLUMN enrollments.enrolled_at IS 'UTC'""",
    """COMMENT ON COLUMN enrollments.scan_id IS 'scan that enrolled it'""",
    """COMMENT ON TABLE faces IS 'a human face on a photo, as an engine detected it'""",
    """COMMENT ON COLUMN faces.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN faces.face_id IS 'the gallery''s id of this face, a UUID'""",
    """COMMENT ON COLUMN faces.photo_id IS 'its photo'""",
    """COMMENT ON COLUMN faces.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN faces.gallery IS 'gallery or collection with the face'""",
    """COMMENT ON COLUMN faces.model IS 'networks and version that detected it'""",
    """COMMENT ON COLUMN faces.box_left IS 'left edge, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN faces.box_top IS 'top edge, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN faces.box_width IS 'width, fraction of the upright width'""",
    """COMMENT ON COLUMN faces.box_height IS 'height, fraction of the upright height'""",
    """COMMENT ON COLUMN faces.confidence IS 'confidence that the box contains a face, 0-100'""",
    """COMMENT ON COLUMN faces.roll IS 'rotation in the image plane, degrees'""",
    """COMMENT ON COLUMN faces.yaw IS 'turn to the side, degrees'""",
    """COMMENT ON COLUMN faces.pitch IS 'nod, degrees'""",
    """COMMENT ON COLUMN faces.brightness IS '0-100'""",
    """COMMENT ON COLUMN faces.sharpness IS '0-100'""",
    """COMMENT ON COLUMN faces.age_low IS 'lower end of the apparent age, years; null: not measured'""",
    """COMMENT ON COLUMN faces.age_high IS 'upper end of the apparent age, years'""",
    """COMMENT ON COLUMN faces.gender IS 'Male or Female, as it appears; null: not measured'""",
    """COMMENT ON COLUMN faces.gender_confidence IS 'confidence of `gender`, 0-100'""",
    """COMMENT ON COLUMN faces.smile IS 'smiles; null: not measured'""",
    """COMMENT ON COLUMN faces.smile_confidence IS 'confidence of `smile`, 0-100'""",
    """COMMENT ON COLUMN faces.eyeglasses IS 'wears eyeglasses; null: not measured'""",
    """COMMENT ON COLUMN faces.eyeglasses_confidence IS 'confidence of `eyeglasses`, 0-100'""",
    """COMMENT ON COLUMN faces.sunglasses IS 'wears sunglasses; null: not measured'""",
    """COMMENT ON COLUMN faces.sunglasses_confidence IS 'confidence of `sunglasses`, 0-100'""",
    """COMMENT ON COLUMN faces.beard IS 'has a beard; null: not measured'""",
    """COMMENT ON COLUMN faces.beard_confidence IS 'confidence of `beard`, 0-100'""",
    """COMMENT ON COLUMN faces.mustache IS 'has a mustache; null: not measured'""",
    """COMMENT ON COLUMN faces.mustache_confidence IS 'confidence of `mustache`, 0-100'""",
    """COMMENT ON COLUMN faces.eyes_open IS 'has open eyes; null: not measured'""",
    """COMMENT ON COLUMN faces.eyes_open_confidence IS 'confidence of `eyes_open`, 0-100'""",
    """COMMENT ON COLUMN faces.mouth_open IS 'has an open mouth; null: not measured'""",
    """COMMENT ON COLUMN faces.mouth_open_confidence IS 'confidence of `mouth_open`, 0-100'""",
    """COMMENT ON COLUMN faces.face_occluded IS 'is partly covered; null: not measured'""",
    """COMMENT ON COLUMN faces.face_occluded_confidence IS 'confidence of `face_occluded`, 0-100'""",
    """COMMENT ON COLUMN faces.emotion IS 'the strongest of its `emotions`, kept here for fast reports; null: not measured'""",
    """COMMENT ON COLUMN faces.emotion_confidence IS 'confidence of `emotion`, 0-100'""",
    """COMMENT ON COLUMN faces.landmarks IS 'JSON object of name -> [x, y] in fractions of the upright image'""",
    """COMMENT ON COLUMN faces.not_a_face IS 'true: a user marked it as not a face'""",
    """COMMENT ON COLUMN faces.enrolled_at IS 'UTC'""",
    """COMMENT ON COLUMN faces.scan_id IS 'the scan that enrolled it'""",
    """COMMENT ON COLUMN faces.left_out IS 'not_a_face before the photo was left out; null: the photo is not left out'""",
    """COMMENT ON TABLE locations IS 'one row per location of a photo'""",
    """COMMENT ON COLUMN locations.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN locations.photo_id IS 'the content seen'""",
    """COMMENT ON COLUMN locations.uri IS 'file:// percent-encoded from the raw bytes, or s3://'""",
    """COMMENT ON COLUMN locations.size IS 'size in bytes when last read'""",
    """COMMENT ON COLUMN locations.modified_ns IS 'modification time when last read, ns since the epoch'""",
    """COMMENT ON COLUMN locations.etag IS 'inode of a file, ETag of an object; compared for equality'""",
    """COMMENT ON COLUMN locations.version IS 'S3 version id; null elsewhere'""",
    """COMMENT ON COLUMN locations.first_seen IS 'when a scan first found this content at this location, UTC'""",
    """COMMENT ON COLUMN locations.missing_since IS 'when a complete scan first missed it, UTC; null: present'""",
    """COMMENT ON COLUMN locations.left_out_by IS 'the exclusion rule that left it out; null: not left out'""",
    """COMMENT ON TABLE person_summaries IS 'counts per person for the review queue; computed from assignments, may be deleted'""",
    """COMMENT ON COLUMN person_summaries.person_id IS 'its person'""",
    """COMMENT ON COLUMN person_summaries.engine IS 'engine of the counted faces'""",
    """COMMENT ON COLUMN person_summaries.gallery IS 'gallery of the counted faces'""",
    """COMMENT ON COLUMN person_summaries.faces IS 'faces of the person in the gallery'""",
    """COMMENT ON COLUMN person_summaries.photos IS 'photos of these faces'""",
    """COMMENT ON COLUMN person_summaries.clear_faces IS 'faces large and sharp enough for a user to answer about'""",
    """COMMENT ON COLUMN person_summaries.first_taken IS 'UTC; null: no photo has a date'""",
    """COMMENT ON COLUMN person_summaries.last_taken IS 'UTC; null: no photo has a date'""",
    """COMMENT ON TABLE problems IS 'photos that a scan skipped or failed on, with the reason'""",
    """COMMENT ON COLUMN problems.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN problems.scan_id IS 'the scan'""",
    """COMMENT ON COLUMN problems.uri IS 'uri of the location'""",
    """COMMENT ON COLUMN problems.outcome IS 'failed or skipped'""",
    """COMMENT ON COLUMN problems.sha256 IS 'content hash; null: not readable'""",
    """COMMENT ON COLUMN problems.reason IS 'one sentence'""",
    """COMMENT ON COLUMN problems.at IS 'UTC'""",
    """COMMENT ON TABLE rejected_faces IS 'faces that were detected and not enrolled'""",
    """COMMENT ON COLUMN rejected_faces.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN rejected_faces.photo_id IS 'its photo'""",
    """COMMENT ON COLUMN rejected_faces.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN rejected_faces.gallery IS 'gallery that it was not enrolled in'""",
    """COMMENT ON COLUMN rejected_faces.model IS 'networks and version that detected it'""",
    """COMMENT ON COLUMN rejected_faces.box_left IS 'left edge, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN rejected_faces.box_top IS 'top edge, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN rejected_faces.box_width IS 'width, fraction of the upright width'""",
    """COMMENT ON COLUMN rejected_faces.box_height IS 'height, fraction of the upright height'""",
    """COMMENT ON COLUMN rejected_faces.confidence IS 'confidence that the box contains a face, 0-100'""",
    """COMMENT ON COLUMN rejected_faces.reasons IS 'reason codes of Amazon Rekognition, separated by spaces'""",
    """COMMENT ON COLUMN rejected_faces.scan_id IS 'scan that detected it'""",
    """COMMENT ON TABLE scan_sources IS 'sources of scans; a location was last seen at the last complete scan of its source'""",
    """COMMENT ON COLUMN scan_sources.scan_id IS 'the scan'""",
    """COMMENT ON COLUMN scan_sources.source_uri IS 'the folder or prefix'""",
    """COMMENT ON COLUMN scan_sources.discovered IS 'photos found in the source'""",
    """COMMENT ON COLUMN scan_sources.completed_at IS 'when its listing was complete, UTC; null: it was not'""",
    """COMMENT ON TABLE watch_references IS 'reference faces of the watch list, and faces of other persons who look similar'""",
    """COMMENT ON COLUMN watch_references.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN watch_references.watch_id IS 'its watch'""",
    """COMMENT ON COLUMN watch_references.negative IS 'true: shows another person who looks similar'""",
    """COMMENT ON COLUMN watch_references.image IS 'padded crop of the face, JPEG. Biometric data'""",
    """COMMENT ON COLUMN watch_references.sha256 IS 'content hash of the photo'""",
    """COMMENT ON TABLE assignments IS 'persons of faces, at most one per face'""",
    """COMMENT ON COLUMN assignments.face_id IS 'row id of the face'""",
    """COMMENT ON COLUMN assignments.person_id IS 'row id of the person'""",
    """COMMENT ON COLUMN assignments."by" IS 'cluster or human'""",
    """COMMENT ON COLUMN assignments.similarity IS 'similarity to the person''s other faces at the assignment, 0-100'""",
    """COMMENT ON COLUMN assignments.assigned_at IS 'UTC'""",
    """COMMENT ON COLUMN assignments.photo_id IS 'photo of the face, null if marked as not a face; maintained by triggers'""",
    """COMMENT ON TABLE emotions IS 'apparent expression of a face, not a feeling'""",
    """COMMENT ON COLUMN emotions.face_id IS 'row id of the face'""",
    """COMMENT ON COLUMN emotions.type IS 'HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR'""",
    """COMMENT ON COLUMN emotions.confidence IS '0-100; a face''s emotions need not add up to 100'""",
    """COMMENT ON TABLE matches IS 'similar faces of one gallery that searches found'""",
    """COMMENT ON COLUMN matches.face_a IS 'the lower row id'""",
    """COMMENT ON COLUMN matches.face_b IS 'the higher row id'""",
    """COMMENT ON COLUMN matches.similarity IS '0-100, by the engine'""",
    """COMMENT ON TABLE review_questions IS 'open questions of the review queue; computed by the last step of a scan, may be deleted'""",
    """COMMENT ON COLUMN review_questions.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN review_questions.person_id IS 'first person'""",
    """COMMENT ON COLUMN review_questions.other_id IS 'second person; null: a face'""",
    """COMMENT ON COLUMN review_questions.face_id IS 'unassigned face; null: a person'""",
    """COMMENT ON COLUMN review_questions.similarity IS 'of the most similar faces, 0-100'""",
    """COMMENT ON COLUMN review_questions.chance IS 'estimated probability of a yes, 0-1'""",
    """COMMENT ON COLUMN review_questions.faces IS 'faces that a yes decides'""",
    """COMMENT ON COLUMN review_questions.worth IS 'expected faces decided per second of the user; orders the queue'""",
    """COMMENT ON COLUMN review_questions.reason IS 'why a machine did not merge them; null: the similarity is below the threshold'""",
    """COMMENT ON TABLE review_skips IS 'questions answered with `not sure`; no decisions'""",
    """COMMENT ON COLUMN review_skips.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN review_skips.person_id IS 'first person'""",
    """COMMENT ON COLUMN review_skips.other_id IS 'second person, if any'""",
    """COMMENT ON COLUMN review_skips.face_id IS 'unassigned face, if any'""",
    """COMMENT ON COLUMN review_skips.until IS 'UTC; the question is not asked before'""",
    """COMMENT ON TABLE searches IS 'faces with a neighbor search, which is not run again'""",
    """COMMENT ON COLUMN searches.face_id IS 'row id of the face'""",
    """COMMENT ON COLUMN searches.threshold IS 'lowest requested similarity, 0-100'""",
    """COMMENT ON COLUMN searches.complete IS 'false: an absent face is no evidence'""",
    """COMMENT ON COLUMN searches.searched_at IS 'UTC'""",
    """COMMENT ON TABLE watch_hits IS 'faces similar to the watch list, to be reviewed by a user'""",
    """COMMENT ON COLUMN watch_hits.id IS 'internal row id, never shown'""",
    """COMMENT ON COLUMN watch_hits.watch_id IS 'its watch'""",
    """COMMENT ON COLUMN watch_hits.face_id IS 'row id of the face'""",
    """COMMENT ON COLUMN watch_hits.similarity IS 'to the best reference, 0-100'""",
    """COMMENT ON COLUMN watch_hits.margin IS 'similarity minus that of the best negative reference; null: none'""",
    """COMMENT ON COLUMN watch_hits.state IS 'open, confirmed or dismissed'""",
    """COMMENT ON COLUMN watch_hits.found_at IS 'UTC'""",
    """COMMENT ON COLUMN watch_hits.scan_id IS 'scan that found it'""",
    """COMMENT ON COLUMN watch_hits.reviewed_at IS 'UTC; null: open'""",
    """COMMENT ON COLUMN watch_hits.reviewed_by IS 'login name of the user who reviewed it'""",
]


def upgrade() -> None:
    bind = op.get_bind()
    for view in reversed(VIEWS):
        bind.exec_driver_sql(f"DROP VIEW IF EXISTS {view}")
    op.add_column(
        "locations",
        sa.Column(
            "path",
            sa.Text(),
            nullable=True,
            comment='the uri as a user reads it: a path, or s3://bucket/key; null: not filled in yet',
        ),
    )
    fill_paths(bind)
    op.create_table(
        "named_appearances",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False, comment="internal row id, never shown"),
        sa.Column("photo_id", ROW_ID, nullable=False, comment="the photo"),
        sa.Column("person_id", ROW_ID, nullable=False, comment="row id of the person"),
        sa.Column("box_left", sa.Float(), nullable=True, comment="the region's box; null: the file gives no position"),
        sa.Column("box_top", sa.Float(), nullable=True, comment="the region's box; null: the file gives no position"),
        sa.Column("box_width", sa.Float(), nullable=True, comment="the region's box; null: the file gives no position"),
        sa.Column("box_height", sa.Float(), nullable=True, comment="the region's box; null: the file gives no position"),
        sa.Column("source", sa.Text(), nullable=False, comment="file that states the name"),
        sa.Column("named_at", sa.Text(), nullable=False, comment="when it was imported, UTC"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_named_appearances_person_id_persons"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_named_appearances_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_named_appearances")),
        comment='persons on a photo without a detected face, as files of other programs state them; never clustered',
    )
    op.create_index("ix_named_appearances_photo_id", "named_appearances", ["photo_id"], unique=False)
    op.create_index("ix_named_appearances_person_id", "named_appearances", ["person_id"], unique=False)
    statements = SQLITE if bind.dialect.name == "sqlite" else [*COMMENTS, *POSTGRESQL]
    for statement in statements:
        bind.exec_driver_sql(statement)


def fill_paths(bind: sa.Connection) -> None:
    """Fill in the path of every location, in batches by row id."""
    last = 0
    while True:
        rows = bind.execute(
            sa.text("SELECT id, uri FROM locations WHERE id > :last ORDER BY id LIMIT :rows"), {"last": last, "rows": ROWS}
        ).all()
        if not rows:
            return
        bind.execute(
            sa.text("UPDATE locations SET path = :path WHERE id = :id"),
            [{"id": row_id, "path": path_of(uri)} for row_id, uri in rows],
        )
        last = rows[-1][0]


def path_of(uri: str) -> str:
    scheme = "" if uri.startswith("file://") else "s3://"
    name = unquote_to_bytes(uri.removeprefix("file://") if not scheme else uri[len(scheme) :])
    text = name.decode("utf-8", "backslashreplace")
    harmless = "\u00a0\u202f\u3000\u200c\u200d"
    return scheme + "".join(
        char if char.isprintable() or char in harmless else char.encode("unicode_escape").decode("ascii") for char in text
    )


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
