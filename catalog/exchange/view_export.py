"""Export of the documented views as CSV, JSON or Parquet files, streamed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.exchange.monthly_parquet import export_by_month
from catalog.exchange.parquet_tables import load_pyarrow, table_of, view_schema
from catalog.store.face_views import VIEWS
from catalog.store.public_views import View
from catalog.store.view_rows import view_batches

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
            part = path.with_name(f"{path.name}.part")
            part.touch(mode=0o600)
            row_counts.append((path, write(part, view, _counted(view_batches(connection, view), on_rows))))
            part.replace(path)
    except OSError as error:
        name = display_name(os.fsencode(directory))
        raise UsageError(f'The folder "{name}" cannot be written: {error.strerror}.') from error
    return row_counts


def _counted(batches: _Batches, on_rows: Callable[[int], None] | None) -> _Batches:
    for batch in batches:
        yield batch
        if on_rows is not None:
            on_rows(len(batch))


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
    _, parquet = load_pyarrow()
    schema = view_schema(view)
    count = 0
    with ExitStack() as stack:
        writer = stack.enter_context(parquet.ParquetWriter(path, schema))
        for batch in batches:
            writer.write_table(table_of(batch, schema))
            count += len(batch)
    return count
