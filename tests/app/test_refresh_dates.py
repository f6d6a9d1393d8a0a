"""Dates are read again from unchanged files: what the catalogue has is set back first, as by an older release."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

import catalog
from catalog import UsageError
from catalog.store.photo_dates import date_columns
from catalog.store.tables import photos

EXIF_DATE = 36867


def save(path: Path, number: int, date: str | None = "2010:05:06 10:00:00") -> Path:
    exif = Image.Exif()
    if date is not None:
        exif.get_ifd(34665)[EXIF_DATE] = date
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 48), "gray").save(path, exif=exif.tobytes(), comment=str(number))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """EXIF; a name; a sidecar; a copy of the first one whose folder has a date; a photo without a date."""
    folder = tmp_path / "album"
    save(folder / "exif.jpg", 1)
    save(folder / "1987-06-21 Taufe.jpg", 2, None)
    save(folder / "sidecar.jpg", 3, None)
    (folder / "sidecar.jpg.xmp").write_text(
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
        ' photoshop:DateCreated="1953-04"/></rdf:RDF></x:xmpmeta>'
    )
    save(folder / "1960" / "copy.jpg", 1)
    save(folder / "none.jpg", 5, None)
    return folder


@pytest.fixture
def opened(tmp_path: Path, folder: Path) -> Iterator[catalog.Catalog]:
    with catalog.open(tmp_path / "catalog.sqlite3", create=True, user="me") as c:
        scan(c, folder)
        yield c


def scan(c: catalog.Catalog, folder: Path) -> None:
    for outcome in c.scan([folder]):
        assert outcome.kind != "failed"


def dates(c: catalog.Catalog, folder: Path) -> dict[str, tuple[str | None, str | None]]:
    return {Path(photo.path).name: (photo.date, photo.source) for photo in c.photo_dates(folder)}


def lose_dates(c: catalog.Catalog) -> None:
    """As recorded by a release that read none of them."""
    with c._resources.database.begin() as connection:
        connection.execute(
            update(photos)
            .where(photos.c.taken_at_source.not_in(["user", "estimate"]))
            .values(date_columns(*[None] * 4))
        )


def test_dates_are_read_again_and_corrections_stay(opened: catalog.Catalog, folder: Path) -> None:
    """Twice: the second time nothing differs. No call is charged."""
    opened.decisions.set_date(folder / "none.jpg", "1948-06")
    before = dates(opened, folder)
    assert before["sidecar.jpg"] == ("1953-04", "sidecar")
    lose_dates(opened)
    planned = opened.refresh_dates(dry_run=True)
    assert (planned.read, planned.changed, planned.kept, planned.problems) == (3, 3, 1, ())
    assert dates(opened, folder)["copy.jpg"] == (None, None)
    assert opened.refresh_dates([folder]) == planned
    assert dates(opened, folder) == before
    assert opened.refresh_dates().changed == 0
    assert opened.charges() == ()


def test_a_dry_run_only_reads(opened: catalog.Catalog, tmp_path: Path) -> None:
    """While another program writes, and in a catalogue that is opened read-only."""
    lose_dates(opened)
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert opened.refresh_dates(dry_run=True).changed == 3
    with catalog.open(tmp_path / "catalog.sqlite3", read_only=True) as reader:
        assert reader.refresh_dates(dry_run=True).changed == 3
        with pytest.raises(UsageError, match="read-only"):
            reader.refresh_dates()


def test_a_changed_or_unreadable_file_keeps_the_date_of_its_photo(opened: catalog.Catalog, folder: Path) -> None:
    """A photo at two places needs both."""
    lose_dates(opened)
    save(folder / "1987-06-21 Taufe.jpg", 9, "2020:01:01 00:00:00")
    (folder / "1960" / "copy.jpg").unlink()
    result = opened.refresh_dates()
    assert (result.read, result.changed) == (2, 1)
    assert len(result.problems) == 2
    assert any("has changed since the last scan" in problem for problem in result.problems)
    kept = dates(opened, folder)
    assert kept["sidecar.jpg"] == ("1953-04", "sidecar")
    assert {date for name, (date, _) in kept.items() if name != "sidecar.jpg"} == {None}


def test_a_source_that_is_not_mounted_is_named_and_an_unknown_one_refused(
    opened: catalog.Catalog, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="never scanned"):
        opened.refresh_dates([tmp_path])
    lose_dates(opened)
    folder.rename(tmp_path / "away")
    result = opened.refresh_dates([folder])
    assert (result.read, result.changed) == (0, 0)
    assert result.problems
    assert all(str(folder) in problem for problem in result.problems)
