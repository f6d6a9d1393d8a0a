"""Prints of one portrait on one sheet, beside single photos, through the whole program with the local engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from tests.cli.conftest import PORTRAITS, Catalog

CASE = Path(__file__).parents[3] / "shared" / "data" / "cases" / "strip_of_copies"


@pytest.fixture
def strip(tmp_path: Path) -> Path:
    """Three photos of one man, and a sheet with three prints of the first: plain, mirrored and smaller."""
    folder = tmp_path / "strip"
    folder.mkdir()
    for name in ("obama_1", "obama_2", "obama_3"):
        shutil.copyfile(PORTRAITS / f"{name}.jpg", folder / f"{name}.jpg")
    with Image.open(PORTRAITS / "obama_1.jpg") as opened:
        portrait = opened.convert("RGB").resize((400, 500))
    sheet = Image.new("RGB", (1300, 560), "white")
    for left, printed in (
        (20, portrait),
        (450, ImageOps.mirror(portrait)),
        (880, portrait.resize((240, 300))),
    ):
        sheet.paste(printed, (left, 30))
    sheet.save(folder / "sheet.jpg", quality=80)
    return folder


def assert_one_person(catalog: Catalog, folder: Path, photos: int, faces: int) -> None:
    scan = catalog("scan", folder, "--json")
    assert (scan.code, scan.json_lines[-1]["conflicts"]) == (0, 0)
    (person,) = catalog("people", "list", "--json").json
    assert (person["photos"], person["faces"]) == (photos, faces)
    assert catalog("people", "suggest", "--json").json == []


def test_prints_on_one_sheet_are_one_person_with_the_single_photos(catalog: Catalog, strip: Path) -> None:
    assert_one_person(catalog, strip, 4, 6)


@pytest.mark.skipif(not CASE.is_dir(), reason="../shared/data/cases is not here")
def test_a_strip_of_public_domain_portraits(catalog: Catalog) -> None:
    assert_one_person(catalog, CASE, 4, 6)
