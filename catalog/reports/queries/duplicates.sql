-- Which photos have more than one location?
-- parameters: since until person album
-- One row per location, copies of the same content in consecutive rows. Missing locations are left out.
WITH copied AS (
    SELECT place.photo_id, COUNT(*) AS copies
    FROM locations AS place
    WHERE place.missing_since IS NULL
    GROUP BY place.photo_id
    HAVING COUNT(*) > 1
)
SELECT photo.sha256 AS photo_sha256, copied.copies, photo.size, place.uri
FROM copied
JOIN photos AS photo ON photo.id = copied.photo_id
JOIN locations AS place ON place.photo_id = copied.photo_id
WHERE place.missing_since IS NULL AND PASSES_FILTERS(photo)
    AND (:person = '' OR photo.id IN (
        SELECT assigned.photo_id
        FROM persons AS person
        JOIN assignments AS assigned ON assigned.person_id = person.id
        WHERE person.person_id = :person AND IN_GALLERY(assigned.face_id)
    ))
ORDER BY copied.copies DESC, photo.id, place.uri
LIMIT :limit
