"""XMP packets inside photo files: JPEG, PNG, WebP, TIFF and raw files of that structure, HEIF, AVIF, JPEG XL, CR3.

Only the containers are parsed, no pixels. Sizes in a file are not trusted: reads are bounded by ``MAX_BYTES``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from catalog.domain.errors import PhotoError
from catalog.exchange.xmp_packet import MAX_BYTES, jpeg_packets

_JPEG_HEAD_BYTES = 4_000_000
"""Bytes of a JPEG that are searched for XMP, which is before the image data."""

_XMP_TAG = 700
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_RDF_TYPE = b"application/rdf+xml"
_PNG_KEYWORD = b"XML:com.adobe.xmp\x00"
_MAX_ENTRIES = 10_000
"""Limit on chunks, boxes, tags and items of a file, so that a hostile file ends."""


def embedded_packets(file: BinaryIO) -> list[bytes]:
    """Return the XMP packets of a photo file, an empty list for a file without any and for other formats.

    Raises ``PhotoError`` for a broken container.
    """
    head = file.read(16)
    reader = _reader_of(head)
    if reader is None:
        return []
    file.seek(0)
    try:
        return [packet for packet in reader(file) if packet.strip(b"\x00 \r\n\t")]
    except (struct.error, zlib.error, ValueError, OverflowError) as error:
        raise PhotoError("The structure of the file is damaged, so that its XMP cannot be read.") from error


def _reader_of(head: bytes) -> Callable[[BinaryIO], Iterator[bytes]] | None:
    if head.startswith(b"\xff\xd8"):
        return _of_jpeg
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _of_png
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _of_webp
    if head[:4] in (b"II*\x00", b"MM\x00*", b"IIU\x00", b"IIRO", b"IIRS", b"MMOR"):
        return _of_tiff
    if head[4:8] in (b"ftyp", b"JXL "):
        return _of_boxes
    return None


def _read(file: BinaryIO, size: int) -> bytes:
    """Read exactly ``size`` bytes. Raises ``ValueError`` if there are fewer, or if the size is out of bounds."""
    if not 0 <= size <= MAX_BYTES:
        raise ValueError(size)
    data = file.read(size)
    if len(data) != size:
        raise ValueError(size)
    return data


def _of_jpeg(file: BinaryIO) -> Iterator[bytes]:
    yield from jpeg_packets(file.read(_JPEG_HEAD_BYTES))


def _of_png(file: BinaryIO) -> Iterator[bytes]:
    file.seek(8)
    for _ in range(_MAX_ENTRIES):
        header = file.read(8)
        if len(header) < 8:
            return
        size, kind = struct.unpack(">I4s", header)
        if kind == b"IEND":
            return
        if kind == b"iTXt" and size <= MAX_BYTES:
            data = _read(file, size)
            if data.startswith(_PNG_KEYWORD):
                yield _png_text(data[len(_PNG_KEYWORD) :])
            file.seek(4, 1)
        else:
            file.seek(size + 4, 1)


def _png_text(data: bytes) -> bytes:
    """Return the text of an iTXt chunk after its keyword: two flags, language, translated keyword, text."""
    is_compressed = data[:1] == b"\x01"
    _, _, rest = data[2:].partition(b"\x00")
    _, _, text = rest.partition(b"\x00")
    if not is_compressed:
        return text
    return zlib.decompressobj().decompress(text, MAX_BYTES)


def _of_webp(file: BinaryIO) -> Iterator[bytes]:
    file.seek(12)
    for _ in range(_MAX_ENTRIES):
        header = file.read(8)
        if len(header) < 8:
            return
        kind, size = struct.unpack("<4sI", header)
        if kind == b"XMP ":
            yield _read(file, size)
            return
        file.seek(size + size % 2, 1)


def _of_tiff(file: BinaryIO) -> Iterator[bytes]:
    order = "<" if _read(file, 2) == b"II" else ">"
    file.seek(4)
    (directory,) = struct.unpack(order + "I", _read(file, 4))
    file.seek(directory)
    (count,) = struct.unpack(order + "H", _read(file, 2))
    for _ in range(min(count, _MAX_ENTRIES)):
        tag, kind, length, offset = struct.unpack(order + "HHII", _read(file, 12))
        if tag == _XMP_TAG and kind in (1, 7) and length > 4:
            file.seek(offset)
            yield _read(file, length)
            return


# ------------------------------------------------------------------------------- ISO base media file format (boxes)


def _boxes(file: BinaryIO, end: int | None) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start of the content and end of each box from the current position on."""
    position = file.tell()
    for _ in range(_MAX_ENTRIES):
        if end is not None and position + 8 > end:
            return
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            return
        size, kind = struct.unpack(">I4s", header)
        start = position + 8
        if size == 1:
            (size,) = struct.unpack(">Q", _read(file, 8))
            start += 8
        if size == 0:
            yield kind, start, end if end is not None else start + MAX_BYTES
            return
        if size < start - position:
            raise ValueError(size)
        yield kind, start, position + size
        position += size


