"""Version 1 of the views that reports and users rely on: persons and faces.

All views follow these rules:

- ``face_id`` and ``person_id`` are the public ids. ``photo_sha256`` identifies a photo.
- Times are ISO 8601 in UTC and end in ``Z``. ``taken_at_offset`` beside ``taken_at`` is the offset of the camera in
  minutes east of UTC. If it is null the camera stored no offset, and ``taken_at`` is its local time.
- A date may be a year or a month. ``taken_at`` is then its first second, and means no more than ``taken_date`` says.
  Days, months and years of photos are those of the place: ``taken_date``, ``taken_local``, ``first_day``, ``month``.
- Booleans are 1 or 0 on SQLite, true or false on PostgreSQL.
- Faces marked as not a face, and forgotten faces, are left out. Merged persons are left out: the canonical person has
  their faces.
- Hidden persons are in the views about persons and faces, with ``hidden``. The views that aggregate over persons (by
  month, co-occurrence) leave them out.
- A photo without a present location is included, with ``missing_since``, until it is pruned.
"""

from __future__ import annotations

from catalog.store.photo_views import (
    BOX,
    CHARGES,
    DECISIONS,
    LOCATIONS,
    PATH,
    PHOTOS,
    PROBLEMS,
    REJECTED_FACES,
    SCANS,
    STACKS,
    TAKEN,
    URI,
)
from catalog.store.public_views import View, columns
from catalog.store.screening_views import SCREENING_VIEWS

FIRST_DAY = "first local day of these photos, cut to its precision: 1948, 1948-06 or 1948-06-12; null: no date"
LAST_DAY = "last local day of these photos, as first_day"

_BOOLEAN_ATTRIBUTES = {
    "smile": "smiles",
    "eyeglasses": "wears eyeglasses",
    "sunglasses": "wears sunglasses",
    "beard": "has a beard",
    "mustache": "has a mustache",
    "eyes_open": "has open eyes",
    "mouth_open": "has an open mouth",
    "face_occluded": "is partly covered",
}

PEOPLE = View(
    "v1_people",
    "one row per person with a name or a face",
    columns(
        person_id="permanent public id of the person",
        name="name by a user; null: unnamed",
        faces="faces of this person, 0 or more; files of one exposure count once",
        photos="photos that show this person, 0 or more; a photo counts once, and so do the files of one exposure",
        first_seen="earliest taken_at of a photo with this person, UTC; null: no photo with a date",
        last_seen="latest taken_at of a photo with this person, UTC; null: no photo with a date",
        hidden="true: excluded from lists and reports",
        birth_date="YYYY-MM-DD; null: unknown",
        created_at="when the person was added, UTC",
        external_ids="JSON object of ids elsewhere by scheme (qid, viaf, gnd ...); null: none",
        apparent_age="mean over the faces of the middle of their age range, years; null: no face with an age",
        apparent_birth_year="mean over the dated photos of year minus apparent age; null: no dated face with an age",
        first_day=FIRST_DAY,
        last_day=LAST_DAY,
    ),
    """
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
    SELECT assigned.person_id, COUNTED_FACES(stacked) AS faces,
        COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen,
        MIN(LOCAL_DAY(photo)) AS first_day, MAX(LOCAL_DAY(photo)) AS last_day
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = assigned.photo_id
    GROUP BY assigned.person_id
) AS seen ON seen.person_id = person.id
WHERE person.merged_into IS NULL AND (person.name IS NOT NULL OR seen.faces IS NOT NULL)
""",
)

APPEARANCES = View(
    "v1_appearances",
    "one row per face of a person: person, photo and position",
    columns(
        photo_sha256="SHA-256 of the photo's bytes, 64 hex digits",
        uri=URI,
        taken_at=TAKEN["taken_at"],
        person_id="public id of the person",
        name="name of the person; null: unnamed",
        face_id="the gallery's id of the face, a UUID",
        similarity="similarity to the person's other faces at the assignment, 0-100; null: by a user, or only face",
        **BOX,
        taken_at_offset=TAKEN["taken_at_offset"],
        missing_since="when the last location of the photo was missed, UTC; null: present",
        assigned_by="cluster or human",
        hidden="true: the person is excluded from lists and reports",
        path=PATH,
        taken_date=TAKEN["taken_date"],
    ),
    """
SELECT photo.sha256 AS photo_sha256, PHOTO_PLACE(photo) AS uri, photo.taken_at, person.person_id,
    person.name, face.face_id, assigned.similarity, face.box_left, face.box_top, face.box_width, face.box_height,
    photo.taken_at_offset, PHOTO_MISSING(photo) AS missing_since, assigned."by" AS assigned_by,
    person.hidden, PHOTO_PATH(photo) AS path, LOCAL_DATE(photo) AS taken_date
FROM assignments AS assigned
JOIN persons AS person ON person.id = assigned.person_id
JOIN faces AS face ON face.id = assigned.face_id
JOIN photos AS photo ON photo.id = face.photo_id
WHERE NOT face.not_a_face AND person.merged_into IS NULL
""",
)

