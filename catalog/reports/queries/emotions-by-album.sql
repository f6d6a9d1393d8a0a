-- Which share of the faces of each album shows which apparent expression most strongly?
-- also: sentiment-by-album
-- parameters: since until person album
-- band: faces of measured
-- An album is the folder or prefix that holds the photo; a photo in two albums counts in both.
-- An expression is what a face shows, not what a person feels. Hidden people are left out.
WITH filed AS (
    SELECT DISTINCT place.photo_id, rtrim(place.uri, replace(place.uri, '/', '')) AS album
    FROM locations AS place
    JOIN photos AS photo ON photo.id = place.photo_id
    WHERE place.missing_since IS NULL AND PASSES_FILTERS(photo)
        AND (:album = '' OR (place.uri >= :album AND place.uri < :album_end))
),
counted AS (
    SELECT filed.album, face.emotion, COUNT(*) AS faces
    FROM filed
    JOIN faces AS face ON face.photo_id = filed.photo_id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND face.id NOT IN HIDDEN_FACES()
        AND IN_GALLERY(face.id)
        AND (:person = '' OR face.id IN (
            SELECT assigned.face_id
            FROM persons AS person
            JOIN assignments AS assigned ON assigned.person_id = person.id
            WHERE person.person_id = :person
        ))
    GROUP BY filed.album, face.emotion
)
SELECT counted.album, counted.emotion, counted.faces, SUM(counted.faces) OVER (PARTITION BY counted.album) AS measured
FROM counted
ORDER BY counted.album, counted.faces DESC, counted.emotion
LIMIT :limit
