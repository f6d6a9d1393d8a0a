-- Which share of the faces of each month shows which apparent expression most strongly?
-- also: emotions sentiment sentiment-over-time sentiment-by-month
-- parameters: since until person album
-- band: faces of measured
-- An expression is what a face shows, not what a person feels. Hidden people are left out.
WITH scoped AS (
    SELECT photo.id, LOCAL_MONTH(photo) AS month
    FROM photos AS photo
    WHERE photo.taken_at IS NOT NULL AND PASSES_FILTERS(photo)
),
counted AS (
    SELECT scoped.month, face.emotion, COUNT(*) AS faces
    FROM scoped
    JOIN faces AS face ON face.photo_id = scoped.id
    WHERE NOT face.not_a_face AND face.emotion IS NOT NULL AND face.id NOT IN HIDDEN_FACES()
        AND IN_GALLERY(face.id)
        AND (:person = '' OR face.id IN (
            SELECT assigned.face_id
            FROM persons AS person
            JOIN assignments AS assigned ON assigned.person_id = person.id
            WHERE person.person_id = :person
        ))
    GROUP BY scoped.month, face.emotion
)
SELECT counted.month, counted.emotion, counted.faces, SUM(counted.faces) OVER (PARTITION BY counted.month) AS measured
FROM counted
ORDER BY counted.month, counted.faces DESC, counted.emotion
LIMIT :limit