NAMED_APPEARANCES = View(
    "v1_named_appearances",
    "one row per person on a photo without a detected face, as a file of another program states it",
    columns(
        photo_sha256="SHA-256 of the photo's bytes, 64 hex digits",
        uri=URI,
        path=PATH,
        taken_at=TAKEN["taken_at"],
        taken_at_offset=TAKEN["taken_at_offset"],
        person_id="public id of the person",
        name="name of the person",
        **{name: f"{meaning}; null: the file gives no position" for name, meaning in BOX.items()},
        source="file that states the name",
        hidden="true: the person is excluded from lists and reports",
        missing_since="when the last location of the photo was missed, UTC; null: present",
        taken_date=TAKEN["taken_date"],
    ),
    """
SELECT photo.sha256 AS photo_sha256, PHOTO_PLACE(photo) AS uri, PHOTO_PATH(photo) AS path, photo.taken_at,
    photo.taken_at_offset, person.person_id, person.name, named.box_left, named.box_top, named.box_width,
    named.box_height, named.source, person.hidden, PHOTO_MISSING(photo) AS missing_since,
    LOCAL_DATE(photo) AS taken_date
FROM named_appearances AS named
JOIN persons AS stated ON stated.id = named.person_id
JOIN persons AS person ON person.id = COALESCE(stated.merged_into, stated.id)
JOIN photos AS photo ON photo.id = named.photo_id
WHERE photo.left_out_by IS NULL AND NOT EXISTS (
    SELECT 1 FROM assignments AS assigned
    WHERE assigned.photo_id = named.photo_id AND assigned.person_id = person.id
)
""",
)

FACES = View(
    "v1_faces",
    "one row per face with its attributes",
    columns(
        face_id="the gallery's id of the face, a UUID",
        photo_sha256="content hash of the photo",
        person_id="public id of the person; null: unassigned",
        **BOX,
        confidence="confidence that the box contains a face, 0-100",
        roll="rotation in the image plane, degrees, -180 to 180; null: not measured",
        yaw="turn to the side, degrees, -180 to 180; null: not measured",
        pitch="nod, degrees, -180 to 180; null: not measured",
        brightness="brightness of the face, 0-100; null: not measured",
        sharpness="sharpness of the face, 0-100; null: not measured",
        age_low="lower end of the apparent age, years; null: not measured",
        age_high="upper end of the apparent age, years; null: not measured",
        gender="Male or Female, as it appears; null: not measured",
        gender_confidence="confidence of gender, 0-100; null: not measured",
        **{
            name: meaning
            for attribute, statement in _BOOLEAN_ATTRIBUTES.items()
            for name, meaning in (
                (attribute, f"{statement}; null: not measured"),
                (f"{attribute}_confidence", f"confidence of {attribute}, 0-100; null: not measured"),
            )
        },
        emotion="strongest apparent expression; null: not measured",
        emotion_confidence="confidence of emotion, 0-100; null: not measured",
        hidden="true: the person is excluded from lists and reports; null: unassigned",
        engine="local or rekognition",
        gallery="gallery or collection with the face",
        model="networks and version that detected the face",
        enrolled_at="when the face was enrolled, UTC",
        eye_yaw="direction of the eyes to the side, degrees, as yaw; null: not measured",
        eye_pitch="direction of the eyes up or down, degrees, as pitch; null: not measured",
        eye_direction_confidence="confidence of eye_yaw and eye_pitch, 0-100; null: not measured",
    ),
    """
SELECT face.face_id, photo.sha256 AS photo_sha256, person.person_id,
    face.box_left, face.box_top, face.box_width, face.box_height, face.confidence, face.roll, face.yaw, face.pitch,
    face.brightness, face.sharpness, face.age_low, face.age_high, face.gender, face.gender_confidence,
    face.smile, face.smile_confidence, face.eyeglasses, face.eyeglasses_confidence, face.sunglasses,
    face.sunglasses_confidence, face.beard, face.beard_confidence, face.mustache, face.mustache_confidence,
    face.eyes_open, face.eyes_open_confidence, face.mouth_open, face.mouth_open_confidence, face.face_occluded,
    face.face_occluded_confidence,
    face.emotion, face.emotion_confidence, person.hidden, face.engine, face.gallery, face.model, face.enrolled_at,
    face.eye_yaw, face.eye_pitch, face.eye_direction_confidence
FROM faces AS face
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face
""",
)

