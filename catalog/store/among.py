"""The condition that a column has one of many values, which are one parameter of the statement.

With a parameter for each value SQLAlchemy spends 10 microseconds a value, and lists are cut into batches.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, ColumnElement, Dialect, Integer, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class _Values(TypeDecorator[Collection[Any]]):
    """Values as text of a JSON array for SQLite, as an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, *, are_numbers: bool) -> None:
        super().__init__()
        self.are_numbers = are_numbers

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(ARRAY(BigInteger() if self.are_numbers else Text()))

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return json.dumps(values) if dialect.name == "sqlite" else values


class _Among(FunctionElement[bool]):
    """A column and the parameter with the values."""

    name = "among"
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Any:  # noqa: ARG002
        """The condition as it is. SQLAlchemy would compare a function with 1, and then SQLite reads every row."""
        return self


@compiles(_Among, "sqlite")
def _among_in_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  a column and a parameter


@compiles(_Among, "postgresql")
def _among_in_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


def among(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Condition: the column, of numbers or of texts, has one of these values; false without any."""
    return _Among(column, bindparam(None, values, type_=_values_of(column), unique=True))


def among_parameter(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """As :func:`among`, for a statement that is kept: the values are its parameter ``name``."""
    return _Among(column, bindparam(name, type_=_values_of(column)))


def _values_of(column: ColumnElement[Any]) -> _Values:
    return _Values(are_numbers=isinstance(column.type, Integer))
