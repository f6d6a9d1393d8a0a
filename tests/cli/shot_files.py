"""Files of one exposure, as phones and programs keep them, and the stacks that a command lists."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.cli.conftest import PORTRAITS

CAMERA, MODEL, TAKEN = 271, 272, 36867


def exif_of(moment: datetime | None, *, camera: bool = True) -> Image.Exif:
    """EXIF of a camera; a time of None leaves the date out."""
    exif = Image.Exif()
    if camera:
        exif[CAMERA], exif[MODEL] = "Maker", "One"
    if moment is not None:
        exif.get_ifd(34665)[TAKEN] = f"{moment:%Y:%m:%d %H:%M:%S}"
    return exif


def save(image: Image.Image, path: Path, moment: datetime | None, *, camera: bool = True, quality: int = 92) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    form = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "avif": "AVIF", "webp": "WEBP"}[path.suffix[1:].lower()]
    options = {"speed": 10} if form == "AVIF" else {}  # Pillow's own speed takes two seconds for one portrait
    image.save(written, form, exif=exif_of(moment, camera=camera), quality=quality, **options)
    path.write_bytes(written.getvalue())


def portrait(name: str) -> Image.Image:
    return Image.open(PORTRAITS / name).convert("RGB")


MOMENT = datetime(2019, 7, 4, 14, 30, 25)  # noqa: DTZ001  the wall clock of a camera


def names(answer) -> list[list[str]]:
    """File names of each stack, the photo that counts first."""
    stacks: dict[int, list[str]] = {}
    for row in answer.json_lines:
        stacks.setdefault(row["stack"], []).extend(uri.rpartition("/")[2] for uri in row["uris"])
    return list(stacks.values())
