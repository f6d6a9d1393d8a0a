"""Report tables as text, CSV, JSON and Parquet."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pyarrow import parquet
from rich.cells import cell_len

from catalog.reports.confidence_interval import wilson_interval
from catalog.reports.filters import album_uris
from catalog.reports.render import Format, render, shortened, write
from catalog.reports.report_table import ReportTable

ANSWER = ReportTable(
    ("name", "photos", "share"),
    (("花子", 12, 0.5), ('Zoë, "Z"\n', 3, None), (None, 100, 99.123456789)),
)


def test_columns_align_by_display_width():
    """A Japanese character has two columns. Numbers are aligned right."""
    lines = render(ANSWER, Format.TABLE).splitlines()
    photos = zip(lines[2:], ("12", "3", "100"), strict=True)
    ends = {cell_len(line[: line.index(count) + len(count)]) for line, count in photos}
    assert len(ends) == 1
    assert lines[2].startswith("花子 ")


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x07", "\r\n", "\u202eevil", "\x9b31m"])
def test_control_characters_are_escaped(hostile):
    """A name cannot control the terminal."""
    table = render(ReportTable(("name",), ((f"a{hostile}b",),)), Format.TABLE)
    assert hostile not in table
    assert len(table.splitlines()) == 3


def test_uris_are_shown_as_paths_in_tables_only():
    """CSV and JSON contain uris."""
    answer = ReportTable(("uri",), (("file:///a%20b/%E8%8A%B1.jpg",),))
    assert "/a b/花.jpg" in render(answer, Format.TABLE)
    assert "file:///a%20b" in render(answer, Format.JSON)


def test_csv_and_json_round_trip():
    """Commas, quotes, line ends and all scripts."""
    rows = list(csv.reader(io.StringIO(render(ANSWER, Format.CSV), newline="")))
    assert rows[0] == list(ANSWER.columns)
    assert rows[2] == ['Zoë, "Z"\n', "3", ""]
    assert json.loads(render(ANSWER, Format.JSON)) == list(ANSWER.records())


def test_parquet_round_trips(tmp_path):
    """One type per column, with nulls. The file is private."""
    write(ANSWER, Format.PARQUET, tmp_path / "a.parquet")
    assert parquet.read_table(tmp_path / "a.parquet").to_pylist() == list(ANSWER.records())
    assert (tmp_path / "a.parquet").stat().st_mode & 0o777 == 0o600


def test_an_empty_table_is_a_sentence_as_text_and_empty_for_programs():
    """JSON is an empty array, CSV is the header."""
    empty = ReportTable(("a", "b"), ())
    assert render(empty, Format.TABLE) == "No rows.\n"
    assert render(empty, Format.JSON) == "[]\n"
    assert render(empty, Format.CSV) == "a,b\n"


@pytest.mark.parametrize(("count", "total"), [(0, 1), (1, 1), (0, 1000), (500, 1000), (3, 7)])
def test_an_interval_contains_its_share_and_stays_within_bounds(count, total):
    """Also for shares of 0 and 1."""
    low, high = wilson_interval(count, total)
    assert 0 <= low <= count / total <= high <= 1
    assert high - low < (2 if total < 10 else 0.07)


def test_the_interval_is_wilsons():
    """Ten of a hundred: 5.52 to 17.44 percent, as in textbooks."""
    low, high = wilson_interval(10, 100)
    assert (round(100 * low, 2), round(100 * high, 2)) == (5.52, 17.44)


def test_an_album_is_a_folder_or_a_prefix(tmp_path, monkeypatch):
    """In all forms of address."""
    monkeypatch.chdir(tmp_path)
    assert album_uris("s3://bucket/a") == ["s3://bucket/a/"]
    assert album_uris("s3://bucket/my photos/") == ["s3://bucket/my photos/", "s3://bucket/my%20photos/"]
    assert album_uris("file:///a%20b/") == ["file:///a%20b/"]
    assert album_uris("sommer 花") == [f"file://{tmp_path}/sommer%20%E8%8A%B1/"]


def test_a_table_fits_the_terminal():
    """Long paths and names are shortened in the middle. Numbers are complete and aligned to the right."""
    uri = "file:///photos/2019/summer%20in%20the%20mountains/DSC_4711.jpg"
    table = ReportTable(("uri", "faces", "name"), ((uri, 12345, "花子 and a rather long name"), (uri, 7, "Ann")))
    lines = render(table, Format.TABLE, 50).splitlines()
    assert max(cell_len(line) for line in lines) <= 50
    assert lines[2].startswith("/photos/")
    assert "…" in lines[2]
    assert "_4711.jpg  12345" in lines[2]
    assert lines[2].index("12345") + 5 == lines[3].rindex("7") + 1
    assert render(table, Format.TABLE) == render(table, Format.TABLE, 500)


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abcdefgh", 8, "abcdefgh"), ("abcdefgh", 5, "ab…gh"), ("abcdefgh", 4, "ab…h"), ("花花花花", 5, "花…花")],
)
def test_a_text_is_shortened_in_the_middle(text, width, expected):
    """Wide characters fill two columns."""
    assert shortened(text, width) == expected


def test_a_person_id_stays_whole_on_a_narrow_terminal():
    """A user copies it into the next command."""
    table = ReportTable(("person_id", "name", "company"), (("p0zgqpypr", "A long name of a person", "pa1ncn431"),))
    assert "p0zgqpypr" in render(table, Format.TABLE, 30)
    assert "pa1ncn431" in render(table, Format.TABLE, 30)


def test_infinite_numbers_are_null_in_json():
    """SQL computes them, and JSON has no word for them."""
    table = ReportTable(("a", "b", "c"), ((float("inf"), float("nan"), 1.5),))
    assert json.loads(render(table, Format.JSON), parse_constant=pytest.fail) == [{"a": None, "b": None, "c": 1.5}]
