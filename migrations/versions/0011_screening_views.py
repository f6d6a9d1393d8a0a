"""Views of the watch list, its hits, employees and the verification log."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SQLITE = [
    """CREATE VIEW v1_watches AS
SELECT watch.name, watch.threshold,
    (SELECT COUNT(*) FROM watch_references AS shown WHERE shown.watch_id = watch.id AND NOT shown.negative)
        AS reference_faces,
    (SELECT COUNT(*) FROM watch_references AS shown WHERE shown.watch_id = watch.id AND shown.negative)
        AS negative_faces,
    (SELECT COUNT(*) FROM watch_hits AS hit WHERE hit.watch_id = watch.id) AS hits,
    (SELECT COUNT(*) FROM watch_hits AS hit WHERE hit.watch_id = watch.id AND hit.state = 'open') AS open_hits,
    watch.created_at, watch.created_by
FROM watches AS watch""",
    """CREATE VIEW v1_hits AS
SELECT hit.id AS hit_id, watch.name AS watch, hit.state, hit.similarity, hit.margin, face.face_id,
    face.box_left, face.box_top, face.box_width, face.box_height, photo.sha256 AS photo_sha256,
    COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, photo.taken_at, person.person_id, person.hidden, hit.found_at, hit.scan_id,
    hit.reviewed_at, hit.reviewed_by, face.engine, face.gallery, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path
FROM watch_hits AS hit
JOIN watches AS watch ON watch.id = hit.watch_id
JOIN faces AS face ON face.id = hit.face_id
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face""",
    """CREATE VIEW v1_employees AS
SELECT employee.employee_id,
    (SELECT COUNT(*) FROM employee_references AS shown WHERE shown.employee_id = employee.id) AS reference_faces,
    employee.enrolled_at, employee.enrolled_by
FROM employees AS employee""",
    """CREATE VIEW v1_verifications AS
SELECT entry.id AS entry, entry.at, json_extract(entry.content, '$.what') AS what, json_extract(entry.content, '$.employee_id') AS employee_id,
    json_extract(entry.content, '$.verdict') AS verdict, CAST(json_extract(entry.content, '$.similarity') AS DOUBLE PRECISION) AS similarity,
    CAST(json_extract(entry.content, '$.accept') AS DOUBLE PRECISION) AS accept, CAST(json_extract(entry.content, '$.refuse') AS DOUBLE PRECISION) AS refuse,
    json_extract(entry.content, '$.photo_sha256') AS photo_sha256, (SELECT group_concat(part.value, ' ') FROM json_each(entry.content, '$.reasons') AS part) AS reasons, json_extract(entry.content, '$.by') AS login,
    json_extract(entry.content, '$.engine') AS engine, json_extract(entry.content, '$.model') AS model
FROM verifications AS entry""",
]

POSTGRESQL = [
    """CREATE VIEW v1_watches AS
SELECT watch.name, watch.threshold,
    (SELECT COUNT(*) FROM watch_references AS shown WHERE shown.watch_id = watch.id AND NOT shown.negative)
        AS reference_faces,
    (SELECT COUNT(*) FROM watch_references AS shown WHERE shown.watch_id = watch.id AND shown.negative)
        AS negative_faces,
    (SELECT COUNT(*) FROM watch_hits AS hit WHERE hit.watch_id = watch.id) AS hits,
    (SELECT COUNT(*) FROM watch_hits AS hit WHERE hit.watch_id = watch.id AND hit.state = 'open') AS open_hits,
    watch.created_at, watch.created_by
