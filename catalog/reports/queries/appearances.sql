-- Who is on which photo, and where in it?
-- parameters: since until person album
-- One row per face, newest photos first, undated photos last. Hidden people are left out.
SELECT PHOTO_PLACE(photo) AS uri, photo.taken_at, photo.taken_at_offset, person.person_id, person.name, face.face_id,
    assigned.similarity, face.box_left, face.box_top, face.box_width, face.box_height, LOCAL_DATE(photo) AS taken_date
FROM photos AS photo
JOIN assignments AS assigned ON assigned.photo_id = photo.id
JOIN persons AS person ON person.id = assigned.person_id
JOIN faces AS face ON face.id = assigned.face_id
WHERE NOT person.hidden AND person.merged_into IS NULL AND (:person = '' OR person.person_id = :person)
    AND OF_GALLERY(face) AND PASSES_FILTERS(photo)
ORDER BY photo.taken_local DESC NULLS LAST, photo.id, face.id
LIMIT :limit
