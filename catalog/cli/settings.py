"""``catalog settings``: each setting with its value and origin."""

from __future__ import annotations

import json

import typer

from catalog.app.settings import load_settings
from catalog.app.shown_settings import shown_settings
from catalog.cli.opening import print_setting_warnings
from catalog.cli.options import AsJson, Config, Database, Verbose


def show(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show each setting, its value and its origin."""
    del verbose  # every command accepts it
    settings = load_settings(config, flags={"database.url": database})
    print_setting_warnings(settings)
    items = shown_settings(settings)
    if as_json:
        typer.echo(json.dumps({key: {"value": value, "from": origin} for key, value, origin in items}))
        return
    width = max(len(key) for key, _, _ in items)
    for key, value, origin in items:
        typer.echo(f"{key:{width}}  {json.dumps(value)}  ({origin})")
