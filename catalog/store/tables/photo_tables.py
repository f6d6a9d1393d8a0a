"""Photos, their locations and stacks, and enrollments."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, Table, Text, text

from catalog.store.tables.table_columns import RowId, Uri, metadata, row_id

photos = Table(
    "photos",
    metadata,
    row_id(),
    Column("sha256", Text, nullable=False, unique=True, comment="SHA-256 of the file's bytes, 64 hex digits"),
    Column("size", BigInteger, nullable=False, comment="size of the file in bytes"),
    Column("format", Text, nullable=False, comment="JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP ... or RAW"),
    Column("width", Integer, nullable=False, comment="width of the upright image in pixels"),
    Column("height", Integer, nullable=False, comment="height of the upright image in pixels"),
    Column("orientation", Integer, nullable=False, comment="EXIF orientation that was applied, 1-8"),
    Column("taken_at", Text, comment="when the photo was taken, UTC; the camera's wall clock if the offset is null"),
    Column("taken_at_offset", Integer, comment="minutes east of UTC where the photo was taken; null: unknown"),
    Column("camera_make", Text, comment="maker of the camera, from EXIF"),
    Column("camera_model", Text, comment="model of the camera, from EXIF"),
    Column("gps_latitude", Float, comment="degrees, WGS 84, north positive"),
    Column("gps_longitude", Float, comment="degrees, WGS 84, east positive"),
    Column("gps_altitude", Float, comment="meters above sea level"),
    Column("recorded_at", Text, nullable=False, comment="when the catalogue first recorded this content, UTC"),
    Column("left_out_by", Text, comment="the exclusion rule that left out its last location; null: not left out"),
    Column("taken_at_source", Text, comment="exif, xmp, iptc, file_name ...; null: no date, or an older record"),
    Column("taken_at_precision", Text, comment="year, month, day, minute or second; null: no date, or an older record"),
    Column("taken_local", Text, comment="first second at which it may have been taken, local time; null: no date"),
    Column("taken_local_end", Text, comment="last second at which it may have been taken, local time; null: no date"),
    Column("image_hash", Text, comment="perceptual hash, 64 hex digits; null: a blank image, or an older record"),
    comment="one row per content; a copy or a move adds a location, not a photo",
)
Index("ix_photos_taken_at", photos.c.taken_at)
Index("ix_photos_taken_local", photos.c.taken_local, photos.c.id)

locations = Table(
    "locations",
    metadata,
    row_id(),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="the content seen"),
    Column("uri", Uri, nullable=False, unique=True, comment="file:// percent-encoded from the raw bytes, or s3://"),
    Column("size", BigInteger, nullable=False, comment="size in bytes when last read"),
    Column("modified_ns", BigInteger, nullable=False, comment="modification time when last read, ns since the epoch"),
    Column("etag", Text, nullable=False, comment="inode of a file, ETag of an object; compared for equality"),
    Column("version", Text, comment="S3 version id; null elsewhere"),
    Column("first_seen", Text, nullable=False, comment="when a scan first found this content at this location, UTC"),
    Column("missing_since", Text, comment="when a complete scan first missed it, UTC; null: present"),
    Column("left_out_by", Text, comment="the exclusion rule that left it out; null: not left out"),
    Column("path", Text, comment="the uri as a user reads it: a path, or s3://bucket/key; null: not filled in yet"),
    comment="one row per location of a photo",
)
Index("ix_locations_photo_id", locations.c.photo_id, locations.c.missing_since)
FOLDER_OF_LOCATION = "rtrim(uri, replace(uri, '/', ''))"
"""SQL of the folder or prefix of a location, with a closing slash. The index is used for this text only."""
Index("ix_locations_folder", text(FOLDER_OF_LOCATION), _table=locations)
Index("ix_locations_missing_since", locations.c.missing_since)

stacked_photos = Table(
    "stacked_photos",
    metadata,
    Column(
        "photo_id",
        RowId,
        ForeignKey("photos.id", ondelete="CASCADE"),
        primary_key=True,
        comment="a photo that does not count, because another photo of the same exposure does",
    ),
    Column(
        "counted_id",
        RowId,
        ForeignKey("photos.id", ondelete="CASCADE"),
        nullable=False,
        comment="the photo that counts",
    ),
    Column("evidence", Text, nullable=False, comment="name, edit, image or user: what says that they are one exposure"),
    comment="photos of stacks, without those that count; computed after a scan, may be deleted",
)
Index("ix_stacked_photos_counted_id", stacked_photos.c.counted_id)

enrollments = Table(
    "enrollments",
    metadata,
    Column(
        "photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True, comment="the photo enrolled"
    ),
    Column("engine", Text, primary_key=True, comment="local or rekognition"),
    Column("gallery", Text, primary_key=True, comment="gallery or collection with the faces"),
    Column("model", Text, nullable=False, comment="networks and version that analyzed the photo"),
    Column("enrolled_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="scan that enrolled it"),
    comment="photos enrolled per gallery; they are not enrolled, or charged, again",
)
Index("ix_enrollments_scan_id", enrollments.c.scan_id)
