"""Answers as people and programs read them: a table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from rich.cells import cell_len

from catalog.domain.errors import UsageError
from catalog.domain.uri import FILE_SCHEME, S3_SCHEME, display, display_name
from catalog.reports.run_report import ReportTable, Value


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def render(answer: ReportTable, form: Format) -> str:
    """The answer as text that ends in a line end. Parquet is no text: see :func:`write_parquet`."""
    if form is Format.JSON:
        return json.dumps(list(answer.records()), ensure_ascii=False, indent=2) + "\n"
    if form is Format.CSV:
        return _csv(answer)
    return _table(answer)


def write(answer: ReportTable, form: Format, path: Path) -> None:
    """Write the answer to a file that only its owner may read. Raises UsageError."""
    try:
        path.touch(mode=0o600)
        if form is Format.PARQUET:
            write_parquet(answer, path)
        else:
            path.write_text(render(answer, form), encoding="utf-8", newline="", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f'The file "{display_name(str(path))}" cannot be written: {error.strerror}.') from error


def write_parquet(answer: ReportTable, path: Path) -> None:
    """Write the answer as one Parquet file. Raises UsageError where pyarrow is not installed."""
    # Heavy, and only there for those who asked for it.
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed.", remedy="Run: pip install 'face-catalog[parquet]'"
        ) from error
    columns = list(zip(*answer.rows, strict=True)) if answer.rows else [()] * len(answer.columns)
    types = {"text": pyarrow.string(), "float": pyarrow.float64(), "whole": pyarrow.int64(), "truth": pyarrow.bool_()}
    arrays = [pyarrow.array(values, type=types[_kind(values)]) for values in columns]
    parquet.write_table(pyarrow.table(arrays, names=list(answer.columns)), path)


def _kind(values: Sequence[Value]) -> str:
    """One type for a whole column; a column of nothing is text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "truth"
    if kinds == {int}:
        return "whole"
    return "float" if kinds and kinds <= {int, float} else "text"


def _csv(answer: ReportTable) -> str:
    """RFC 4180, values as they are: nothing is prefixed or rounded, so that it can be read back."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(answer.columns)
    writer.writerows(["" if value is None else value for value in row] for row in answer.rows)
    return out.getvalue()


def _table(answer: ReportTable) -> str:
    """Columns as wide as a terminal shows them; numbers to the right; what could steer a terminal is escaped."""
    if not answer.rows:
        return "Nothing found.\n"
    cells = [[_cell(value) for value in row] for row in answer.rows]
    numeric = [all(isinstance(row[i], int | float | None) for row in answer.rows) for i in range(len(answer.columns))]
    widths = [max(cell_len(heading), *(cell_len(row[i]) for row in cells)) for i, heading in enumerate(answer.columns)]
    lines = [list(answer.columns), ["-" * width for width in widths], *cells]
    return "".join(_line(line, widths, numeric) for line in lines)


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
