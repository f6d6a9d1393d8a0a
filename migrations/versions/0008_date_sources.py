"""What says when a photo was taken, and how exactly."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

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
    photo.recorded_at, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, photo.taken_at_source, photo.taken_at_precision
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
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
    photo.recorded_at, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path, photo.taken_at_source, photo.taken_at_precision
FROM photos AS photo
WHERE photo.left_out_by IS NULL""",
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
    """COMMENT ON COLUMN v1_photos.taken_at_source IS 'exif, xmp, iptc, exif_digitized, xmp_digitized, png, file_name, folder_name or exif_changed (of the last change); null: no date, or recorded by an earlier version'""",
    """COMMENT ON COLUMN v1_photos.taken_at_precision IS 'day, minute or second: smaller parts of taken_at mean nothing; null as taken_at_source'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql("DROP VIEW v1_photos")
    op.add_column("photos", sa.Column("taken_at_source", sa.Text(), nullable=True, comment="exif, xmp, iptc, file_name ...; null: no date, or an older record"))
    op.add_column("photos", sa.Column("taken_at_precision", sa.Text(), nullable=True, comment="day, minute or second; null: no date, or an older record"))
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
