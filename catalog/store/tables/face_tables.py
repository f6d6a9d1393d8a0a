"""Faces with attributes and emotions, and faces that a quality filter rejected."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from catalog.store.tables.table_columns import RowId, boolean_attribute, box_columns, metadata, row_id

faces = Table(
    "faces",
    metadata,
    row_id(),
    Column("face_id", Text, nullable=False, comment="the gallery's id of this face, a UUID"),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="its photo"),
    Column("engine", Text, nullable=False, comment="local or rekognition"),
    Column("gallery", Text, nullable=False, comment="gallery or collection with the face"),
    Column("model", Text, nullable=False, comment="networks and version that detected it"),
    *box_columns(),
    Column("confidence", Float, nullable=False, comment="confidence that the box contains a face, 0-100"),
    Column("roll", Float, comment="rotation in the image plane, degrees"),
    Column("yaw", Float, comment="turn to the side, degrees"),
    Column("pitch", Float, comment="nod, degrees"),
    Column("brightness", Float, comment="0-100"),
    Column("sharpness", Float, comment="0-100"),
    Column("age_low", Integer, comment="lower end of the apparent age, years; null: not measured"),
    Column("age_high", Integer, comment="upper end of the apparent age, years"),
    Column("gender", Text, comment="Male or Female, as it appears; null: not measured"),
    Column("gender_confidence", Float, comment="confidence of `gender`, 0-100"),
    *boolean_attribute("smile", "smiles"),
    *boolean_attribute("eyeglasses", "wears eyeglasses"),
    *boolean_attribute("sunglasses", "wears sunglasses"),
    *boolean_attribute("beard", "has a beard"),
    *boolean_attribute("mustache", "has a mustache"),
    *boolean_attribute("eyes_open", "has open eyes"),
    *boolean_attribute("mouth_open", "has an open mouth"),
    *boolean_attribute("face_occluded", "is partly covered"),
    Column("emotion", Text, comment="the strongest of its `emotions`, kept here for fast reports; null: not measured"),
    Column("emotion_confidence", Float, comment="confidence of `emotion`, 0-100"),
    Column("landmarks", Text, comment="JSON object of name -> [x, y] in fractions of the upright image"),
    Column("not_a_face", Boolean, nullable=False, default=False, comment="true: a user marked it as not a face"),
    Column("enrolled_at", Text, nullable=False, comment="UTC"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="the scan that enrolled it"),
    Column("left_out", Boolean, comment="not_a_face before the photo was left out; null: the photo is not left out"),
    Column("eye_yaw", Float, comment="direction of the eyes to the side, degrees; null: not measured"),
    Column("eye_pitch", Float, comment="direction of the eyes up (positive) or down, degrees; null: not measured"),
    Column("eye_direction_confidence", Float, comment="confidence of `eye_yaw` and `eye_pitch`, 0-100"),
    UniqueConstraint("engine", "gallery", "face_id"),
    comment="a human face on a photo, as an engine detected it",
)
# Covering index: reports on all faces do not read the wide rows.
Index("ix_faces_photo_id", faces.c.photo_id, faces.c.not_a_face, faces.c.emotion)
Index("ix_faces_face_id", faces.c.face_id)
Index("ix_faces_scan_id", faces.c.scan_id)

emotions = Table(
    "emotions",
    metadata,
    Column(
        "face_id", RowId, ForeignKey("faces.id", ondelete="CASCADE"), primary_key=True, comment="row id of the face"
    ),
    Column("type", Text, primary_key=True, comment="HAPPY, SAD, ANGRY, CONFUSED, DISGUSTED, SURPRISED, CALM, FEAR"),
    Column("confidence", Float, nullable=False, comment="0-100; a face's emotions need not add up to 100"),
    comment="apparent expression of a face, not a feeling",
)

rejected_faces = Table(
    "rejected_faces",
    metadata,
    row_id(),
    Column("photo_id", RowId, ForeignKey("photos.id", ondelete="CASCADE"), nullable=False, comment="its photo"),
    Column("engine", Text, nullable=False, comment="local or rekognition"),
    Column("gallery", Text, nullable=False, comment="gallery that it was not enrolled in"),
    Column("model", Text, nullable=False, comment="networks and version that detected it"),
    *box_columns(),
    Column("confidence", Float, nullable=False, comment="confidence that the box contains a face, 0-100"),
    Column("reasons", Text, nullable=False, comment="reason codes of Amazon Rekognition, separated by spaces"),
    Column("scan_id", RowId, ForeignKey("scans.id", ondelete="SET NULL"), comment="scan that detected it"),
    comment="faces that were detected and not enrolled",
)
Index("ix_rejected_faces_photo_id", rejected_faces.c.photo_id)
Index("ix_rejected_faces_scan_id", rejected_faces.c.scan_id)
