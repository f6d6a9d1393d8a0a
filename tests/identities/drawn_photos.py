"""Opened photos of drawn faces, and the time at which the tests of watch list, charges and verification take place."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import numpy as np
from PIL import Image

from catalog.domain.opened_photo import OpenedPhoto
from tests.fakes import Drawn, drawing_bytes

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def open_drawing(data: bytes) -> OpenedPhoto:
    image = Image.open(BytesIO(data)).convert("RGB")
    return OpenedPhoto(np.asarray(image), image.width, image.height, "JPEG", data=data)


def reference(person: str) -> OpenedPhoto:
    return open_drawing(drawing_bytes([Drawn(person)]))
