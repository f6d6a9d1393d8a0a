-- On how many photos is each person, from when to when, and which person is with them most often?
-- also: persons
-- parameters: since until person album
-- company: yes
-- Files of one exposure count once. The column company is the person who shares the most of these photos.
-- first_seen and last_seen are local days, as exact as they are known. Hidden people are left out.
WITH seen AS (
    SELECT assigned.person_id, COUNTED_FACES(stacked) AS faces,
        COUNT(DISTINCT COALESCE(stacked.counted_id, assigned.photo_id)) AS photos,
        MIN(LOCAL_DAY(photo)) AS first_seen, MAX(LOCAL_DAY(photo)) AS last_seen
    FROM assignments AS assigned
    JOIN photos AS photo ON photo.id = assigned.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = assigned.photo_id
    WHERE IN_GALLERY(assigned.face_id) AND PASSES_FILTERS(photo)
    GROUP BY assigned.person_id
)
SELECT person.person_id, person.name, seen.faces, seen.photos, seen.first_seen, seen.last_seen
FROM seen
JOIN persons AS person ON person.id = seen.person_id
WHERE NOT person.hidden AND person.merged_into IS NULL AND (:person = '' OR person.person_id = :person)
ORDER BY seen.photos DESC, person.name IS NULL, person.name, person.person_id
LIMIT :limit
