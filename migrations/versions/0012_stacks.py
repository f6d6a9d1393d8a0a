"""Stacks: files of one exposure, of which one photo counts, and the hash of each image."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

REPLACED = ["v1_people", "v1_emotions_by_month", "v1_co_occurrence"]
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
    SELECT assigned.person_id, CASE WHEN COUNT(*) - COUNT(stacked.photo_id)
            < COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id))
        THEN COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) ELSE COUNT(*) - COUNT(stacked.photo_id) END AS faces,
        COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen,
        MIN(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS first_day, MAX(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS last_day
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)""",
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
        AND NOT EXISTS (SELECT 1 FROM stacked_photos AS stacked WHERE stacked.photo_id = photo.id)
    GROUP BY 1, 2
) AS counted""",
    """CREATE VIEW v1_co_occurrence AS
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b,
    pair.photos, pair.first_seen, pair.last_seen, pair.first_day, pair.last_day
FROM (
    SELECT one.person_id AS a, other.person_id AS b,
        COUNT(DISTINCT COALESCE(stacked.counted_id, photo.id)) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen,
        MIN(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS first_day, MAX(substr(photo.taken_local, 1, CASE photo.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)) AS last_day
    FROM assignments AS one
    JOIN assignments AS other ON other.photo_id = one.photo_id AND other.person_id > one.person_id
    JOIN photos AS photo ON photo.id = one.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = photo.id
    GROUP BY one.person_id, other.person_id
) AS pair
JOIN persons AS a ON a.id = pair.a
JOIN persons AS b ON b.id = pair.b
WHERE NOT a.hidden AND NOT b.hidden AND a.merged_into IS NULL AND b.merged_into IS NULL""",
    """CREATE VIEW v1_stacks AS
SELECT counted.sha256 AS counted_sha256, photo.sha256 AS photo_sha256, stacked.photo_id IS NULL AS counts,
    stacked.evidence, COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, photo.width, photo.height
FROM photos AS photo
LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = photo.id
JOIN photos AS counted ON counted.id = COALESCE(stacked.counted_id, photo.id)
WHERE stacked.photo_id IS NOT NULL
    OR EXISTS (SELECT 1 FROM stacked_photos AS others WHERE others.counted_id = photo.id)""",
]

COMMENTS = [
    """COMMENT ON VIEW v1_people IS 'one row per person with a name or a face'""",
    """COMMENT ON COLUMN v1_people.person_id IS 'permanent public id of the person'""",
    """COMMENT ON COLUMN v1_people.name IS 'name by a user; null: unnamed'""",
    """COMMENT ON COLUMN v1_people.faces IS 'faces of this person, 0 or more; files of one exposure count once'""",
    """COMMENT ON COLUMN v1_people.photos IS 'photos that show this person, 0 or more; a photo counts once, and so do the files of one exposure'""",
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
    """COMMENT ON VIEW v1_emotions_by_month IS 'faces of each month by strongest emotion; hidden persons are left out, files of one exposure count once'""",
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
    """COMMENT ON COLUMN v1_co_occurrence.photos IS 'photos with both persons, 1 or more; files of one exposure count once'""",
    """COMMENT ON COLUMN v1_co_occurrence.first_seen IS 'earliest taken_at of these photos, UTC; null: none has a date'""",
    """COMMENT ON COLUMN v1_co_occurrence.last_seen IS 'latest taken_at of these photos, UTC; null: none has a date'""",
    """COMMENT ON COLUMN v1_co_occurrence.first_day IS 'first local day of these photos, cut to its precision: 1948, 1948-06 or 1948-06-12; null: no date'""",
    """COMMENT ON COLUMN v1_co_occurrence.last_day IS 'last local day of these photos, as first_day'""",
    """COMMENT ON VIEW v1_stacks IS 'one row per photo of a stack: files of one exposure, of which one counts in statistics'""",
    """COMMENT ON COLUMN v1_stacks.counted_sha256 IS 'content hash of the photo that counts; the rows of one stack have the same'""",
    """COMMENT ON COLUMN v1_stacks.photo_sha256 IS 'content hash of the photo'""",
    """COMMENT ON COLUMN v1_stacks.counts IS 'true: this photo counts'""",
    """COMMENT ON COLUMN v1_stacks.evidence IS 'name (another format), edit (an edit or a copy), image (a similar image with the same faces); null: this photo counts'""",
    """COMMENT ON COLUMN v1_stacks.uri IS 'first present location of the photo, else its first missing one; file:// or s3://'""",
    """COMMENT ON COLUMN v1_stacks.path IS 'the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped'""",
    """COMMENT ON COLUMN v1_stacks.width IS 'width of the upright image, pixels'""",
    """COMMENT ON COLUMN v1_stacks.height IS 'height of the upright image, pixels'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    for view in REPLACED:
        connection.exec_driver_sql(f"DROP VIEW {view}")
    op.add_column("photos", sa.Column("image_hash", sa.Text(), nullable=True, comment="perceptual hash, 64 hex digits; null: a blank image, or an older record"))
    op.add_column("catalogue", sa.Column("stack_state", sa.Text(), nullable=True, comment="for which photos and decisions stacks were formed; null: never"))
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "stacked_photos",
        sa.Column("photo_id", row_id, nullable=False, comment="a photo that does not count, because another photo of the same exposure does"),
        sa.Column("counted_id", row_id, nullable=False, comment="the photo that counts"),
        sa.Column("evidence", sa.Text(), nullable=False, comment="name, edit or image: what says that they are one exposure"),
        sa.ForeignKeyConstraint(["photo_id"], ["photos.id"], name="fk_stacked_photos_photo_id_photos", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["counted_id"], ["photos.id"], name="fk_stacked_photos_counted_id_photos", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", name="pk_stacked_photos"),
        comment="photos of stacks, without those that count; computed after a scan, may be deleted",
    )
    op.create_index("ix_stacked_photos_counted_id", "stacked_photos", ["counted_id"])
    for statement in [*VIEWS, *(COMMENTS if connection.dialect.name == "postgresql" else [])]:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
