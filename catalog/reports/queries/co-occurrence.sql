-- Which persons are on photos together, and how often?
-- also: together company
-- parameters: since until person album
-- Each pair once, the most frequent first. Hidden people are left out.
SELECT a.person_id AS person_a_id, a.name AS name_a, b.person_id AS person_b_id, b.name AS name_b, pair.photos
FROM SHARED_PHOTOS AS pair
JOIN persons AS a ON a.id = pair.one
JOIN persons AS b ON b.id = pair.other
ORDER BY pair.photos DESC, a.id, b.id
LIMIT :limit
