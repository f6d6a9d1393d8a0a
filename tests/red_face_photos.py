"""Photo files with their rows in a catalogue: a red face on gray, stored with any EXIF orientation."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import insert

from catalog.domain.faces import BoundingBox
from catalog.domain.uri import file_uri
from catalog.store.database import Database
from catalog.store.tables import assignments, faces, locations, persons, photos

NOW = "2026-01-01T00:00:00.000000Z"
BOX = BoundingBox(0.5, 0.1, 0.2, 0.4)
"""The red face on the upright image of 200 x 100 pixels."""

_TO_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def save_photo(path: Path, orientation: int = 1) -> Path:
    """Save a photo whose upright image has 200 x 100 pixels and a red face."""
    image = Image.new("RGB", (200, 100), "gray")
    ImageDraw.Draw(image).rectangle((100, 10, 139, 49), fill="red")
    if orientation != 1:
        image = image.transpose(_TO_STORED[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, quality=95, exif=exif)
    return path


AddPhoto = Callable[..., int]


@pytest.fixture
def add_photo(database: Database) -> AddPhoto:
    """Returns a function that adds the rows of a photo. ``people``: (box, row id of the person or None) per face."""

    def add(path: Path, orientation: int = 1, people: tuple[tuple[BoundingBox, int | None], ...] = ((BOX, 1),)) -> int:
        with database.begin() as connection:
            row = {
                "sha256": sha256(path.read_bytes()).hexdigest(),
                "size": 1,
                "format": "JPEG",
                "width": 200,
                "height": 100,
                "orientation": orientation,
                "recorded_at": NOW,
            }
            photo = connection.execute(insert(photos).returning(photos.c.id), row).scalar_one()
            location = {"photo_id": photo, "uri": file_uri(bytes(path)), "size": 1, "modified_ns": 1, "etag": ""}
            connection.execute(insert(locations), {**location, "first_seen": NOW})
            for number, (box, person) in enumerate(people):
                face = {
                    "face_id": f"{photo:08d}-{number}",
                    "photo_id": photo,
                    "engine": "local",
                    "gallery": "default",
                    "model": "m",
                    "box_left": box.left,
                    "box_top": box.top,
                    "box_width": box.width,
                    "box_height": box.height,
                    "confidence": 99.0,
                    "not_a_face": False,
                    "enrolled_at": NOW,
                }
                face_row = connection.execute(insert(faces).returning(faces.c.id), face).scalar_one()
                if person is not None:
                    assignment = {"face_id": face_row, "person_id": person, "by": "cluster", "assigned_at": NOW}
                    connection.execute(insert(assignments), assignment)
        return int(photo)

    return add


@pytest.fixture
def add_person(database: Database) -> Callable[..., int]:
    """Returns a function that adds a person and returns its row id."""

    def add(name: str | None, hidden: bool = False) -> int:
        with database.begin() as connection:
            count = connection.exec_driver_sql("SELECT COUNT(*) FROM persons").scalar_one()
            row = {"person_id": f"p{count:08d}", "name": name, "hidden": hidden, "created_at": NOW}
            return int(connection.execute(insert(persons).returning(persons.c.id), row).scalar_one())

    return add
