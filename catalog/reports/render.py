"""Rendering of report tables as text table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from rich.cells import cell_len

from catalog.domain.errors import UsageError
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, display, display_name
from catalog.reports.report_table import ReportRows, ReportTable, Value
from catalog.store.whole_file import whole_file

_GAP = 2
"""Columns between two columns of a table."""
_MIN_WIDTH = 9
"""A person's id has 9 characters and stays whole. A shorter column would not show enough of a path or name."""


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def render(table: ReportTable, form: Format, width: int | None = None) -> str:
    """Return the table as text with a final line end. Parquet is binary: see :func:`write_parquet`.

    ``width``: terminal columns that a text table may use. Long cells are shortened in the middle.
    """
    if form is Format.JSON:
        records = [{name: _json_value(value) for name, value in record.items()} for record in table.records()]
        return json.dumps(records, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    if form is Format.CSV:
        return _csv(table)
    return _table(table, width)


def _json_value(value: Value) -> Value:
    """JSON has no infinite numbers."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(table: ReportTable, form: Format, path: Path) -> None:
    """Write the table to a private file. Raises ``UsageError``."""
    try:
        if form is Format.PARQUET:
            write_parquet(table, path)
        else:
            path.touch(mode=0o600)
            path.write_text(render(table, form), encoding="utf-8", newline="", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f'The file "{display_name(str(path))}" cannot be written: {error.strerror}.') from error


def write_csv(rows: ReportRows, file: TextIO) -> None:
    """Write rows as CSV while they are read, in the form of :func:`render`."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows.columns)
    for row in rows:
        writer.writerow(["" if value is None else value for value in row])


def write_csv_file(rows: ReportRows, path: Path) -> None:
    """Write rows to a private CSV file while they are read. A file appears when all are read. Raises ``UsageError``."""
    try:
        with whole_file(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
            write_csv(rows, text)
            text.detach()  # flushes, and leaves the file open
    except OSError as error:
        raise UsageError(f'The file "{display_name(str(path))}" cannot be written: {error.strerror}.') from error


def write_parquet(table: ReportTable, path: Path) -> None:
    """Write the table as a private Parquet file. Raises ``UsageError`` if pyarrow is not installed."""
    # pyarrow is an optional dependency of 100 MB.
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed.", remedy="Run: pip install 'face-catalog[parquet]'"
        ) from error
    columns = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.columns)
    types = {
        "text": pyarrow.string(),
        "float": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "boolean": pyarrow.bool_(),
    }
    arrays = [pyarrow.array(values, type=types[_kind(values)]) for values in columns]
    path.touch(mode=0o600)
    parquet.write_table(pyarrow.table(arrays, names=list(table.columns)), path)


def _kind(values: Sequence[Value]) -> str:
    """Return the type of a column. A column of nulls is text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    return "float" if kinds and kinds <= {int, float} else "text"


def _csv(table: ReportTable) -> str:
    """RFC 4180 with line ends of one character. Values are not rounded or prefixed, so that they can be read back."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(["" if value is None else value for value in row] for row in table.rows)
    return buffer.getvalue()


def _table(table: ReportTable, width: int | None) -> str:
    """Columns by display width, numbers to the right. Control characters are escaped."""
    if not table.rows:
        return "No rows.\n"
    cells, widths, numeric = _columns(table.rows, width, table.columns)
    headings = [shortened(heading, limit) for heading, limit in zip(table.columns, widths, strict=True)]
    lines = [headings, ["-" * width for width in widths], *cells]
    return "".join(_line(line, widths, numeric) for line in lines)


def aligned_lines(rows: Sequence[Sequence[Value]], width: int | None) -> list[str]:
    """Return rows of equal length as lines without headings. ``width`` as for :func:`render`."""
    if not rows:
        return []
    cells, widths, numeric = _columns(rows, width, [""] * len(rows[0]))
    return [_line(line, widths, numeric).rstrip("\n") for line in cells]


def _columns(
    rows: Sequence[Sequence[Value]], width: int | None, headings: Sequence[str]
) -> tuple[list[list[str]], list[int], list[bool]]:
    """Return the cells, and for each column its width and whether it holds numbers."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(headings))]
    widths = [max(cell_len(heading), *(cell_len(row[i]) for row in cells)) for i, heading in enumerate(headings)]
    if width is not None:
        widths = _fitted(widths, numeric, width - _GAP * (len(widths) - 1))
        cells = [[shortened(cell, limit) for cell, limit in zip(row, widths, strict=True)] for row in cells]
    return cells, widths, numeric


def _fitted(widths: Sequence[int], numeric: Sequence[bool], total: int) -> list[int]:
    """Reduce the widest columns of text until their sum is ``total``, but none below ``_MIN_WIDTH``."""
    fitted = list(widths)
    texts = [i for i, is_number in enumerate(numeric) if not is_number]
    while sum(fitted) > total and (wide := [i for i in texts if fitted[i] > _MIN_WIDTH]):
        fitted[max(wide, key=fitted.__getitem__)] -= 1
    return fitted


def shortened(text: str, width: int) -> str:
    """Replace the middle of a text by an ellipsis so that it fills at most ``width`` columns of a terminal."""
    if cell_len(text) <= width:
        return text
    head, tail = "", ""
    front, back = list(text), list(reversed(text))
    while front:
        is_head = cell_len(head) <= cell_len(tail)
        next_head, next_tail = (head + front[0], tail) if is_head else (head, back[0] + tail)
        if cell_len(next_head) + cell_len(next_tail) + 1 > width:
            break
        head, tail = next_head, next_tail
        if is_head:
            front.pop(0)
        else:
            back.pop(0)
    return f"{head}…{tail}"


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = [
        " " * (width - cell_len(cell)) + cell if right else cell + " " * (width - cell_len(cell))
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
    return "  ".join(padded).rstrip() + "\n"


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return display(value) if value.startswith((FILE_SCHEME, S3_SCHEME)) else display_name(value)
    return str(value)
