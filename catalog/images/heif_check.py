"""Completeness of a HEIF file, checked before decoding, because libheif fills missing tiles without an error.

A phone's HEIC is a grid of tiles, each an item of its own. This module reads the boxes of ISO/IEC 14496-12 and 23008-12
that say where the data of the primary item and of its tiles lie, and checks that all of it is in the file and consists
of whole NAL units.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_MAX_ITEMS = 100_000
_MAX_UNITS = 100_000


class CutFileError(Exception):
    """Data of the primary image are missing. The text says which."""


@dataclass(slots=True)
class _Meta:
    primary: int = 0
    types: dict[int, bytes] = field(default_factory=dict)
    extents: dict[int, list[tuple[int, int, int]]] = field(default_factory=dict)
    """For each item: construction method, offset and length of each extent."""
    inputs: dict[int, list[int]] = field(default_factory=dict)
    """Items that a derived item is made of (``dimg``)."""
    idat: bytes = b""


def check_complete(data: bytes) -> None:
    """Raise CutFileError if data of the primary image are missing. Files that are not understood pass."""
    try:
        boxes = dict(_boxes(data, 0, len(data), is_top=True))
        meta = _read_meta(data, *boxes[b"meta"]) if b"meta" in boxes else None
        if meta is not None:
            _check_items(data, meta)
    except (struct.error, IndexError):
        return  # the decoder judges what is not understood here


def _boxes(data: bytes, start: int, end: int, *, is_top: bool = False) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Kind, start and end of the payload of each box."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = end - start
        if size < head:
            return
        if start + size > end:
            if is_top:
                raise CutFileError(f"the box {kind.decode('latin-1')!r} ends behind the end of the file")
            return
        yield kind, (start + head, start + size)
        start += size


def _read_meta(data: bytes, start: int, end: int) -> _Meta:
    meta = _Meta()
    for kind, (first, last) in _boxes(data, start + 4, end):
        if kind == b"pitm":
            meta.primary = struct.unpack_from(">I" if data[first] else ">H", data, first + 4)[0]
        elif kind == b"iinf":
            _read_types(data, first, last, meta)
        elif kind == b"iloc":
            _read_locations(data, first, meta)
        elif kind == b"iref":
            _read_references(data, first, last, meta)
        elif kind == b"idat":
            meta.idat = data[first:last]
    return meta


def _read_types(data: bytes, start: int, end: int, meta: _Meta) -> None:
    entries = start + (6 if data[start] == 0 else 8)
    for kind, (first, _) in _boxes(data, entries, end):
        if kind == b"infe" and data[first] >= 2:
            is_long = data[first] > 2
            item = struct.unpack_from(">I" if is_long else ">H", data, first + 4)[0]
            offset = first + (10 if is_long else 8)
            meta.types[item] = data[offset : offset + 4]


def _read_locations(data: bytes, start: int, meta: _Meta) -> None:
    version = data[start]
    offset_size, length_size = data[start + 4] >> 4, data[start + 4] & 15
    base_size, index_size = data[start + 5] >> 4, data[start + 5] & 15 if version else 0
    position = start + 6
    count, position = _number(data, position, 4 if version == 2 else 2)
    for _ in range(min(count, _MAX_ITEMS)):
        item, position = _number(data, position, 4 if version == 2 else 2)
        method = 0
        if version:
            method, position = _number(data, position, 2)
        position += 2  # data reference
        base, position = _number(data, position, base_size)
        extent_count, position = _number(data, position, 2)
        extents = meta.extents.setdefault(item, [])
        for _ in range(extent_count):
            position += index_size
            offset, position = _number(data, position, offset_size)
            length, position = _number(data, position, length_size)
            extents.append((method & 15, base + offset, length))


def _read_references(data: bytes, start: int, end: int, meta: _Meta) -> None:
    size = 4 if data[start] else 2
    for kind, (first, _) in _boxes(data, start + 4, end):
        if kind == b"dimg":
            source, position = _number(data, first, size)
            count, position = _number(data, position, 2)
            items = meta.inputs.setdefault(source, [])
            for _ in range(count):
                item, position = _number(data, position, size)
                items.append(item)


def _number(data: bytes, position: int, size: int) -> tuple[int, int]:
    part = data[position : position + size]
    if len(part) < size:
        raise IndexError
    return int.from_bytes(part, "big"), position + size


def _check_items(data: bytes, meta: _Meta) -> None:
    pending, checked = [meta.primary], set[int]()
    while pending:
        item = pending.pop()
        if item in checked:
            continue
        checked.add(item)
        inputs = meta.inputs.get(item, [])
        pending += inputs
        payload = _payload(data, meta, item)
        if meta.types.get(item) == b"grid" and len(payload) >= 4:
            tiles = (payload[2] + 1) * (payload[3] + 1)
            if len(inputs) < tiles:
                raise CutFileError(f"{tiles - len(inputs)} of {tiles} tiles are missing")
        elif meta.types.get(item) == b"hvc1":
            _check_units(payload)


def _payload(data: bytes, meta: _Meta, item: int) -> bytes:
    parts = []
    for method, offset, length in meta.extents.get(item, []):
        if method > 1:
            continue
        source = meta.idat if method else data
        if offset + length > len(source):
            raise CutFileError("data of the picture lie behind the end of the file")
        parts.append(source[offset : offset + length] if length else source[offset:])
    return b"".join(parts)


def _check_units(payload: bytes) -> None:
    """A tile is a chain of NAL units, each with its length in 4 bytes, as every known encoder writes them."""
    position = count = 0
    while position < len(payload) and count < _MAX_UNITS:
        if position + 4 > len(payload):
            raise CutFileError("a tile of the picture is damaged")
        length = int.from_bytes(payload[position : position + 4], "big")
        if length == 0 or position + 4 + length > len(payload):
            raise CutFileError("a tile of the picture is damaged or empty")
        # An encoder never writes three zeros in a row inside a unit (ITU-T H.265, 7.4.2).
        if b"\0\0\0" in payload[position + 4 : position + 4 + length]:
            raise CutFileError("a tile of the picture holds zeros in place of its data")
        position += 4 + length
        count += 1
