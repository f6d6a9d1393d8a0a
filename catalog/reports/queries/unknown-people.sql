-- Which unnamed people are on many photos?
-- also: unknown strangers
-- parameters: since until album
-- Most photos first. Files of one exposure count once. first_seen and last_seen are local days, as exact as they are
-- known. People on one photo and hidden people are left out.
WITH seen AS (
    SELECT assigned.person_id, COUNTED_FACES(stacked) AS faces,
        COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) AS photos,
        MIN(LOCAL_DAY(photo)) AS first_seen, MAX(LOCAL_DAY(photo)) AS last_seen, MIN(photo.id) AS example
    FROM persons AS person
    JOIN assignments AS assigned ON assigned.person_id = person.id
    JOIN photos AS photo ON photo.id = assigned.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = assigned.photo_id
    WHERE person.name IS NULL AND NOT person.hidden AND person.merged_into IS NULL
        AND IN_GALLERY(assigned.face_id) AND PASSES_FILTERS(photo)
    GROUP BY assigned.person_id
    HAVING COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) > 1
    ORDER BY COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) DESC, assigned.person_id
    LIMIT :limit
)
SELECT person.person_id, seen.faces, seen.photos, seen.first_seen, seen.last_seen, PHOTO_PLACE(photo) AS example
FROM seen
JOIN persons AS person ON person.id = seen.person_id
JOIN photos AS photo ON photo.id = seen.example
ORDER BY seen.photos DESC, person.id
