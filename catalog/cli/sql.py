"""``catalog sql``: one question of the user's own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from catalog.app.resources import open_resources
from catalog.cli.options import Config, Database, Verbose
from catalog.cli.report import ROWS, FormatName, Limit, Output, deliver
from catalog.reports.render import Format
from catalog.reports.sql_statement import run_statement

Statement = Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT statement; - reads it from stdin.")]


def sql(
    statement: Statement,
    form: FormatName = Format.TABLE,
    output: Output = None,
    limit: Limit = ROWS,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Ask the catalogue in SQL, reading only. docs/schema.md describes the views, whose names begin with v1_."""
    text = sys.stdin.read() if statement == "-" else statement
    with open_resources(config, database, verbose) as catalog, catalog.existing_database() as existing:
        answer = run_statement(existing, text, limit or None)
    deliver(answer, form, output)
