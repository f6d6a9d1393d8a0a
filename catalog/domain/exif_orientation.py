"""Orientation from a sidecar, written into the bytes of a photo whose own metadata has none.

Decoders and Amazon Rekognition then turn the photo as they turn any other. Files on disk are not changed.
"""

from __future__ import annotations

import re
import struct
import zlib

_ORIENTATION = 0x0112
_SHORT = 3
_EXIF = b"Exif\x00\x00"
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_SEGMENT = 65_533
_SIDECAR = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[<\"']")


def sidecar_orientation(xmp: bytes) -> int:
    """Return ``tiff:Orientation`` of an XMP packet, 1 if it has none."""
    match = _SIDECAR.search(xmp)
    return int(match[1]) if match else 1


def with_orientation(data: bytes, orientation: int) -> bytes:
    """Return a JPEG or PNG with this EXIF orientation, 2 to 8.

    Returns the same bytes if the photo has an orientation of its own other than 1, if its EXIF is damaged, and for
    other formats.
    """
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data, orientation)
        if data.startswith(_PNG):
            return _png(data, orientation)
    except (struct.error, ValueError, IndexError):
        return data
    return data


def _jpeg(data: bytes, orientation: int) -> bytes:
    position = 2
    while data[position] == 0xFF and data[position + 1] not in (0xD9, 0xDA):
        (length,) = struct.unpack_from(">H", data, position + 2)
        start, end = position + 4, position + 2 + length
        if data[position + 1] == 0xE1 and data[start : start + 6] == _EXIF:
            body = _EXIF + _tiff(data[start + 6 : end], orientation)
            if len(body) > _MAX_SEGMENT:
                return data
            return data[:position] + _segment(body) + data[end:]
        position = end
    return data[:2] + _segment(_EXIF + _new_tiff(orientation)) + data[2:]


def _segment(body: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _png(data: bytes, orientation: int) -> bytes:
    position = len(_PNG)
    after_header = None
    while position + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + size
        if kind == b"IHDR":
            after_header = end
        if kind == b"eXIf":
            return data[:position] + _chunk(_tiff(data[position + 8 : end - 4], orientation)) + data[end:]
        position = end
    if after_header is None:
        return data
    return data[:after_header] + _chunk(_new_tiff(orientation)) + data[after_header:]


def _chunk(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))


def _new_tiff(orientation: int) -> bytes:
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def _tiff(tiff: bytes, orientation: int) -> bytes:
    """Set the orientation in the first directory of a TIFF structure, if it is absent or 1.

    A directory without the tag is copied to the end with one entry more. Offsets of values stay valid.
    """
    order = {b"II": "<", b"MM": ">"}[tiff[:2]] if tiff[:2] in (b"II", b"MM") else ""
    if not order:
        raise ValueError(tiff[:2])
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, directory)
    first = directory + 2
    for entry in range(first, first + 12 * count, 12):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
        if tag == _ORIENTATION:
            if kind != _SHORT or value not in (0, 1):
                return tiff
            return tiff[: entry + 8] + struct.pack(order + "H", orientation) + tiff[entry + 10 :]
    entries = [tiff[entry : entry + 12] for entry in range(first, first + 12 * count, 12)]
    entries.append(struct.pack(order + "HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0))
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry)[0])
    following = tiff[first + 12 * count : first + 12 * count + 4]
    padded = tiff + bytes(len(tiff) % 2)
    moved = struct.pack(order + "H", len(entries)) + b"".join(entries) + following.ljust(4, b"\x00")
    return padded[:4] + struct.pack(order + "I", len(padded)) + padded[8:] + moved
