"""Views on photos, locations, scans, charges and decisions. ``face_views`` has the rules for all views."""

from __future__ import annotations

from catalog.store.public_views import View, columns

BOX = {
    "box_left": "left edge of the face, fraction of the upright width; may be below 0",
    "box_top": "top edge of the face, fraction of the upright height; may be below 0",
    "box_width": "width of the face, fraction of the upright width, above 0",
    "box_height": "height of the face, fraction of the upright height, above 0",
}
TAKEN = {
    "taken_at": "when the photo was taken, UTC; null: unknown",
    "taken_at_offset": "offset of the camera in minutes east of UTC; null: unknown, and taken_at is local time",
    "taken_date": "local date cut to its precision: 1948, 1948-06, 2004-06-12 or 2004-06-12T10:30:00; null: unknown",
}
URI = "first present location of the photo, else its first missing one; file:// or s3://"

PATH = "the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped"

PHOTOS = View(
    "v1_photos",
    "one row per photo (content), with any number of locations",
    columns(
        photo_sha256="SHA-256 of the photo's bytes, 64 hex digits",
        uri=URI,
        places="present locations, 0 or more; above 1: the photo has copies",
        missing_since="when its last location was missed, UTC; null: present",
        taken_at=TAKEN["taken_at"],
        taken_at_offset=TAKEN["taken_at_offset"],
        taken_local="local time of the camera, YYYY-MM-DDTHH:MM:SS without offset; null: unknown",
        camera_make="maker of the camera; null: unknown",
        camera_model="model of the camera; null: unknown",
        gps_latitude="degrees, WGS 84, -90 to 90, north positive; null: unknown",
        gps_longitude="degrees, WGS 84, -180 to 180, east positive; null: unknown",
        gps_altitude="meters above sea level; null: unknown",
        format="JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP, JPEG2000, JPEGXL, PSD, PCX, PNM, TGA or RAW",
        width="width of the upright image, pixels",
        height="height of the upright image, pixels",
        size="size of the file, bytes",
        faces="faces on the photo, 0 or more",
        recorded_at="when the catalogue first recorded this content, UTC",
        path=PATH,
        taken_at_source="user, estimate, sidecar, apple_corrected, exif, xmp, iptc, takeout, apple_photos, "
        "exif_digitized, xmp_digitized, png, quicktime, gps, file_name, folder_name, clock_not_set (of a camera) or "
        "exif_changed (of the last change); "
        "null: no date, or recorded by an earlier version",
        taken_at_precision="year, month, day, minute or second: smaller parts of taken_at mean nothing; null: second, "
        "or no date",
        taken_local_end="last second at which the photo may have been taken, local time: the end of the year, month, "
        "day or minute that is known; null: unknown",
        taken_date=TAKEN["taken_date"],
    ),
    """
SELECT photo.sha256 AS photo_sha256, PHOTO_PLACE(photo) AS uri,
    (SELECT COUNT(*) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL) AS places,
    PHOTO_MISSING(photo) AS missing_since, photo.taken_at, photo.taken_at_offset,
    photo.taken_local, photo.camera_make, photo.camera_model,
    photo.gps_latitude, photo.gps_longitude, photo.gps_altitude, photo.format, photo.width, photo.height, photo.size,
    (SELECT COUNT(*) FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face) AS faces,
    photo.recorded_at, PHOTO_PATH(photo) AS path, photo.taken_at_source, photo.taken_at_precision,
    photo.taken_local_end, LOCAL_DATE(photo) AS taken_date
FROM photos AS photo
WHERE photo.left_out_by IS NULL
""",
)

LOCATIONS = View(
    "v1_locations",
    "one row per location of a photo",
    columns(
        photo_sha256="content hash of the photo",
        uri="uri of the location: file://, percent-encoded from the bytes of the name, or s3://",
        album="uri of its folder or prefix, with a closing slash",
        size="size in bytes when last read",
        first_seen="when a scan first found this content at this location, UTC",
        missing_since="when a complete scan first missed it, UTC; null: present",
        left_out_by="the exclusion rule that left it out of a scan; null: not left out",
        path=PATH,
    ),
    """
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since, place.left_out_by,
    COALESCE(place.path, place.uri) AS path
FROM locations AS place
JOIN photos AS photo ON photo.id = place.photo_id
""",
)

REJECTED_FACES = View(
    "v1_rejected_faces",
    "faces that were detected and not enrolled",
    columns(
        photo_sha256="content hash of the photo",
        **BOX,
        confidence="confidence that the box contains a face, 0-100",
        reasons="reason codes of Amazon Rekognition (LOW_SHARPNESS, SMALL_BOUNDING_BOX ...), separated by spaces",
        engine="local or rekognition",
        gallery="gallery that it was not enrolled in",
        model="networks and version that detected it",
    ),
    """
SELECT photo.sha256 AS photo_sha256, rejected.box_left, rejected.box_top, rejected.box_width, rejected.box_height,
    rejected.confidence, rejected.reasons, rejected.engine, rejected.gallery, rejected.model
FROM rejected_faces AS rejected
JOIN photos AS photo ON photo.id = rejected.photo_id
""",
)

