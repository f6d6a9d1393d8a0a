"""JPEG files that end too early: how many rows are missing, and a file that decodes.

libjpeg fills the missing part of a cut file with gray if an end marker follows, so it decodes a file that lacks half of
its rows as readily as one that lacks nothing but the marker. Two decodings with different bytes in place of the missing
ones tell them apart: rows that need missing bytes differ.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import JpegImagePlugin

END_MARKER = b"\xff\xd9"

MISSING_SHARE = 0.04
"""Share of the rows that may be missing at the end: the smallest face that Amazon Rekognition finds is 40 of 1,080
pixels high. A photo without its last band of this height can have lost no face."""

_FILLERS = (b"\x00" * 200, b"\x55\xaa" * 100)


def ends_in_zeros(data: bytes) -> bool:
    """Return whether the file ends in zeros that do not follow an end marker."""
    return data.endswith(bytes(16)) and not data.rstrip(b"\0").endswith(END_MARKER)


def completed(data: bytes) -> tuple[bytes, int]:
    """The file with an end marker, and the number of rows that are missing at the end.

    Raises what the decoder raises if the file cannot be decoded at all.
    """
    whole = data.rstrip(b"\0").removesuffix(b"\xff")
    shown = _decoded(whole + END_MARKER)
    missing = 0
    for filler in _FILLERS:
        completed_with_filler = _decoded(whole + filler + END_MARKER)
        differing = np.flatnonzero((shown != completed_with_filler).reshape(len(shown), -1).any(axis=1))
        if differing.size:
            missing = max(missing, len(shown) - int(differing[0]))
    return whole + END_MARKER, missing


def _decoded(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with JpegImagePlugin.JpegImageFile(BytesIO(data)) as image:
        image.load()
        return np.asarray(image)
