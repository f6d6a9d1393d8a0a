"""Parquet by month: the rows of every view once, in folders that other programs read as one table."""

from __future__ import annotations

import re
import stat
from collections import Counter
from pathlib import Path

import pandas
import pyarrow.dataset
import pytest
from pyarrow import parquet

from catalog.domain.errors import UsageError
from catalog.exchange import monthly_parquet, view_export
from catalog.exchange.view_export import export_tables
from catalog.store.database import open_database
from catalog.store.face_views import VIEWS
from catalog.store.view_rows import MONTHLY_VIEWS
from tests.reports.made_catalog import fill

UNKNOWN = "__HIVE_DEFAULT_PARTITION__"
BY_MONTH = pyarrow.dataset.partitioning(
    pyarrow.schema([("year", pyarrow.int32()), ("month", pyarrow.int32())]), flavor="hive"
)
"""Of pyarrow. Without types it fails where a month is unknown."""


def export(database, folder, **options):
    with database.read() as connection:
        return export_tables(connection, folder, "parquet", by_month=True, **options)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hundred_photos(request, tmp_path_factory):
    """A catalogue of 100 photos in some 80 months, once on each database; to be read only."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql").create("catalog_template")
    else:
        address = str(tmp_path_factory.mktemp("hundred") / "catalog.sqlite3")
    database = open_database(address)
    fill(database, photo_count=100, face_count=250, person_count=20)
    yield database
    database.close()


@pytest.fixture(scope="module")
def exported(hundred_photos, tmp_path_factory):
    """The folder of an export, to be read only."""
    folder = tmp_path_factory.mktemp("exported")
    export(hundred_photos, folder)
    return folder


@pytest.fixture(scope="module")
def few_photos(tmp_path_factory):
    """A catalogue of few months, for facts about files that do not depend on the database; to be read only."""
    database = open_database(str(tmp_path_factory.mktemp("few") / "catalog.sqlite3"))
    fill(database, photo_count=12, face_count=30, person_count=4)
    yield database
    database.close()


def read(folder):
    """The rows of a table's folder, with the integers ``year`` and ``month`` if it has files by month."""
    if f"v1_{folder.name}" not in MONTHLY_VIEWS:
        return parquet.read_table(folder).to_pylist()
    return pyarrow.dataset.dataset(folder, partitioning=BY_MONTH).to_table().to_pylist()


@pytest.mark.parametrize("buffered", [200_000, 150])
def test_every_row_is_in_the_folder_of_its_month(hundred_photos, tmp_path, monkeypatch, buffered):
    """With any number of rows in memory, each month is one file, for its owner only."""
    monkeypatch.setattr(monthly_parquet, "_MAX_BUFFERED_ROWS", buffered)
    monkeypatch.setattr("catalog.store.view_rows.BATCH_ROWS", 100)
    counted = []
    counts = export(hundred_photos, tmp_path / "monthly", on_rows=counted.append)
    with hundred_photos.read() as connection:
        plain = export_tables(connection, tmp_path / "plain", "parquet")
    assert len(list((tmp_path / "monthly" / "faces").rglob("*.parquet"))) > 50
    assert sum(counted) == sum(rows for _, rows in counts)
    for view, (folder, rows), (file, plain_rows) in zip(VIEWS, counts, plain, strict=True):
        names = [column.name for column in view.columns]
        expected = parquet.read_table(file).to_pylist()
        exported = read(folder)
        assert rows == plain_rows == len(exported)
        as_counts = [Counter(tuple(row[name] for name in names) for row in table) for table in (expected, exported)]
        assert as_counts[0] == as_counts[1]
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.name for path in files} == {"part-0.parquet"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
        assert (files[0].parent == folder) == (view.name not in MONTHLY_VIEWS)
    for row in read(tmp_path / "monthly" / "photos"):
        year, _, rest = (row["taken_date"] or "").partition("-")
        assert (row["year"], row["month"]) == (int(year) if year else None, int(rest[:2]) if rest else None)


def test_faces_are_in_the_month_of_their_photo(exported):
    """Pandas reads the folder as one table."""
    faces = pandas.read_parquet(exported / "faces", partitioning=BY_MONTH)
    photos = pandas.read_parquet(exported / "photos", partitioning=BY_MONTH)
    joined = faces.merge(photos, on="photo_sha256", suffixes=("", "_photo"))
    assert len(joined) == len(faces) > 200
    for name in ("year", "month"):
        pandas.testing.assert_series_equal(joined[name], joined[f"{name}_photo"], check_names=False)


def test_the_example_of_the_page_runs(exported, tmp_path, monkeypatch):
    """The Python statements of docs/parquet.md read the faces of a year."""
    page = (Path(__file__).parents[2] / "docs" / "parquet.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(import pandas\n.*?)```", page, re.DOTALL)
    (tmp_path / "tables").symlink_to(exported)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example.replace("2024", "2010"), names)
    expected = [row for row in read(tmp_path / "tables" / "faces") if row["year"] == 2010]
    assert len(names["faces"]) == len(expected) > 0