def _of_boxes(file: BinaryIO) -> Iterator[bytes]:
    for kind, start, end in _boxes(file, None):
        file.seek(start)
        if kind == b"xml ":  # JPEG XL
            yield _read(file, end - start)
        elif kind == b"uuid":  # CR3 and others
            if _read(file, 16) == _XMP_UUID:
                yield _read(file, end - start - 16)
        elif kind == b"moov":  # CR3 keeps further boxes in it
            for inner, inner_start, inner_end in _boxes(file, end):
                file.seek(inner_start)
                if inner == b"uuid" and _read(file, 16) == _XMP_UUID:
                    yield _read(file, inner_end - inner_start - 16)
        elif kind == b"meta":
            yield from _of_meta(file, start, end)
            return


def _of_meta(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    items: set[int] = set()
    extents: dict[int, list[tuple[int, int, int]]] = {}
    idat = 0
    file.seek(start + 4)  # version and flags
    for kind, content, content_end in _boxes(file, end):
        file.seek(content)
        if kind == b"iinf":
            items = set(_xmp_items(file, content, content_end))
        elif kind == b"iloc":
            extents = dict(_extents(_read(file, content_end - content)))
        elif kind == b"idat":
            idat = content
    for item in sorted(items):
        data = b""
        for method, offset, length in extents.get(item, ()):
            file.seek(offset + (idat if method == 1 else 0))
            data += _read(file, length)
        yield data


def _xmp_items(file: BinaryIO, start: int, end: int) -> Iterator[int]:
    version = _read(file, 4)[0]
    file.seek(start + 4 + (2 if version == 0 else 4))
    for kind, content, content_end in _boxes(file, end):
        if kind != b"infe":
            continue
        file.seek(content)
        data = _read(file, min(content_end - content, 4096))
        if data[0] < 2:
            continue
        width = 2 if data[0] == 2 else 4
        item = int.from_bytes(data[4 : 4 + width], "big")
        rest = data[6 + width :]  # after the item id and the protection index
        if rest[:4] == b"mime" and _RDF_TYPE in rest[4:].split(b"\x00")[1:2]:
            yield item


def _extents(data: bytes) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """Yield each item of an iloc box with its extents: construction method, offset and length in bytes."""
    version = data[0]
    offset_size, length_size = data[4] >> 4, data[4] & 15
    base_size, index_size = data[5] >> 4, (data[5] & 15) if version in (1, 2) else 0
    position = 6

    def number(size: int) -> int:
        nonlocal position
        if position + size > len(data):
            raise ValueError(size)
        position += size
        return int.from_bytes(data[position - size : position], "big")

    for _ in range(min(number(2 if version < 2 else 4), _MAX_ENTRIES)):
        item = number(2 if version < 2 else 4)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)  # index of the data reference
        base = number(base_size)
        extents = []
        for _ in range(min(number(2), _MAX_ENTRIES)):
            number(index_size)
            offset = number(offset_size)
            extents.append((method, base + offset, number(length_size)))
        yield item, extents
