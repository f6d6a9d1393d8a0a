"""The shared cases about files and pixels, scanned as a user would. The names are in ``tests/exchange``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CASES = Path(__file__).parents[3] / "shared" / "data" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="../shared/data/cases is not here")


@pytest.fixture
def scanned(catalog, tmp_path: Path):
    """Scans a copy of a case. Returns the outcome of each file by its name, and the summary."""

    def scan(case: str):
        folder = tmp_path / case
        shutil.copytree(CASES / case, folder)
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        answer = catalog("scan", folder, "--json")
        *outcomes, summary = answer.json_lines
        assert summary["summary"] is True
        return {row["uri"].rpartition("/")[2]: row for row in outcomes}, summary

    return scan


def test_jpegs_without_an_end_marker_are_read_with_a_note(scanned):
    """A baseline and a progressive one: every row is there."""
    outcomes, summary = scanned("jpeg_without_end")
    assert {name: (row["outcome"], row["faces"]) for name, row in outcomes.items()} == {
        "noeoi.jpg": ("new", 1),
        "prog_noeoi.jpg": ("new", 1),
    }
    assert all("end marker" in row["reason"] for row in outcomes.values())
    assert summary["failed"] == 0


def test_photos_are_told_by_their_content(scanned):
    """A JPEG named by a bare id, a bitmap and a JPEG XL; the text file is counted."""
    outcomes, summary = scanned("no_extension")
    assert {name: row["outcome"] for name, row in outcomes.items()} == {
        "2f6c0f1e": "new",
        "photo.bmp": "new",
        "photo.jxl": "new",
    }
    assert outcomes["2f6c0f1e"]["faces"] == 1
    assert (summary["discovered"], summary["other_files"]) == (3, {"no ending": 1})


def test_all_faces_of_a_panorama_are_found(scanned):
    """30,000 x 2,000 pixels with 12 faces."""
    outcomes, _ = scanned("panorama")
    assert outcomes["panorama.jpg"]["faces"] == 12


def test_a_turned_person_beside_an_upright_one_is_found(scanned):
    """Two faces on each of three photos."""
    outcomes, _ = scanned("sideways_beside_upright")
    assert [row["faces"] for row in outcomes.values()] == [2, 2, 2]


def test_a_photo_turned_by_its_sidecar_is_upright(scanned, catalog):
    """800 x 1000 pixels, and the face is level."""
    scanned("sidecar_orientation")
    (photo,) = catalog("sql", "SELECT width, height FROM v1_photos", "--format", "json").json
    assert (photo["width"], photo["height"]) == (800, 1000)
    (face,) = catalog("sql", "SELECT roll FROM v1_faces", "--format", "json").json
    assert abs(face["roll"]) < 15