@pytest.mark.parametrize(
    ("month", "folder"),
    [
        ("2024-06", "year=2024/month=06"),
        ("1948", f"year=1948/month={UNKNOWN}"),
        (None, f"year={UNKNOWN}/month={UNKNOWN}"),
        ("../../x", f"year={UNKNOWN}/month={UNKNOWN}"),
    ],
)
def test_a_folder_is_named_after_the_month(month, folder):
    """A month that is no date, from a damaged database, is unknown."""
    assert monthly_parquet._part_of(month) == folder


def test_an_empty_catalogue_has_a_file_with_columns_for_each_view(tmp_path):
    database = open_database("sqlite://")
    export(database, tmp_path)
    database.close()
    for view in VIEWS:
        (file,) = (tmp_path / view.name.removeprefix("v1_")).rglob("*.parquet")
        table = parquet.read_table(file, partitioning=None)
        assert len(table) == 0
        assert table.column_names == [column.name for column in view.columns]


def test_an_export_that_fails_leaves_the_earlier_one(few_photos, tmp_path, monkeypatch):
    """Nothing of the failed export is left, and a later export replaces the earlier one."""
    export(few_photos, tmp_path)
    before = {path: path.stat().st_ino for path in tmp_path.rglob("*")}

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(monthly_parquet._Buffer, "finish", fail)
        with pytest.raises(UsageError, match="No space left on device"):
            export(few_photos, tmp_path)
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*")} == before
    export(few_photos, tmp_path)
    after = {path: path.stat().st_ino for path in tmp_path.rglob("*")}
    assert after.keys() == before.keys()
    assert after != before


def test_the_files_of_a_killed_export_are_deleted_by_the_next(few_photos, tmp_path):
    leftover = tmp_path / ".catalog-export-abcd1234" / "photos" / "year=2024"
    leftover.mkdir(parents=True)
    (leftover / "part-0.parquet").write_bytes(b"PAR1")
    export(few_photos, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {view.name.removeprefix("v1_") for view in VIEWS}


def test_a_folder_with_other_files_is_not_replaced(few_photos, tmp_path):
    """The user's own files stay, and nothing is written."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_text("a photo")
    with pytest.raises(UsageError, match=r"holiday\.jpg"):
        export(few_photos, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["photos", "holiday.jpg"]


def test_a_folder_that_cannot_be_written_is_a_usage_error(few_photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        export(few_photos, tmp_path / "file")


def test_other_forms_are_one_file_for_each_view(filled, tmp_path):
    """The number of rows is reported for them, too."""
    counted = []
    with filled.read() as connection:
        counts = view_export.export_tables(connection, tmp_path, "csv", on_rows=counted.append)
    assert sum(counted) == sum(rows for _, rows in counts)
