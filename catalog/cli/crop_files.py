"""Names of images that commands write."""

from __future__ import annotations

from pathlib import Path

from catalog.app.private_files import make_private_folder


def picture_path(out: Path, photo: Path, *, several: bool) -> Path:
    """Path for the copy of a photo: ``out``, or a file in the folder ``out`` if there are several photos."""
    if not several:
        return out
    make_private_folder(out)
    return out / f"{photo.name}.faces.jpg"
