"""Pictures that the tests paint themselves, and the files around them.

The painted picture has a different color in each quarter, so that a turn, a flip and a wrong color all show.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.domain.opened_photo import OpenedPhoto

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 60)


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Red and green above, blue and yellow below."""
    image = Image.new("RGB", (width, height))
    half = width // 2, height // 2
    for color, corner in (
        (RED, (0, 0, *half)),
        (GREEN, (half[0], 0, width, half[1])),
        (BLUE, (0, half[1], half[0], height)),
        (YELLOW, (*half, width, height)),
    ):
        image.paste(color, corner)
    return image


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """Something that does not compress."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def shown(photo: OpenedPhoto) -> list[tuple[int, ...]]:
    """The colors in the middle of the quarters: upper left, upper right, lower left, lower right."""
    rows, columns = photo.pixels.shape[:2]
    return [
        tuple(int(value) for value in photo.pixels[row, column])
        for row in (rows // 4, rows * 3 // 4)
        for column in (columns // 4, columns * 3 // 4)
    ]


def have_colors(colors: Sequence[tuple[int, ...]], expected: Sequence[tuple[int, ...]], tolerance: int = 12) -> bool:
    return len(colors) == len(expected) and all(
        abs(a - b) <= tolerance
        for color, wanted in zip(colors, expected, strict=True)
        for a, b in zip(color, wanted, strict=True)
    )


def display_p3() -> bytes:
    """An ICC profile (version 2.1, matrix and curve) of wider primaries than sRGB, as phones embed."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    def xyz(*values: float) -> bytes:
        return b"XYZ \0\0\0\0" + fixed(*values)

    text = b"Wide test profile\0"
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\0\0"
    parts = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78,
        b"cprt": b"text\0\0\0\0public domain\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.5151, 0.2412, -0.0011),
        b"gXYZ": xyz(0.2919, 0.6922, 0.0419),
        b"bXYZ": xyz(0.1572, 0.0666, 0.7841),
        b"rTRC": gamma,
        b"gTRC": gamma,
        b"bTRC": gamma,
    }
    table, body, offset = struct.pack(">I", len(parts)), b"", 128 + 4 + 12 * len(parts)
    for name, part in parts.items():
        table += name + struct.pack(">II", offset + len(body), len(part))
        body += part + b"\0" * (-len(part) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + body


def dng(
    image: Image.Image, *, orientation: int = 1, preview: bytes | None = None, preview_size: tuple[int, int] = (0, 0)
) -> bytes:
    """A camera raw file: the picture seen through a Bayer filter, 16 bits, with or without a JPEG preview."""
    rgb = np.asarray(image.convert("RGB")).astype(np.uint16) * 257
    mosaic: NDArray[np.uint16] = rgb[:, :, 1].copy()
    mosaic[0::2, 0::2] = rgb[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = rgb[1::2, 1::2, 2]
    rows, columns = mosaic.shape
    identity = struct.pack("<18i", *(part for cell in (1, 0, 0, 0, 1, 0, 0, 0, 1) for part in (cell, 1)))
    sensor = {
        254: (4, 1, struct.pack("<I", 0)),
        256: (4, 1, struct.pack("<I", columns)),
        257: (4, 1, struct.pack("<I", rows)),
        258: (3, 1, struct.pack("<H", 16)),
        259: (3, 1, struct.pack("<H", 1)),
        262: (3, 1, struct.pack("<H", 32803)),
        273: (4, 1, mosaic.tobytes()),
        277: (3, 1, struct.pack("<H", 1)),
        278: (4, 1, struct.pack("<I", rows)),
        279: (4, 1, struct.pack("<I", mosaic.nbytes)),
        33421: (3, 2, struct.pack("<HH", 2, 2)),
        33422: (1, 4, bytes((0, 1, 1, 2))),
    }
    camera = {
        271: (2, 6, b"Maker\0"),
        272: (2, 8, b"Model 1\0"),
        274: (3, 1, struct.pack("<H", orientation)),
        306: (2, 20, b"2024:05:06 07:08:09\0"),
        50706: (1, 4, bytes((1, 4, 0, 0))),
        50708: (2, 8, b"Model 1\0"),
        50721: (10, 9, identity),
        50728: (5, 3, struct.pack("<6I", 1, 1, 1, 1, 1, 1)),
    }
    if preview is None:
        return _tiff([sensor | camera])
    small = {
        254: (4, 1, struct.pack("<I", 1)),
        256: (4, 1, struct.pack("<I", preview_size[0])),
        257: (4, 1, struct.pack("<I", preview_size[1])),
        258: (3, 3, struct.pack("<3H", 8, 8, 8)),
        259: (3, 1, struct.pack("<H", 7)),
        262: (3, 1, struct.pack("<H", 6)),
        273: (4, 1, preview),
        277: (3, 1, struct.pack("<H", 3)),
        278: (4, 1, struct.pack("<I", preview_size[1])),
        279: (4, 1, struct.pack("<I", len(preview))),
    }
    return _tiff([small | camera, sensor])


def _tiff(directories: list[dict[int, tuple[int, int, bytes]]]) -> bytes:
    """Directory 0 at the front; the second, if any, becomes its SubIFD. Tag 273 holds the strip's bytes themselves."""
    data = b"II*\0" + struct.pack("<I", 0)
    place = 0
    for directory in reversed(directories):
        tags = dict(directory)
        if place:
            tags[330] = (4, 1, struct.pack("<I", place))
        entries = b""
        for tag, (kind, count, raw) in sorted(tags.items()):
            value = raw
            if tag == 273 or len(raw) > 4:
                value = struct.pack("<I", len(data))
                data += raw + b"\0" * (len(raw) % 2)
            entries += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
        place = len(data)
        data += struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    return data[:4] + struct.pack("<I", place) + data[8:]


def heic_grid(tile: bytes, columns: int, rows: int) -> bytes:
    """A HEIC file whose picture is a grid of equal tiles. ``tile`` is a HEIC file of one item without a grid."""
    ftyp = _box_of(tile, b"ftyp")
    meta = tile[tile.index(b"meta") + 4 :]
    properties = meta[meta.index(b"ipco") + 4 :]
    hvcc, ispe = _box_of(properties, b"hvcC"), _box_of(properties, b"ispe")
    width, height = struct.unpack(">II", ispe[12:20])
    unit = tile[tile.rindex(b"mdat") + 4 :]
    count = columns * rows
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width * columns, height * rows)
    sizes = (width * columns, height * rows)
    whole = _box(b"ispe", bytes(4) + struct.pack(">II", *sizes))
    items = [(number, b"hvc1") for number in range(1, count + 1)] + [(count + 1, b"grid")]
    infe = b"".join(
        _box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", number, 0, kind) + b"\0") for number, kind in items
    )
    links = b"".join(struct.pack(">HBBB", number, 2, 0x81, 2) for number, _ in items[:-1])
    links += struct.pack(">HBB", count + 1, 1, 3)
    fixed = [
        _box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
        _box(b"pitm", bytes(4) + struct.pack(">H", count + 1)),
        _box(b"iinf", bytes(4) + struct.pack(">H", count + 1) + infe),
        _box(b"iref", bytes(4) + _box(b"dimg", struct.pack(f">HH{count}H", count + 1, count, *range(1, count + 1)))),
        _box(
            b"iprp",
            _box(b"ipco", hvcc + ispe + whole) + _box(b"ipma", bytes(4) + struct.pack(">I", count + 1) + links),
        ),
        _box(b"idat", grid),
    ]

    def located(start: int) -> bytes:
        rows_of = [
            struct.pack(">HHHHII", number, 0, 0, 1, start + (number - 1) * len(unit), len(unit))
            for number, _ in items[:-1]
        ]
        rows_of.append(struct.pack(">HHHHII", count + 1, 1, 0, 1, 0, len(grid)))
        iloc = _box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">H", count + 1) + b"".join(rows_of))
        return _box(b"meta", bytes(4) + b"".join([*fixed, iloc]))

    start = len(ftyp) + len(located(0)) + 8
    return ftyp + located(start) + _box(b"mdat", unit * count)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _box_of(data: bytes, kind: bytes) -> bytes:
    start = data.index(kind) - 4
    return data[start : start + int.from_bytes(data[start : start + 4], "big")]
