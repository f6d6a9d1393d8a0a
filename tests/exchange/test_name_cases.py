"""Names in the shared cases: photos with sidecars of other programs, scanned and imported as a user would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import catalog
from catalog.exchange.xmp_packet import read_packet
from catalog.exchange.xmp_regions import microsoft_regions, mwg_regions

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "cases"
USED = (
    "applied_dims_unrotated",
    "box_outside_frame",
    "names_without_detected_face",
    "placeholder_names",
    "regions_inside_other_formats",
    "sidecar_orientation",
    "sidecar_upper_case",
)
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not on this machine")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory):
    """A catalogue of all cases, after one scan and one import."""
    folder = tmp_path_factory.mktemp("cases")
    for case in USED:
        shutil.copytree(CASES / case, folder / case)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with catalog.open(folder / "catalog.sqlite3", create=True) as opened:
        for _ in opened.scan([folder]):
            pass
        result = opened.import_xmp()
        yield opened, result, folder


def named(library, case: str) -> dict[str, list[str]]:
    """Return the names of assigned faces by file name."""
    opened, _, folder = library
    rows = opened.sql("SELECT path, name FROM v1_appearances WHERE name IS NOT NULL ORDER BY path, name").rows
    names: dict[str, list[str]] = {}
    for path, name in rows:
        if Path(str(path)).parent == folder / case:
            names.setdefault(Path(str(path)).name, []).append(str(name))
    return names


def test_regions_lie_where_faces_are(library):
    """Areas on the stored image with the size of the upright image."""
    assert named(library, "applied_dims_unrotated") == {"a.jpg": ["Ann Applied"]}


def test_placeholders_name_no_person(library):
    """Two men with the region name "Ignored" stay unnamed."""
    _, result, _ = library
    assert named(library, "placeholder_names") == {}
    assert result.placeholders == 2


def test_regions_inside_all_formats_are_read(library):
    """JPEG, PNG, TIFF, WebP, HEIC and AVIF."""
    formats = ("avif", "heic", "jpg", "png", "tif", "webp")
    names = named(library, "regions_inside_other_formats")
    assert names == {f"a_{form}.{form}": [f"Ann {form.capitalize()}"] for form in formats}


def test_sidecars_with_upper_case_names_are_read(library):
    """IMG_1.XMP and IMG_2.jpg.XMP."""
    assert named(library, "sidecar_upper_case") == {"IMG_1.jpg": ["Ann Upper"], "IMG_2.jpg": ["Ann Upper2"]}


def test_a_person_without_a_detected_face_is_on_the_photo(library, tmp_path):
    """In SQL, in albums and in sidecars, and with the file that names the person."""
    opened, result, folder = library
    photo = folder / "names_without_detected_face" / "a.jpg"
    assert named(library, "names_without_detected_face") == {"a.jpg": ["Ann Seen"]}
    (name,) = result.without_face
    assert (name.name, name.file, name.is_certain) == ("Bob Fromback", f"{photo}.xmp", True)
    rows = opened.sql("SELECT path, name, box_left, source FROM v1_named_appearances").rows
    assert rows == ((str(photo), "Bob Fromback", pytest.approx(0.02), f"{photo}.xmp"),)
    assert opened.export_album(["Bob Fromback"], tmp_path / "album").placed == 1
    assert opened.import_xmp().appearances == 1


def test_a_sidecar_turns_a_photo_without_orientation(library):
    """The photo is upright, its face has nearly no roll, and its region has a name."""
    opened, _, folder = library
    path = str(folder / "sidecar_orientation" / "a.jpg")
    assert opened.sql(f"SELECT width, height FROM v1_photos WHERE path = '{path}'").rows == ((800, 1000),)
    ((roll,),) = opened.sql(
        "SELECT face.roll FROM v1_faces face JOIN v1_photos photo ON photo.photo_sha256 = face.photo_sha256"
        f" WHERE photo.path = '{path}'"
    ).rows
    assert abs(float(roll)) < 20
    assert named(library, "sidecar_orientation") == {"a.jpg": ["Ann Turned"]}


def test_written_areas_are_inside_the_image(library):
    """A close-up whose face extends beyond the border."""
    opened, _, folder = library
    (person,) = [
        row[0]
        for row in opened.sql("SELECT person_id, path FROM v1_appearances").rows
        if Path(str(row[1])).name == "closeup.jpg"
    ]
    opened.decisions.name(str(person), "Cid Close")
    for _ in opened.export_xmp():
        pass
    root = read_packet((folder / "box_outside_frame" / "closeup.jpg.xmp").read_bytes())
    for regions in (mwg_regions(root), microsoft_regions(root)):
        (region,) = regions.regions
        assert region.box.left >= -0.000001  # areas are written with six decimals
        assert region.box.top >= -0.000001
        assert region.box.right <= 1.000001
        assert region.box.bottom <= 1.000001
