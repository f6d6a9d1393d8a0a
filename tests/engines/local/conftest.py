"""Portraits, montages of portraits, and a gallery in its own SQLite file, as the endpoint uses it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy
from PIL import Image

from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.tables import create_gallery
from tests.contracts.engine import Shot

FIXTURES = Path(__file__).parents[2] / "fixtures"
PORTRAITS = ("obama_1", "obama_2", "obama_3", "biden", "astronaut")
SHARED = Path(__file__).parents[4] / "shared" / "data"


def opened(image: Image.Image) -> OpenedPhoto:
    pixels = np.ascontiguousarray(np.asarray(image.convert("RGB")))
    return OpenedPhoto(pixels=pixels, width=image.width, height=image.height, format="PNG")


def shot(image: Image.Image) -> Shot:
    return Shot(opened(image), hashlib.sha256(image.tobytes()).hexdigest())


def portrait(name: str) -> Image.Image:
    with Image.open(FIXTURES / f"{name}.jpg") as image:
        return image.convert("RGB")


def side_by_side(*images: Image.Image) -> Image.Image:
    """Join images into one wide image with gray gaps."""
    width = sum(image.width + 20 for image in images)
    canvas = Image.new("RGB", (width, max(image.height for image in images)), (128, 128, 128))
    left = 0
    for image in images:
        canvas.paste(image, (left, 0))
        left += image.width + 20
    return canvas


@pytest.fixture(scope="session")
def portraits() -> dict[str, Shot]:
    return {name: shot(portrait(name)) for name in PORTRAITS}


@pytest.fixture
def seed() -> Path:
    """The tutorial's photos with Amazon's own answers. They are not part of the project."""
    folder = SHARED / "seed"
    if not folder.is_dir():
        pytest.skip("data/seed is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def gallery_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables of a gallery and no row; to be copied."""
    path = tmp_path_factory.mktemp("template") / "gallery.sqlite3"
    database = sqlalchemy.create_engine(f"sqlite:///{path}")
    create_gallery(database)
    database.dispose()
    return path


@pytest.fixture
def sqlite_database(gallery_template, tmp_path):
    path = shutil.copyfile(gallery_template, tmp_path / "gallery.sqlite3")
    database = sqlalchemy.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    yield database
    database.dispose()
