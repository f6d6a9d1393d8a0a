"""The schema of the first release, frozen."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE = [
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
    person.hidden
FROM assignments AS assigned
JOIN persons AS person ON person.id = assigned.person_id
JOIN faces AS face ON face.id = assigned.face_id
JOIN photos AS photo ON photo.id = face.photo_id
WHERE NOT face.not_a_face AND person.merged_into IS NULL""",
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
    photo.recorded_at
FROM photos AS photo""",
    """CREATE VIEW v1_locations AS
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since
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
    person.hidden
FROM assignments AS assigned
JOIN persons AS person ON person.id = assigned.person_id
JOIN faces AS face ON face.id = assigned.face_id
JOIN photos AS photo ON photo.id = face.photo_id
WHERE NOT face.not_a_face AND person.merged_into IS NULL""",
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
    photo.recorded_at
FROM photos AS photo""",
    """CREATE VIEW v1_locations AS
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since
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
    "COMMENT ON VIEW v1_people IS 'one row per person who was named or has faces'",
    "COMMENT ON COLUMN v1_people.person_id IS 'public id of the person, kept for ever'",
    "COMMENT ON COLUMN v1_people.name IS 'as a human gave it; null: not named'",
    "COMMENT ON COLUMN v1_people.faces IS 'faces of this person, 0 or more'",
    "COMMENT ON COLUMN v1_people.photos IS 'photos that show this person, 0 or more; a photo counts once'",
    "COMMENT ON COLUMN v1_people.first_seen IS 'earliest taken_at of a photo with this person, UTC; null: no photo with a date'",
    "COMMENT ON COLUMN v1_people.last_seen IS 'latest taken_at of a photo with this person, UTC; null: no photo with a date'",
    "COMMENT ON COLUMN v1_people.hidden IS 'true: left out of lists and reports'",
    "COMMENT ON COLUMN v1_people.birth_date IS 'YYYY-MM-DD; null: unknown'",
    "COMMENT ON COLUMN v1_people.created_at IS 'when the catalogue first held this person, UTC'",
    "COMMENT ON VIEW v1_appearances IS 'one row per face that belongs to a person: who is on which photo, and where in it'",
    "COMMENT ON COLUMN v1_appearances.photo_sha256 IS 'SHA-256 of the photo''s bytes, 64 hex digits'",
    "COMMENT ON COLUMN v1_appearances.uri IS 'a place where the photo is: the first of those that stand, else the last known; file:// or s3://'",
    "COMMENT ON COLUMN v1_appearances.taken_at IS 'when the photo was taken, UTC; null: unknown'",
    "COMMENT ON COLUMN v1_appearances.person_id IS 'public id of the person'",
    "COMMENT ON COLUMN v1_appearances.name IS 'name of the person; null: not named'",
    "COMMENT ON COLUMN v1_appearances.face_id IS 'the gallery''s id of the face, a UUID'",
    "COMMENT ON COLUMN v1_appearances.similarity IS 'to the person''s other faces when it was assigned, 0-100; null: assigned by a human, or a lone face'",
    "COMMENT ON COLUMN v1_appearances.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'",
    "COMMENT ON COLUMN v1_appearances.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'",
    "COMMENT ON COLUMN v1_appearances.box_width IS 'width of the face, fraction of the upright width, above 0'",
    "COMMENT ON COLUMN v1_appearances.box_height IS 'height of the face, fraction of the upright height, above 0'",
    "COMMENT ON COLUMN v1_appearances.taken_at_offset IS 'minutes east of UTC where it was taken; null: unknown, and taken_at is the wall clock'",
    "COMMENT ON COLUMN v1_appearances.missing_since IS 'when the last place of the photo was missed, UTC; null: the photo is there'",
    "COMMENT ON COLUMN v1_appearances.assigned_by IS 'cluster or human'",
    "COMMENT ON COLUMN v1_appearances.hidden IS 'true: the person is left out of lists and reports'",
    "COMMENT ON VIEW v1_faces IS 'one row per face, with what it shows'",
    "COMMENT ON COLUMN v1_faces.face_id IS 'the gallery''s id of the face, a UUID'",
    "COMMENT ON COLUMN v1_faces.photo_sha256 IS 'the photo it appears in'",
    "COMMENT ON COLUMN v1_faces.person_id IS 'public id of the person; null: not assigned, which only poor faces are'",
    "COMMENT ON COLUMN v1_faces.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'",
    "COMMENT ON COLUMN v1_faces.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'",
    "COMMENT ON COLUMN v1_faces.box_width IS 'width of the face, fraction of the upright width, above 0'",
    "COMMENT ON COLUMN v1_faces.box_height IS 'height of the face, fraction of the upright height, above 0'",
    "COMMENT ON COLUMN v1_faces.confidence IS 'certainty that the box holds a face, 0-100'",
    "COMMENT ON COLUMN v1_faces.roll IS 'rotation in the image plane, degrees, -180 to 180; null: not measured'",
    "COMMENT ON COLUMN v1_faces.yaw IS 'turn to the side, degrees, -180 to 180; null: not measured'",
    "COMMENT ON COLUMN v1_faces.pitch IS 'nod, degrees, -180 to 180; null: not measured'",
    "COMMENT ON COLUMN v1_faces.brightness IS 'brightness of the face, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.sharpness IS 'sharpness of the face, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.age_low IS 'lower end of the apparent age, years; null: not measured'",
    "COMMENT ON COLUMN v1_faces.age_high IS 'upper end of the apparent age, years; null: not measured'",
    "COMMENT ON COLUMN v1_faces.gender IS 'Male or Female, as it appears; null: not measured'",
    "COMMENT ON COLUMN v1_faces.gender_confidence IS 'confidence of gender, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.smile IS 'smiles; null: not measured'",
    "COMMENT ON COLUMN v1_faces.smile_confidence IS 'confidence of smile, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.eyeglasses IS 'wears eyeglasses; null: not measured'",
    "COMMENT ON COLUMN v1_faces.eyeglasses_confidence IS 'confidence of eyeglasses, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.sunglasses IS 'wears sunglasses; null: not measured'",
    "COMMENT ON COLUMN v1_faces.sunglasses_confidence IS 'confidence of sunglasses, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.beard IS 'has a beard; null: not measured'",
    "COMMENT ON COLUMN v1_faces.beard_confidence IS 'confidence of beard, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.mustache IS 'has a mustache; null: not measured'",
    "COMMENT ON COLUMN v1_faces.mustache_confidence IS 'confidence of mustache, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.eyes_open IS 'has open eyes; null: not measured'",
    "COMMENT ON COLUMN v1_faces.eyes_open_confidence IS 'confidence of eyes_open, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.mouth_open IS 'has an open mouth; null: not measured'",
    "COMMENT ON COLUMN v1_faces.mouth_open_confidence IS 'confidence of mouth_open, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.face_occluded IS 'is partly covered; null: not measured'",
    "COMMENT ON COLUMN v1_faces.face_occluded_confidence IS 'confidence of face_occluded, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.emotion IS 'the strongest apparent expression; null: not measured'",
    "COMMENT ON COLUMN v1_faces.emotion_confidence IS 'confidence of emotion, 0-100; null: not measured'",
    "COMMENT ON COLUMN v1_faces.hidden IS 'true: the person is left out of lists and reports; null: not assigned'",
    "COMMENT ON COLUMN v1_faces.engine IS 'local or rekognition'",
    "COMMENT ON COLUMN v1_faces.gallery IS 'the gallery or collection that holds the face'",
    "COMMENT ON COLUMN v1_faces.model IS 'networks and version that saw the face'",
    "COMMENT ON COLUMN v1_faces.enrolled_at IS 'when the face was enrolled, UTC'",
    "COMMENT ON VIEW v1_emotions IS 'one row per face and emotion: apparent expression, not inner feeling'",
    "COMMENT ON COLUMN v1_emotions.face_id IS 'the gallery''s id of the face, a UUID'",
    "COMMENT ON COLUMN v1_emotions.type IS 'HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR or UNKNOWN'",
    "COMMENT ON COLUMN v1_emotions.confidence IS '0-100; the emotions of a face are independent and need not add up to 100'",
    "COMMENT ON VIEW v1_emotions_by_month IS 'how many faces of a month show which emotion most strongly; hidden people are left out'",
    "COMMENT ON COLUMN v1_emotions_by_month.month IS 'YYYY-MM by the camera''s own clock; photos without a date are left out'",
    "COMMENT ON COLUMN v1_emotions_by_month.type IS 'the strongest emotion of these faces; a type that no face of the month shows has no row'",
    "COMMENT ON COLUMN v1_emotions_by_month.faces IS 'faces of the month whose strongest emotion it is, 1 or more'",
    "COMMENT ON COLUMN v1_emotions_by_month.measured IS 'faces of the month whose emotions were measured, 1 or more'",
    "COMMENT ON COLUMN v1_emotions_by_month.share IS 'faces as a share of measured, percent, above 0 to 100'",
    "COMMENT ON VIEW v1_co_occurrence IS 'pairs of people who are on the same photos, each pair once; hidden people are left out'",
    "COMMENT ON COLUMN v1_co_occurrence.person_a_id IS 'public id of the one person'",
    "COMMENT ON COLUMN v1_co_occurrence.name_a IS 'name of the one person; null: not named'",
    "COMMENT ON COLUMN v1_co_occurrence.person_b_id IS 'public id of the other person'",
    "COMMENT ON COLUMN v1_co_occurrence.name_b IS 'name of the other person; null: not named'",
    "COMMENT ON COLUMN v1_co_occurrence.photos IS 'photos that show both, 1 or more'",
    "COMMENT ON COLUMN v1_co_occurrence.first_seen IS 'earliest taken_at of these photos, UTC; null: none has a date'",
    "COMMENT ON COLUMN v1_co_occurrence.last_seen IS 'latest taken_at of these photos, UTC; null: none has a date'",
    "COMMENT ON VIEW v1_photos IS 'one row per photo: distinct content, wherever its copies are'",
    "COMMENT ON COLUMN v1_photos.photo_sha256 IS 'SHA-256 of the photo''s bytes, 64 hex digits'",
    "COMMENT ON COLUMN v1_photos.uri IS 'a place where the photo is: the first of those that stand, else the last known; file:// or s3://'",
    "COMMENT ON COLUMN v1_photos.places IS 'places where this content stands now, 0 or more; above 1 it has copies'",
    "COMMENT ON COLUMN v1_photos.missing_since IS 'when its last place was missed, UTC; null: it is there'",
    "COMMENT ON COLUMN v1_photos.taken_at IS 'when the photo was taken, UTC; null: unknown'",
    "COMMENT ON COLUMN v1_photos.taken_at_offset IS 'minutes east of UTC where it was taken; null: unknown, and taken_at is the wall clock'",
    "COMMENT ON COLUMN v1_photos.taken_local IS 'the camera''s wall clock, YYYY-MM-DDTHH:MM:SS without a zone; null: unknown'",
    "COMMENT ON COLUMN v1_photos.camera_make IS 'maker of the camera; null: unknown'",
    "COMMENT ON COLUMN v1_photos.camera_model IS 'model of the camera; null: unknown'",
    "COMMENT ON COLUMN v1_photos.gps_latitude IS 'degrees, WGS 84, -90 to 90, north positive; null: unknown'",
    "COMMENT ON COLUMN v1_photos.gps_longitude IS 'degrees, WGS 84, -180 to 180, east positive; null: unknown'",
    "COMMENT ON COLUMN v1_photos.gps_altitude IS 'meters above sea level; null: unknown'",
    "COMMENT ON COLUMN v1_photos.format IS 'JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF or RAW'",
    "COMMENT ON COLUMN v1_photos.width IS 'width of the upright image, pixels'",
    "COMMENT ON COLUMN v1_photos.height IS 'height of the upright image, pixels'",
    "COMMENT ON COLUMN v1_photos.size IS 'size of the file, bytes'",
    "COMMENT ON COLUMN v1_photos.faces IS 'faces found on it, 0 or more'",
    "COMMENT ON COLUMN v1_photos.recorded_at IS 'when the catalogue first recorded this content, UTC'",
    "COMMENT ON VIEW v1_locations IS 'one row per place where a photo was seen'",
    "COMMENT ON COLUMN v1_locations.photo_sha256 IS 'the photo that is there'",
    "COMMENT ON COLUMN v1_locations.uri IS 'the place; file:// percent-encoded from the raw bytes of the name, or s3://'",
    "COMMENT ON COLUMN v1_locations.album IS 'the folder or prefix that holds it, as a uri that ends in a slash'",
    "COMMENT ON COLUMN v1_locations.size IS 'size in bytes when last read'",
    "COMMENT ON COLUMN v1_locations.first_seen IS 'when a scan first saw this place with this content, UTC'",
    "COMMENT ON COLUMN v1_locations.missing_since IS 'when a completed scan first missed it, UTC; null: it is there'",
    "COMMENT ON VIEW v1_rejected_faces IS 'faces that were detected and kept out of the gallery'",
    "COMMENT ON COLUMN v1_rejected_faces.photo_sha256 IS 'the photo it appears in'",
    "COMMENT ON COLUMN v1_rejected_faces.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'",
    "COMMENT ON COLUMN v1_rejected_faces.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'",
    "COMMENT ON COLUMN v1_rejected_faces.box_width IS 'width of the face, fraction of the upright width, above 0'",
    "COMMENT ON COLUMN v1_rejected_faces.box_height IS 'height of the face, fraction of the upright height, above 0'",
    "COMMENT ON COLUMN v1_rejected_faces.confidence IS 'certainty that the box holds a face, 0-100'",
    "COMMENT ON COLUMN v1_rejected_faces.reasons IS 'Amazon Rekognition''s words (LOW_SHARPNESS, SMALL_BOUNDING_BOX ...), separated by spaces'",
    "COMMENT ON COLUMN v1_rejected_faces.engine IS 'local or rekognition'",
    "COMMENT ON COLUMN v1_rejected_faces.gallery IS 'the gallery it was kept out of'",
    "COMMENT ON COLUMN v1_rejected_faces.model IS 'networks and version that saw it'",
    "COMMENT ON VIEW v1_scans IS 'one row per run of `catalog scan`'",
    "COMMENT ON COLUMN v1_scans.scan_id IS 'number of the scan, in the order of their beginnings'",
    "COMMENT ON COLUMN v1_scans.started_at IS 'UTC'",
    "COMMENT ON COLUMN v1_scans.finished_at IS 'UTC; null: it is running, or was killed'",
    "COMMENT ON COLUMN v1_scans.state IS 'running, completed, interrupted, limited or failed'",
    "COMMENT ON COLUMN v1_scans.exit_code IS 'what the command returned; null: it has not ended'",
    "COMMENT ON COLUMN v1_scans.engine IS 'local or rekognition'",
    "COMMENT ON COLUMN v1_scans.gallery IS 'the gallery or collection used'",
    "COMMENT ON COLUMN v1_scans.model IS 'networks and version used'",
    "COMMENT ON COLUMN v1_scans.version IS 'version of the program'",
    "COMMENT ON COLUMN v1_scans.discovered IS 'photos found in the sources: the sum of the seven below'",
    "COMMENT ON COLUMN v1_scans.new IS 'photos recorded for the first time'",
    "COMMENT ON COLUMN v1_scans.unchanged IS 'places that look as they did'",
    "COMMENT ON COLUMN v1_scans.changed IS 'places whose content changed'",
    "COMMENT ON COLUMN v1_scans.moved IS 'known content in a new place, its old place gone'",
    "COMMENT ON COLUMN v1_scans.duplicate IS 'known content in a new place, its old place still there'",
    "COMMENT ON COLUMN v1_scans.skipped IS 'left on purpose'",
    "COMMENT ON COLUMN v1_scans.failed IS 'tried and not recorded'",
    "COMMENT ON COLUMN v1_scans.faces IS 'faces enrolled'",
    "COMMENT ON COLUMN v1_scans.rejected IS 'faces kept out of the gallery'",
    "COMMENT ON COLUMN v1_scans.persons_new IS 'persons made'",
    "COMMENT ON COLUMN v1_scans.calls IS 'paid calls made, 0 with the local engine'",
    "COMMENT ON COLUMN v1_scans.dollars IS 'what they cost in US dollars, as the price list says'",
    "COMMENT ON VIEW v1_charges IS 'every paid call, or group of calls of one kind'",
    "COMMENT ON COLUMN v1_charges.charged_at IS 'UTC'",
    "COMMENT ON COLUMN v1_charges.scan_id IS 'number of the scan; null: another command'",
    "COMMENT ON COLUMN v1_charges.command IS 'scan, find-person, analyze, compare ...'",
    "COMMENT ON COLUMN v1_charges.engine IS 'who was paid'",
    "COMMENT ON COLUMN v1_charges.region IS 'AWS region; empty elsewhere'",
    "COMMENT ON COLUMN v1_charges.operation IS 'IndexFaces, SearchFaces, SearchFacesByImage, DetectFaces or CompareFaces'",
    "COMMENT ON COLUMN v1_charges.calls IS 'calls that were answered, 1 or more'",
    "COMMENT ON COLUMN v1_charges.dollars IS 'what they cost in US dollars, as the price list says'",
    "COMMENT ON VIEW v1_problems IS 'photos that a scan skipped or failed on, with the reason'",
    "COMMENT ON COLUMN v1_problems.scan_id IS 'number of the scan'",
    "COMMENT ON COLUMN v1_problems.uri IS 'the place'",
    "COMMENT ON COLUMN v1_problems.outcome IS 'failed or skipped'",
    "COMMENT ON COLUMN v1_problems.reason IS 'one sentence'",
    "COMMENT ON COLUMN v1_problems.photo_sha256 IS 'SHA-256 of the bytes; null: they could not be read'",
    "COMMENT ON COLUMN v1_problems.at IS 'UTC'",
    "COMMENT ON VIEW v1_decisions IS 'what humans decided, in order'",
    "COMMENT ON COLUMN v1_decisions.decision_id IS 'number of the decision'",
    "COMMENT ON COLUMN v1_decisions.decided_at IS 'UTC'",
    "COMMENT ON COLUMN v1_decisions.decided_by IS 'login name of the human, or the program that imported it'",
    "COMMENT ON COLUMN v1_decisions.verb IS 'name, merge, split, confirm, reject, not_a_face, hide ...'",
    "COMMENT ON COLUMN v1_decisions.person_id IS 'public id of the person decided on; null: no person'",
    "COMMENT ON COLUMN v1_decisions.other_person_id IS 'public id of a second person; null: none'",
    "COMMENT ON COLUMN v1_decisions.name IS 'the name given; null: none'",
    "COMMENT ON COLUMN v1_decisions.photo_sha256 IS 'the photo, for a decision on one face; null: not on a face'",
    "COMMENT ON COLUMN v1_decisions.undone IS 'true: a later undo took it back'",
]


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("decided_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "decided_by", sa.Text(), nullable=False, comment="login name of the human, or the program that imported it"
        ),
        sa.Column(
            "verb",
            sa.Text(),
            nullable=False,
            comment="name, merge, split, confirm, reject, not_a_face, hide, forget ...",
        ),
        sa.Column("person_id", sa.Text(), nullable=True, comment="public id of the person decided on"),
        sa.Column(
            "other_person_id",
            sa.Text(),
            nullable=True,
            comment="public id of a second person: merged away, or split off",
        ),
        sa.Column("name", sa.Text(), nullable=True, comment="the name given, or the one before, as the verb says"),
        sa.Column("photo_sha256", sa.Text(), nullable=True, comment="content of the photo, for a decision on one face"),
        sa.Column("box_left", sa.Float(), nullable=True, comment="the face's box, for a decision on one face"),
        sa.Column("box_top", sa.Float(), nullable=True, comment="the face's box"),
        sa.Column("box_width", sa.Float(), nullable=True, comment="the face's box"),
        sa.Column("box_height", sa.Float(), nullable=True, comment="the face's box"),
        sa.Column("details", sa.Text(), nullable=True, comment="JSON: what else is needed to replay or undo it"),
        sa.Column(
            "undone_by",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the undo that took it back; null: in force",
        ),
        sa.ForeignKeyConstraint(["undone_by"], ["decisions.id"], name=op.f("fk_decisions_undone_by_decisions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        comment="what humans decided, append-only, replayed after any change of engine, model or database",
    )
    op.create_index("ix_decisions_person_id", "decisions", ["person_id"], unique=False)
    op.create_index("ix_decisions_photo_sha256", "decisions", ["photo_sha256"], unique=False)
    op.create_table(
        "employees",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("employee_id", sa.Text(), nullable=False, comment="the caller's own id of the person"),
        sa.Column("enrolled_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("enrolled_by", sa.Text(), nullable=False, comment="login name of the human who enrolled the person"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employees")),
        sa.UniqueConstraint("employee_id", name=op.f("uq_employees_employee_id")),
        comment="people whose identity `catalog verify` checks",
    )
    op.create_table(
        "persons",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("person_id", sa.Text(), nullable=False, comment="public id, kept for ever"),
        sa.Column("name", sa.Text(), nullable=True, comment="as a human gave it; null: not named"),
        sa.Column("hidden", sa.Boolean(), nullable=False, comment="left out of lists and reports"),
        sa.Column("birth_date", sa.Text(), nullable=True, comment="YYYY-MM-DD; null: unknown"),
        sa.Column(
            "merged_into",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the person that this id now redirects to",
        ),
        sa.Column("created_at", sa.Text(), nullable=False, comment="UTC"),
        sa.ForeignKeyConstraint(["merged_into"], ["persons.id"], name=op.f("fk_persons_merged_into_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("person_id", name=op.f("uq_persons_person_id")),
        comment="human beings as held by the catalogue, named or not",
    )
    op.create_index("ix_persons_merged_into", "persons", ["merged_into"], unique=False)
    op.create_index("ix_persons_name", "persons", ["name"], unique=False)
    op.create_table(
        "photos",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("sha256", sa.Text(), nullable=False, comment="SHA-256 of the file's bytes, 64 hex digits"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="size of the file in bytes"),
        sa.Column("format", sa.Text(), nullable=False, comment="JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF or RAW"),
        sa.Column("width", sa.Integer(), nullable=False, comment="width of the upright image in pixels"),
        sa.Column("height", sa.Integer(), nullable=False, comment="height of the upright image in pixels"),
        sa.Column("orientation", sa.Integer(), nullable=False, comment="EXIF orientation that was applied, 1-8"),
        sa.Column(
            "taken_at",
            sa.Text(),
            nullable=True,
            comment="when the photo was taken, UTC; the camera's wall clock if the offset is null",
        ),
        sa.Column(
            "taken_at_offset",
            sa.Integer(),
            nullable=True,
            comment="minutes east of UTC where the photo was taken; null: unknown",
        ),
        sa.Column("camera_make", sa.Text(), nullable=True, comment="maker of the camera, from EXIF"),
        sa.Column("camera_model", sa.Text(), nullable=True, comment="model of the camera, from EXIF"),
        sa.Column("gps_latitude", sa.Float(), nullable=True, comment="degrees, WGS 84, north positive"),
        sa.Column("gps_longitude", sa.Float(), nullable=True, comment="degrees, WGS 84, east positive"),
        sa.Column("gps_altitude", sa.Float(), nullable=True, comment="metres above sea level"),
        sa.Column(
            "recorded_at", sa.Text(), nullable=False, comment="when the catalogue first recorded this content, UTC"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("sha256", name=op.f("uq_photos_sha256")),
        comment="one row per distinct content; a copy or a move adds a location, never a photo",
    )
    op.create_index("ix_photos_taken_at", "photos", ["taken_at"], unique=False)
    op.create_table(
        "removals",
        sa.Column("face_id", sa.Text(), nullable=False, comment="the gallery's id of the face"),
        sa.Column("engine", sa.Text(), nullable=False, comment="local or rekognition"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="the gallery or collection that still holds it"),
        sa.Column("wanted_at", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("face_id", "engine", "gallery", name=op.f("pk_removals")),
        comment="faces whose rows are gone and that the gallery must still let go of: what a kill cannot make forgotten",
    )
    op.create_table(
        "scans",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("started_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("finished_at", sa.Text(), nullable=True, comment="UTC; null: running, or killed"),
        sa.Column("state", sa.Text(), nullable=False, comment="running, completed, interrupted, limited or failed"),
        sa.Column("exit_code", sa.Integer(), nullable=True, comment="what the command returned"),
        sa.Column("engine", sa.Text(), nullable=False, comment="local or rekognition"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="the gallery or collection used"),
        sa.Column("model", sa.Text(), nullable=False, comment="networks and version used"),
        sa.Column("version", sa.Text(), nullable=False, comment="version of the program"),
        sa.Column("host", sa.Text(), nullable=False, comment="machine it ran on"),
        sa.Column("pid", sa.Integer(), nullable=False, comment="process that ran it"),
        sa.Column(
            "discovered",
            sa.Integer(),
            nullable=False,
            comment="photos found in the sources: the sum of the seven below",
        ),
        sa.Column("new", sa.Integer(), nullable=False, comment="photos recorded for the first time"),
        sa.Column("unchanged", sa.Integer(), nullable=False, comment="places that look as they did"),
        sa.Column("changed", sa.Integer(), nullable=False, comment="places whose content changed"),
        sa.Column("moved", sa.Integer(), nullable=False, comment="known content in a new place, its old place gone"),
        sa.Column(
            "duplicate", sa.Integer(), nullable=False, comment="known content in a new place, its old place still there"
        ),
        sa.Column("skipped", sa.Integer(), nullable=False, comment="left on purpose"),
        sa.Column("failed", sa.Integer(), nullable=False, comment="tried and not recorded"),
        sa.Column("faces", sa.Integer(), nullable=False, comment="faces enrolled"),
        sa.Column("rejected", sa.Integer(), nullable=False, comment="faces kept out by the quality filter"),
        sa.Column("persons_new", sa.Integer(), nullable=False, comment="persons made"),
        sa.Column("persons_deleted", sa.Integer(), nullable=False, comment="persons that lost their id: must be 0"),
        sa.Column("churn", sa.Integer(), nullable=False, comment="faces that changed company"),
        sa.Column("conflicts", sa.Integer(), nullable=False, comment="persons with two faces in one photo"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
        comment="one row per run of `catalog scan`",
    )
    op.create_table(
        "tombstones",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("photo_sha256", sa.Text(), nullable=False, comment="content of the photo"),
        sa.Column(
            "box_left", sa.Float(), nullable=False, comment="left edge, fraction of the upright width; may be below 0"
        ),
        sa.Column(
            "box_top", sa.Float(), nullable=False, comment="top edge, fraction of the upright height; may be below 0"
        ),
        sa.Column("box_width", sa.Float(), nullable=False, comment="width, fraction of the upright width"),
        sa.Column("box_height", sa.Float(), nullable=False, comment="height, fraction of the upright height"),
        sa.Column("forgotten_at", sa.Text(), nullable=False, comment="UTC"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tombstones")),
        comment="faces that were forgotten and must never be enrolled again; no name, no vector",
    )
    op.create_index("ix_tombstones_photo_sha256", "tombstones", ["photo_sha256"], unique=False)
    op.create_table(
        "verifications",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("content", sa.Text(), nullable=True, comment="JSON of what was asked and answered; null: forgotten"),
        sa.Column("content_sha256", sa.Text(), nullable=False, comment="digest of `content` as it was, with its salt"),
        sa.Column("previous", sa.Text(), nullable=False, comment="`chain` of the row before; 64 zeros in the first"),
        sa.Column("chain", sa.Text(), nullable=False, comment="SHA-256 of previous, at and content_sha256"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
        sa.UniqueConstraint("chain", name=op.f("uq_verifications_chain")),
        comment="every enrollment and verification, chained by digests so that no row can be changed unnoticed",
    )
    op.create_table(
        "watches",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="what the watch list calls this person of interest"),
        sa.Column("threshold", sa.Float(), nullable=False, comment="lowest similarity that counts as a hit, 0-100"),
        sa.Column("created_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column("created_by", sa.Text(), nullable=False, comment="login name of the human who put it on the list"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watches")),
        sa.UniqueConstraint("name", name=op.f("uq_watches_name")),
        comment="the watch list: persons of interest, looked for in every scan",
    )
    op.create_table(
        "work",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column(
            "source_uri",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="the folder or prefix that is being scanned",
        ),
        sa.Column(
            "uri",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="the place to read",
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="as it was listed, bytes"),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False, comment="as it was listed, ns since the epoch"),
        sa.Column("etag", sa.Text(), nullable=False, comment="as it was listed"),
        sa.Column("version", sa.Text(), nullable=True, comment="as it was listed"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("source_uri", "uri", name=op.f("uq_work_source_uri_uri")),
        comment="photos that the workers of a shared scan still have to read; empty when no such scan runs",
    )
    op.create_table(
        "charges",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("charged_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "scan_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the scan; null: another command",
        ),
        sa.Column("command", sa.Text(), nullable=False, comment="scan, find-person, analyze, compare ..."),
        sa.Column("engine", sa.Text(), nullable=False, comment="who was paid"),
        sa.Column("region", sa.Text(), nullable=False, comment="AWS region; empty elsewhere"),
        sa.Column("operation", sa.Text(), nullable=False, comment="IndexFaces, SearchFaces ..."),
        sa.Column("calls", sa.Integer(), nullable=False, comment="calls that were answered"),
        sa.Column(
            "microdollars", sa.BigInteger(), nullable=False, comment="millionths of a US dollar, as the price list says"
        ),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_charges_scan_id_scans"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charges")),
        comment="every paid call, written in the same transaction as what it brought",
    )
    op.create_index("ix_charges_charged_at", "charges", ["charged_at"], unique=False)
    op.create_index("ix_charges_scan_id", "charges", ["scan_id"], unique=False)
    op.create_table(
        "employee_references",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column(
            "employee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="row id"
        ),
        sa.Column("image", sa.LargeBinary(), nullable=False, comment="padded crop of the face, JPEG. Biometric data"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="content of the photo that was given"),
        sa.ForeignKeyConstraint(
            ["employee_id"],
            ["employees.id"],
            name=op.f("fk_employee_references_employee_id_employees"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employee_references")),
        sa.UniqueConstraint("employee_id", "sha256", name=op.f("uq_employee_references_employee_id_sha256")),
        comment="the reference faces of an employee",
    )
    op.create_table(
        "enrollments",
        sa.Column(
            "photo_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the photo enrolled",
        ),
        sa.Column("engine", sa.Text(), nullable=False, comment="local or rekognition"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="the gallery or collection that holds the faces"),
        sa.Column("model", sa.Text(), nullable=False, comment="networks and version that saw the photo"),
        sa.Column("enrolled_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "scan_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the scan that did it",
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_enrollments_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_enrollments_scan_id_scans"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("photo_id", "engine", "gallery", name=op.f("pk_enrollments")),
        comment="which photo was enrolled in which gallery: what is here is never enrolled, or paid for, again",
    )
    op.create_index("ix_enrollments_scan_id", "enrollments", ["scan_id"], unique=False)
    op.create_table(
        "faces",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("face_id", sa.Text(), nullable=False, comment="the gallery's id of this face, a UUID"),
        sa.Column(
            "photo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="where it appears"
        ),
        sa.Column("engine", sa.Text(), nullable=False, comment="local or rekognition"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="the gallery or collection that holds it"),
        sa.Column("model", sa.Text(), nullable=False, comment="networks and version that saw it"),
        sa.Column(
            "box_left", sa.Float(), nullable=False, comment="left edge, fraction of the upright width; may be below 0"
        ),
        sa.Column(
            "box_top", sa.Float(), nullable=False, comment="top edge, fraction of the upright height; may be below 0"
        ),
        sa.Column("box_width", sa.Float(), nullable=False, comment="width, fraction of the upright width"),
        sa.Column("box_height", sa.Float(), nullable=False, comment="height, fraction of the upright height"),
        sa.Column("confidence", sa.Float(), nullable=False, comment="certainty that the box holds a face, 0-100"),
        sa.Column("roll", sa.Float(), nullable=True, comment="rotation in the image plane, degrees"),
        sa.Column("yaw", sa.Float(), nullable=True, comment="turn to the side, degrees"),
        sa.Column("pitch", sa.Float(), nullable=True, comment="nod, degrees"),
        sa.Column("brightness", sa.Float(), nullable=True, comment="0-100"),
        sa.Column("sharpness", sa.Float(), nullable=True, comment="0-100"),
        sa.Column(
            "age_low", sa.Integer(), nullable=True, comment="lower end of the apparent age, years; null: not measured"
        ),
        sa.Column("age_high", sa.Integer(), nullable=True, comment="upper end of the apparent age, years"),
        sa.Column("gender", sa.Text(), nullable=True, comment="Male or Female, as it appears; null: not measured"),
        sa.Column("gender_confidence", sa.Float(), nullable=True, comment="confidence of `gender`, 0-100"),
        sa.Column("smile", sa.Boolean(), nullable=True, comment="smiles; null: not measured"),
        sa.Column("smile_confidence", sa.Float(), nullable=True, comment="confidence of `smile`, 0-100"),
        sa.Column("eyeglasses", sa.Boolean(), nullable=True, comment="wears eyeglasses; null: not measured"),
        sa.Column("eyeglasses_confidence", sa.Float(), nullable=True, comment="confidence of `eyeglasses`, 0-100"),
        sa.Column("sunglasses", sa.Boolean(), nullable=True, comment="wears sunglasses; null: not measured"),
        sa.Column("sunglasses_confidence", sa.Float(), nullable=True, comment="confidence of `sunglasses`, 0-100"),
        sa.Column("beard", sa.Boolean(), nullable=True, comment="has a beard; null: not measured"),
        sa.Column("beard_confidence", sa.Float(), nullable=True, comment="confidence of `beard`, 0-100"),
        sa.Column("mustache", sa.Boolean(), nullable=True, comment="has a mustache; null: not measured"),
        sa.Column("mustache_confidence", sa.Float(), nullable=True, comment="confidence of `mustache`, 0-100"),
        sa.Column("eyes_open", sa.Boolean(), nullable=True, comment="has open eyes; null: not measured"),
        sa.Column("eyes_open_confidence", sa.Float(), nullable=True, comment="confidence of `eyes_open`, 0-100"),
        sa.Column("mouth_open", sa.Boolean(), nullable=True, comment="has an open mouth; null: not measured"),
        sa.Column("mouth_open_confidence", sa.Float(), nullable=True, comment="confidence of `mouth_open`, 0-100"),
        sa.Column("face_occluded", sa.Boolean(), nullable=True, comment="is partly covered; null: not measured"),
        sa.Column(
            "face_occluded_confidence", sa.Float(), nullable=True, comment="confidence of `face_occluded`, 0-100"
        ),
        sa.Column(
            "emotion",
            sa.Text(),
            nullable=True,
            comment="the strongest of its `emotions`, kept here for fast reports; null: not measured",
        ),
        sa.Column("emotion_confidence", sa.Float(), nullable=True, comment="confidence of `emotion`, 0-100"),
        sa.Column(
            "landmarks",
            sa.Text(),
            nullable=True,
            comment="JSON object of name -> [x, y] in fractions of the upright image",
        ),
        sa.Column("not_a_face", sa.Boolean(), nullable=False, comment="a human said that this is no face"),
        sa.Column("enrolled_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "scan_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the scan that enrolled it",
        ),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name=op.f("fk_faces_photo_id_photos"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_faces_scan_id_scans"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faces")),
        sa.UniqueConstraint("engine", "gallery", "face_id", name=op.f("uq_faces_engine_gallery_face_id")),
        comment="one appearance of a human face in one photo, as one engine sees it",
    )
    op.create_index("ix_faces_face_id", "faces", ["face_id"], unique=False)
    op.create_index("ix_faces_photo_id", "faces", ["photo_id", "not_a_face", "emotion"], unique=False)
    op.create_index("ix_faces_scan_id", "faces", ["scan_id"], unique=False)
    op.create_table(
        "locations",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column(
            "photo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the content seen"
        ),
        sa.Column(
            "uri",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="file:// percent-encoded from the raw bytes, or s3://",
        ),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="size in bytes when last read"),
        sa.Column(
            "modified_ns",
            sa.BigInteger(),
            nullable=False,
            comment="modification time when last read, ns since the epoch",
        ),
        sa.Column(
            "etag", sa.Text(), nullable=False, comment="inode of a file, ETag of an object; compared for equality"
        ),
        sa.Column("version", sa.Text(), nullable=True, comment="S3 version id; null elsewhere"),
        sa.Column(
            "first_seen", sa.Text(), nullable=False, comment="when a scan first saw this place with this content, UTC"
        ),
        sa.Column(
            "missing_since",
            sa.Text(),
            nullable=True,
            comment="when a completed scan first missed it, UTC; null: it is there",
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_locations_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("uri", name=op.f("uq_locations_uri")),
        comment="one row per place where a photo was seen",
    )
    op.create_index("ix_locations_missing_since", "locations", ["missing_since"], unique=False)
    op.create_index("ix_locations_photo_id", "locations", ["photo_id"], unique=False)
    op.create_table(
        "problems",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column("scan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the scan"),
        sa.Column(
            "uri", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False, comment="the place"
        ),
        sa.Column("outcome", sa.Text(), nullable=False, comment="failed or skipped"),
        sa.Column("sha256", sa.Text(), nullable=True, comment="of the bytes, where they could be read"),
        sa.Column("reason", sa.Text(), nullable=False, comment="one sentence"),
        sa.Column("at", sa.Text(), nullable=False, comment="UTC"),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_problems_scan_id_scans"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problems")),
        comment="photos that a scan skipped or failed on, with the reason",
    )
    op.create_index("ix_problems_scan_id", "problems", ["scan_id"], unique=False)
    op.create_table(
        "rejected_faces",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column(
            "photo_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="where it appears"
        ),
        sa.Column("engine", sa.Text(), nullable=False, comment="local or rekognition"),
        sa.Column("gallery", sa.Text(), nullable=False, comment="the gallery it was kept out of"),
        sa.Column("model", sa.Text(), nullable=False, comment="networks and version that saw it"),
        sa.Column(
            "box_left", sa.Float(), nullable=False, comment="left edge, fraction of the upright width; may be below 0"
        ),
        sa.Column(
            "box_top", sa.Float(), nullable=False, comment="top edge, fraction of the upright height; may be below 0"
        ),
        sa.Column("box_width", sa.Float(), nullable=False, comment="width, fraction of the upright width"),
        sa.Column("box_height", sa.Float(), nullable=False, comment="height, fraction of the upright height"),
        sa.Column("confidence", sa.Float(), nullable=False, comment="certainty that the box holds a face, 0-100"),
        sa.Column("reasons", sa.Text(), nullable=False, comment="Amazon Rekognition's words, separated by spaces"),
        sa.Column(
            "scan_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the scan that saw it",
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_rejected_faces_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_rejected_faces_scan_id_scans"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_faces")),
        comment="faces that were detected and kept out of the gallery",
    )
    op.create_index("ix_rejected_faces_photo_id", "rejected_faces", ["photo_id"], unique=False)
    op.create_index("ix_rejected_faces_scan_id", "rejected_faces", ["scan_id"], unique=False)
    op.create_table(
        "scan_sources",
        sa.Column("scan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the scan"),
        sa.Column(
            "source_uri",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="the folder or prefix that was walked",
        ),
        sa.Column("discovered", sa.Integer(), nullable=False, comment="photos found in it"),
        sa.Column("completed_at", sa.Text(), nullable=True, comment="UTC; null: not walked to its end"),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_scan_sources_scan_id_scans"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scan_id", "source_uri", name=op.f("pk_scan_sources")),
        comment="the sources of a scan; a place was last seen at its source's last completed scan",
    )
    op.create_index("ix_scan_sources_source_uri", "scan_sources", ["source_uri"], unique=False)
    op.create_table(
        "watch_references",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column(
            "watch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="its watch"
        ),
        sa.Column("negative", sa.Boolean(), nullable=False, comment="true: shows somebody else who looks alike"),
        sa.Column("image", sa.LargeBinary(), nullable=False, comment="padded crop of the face, JPEG. Biometric data"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="content of the photo that was given"),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watches.id"], name=op.f("fk_watch_references_watch_id_watches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_references")),
        comment="faces that a watch looks for, and faces that it must not take for them",
    )
    op.create_index("ix_watch_references_watch_id", "watch_references", ["watch_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column(
            "face_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="row id of the face",
        ),
        sa.Column(
            "person_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="row id of the person",
        ),
        sa.Column("by", sa.Text(), nullable=False, comment="cluster or human"),
        sa.Column(
            "similarity", sa.Float(), nullable=True, comment="to the person's other faces when it was assigned, 0-100"
        ),
        sa.Column("assigned_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "photo_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the face's photo, null for what is no face; kept true by triggers for reports",
        ),
        sa.CheckConstraint("by IN ('cluster', 'human')", name=op.f("ck_assignments_by")),
        sa.ForeignKeyConstraint(
            ["face_id"], ["faces.id"], name=op.f("fk_assignments_face_id_faces"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_assignments_person_id_persons")),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_assignments")),
        comment="which person a face belongs to, and who decided; a face has one at most",
    )
    op.create_index("ix_assignments_person_id", "assignments", ["person_id", "photo_id"], unique=False)
    op.create_index("ix_assignments_photo_id", "assignments", ["photo_id", "person_id"], unique=False)
    op.create_table(
        "emotions",
        sa.Column(
            "face_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="row id of the face",
        ),
        sa.Column(
            "type", sa.Text(), nullable=False, comment="HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR"
        ),
        sa.Column("confidence", sa.Float(), nullable=False, comment="0-100; a face's emotions need not add up to 100"),
        sa.ForeignKeyConstraint(["face_id"], ["faces.id"], name=op.f("fk_emotions_face_id_faces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("face_id", "type", name=op.f("pk_emotions")),
        comment="apparent expression of a face, not inner feeling",
    )
    op.create_table(
        "matches",
        sa.Column(
            "face_a", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the lower row id"
        ),
        sa.Column(
            "face_b", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="the higher row id"
        ),
        sa.Column("similarity", sa.Float(), nullable=False, comment="0-100, the engine's own"),
        sa.CheckConstraint("face_a < face_b", name=op.f("ck_matches_ordered")),
        sa.ForeignKeyConstraint(["face_a"], ["faces.id"], name=op.f("fk_matches_face_a_faces"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["face_b"], ["faces.id"], name=op.f("fk_matches_face_b_faces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("face_a", "face_b", name=op.f("pk_matches")),
        comment="edges between faces of one gallery that a search found",
    )
    op.create_index("ix_matches_face_b", "matches", ["face_b"], unique=False)
    op.create_table(
        "searches",
        sa.Column(
            "face_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="row id of the face",
        ),
        sa.Column("threshold", sa.Float(), nullable=False, comment="lowest similarity that was asked for, 0-100"),
        sa.Column(
            "complete", sa.Boolean(), nullable=False, comment="false: the list hit its limit, absence is no evidence"
        ),
        sa.Column("searched_at", sa.Text(), nullable=False, comment="UTC"),
        sa.ForeignKeyConstraint(["face_id"], ["faces.id"], name=op.f("fk_searches_face_id_faces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("face_id", name=op.f("pk_searches")),
        comment="faces whose neighbors were asked for, so that no search is bought twice",
    )
    op.create_table(
        "watch_hits",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="internal row id, never shown",
        ),
        sa.Column(
            "watch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="its watch"
        ),
        sa.Column(
            "face_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="row id of the face",
        ),
        sa.Column("similarity", sa.Float(), nullable=False, comment="to the best reference, 0-100"),
        sa.Column(
            "margin",
            sa.Float(),
            nullable=True,
            comment="similarity less that to the best negative reference; null: none came near",
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="open, confirmed or dismissed"),
        sa.Column("found_at", sa.Text(), nullable=False, comment="UTC"),
        sa.Column(
            "scan_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the scan that found it",
        ),
        sa.Column("reviewed_at", sa.Text(), nullable=True, comment="UTC; null: open"),
        sa.Column("reviewed_by", sa.Text(), nullable=True, comment="login name of the human who reviewed it"),
        sa.CheckConstraint("state IN ('open', 'confirmed', 'dismissed')", name=op.f("ck_watch_hits_state")),
        sa.ForeignKeyConstraint(
            ["face_id"], ["faces.id"], name=op.f("fk_watch_hits_face_id_faces"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_watch_hits_scan_id_scans"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watches.id"], name=op.f("fk_watch_hits_watch_id_watches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watch_hits")),
        sa.UniqueConstraint("watch_id", "face_id", name=op.f("uq_watch_hits_watch_id_face_id")),
        comment="faces that resemble somebody on the watch list; a human must review each",
    )
    op.create_index("ix_watch_hits_face_id", "watch_hits", ["face_id"], unique=False)
    op.create_index("ix_watch_hits_scan_id", "watch_hits", ["scan_id"], unique=False)
    op.create_table(
        "gallery_collections",
        sa.Column(
            "collection_id", sa.Text(), nullable=False, comment="Name of the set of faces that one search runs against."
        ),
        sa.Column(
            "model",
            sa.Text(),
            nullable=False,
            comment="Networks that made the vectors; vectors of two models never mix.",
        ),
        sa.Column(
            "instance", sa.Text(), nullable=False, comment="UUID of this making of the collection: a later one differs."
        ),
        sa.Column(
            "revision",
            sa.Integer(),
            nullable=False,
            comment="Raised by one in every transaction that changes its faces.",
        ),
        sa.Column("created_at", sa.Text(), nullable=False, comment="UTC, ISO 8601 with microseconds and Z."),
        sa.PrimaryKeyConstraint("collection_id", name=op.f("pk_gallery_collections")),
        comment="Galleries of the local engine.",
    )
    op.create_table(
        "gallery_images",
        sa.Column("collection_id", sa.Text(), nullable=False, comment="Its gallery."),
        sa.Column(
            "sha256", sa.Text(), nullable=False, comment="SHA-256 of the image's bytes, 64 lower-case hex digits."
        ),
        sa.Column(
            "external_image_id",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="The caller's own name for it, or empty.",
        ),
        sa.Column(
            "image_id", sa.Text(), nullable=False, comment="UUID made from the content: equal in every collection."
        ),
        sa.Column("created_at", sa.Text(), nullable=False, comment="When it was first enrolled; UTC, ISO 8601."),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["gallery_collections.collection_id"],
            name=op.f("fk_gallery_images_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "sha256", "external_image_id", name=op.f("pk_gallery_images")),
        comment="Images that were enrolled, those without a face too: the lock that makes enrollment idempotent.",
    )
    op.create_table(
        "gallery_removals",
        sa.Column("collection_id", sa.Text(), nullable=False, comment="Its gallery."),
        sa.Column(
            "revision", sa.Integer(), nullable=False, comment="The collection's revision that took the face out."
        ),
        sa.Column("seq", sa.Integer(), nullable=False, comment="Row number the face had."),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["gallery_collections.collection_id"],
            name=op.f("fk_gallery_removals_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "revision", "seq", name=op.f("pk_gallery_removals")),
        comment="Row numbers of faces that were removed, so that other processes drop them from memory.",
    )
    op.create_table(
        "gallery_tags",
        sa.Column("collection_id", sa.Text(), nullable=False, comment="Its gallery."),
        sa.Column("name", sa.Text(), nullable=False, comment="Key of the tag."),
        sa.Column("value", sa.Text(), nullable=False, comment="Value of the tag."),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["gallery_collections.collection_id"],
            name=op.f("fk_gallery_tags_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "name", name=op.f("pk_gallery_tags")),
        comment="Tags that clients of the endpoint put on collections.",
    )
    op.create_table(
        "gallery_users",
        sa.Column("collection_id", sa.Text(), nullable=False, comment="Its gallery."),
        sa.Column("user_id", sa.Text(), nullable=False, comment="The caller's name for a person."),
        sa.Column("status", sa.Text(), nullable=False, comment="CREATED, UPDATING or ACTIVE."),
        sa.Column("created_at", sa.Text(), nullable=False, comment="UTC, ISO 8601."),
        sa.Column(
            "changed_at", sa.Text(), nullable=False, comment="When its faces or status last changed; UTC, ISO 8601."
        ),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["gallery_collections.collection_id"],
            name=op.f("fk_gallery_users_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "user_id", name=op.f("pk_gallery_users")),
        comment="Users of the endpoint: people as Amazon Rekognition's user vectors know them.",
    )
    op.create_table(
        "gallery_faces",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False, comment="Row number, never reused."),
        sa.Column("face_id", sa.Text(), nullable=False, comment="Lower-case UUID, never reused."),
        sa.Column("collection_id", sa.Text(), nullable=False, comment="Its gallery."),
        sa.Column("sha256", sa.Text(), nullable=False, comment="SHA-256 of the image's bytes."),
        sa.Column("external_image_id", sa.Text(), server_default="", nullable=False, comment="As of its image."),
        sa.Column("image_id", sa.Text(), nullable=False, comment="As of its image."),
        sa.Column("box_left", sa.Float(), nullable=False, comment="Left edge, fraction of the upright image's width."),
        sa.Column("box_top", sa.Float(), nullable=False, comment="Top edge, fraction of the upright image's height."),
        sa.Column("box_width", sa.Float(), nullable=False, comment="Fraction of the upright image's width."),
        sa.Column("box_height", sa.Float(), nullable=False, comment="Fraction of the upright image's height."),
        sa.Column("confidence", sa.Float(), nullable=False, comment="Certainty that the box holds a face, 0 to 100."),
        sa.Column(
            "vector", sa.LargeBinary(), nullable=False, comment="Unit vector, little-endian float16. Biometric data."
        ),
        sa.Column("revision", sa.Integer(), nullable=False, comment="The collection's revision that brought it."),
        sa.Column("created_at", sa.Text(), nullable=False, comment="UTC, ISO 8601."),
        sa.CheckConstraint("box_width > 0 AND box_height > 0", name=op.f("ck_gallery_faces_box_size")),
        sa.ForeignKeyConstraint(
            ["collection_id", "sha256", "external_image_id"],
            ["gallery_images.collection_id", "gallery_images.sha256", "gallery_images.external_image_id"],
            name=op.f("fk_gallery_faces_collection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_gallery_faces")),
        sa.UniqueConstraint("collection_id", "face_id", name=op.f("uq_gallery_faces_collection_id_face_id")),
        sa.UniqueConstraint("face_id", name=op.f("uq_gallery_faces_face_id")),
        comment="Enrolled faces with their vectors.",
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_gallery_faces_collection_id_revision"), "gallery_faces", ["collection_id", "revision"], unique=False
    )
    op.create_index(
        op.f("ix_gallery_faces_collection_id_sha256"), "gallery_faces", ["collection_id", "sha256"], unique=False
    )
    op.create_table(
        "gallery_user_faces",
        sa.Column("collection_id", sa.Text(), nullable=False, comment="Its gallery."),
        sa.Column("face_id", sa.Text(), nullable=False, comment="A face belongs to one user at most."),
        sa.Column("user_id", sa.Text(), nullable=False, comment="The user it was associated with."),
        sa.Column("associated_at", sa.Text(), nullable=False, comment="UTC, ISO 8601."),
        sa.ForeignKeyConstraint(
            ["collection_id", "face_id"],
            ["gallery_faces.collection_id", "gallery_faces.face_id"],
            name=op.f("fk_gallery_user_faces_collection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["collection_id", "user_id"],
            ["gallery_users.collection_id", "gallery_users.user_id"],
            name="fk_gallery_user_faces_user_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "face_id", name=op.f("pk_gallery_user_faces")),
        comment="Which faces make up a user's vector.",
    )
    op.create_index(
        op.f("ix_gallery_user_faces_collection_id_user_id"),
        "gallery_user_faces",
        ["collection_id", "user_id"],
        unique=False,
    )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
