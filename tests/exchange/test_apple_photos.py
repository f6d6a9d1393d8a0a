"""Names in a library of Apple Photos: real portraits, scanned and imported as a user would."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageOps

import catalog
from tests.apple_library import PHOTOS_5, PHOTOS_9, UUIDS, MadeFace, Schema, edit, make_database, original

PORTRAITS = Path(__file__).parents[1] / "fixtures"
ANN, TURNED, EDITED, NOBODY, BACK, _ = UUIDS
ORIENTATION = 274


def save(image: Image.Image, path: Path, orientation: int = 1) -> None:
    """Save an upright image so that the EXIF orientation turns it upright."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = image.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else image
    assert ImageOps.exif_transpose(stored) is not None
    stored.save(path, "JPEG", exif=exif, quality=92)


def portrait(name: str) -> Image.Image:
    return Image.open(PORTRAITS / name).convert("RGB")


@cache
def detected(name: str) -> tuple[float, float, float]:
    """Center from the bottom left, and size, of the face on a portrait, as Photos writes them."""
    image = portrait(name)
    with catalog.open(settings={"engine.name": "local"}) as opened:
        face = max(opened.analyze(PORTRAITS / name).faces, key=lambda face: face.box.area)
    x, y = face.box.center
    side = max(face.box.width * image.width, face.box.height * image.height)
    return x, 1 - y, side / max(image.size)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "Bilder" / "Photos Library.photoslibrary"


def scanned(folder: Path, *, names: bool = True):
    """The catalogue of a folder after a scan and an import."""
    opened = catalog.open(folder / "catalog.sqlite3", create=True)
    for _ in opened.scan([folder]):
        pass
    return opened, opened.import_xmp() if names else None


def named(opened) -> dict[str, list[str]]:
    rows = opened.sql("SELECT path, name FROM v1_appearances WHERE name IS NOT NULL ORDER BY path, name").rows
    names: dict[str, list[str]] = {}
    for path, name in rows:
        names.setdefault(Path(str(path)).name, []).append(str(name))
    return names


def test_a_name_with_a_control_character_does_not_end_the_import(tmp_path: Path, library: Path):
    save(portrait("astronaut.jpg"), original(library, ANN))
    save(portrait("biden.jpg"), original(library, NOBODY))
    faces = [MadeFace(ANN, 1, *detected("astronaut.jpg")), MadeFace(NOBODY, 2, *detected("biden.jpg"))]
    make_database(library, faces, {1: "Eileen\x1b[31m Apple", 2: "Joe Apple"})
    opened, result = scanned(tmp_path)
    with opened:
        assert named(opened) == {original(library, NOBODY).name: ["Joe Apple"]}
        (problem,) = result.problems
        assert problem.endswith("has a name that is too long or not printable. It was not imported.")


@pytest.mark.parametrize("schema", [PHOTOS_5, PHOTOS_9], ids=["5", "9"])
def test_faces_of_a_library_are_named(tmp_path: Path, library: Path, schema: Schema):
    """Upright and turned. A face without a detected one is an appearance; a person without a name names no face."""
    save(portrait("astronaut.jpg"), original(library, ANN))
    save(portrait("obama_1.jpg"), original(library, TURNED), orientation=6)
    save(portrait("biden.jpg"), original(library, NOBODY))
    save(Image.linear_gradient("L").resize((400, 300)).convert("RGB"), original(library, BACK))
    faces = [
        MadeFace(ANN, 1, *detected("astronaut.jpg")),
        MadeFace(TURNED, 2, *detected("obama_1.jpg")),
        MadeFace(NOBODY, 3, *detected("biden.jpg")),
        MadeFace(BACK, 1, 0.25, 0.75, 0.2, manual=1),
    ]
    make_database(library, faces, {1: "Eileen Apple", 2: "Barack Apple", 3: ""}, schema=schema)
    before = sorted(path.relative_to(library) for path in library.rglob("*"))
    opened, result = scanned(tmp_path)
    with opened:
        assert result.problems == ()
        assert (result.faces, result.appearances, result.unmatched) == (2, 1, 0)
        assert named(opened) == {f"{ANN}.jpeg": ["Eileen Apple"], f"{TURNED}.jpeg": ["Barack Apple"]}
        (kept,) = opened.sql("SELECT * FROM v1_named_appearances").rows
        assert "Photos.sqlite" in str(kept)
        again = opened.import_xmp()
        assert (again.faces, again.already) == (0, 2)
    assert sorted(path.relative_to(library) for path in library.rglob("*")) == before


def test_an_edit_counts_with_its_original(tmp_path: Path, library: Path):
    """Cropped, so that no hash says so. Faces lie on the edit; on the original only a detected face is named."""
    image = portrait("obama_1.jpg")
    x, y, size = detected("obama_1.jpg")
    left, top = 0, round(image.height * 0.02)
    right, bottom = image.width, round(image.height * 0.8)
    save(image, original(library, EDITED))
    save(image.crop((left, top, right, bottom)), edit(library, EDITED))
    center_y = ((1 - y) * image.height - top) / (bottom - top)
    side = size * max(image.size) / max(right - left, bottom - top)
    faces = [MadeFace(EDITED, 1, x, 1 - center_y, side), MadeFace(EDITED, 2, 0.05, 0.05, 0.05)]
    make_database(library, faces, {1: "Barack Apple", 2: "Behind"}, edited=frozenset({EDITED}))
    opened, result = scanned(tmp_path)
    with opened:
        (stack,) = opened.stacks()
        assert [Path(photo.uris[0]).name for photo in stack.photos] == [f"{EDITED}.jpeg", f"{EDITED}_1_201_a.jpeg"]
        assert stack.photos[1].evidence == "edit"
        assert set(named(opened)[f"{EDITED}_1_201_a.jpeg"]) == {"Barack Apple"}
        assert (result.appearances, result.unmatched) == (1, 1)
        (person,) = [person for person in opened.people() if person.name == "Barack Apple"]
        assert person.photos == 1


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_library_is_one_sentence_and_other_names_arrive(tmp_path: Path, library: Path, content: bytes):
    save(portrait("astronaut.jpg"), original(library, ANN))
    save(portrait("biden.jpg"), original(library, NOBODY))
    make_database(library, [], {}).write_bytes(content)
    opened, result = scanned(tmp_path)
    with opened:
        (problem,) = result.problems
        assert "Photos.sqlite" in problem
        assert result.faces == 0


def test_a_library_of_photos_4_is_one_sentence(tmp_path: Path, library: Path):
    save(portrait("astronaut.jpg"), library / "Masters" / "2014" / "IMG_1.JPG")
    save(portrait("biden.jpg"), library / "Masters" / "2014" / "IMG_2.JPG")
    (library / "database").mkdir()
    with closing(sqlite3.connect(library / "database" / "photos.db")) as connection, connection:
        connection.execute("CREATE TABLE RKFace (modelId integer)")
    opened, result = scanned(tmp_path)
    with opened:
        (problem,) = result.problems
        assert "Photos 5" in problem
