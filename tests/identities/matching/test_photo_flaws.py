"""A search warns of a reference face that looks like many people."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

import catalog

PORTRAIT = Path(__file__).parents[2] / "fixtures" / "obama_1.jpg"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A scanned catalogue of one portrait."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "photo.jpg").write_bytes(PORTRAIT.read_bytes())
    with catalog.open(folder / "catalog.sqlite3", create=True) as library:
        for _ in library.scan([folder / "photo.jpg"]):
            pass
        yield library


def jpeg(image: Image.Image) -> bytes:
    written = BytesIO()
    image.convert("RGB").save(written, "JPEG", quality=90)
    return written.getvalue()


def warnings(library, photo, caplog):
    """Warnings of a search, and of the watch list for the same photo."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        library.find(photo)
        name = f"Person {len(library.watch_list.list())}"
        library.watch_list.add(name, [photo])
    return [record.getMessage() for record in caplog.records]


def test_a_clear_face_needs_no_warning(library, caplog):
    assert warnings(library, PORTRAIT, caplog) == []


def test_a_blurred_face_is_named_as_such(library, caplog):
    """The eyes of the portrait are gray stains then."""
    image = Image.open(PORTRAIT)
    blurred = jpeg(image.filter(ImageFilter.GaussianBlur(image.width / 90)))
    assert warnings(library, blurred, caplog) == ["The photo: the face is blurred. Matches may show other people."] * 2


def test_a_small_face_is_named_as_such(library, caplog):
    first, _ = warnings(library, with_face_of(45, library), caplog)
    assert first.startswith("The photo: the face is smaller than 60 pixels")


def test_an_enrolled_face_that_is_not_clear_is_named(library, caplog, tmp_path):
    """It is large enough to be enrolled, from 50 pixels. The warning names the file."""
    photo = tmp_path / "badge.jpg"
    photo.write_bytes(with_face_of(56, library))
    with caplog.at_level(logging.WARNING):
        assert library.employees.enroll("e-1", [photo], allow_open_mouth=True) == ((),)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning.startswith(f'"{photo}": the face is smaller than 60 pixels')


def with_face_of(pixels, library):
    """The portrait with a face of about this width."""
    image = Image.open(PORTRAIT)
    face = library.analyze(PORTRAIT).faces[0]
    scale = pixels / (face.box.width * image.width)
    return jpeg(image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS))
