"""Export of the documented views as CSV, JSON or Parquet files, streamed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.exchange.monthly_parquet import export_by_month
from catalog.exchange.parquet_tables import load_pyarrow, table_of, view_schema
from catalog.store.face_views import VIEWS
from catalog.store.public_views import View
from catalog.store.view_rows import view_batches
from catalog.store.whole_file import whole_file

_Batches = Iterable[Sequence[Sequence[Any]]]


def export_tables(
    connection: Connection,
    directory: Path,
    form: str,
    *,
    by_month: bool = False,
    on_rows: Callable[[int], None] | None = None,
) -> list[tuple[Path, int]]:
    """Write each view to a file of its own: ``people.csv``, ``appearances.csv`` and so on.

    ``form`` is csv, json or parquet. Parquet ``by_month`` is a folder for each view (:mod:`.monthly_parquet`). Only the
    owner may read the files. Calls ``on_rows`` with numbers of further rows. Returns each file or folder with its
    number of rows. Raises ``UsageError`` if the folder cannot be written or pyarrow is not installed.
    """
    write = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}[form]
    row_counts = []
    try:
        if by_month:
            return export_by_month(connection, directory, on_rows)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for view in VIEWS:
            path = directory / f"{view.name.removeprefix('v1_')}.{form}"
            with whole_file(path) as file:
                row_counts.append((path, write(file, view, _counted(view_batches(connection, view), on_rows))))
    except OSError as error:
        name = display_name(os.fsencode(directory))
        raise UsageError(f'The folder "{name}" cannot be written: {error.strerror}.') from error
    return row_counts


def _counted(batches: _Batches, on_rows: Callable[[int], None] | None) -> _Batches:
    for batch in batches:
        yield batch
        if on_rows is not None:
            on_rows(len(batch))


def _write_csv(file: BinaryIO, view: View, batches: _Batches) -> int:
    text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([column.name for column in view.columns])
    count = 0
    for batch in batches:
        writer.writerows(_csv_rows(batch))
        count += len(batch)
    text.detach()
    return count


def _csv_rows(batch: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    for row in batch:
        yield [str(value).lower() if isinstance(value, bool) else value for value in row]


def _write_json(file: BinaryIO, view: View, batches: _Batches) -> int:
    """Write an array of objects, one object per line."""
    names = [column.name for column in view.columns]
    count = 0
    file.write(b"[")
    for batch in batches:
        for row in batch:
            line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
            file.write((b",\n" if count else b"\n") + line.encode())
            count += 1
    file.write(b"\n]\n")
    return count


def _write_parquet(file: BinaryIO, view: View, batches: _Batches) -> int:
    _, parquet = load_pyarrow()
    schema = view_schema(view)
    count = 0
    with ExitStack() as stack:
        writer = stack.enter_context(parquet.ParquetWriter(file, schema))
        for batch in batches:
            writer.write_table(table_of(batch, schema))
            count += len(batch)
    return count
