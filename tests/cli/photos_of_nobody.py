"""Photos without a face, each with other bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def save_photos_without_faces(folder: Path, count: int) -> None:
    """Write gradients of different slopes as JPEG."""
    for number in range(count):
        ramp = np.linspace(20, 100 + 5 * number, 320).astype(np.uint8)
        Image.fromarray(np.repeat(np.tile(ramp, (240, 1))[:, :, None], 3, axis=2)).save(folder / f"empty{number}.jpg")
