"""Dates as spans of local time: their first and their last second, and local days in the views."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PRECISION = "year, month, day, minute or second; null: no date, or an older record"
FIRST = "first second at which it may have been taken, local time; null: no date"
LAST = "last second at which it may have been taken, local time; null: no date"

LOCAL = {
    "sqlite": """UPDATE photos SET taken_local =
        strftime('%Y-%m-%dT%H:%M:%S', taken_at, COALESCE(taken_at_offset, 0) || ' minutes')
        WHERE taken_at IS NOT NULL""",
    "postgresql": """UPDATE photos SET taken_local = to_char(CAST(taken_at AS timestamptz) AT TIME ZONE 'UTC'
        + COALESCE(taken_at_offset, 0) * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS')
        WHERE taken_at IS NOT NULL""",
}
SPANS = [
    """UPDATE photos SET taken_local = substr(taken_local, 1, 10) || 'T00:00:00'
        WHERE taken_at_precision = 'day' AND taken_local IS NOT NULL""",
    """UPDATE photos SET taken_local_end = CASE taken_at_precision
        WHEN 'day' THEN substr(taken_local, 1, 10) || 'T23:59:59'
        WHEN 'minute' THEN substr(taken_local, 1, 16) || ':59' ELSE taken_local END
        WHERE taken_local IS NOT NULL""",
]

NAMES = ("v1_people", "v1_appearances", "v1_named_appearances", "v1_emotions_by_month", "v1_co_occurrence", "v1_photos")

VIEWS = [
    """CREATE VIEW v1_people AS
SELECT person.person_id, person.name, COALESCE(seen.faces, 0) AS faces, COALESCE(seen.photos, 0) AS photos,
    seen.first_seen, seen.last_seen, person.hidden, person.birth_date, person.created_at, person.external_ids,
    (
        SELECT CAST(AVG((aged.age_low + aged.age_high) * 0.5) AS DOUBLE PRECISION)
        FROM assignments AS mine JOIN faces AS aged ON aged.id = mine.face_id WHERE mine.person_id = person.id
    ) AS apparent_age,
    (
        SELECT CAST(AVG(
            CAST(SUBSTR(dated.taken_local, 1, 4) AS INTEGER) - (aged.age_low + aged.age_high) * 0.5
        ) AS DOUBLE PRECISION)
        FROM assignments AS mine JOIN faces AS aged ON aged.id = mine.face_id
        JOIN photos AS dated ON dated.id = aged.photo_id
        WHERE mine.person_id = person.id
    ) AS apparent_birth_year,
    seen.first_day, seen.last_day
FROM persons AS person
LEFT JOIN (
    SELECT assigned.person_id, COUNT(*) AS faces, COUNT(DISTINCT assigned.photo_id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen,
        MIN(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS first_day, MAX(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS last_day
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
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 WHEN 'day' THEN 10 WHEN 'minute' THEN 16 ELSE 19 END) AS taken_date
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
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = photo.id) END AS missing_since,
    substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 WHEN 'day' THEN 10 WHEN 'minute' THEN 16 ELSE 19 END) AS taken_date
FROM named_appearances AS named
JOIN persons AS stated ON stated.id = named.person_id
JOIN persons AS person ON person.id = COALESCE(stated.merged_into, stated.id)
JOIN photos AS photo ON photo.id = named.photo_id
WHERE photo.left_out_by IS NULL AND NOT EXISTS (
    SELECT 1 FROM assignments AS assigned
    WHERE assigned.photo_id = named.photo_id AND assigned.person_id = person.id
)""",
    """CREATE VIEW v1_emotions_by_month AS
SELECT counted.month, counted.type, counted.faces,
    CAST(SUM(counted.faces) OVER (PARTITION BY counted.month) AS INTEGER) AS measured,
    100.0 * counted.faces / SUM(counted.faces) OVER (PARTITION BY counted.month) AS share
FROM (
    SELECT substr(photo.taken_local, 1, CASE photo.taken_at_precision WHEN 'year' THEN 4 ELSE 7 END) AS month, face.emotion AS type, COUNT(*) AS faces
    FROM faces AS face
    JOIN photos AS photo ON photo.id = face.photo_id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND photo.taken_local IS NOT NULL
        AND COALESCE(photo.taken_at_precision, '') <> 'year'
        AND face.id NOT IN (SELECT hiding.face_id FROM assignments AS hiding
        JOIN persons AS unseen ON unseen.id = hiding.person_id WHERE unseen.hidden)
    GROUP BY 1, 2
) AS counted""",
    """CREATE VIEW v1_co_occurrence AS
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b,
    pair.photos, pair.first_seen, pair.last_seen, pair.first_day, pair.last_day
FROM (
    SELECT one.person_id AS a, other.person_id AS b, COUNT(DISTINCT photo.id) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen,
        MIN(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS first_day, MAX(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS last_day
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
    photo.taken_local, photo.camera_make, photo.camera_model,
    photo.gps_latitude, photo.gps_longitude, photo.gps_altitude, photo.format, photo.width, photo.height, photo.size,
    (SELECT COUNT(*) FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face) AS faces,
    photo.recorded_at, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, photo.taken_at_source, photo.taken_at_precision,
    photo.taken_local_end, substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 WHEN 'day' THEN 10 WHEN 'minute' THEN 16 ELSE 19 END) AS taken_date
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
]

COMMENTS = [
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
    """COMMENT ON COLUMN v1_people.first_day IS 'first local day of these photos, cut to its precision: 1948, 1948-06 or 1948-06-12; null: no date'""",
    """COMMENT ON COLUMN v1_people.last_day IS 'last local day of these photos, as first_day'""",
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
    """COMMENT ON COLUMN v1_appearances.taken_date IS 'local date cut to its precision: 1948, 1948-06, 2004-06-12 or 2004-06-12T10:30:00; null: unknown'""",
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
    """COMMENT ON COLUMN v1_named_appearances.taken_date IS 'local date cut to its precision: 1948, 1948-06, 2004-06-12 or 2004-06-12T10:30:00; null: unknown'""",
    """COMMENT ON VIEW v1_emotions_by_month IS 'faces of each month by strongest emotion; hidden persons are left out'""",
    """COMMENT ON COLUMN v1_emotions_by_month.month IS 'YYYY-MM in local time of the camera; photos whose month is not known are left out'""",
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
    """COMMENT ON COLUMN v1_co_occurrence.first_day IS 'first local day of these photos, cut to its precision: 1948, 1948-06 or 1948-06-12; null: no date'""",
    """COMMENT ON COLUMN v1_co_occurrence.last_day IS 'last local day of these photos, as first_day'""",
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
    """COMMENT ON COLUMN v1_photos.taken_at_source IS 'user, estimate, sidecar, exif, xmp, iptc, takeout, exif_digitized, xmp_digitized, png, quicktime, gps, file_name, folder_name, clock_not_set (of a camera) or exif_changed (of the last change); null: no date, or recorded by an earlier version'""",
    """COMMENT ON COLUMN v1_photos.taken_at_precision IS 'year, month, day, minute or second: smaller parts of taken_at mean nothing; null: second, or no date'""",
    """COMMENT ON COLUMN v1_photos.taken_local_end IS 'last second at which the photo may have been taken, local time: the end of the year, month, day or minute that is known; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.taken_date IS 'local date cut to its precision: 1948, 1948-06, 2004-06-12 or 2004-06-12T10:30:00; null: unknown'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    dialect = connection.dialect.name
    for view in NAMES:
        connection.exec_driver_sql(f"DROP VIEW {view}")
    op.add_column("photos", sa.Column("taken_local", sa.Text(), nullable=True, comment=FIRST))
    op.add_column("photos", sa.Column("taken_local_end", sa.Text(), nullable=True, comment=LAST))
    if dialect == "postgresql":
        op.alter_column("photos", "taken_at_precision", existing_type=sa.Text(), comment=PRECISION)
    for statement in [LOCAL[dialect], *SPANS, *VIEWS, *(COMMENTS if dialect == "postgresql" else [])]:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
