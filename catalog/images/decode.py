"""Decode the bytes of a file to an opened photo: upright, sRGB and reduced.

The format is recognized by content, and limits are checked before decoding. Every fault of a file ends in a
``PhotoError`` with a sentence. Decoders are C code and files are hostile, so ``decoder_pool`` runs this module in
processes that may crash.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pi_heif
import rawpy
from PIL import AvifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, UnidentifiedImageError

from catalog.domain.errors import PhotoError
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photo_format import sniff
from catalog.images import jpeg_xl
from catalog.images.color import plain, to_srgb
from catalog.images.cut_jpeg import MISSING_SHARE, completed, ends_in_zeros
from catalog.images.heif_check import CutFileError, check_complete
from catalog.images.image_hash import image_hash
from catalog.images.metadata import load_exif, orientation_of, read_metadata
from catalog.images.raw import develop, raw_size

# Set once a process. The limit on pixels is checked here, before decoding.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20  # editors write more than Pillow's 1 MB into a PNG's texts
# Photos are decoded in parallel already; more threads would only compete.
pi_heif.options.DECODE_THREADS = AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# Damaged metadata is ignored, so a warning is of no use.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Limits for one photo. ``seconds`` and ``memory_bytes`` hold in decoder processes only."""

    max_pixels: int = 250_000_000
    seconds: float = 60.0
    memory_bytes: int = 4 << 30


DEFAULT_LIMITS = DecodeLimits()

_NO_END_NOTE = "The end marker of the file is missing; the photo is complete."


@dataclass(slots=True)
class _Header:
    """A photo whose header was read; its pixels may not be decoded yet.

    ``width`` and ``height`` are those of the upright original. ``turn`` is the EXIF orientation that must still be
    applied to the pixels, 1 if the decoder applied it.
    """

    image: Image.Image
    width: int
    height: int
    orientation: int
    turn: int
    exif: Image.Exif
    xmp: bytes | str | None
    note: str | None = None


class InProcessOpener:
    """Opens photos in this process."""

    def __init__(self, limits: DecodeLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits

    def open(self, data: bytes, max_side: int | None = None) -> OpenedPhoto:
        return open_image(data, limits=self._limits, max_side=max_side)

    def close(self) -> None:
        """Nothing to close."""


def open_image(data: bytes, *, limits: DecodeLimits = DEFAULT_LIMITS, max_side: int | None = None) -> OpenedPhoto:
    """Decode a photo, no larger than ``max_side`` pixels on its longer side.

    Raises ``PhotoError``.
    """
    if not data:
        raise PhotoError("The file is empty: it has 0 bytes.")
    kind = sniff(data)
    if kind is None:
        raise PhotoError(
            "The content is not a photo in a known format (JPEG, PNG, WebP, TIFF, GIF, HEIF, AVIF, BMP, JPEG 2000, "
            "JPEG XL, PSD, PCX, PNM, TGA or camera RAW)."
        )
    try:
        try:
            header = _READERS[kind](data, limits)
            pixels = _pixels(header, max_side)
        except OSError as error:
            if kind != "JPEG" or "truncated" not in str(error):
                raise
            header = _read_cut_jpeg(data, limits)
            pixels = _pixels(header, max_side)
        metadata = read_metadata(header.exif, header.xmp, header.image, data)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"The {kind} photo needs more memory to decode than the limit allows.") from error
    except Exception as error:  # decoders raise anything on damaged input: OSError, SyntaxError, struct.error ...
        raise PhotoError(_sentence(kind, data, error)) from error
    return OpenedPhoto(
        pixels,
        header.width,
        header.height,
        kind,
        header.orientation,
        metadata,
        data,
        image_hash=image_hash(pixels),
        note=header.note,
    )


