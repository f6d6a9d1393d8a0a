"""A plan decides by listings alone which photos are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from catalog.domain.photos import PhotoRef
from catalog.domain.source import Listed
from catalog.scanning.plan import estimate, plan
from catalog.sources.folder import FolderSource
from tests.fakes import Drawn, save_drawing


class NewInodes(FolderSource):
    """A file system that gives every file a new inode at each mount, from a number of files on."""

    changed = 0

    def list(self) -> Iterator[Listed]:
        for number, entry in enumerate(super().list()):
            if isinstance(entry, PhotoRef) and number < self.changed:
                yield dataclasses.replace(entry, etag=f"{entry.etag}000")
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


def test_an_estimate_looks_at_files_of_unknown_ending(scanner, folder):
    """A dry run counts them as a scan does."""
    save_drawing(folder / "a.png", [Drawn("ann")]).rename(folder / "photo")
    (folder / "note").write_bytes(b"text")
    (folder / "b.mov").write_bytes(b"film")
    (folder / "@eaDir").mkdir()
    counts = estimate(plan(scanner.database, FolderSource(folder), engine="fake", gallery="catalog"))
    assert (counts.unseen, counts.discovered) == (1, 1)
    assert dict(counts.other_files) == {"no ending": 1, ".mov": 1}
    assert dict(counts.left_out) == {"@eaDir (Synology)": 1}
