"""``catalog settings``: each setting with its value and where that came from."""

from __future__ import annotations

import json

import typer

from catalog.app.settings import load_settings
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.store.database_address import parse_address, safe_form


def show(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show every setting, its value and where the value came from."""
    del verbose  # accepted by every command; there is nothing more to say here
    settings = load_settings(config, flags={"database.url": database})
    items = [(key, _shown(key, value), origin) for key, value, origin in settings.items()]
    if as_json:
        typer.echo(json.dumps({key: {"value": value, "from": origin} for key, value, origin in items}))
        return
    width = max(len(key) for key, _, _ in items)
    for key, value, origin in items:
        typer.echo(f"{key:{width}}  {json.dumps(value)}  ({origin})")


def _shown(key: str, value: object) -> object:
    """What may be pasted into a report: no password."""
    return safe_form(parse_address(str(value))) if key == "database.url" and "://" in str(value) else value
