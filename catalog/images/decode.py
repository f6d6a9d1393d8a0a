"""From a file's bytes to an opened photo: recognized by content, checked against limits, upright, sRGB, reduced.

Whatever is wrong with a file ends in a ``PhotoError`` with a sentence. Decoders are C code that
meets strangers' bytes: ``decoder_pool`` runs this file in processes that may die.
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
from catalog.images.color import plain, to_srgb
from catalog.images.metadata import load_exif, orientation_of, read_metadata
from catalog.images.raw import develop, raw_size

# Pillow and libheif ask for these once a process. The limit on pixels is our own, checked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = 16 << 20  # editors write more than Pillow's 1 MB into a PNG's texts
# Photos are decoded side by side; a second level of threads only gets in the way.
pi_heif.options.DECODE_THREADS = AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# Broken metadata is taken for not written, so there is nobody to warn.
warnings.filterwarnings("ignore", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """How much one photo may cost. ``seconds`` and ``memory_bytes`` hold in worker processes only."""

    max_pixels: int = 250_000_000
    seconds: float = 60.0
    memory_bytes: int = 4 << 30


DEFAULT_LIMITS = DecodeLimits()


@dataclass(slots=True)
class _Picture:
    """A photo whose header was read and whose pixels may still have to be decoded."""

    image: Image.Image
    width: int
    """Of the original, upright."""
    height: int
    orientation: int
    turn: int
    """The EXIF orientation that still has to be applied to the pixels, 1 where the decoder did it."""
    exif: Image.Exif
    xmp: bytes | str | None


class InProcessOpener:
    """Opens photos in this very process."""

    def __init__(self, limits: DecodeLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits

    def open(self, data: bytes, max_side: int | None = None) -> OpenedPhoto:
        return open_image(data, limits=self._limits, max_side=max_side)

    def close(self) -> None:
        """Nothing is held."""


def open_image(data: bytes, *, limits: DecodeLimits = DEFAULT_LIMITS, max_side: int | None = None) -> OpenedPhoto:
    """Decode a photo, no larger than ``max_side`` pixels on its longer side.

    Raises ``PhotoError``.
    """
    if not data:
        raise PhotoError("The file is empty: it has 0 bytes.")
    kind = sniff(data)
    if kind is None:
        raise PhotoError(
            "The content is not a photo in a known format (JPEG, PNG, WebP, TIFF, GIF, HEIF, AVIF or camera RAW)."
        )
    try:
        picture = _READERS[kind](data, limits)
        pixels = _pixels(picture, max_side)
        metadata = read_metadata(picture.exif, picture.xmp)
    except PhotoError:
        raise
    except MemoryError as error:
        raise PhotoError(f"The {kind} photo needs more memory to decode than the limit allows.") from error
    except Exception as error:  # decoders raise anything on damaged input: OSError, SyntaxError, struct.error ...
        raise PhotoError(_sentence(kind, data, error)) from error
    return OpenedPhoto(pixels, picture.width, picture.height, kind, picture.orientation, metadata, data)


def _sentence(kind: str, data: bytes, error: Exception) -> str:
    told = " ".join(str(error).split()).rstrip(".")[:200]
    promised = int.from_bytes(data[4:8], "little") + 8 if kind == "WEBP" else 0
    if "truncated" in told.lower() or "end of file" in told.lower() or len(data) < promised:
        return f"The {kind} photo is cut short: the file ends before the picture does."
    if isinstance(error, UnidentifiedImageError):
        return f"The {kind} photo is damaged: its header cannot be read."
    return f"The {kind} photo is damaged and cannot be decoded{f' ({told})' if told.isprintable() and told else ''}."


def _refuse_bomb(width: int, height: int, limits: DecodeLimits) -> None:
    if width < 1 or height < 1:
        raise PhotoError(f"The photo says that it is {width} x {height} pixels in size.")
    if width * height > limits.max_pixels:
        raise PhotoError(
            f"The photo is {width:,} x {height:,} pixels in size, which is more than the limit of "
            f"{limits.max_pixels / 1e6:,.0f} million pixels."
        )


# ------------------------------------------------------------------------------------------------------ readers


def _read_jpeg(data: bytes, limits: DecodeLimits) -> _Picture:
    # Not through Image.open, which may take a photo with a second picture inside (MPO) for an album.
    return _picture(JpegImagePlugin.JpegImageFile(BytesIO(data)), limits)


def _read_by_pillow(formats: str) -> Callable[[bytes, DecodeLimits], _Picture]:
    def read(data: bytes, limits: DecodeLimits) -> _Picture:
        return _picture(Image.open(BytesIO(data), formats=[formats]), limits)

    return read


def _read_png(data: bytes, limits: DecodeLimits) -> _Picture:
    """Loaded at once, because a PNG may have its EXIF behind its pixels; older editors wrote it into a text."""
    image = Image.open(BytesIO(data), formats=["PNG"])
    _refuse_bomb(*image.size, limits)
    image.load()
    if "exif" not in image.info and isinstance(text := image.info.get("Raw profile type exif"), str):
        with contextlib.suppress(ValueError):
            image.info["exif"] = bytes.fromhex("".join(text.split("\n")[3:]))
    return _picture(image, limits)


def _picture(image: Image.Image, limits: DecodeLimits) -> _Picture:
    _refuse_bomb(*image.size, limits)
    exif = load_exif(image.info.get("exif"))
    orientation = orientation_of(exif)
    width, height = image.size if orientation < 5 else image.size[::-1]
    return _Picture(image, width, height, orientation, orientation, exif, image.info.get("xmp"))


def _read_tiff(data: bytes, limits: DecodeLimits) -> _Picture:
    """Pillow tells the upright size of a TIFF, and turns it while loading it."""
    image = Image.open(BytesIO(data), formats=["TIFF"])
    _refuse_bomb(*image.size, limits)
    exif = image.getexif()
    return _Picture(image, *image.size, orientation_of(exif), 1, exif, image.info.get("xmp"))


def _read_heif(data: bytes, limits: DecodeLimits) -> _Picture:
    """Turned by libheif as the container says; EXIF repeats the turn, or is wrong."""
    heif = pi_heif.open_heif(data)
    primary = heif[heif.primary_index]
    width, height = primary.size
    _refuse_bomb(width, height, limits)
    info = primary.info
    return _Picture(primary.to_pillow(), width, height, 1, 1, load_exif(info.get("exif")), info.get("xmp"))


def _read_raw(data: bytes, limits: DecodeLimits) -> _Picture:
    try:
        _refuse_bomb(*raw_size(data), limits)
        developed = develop(data)
    except rawpy.LibRawError as error:
        raise PhotoError(_sentence("RAW", data, error)) from error
    exif = load_exif(data) if data[:2] in (b"II", b"MM") else Image.Exif()
    if not isinstance(developed.picture, bytes):
        image, turn, xmp = Image.fromarray(developed.picture), 1, None
    else:
        preview = _read_jpeg(developed.picture, limits)
        image, xmp = preview.image, preview.xmp
        # A preview that says nothing of its turn lies as the sensor does.
        turn = preview.turn if 274 in preview.exif else developed.orientation
        exif = exif if len(exif) else preview.exif
    return _Picture(image, developed.width, developed.height, developed.orientation, turn, exif, xmp)


_READERS: dict[str, Callable[[bytes, DecodeLimits], _Picture]] = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "WEBP": _read_by_pillow("WEBP"),
    "GIF": _read_by_pillow("GIF"),
    "AVIF": _read_by_pillow("AVIF"),
    "TIFF": _read_tiff,
    "HEIF": _read_heif,
    "RAW": _read_raw,
}


# ------------------------------------------------------------------------------------------------------ pixels

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _pixels(picture: _Picture, max_side: int | None) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    image = picture.image
    profile = image.info.get("icc_profile")
    size = _reduced(image.size, max_side)
    if size != image.size and isinstance(image, JpegImagePlugin.JpegImageFile):
        image.draft(None, size)  # decodes at 1/2, 1/4 or 1/8, whichever is still large enough
    image.load()
    image = plain(image)
    size = _reduced(image.size, max_side)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    image = to_srgb(image, profile)
    if picture.turn in _TURNS:
        image = image.transpose(_TURNS[picture.turn])
    return np.array(image)


def _reduced(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    longer = max(size)
    if max_side is None or longer <= max_side:
        return size
    width, height = (max(1, round(side * max_side / longer)) for side in size)
    return width, height
