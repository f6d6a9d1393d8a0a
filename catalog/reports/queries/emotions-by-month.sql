-- Which share of the faces of each month shows which apparent expression most strongly?
-- also: emotions sentiment sentiment-over-time sentiment-by-month
-- parameters: since until person album
-- band: faces of measured
-- Files of one exposure count once. Photos whose month is not known are left out. An expression is what a face shows,
-- not what a person feels. Hidden people are left out.
WITH grouped AS (
    SELECT photo.id AS photo_id, LOCAL_MONTH(photo) AS month
    FROM photos AS photo
    WHERE photo.taken_local IS NOT NULL AND COALESCE(photo.taken_at_precision, '') <> 'year' AND PASSES_FILTERS(photo)
        AND COUNTS(photo)
)
EMOTION_SHARES(month)