EMOTIONS = View(
    "v1_emotions",
    "one row per face and emotion: apparent expression, not a feeling",
    columns(
        face_id="the gallery's id of the face, a UUID",
        type="HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR or UNKNOWN",
        confidence="0-100; the emotions of a face are independent and need not add up to 100",
    ),
    """
SELECT face.face_id, emotion.type, emotion.confidence
FROM emotions AS emotion
JOIN faces AS face ON face.id = emotion.face_id
WHERE NOT face.not_a_face
""",
)

EMOTIONS_BY_MONTH = View(
    "v1_emotions_by_month",
    "faces of each month by strongest emotion; hidden persons are left out, files of one exposure count once",
    columns(
        month="YYYY-MM in local time of the camera; photos whose month is not known are left out",
        type="strongest emotion of these faces; a type without faces has no row",
        faces="faces of the month with this strongest emotion, 1 or more",
        measured="faces of the month with measured emotions, 1 or more",
        share="faces as a share of measured, percent, above 0 to 100",
    ),
    """
SELECT counted.month, counted.type, counted.faces,
    CAST(SUM(counted.faces) OVER (PARTITION BY counted.month) AS INTEGER) AS measured,
    100.0 * counted.faces / SUM(counted.faces) OVER (PARTITION BY counted.month) AS share
FROM (
    SELECT LOCAL_MONTH(photo) AS month, face.emotion AS type, COUNT(*) AS faces
    FROM faces AS face
    JOIN photos AS photo ON photo.id = face.photo_id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND photo.taken_local IS NOT NULL
        AND COALESCE(photo.taken_at_precision, '') <> 'year'
        AND face.id NOT IN HIDDEN_FACES()
        AND NOT EXISTS (SELECT 1 FROM stacked_photos AS stacked WHERE stacked.photo_id = photo.id)
    GROUP BY 1, 2
) AS counted
""",
)

CO_OCCURRENCE = View(
    "v1_co_occurrence",
    "pairs of persons on the same photos, each pair once; hidden persons are left out",
    columns(
        person_a_id="public id of the first person",
        name_a="name of the first person; null: unnamed",
        person_b_id="public id of the second person",
        name_b="name of the second person; null: unnamed",
        photos="photos with both persons, 1 or more; files of one exposure count once",
        first_seen="earliest taken_at of these photos, UTC; null: none has a date",
        last_seen="latest taken_at of these photos, UTC; null: none has a date",
        first_day=FIRST_DAY,
        last_day=LAST_DAY,
    ),
    """
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b,
    pair.photos, pair.first_seen, pair.last_seen, pair.first_day, pair.last_day
FROM (
    SELECT one.person_id AS a, other.person_id AS b,
        COUNT(DISTINCT COALESCE(stacked.counted_id, photo.id)) AS photos,
        MIN(photo.taken_at) AS first_seen, MAX(photo.taken_at) AS last_seen,
        MIN(LOCAL_DAY(photo)) AS first_day, MAX(LOCAL_DAY(photo)) AS last_day
    FROM assignments AS one
    JOIN assignments AS other ON other.photo_id = one.photo_id AND other.person_id > one.person_id
    JOIN photos AS photo ON photo.id = one.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = photo.id
    GROUP BY one.person_id, other.person_id
) AS pair
JOIN persons AS a ON a.id = pair.a
JOIN persons AS b ON b.id = pair.b
WHERE NOT a.hidden AND NOT b.hidden AND a.merged_into IS NULL AND b.merged_into IS NULL
""",
)

VIEWS = (
    PEOPLE,
    APPEARANCES,
    NAMED_APPEARANCES,
    FACES,
    EMOTIONS,
    EMOTIONS_BY_MONTH,
    CO_OCCURRENCE,
    PHOTOS,
    LOCATIONS,
    REJECTED_FACES,
    SCANS,
    CHARGES,
    PROBLEMS,
    DECISIONS,
    *SCREENING_VIEWS,
    STACKS,
)
"""Every view, in an order in which they can be created."""
