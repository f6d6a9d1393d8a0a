"""A source that was scanned by mistake is taken out again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.domain.errors import UsageError
from catalog.scanning.remove_source import plan_source_removal, remove_source
from catalog.sources.folder import FolderSource
from catalog.store.source_rows import read_sources
from tests.fakes import Drawn, save_drawing


@pytest.fixture
def folders(folder):
    """A folder with two photos, and a sibling with a copy of the first and a photo of its own."""
    inner, outer = folder / "inner", folder / "other"
    for number, name in enumerate(("a.png", "b.png")):
        save_drawing(inner / name, [Drawn("ann")], note=number)
    save_drawing(outer / "c.png", [Drawn("bob")], note=7)
    (outer / "copy.png").write_bytes((inner / "a.png").read_bytes())
    return inner, outer


def removed(scanner, path):
    engine, now = scanner.engine, datetime.now(UTC)
    uri = FolderSource(path).uri
    plan = plan_source_removal(scanner.database, uri)
    result = remove_source(scanner.database, lambda: engine, uri, name=engine.name, gallery="catalog", now=now)
    assert (plan.places, plan.photos) == (result.places, result.photos)
    return result


def sources(scanner):
    with scanner.database.read() as connection:
        return {row.uri.rstrip("/").rpartition("/")[2]: row.photos for row in read_sources(connection)}


def test_photos_found_nowhere_else_go_with_their_faces(scanner, folders, rows):
    """A copy in another source keeps its photo. The gallery deletes the faces of the others."""
    inner, outer = folders
    scanner(inner)
    scanner(outer)
    assert sources(scanner) == {"inner": 2, "other": 2}
    result = removed(scanner, inner)
    assert (result.places, result.photos, result.faces) == (2, 1, 1)
    assert sources(scanner) == {"other": 2}
    assert len(list(scanner.engine.enrolled())) == 2
    assert rows("SELECT count(*) FROM photos") == [(2,)]


def test_a_source_inside_the_removed_one_stays(scanner, folder, folders, rows):
    """The whole folder was scanned by mistake after one of its folders."""
    inner, _ = folders
    scanner(inner)
    scanner(folder)
    result = removed(scanner, folder)
    assert (result.places, result.photos) == (2, 1)
    assert sources(scanner) == {"inner": 2}
    assert rows("SELECT count(*) FROM locations") == [(2,)]


def test_a_source_inside_another_one_is_not_removed_alone(scanner, folder, folders):
    """The next scan of the outer source would find it again."""
    scanner(folders[0])
    scanner(folder)
    with pytest.raises(UsageError, match="lies inside the source"):
        removed(scanner, folders[0])


def test_a_source_that_was_never_scanned_is_an_error(scanner, folders):
    scanner(folders[0])
    with pytest.raises(UsageError, match="was never scanned"):
        removed(scanner, folders[1])


def test_charges_and_past_scans_stay(scanner, folders, rows):
    """The records of scans keep their counts."""
    scanner(folders[0])
    removed(scanner, folders[0])
    assert rows("SELECT state, discovered FROM scans") == [("completed", 2)]
    assert rows("SELECT count(*) FROM scan_sources") == [(0,)]
