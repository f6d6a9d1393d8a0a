"""Photos that an exclusion rule takes out of the catalogue, and their return."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.domain.charges import Operation
from catalog.identities.decisions.verbs import DecisionStamp, confirm_face, name_person
from catalog.scanning.prune import prune
from catalog.store.catalogued_faces import catalogued_faces_by_row
from catalog.store.people import add_persons
from tests.fakes import Drawn, save_drawing

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def library(scanner, folder, database, rows):
    """Two photos in ``private``, of which the first has a copy outside, and one photo beside; Ann is named."""
    save_drawing(folder / "private" / "a.png", [Drawn("ann")])
    save_drawing(folder / "private" / "b.png", [Drawn("ann")], note=1)
    save_drawing(folder / "c.png", [Drawn("bob")], note=2)
    (folder / "d.png").write_bytes((folder / "private" / "a.png").read_bytes())
    scanner()
    ids = [row for (row,) in rows("SELECT f.id FROM faces f JOIN locations l ON l.photo_id = f.photo_id GROUP BY f.id")]
    with database.begin() as connection:
        ann, bob = add_persons(connection, 2, NOW)
        stamp = DecisionStamp("me", NOW)
        name_person(connection, ann, "Ann", stamp)
        catalogued = catalogued_faces_by_row(connection, ids)
        for row in ids:
            (uri,) = [uri for uri, face in locations_of(rows) if face == row][:1]
            confirm_face(connection, catalogued[row], bob if "/c.png" in uri else ann, stamp)
    return folder


def locations_of(rows):
    return rows("SELECT l.uri, f.id FROM locations l JOIN faces f ON f.photo_id = l.photo_id ORDER BY l.uri")


def appearances(rows):
    """File name of each photo with the name of its person."""
    return sorted(
        (uri.rpartition("/")[2], name) for uri, name in rows("SELECT uri, name FROM v1_appearances ORDER BY uri")
    )


def test_a_covered_photo_is_taken_out_and_comes_back_uncharged(scanner, library, rows):
    """Names and decisions stay; a photo with a copy elsewhere stays as well; nothing looks like a lost disk."""
    before = appearances(rows)
    decisions = rows("SELECT count(*) FROM decisions")
    scanner.engine.calls.clear()
    summary = scanner(exclude=["private/"])
    assert dict(summary.left_out) == {"pattern: private/": 1}
    assert (summary.discovered, summary.suspect_folders) == (2, None)
    assert appearances(rows) == [("c.png", None), ("d.png", "Ann")]
    assert rows("SELECT count(*) FROM v1_photos") == [(2,)]
    assert rows("SELECT name FROM v1_people WHERE name IS NOT NULL") == [("Ann",)]
    assert rows("SELECT count(*) FROM decisions") == decisions
    assert rows("SELECT left_out_by FROM v1_locations WHERE left_out_by IS NOT NULL") == [("pattern: private/",)] * 2
    scanner()
    assert appearances(rows) == before
    assert rows("SELECT count(*) FROM v1_photos WHERE missing_since IS NULL") == [(3,)]
    assert rows("SELECT count(*) FROM faces WHERE not_a_face OR left_out IS NOT NULL") == [(0,)]
    assert scanner.engine.calls[Operation.INDEX_FACES] == 0


def test_a_source_whose_photos_are_all_covered_is_not_suddenly_empty(scanner, library, rows):
    """An empty listing is an error for photos that no rule covers only."""
    assert scanner(exclude=["*"]).discovered == 0
    assert rows("SELECT count(*) FROM v1_photos") == [(0,)]
    assert scanner().discovered == 4


def test_a_face_that_is_no_face_stays_none(scanner, library, rows, database):
    """The user's mark holds after the photo returns."""
    with database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE faces SET not_a_face = TRUE WHERE photo_id IN"
            " (SELECT photo_id FROM locations WHERE uri LIKE '%%private/b.png')"
        )
    scanner(exclude=["private/"])
    scanner()
    assert rows("SELECT count(*) FROM faces WHERE not_a_face") == [(1,)]


def test_prune_removes_what_was_left_out_long_ago(scanner, library, rows):
    """As it removes missing photos."""
    scanner(exclude=["private/"])
    later = datetime.now(UTC) + timedelta(days=1)
    engine = scanner.engine
    prune(scanner.database, lambda: engine, name=engine.name, gallery="catalog", before=later, now=later)
    assert rows("SELECT count(*) FROM locations") == [(2,)]
    assert rows("SELECT count(*) FROM photos") == [(2,)]


def test_a_photo_moved_out_of_a_left_out_folder_comes_back(scanner, library, rows):
    """It is known content at a new location."""
    scanner(exclude=["private/"])
    (library / "private" / "b.png").rename(library / "e.png")
    scanner.engine.calls.clear()
    scanner(exclude=["private/"])
    assert scanner.kinds()["e.png"] == "moved"
    assert len(appearances(rows)) == 3
    assert scanner.engine.calls[Operation.INDEX_FACES] == 0


def test_files_that_are_no_photos_are_counted_by_ending(scanner, folder):
    """A photo without ending is read; the rest is one count for each ending."""
    photo = save_drawing(folder / "a.png", [Drawn("ann")])
    photo.rename(folder / "2f6c0f1e")
    for name in ("b.mov", "c.mov", "d.unknown", "e", "f.xmp"):
        (folder / name).write_bytes(b"not a photo")
    for _ in range(2):
        summary = scanner(limit=3)
        assert dict(summary.other_files) == {".mov": 2, ".unknown": 1, "no ending": 1, ".xmp": 1}
        assert (summary.discovered, summary.failed) == (1, 0)
