"""Recognize the format of a file by its first bytes. The name is not used."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"FUJIFILMCCD-RAW", "RAW"),  # Fujifilm
    (b"IIRO", "RAW"),  # Olympus, three kinds
    (b"IIRS", "RAW"),
    (b"MMOR", "RAW"),
    (b"IIU\x00", "RAW"),  # Panasonic, Leica
    (b"II\x1a\x00\x00\x00HEAPCCDR", "RAW"),  # Canon before 2004
    (b"FOVb", "RAW"),  # Sigma
    (b"\x00MRM", "RAW"),  # Minolta
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG2000"),  # JP2 file
    (b"\xff\x4f\xff\x51", "JPEG2000"),  # bare codestream
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEGXL"),  # container
    (b"\xff\x0a", "JPEGXL"),  # bare codestream
    (b"8BPS\x00\x01", "PSD"),
)

_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIF",
    b"heix": "HEIF",
    b"heim": "HEIF",
    b"heis": "HEIF",
    b"hevc": "HEIF",
    b"hevx": "HEIF",
    b"hevm": "HEIF",
    b"hevs": "HEIF",
    b"crx ": "RAW",  # Canon since 2018
}
"""Brands of the ISO base media file format (ISO/IEC 23008-12), without those of videos."""

_GENERAL_BRANDS = frozenset({b"mif1", b"mif2", b"msf1"})
"""Brands of an image whose codec a more special brand may name. HEIF if none does."""

DRAWN = b"drawn by face-catalog"
"""Comment in pictures that this program draws. It may replace such a picture, and no other."""

HEAD = 4096
"""Bytes from the beginning that are enough, except for a TIFF, whose directories may be anywhere."""


FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "TIFF",
    "GIF",
    "HEIF",
    "AVIF",
    "BMP",
    "JPEG2000",
    "JPEGXL",
    "PSD",
    "PCX",
    "PNM",
    "TGA",
    "RAW",
)
"""Every format that :func:`sniff` returns. They are stored."""


def sniff(data: bytes) -> str | None:
    """One of ``FORMATS``, or None if the bytes are not those of a photo in a known format."""
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return "RAW" if _is_camera_raw(data) else "TIFF"
    if data[:4] in (b"II+\x00", b"MM\x00+"):  # BigTIFF
        return "TIFF"
    return _of_weak_magic(data)


def _of_weak_magic(data: bytes) -> str | None:
    """Formats whose first bytes are few, so that further fields of the header are checked."""
    if data[:2] == b"BM" and data[6:10] == b"\0\0\0\0" and data[14:18] in _BITMAP_HEADERS:
        return "BMP"
    if data[:1] == b"\x0a" and data[1:2] in b"\x00\x02\x03\x04\x05" and data[2:4] in (b"\x01\x01", b"\x01\x08"):
        return "PCX"
    if data.endswith(b"TRUEVISION-XFILE.\0"):  # the footer of version 2; version 1 has no mark
        return "TGA"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3] in b" \t\r\n" and _is_netpbm(data):
        return "PNM"
    return None


_BITMAP_HEADERS = frozenset(size.to_bytes(4, "little") for size in (12, 16, 40, 52, 56, 64, 108, 124))
_NETPBM = re.compile(rb"P[1-6](?:\s+(?:#[^\n]*\n\s*)*)\d{1,6}\s+(?:#[^\n]*\n\s*)*\d{1,6}\s")


def _is_netpbm(data: bytes) -> bool:
    return _NETPBM.match(data[:HEAD]) is not None


def _of_brands(data: bytes) -> str | None:
    end = min(int.from_bytes(data[:4], "big"), HEAD)
    brands = [data[8:12], *(data[offset : offset + 4] for offset in range(16, end, 4))]
    for brand in brands:
        if brand in _BRANDS:
            return _BRANDS[brand]
    return "HEIF" if _GENERAL_BRANDS.intersection(brands) else None


# Tags of TIFF 6.0, TIFF/EP and DNG
_COMPRESSION, _PHOTOMETRIC, _SUB_IFDS, _CFA_PATTERN, _DNG_VERSION = 259, 262, 330, 33421, 50706
_RAW_PHOTOMETRIC = frozenset({32803, 34892})  # color filter array, linear raw
_RAW_COMPRESSION = frozenset({32767, 32769, 32770, 34713, 65000, 65535})  # Sony, Epson, Samsung, Nikon, Kodak, Pentax


def _is_camera_raw(data: bytes) -> bool:
    """Return whether a TIFF holds sensor data, as the raw files of most makers do."""
    if data[8:11] == b"CR\x02" or data[8:12] == b"IIII":  # Canon, Phase One
        return True
    return any(
        tag in (_CFA_PATTERN, _DNG_VERSION)
        or (tag == _PHOTOMETRIC and value in _RAW_PHOTOMETRIC)
        or (tag == _COMPRESSION and value in _RAW_COMPRESSION)
        for tag, value in _tiff_tags(data)
    )


def _tiff_tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Tags with their first value, of at most 32 directories and subdirectories of a TIFF."""
    order = "<" if data[:2] == b"II" else ">"
    pending = [_number(order, "I", data, 4)]
    visited: set[int] = set()
    while pending and len(visited) < 32:
        offset = pending.pop(0)
        if offset in visited or not 8 <= offset < len(data) - 2:
            continue
        visited.add(offset)
        entries = min(_number(order, "H", data, offset), 1000)
        for entry in range(offset + 2, offset + 2 + 12 * entries, 12):
            tag, kind = _number(order, "H", data, entry), _number(order, "H", data, entry + 2)
            count = _number(order, "I", data, entry + 4)
            value = _number(order, "H" if kind == 3 else "I", data, entry + 8)
            if tag == _SUB_IFDS:
                offsets = [entry + 8] if count == 1 else range(value, value + 4 * min(count, 16), 4)
                pending += [_number(order, "I", data, position) for position in offsets]
            yield tag, value
        pending.append(_number(order, "I", data, offset + 2 + 12 * entries))


def _number(order: str, kind: str, data: bytes, offset: int) -> int:
    """An unsigned number of a TIFF; 0 if the file ends before it."""
    try:
        number: int = struct.unpack_from(order + kind, data, offset)[0]
    except struct.error:
        return 0
    return number
