"""Views about photos, places, scans, money and decisions; see ``catalog.store.face_views`` for what holds for all."""

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
    "taken_at_offset": "minutes east of UTC where it was taken; null: unknown, and taken_at is the wall clock",
}
URI = "a place where the photo is: the first of those that stand, else the last known; file:// or s3://"

PHOTOS = View(
    "v1_photos",
    "one row per photo: distinct content, wherever its copies are",
    columns(
        photo_sha256="SHA-256 of the photo's bytes, 64 hex digits",
        uri=URI,
        places="places where this content stands now, 0 or more; above 1 it has copies",
        missing_since="when its last place was missed, UTC; null: it is there",
        taken_at=TAKEN["taken_at"],
        taken_at_offset=TAKEN["taken_at_offset"],
        taken_local="the camera's wall clock, YYYY-MM-DDTHH:MM:SS without a zone; null: unknown",
        camera_make="maker of the camera; null: unknown",
        camera_model="model of the camera; null: unknown",
        gps_latitude="degrees, WGS 84, -90 to 90, north positive; null: unknown",
        gps_longitude="degrees, WGS 84, -180 to 180, east positive; null: unknown",
        gps_altitude="meters above sea level; null: unknown",
        format="JPEG, PNG, WEBP, TIFF, GIF, HEIF, AVIF, BMP, JPEG2000, JPEGXL, PSD, PCX, PNM, TGA or RAW",
        width="width of the upright image, pixels",
        height="height of the upright image, pixels",
        size="size of the file, bytes",
        faces="faces found on it, 0 or more",
        recorded_at="when the catalogue first recorded this content, UTC",
    ),
    """
SELECT photo.sha256 AS photo_sha256, PHOTO_PLACE(photo) AS uri,
    (SELECT COUNT(*) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL) AS places,
    PHOTO_MISSING(photo) AS missing_since, photo.taken_at, photo.taken_at_offset,
    LOCAL_TIME(photo) AS taken_local, photo.camera_make, photo.camera_model,
    photo.gps_latitude, photo.gps_longitude, photo.gps_altitude, photo.format, photo.width, photo.height, photo.size,
    (SELECT COUNT(*) FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face) AS faces,
    photo.recorded_at
FROM photos AS photo
WHERE photo.left_out_by IS NULL
""",
)

LOCATIONS = View(
    "v1_locations",
    "one row per place where a photo was seen",
    columns(
        photo_sha256="the photo that is there",
        uri="the place; file:// percent-encoded from the raw bytes of the name, or s3://",
        album="the folder or prefix that holds it, as a uri that ends in a slash",
        size="size in bytes when last read",
        first_seen="when a scan first saw this place with this content, UTC",
        missing_since="when a completed scan first missed it, UTC; null: it is there",
        left_out_by="the exclusion rule that left it out of a scan; null: not left out",
    ),
    """
SELECT photo.sha256 AS photo_sha256, place.uri, rtrim(place.uri, replace(place.uri, '/', '')) AS album, place.size,
    place.first_seen, place.missing_since, place.left_out_by
FROM locations AS place
JOIN photos AS photo ON photo.id = place.photo_id
""",
)

REJECTED_FACES = View(
    "v1_rejected_faces",
    "faces that were detected and kept out of the gallery",
    columns(
        photo_sha256="the photo it appears in",
        **BOX,
        confidence="certainty that the box holds a face, 0-100",
        reasons="Amazon Rekognition's words (LOW_SHARPNESS, SMALL_BOUNDING_BOX ...), separated by spaces",
        engine="local or rekognition",
        gallery="the gallery it was kept out of",
        model="networks and version that saw it",
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
        scan_id="number of the scan, in the order of their beginnings",
        started_at="UTC",
        finished_at="UTC; null: it is running, or was killed",
        state="running, completed, interrupted, limited or failed",
        exit_code="what the command returned; null: it has not ended",
        engine="local or rekognition",
        gallery="the gallery or collection used",
        model="networks and version used",
        version="version of the program",
        discovered="photos found in the sources: the sum of the seven below",
        new="photos recorded for the first time",
        unchanged="places that look as they did",
        changed="places whose content changed",
        moved="known content in a new place, its old place gone",
        duplicate="known content in a new place, its old place still there",
        skipped="left on purpose",
        failed="tried and not recorded",
        faces="faces enrolled",
        rejected="faces kept out of the gallery",
        persons_new="persons made",
        calls="paid calls made, 0 with the local engine",
        dollars="what they cost in US dollars, as the price list says",
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
    "every paid call, or group of calls of one kind",
    columns(
        charged_at="UTC",
        scan_id="number of the scan; null: another command",
        command="scan, find-person, analyze, compare ...",
        engine="who was paid",
        region="AWS region; empty elsewhere",
        operation="IndexFaces, SearchFaces, SearchFacesByImage, DetectFaces or CompareFaces",
        calls="calls that were answered, 1 or more",
        dollars="what they cost in US dollars, as the price list says",
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
        photo_sha256="SHA-256 of the bytes; null: they could not be read",
        at="UTC",
    ),
    """
SELECT problem.scan_id, problem.uri, problem.outcome, problem.reason, problem.sha256 AS photo_sha256, problem.at
FROM problems AS problem
""",
)

DECISIONS = View(
    "v1_decisions",
    "what humans decided, in order",
    columns(
        decision_id="number of the decision",
        decided_at="UTC",
        decided_by="login name of the human, or the program that imported it",
        verb="name, merge, split, confirm, reject, not_a_face, hide ...",
        person_id="public id of the person decided on; null: no person",
        other_person_id="public id of a second person; null: none",
        name="the name given; null: none",
        photo_sha256="the photo, for a decision on one face; null: not on a face",
        undone="true: a later undo took it back",
    ),
    """
SELECT decision.id AS decision_id, decision.decided_at, decision.decided_by, decision.verb, decision.person_id,
    decision.other_person_id, decision.name, decision.photo_sha256, decision.undone_by IS NOT NULL AS undone
FROM decisions AS decision
""",
)
