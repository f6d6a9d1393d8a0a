"""``catalog database``: the schema."""

from __future__ import annotations

import typer

from catalog.app.resources import database_address, open_resources
from catalog.cli.options import Config, Database, Verbose
from catalog.store.database_address import parse_address, safe_form

app = typer.Typer(help="Look after the database's schema.", no_args_is_help=True)


@app.command()
def upgrade(database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Bring the database to the schema of this program; an SQLite file is copied first."""
    # Heavy: Alembic, which no other command needs for a catalogue that is up to date.
    from catalog.store import migrate

    with open_resources(config, database, verbose) as catalog:
        url = database_address(catalog.settings)
    done = migrate.upgrade(url)
    name = safe_form(parse_address(url))
    if done.before == done.after:
        typer.echo(f'The database "{name}" is at the current schema, {done.after}.')
    else:
        typer.echo(f'The database "{name}" went from schema {done.before or "none"} to {done.after}.')
    if done.backup:
        typer.echo(f"A copy of it as it was is in {done.backup}.")
