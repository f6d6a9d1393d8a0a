-- Which photos have more than one location, and which are files of one exposure?
-- also: stacks
-- parameters: since until person album
-- One row per location, those of one exposure in consecutive rows, first those of the photo that counts. kind is exact
-- for a copy of the same content, else name, edit or image: what says that it is the same exposure; the photo that
-- counts has counted. Missing locations are left out.
WITH shown AS (
    SELECT photo.id, COALESCE(stacked.counted_id, photo.id) AS shot, stacked.evidence, place.uri,
        ROW_NUMBER() OVER (PARTITION BY photo.id ORDER BY place.uri) AS number
    FROM locations AS place
    JOIN photos AS photo ON photo.id = place.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = photo.id
    WHERE place.missing_since IS NULL
),
copied AS (
    SELECT shown.shot, COUNT(*) AS copies FROM shown GROUP BY shown.shot HAVING COUNT(*) > 1
)
SELECT photo.sha256 AS photo_sha256, copied.copies, photo.size, shown.uri,
    CASE WHEN shown.number > 1 THEN 'exact' ELSE COALESCE(shown.evidence, 'counted') END AS kind
FROM copied
JOIN shown ON shown.shot = copied.shot
JOIN photos AS photo ON photo.id = shown.id
WHERE copied.shot IN (
    SELECT member.shot
    FROM shown AS member
    JOIN photos AS photo ON photo.id = member.id
    WHERE PASSES_FILTERS(photo)
        AND (:person = '' OR photo.id IN (
            SELECT assigned.photo_id
            FROM persons AS person
            JOIN assignments AS assigned ON assigned.person_id = person.id
            WHERE person.person_id = :person AND IN_GALLERY(assigned.face_id)
        ))
)
ORDER BY copied.copies DESC, copied.shot, shown.evidence IS NOT NULL, shown.id, shown.uri
LIMIT :limit
