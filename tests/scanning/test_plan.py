"""A plan decides by listings alone which photos are read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.domain.photos import PhotoRef
from catalog.domain.source import Listed
from catalog.scanning import plan as planning
from catalog.scanning.estimate import estimate
from catalog.scanning.plan import Unchanged, plan
from catalog.sources.folder import FolderSource
from catalog.store.photos import Location
from tests.fakes import Drawn, save_drawing


class NewInodes(FolderSource):
    """A file system that gives every file a new inode at each mount, from a number of files on."""

    changed = 0

    def list(self) -> Iterator[Listed]:
        for number, entry in enumerate(super().list()):
            if isinstance(entry, PhotoRef) and number < self.changed:
                yield entry._replace(etag=f"{entry.etag}000")
            else:
                yield entry


def altered(scanner, source) -> int:
    return estimate(plan(scanner.database, source, engine=scanner.engine.name, gallery="catalog")).altered


@pytest.fixture
def source(scanner, folder):
    for number in range(12):
        save_drawing(folder / f"{number:02}.png", [Drawn("ann")], note=number + 1)
    scanner()
    return NewInodes(folder)


def test_fields_of_listing_and_catalogue_are_in_one_order():
    """The plan compares them as slices of tuples."""
    assert PhotoRef._fields == Location._fields[: len(PhotoRef._fields)]


@pytest.mark.parametrize("batch", [1, 5, 500])
def test_unchanged_photos_come_in_batches_in_the_order_of_the_listing(scanner, source, folder, monkeypatch, batch):
    """Around a changed, a new and a left-out file; every photo once, whatever the size of a batch."""
    monkeypatch.setattr(planning, "BATCH", batch)
    with (folder / "03.png").open("ab") as file:
        file.write(b"more")
    save_drawing(folder / "05b.png", [Drawn("bob")])
    (folder / "06b.png").mkdir()
    (folder / "06b.png" / ".nomedia").write_bytes(b"")
    steps = list(plan(scanner.database, source, engine=scanner.engine.name, gallery="catalog"))
    seen = []
    for step in steps:
        if isinstance(step, Unchanged):
            assert 1 <= len(step.locations) <= batch
            seen += step.locations.uris
        else:
            uri = step.item.uri if isinstance(step, planning.Excluded) else step.ref.uri
            seen.append(f"{type(step).__name__} {uri}")
    names = [line.replace(source.uri, "") for line in seen]
    assert names == [
        *("00.png", "01.png", "02.png", "PhotoTask 03.png", "04.png", "05.png", "PhotoTask 05b.png", "06.png"),
        *("Excluded 06b.png/", "07.png", "08.png", "09.png", "10.png", "11.png"),
    ]
    assert batch == 1 or len(steps) < len(names)


def test_a_missing_location_or_one_without_a_gallery_face_is_no_unchanged_photo(scanner, source, folder, database):
    """The first is listed again, the second was enrolled in another gallery only."""
    (folder / "07.png").rename(folder.parent / "07.png")
    scanner()
    (folder.parent / "07.png").rename(folder / "07.png")
    assert altered(scanner, source) == 1
    counts = estimate(plan(database, source, engine=scanner.engine.name, gallery="another"))
    assert (counts.unchanged, counts.altered) == (0, 12)


def test_with_unstable_inodes_size_and_time_decide(scanner, source):
    """Every file has another inode than before: none is read again."""
    source.changed = 12
    assert altered(scanner, source) == 0


def test_a_few_new_inodes_are_changed_files(scanner, source):
    """Files that were replaced, or swapped their names, on a file system with stable inodes."""
    source.changed = 2
    assert altered(scanner, source) == 2


def test_with_unstable_inodes_another_size_or_time_is_a_change(scanner, source, folder):
    source.changed = 12
    with (folder / "03.png").open("ab") as file:
        file.write(b"more")
    assert altered(scanner, source) == 1
