"""Export of the documented views as CSV, JSON or Parquet files, streamed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.store.face_views import VIEWS
from catalog.store.public_views import View
from catalog.store.view_rows import ColumnType, column_type, view_batches

_Batches = Iterable[Sequence[Sequence[Any]]]


def export_tables(connection: Connection, directory: Path, form: str) -> list[tuple[Path, int]]:
    """Write each view to a file of its own: ``people.csv``, ``appearances.csv`` and so on.

    ``form`` is csv, json or parquet. Only the owner may read the files. Returns each file with its number of rows.
    Raises ``UsageError`` if the folder cannot be written or pyarrow is not installed.
    """
    write = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}[form]
    row_counts = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for view in VIEWS:
            path = directory / f"{view.name.removeprefix('v1_')}.{form}"
            part = path.with_name(f"{path.name}.part")
            part.touch(mode=0o600)
            row_counts.append((path, write(part, view, view_batches(connection, view))))
            part.replace(path)
    except OSError as error:
        name = display_name(os.fsencode(directory))
        raise UsageError(f'The folder "{name}" cannot be written: {error.strerror}.') from error
    return row_counts


def _write_csv(path: Path, view: View, batches: _Batches) -> int:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in view.columns])
        count = 0
        for batch in batches:
            writer.writerows(_csv_rows(batch))
            count += len(batch)
    return count


def _csv_rows(batch: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    for row in batch:
        yield [str(value).lower() if isinstance(value, bool) else value for value in row]


def _write_json(path: Path, view: View, batches: _Batches) -> int:
    """Write an array of objects, one object per line."""
    names = [column.name for column in view.columns]
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for batch in batches:
            for row in batch:
                _write_json_row(file, dict(zip(names, row, strict=True)), first=count == 0)
                count += 1
        file.write("\n]\n")
    return count


def _write_json_row(file: IO[str], row: dict[str, Any], *, first: bool) -> None:
    file.write(("\n" if first else ",\n") + json.dumps(row, ensure_ascii=False))


def _write_parquet(path: Path, view: View, batches: _Batches) -> int:
    # pyarrow is an optional dependency of 100 MB.
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed.", remedy="Run: pip install 'face-catalog[parquet]'"
        ) from error
    arrow_types = {
        ColumnType.INTEGER: pyarrow.int64(),
        ColumnType.NUMBER: pyarrow.float64(),
        ColumnType.BOOLEAN: pyarrow.bool_(),
        ColumnType.TEXT: pyarrow.string(),
    }
    schema = pyarrow.schema(
        [
            pyarrow.field(column.name, arrow_types[column_type(column.name)], metadata={"description": column.meaning})
            for column in view.columns
        ],
        metadata={"description": view.comment},
    )
    count = 0
    with ExitStack() as stack:
        writer = stack.enter_context(parquet.ParquetWriter(path, schema))
        for batch in batches:
            columns = zip(*batch, strict=True)
            arrays = [pyarrow.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pyarrow.table(arrays, schema=schema))
            count += len(batch)
    return count
