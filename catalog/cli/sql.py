"""``catalog sql``: a query of the user's own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from catalog.cli.duration import seconds
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, NoProgress, Verbose
from catalog.cli.report import ROWS, FormatName, Limit, Output, deliver
from catalog.cli.slow_progress import slow_progress
from catalog.reports.render import Format

Statement = Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT statement; - reads it from stdin.")]


def sql(
    statement: Statement,
    form: FormatName = Format.TABLE,
    output: Output = None,
    limit: Limit = ROWS,
    max_time: Annotated[str, typer.Option("--max-time", metavar="TIME", help="Cancel after: 90s, 10m.")] = "5m",
    allow_superuser: Annotated[
        bool, typer.Option("--allow-superuser", help="Also connect as a superuser of PostgreSQL.")
    ] = False,
    quiet: NoProgress = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Run a read-only SQL query. docs/schema.md describes the views, whose names begin with v1_."""
    text = sys.stdin.read() if statement == "-" else statement
    with (
        open_catalog(config, database, verbose, read_only=True) as catalog,
        slow_progress("sql", quiet=quiet) as progress,
        catalog.open_sql(
            text,
            limit=limit or None,
            seconds=seconds(max_time),
            allow_superuser=allow_superuser,
            on_rows=progress.add,
        ) as rows,
    ):
        deliver(rows, form, output, progress)
