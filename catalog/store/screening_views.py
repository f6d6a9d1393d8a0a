"""Views on the watch list, its hits, employees and the verification log. ``face_views`` has the rules for all views."""

from __future__ import annotations

from catalog.store.photo_views import BOX, PATH, URI
from catalog.store.public_views import View, columns

WATCHES = View(
    "v1_watches",
    "one row per person of interest on the watch list",
    columns(
        name="name of the entry",
        threshold="lowest similarity of a hit, 0-100",
        reference_faces="reference faces, 1 or more",
        negative_faces="faces of other persons who look similar, 0 or more",
        hits="hits, reviewed ones included, 0 or more",
        open_hits="hits that no user has reviewed, 0 or more",
        created_at="UTC",
        created_by="login name of the user who added it",
    ),
    """
SELECT watch.name, watch.threshold,
    (SELECT COUNT(*) FROM watch_references AS shown WHERE shown.watch_id = watch.id AND NOT shown.negative)
        AS reference_faces,
    (SELECT COUNT(*) FROM watch_references AS shown WHERE shown.watch_id = watch.id AND shown.negative)
        AS negative_faces,
    (SELECT COUNT(*) FROM watch_hits AS hit WHERE hit.watch_id = watch.id) AS hits,
    (SELECT COUNT(*) FROM watch_hits AS hit WHERE hit.watch_id = watch.id AND hit.state = 'open') AS open_hits,
    watch.created_at, watch.created_by
FROM watches AS watch
""",
)

HITS = View(
    "v1_hits",
    "faces similar to the watch list: unreviewed until state is confirmed or dismissed",
    columns(
        hit_id="number of the hit, as `watch hits` shows it",
        watch="name of the entry on the watch list",
        state="open, confirmed or dismissed",
        similarity="to the best reference, 0-100",
        margin="similarity minus that of the best negative reference; null: none matches",
        face_id="the gallery's id of the face, a UUID",
        **BOX,
        photo_sha256="content hash of the photo",
        uri=URI,
        taken_at="when the photo was taken, UTC; null: unknown",
        person_id="public id of the face's person; null: unassigned",
        hidden="true: the person is excluded from lists and reports; null: unassigned",
        found_at="UTC",
        scan_id="number of the scan that found it; null: `watch check`, or the scan is deleted",
        reviewed_at="UTC; null: open",
        reviewed_by="login name of the user who reviewed it; null: open",
        engine="local or rekognition",
        gallery="gallery or collection with the face",
        path=PATH,
    ),
    """
SELECT hit.id AS hit_id, watch.name AS watch, hit.state, hit.similarity, hit.margin, face.face_id,
    face.box_left, face.box_top, face.box_width, face.box_height, photo.sha256 AS photo_sha256,
    PHOTO_PLACE(photo) AS uri, photo.taken_at, person.person_id, person.hidden, hit.found_at, hit.scan_id,
    hit.reviewed_at, hit.reviewed_by, face.engine, face.gallery, PHOTO_PATH(photo) AS path
FROM watch_hits AS hit
JOIN watches AS watch ON watch.id = hit.watch_id
JOIN faces AS face ON face.id = hit.face_id
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face
""",
)

EMPLOYEES = View(
    "v1_employees",
    "one row per employee enrolled for verification",
    columns(
        employee_id="the employee's id in the user's own system",
        reference_faces="reference faces, 1 or more",
        enrolled_at="UTC, of the first reference",
        enrolled_by="login name of the user who enrolled the employee",
    ),
    """
SELECT employee.employee_id,
    (SELECT COUNT(*) FROM employee_references AS shown WHERE shown.employee_id = employee.id) AS reference_faces,
    employee.enrolled_at, employee.enrolled_by
FROM employees AS employee
""",
)

VERIFICATIONS = View(
    "v1_verifications",
    "the verification log: each attempt to enroll or verify, and each removal; `catalog audit` checks its chain",
    columns(
        entry="number of the entry",
        at="UTC",
        what="enroll, verify or remove; null: the content was forgotten with the employee",
        employee_id="id of the attempt, which need not be enrolled; null: forgotten, or a removal",
        verdict="enrolled, refused, accepted, cannot tell or failed; null: forgotten, or a removal",
        similarity="to the best reference, 0-100; null: not compared",
        accept="lowest accepted similarity of a verification, 0-100; null: no verification",
        refuse="similarity below which a verification is refused, 0-100; null: no verification",
        photo_sha256="SHA-256 of the photo's bytes; null: no photo, not readable, or an earlier version's enrollment",
        reasons="sentences, separated by spaces; null: none",
        login="login name of the user; null: forgotten",
        engine="local or rekognition; null: forgotten, or a removal",
        model="networks and version; null: forgotten, a removal, or a photo that could not be read",
    ),
    """
SELECT entry.id AS entry, entry.at, LOG_TEXT(what) AS what, LOG_TEXT(employee_id) AS employee_id,
    LOG_TEXT(verdict) AS verdict, CAST(LOG_TEXT(similarity) AS DOUBLE PRECISION) AS similarity,
    CAST(LOG_TEXT(accept) AS DOUBLE PRECISION) AS accept, CAST(LOG_TEXT(refuse) AS DOUBLE PRECISION) AS refuse,
    LOG_TEXT(photo_sha256) AS photo_sha256, LOG_SENTENCES(reasons) AS reasons, LOG_TEXT(by) AS login,
    LOG_TEXT(engine) AS engine, LOG_TEXT(model) AS model
FROM verifications AS entry
""",
)

SCREENING_VIEWS = (WATCHES, HITS, EMPLOYEES, VERIFICATIONS)
