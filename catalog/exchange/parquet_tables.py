"""Parquet files of the documented views, by pyarrow, an optional dependency of 100 MB."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from catalog.domain.errors import UsageError
from catalog.store.public_views import View
from catalog.store.view_rows import ColumnType, column_type


def load_pyarrow() -> tuple[ModuleType, ModuleType]:
    """Return the modules ``pyarrow`` and ``pyarrow.parquet``. Raises ``UsageError`` if they are not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed.", remedy="Run: pip install 'face-catalog[parquet]'"
        ) from error
    return pyarrow, parquet


def view_schema(view: View) -> Any:
    """Return the schema of a view: types and descriptions of its columns."""
    pyarrow, _ = load_pyarrow()
    arrow_types = {
        ColumnType.INTEGER: pyarrow.int64(),
        ColumnType.NUMBER: pyarrow.float64(),
        ColumnType.BOOLEAN: pyarrow.bool_(),
        ColumnType.TEXT: pyarrow.string(),
    }
    return pyarrow.schema(
        [
            pyarrow.field(column.name, arrow_types[column_type(column.name)], metadata={"description": column.meaning})
            for column in view.columns
        ],
        metadata={"description": view.comment},
    )


def table_of(rows: Sequence[Sequence[Any]], schema: Any) -> Any:
    """Return rows as an Arrow table."""
    pyarrow, _ = load_pyarrow()
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pyarrow.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    return pyarrow.table(arrays, schema=schema)
