"""Photos that an exclusion rule leaves out: the rule, and the prior state of their faces."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VIEWS = ("v1_photos", "v1_locations")

SQLITE = [
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
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
    """CREATE VIEW v1_locations AS
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since, place.left_out_by
FROM locations AS place
JOIN photos AS photo ON photo.id = place.photo_id""",
]

POSTGRESQL = [
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
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
    """CREATE VIEW v1_locations AS
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since, place.left_out_by
FROM locations AS place
JOIN photos AS photo ON photo.id = place.photo_id""",
    """COMMENT ON VIEW v1_photos IS 'one row per photo: distinct content, wherever its copies are'""",
    """COMMENT ON COLUMN v1_photos.photo_sha256 IS 'SHA-256 of the photo''s bytes, 64 hex digits'""",
    """COMMENT ON COLUMN v1_photos.uri IS 'a place where the photo is: the first of those that stand, else the last known; file:// or s3://'""",
    """COMMENT ON COLUMN v1_photos.places IS 'places where this content stands now, 0 or more; above 1 it has copies'""",
    """COMMENT ON COLUMN v1_photos.missing_since IS 'when its last place was missed, UTC; null: it is there'""",
    """COMMENT ON COLUMN v1_photos.taken_at IS 'when the photo was taken, UTC; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.taken_at_offset IS 'minutes east of UTC where it was taken; null: unknown, and taken_at is the wall clock'""",
    """COMMENT ON COLUMN v1_photos.taken_local IS 'the camera''s wall clock, YYYY-MM-DDTHH:MM:SS without a zone; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.camera_make IS 'maker of the camera; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.camera_model IS 'model of the camera; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.gps_latitude IS 'degrees, WGS 84, -90 to 90, north positive; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.gps_longitude IS 'degrees, WGS 84, -180 to 180, east positive; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.gps_altitude IS 'meters above sea level; null: unknown'""",
    """COMMENT ON COLUMN v1_photos.format IS 'JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP, JPEG2000, JPEGXL, PSD, PCX, PNM, TGA or RAW'""",
    """COMMENT ON COLUMN v1_photos.width IS 'width of the upright image, pixels'""",
    """COMMENT ON COLUMN v1_photos.height IS 'height of the upright image, pixels'""",
    """COMMENT ON COLUMN v1_photos.size IS 'size of the file, bytes'""",
    """COMMENT ON COLUMN v1_photos.faces IS 'faces found on it, 0 or more'""",
    """COMMENT ON COLUMN v1_photos.recorded_at IS 'when the catalogue first recorded this content, UTC'""",
    """COMMENT ON VIEW v1_locations IS 'one row per place where a photo was seen'""",
    """COMMENT ON COLUMN v1_locations.photo_sha256 IS 'the photo that is there'""",
    """COMMENT ON COLUMN v1_locations.uri IS 'the place; file:// percent-encoded from the raw bytes of the name, or s3://'""",
    """COMMENT ON COLUMN v1_locations.album IS 'the folder or prefix that holds it, as a uri that ends in a slash'""",
    """COMMENT ON COLUMN v1_locations.size IS 'size in bytes when last read'""",
    """COMMENT ON COLUMN v1_locations.first_seen IS 'when a scan first saw this place with this content, UTC'""",
    """COMMENT ON COLUMN v1_locations.missing_since IS 'when a completed scan first missed it, UTC; null: it is there'""",
    """COMMENT ON COLUMN v1_locations.left_out_by IS 'the exclusion rule that left it out of a scan; null: not left out'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    for view in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW {view}")
    op.add_column(
        "photos",
        sa.Column(
            "left_out_by",
            sa.Text(),
            nullable=True,
            comment="the exclusion rule that left out its last location; null: not left out",
        ),
    )
    op.add_column(
        "locations",
        sa.Column(
            "left_out_by",
            sa.Text(),
            nullable=True,
            comment="the exclusion rule that left it out; null: not left out",
        ),
    )
    op.add_column(
        "faces",
        sa.Column(
            "left_out",
            sa.Boolean(),
            nullable=True,
            comment="not_a_face before the photo was left out; null: the photo is not left out",
        ),
    )
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "COMMENT ON COLUMN photos.format IS 'JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP ... or RAW'"
        )
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
