-- Who is on photos together with whom, and how often?
-- also: together company
-- parameters: since until person album
-- Each pair once, the most frequent first. Hidden people are left out.
WITH pair AS (
    SELECT one.person_id AS a, other.person_id AS b, COUNT(DISTINCT one.photo_id) AS photos
    FROM assignments AS one
    JOIN assignments AS other ON other.photo_id = one.photo_id AND other.person_id > one.person_id
    WHERE (
        (:since = '' AND :until = '9999-12-31T23:59:59.999999Z' AND :album = '')
        OR one.photo_id IN (SELECT photo.id FROM photos AS photo WHERE IN_SCOPE(photo))
    ) AND (:person = '' OR one.photo_id IN (
        SELECT assigned.photo_id
        FROM persons AS person
        JOIN assignments AS assigned ON assigned.person_id = person.id
        WHERE person.person_id = :person
    ))
    GROUP BY one.person_id, other.person_id
)
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b, pair.photos
FROM pair
JOIN persons AS a ON a.id = pair.a
JOIN persons AS b ON b.id = pair.b
WHERE NOT a.hidden AND NOT b.hidden AND (:person = '' OR a.person_id = :person OR b.person_id = :person)
ORDER BY pair.photos DESC, a.id, b.id
LIMIT :limit
