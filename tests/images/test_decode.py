"""Whatever camera it comes from, an opened photo is upright, sRGB and of a known size; or one sentence says why not."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from catalog.domain.errors import PhotoError
from catalog.images.color import plain
from catalog.images.decode import DecodeLimits, InProcessOpener, open_image
from tests.images.painting import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    display_p3,
    dng,
    have_colors,
    noise,
    quarters,
    shown,
    written,
)

FIXTURES = Path(__file__).parent / "fixtures"
QUARTERS = [RED, GREEN, BLUE, YELLOW]

STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""The stored pixels of an upright image, for each EXIF orientation."""


def turned(orientation: int) -> tuple[Image.Image, Image.Exif]:
    """The quarters as a camera held in another way stores them, with the EXIF that says so."""
    turn = STORED[orientation]
    image = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    return image, exif


# ------------------------------------------------------------------------------------------------------ formats


@pytest.mark.parametrize("kind", ["BMP", "JPEG2000", "PCX", "PNM", "TGA"])
def test_formats_of_scanners_and_old_programs_open(kind: str) -> None:
    """They carry no metadata."""
    photo = open_image(written(quarters(), {"PNM": "PPM"}.get(kind, kind)))
    assert (photo.width, photo.height, photo.format, photo.note) == (96, 64, kind, None)
    assert have_colors(shown(photo), QUARTERS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF"])
def test_every_format_opens(kind: str) -> None:
    """Same picture, same size, whatever it is written as; and the file's own bytes stay at hand."""
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
    data = written(quarters(), kind, **options)
    photo = open_image(data)
    assert (photo.width, photo.height, photo.format, photo.orientation) == (96, 64, kind, 1)
    assert photo.pixels.shape == (64, 96, 3)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert have_colors(shown(photo), QUARTERS)
    assert photo.data == data


def test_heic_opens_with_its_metadata() -> None:
    """The format of most phones."""
    photo = open_image((FIXTURES / "upright.heic").read_bytes())
    assert (photo.width, photo.height, photo.format) == (96, 64, "HEIF")
    assert have_colors(shown(photo), QUARTERS)
    assert photo.metadata.camera_model == "Phone 1"
    assert photo.metadata.taken_at_offset == 540


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_counts(kind: str) -> None:
    """The others are not looked at."""
    backgrounds = [Image.new("RGB", (96, 64), color) for color in ("black", "white")]
    photo = open_image(written(quarters(), kind, save_all=True, append_images=backgrounds, duration=100))
    assert (photo.width, photo.height) == (96, 64)
    assert have_colors(shown(photo), QUARTERS, tolerance=25)


def test_the_first_page_of_a_tiff_counts() -> None:
    """A scanned stack is one photo, its first."""
    photo = open_image(written(quarters(), "TIFF", save_all=True, append_images=[noise(10, 10)]))
    assert have_colors(shown(photo), QUARTERS)


def test_a_jpeg_with_a_second_picture_inside_is_its_first() -> None:
    """Phones put depth maps and gain maps behind the photo (MPO)."""
    data = written(quarters(), "MPO", save_all=True, append_images=[noise(96, 64)], quality=95)
    photo = open_image(data)
    assert photo.format == "JPEG"
    assert have_colors(shown(photo), QUARTERS)


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
def test_a_photo_of_one_pixel_opens(name: str) -> None:
    """It is small, but nothing is wrong with it."""
    photo = open_image(written(Image.new("RGB", (1, 1), RED), name))
    assert photo.pixels.shape == (1, 1, 3)


# ------------------------------------------------------------------------------------------------------ raw


@pytest.mark.parametrize(("orientation", "colors"), [
    (1, [RED, GREEN, BLUE, YELLOW]),
    (3, [YELLOW, BLUE, GREEN, RED]),
    (6, [BLUE, RED, YELLOW, GREEN]),
    (8, [GREEN, YELLOW, RED, BLUE]),
])  # fmt: skip
def test_a_raw_file_opens_by_its_preview_upright(orientation: int, colors: list[tuple[int, ...]]) -> None:
    """A preview without an orientation of its own lies as the sensor does."""
    preview = written(quarters(960, 640), "JPEG", quality=95)
    data = dng(quarters(1200, 800), orientation=orientation, preview=preview, preview_size=(960, 640))
    photo = open_image(data)
    assert photo.format == "RAW"
    assert (photo.width, photo.height) == ((1200, 800) if orientation in (1, 3) else (800, 1200))
    assert max(photo.pixels.shape) == 960
    assert have_colors(shown(photo), colors)
    assert photo.metadata.camera_model == "Model 1"


def test_a_preview_that_says_how_it_lies_is_believed() -> None:
    """Its turn is applied once, not added to the raw file's."""
    image, exif = turned(6)
    jpeg = written(image.resize((640, 960)), "JPEG", exif=exif.tobytes(), quality=95)
    preview = jpeg[:2] + jpeg[20:]  # cameras write EXIF first, and no JFIF header
    photo = open_image(dng(quarters(1200, 800), orientation=1, preview=preview, preview_size=(640, 960)))
    assert photo.pixels.shape == (640, 960, 3)
    assert have_colors(shown(photo), QUARTERS)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_raw_file_without_a_preview_is_developed_at_half_size(orientation: int) -> None:
    """So it is with a preview of stamp size; the camera's colors are only roughly known then."""
    picture = quarters(1200, 800)
    stamp = written(quarters(160, 120), "JPEG")
    for data in (
        dng(picture, orientation=orientation),
        dng(picture, orientation=orientation, preview=stamp, preview_size=(160, 120)),
    ):
        photo = open_image(data)
        assert (photo.width, photo.height) == ((1200, 800) if orientation == 1 else (800, 1200))
        assert photo.pixels.shape == (photo.height // 2, photo.width // 2, 3)
        first = shown(photo)[0]
        assert first.index(max(first)) == (0 if orientation == 1 else 2)


# ------------------------------------------------------------------------------------------------------ upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_ends_upright(kind: str, orientation: int) -> None:
    """All eight of EXIF, in every format that has it, applied exactly once."""
    image, exif = turned(orientation)
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
    photo = open_image(written(image, kind, exif=exif.tobytes(), **options))
    assert (photo.width, photo.height) == (96, 64)
    assert photo.pixels.shape == (64, 96, 3)
    assert photo.orientation == orientation
    assert have_colors(shown(photo), QUARTERS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_agrees_with_pillow(orientation: int) -> None:
    """Pixel by pixel, on a picture without any symmetry."""
    exif = Image.Exif()
    exif[274] = orientation
    data = written(noise(17, 11), "PNG", exif=exif.tobytes())
    expected = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert np.array_equal(open_image(data).pixels, np.asarray(expected))


def test_heic_is_not_turned_twice() -> None:
    """Its container turns the picture, and its EXIF repeats it."""
    photo = open_image((FIXTURES / "turned.heic").read_bytes())
    assert (photo.width, photo.height) == (96, 64)
    assert have_colors(shown(photo), QUARTERS)


def test_exif_behind_the_pixels_of_a_png_counts() -> None:
    """ExifTool writes the orientation in this chunk."""
    image, exif = turned(6)
    data = written(image, "PNG")
    late = data[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + data[-12:]
    photo = open_image(late)
    assert (photo.width, photo.height, photo.orientation) == (96, 64, 6)
    assert have_colors(shown(photo), QUARTERS)


def test_exif_in_a_text_of_a_png_counts() -> None:
    """Older versions of ImageMagick write it in a text chunk."""
    image, exif = turned(8)
    raw = exif.tobytes()
    text = f"\nexif\n{len(raw):8}\n{raw.hex()}\n".encode()
    data = written(image, "PNG")
    photo = open_image(data[:33] + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)) + data[33:])
    assert photo.orientation == 8
    assert have_colors(shown(photo), QUARTERS)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(value: int) -> None:
    """The photo is left as it lies."""
    exif = Image.Exif()
    exif[274] = value
    photo = open_image(written(quarters(), "JPEG", exif=exif.tobytes(), quality=95))
    assert photo.orientation == 1
    assert have_colors(shown(photo), QUARTERS)


# ------------------------------------------------------------------------------------------------------ size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_photo_is_reduced_and_remembers_its_size(kind: str) -> None:
    """The longer side is exactly what was asked for."""
    photo = open_image(written(quarters(1501, 1000), kind, quality=90), max_side=320)
    assert photo.pixels.shape == (213, 320, 3)
    assert (photo.width, photo.height) == (1501, 1000)
    assert have_colors(shown(photo), QUARTERS)


def test_a_scale_of_the_decoder_that_is_nearly_large_enough_is_taken() -> None:
    """A half of 403 pixels is taken for 408 wanted ones, but not for 430: those are reduced from the full size."""
    data = written(quarters(806, 604), "JPEG", quality=90)
    assert open_image(data, max_side=408).pixels.shape == (302, 403, 3)
    assert open_image(data, max_side=430).pixels.shape == (322, 430, 3)
    assert have_colors(shown(open_image(data, max_side=408)), QUARTERS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_that_is_hardly_larger_than_the_limit_is_not_reduced(kind: str) -> None:
    """4 % more pixels cost less than the reduction does."""
    assert open_image(written(quarters(416, 300), kind), max_side=400).pixels.shape == (300, 416, 3)
    assert open_image(written(quarters(420, 300), kind), max_side=400).pixels.shape == (286, 400, 3)


def test_a_turned_photo_is_reduced_alike() -> None:
    """The original size is told upright, the limit holds for the longer side."""
    exif = Image.Exif()
    exif[274] = 6
    photo = open_image(written(quarters(1600, 1200), "JPEG", exif=exif.tobytes()), max_side=400)
    assert photo.pixels.shape == (400, 300, 3)
    assert (photo.width, photo.height) == (1200, 1600)


def test_a_small_photo_is_not_enlarged() -> None:
    """``max_side`` is a limit, not a size."""
    assert open_image(written(quarters(), "PNG"), max_side=1000).pixels.shape == (64, 96, 3)


def test_a_sliver_keeps_at_least_one_pixel() -> None:
    """10,000 x 1 reduced to 100 is 1,200 x 1: no side becomes 0."""
    assert open_image(written(noise(10_000, 1), "PNG"), max_side=100).pixels.shape == (1, 1200, 3)


@pytest.mark.parametrize(
    ("size", "reduced"),
    [
        ((3000, 1000), (320, 107)),
        ((6000, 1000), (640, 107)),
        ((1000, 6000), (107, 640)),
        ((12_000, 320), (3840, 102)),
        ((900, 60), (900, 60)),
    ],
)
def test_the_limit_of_a_panorama_follows_its_shorter_side(size: tuple[int, int], reduced: tuple[int, int]) -> None:
    """Beyond 3:1 the longer side may be longer, at most 12 times, so that faces keep their pixels."""
    photo = open_image(written(noise(60, 20).resize(size), "JPEG"), max_side=320)
    assert photo.pixels.shape == (reduced[1], reduced[0], 3)
    assert (photo.width, photo.height) == size


def test_fast_decoding_shows_the_same_picture() -> None:
    """A JPEG decoded at reduced scale differs from one reduced afterwards by less than the eye sees."""
    data = written(noise(64, 48).resize((1600, 1200), Image.Resampling.BICUBIC), "JPEG", quality=95)
    fast = open_image(data, max_side=400).pixels.astype(int)
    slow = np.asarray(Image.open(BytesIO(data)).resize((400, 300), Image.Resampling.BOX)).astype(int)
    assert abs(fast - slow).mean() < 3


# ------------------------------------------------------------------------------------------------------ color


def test_wide_colors_become_srgb() -> None:
    """The numbers of a Display P3 photo mean stronger colors than the same numbers in sRGB."""
    expected = [(241, 0, 0), (0, 205, 0), (25, 24, 230), (232, 231, 0)]
    assert have_colors(
        shown(open_image(written(quarters(), "JPEG", icc_profile=display_p3(), quality=95))), expected, 6
    )
    assert have_colors(shown(open_image(written(quarters(), "PNG", icc_profile=display_p3()))), expected, 6)
    assert have_colors(shown(open_image((FIXTURES / "wide.heic").read_bytes())), expected, 6)


def test_a_broken_profile_costs_nothing() -> None:
    """Colors are taken as they are."""
    photo = open_image(written(quarters(), "PNG", icc_profile=b"not a profile"))
    assert have_colors(shown(photo), QUARTERS)


def test_cmyk_becomes_rgb() -> None:
    """Photos that went through a print shop."""
    photo = open_image(written(quarters().convert("CMYK"), "JPEG", quality=95))
    assert have_colors(shown(photo), QUARTERS)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "I", "F"])
def test_gray_of_any_depth_becomes_gray_of_8_bits(mode: str) -> None:
    """Black stays black, white white, and 16-bit gray is scaled instead of clipped."""
    ramp = np.array([[0, 64, 128, 255]] * 4, dtype=np.uint8)
    if mode == "I;16":
        image = Image.fromarray(ramp.astype(np.uint16) * 257)
    elif mode == "I":
        image = Image.fromarray(ramp.astype(np.int32) * 257)
    elif mode == "F":
        image = Image.fromarray((ramp / 255).astype(np.float32))
    else:
        image = Image.fromarray(ramp).convert(mode, dither=Image.Dither.NONE)
    photo = open_image(written(image, "TIFF"))
    row = [tuple(int(value) for value in pixel) for pixel in photo.pixels[0]]
    expected = [0, 0, 255, 255] if mode == "1" else [0, 64, 128, 255]
    assert have_colors(row, [(value,) * 3 for value in expected], tolerance=1)


def test_a_png_of_16_bits_opens() -> None:
    """Medical and scientific cameras write them."""
    ramp = np.linspace(0, 65535, 64 * 4, dtype=np.uint16).reshape(4, 64)
    photo = open_image(written(Image.fromarray(ramp), "PNG"))
    assert photo.pixels[0, 0, 0] == 0
    assert photo.pixels[-1, -1, 0] == 255
    assert 126 <= photo.pixels[1, -1, 0] <= 128


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_deep_gray_is_converted_in_little_memory(kind: type[np.generic]) -> None:
    """At most three times the bytes of the photo: a hostile one must not fill a decoder process."""
    values = np.random.default_rng(1).integers(0, 65_535, (1_000, 1_500)).astype(kind)
    image = Image.fromarray(values)
    tracemalloc.start()
    try:
        gray = plain(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    white = values.max() if kind is np.float32 else 65_535
    assert np.abs(np.asarray(gray) - values * (255 / white)).max() <= 0.6
    assert peak < 3 * values.nbytes


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_show_white(mode: str) -> None:
    """Pixels below full transparency are not part of the image."""
    layer = Image.new("RGBA", (20, 20), (10, 10, 10, 255))
    layer.paste((200, 0, 0, 0), (0, 0, 10, 20))
    image = layer.convert(mode) if mode != "P" else layer.quantize(16)
    photo = open_image(written(image, "PNG"))
    assert tuple(photo.pixels[5, 5]) == (255, 255, 255)
    assert tuple(photo.pixels[5, 15]) == (10, 10, 10)


# ------------------------------------------------------------------------------------------------------ refusals

WHOLE = {
    "JPEG": written(noise(400, 300), "JPEG"),
    "progressive JPEG": written(noise(400, 300), "JPEG", progressive=True),
    "PNG": written(noise(400, 300), "PNG"),
    "WEBP": written(noise(400, 300), "WEBP"),
    "GIF": written(noise(400, 300).convert("L"), "GIF"),  # to choose 256 of all colors takes long
    "TIFF": written(noise(400, 300), "TIFF"),
    "AVIF": written(noise(200, 150), "AVIF", speed=10),
    "HEIF": (FIXTURES / "upright.heic").read_bytes(),
    "RAW": dng(noise(400, 300)),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_photo_that_is_cut_short_is_refused(kind: str, share: float) -> None:
    """It is not opened with gray where the rest should be."""
    data = WHOLE[kind]
    assert open_image(data).pixels.size
    with pytest.raises(PhotoError, match=r"^The \w+ photo is (cut short|damaged).*\.$"):
        open_image(data[: int(len(data) * share)])


def test_a_cut_jpeg_is_named_so_also_when_reduced() -> None:
    """The fast way refuses it as the slow one does."""
    data = written(noise(1600, 1200), "JPEG")
    with pytest.raises(PhotoError, match=r"^The JPEG photo is cut short: the file ends before the picture does.$"):
        open_image(data[: len(data) // 2], max_side=200)


def test_an_empty_file_is_refused() -> None:
    """With a sentence of its own."""
    with pytest.raises(PhotoError, match=r"^The file is empty: it has 0 bytes.$"):
        open_image(b"")


@pytest.mark.parametrize("data", [b"This is a text.\n", b"<html></html>", b"\0" * 100, b"%PDF-1.4", b"\xff\xd8"])
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    """Whatever its name says."""
    with pytest.raises(PhotoError, match="not a photo in a known format"):
        open_image(data)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    """A PNG of 30,000 x 30,000 pixels would unfold to 2.7 GB."""
    bomb = png_header(30_000, 30_000)
    with pytest.raises(PhotoError, match=r"30,000 x 30,000 pixels .* limit of 250 million pixels"):
        open_image(bomb)


def test_the_limit_on_pixels_can_be_set() -> None:
    """And holds for every format."""
    opener = InProcessOpener(DecodeLimits(max_pixels=1000))
    for kind, data in WHOLE.items():
        with pytest.raises(PhotoError, match="more than the limit"):
            opener.open(data)
        assert open_image(data).pixels.size, kind


def test_a_photo_without_any_extent_is_refused() -> None:
    """A header may say anything."""
    with pytest.raises(PhotoError):
        open_image(png_header(0, 7))


def test_text_in_a_png_may_be_long_but_not_endless() -> None:
    """Two megabytes of an editor's notes are no reason to refuse a photo; a text that unfolds for ever is."""
    assert open_image(png_with_text(2 << 20)).pixels.size
    with pytest.raises(PhotoError, match="damaged"):
        open_image(png_with_text(200 << 20))


def png_header(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def png_with_text(size: int) -> bytes:
    whole = written(quarters(), "PNG")
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b" " * size, 1))
    return whole[:33] + text + whole[33:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
