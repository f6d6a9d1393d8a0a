-- Which apparent expression does each named person show most, and how often?
-- also: sentiment-by-person
-- parameters: since until person album
-- band: faces of measured
-- Files of one exposure count once. An expression is what a face shows, not what a person feels.
-- Hidden people are left out.
WITH counted AS (
    SELECT assigned.person_id, face.emotion, COUNT(*) AS faces
    FROM faces AS face
    -- A CROSS JOIN has SQLite read the faces in the order of their narrow index, not at random.
    CROSS JOIN assignments AS assigned
    WHERE assigned.face_id = face.id AND NOT face.not_a_face AND face.emotion IS NOT NULL
        AND IN_GALLERY(face.id) AND (
        (:since = '' AND :album = ''
            AND face.photo_id NOT IN (SELECT stacked.photo_id FROM stacked_photos AS stacked))
        OR face.photo_id IN (SELECT photo.id FROM photos AS photo WHERE PASSES_FILTERS(photo) AND COUNTS(photo))
    )
    GROUP BY assigned.person_id, face.emotion
),
summed AS (
    SELECT counted.*, SUM(counted.faces) OVER (PARTITION BY counted.person_id) AS measured FROM counted
)
SELECT person.person_id, person.name, summed.emotion, summed.faces, summed.measured
FROM summed
JOIN persons AS person ON person.id = summed.person_id
WHERE person.merged_into IS NULL AND NOT person.hidden
    AND (person.person_id = :person OR (:person = '' AND person.name IS NOT NULL))
ORDER BY summed.measured DESC, person.name, person.person_id, summed.faces DESC, summed.emotion
LIMIT :limit
