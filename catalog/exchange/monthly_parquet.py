"""Parquet files by month of the photo's local date, in Hive's folders: ``year=2024/month=06/part-0.parquet``.

DuckDB, pyarrow, Spark and Athena read such folders as one table. Rows come in any order and are kept in memory until
they are many; then the month with the most rows is written. Memory does not grow with the catalogue.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.exchange.parquet_tables import load_pyarrow, table_of, view_schema
from catalog.exchange.sidecars import make_private_folder
from catalog.store.face_views import VIEWS
from catalog.store.public_views import View
from catalog.store.view_rows import BATCH_ROWS, MONTHLY_VIEWS, monthly_batches, view_batches

UNKNOWN = "__HIVE_DEFAULT_PARTITION__"
"""The name that Hive, Spark, Athena, DuckDB and pyarrow read as null."""
_MAX_BUFFERED_ROWS = 200_000
_GROUP_ROWS = 100_000
"""Rows of one row group, of which a reader may skip all others."""
_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")
_TEMPORARY = ".catalog-export-"
_FILE = re.compile(r"part-\d+\.parquet")
_FOLDER = re.compile(r"year=(\d{4}|__HIVE_DEFAULT_PARTITION__)|month=(\d{2}|__HIVE_DEFAULT_PARTITION__)")


def export_by_month(
    connection: Connection, directory: Path, on_rows: Callable[[int], None] | None
) -> list[tuple[Path, int]]:
    """Write each view into a folder of its own: ``photos``, ``faces`` and so on; those about photos by month.

    The folders get their names when all are complete, and replace those of an earlier export. Only the owner may read
    them. Calls ``on_rows`` with numbers of further rows. Returns each folder with its number of rows. Raises
    ``UsageError`` if a folder holds other files, and OSError.
    """
    load_pyarrow()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [view.name.removeprefix("v1_") for view in VIEWS]
    for name in names:
        _refuse_other_files(directory / name)
    counts = []
    with _temporary_folder(directory) as temporary:
        (temporary / "old").mkdir(mode=0o700)
        for view, name in zip(VIEWS, names, strict=True):
            counts.append((directory / name, _write_view(connection, view, temporary / name, on_rows)))
        for name in names:
            with suppress(FileNotFoundError):
                (directory / name).rename(temporary / "old" / name)
            (temporary / name).rename(directory / name)
    return counts


def _write_view(connection: Connection, view: View, folder: Path, on_rows: Callable[[int], None] | None) -> int:
    buffer = _Buffer(folder, view_schema(view))
    is_monthly = view.name in MONTHLY_VIEWS
    batches = monthly_batches(connection, view) if is_monthly else view_batches(connection, view)
    count = 0
    for batch in batches:
        if is_monthly:
            rows_by_part: dict[str, list[Sequence[Any]]] = defaultdict(list)
            for *row, month in batch:
                rows_by_part[_part_of(month)].append(row)
            for part, rows in rows_by_part.items():
                buffer.add(part, rows)
        else:
            buffer.add("", batch)
        count += len(batch)
        if on_rows is not None:
            on_rows(len(batch))
    if not count:
        buffer.add(_part_of(None) if is_monthly else "", [])
    buffer.finish()
    return count


def _part_of(month: str | None) -> str:
    """Return the path of a partition: the month, or the year if no more is known."""
    match = _MONTH.fullmatch(month or "")
    year, number = match.groups() if match else (None, None)
    return f"year={year or UNKNOWN}/month={number or UNKNOWN}"


class _Buffer:
    """Rows by partition, and the files of the rows that were too many."""

    def __init__(self, folder: Path, schema: Any) -> None:
        self._folder = folder
        self._schema = schema
        self._tables: dict[str, list[Any]] = defaultdict(list)
        self._counts: dict[str, int] = defaultdict(int)
        self._files: dict[str, list[Path]] = defaultdict(list)

    def add(self, part: str, rows: Sequence[Sequence[Any]]) -> None:
        self._tables[part].append(table_of(rows, self._schema))
        self._counts[part] += len(rows)
        if sum(self._counts.values()) > _MAX_BUFFERED_ROWS:
            self._write(max(self._counts, key=self._counts.__getitem__))

    def finish(self) -> None:
        """Write the remaining rows. Afterwards each partition is one file."""
        for part in list(self._tables):
            self._write(part)
        for files in self._files.values():
            if len(files) > 1:
                self._join(files)

    def _write(self, part: str) -> None:
        pyarrow, parquet = load_pyarrow()
        path = self._folder / part / f"part-{len(self._files[part])}.parquet"
        make_private_folder(path.parent)
        path.touch(mode=0o600)
        parquet.write_table(pyarrow.concat_tables(self._tables.pop(part)), path, row_group_size=_GROUP_ROWS)
        del self._counts[part]
        self._files[part].append(path)

    def _join(self, files: Sequence[Path]) -> None:
        """Join the files of one partition into the first of them, a row group at a time."""
        pyarrow, parquet = load_pyarrow()
        joined = files[0].with_name("joined.parquet")
        joined.touch(mode=0o600)
        with parquet.ParquetWriter(joined, self._schema) as writer:
            waiting, count = [], 0
            for file in files:
                for batch in parquet.ParquetFile(file).iter_batches(BATCH_ROWS):
                    waiting.append(pyarrow.Table.from_batches([batch], schema=self._schema))
                    count += len(batch)
                    if count >= _GROUP_ROWS:
                        writer.write_table(pyarrow.concat_tables(waiting))
                        waiting, count = [], 0
            if waiting:
                writer.write_table(pyarrow.concat_tables(waiting))
        for file in files:
            file.unlink()
        joined.rename(files[0])


def _refuse_other_files(folder: Path) -> None:
    """Raise ``UsageError`` unless the folder holds an earlier export and nothing else, because it will be replaced."""
    for parent, folders, files in os.walk(folder, onerror=_raise):
        other = [name for name in files if not _FILE.fullmatch(name)]
        other += [name for name in folders if not _FOLDER.fullmatch(name)]
        if other:
            name = display_name(os.fsencode(os.path.join(parent, other[0])))  # noqa: PTH118  os.walk gives text
            raise UsageError(f'"{name}" is not of an export, and the folder would be replaced.', remedy="Name another.")


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def _temporary_folder(directory: Path) -> Iterator[Path]:
    """Create a private folder, deleted at the end. Deletes those of killed processes first."""
    for leftover in directory.glob(f"{_TEMPORARY}*"):
        descriptor = os.open(leftover, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover)
        except BlockingIOError:
            pass  # another process exports into the folder now
        finally:
            os.close(descriptor)
    folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=directory))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
