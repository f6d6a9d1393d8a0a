"""Export of the documented views."""

from __future__ import annotations

import csv
import json

import pytest
from pyarrow import parquet

from catalog.exchange.view_export import export_tables
from catalog.store.face_views import VIEWS


def test_every_format_has_the_same_rows_of_every_view(filled, tmp_path):
    """The files are readable for their owner only."""
    with filled.read() as connection:
        counts = [export_tables(connection, tmp_path / form, form) for form in ("csv", "json", "parquet")]
    for view, (path, rows), (_, in_json), (_, in_parquet) in zip(VIEWS, *counts, strict=True):
        name = view.name.removeprefix("v1_")
        assert path.name == f"{name}.csv"
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open(encoding="utf-8", newline="") as file:
            csv_rows = list(csv.DictReader(file))
        objects = json.loads((tmp_path / "json" / f"{name}.json").read_text("utf-8"))
        columns = parquet.read_table(tmp_path / "parquet" / f"{name}.parquet").to_pylist()
        assert len(csv_rows) == rows == in_json == in_parquet == len(objects)
        assert objects == columns
        assert [list(row) for row in csv_rows[:1]] == [[column.name for column in view.columns]] * min(1, rows)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_an_export_that_ends_early_leaves_no_unfinished_file(filled, tmp_path, form):
    """The files of an earlier export stay as they were."""
    (tmp_path / f"people.{form}").write_text("earlier")

    def interrupt(_rows: int) -> None:
        raise KeyboardInterrupt

    with filled.read() as connection, pytest.raises(KeyboardInterrupt):
        export_tables(connection, tmp_path, form, on_rows=interrupt)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {f"people.{form}": "earlier"}
