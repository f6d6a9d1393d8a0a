"""``catalog prune``: remove photos that have been missing for long."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated

import typer

from catalog.cli.duration import seconds
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose

Grace = Annotated[
    float,
    typer.Option("--grace", parser=seconds, metavar="TIME", help="Keep photos that have been missing for less time."),
]


def prune(
    grace: Grace = "30d",  # type: ignore[assignment]
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be removed; change nothing.")] = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Remove photos that have been missing for longer than the grace period, with their faces.

    Decisions and charges stay. A photo that returns is scanned as a new one.
    """
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        result = catalog.prune(older_than=timedelta(seconds=float(grace)), dry_run=dry_run)
    if as_json:
        answer = {"dry_run": dry_run, "places": result.places, "photos": result.photos, "faces": result.faces}
        typer.echo(json.dumps(answer))
    elif dry_run:
        typer.echo(f"{result.places:,} locations and {result.photos:,} photos with their faces would be removed.")
    else:
        typer.echo(f"{result.places:,} locations, {result.photos:,} photos and {result.faces:,} faces were removed.")
