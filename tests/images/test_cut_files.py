"""Files that end too early: docs/formats.md has the table that these tests hold."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from catalog.domain.errors import PhotoError
from catalog.images.decode import InProcessOpener, open_image
from catalog.images.heif_check import CutFileError, check_complete
from tests.images.painting import dng, heic_grid, noise, quarters, written

FIXTURES = Path(__file__).parent / "fixtures"
PORTRAIT = Path(__file__).parent.parent / "fixtures" / "obama_1.jpg"
GRID = heic_grid((FIXTURES / "wide.heic").read_bytes(), 4, 3)

WHOLE = {
    "PNG": written(noise(400, 300), "PNG"),
    "WEBP": written(noise(400, 300), "WEBP"),
    "GIF": written(noise(400, 300).convert("L"), "GIF"),  # to choose 256 of all colors takes long
    "TIFF": written(noise(400, 300), "TIFF"),
    "AVIF": written(noise(200, 150), "AVIF", speed=10),
    "BMP": written(noise(400, 300), "BMP"),
    "JPEG2000": written(noise(400, 300), "JPEG2000"),
    "JPEGXL": imagecodecs.jpegxl_encode(np.asarray(noise(400, 300)), effort=1),
    "PCX": written(noise(400, 300), "PCX"),
    "PNM": written(noise(400, 300), "PPM"),
    "HEIF": (FIXTURES / "upright.heic").read_bytes(),
    "RAW": dng(noise(400, 300)),
}


def jpeg(*, progressive: bool) -> bytes:
    with Image.open(PORTRAIT) as portrait:
        return written(portrait.convert("RGB"), "JPEG", quality=90, progressive=progressive)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_no_part_of_a_format_other_than_jpeg_is_read(kind: str, share: float) -> None:
    """The whole file opens without a note."""
    data = WHOLE[kind]
    assert open_image(data).note is None
    with pytest.raises(PhotoError, match=r"^The \w+ photo is (cut short|damaged).*\.$"):
        open_image(data[: int(len(data) * share)])


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("max_side", [None, 300])
def test_a_jpeg_without_its_end_marker_is_complete(progressive: bool, max_side: int | None) -> None:
    """Zeros that a copy program put in its place do not matter."""
    data = jpeg(progressive=progressive)
    whole = open_image(data, max_side=max_side)
    for cut in (data[:-2], data[:-2] + bytes(4096), data[:-1]):
        photo = open_image(cut, max_side=max_side)
        assert np.array_equal(photo.pixels, whole.pixels)
        assert photo.data == cut
        if not cut.endswith(b"\0"):
            assert photo.note == "The end marker of the file is missing; the photo is complete."


def test_a_jpeg_without_its_last_rows_is_read_with_a_note() -> None:
    """The rows above are those of the whole file."""
    data = jpeg(progressive=False)
    whole, photo = open_image(data), open_image(data[:-40])
    assert photo.note is not None
    assert "rows are missing" in photo.note
    rows = whole.height - round(whole.height * 0.04)
    assert np.array_equal(photo.pixels[:rows], whole.pixels[:rows])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("filler", [0, 1])
def test_a_jpeg_without_a_band_as_high_as_a_face_fails(share: float, progressive: bool, filler: int) -> None:
    """Also with zeros in place of the rest, as an interrupted copy leaves it."""
    data = jpeg(progressive=progressive)
    size = int(len(data) * share)
    with pytest.raises(PhotoError, match=r"^The JPEG photo is cut short: the file ends before the picture does\.$"):
        open_image(data[:size] + bytes((len(data) - size) * filler))


def test_the_note_comes_back_from_a_decoder_process() -> None:
    """It is the same sentence in this process and in another one."""
    from catalog.images.decoder_pool import DecoderPool

    data = jpeg(progressive=False)[:-2]
    pool = DecoderPool(1)
    try:
        assert pool.open(data).note == InProcessOpener().open(data).note is not None
    finally:
        pool.close()


def test_a_heic_grid_opens_whole() -> None:
    photo = open_image(GRID)
    assert (photo.width, photo.height, photo.format, photo.note) == (384, 192, "HEIF", None)


@pytest.mark.parametrize(
    "data",
    [
        GRID[: len(GRID) * 6 // 10],
        GRID[: len(GRID) * 99 // 100],
        GRID[:-300] + bytes(300),
        GRID[:-1200] + bytes(200) + GRID[-1000:],
        GRID.replace(b"dimg", b"dimx"),
    ],
    ids=["cut at 60 %", "cut at 99 %", "end zeroed", "hole of zeros", "no tiles"],
)
def test_a_heic_grid_with_missing_tiles_fails(data: bytes) -> None:
    """Libheif alone would fill the tiles with black."""
    with pytest.raises(CutFileError):
        check_complete(data)
    with pytest.raises(PhotoError, match=r"^The HEIF photo is cut short"):
        open_image(data)


def test_bytes_behind_the_picture_do_not_matter() -> None:
    """The video of a motion photo lies there."""
    data = written(quarters(), "JPEG") + b"\0\0\0\x18ftypmp42" + b"\x01" * 5000
    assert open_image(data).note is None


def test_no_bytes_make_the_check_fail() -> None:
    """Whatever it does not understand is left to the decoder."""
    for end in range(0, len(GRID), 37):
        for data in (GRID[end:], GRID[:end] + b"\xff" * 50 + GRID[end + 50 :], BytesIO(GRID).getvalue()):
            try:
                check_complete(data)
            except CutFileError:
                continue