FROM watches AS watch""",
    """COMMENT ON VIEW v1_watches IS 'one row per person of interest on the watch list'""",
    """COMMENT ON COLUMN v1_watches.name IS 'name of the entry'""",
    """COMMENT ON COLUMN v1_watches.threshold IS 'lowest similarity of a hit, 0-100'""",
    """COMMENT ON COLUMN v1_watches.reference_faces IS 'reference faces, 1 or more'""",
    """COMMENT ON COLUMN v1_watches.negative_faces IS 'faces of other persons who look similar, 0 or more'""",
    """COMMENT ON COLUMN v1_watches.hits IS 'hits, reviewed ones included, 0 or more'""",
    """COMMENT ON COLUMN v1_watches.open_hits IS 'hits that no user has reviewed, 0 or more'""",
    """COMMENT ON COLUMN v1_watches.created_at IS 'UTC'""",
    """COMMENT ON COLUMN v1_watches.created_by IS 'login name of the user who added it'""",
    """CREATE VIEW v1_hits AS
SELECT hit.id AS hit_id, watch.name AS watch, hit.state, hit.similarity, hit.margin, face.face_id,
    face.box_left, face.box_top, face.box_width, face.box_height, photo.sha256 AS photo_sha256,
    COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = photo.id)
    ) AS uri, photo.taken_at, person.person_id, person.hidden, hit.found_at, hit.scan_id,
    hit.reviewed_at, hit.reviewed_by, face.engine, face.gallery, (SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = photo.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1) AS path
FROM watch_hits AS hit
JOIN watches AS watch ON watch.id = hit.watch_id
JOIN faces AS face ON face.id = hit.face_id
JOIN photos AS photo ON photo.id = face.photo_id
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
WHERE NOT face.not_a_face""",
    """COMMENT ON VIEW v1_hits IS 'faces similar to the watch list: unreviewed until state is confirmed or dismissed'""",
    """COMMENT ON COLUMN v1_hits.hit_id IS 'number of the hit, as `watch hits` shows it'""",
    """COMMENT ON COLUMN v1_hits.watch IS 'name of the entry on the watch list'""",
    """COMMENT ON COLUMN v1_hits.state IS 'open, confirmed or dismissed'""",
    """COMMENT ON COLUMN v1_hits.similarity IS 'to the best reference, 0-100'""",
    """COMMENT ON COLUMN v1_hits.margin IS 'similarity minus that of the best negative reference; null: none matches'""",
    """COMMENT ON COLUMN v1_hits.face_id IS 'the gallery''s id of the face, a UUID'""",
    """COMMENT ON COLUMN v1_hits.box_left IS 'left edge of the face, fraction of the upright width; may be below 0'""",
    """COMMENT ON COLUMN v1_hits.box_top IS 'top edge of the face, fraction of the upright height; may be below 0'""",
    """COMMENT ON COLUMN v1_hits.box_width IS 'width of the face, fraction of the upright width, above 0'""",
    """COMMENT ON COLUMN v1_hits.box_height IS 'height of the face, fraction of the upright height, above 0'""",
    """COMMENT ON COLUMN v1_hits.photo_sha256 IS 'content hash of the photo'""",
    """COMMENT ON COLUMN v1_hits.uri IS 'first present location of the photo, else its first missing one; file:// or s3://'""",
    """COMMENT ON COLUMN v1_hits.taken_at IS 'when the photo was taken, UTC; null: unknown'""",
    """COMMENT ON COLUMN v1_hits.person_id IS 'public id of the face''s person; null: unassigned'""",
    """COMMENT ON COLUMN v1_hits.hidden IS 'true: the person is excluded from lists and reports; null: unassigned'""",
    """COMMENT ON COLUMN v1_hits.found_at IS 'UTC'""",
    """COMMENT ON COLUMN v1_hits.scan_id IS 'number of the scan that found it; null: `watch check`, or the scan is deleted'""",
    """COMMENT ON COLUMN v1_hits.reviewed_at IS 'UTC; null: open'""",
    """COMMENT ON COLUMN v1_hits.reviewed_by IS 'login name of the user who reviewed it; null: open'""",
    """COMMENT ON COLUMN v1_hits.engine IS 'local or rekognition'""",
    """COMMENT ON COLUMN v1_hits.gallery IS 'gallery or collection with the face'""",
    """COMMENT ON COLUMN v1_hits.path IS 'the uri as a user reads it: a path, or s3://bucket/key; control characters are escaped'""",
    """CREATE VIEW v1_employees AS