def _sentence(kind: str, data: bytes, error: Exception) -> str:
    detail = " ".join(str(error).split()).rstrip(".")[:200]
    declared_size = int.from_bytes(data[4:8], "little") + 8 if kind == "WEBP" else 0
    is_cut = isinstance(error, CutFileError) or any(word in detail.lower() for word in ("truncated", "end of file"))
    if is_cut or len(data) < declared_size:
        return f"The {kind} photo is cut short: the file ends before the picture does."
    if isinstance(error, UnidentifiedImageError):
        return f"The {kind} photo is damaged: its header cannot be read."
    return (
        f"The {kind} photo is damaged and cannot be decoded{f' ({detail})' if detail.isprintable() and detail else ''}."
    )


def _check_size(width: int, height: int, limits: DecodeLimits) -> None:
    if width < 1 or height < 1:
        raise PhotoError(f"The photo says that it is {width} x {height} pixels in size.")
    if width * height > limits.max_pixels:
        raise PhotoError(
            f"The photo is {width:,} x {height:,} pixels in size, which is more than the limit of "
            f"{limits.max_pixels / 1e6:,.0f} million pixels."
        )


# ------------------------------------------------------------------------------------------------------ readers


def _read_jpeg(data: bytes, limits: DecodeLimits) -> _Header:
    # Not through Image.open, which may open a photo with a second image inside (MPO) as an album.
    header = _header(JpegImagePlugin.JpegImageFile(BytesIO(data)), limits)
    # The decoder takes zeros, which an interrupted copy leaves at the end, for data of the picture.
    if ends_in_zeros(data):
        header.note = _note_of_missing_rows(completed(data)[1], header.image.height)
    return header


def _read_cut_jpeg(data: bytes, limits: DecodeLimits) -> _Header:
    """A JPEG that ends too early: read with a note if no more than its last rows are missing."""
    whole, missing = completed(data)
    header = _header(JpegImagePlugin.JpegImageFile(BytesIO(whole)), limits)
    header.note = _note_of_missing_rows(missing, header.image.height) or _NO_END_NOTE
    return header


def _note_of_missing_rows(missing: int, rows: int) -> str | None:
    """A note, or None if nothing is missing. Raises CutFileError if so much is missing that it may have been a face."""
    if missing > MISSING_SHARE * rows:
        raise CutFileError(f"{missing} of {rows} rows are missing")
    return f"The file ends too early: {missing} of {rows} rows are missing." if missing else None


def _read_by_pillow(formats: str) -> Callable[[bytes, DecodeLimits], _Header]:
    def read(data: bytes, limits: DecodeLimits) -> _Header:
        return _header(Image.open(BytesIO(data), formats=[formats]), limits)

    return read


def _read_png(data: bytes, limits: DecodeLimits) -> _Header:
    """Loaded at once, because EXIF may follow the pixels. Older editors wrote EXIF into a text."""
    image = Image.open(BytesIO(data), formats=["PNG"])
    _check_size(*image.size, limits)
    image.load()
    if "exif" not in image.info and isinstance(text := image.info.get("Raw profile type exif"), str):
        with contextlib.suppress(ValueError):
            image.info["exif"] = bytes.fromhex("".join(text.split("\n")[3:]))
    if not image.info.get("xmp") and isinstance(text := image.info.get("Raw profile type xmp"), str):
        with contextlib.suppress(ValueError):
            image.info["xmp"] = bytes.fromhex("".join(text.split("\n")[3:]))
    return _header(image, limits)


def _header(image: Image.Image, limits: DecodeLimits) -> _Header:
    _check_size(*image.size, limits)
    exif = load_exif(image.info.get("exif"))
    orientation = orientation_of(exif)
    width, height = image.size if orientation < 5 else image.size[::-1]
    return _Header(image, width, height, orientation, orientation, exif, image.info.get("xmp"))


def _read_tiff(data: bytes, limits: DecodeLimits) -> _Header:
    """Pillow reports the upright size of a TIFF and turns the image when it loads it."""
    image = Image.open(BytesIO(data), formats=["TIFF"])
    _check_size(*image.size, limits)
    exif = image.getexif()
    return _Header(image, *image.size, orientation_of(exif), 1, exif, image.info.get("xmp"))


