-- On which photos was no face found?
-- also: no-faces without-faces
-- parameters: since until album
-- rejected: detected faces that were not enrolled. Left out: photos without a location, and photos with faces in
-- another gallery only, and all files of one exposure but the one that counts.
SELECT PHOTO_PLACE(photo) AS uri, photo.taken_at, photo.taken_at_offset, (
        SELECT COUNT(*) FROM rejected_faces AS rejected WHERE rejected.photo_id = photo.id AND OF_GALLERY(rejected)
    ) AS rejected, LOCAL_DATE(photo) AS taken_date
FROM photos AS photo
WHERE NOT EXISTS (SELECT 1 FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face AND OF_GALLERY(face))
    AND (
        EXISTS (SELECT 1 FROM enrollments AS seen WHERE seen.photo_id = photo.id AND OF_GALLERY(seen))
        OR NOT EXISTS (SELECT 1 FROM faces AS face WHERE face.photo_id = photo.id AND NOT face.not_a_face)
    )
    AND EXISTS (SELECT 1 FROM locations AS place WHERE place.photo_id = photo.id AND place.missing_since IS NULL)
    AND COUNTS(photo)
    AND PASSES_FILTERS(photo)
ORDER BY photo.taken_local DESC NULLS LAST, photo.id
LIMIT :limit
