"""The tables of the catalogue. Every table and column has a comment, which PostgreSQL stores.

Conventions on SQLite and PostgreSQL:

- Times are text in UTC, in the form of :mod:`catalog.domain.timestamps`.
- Boxes are fractions of the upright image from its top left corner (see ``catalog.domain.faces``).
- Dollars are stored as integers of millionths, so that sums are exact.
- ``decisions`` is append-only. Its keys are content hashes and boxes, never row ids, so that decisions remain valid
  with other models, engines and restored backups. ``assignments`` and ``persons.name`` hold their effect.

The gallery of the local engine is in the same database with the prefix ``gallery_``. Its tables are defined in
``catalog.engines.local.tables``, because only the engine reads and writes them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from catalog.domain.box_columns import BOX_COLUMNS as BOX_COLUMNS

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite has automatic row ids for INTEGER PRIMARY KEY only.
RowId = BigInteger().with_variant(Integer(), "sqlite")

# Uris are compared as bytes, so that a listing and the locations of a source can be merged, and so that all locations
# below a folder are a range of the index. SQLite compares text as bytes by default.
Uri = Text().with_variant(Text(collation="C"), "postgresql")


def _row_id() -> Column[int]:
    return Column("id", RowId, primary_key=True, autoincrement=True, comment="internal row id, never shown")


def _box() -> list[Column[float]]:
    return [
        Column("box_left", Float, nullable=False, comment="left edge, fraction of the upright width; may be below 0"),
        Column("box_top", Float, nullable=False, comment="top edge, fraction of the upright height; may be below 0"),
        Column("box_width", Float, nullable=False, comment="width, fraction of the upright width"),
        Column("box_height", Float, nullable=False, comment="height, fraction of the upright height"),
    ]


def _boolean_attribute(name: str, question: str) -> list[Column[bool] | Column[float]]:
    return [
        Column(name, Boolean, comment=f"{question}; null: not measured"),
        Column(f"{name}_confidence", Float, comment=f"confidence of `{name}`, 0-100"),
    ]


# ------------------------------------------------------------------------------------------------ photos and locations

photos = Table(
    "photos",
    metadata,
    _row_id(),
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

locations = Table(
    "locations",
    metadata,
    _row_id(),
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
Index("ix_locations_photo_id", locations.c.photo_id)
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
    Column("evidence", Text, nullable=False, comment="name, edit or image: what says that they are one exposure"),
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

# ------------------------------------------------------------------------------------------------ faces

faces = Table(
    "faces",
    metadata,
    _row_id(),
    Column("face_id", Text, nullable=False, comment="the gallery's id of this face, a UUID"),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="its photo"),
    Column("engine", Text, nullable=False, comment="local or rekognition"),
    Column("gallery", Text, nullable=False, comment="gallery or collection with the face"),
    Column("model", Text, nullable=False, comment="networks and version that detected it"),
    *_box(),
    Column("confidence", Float, nullable=False, comment="confidence that the box contains a face, 0-100"),
    Column("roll", Float, comment="rotation in the image plane, degrees"),
    Column("yaw", Float, comment="turn to the side, degrees"),
    Column("pitch", Float, comment="nod, degrees"),
    Column("brightness", Float, comment="0-100"),
    Column("sharpness", Float, comment="0-100"),
    Column("age_low", Integer, comment="lower end of the apparent age, years; null: not measured"),
    Column("age_high", Integer, comment="upper end of the apparent age, years"),
    Column("gender", Text, comment="Male or Female, as it appears; null: not measured"),
    Column("gender_confidence", Float, comment="confidence of `gender`, 0-100"),
    *_boolean_attribute("smile", "smiles"),
    *_boolean_attribute("eyeglasses", "wears eyeglasses"),
    *_boolean_attribute("sunglasses", "wears sunglasses"),
    *_boolean_attribute("beard", "has a beard"),
    *_boolean_attribute("mustache", "has a mustache"),
    *_boolean_attribute("eyes_open", "has open eyes"),
    *_boolean_attribute("mouth_open", "has an open mouth"),
    *_boolean_attribute("face_occluded", "is partly covered"),
    Column("emotion", Text, comment="the strongest of its `emotions`, kept here for fast reports; null: not measured"),
    Column("emotion_confidence", Float, comment="confidence of `emotion`, 0-100"),
    Column("landmarks", Text, comment="JSON object of name -> [x, y] in fractions of the upright image"),
    Column("not_a_face", Boolean, nullable=False, default=False, comment="true: a user marked it as not a face"),
    Column("enrolled_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="the scan that enrolled it"),
    Column("left_out", Boolean, comment="not_a_face before the photo was left out; null: the photo is not left out"),
    Column("eye_yaw", Float, comment="direction of the eyes to the side, degrees; null: not measured"),
    Column("eye_pitch", Float, comment="direction of the eyes up (positive) or down, degrees; null: not measured"),
    Column("eye_direction_confidence", Float, comment="confidence of `eye_yaw` and `eye_pitch`, 0-100"),
    UniqueConstraint("engine", "gallery", "face_id"),
    comment="a human face on a photo, as an engine detected it",
)
# Covering index: reports on all faces do not read the wide rows.
Index("ix_faces_photo_id", faces.c.photo_id, faces.c.not_a_face, faces.c.emotion)
Index("ix_faces_face_id", faces.c.face_id)
Index("ix_faces_scan_id", faces.c.scan_id)

emotions = Table(
    "emotions",
    metadata,
    Column(
        "face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="row id of the face"
    ),
    Column("type", Text, primary_key=True, comment="HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR"),
    Column("confidence", Float, nullable=False, comment="0-100; a face's emotions need not add up to 100"),
    comment="apparent expression of a face, not a feeling",
)

rejected_faces = Table(
    "rejected_faces",
    metadata,
    _row_id(),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="its photo"),
    Column("engine", Text, nullable=False, comment="local or rekognition"),
    Column("gallery", Text, nullable=False, comment="gallery that it was not enrolled in"),
    Column("model", Text, nullable=False, comment="networks and version that detected it"),
    *_box(),
    Column("confidence", Float, nullable=False, comment="confidence that the box contains a face, 0-100"),
    Column("reasons", Text, nullable=False, comment="reason codes of Amazon Rekognition, separated by spaces"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="scan that detected it"),
    comment="faces that were detected and not enrolled",
)
Index("ix_rejected_faces_photo_id", rejected_faces.c.photo_id)
Index("ix_rejected_faces_scan_id", rejected_faces.c.scan_id)

# ------------------------------------------------------------------------------------------------ persons and decisions

searches = Table(
    "searches",
    metadata,
    Column(
        "face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="row id of the face"
    ),
    Column("threshold", Float, nullable=False, comment="lowest requested similarity, 0-100"),
    Column(
        "complete",
        Boolean,
        nullable=False,
        comment="false: an absent face is no evidence",
    ),
    Column("searched_at", Text, nullable=False, comment="UTC"),
    comment="faces with a neighbor search, which is not run again",
)

matches = Table(
    "matches",
    metadata,
    Column("face_a", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="the lower row id"),
    Column("face_b", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="the higher row id"),
    Column("similarity", Float, nullable=False, comment="0-100, by the engine"),
    CheckConstraint("face_a < face_b", name="ordered"),
    comment="similar faces of one gallery that searches found",
)
Index("ix_matches_face_b", matches.c.face_b)

persons = Table(
    "persons",
    metadata,
    _row_id(),
    Column("person_id", Text, nullable=False, unique=True, comment="permanent public id"),
    Column("name", Text, comment="name by a user; null: unnamed"),
    Column("hidden", Boolean, nullable=False, default=False, comment="left out of lists and reports"),
    Column("birth_date", Text, comment="YYYY-MM-DD; null: unknown"),
    Column("merged_into", RowId, ForeignKey("persons.id"), comment="row id of the person that this id redirects to"),
    Column("created_at", Text, nullable=False, comment="UTC"),
    Column("external_ids", Text, comment="JSON object: scheme (qid, viaf, gnd ...) to id; null: none"),
    comment="persons, named or not",
)
Index("ix_persons_name", persons.c.name)
Index("ix_persons_merged_into", persons.c.merged_into)

assignments = Table(
    "assignments",
    metadata,
    Column(
        "face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="row id of the face"
    ),
    Column("person_id", RowId, ForeignKey("persons.id"), nullable=False, comment="row id of the person"),
    Column("by", Text, nullable=False, comment="cluster or human"),
    Column("similarity", Float, comment="similarity to the person's other faces at the assignment, 0-100"),
    Column("assigned_at", Text, nullable=False, comment="UTC"),
    Column("photo_id", RowId, comment="photo of the face, null if marked as not a face; maintained by triggers"),
    CheckConstraint("by IN ('cluster', 'human')", name="by"),
    comment="persons of faces, at most one per face",
)
Index("ix_assignments_person_id", assignments.c.person_id, assignments.c.photo_id)
Index("ix_assignments_photo_id", assignments.c.photo_id, assignments.c.person_id)

named_appearances = Table(
    "named_appearances",
    metadata,
    _row_id(),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="the photo"),
    Column(
        "person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, comment="row id of the person"
    ),
    *[Column(name, Float, comment="the region's box; null: the file gives no position") for name in BOX_COLUMNS],
    Column("source", Text, nullable=False, comment="file that states the name"),
    Column("named_at", Text, nullable=False, comment="when it was imported, UTC"),
    comment="persons on a photo without a detected face, as files of other programs state them; never clustered",
)
Index("ix_named_appearances_photo_id", named_appearances.c.photo_id)
Index("ix_named_appearances_person_id", named_appearances.c.person_id)

decisions = Table(
    "decisions",
    metadata,
    _row_id(),
    Column("decided_at", Text, nullable=False, comment="UTC"),
    Column("decided_by", Text, nullable=False, comment="login name of the user, or the program that imported it"),
    Column("verb", Text, nullable=False, comment="name, merge, split, confirm, reject, not_a_face, hide, forget ..."),
    Column("person_id", Text, comment="public id of the person"),
    Column("other_person_id", Text, comment="public id of a second person: merged, or split off"),
    Column("name", Text, comment="new name, or the former name, depending on the verb"),
    Column("photo_sha256", Text, comment="content hash of the photo, for a decision on one face"),
    Column("box_left", Float, comment="box of the face, for a decision on one face"),
    Column("box_top", Float, comment="box of the face"),
    Column("box_width", Float, comment="box of the face"),
    Column("box_height", Float, comment="box of the face"),
    Column("details", Text, comment="JSON: further data for replay and undo"),
    Column("undone_by", RowId, ForeignKey("decisions.id"), comment="decision that undid it; null: effective"),
    Column("copy_of", RowId, comment="number of the decision that this one repeats for an edited photo; null: no copy"),
    Column("group", RowId, comment="number of the first decision of a group, undone as a whole; null: no group"),
    comment="decisions of users, append-only, replayed after a change of engine, model or database",
)
Index("ix_decisions_person_id", decisions.c.person_id)
Index("ix_decisions_photo_sha256", decisions.c.photo_sha256)
Index("ix_decisions_group", decisions.c.group)

tombstones = Table(
    "tombstones",
    metadata,
    _row_id(),
    Column("photo_sha256", Text, nullable=False, comment="content hash of the photo"),
    *_box(),
    Column("forgotten_at", Text, nullable=False, comment="UTC"),
    comment="forgotten faces, which are not enrolled again; without name or vector",
)
Index("ix_tombstones_photo_sha256", tombstones.c.photo_sha256)

removals = Table(
    "removals",
    metadata,
    Column("face_id", Text, primary_key=True, comment="the gallery's id of the face"),
    Column("engine", Text, primary_key=True, comment="local or rekognition"),
    Column("gallery", Text, primary_key=True, comment="gallery or collection that still holds it"),
    Column("wanted_at", Text, nullable=False, comment="UTC"),
    comment="pending removals: faces without rows that a gallery must still delete",
)

# ----------------------------------------------------------------------------------------- watch list and employees

watches = Table(
    "watches",
    metadata,
    _row_id(),
    Column("name", Text, nullable=False, unique=True, comment="name of the person of interest"),
    Column("threshold", Float, nullable=False, comment="lowest similarity of a hit, 0-100"),
    Column("created_at", Text, nullable=False, comment="UTC"),
    Column("created_by", Text, nullable=False, comment="login name of the user who added it"),
    comment="the watch list: persons of interest, searched by every scan",
)

watch_references = Table(
    "watch_references",
    metadata,
    _row_id(),
    Column("watch_id", RowId, ForeignKey("watches.id", ondelete="CASCADE"), nullable=False, comment="its watch"),
    Column("negative", Boolean, nullable=False, comment="true: shows another person who looks similar"),
    Column("image", LargeBinary, nullable=False, comment="padded crop of the face, JPEG. Biometric data"),
    Column("sha256", Text, nullable=False, comment="content hash of the photo"),
    comment="reference faces of the watch list, and faces of other persons who look similar",
)
Index("ix_watch_references_watch_id", watch_references.c.watch_id)

watch_hits = Table(
    "watch_hits",
    metadata,
    _row_id(),
    Column("watch_id", RowId, ForeignKey("watches.id", ondelete="CASCADE"), nullable=False, comment="its watch"),
    Column("face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), nullable=False, comment="row id of the face"),
    Column("similarity", Float, nullable=False, comment="to the best reference, 0-100"),
    Column("margin", Float, comment="similarity minus that of the best negative reference; null: none"),
    Column("state", Text, nullable=False, comment="open, confirmed or dismissed"),
    Column("found_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="scan that found it"),
    Column("reviewed_at", Text, comment="UTC; null: open"),
    Column("reviewed_by", Text, comment="login name of the user who reviewed it"),
    UniqueConstraint("watch_id", "face_id"),
    CheckConstraint("state IN ('open', 'confirmed', 'dismissed')", name="state"),
    comment="faces similar to the watch list, to be reviewed by a user",
)
Index("ix_watch_hits_face_id", watch_hits.c.face_id)
Index("ix_watch_hits_scan_id", watch_hits.c.scan_id)

employees = Table(
    "employees",
    metadata,
    _row_id(),
    Column("employee_id", Text, nullable=False, unique=True, comment="the caller's id of the person"),
    Column("enrolled_at", Text, nullable=False, comment="UTC"),
    Column("enrolled_by", Text, nullable=False, comment="login name of the user who enrolled the person"),
    comment="persons whom `catalog verify` verifies",
)

employee_references = Table(
    "employee_references",
    metadata,
    _row_id(),
    Column("employee_id", RowId, ForeignKey("employees.id", ondelete="CASCADE"), nullable=False, comment="row id"),
    Column("image", LargeBinary, nullable=False, comment="padded crop of the face, JPEG. Biometric data"),
    Column("sha256", Text, nullable=False, comment="content hash of the photo"),
    UniqueConstraint("employee_id", "sha256"),
    comment="the reference faces of an employee",
)

verifications = Table(
    "verifications",
    metadata,
    _row_id(),
    Column("at", Text, nullable=False, comment="UTC"),
    Column("content", Text, comment="JSON of request and result; null: forgotten"),
    Column("content_sha256", Text, nullable=False, comment="SHA-256 of the original `content` with its salt"),
    Column("previous", Text, nullable=False, comment="`chain` of the row before; 64 zeros in the first"),
    Column("chain", Text, nullable=False, unique=True, comment="SHA-256 of previous, at and content_sha256"),
    comment="enrollments and verifications, chained by digests so that a change is detected",
)

# ------------------------------------------------------------------------------------------------ scans and charges

scans = Table(
    "scans",
    metadata,
    _row_id(),
    Column("started_at", Text, nullable=False, comment="UTC"),
    Column("finished_at", Text, comment="UTC; null: running, or killed"),
    Column("state", Text, nullable=False, comment="running, completed, interrupted, limited or failed"),
    Column("exit_code", Integer, comment="exit code of the command"),
    Column("engine", Text, nullable=False, comment="local or rekognition"),
    Column("gallery", Text, nullable=False, comment="gallery or collection"),
    Column("model", Text, nullable=False, comment="networks and version"),
    Column("version", Text, nullable=False, comment="version of the program"),
    Column("host", Text, nullable=False, comment="machine it ran on"),
    Column("pid", Integer, nullable=False, comment="process that ran it"),
    *[
        Column(count, Integer, nullable=False, default=0, comment=meaning)
        for count, meaning in (
            ("discovered", "photos found in the sources: the sum of the next seven counts"),
            ("new", "photos recorded for the first time"),
            ("unchanged", "locations without a change"),
            ("changed", "locations with new content"),
            ("moved", "known content at a new location, the old location is missing"),
            ("duplicate", "known content at a new location, the old location is present"),
            ("skipped", "skipped by a rule"),
            ("failed", "could not be recorded"),
            ("faces", "faces enrolled"),
            ("rejected", "faces rejected by the quality filter"),
            ("persons_new", "persons added"),
            ("persons_deleted", "persons that lost their id: must be 0"),
            ("churn", "faces separated from a face of the same person"),
            ("conflicts", "persons with two faces in one photo"),
        )
    ],
    comment="one row per run of `catalog scan`",
)

scan_sources = Table(
    "scan_sources",
    metadata,
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True, comment="the scan"),
    Column("source_uri", Uri, primary_key=True, comment="the folder or prefix"),
    Column("discovered", Integer, nullable=False, default=0, comment="photos found in the source"),
    Column("completed_at", Text, comment="when its listing was complete, UTC; null: it was not"),
    comment="sources of scans; a location was last seen at the last complete scan of its source",
)
Index("ix_scan_sources_source_uri", scan_sources.c.source_uri)

work = Table(
    "work",
    metadata,
    _row_id(),
    Column("source_uri", Uri, nullable=False, comment="the folder or prefix that is being scanned"),
    Column("uri", Uri, nullable=False, comment="uri of the location"),
    Column("size", BigInteger, nullable=False, comment="as listed, bytes"),
    Column("modified_ns", BigInteger, nullable=False, comment="as listed, ns since the epoch"),
    Column("etag", Text, nullable=False, comment="as listed"),
    Column("version", Text, comment="as listed"),
    UniqueConstraint("source_uri", "uri"),
    comment="work queue of shared scans; empty if none runs",
)

problems = Table(
    "problems",
    metadata,
    _row_id(),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="CASCADE"), nullable=False, comment="the scan"),
    Column("uri", Uri, nullable=False, comment="uri of the location"),
    Column("outcome", Text, nullable=False, comment="failed or skipped"),
    Column("sha256", Text, comment="content hash; null: not readable"),
    Column("reason", Text, nullable=False, comment="one sentence"),
    Column("at", Text, nullable=False, comment="UTC"),
    comment="photos that a scan skipped or failed on, with the reason",
)
Index("ix_problems_scan_id", problems.c.scan_id)

charges = Table(
    "charges",
    metadata,
    _row_id(),
    Column("charged_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="the scan; null: another command"),
    Column("command", Text, nullable=False, comment="scan, find-person, analyze, compare ..."),
    Column("engine", Text, nullable=False, comment="engine that was charged"),
    Column("region", Text, nullable=False, comment="AWS region; empty elsewhere"),
    Column("operation", Text, nullable=False, comment="IndexFaces, SearchFaces ..."),
    Column("calls", Integer, nullable=False, comment="answered calls"),
    Column("microdollars", BigInteger, nullable=False, comment="millionths of a US dollar, by the price list"),
    comment="paid calls, recorded in the transaction that stores their results",
)
call_intents = Table(
    "call_intents",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False, comment="random number, chosen by the caller"),
    Column("engine", Text, nullable=False, comment="name of the paid engine"),
    Column("gallery", Text, nullable=False, comment="gallery that the call is for"),
    Column("region", Text, nullable=False, comment="AWS region; empty elsewhere"),
    Column("operation", Text, nullable=False, comment="IndexFaces, SearchFaces ..."),
    Column("sha256", Text, comment="content hash of the photo to be enrolled; null for other calls"),
    Column("microdollars", BigInteger, nullable=False, comment="price of the call, in millionths of a US dollar"),
    Column("started_at", Text, nullable=False, comment="UTC"),
    comment="paid calls without a recorded charge: written before the call, deleted with its charge",
)

catalogue = Table(
    "catalogue",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False, comment="always 1"),
    Column("owner", Text, nullable=False, comment="random name of this catalogue, marks its faces in shared galleries"),
    Column("stack_state", Text, comment="for which photos and decisions stacks were formed; null: never"),
    comment="one row: the identity of this catalogue",
)

Index("ix_charges_charged_at", charges.c.charged_at)
Index("ix_charges_scan_id", charges.c.scan_id)

person_summaries = Table(
    "person_summaries",
    metadata,
    Column("person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), primary_key=True, comment="its person"),
    Column("engine", Text, nullable=False, comment="engine of the counted faces"),
    Column("gallery", Text, nullable=False, comment="gallery of the counted faces"),
    Column("faces", Integer, nullable=False, comment="faces of the person in the gallery"),
    Column("photos", Integer, nullable=False, comment="photos of these faces"),
    Column("clear_faces", Integer, nullable=False, comment="faces large and sharp enough for a user to answer about"),
    Column("first_taken", Text, comment="UTC; null: no photo has a date"),
    Column("last_taken", Text, comment="UTC; null: no photo has a date"),
    Index(None, "faces"),
    comment="counts per person for the review queue; computed from assignments, may be deleted",
)

review_questions = Table(
    "review_questions",
    metadata,
    _row_id(),
    Column("person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, comment="first person"),
    Column("other_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), comment="second person; null: a face"),
    Column("face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), comment="unassigned face; null: a person"),
    Column("similarity", Float, nullable=False, comment="of the most similar faces, 0-100"),
    Column("chance", Float, nullable=False, comment="estimated probability of a yes, 0-1"),
    Column("faces", Integer, nullable=False, comment="faces that a yes decides"),
    Column("worth", Float, nullable=False, comment="expected faces decided per second of the user; orders the queue"),
    Column("reason", Text, comment="why a machine did not merge them; null: the similarity is below the threshold"),
    Index(None, "worth"),
    Index(None, "person_id"),
    Index(None, "other_id"),
    Index(None, "face_id"),
    CheckConstraint("(other_id IS NULL) <> (face_id IS NULL)", name="target"),
    comment="open questions of the review queue; computed by the last step of a scan, may be deleted",
)

review_skips = Table(
    "review_skips",
    metadata,
    _row_id(),
    Column("person_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), nullable=False, comment="first person"),
    Column("other_id", RowId, ForeignKey("persons.id", ondelete="CASCADE"), comment="second person, if any"),
    Column("face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), comment="unassigned face, if any"),
    Column("until", Text, nullable=False, comment="UTC; the question is not asked before"),
    Index(None, "person_id"),
    Index(None, "other_id"),
    Index(None, "face_id"),
    comment="questions answered with `not sure`; no decisions",
)

review_answers = Table(
    "review_answers",
    metadata,
    Column("key", Text, primary_key=True, comment="idempotency key of the page that showed the question"),
    Column("login", Text, nullable=False, comment="login name of the user"),
    Column("body_sha256", Text, nullable=False, comment="hash of the answer, to refuse another answer with this key"),
    Column("group", RowId, comment="group of the answer's decisions; null: it made none"),
    Column("at", Text, nullable=False, comment="UTC; deleted after seven days"),
    comment="answers of the review pages, so that a repeated answer changes nothing; holds no name",
)