def _read_heif(data: bytes, limits: DecodeLimits) -> _Header:
    """Libheif applies the orientation of the container. EXIF repeats it, or is wrong."""
    check_complete(data)
    heif = pi_heif.open_heif(data)
    primary = heif[heif.primary_index]
    width, height = primary.size
    _check_size(width, height, limits)
    info = primary.info
    return _Header(primary.to_pillow(), width, height, 1, 1, load_exif(info.get("exif")), info.get("xmp"))


def _read_raw(data: bytes, limits: DecodeLimits) -> _Header:
    try:
        _check_size(*raw_size(data), limits)
        developed = develop(data)
    except rawpy.LibRawError as error:
        raise PhotoError(_sentence("RAW", data, error)) from error
    exif = load_exif(data) if data[:2] in (b"II", b"MM") else Image.Exif()
    if not isinstance(developed.picture, bytes):
        image, turn, xmp = Image.fromarray(developed.picture), 1, None
    else:
        preview = _read_jpeg(developed.picture, limits)
        image, xmp = preview.image, preview.xmp
        # A preview without an orientation has that of the sensor.
        turn = preview.turn if 274 in preview.exif else developed.orientation
        exif = exif if len(exif) else preview.exif
    return _Header(image, developed.width, developed.height, developed.orientation, turn, exif, xmp)


def _read_jpeg_xl(data: bytes, limits: DecodeLimits) -> _Header:
    _check_size(*jpeg_xl.size_of(data), limits)
    image = jpeg_xl.decode(data)
    exif, xmp = jpeg_xl.metadata(data)
    return _Header(image, *image.size, 1, 1, load_exif(exif), xmp)


_READERS: dict[str, Callable[[bytes, DecodeLimits], _Header]] = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "WEBP": _read_by_pillow("WEBP"),
    "GIF": _read_by_pillow("GIF"),
    "AVIF": _read_by_pillow("AVIF"),
    "TIFF": _read_tiff,
    "HEIF": _read_heif,
    "BMP": _read_by_pillow("BMP"),
    "JPEG2000": _read_by_pillow("JPEG2000"),
    "JPEGXL": _read_jpeg_xl,
    "PSD": _read_by_pillow("PSD"),
    "PCX": _read_by_pillow("PCX"),
    "PNM": _read_by_pillow("PPM"),
    "TGA": _read_by_pillow("TGA"),
    "RAW": _read_raw,
}


# ------------------------------------------------------------------------------------------------------ pixels

_PANORAMA_RATIO, _PANORAMA_MAX_FACTOR = 3.0, 12.0
_NEARLY = 0.96
"""Share of the wanted size that is enough, and of an image's size from which it is not reduced. Half of a photo of 12
megapixels (4,000 to 4,266 pixels wide) is nearly the default of 2,048 pixels. Decoded at half scale and not reduced it
needs less than half of the processor time."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _pixels(header: _Header, max_side: int | None) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    image = header.image
    profile = image.info.get("icc_profile")
    size = _reduced(image.size, max_side)
    if size != image.size and isinstance(image, JpegImagePlugin.JpegImageFile):
        # decodes at 1/2, 1/4 or 1/8, whichever is still large enough
        image.draft(None, (max(1, int(size[0] * _NEARLY)), max(1, int(size[1] * _NEARLY))))
    image.load()
    image = plain(image)
    size = _reduced(image.size, max_side)
    if max(size) < _NEARLY * max(image.size):
        # as sharp as bicubic when an image is reduced, in two thirds of the time
        image = image.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
    image = to_srgb(image, profile)
    if header.turn in _TURNS:
        image = image.transpose(_TURNS[header.turn])
    return np.array(image)


def _reduced(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """Return the size to which an image is reduced.

    ``max_side`` limits the longer side. If the longer side is more than three times the shorter one (a panorama), the
    limit follows the shorter side, so that faces keep their pixels: at most 12 times ``max_side``, and so at most four
    times as many pixels as a square of ``max_side``.
    """
    if max_side is None:
        return size
    ratio = max(size) / min(size)
    longest = max_side * min(max(ratio / _PANORAMA_RATIO, 1.0), _PANORAMA_MAX_FACTOR)
    if max(size) <= longest:
        return size
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return width, height
