-- Which share of the faces of each month shows which apparent expression most strongly?
-- also: emotions sentiment sentiment-over-time sentiment-by-month
-- parameters: since until person album
-- band: faces of measured
-- An expression is what a face shows, not what a person feels. Hidden people are left out.
WITH grouped AS (
    SELECT photo.id AS photo_id, LOCAL_MONTH(photo) AS month
    FROM photos AS photo
    WHERE photo.taken_at IS NOT NULL AND PASSES_FILTERS(photo)
)
EMOTION_SHARES(month)
