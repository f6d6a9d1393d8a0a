"""Rows of reports and statements are read while they are used, and CSV is written meanwhile."""

from __future__ import annotations

import io
import stat
from itertools import islice

import pytest

from catalog.domain.errors import UsageError
from catalog.reports.render import Format, render, write_csv, write_csv_file
from catalog.reports.report_registry import reports
from catalog.reports.report_table import ReportRows
from catalog.reports.run_report import open_report
from catalog.reports.sql_statement import open_statement
from tests.whole_reports import run_report


def test_the_first_rows_of_an_endless_statement_are_read(filled):
    """The database stops when the block ends."""
    endless = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        "postgresql": "SELECT generate_series(1, 1000000000000)",
    }
    with open_statement(filled, endless[filled.dialect], allow_superuser=True) as rows:
        assert list(islice(rows, 3)) == [(1,), (2,), (3,)]


def test_rows_are_counted_and_limited():
    """``on_rows`` is called for each thousand rows. A row beyond the limit is noticed."""
    counted: list[int] = []
    rows = ReportRows(["n"], ((n,) for n in range(5000)), 2500, counted.append)
    assert len(list(rows)) == rows.count == 2500
    assert rows.truncated
    assert counted == [1000, 1000]
    exact = ReportRows(["n"], ((n,) for n in range(3)), 3)
    assert exact.table().rows == ((0,), (1,), (2,))
    assert not exact.truncated


@pytest.mark.parametrize("name", sorted(reports()))
def test_a_streamed_report_is_the_table(filled, name):
    """The CSV is the same, with and without a limit, and so is the note about further rows."""
    for limit in (None, 3):
        table = run_report(filled, reports()[name], limit=limit)
        with open_report(filled, reports()[name], limit=limit) as rows:
            text = io.StringIO(newline="")
            write_csv(rows, text)
        assert text.getvalue() == render(table, Format.CSV)
        assert (rows.count, rows.truncated) == (len(table.rows), table.truncated)


def test_a_file_appears_when_all_rows_are_read(tmp_path):
    """A statement that fails leaves the earlier file. Only the owner may read the new one."""
    path = tmp_path / "rows.csv"
    path.write_text("earlier")

    def failing():
        yield (1,)
        raise UsageError("The statement took longer than the time limit.")

    with pytest.raises(UsageError, match="time limit"):
        write_csv_file(ReportRows(["n"], failing(), None), path)
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]
    assert path.read_text() == "earlier"
    write_csv_file(ReportRows(["n"], iter([(1,)]), None), path)
    assert path.read_text() == "n\n1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_rows_are_written_to_a_device(tmp_path):
    """A device or a pipe is not replaced by a file."""
    path = tmp_path / "null"
    path.symlink_to("/dev/null")
    write_csv_file(ReportRows(["n"], iter([(1,)]), None), path)
    assert path.is_symlink()


def test_a_file_that_cannot_be_written_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_csv_file(ReportRows(["n"], iter([]), None), tmp_path / "none" / "rows.csv")


def test_the_path_of_a_csv_file_may_lead_through_a_file(tmp_path):
    """The deletion of the temporary file fails as well, as in a read-only folder."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written: Not a directory"):
        write_csv_file(ReportRows(["n"], iter([]), None), tmp_path / "file" / "rows.csv")
