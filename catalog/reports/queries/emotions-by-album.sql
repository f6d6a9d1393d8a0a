-- Which share of the faces of each album shows which apparent expression most strongly?
-- also: sentiment-by-album
-- parameters: since until person album
-- band: faces of measured
-- An album is the folder or prefix that holds the photo; a photo in two albums counts in both.
-- Files of one exposure count once in each album.
-- An expression is what a face shows, not what a person feels. Hidden people are left out.
WITH grouped AS (
    SELECT DISTINCT COALESCE(stacked.counted_id, place.photo_id) AS photo_id,
        rtrim(place.uri, replace(place.uri, '/', '')) AS album
    FROM locations AS place
    JOIN photos AS photo ON photo.id = place.photo_id
    LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = place.photo_id
    WHERE place.missing_since IS NULL AND PASSES_FILTERS(photo)
        AND (:album = '' OR (place.uri >= :album AND place.uri < :album_end))
)
EMOTION_SHARES(album)
