"""Decisions on dates: set, shifted, stacked, undone, and kept by scans, labels files and copies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

import catalog
from catalog import UsageError
from catalog.domain.decisions import DatesPayload, Verb

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
    """Three photos of a wrong clock; ``scan 10`` comes after ``scan 2``."""
    for number in (1, 2, 10):
        save(tmp_path / "album" / f"scan {number}.jpg", number, None if number == 10 else "2010:05:06 10:00:00")
    return tmp_path / "album"


@pytest.fixture
def opened(tmp_path: Path, folder: Path) -> Iterator[catalog.Catalog]:
    with catalog.open(tmp_path / "catalog.sqlite3", create=True, user="me") as c:
        scan(c, folder)
        yield c


def scan(c: catalog.Catalog, folder: Path) -> None:
    for outcome in c.scan([folder]):
        assert outcome.kind != "failed"


def dates(c: catalog.Catalog, target: Path) -> list[tuple[str | None, str | None]]:
    return [(photo.date, photo.source) for photo in c.photo_dates(target)]


BEFORE = [("2010-05-06T10:00:00", "exif"), ("2010-05-06T10:00:00", "exif"), (None, None)]


def test_a_date_of_a_folder_is_undone_exactly(opened: catalog.Catalog, folder: Path) -> None:
    assert dates(opened, folder) == BEFORE
    decision = opened.decisions.set_date(folder, "1948-06")
    assert decision.photos == 3
    assert dates(opened, folder) == [("1948-06", "user")] * 3
    rows = opened.sql("SELECT DISTINCT taken_date, taken_at_source, taken_at_precision, taken_local_end FROM v1_photos")
    assert rows.rows == (("1948-06", "user", "month", "1948-06-30T23:59:59"),)
    undone = opened.decisions.undo(decision.number)
    assert dates(opened, folder) == BEFORE
    opened.decisions.undo(undone)
    assert dates(opened, folder) == [("1948-06", "user")] * 3


def test_a_date_can_be_decided_to_be_unknown(opened: catalog.Catalog, folder: Path) -> None:
    opened.decisions.set_date(folder / "scan 1.jpg", "unknown")
    assert dates(opened, folder / "scan 1.jpg") == [(None, "user")]
    with pytest.raises(UsageError, match="already"):
        opened.decisions.set_date(folder / "scan 1.jpg", "unknown")


def test_a_clock_is_shifted_and_other_photos_are_counted(opened: catalog.Catalog, folder: Path) -> None:
    decision = opened.decisions.shift_dates(folder, "-1d2h")
    assert (decision.photos, decision.left) == (2, 1)
    assert dates(opened, folder) == [("2010-05-05T08:00:00", "user")] * 2 + [(None, None)]
    with pytest.raises(UsageError, match="can be shifted"):
        opened.decisions.shift_dates(folder / "scan 10.jpg", "1h")


def test_a_stack_is_dated_in_the_order_of_its_names(opened: catalog.Catalog, folder: Path) -> None:
    opened.decisions.stack_dates(folder, "1948", "1950")
    assert dates(opened, folder) == [("1948", "estimate"), ("1949", "estimate"), ("1950", "estimate")]


def test_a_later_decision_is_undone_first(opened: catalog.Catalog, folder: Path) -> None:
    first = opened.decisions.set_date(folder, "2004-06-12T10:00:00")
    second = opened.decisions.shift_dates(folder / "scan 1.jpg", "1h")
    with pytest.raises(UsageError, match="Later decisions"):
        opened.decisions.undo(first.number)
    opened.decisions.undo(second.number)
    assert dates(opened, folder / "scan 1.jpg") == [("2004-06-12T10:00:00", "user")]
    opened.decisions.undo(first.number)
    assert dates(opened, folder) == BEFORE


def test_a_decision_is_in_the_history(opened: catalog.Catalog, folder: Path) -> None:
    number = opened.decisions.set_date(folder, "1948-06").number
    decision = opened.decisions.get(number)
    assert (decision.verb, decision.name, decision.decided_by) == (Verb.DATE, "1948-06 for album", "me")
    assert isinstance(decision.payload, DatesPayload)
    assert opened.decisions.history() == (decision,)


def test_a_date_survives_rescans_edits_and_the_return_of_a_photo(opened: catalog.Catalog, folder: Path) -> None:
    photo = folder / "scan 1.jpg"
    number = opened.decisions.set_date(folder, "1948-06").number
    scan(opened, folder)
    assert dates(opened, folder) == [("1948-06", "user")] * 3
    save(photo, 99)  # another content at the same place
    scan(opened, folder)
    assert dates(opened, photo) == [("1948-06", "user")]
    content = (folder / "scan 2.jpg").read_bytes()
    (folder / "scan 2.jpg").unlink()
    opened.remove_source(folder)
    (folder / "scan 2.jpg").write_bytes(content)
    scan(opened, folder)
    assert dates(opened, folder) == [("1948-06", "user")] * 3
    opened.decisions.undo(number)
    assert dates(opened, photo) == [("2010-05-06T10:00:00", "exif")]


def test_a_labels_file_brings_dates_before_and_after_a_scan(
    opened: catalog.Catalog, folder: Path, tmp_path: Path
) -> None:
    """A decision of a user here stays. Undoing the import takes the dates back."""
    opened.decisions.set_date(folder, "1948-06")
    opened.backup(tmp_path / "labels.json", labels_only=True)
    with catalog.open(tmp_path / "other.sqlite3", create=True, user="other") as other:
        scan(other, folder)
        other.decisions.set_date(folder / "scan 1.jpg", "1950")
        other.restore(tmp_path / "labels.json")
        assert dates(other, folder) == [("1950", "user"), ("1948-06", "user"), ("1948-06", "user")]
        other.restore(tmp_path / "labels.json")
        assert len(other.decisions.history()) == 3
        head = next(decision for decision in other.decisions.history() if decision.verb is Verb.IMPORT)
        other.decisions.undo(head.number)
        assert dates(other, folder) == [("1950", "user"), *BEFORE[1:]]
    with catalog.open(tmp_path / "later.sqlite3", create=True) as later:
        later.restore(tmp_path / "labels.json")
        scan(later, folder)
        assert dates(later, folder) == [("1948-06", "user")] * 3


def test_photos_are_found_by_address_and_by_hash(opened: catalog.Catalog, folder: Path) -> None:
    (photo,) = opened.photo_dates(folder / "scan 2.jpg")
    assert opened.photo_dates(photo.sha256[:12]) == (photo,)
    assert opened.photo_dates(f"file://{str(folder).replace(' ', '%20')}/scan%202.jpg") == (photo,)
    with pytest.raises(UsageError, match="no photo"):
        opened.photo_dates(folder / "nothing.jpg")
    with pytest.raises(UsageError, match="no photo"):
        opened.decisions.set_date("ffffffffffff", "1948")


def test_a_copy_of_the_catalogue_keeps_the_dates(opened: catalog.Catalog, folder: Path, tmp_path: Path) -> None:
    opened.decisions.set_date(folder, "1948-06")
    opened.backup(tmp_path / "copy.sqlite3")
    with catalog.open(tmp_path / "copy.sqlite3") as copy:
        assert dates(copy, folder) == [("1948-06", "user")] * 3
