"""``catalog settings``: each setting with its value and where that came from."""

from __future__ import annotations

import json

import typer

from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.settings import load_settings


def show(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show every setting, its value and where the value came from."""
    del verbose  # accepted by every command; there is nothing more to say here
    settings = load_settings(config, flags={"database.url": database})
    if as_json:
        typer.echo(json.dumps({key: {"value": value, "from": origin} for key, value, origin in settings.items()}))
        return
    width = max(len(key) for key, _, _ in settings.items())
    for key, value, origin in settings.items():
        typer.echo(f"{key:{width}}  {json.dumps(value)}  ({origin})")
