"""``catalog database``: the database's schema."""

from __future__ import annotations

import typer

from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose

app = typer.Typer(help="Show or upgrade the database's schema.", no_args_is_help=True)


@app.command()
def upgrade(database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Upgrade the database to the schema of this program. An SQLite file is copied first."""
    with open_catalog(config, database, verbose) as catalog:
        name, change = catalog.upgrade_database()
    if change.before == change.after:
        typer.echo(f'The database "{name}" has the current schema, {change.after}.')
    else:
        typer.echo(f'The database "{name}" was upgraded from schema {change.before or "none"} to {change.after}.')
    if change.backup:
        typer.echo(f"A copy of the old database is in {change.backup}.")