SCANS = View(
    "v1_scans",
    "one row per run of `catalog scan`",
    columns(
        scan_id="number of the scan, in order of start",
        started_at="UTC",
        finished_at="UTC; null: running, or killed",
        state="running, completed, interrupted, limited or failed",
        exit_code="exit code of the scan, without the checks of --fail-on (9); null: not ended",
        engine="local or rekognition",
        gallery="gallery or collection",
        model="networks and version",
        version="version of the program",
        discovered="photos found in the sources: the sum of the next seven counts",
        new="photos recorded for the first time",
        unchanged="locations without a change",
        changed="locations with new content",
        moved="known content at a new location, the old location is missing",
        duplicate="known content at a new location, the old location is present",
        skipped="skipped by a rule",
        failed="could not be recorded",
        faces="faces enrolled",
        rejected="faces not enrolled",
        persons_new="persons added",
        calls="paid calls made, 0 with the local engine",
        dollars="US dollars, by the price list",
    ),
    """
SELECT scan.id AS scan_id, scan.started_at, scan.finished_at, scan.state, scan.exit_code, scan.engine, scan.gallery,
    scan.model, scan.version, scan.discovered, scan.new, scan.unchanged, scan.changed, scan.moved, scan.duplicate,
    scan.skipped, scan.failed, scan.faces, scan.rejected, scan.persons_new,
    COALESCE((SELECT SUM(charge.calls) FROM charges AS charge WHERE charge.scan_id = scan.id), 0) AS calls,
    COALESCE((SELECT SUM(charge.microdollars) FROM charges AS charge WHERE charge.scan_id = scan.id), 0) / 1000000.0
        AS dollars
FROM scans AS scan
""",
)

CHARGES = View(
    "v1_charges",
    "paid calls, grouped by operation",
    columns(
        charged_at="UTC",
        scan_id="number of the scan; null: another command",
        command="scan, find-person, analyze, compare ...",
        engine="engine that was charged",
        region="AWS region; empty elsewhere",
        operation="IndexFaces, SearchFaces, SearchFacesByImage, DetectFaces or CompareFaces",
        calls="answered calls, 1 or more",
        dollars="US dollars, by the price list",
    ),
    """
SELECT charge.charged_at, charge.scan_id, charge.command, charge.engine, charge.region, charge.operation, charge.calls,
    charge.microdollars / 1000000.0 AS dollars
FROM charges AS charge
""",
)

PROBLEMS = View(
    "v1_problems",
    "photos that a scan skipped or failed on, with the reason",
    columns(
        scan_id="number of the scan",
        uri="the place",
        outcome="failed or skipped",
        reason="one sentence",
        photo_sha256="content hash; null: not readable",
        at="UTC",
    ),
    """
SELECT problem.scan_id, problem.uri, problem.outcome, problem.reason, problem.sha256 AS photo_sha256, problem.at
FROM problems AS problem
""",
)

DECISIONS = View(
    "v1_decisions",
    "decisions of users, in order",
    columns(
        decision_id="number of the decision",
        decided_at="UTC",
        decided_by="login name of the user, or the program that imported it",
        verb="name, merge, split, confirm, reject, not_a_face, hide ...",
        person_id="public id of the person; null: no person",
        other_person_id="public id of a second person; null: none",
        name="new name; null: none",
        photo_sha256="content hash of the photo, for a decision on one face; null: other decisions",
        undone="true: undone by a later decision",
    ),
    """
SELECT decision.id AS decision_id, decision.decided_at, decision.decided_by, decision.verb, decision.person_id,
    decision.other_person_id, decision.name, decision.photo_sha256, decision.undone_by IS NOT NULL AS undone
FROM decisions AS decision
""",
)

STACKS = View(
    "v1_stacks",
    "one row per photo of a stack: files of one exposure, of which one counts in statistics",
    columns(
        counted_sha256="content hash of the photo that counts; the rows of one stack have the same",
        photo_sha256="content hash of the photo",
        counts="true: this photo counts",
        evidence="name (another format), edit (an edit or a copy), image (a similar image with the same faces), user "
        "(a decision); null: this photo counts",
        uri=URI,
        path=PATH,
        width="width of the upright image, pixels",
        height="height of the upright image, pixels",
    ),
    """
SELECT counted.sha256 AS counted_sha256, photo.sha256 AS photo_sha256, stacked.photo_id IS NULL AS counts,
    stacked.evidence, PHOTO_PLACE(photo) AS uri, PHOTO_PATH(photo) AS path, photo.width, photo.height
FROM photos AS photo
LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = photo.id
JOIN photos AS counted ON counted.id = COALESCE(stacked.counted_id, photo.id)
WHERE stacked.photo_id IS NOT NULL
    OR EXISTS (SELECT 1 FROM stacked_photos AS others WHERE others.counted_id = photo.id)
""",
)
