"""The catalogue for other programs: each documented view as a file, streamed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.store.face_views import VIEWS
from catalog.store.public_views import View

_BATCH = 20_000
_WHOLE = {
    *("photos", "faces", "measured", "scan_id", "calls", "places", "width", "height", "size", "taken_at_offset"),
    *("age_low", "age_high", "exit_code", "discovered", "new", "unchanged", "changed", "moved", "duplicate", "skipped"),
    *("failed", "rejected", "persons_new", "decision_id"),
}
_FRACTIONS = {
    *("similarity", "box_left", "box_top", "box_width", "box_height", "confidence", "roll", "yaw", "pitch"),
    *("brightness", "sharpness", "share", "gps_latitude", "gps_longitude", "gps_altitude", "dollars"),
}
_TRUTHS = {
    *("hidden", "undone", "smile", "eyeglasses", "sunglasses", "beard", "mustache", "eyes_open", "mouth_open"),
    "face_occluded",
}


def export_tables(connection: Connection, directory: Path, form: str) -> list[tuple[Path, int]]:
    """Write every view to ``people.csv``, ``appearances.csv`` and so on; ``form`` is csv, json or parquet.

    Files are for their owner only. Returns each file with its number of rows. Raises
    ``UsageError`` where the folder cannot be written, or pyarrow is missing.
    """
    write = {"csv": _write_csv, "json": _write_json, "parquet": _write_parquet}[form]
    written = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for view in VIEWS:
            path = directory / f"{view.name.removeprefix('v1_')}.{form}"
            part = path.with_name(f"{path.name}.part")
            part.touch(mode=0o600)
            written.append((path, write(part, view, _batches(connection, view))))
            part.replace(path)
    except OSError as error:
        name = display_name(os.fsencode(directory))
        raise UsageError(f'The folder "{name}" cannot be written: {error.strerror}.') from error
    return written


def _batches(connection: Connection, view: View) -> Iterator[list[list[Any]]]:
    select = f"SELECT {', '.join(column.name for column in view.columns)} FROM {view.name}"  # noqa: S608  our own names
    rows = iter(connection.execution_options(yield_per=_BATCH).exec_driver_sql(select))
    kinds = [column.name for column in view.columns]
    while batch := list(islice(rows, _BATCH)):
        yield [[_plain(value, name) for value, name in zip(row, kinds, strict=True)] for row in batch]


def _plain(value: Any, name: str) -> Any:
    """The same value from both databases: SQLite has no truth, PostgreSQL's sums are decimals."""
    if value is None:
        return None
    if name in _TRUTHS:
        return bool(value)
    if name in _WHOLE:
        return int(value)
    return float(value) if isinstance(value, Decimal) else value


def _write_csv(path: Path, view: View, batches: Iterable[Sequence[Sequence[Any]]]) -> int:
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


def _write_json(path: Path, view: View, batches: Iterable[Sequence[Sequence[Any]]]) -> int:
    """A list of objects, one a line."""
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


def _write_parquet(path: Path, view: View, batches: Iterable[Sequence[Sequence[Any]]]) -> int:
    # Heavy, and only there for those who asked for it.
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed.", remedy="Run: pip install 'face-catalog[parquet]'"
        ) from error
    types = {"whole": pyarrow.int64(), "part": pyarrow.float64(), "truth": pyarrow.bool_(), "text": pyarrow.string()}
    schema = pyarrow.schema(
        [
            pyarrow.field(column.name, types[_kind(column.name)], metadata={"description": column.meaning})
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


def _kind(name: str) -> str:
    if name in _TRUTHS:
        return "truth"
    if name in _WHOLE:
        return "whole"
    return "part" if name in _FRACTIONS or name.endswith("_confidence") else "text"
