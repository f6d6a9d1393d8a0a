-- How good is the quality of the faces of each month?
-- parameters: since until person album
-- Files of one exposure count once. Means over faces: confidence, sharpness and brightness
-- 0-100, and the height of the face as a share of the photo's.
SELECT judged.*
FROM (
    SELECT LOCAL_MONTH(photo) AS month, COUNT(*) AS faces, ROUND(CAST(AVG(face.confidence) AS NUMERIC), 1) AS confidence,
        ROUND(CAST(AVG(face.sharpness) AS NUMERIC), 1) AS sharpness,
        ROUND(CAST(AVG(face.brightness) AS NUMERIC), 1) AS brightness,
        ROUND(CAST(100 * AVG(face.box_height) AS NUMERIC), 1) AS height_percent,
        SUM(CASE WHEN face.sharpness < 20 THEN 1 ELSE 0 END) AS blurred
    FROM photos AS photo
    JOIN faces AS face ON face.photo_id = photo.id
    WHERE NOT face.not_a_face AND IN_GALLERY(face.id) AND PASSES_FILTERS(photo)
        AND COUNTS(photo)
        AND (:person = '' OR face.id IN (
            SELECT assigned.face_id
            FROM persons AS person
            JOIN assignments AS assigned ON assigned.person_id = person.id
            WHERE person.person_id = :person
        ))
    GROUP BY 1
) AS judged
ORDER BY judged.month IS NULL, judged.month
LIMIT :limit
