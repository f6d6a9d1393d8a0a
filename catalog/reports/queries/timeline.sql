-- How many photos, photos with faces, faces and people does each month have?
-- parameters: since until person album
-- Files of one exposure count once. Months are local time of the camera. Photos of which only the year is known have a
-- row with the year. Undated photos come last. With a person, only photos of that person count.
WITH scoped AS (
    SELECT photo.id, LOCAL_MONTH(photo) AS month
    FROM photos AS photo
    WHERE photo.left_out_by IS NULL AND PASSES_FILTERS(photo) AND COUNTS(photo) AND (:person = '' OR photo.id IN (
        SELECT COALESCE(stacked.counted_id, assigned.photo_id)
        FROM persons AS person
        JOIN assignments AS assigned ON assigned.person_id = person.id
        LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = assigned.photo_id
        WHERE person.person_id = :person AND IN_GALLERY(assigned.face_id)
    ))
),
pictured AS (
    SELECT scoped.month, COUNT(*) AS photos, COUNT(held.faces) AS with_faces, SUM(held.faces) AS faces
    FROM scoped
    LEFT JOIN (
        SELECT face.photo_id, COUNT(*) AS faces FROM faces AS face
        WHERE NOT face.not_a_face AND IN_GALLERY(face.id)
        GROUP BY face.photo_id
    ) AS held ON held.photo_id = scoped.id
    GROUP BY scoped.month
),
met AS (
    SELECT scoped.month, COUNT(DISTINCT assigned.person_id) AS people
    FROM scoped
    JOIN assignments AS assigned ON assigned.photo_id = scoped.id
    JOIN persons AS person ON person.id = assigned.person_id
    WHERE NOT person.hidden AND IN_GALLERY(assigned.face_id)
    GROUP BY scoped.month
)
SELECT pictured.month, pictured.photos, pictured.with_faces, COALESCE(pictured.faces, 0) AS faces,
    COALESCE(met.people, 0) AS people
FROM pictured
LEFT JOIN met ON met.month = pictured.month OR (met.month IS NULL AND pictured.month IS NULL)
ORDER BY pictured.month IS NULL, pictured.month
LIMIT :limit
