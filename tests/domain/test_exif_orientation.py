"""The orientation of a sidecar in the bytes of a photo, as Pillow reads them back."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageOps

from catalog.domain.exif_orientation import sidecar_orientation, with_orientation
from catalog.domain.source import Content


def saved(form: str, exif: Image.Exif | None = None) -> bytes:
    buffer = BytesIO()
    image = Image.new("RGB", (40, 20), "gray")
    image.paste("red", (0, 0, 20, 10))
    options = {"exif": exif} if exif is not None else {}
    image.save(buffer, form, **options)
    return buffer.getvalue()


def exif(**tags: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "A maker with a long name"
    for tag, value in tags.items():
        exif[{"orientation": 0x0112, "model": 0x0110}[tag]] = value
    exif.get_ifd(0x8769)[0x9003] = "2001:02:03 04:05:06"
    return exif


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("tags", [None, exif(), exif(orientation=1), exif(model="x")], ids=["no", "none", "1", "other"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_orientation_is_added_and_other_metadata_stays(form, tags, orientation):
    """The image is upright after Pillow applied it."""
    data = saved(form, tags)
    with Image.open(BytesIO(with_orientation(data, orientation))) as image, Image.open(BytesIO(data)) as original:
        exif = image.getexif()
        assert exif[0x0112] == orientation
        if tags is not None:
            assert exif[0x010F] == "A maker with a long name"
            assert exif.get_ifd(0x8769)[0x9003] == "2001:02:03 04:05:06"
        upright = ImageOps.exif_transpose(image)
        assert upright.size == (original.size if orientation < 5 else original.size[::-1])
        assert image.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_an_orientation_of_the_photo_has_priority(form):
    """A sidecar may repeat it after a program turned the pixels."""
    data = saved(form, exif(orientation=6))
    assert with_orientation(data, 3) == data


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_damaged_files_do_not_raise(form):
    """Every prefix and every wrong byte gives bytes."""
    data = saved(form, exif(orientation=1))
    for position in range(min(len(data), 400)):
        assert isinstance(with_orientation(data[:position], 6), bytes)
        changed = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        assert isinstance(with_orientation(changed, 6), bytes)


def test_other_formats_are_unchanged():
    """Their own metadata is used."""
    assert with_orientation(saved("BMP"), 6) == saved("BMP")


@pytest.mark.parametrize(
    ("xmp", "orientation"),
    [
        (b'<a tiff:Orientation="6"/>', 6),
        (b"<tiff:Orientation>8</tiff:Orientation>", 8),
        (b"", 1),
        (b'tiff:Orientation="9"', 1),
    ],
)
def test_the_orientation_is_read_from_xmp(xmp, orientation):
    """Attribute and element."""
    assert sidecar_orientation(xmp) == orientation


def test_content_without_a_sidecar_is_decoded_unchanged():
    """The usual case copies nothing."""
    data = saved("JPEG")
    assert Content(data).oriented_data is data
    assert Content(data, orientation=6).oriented_data != data