SELECT employee.employee_id,
    (SELECT COUNT(*) FROM employee_references AS shown WHERE shown.employee_id = employee.id) AS reference_faces,
    employee.enrolled_at, employee.enrolled_by
FROM employees AS employee""",
    """COMMENT ON VIEW v1_employees IS 'one row per employee enrolled for verification'""",
    """COMMENT ON COLUMN v1_employees.employee_id IS 'the employee''s id in the user''s own system'""",
    """COMMENT ON COLUMN v1_employees.reference_faces IS 'reference faces, 1 or more'""",
    """COMMENT ON COLUMN v1_employees.enrolled_at IS 'UTC, of the first reference'""",
    """COMMENT ON COLUMN v1_employees.enrolled_by IS 'login name of the user who enrolled the employee'""",
    """CREATE VIEW v1_verifications AS
SELECT entry.id AS entry, entry.at, (CAST(entry.content AS json) ->> 'what') AS what, (CAST(entry.content AS json) ->> 'employee_id') AS employee_id,
    (CAST(entry.content AS json) ->> 'verdict') AS verdict, CAST((CAST(entry.content AS json) ->> 'similarity') AS DOUBLE PRECISION) AS similarity,
    CAST((CAST(entry.content AS json) ->> 'accept') AS DOUBLE PRECISION) AS accept, CAST((CAST(entry.content AS json) ->> 'refuse') AS DOUBLE PRECISION) AS refuse,
    (CAST(entry.content AS json) ->> 'photo_sha256') AS photo_sha256, (SELECT string_agg(part.value, ' ') FROM json_array_elements_text(CAST(entry.content AS json) -> 'reasons') AS part) AS reasons, (CAST(entry.content AS json) ->> 'by') AS login,
    (CAST(entry.content AS json) ->> 'engine') AS engine, (CAST(entry.content AS json) ->> 'model') AS model
FROM verifications AS entry""",
    """COMMENT ON VIEW v1_verifications IS 'the verification log: each attempt to enroll or verify, and each removal; `catalog audit` checks its chain'""",
    """COMMENT ON COLUMN v1_verifications.entry IS 'number of the entry'""",
    """COMMENT ON COLUMN v1_verifications.at IS 'UTC'""",
    """COMMENT ON COLUMN v1_verifications.what IS 'enroll, verify or remove; null: the content was forgotten with the employee'""",
    """COMMENT ON COLUMN v1_verifications.employee_id IS 'id of the attempt, which need not be enrolled; null: forgotten, or a removal'""",
    """COMMENT ON COLUMN v1_verifications.verdict IS 'enrolled, refused, accepted, cannot tell or failed; null: forgotten, or a removal'""",
    """COMMENT ON COLUMN v1_verifications.similarity IS 'to the best reference, 0-100; null: not compared'""",
    """COMMENT ON COLUMN v1_verifications.accept IS 'lowest accepted similarity of a verification, 0-100; null: no verification'""",
    """COMMENT ON COLUMN v1_verifications.refuse IS 'similarity below which a verification is refused, 0-100; null: no verification'""",
    """COMMENT ON COLUMN v1_verifications.photo_sha256 IS 'SHA-256 of the photo''s bytes; null: no photo, not readable, or an earlier version''s enrollment'""",
    """COMMENT ON COLUMN v1_verifications.reasons IS 'sentences, separated by spaces; null: none'""",
    """COMMENT ON COLUMN v1_verifications.login IS 'login name of the user; null: forgotten'""",
    """COMMENT ON COLUMN v1_verifications.engine IS 'local or rekognition; null: forgotten, or a removal'""",
    """COMMENT ON COLUMN v1_verifications.model IS 'networks and version; null: forgotten, a removal, or a photo that could not be read'""",
]


def upgrade() -> None:
    connection = op.get_bind()
    for statement in {"sqlite": SQLITE, "postgresql": POSTGRESQL}[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
