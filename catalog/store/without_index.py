"""A column whose index SQLite does not use: for a condition that nearly all rows meet.

SQLite keeps no statistics unless it is asked to, and takes such a condition for a selective one. PostgreSQL keeps them.
An expression in place of the column would hide the statistics, and PostgreSQL would expect few rows.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _WithoutIndex(FunctionElement[Any]):
    """The column."""

    name = "without_index"
    inherit_cache = True


@compiles(_WithoutIndex)
def _plain(element: _WithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return ", ".join(compiler.process(clause, **options) for clause in element.clauses)


@compiles(_WithoutIndex, "sqlite")
def _with_plus(element: _WithoutIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{_plain(element, compiler, **options)}"


def without_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column in a condition for which SQLite is to use another index."""
    expression: ColumnElement[Any] = _WithoutIndex(column)
    expression.type = column.type
    return expression
