"""``catalog prune``: let go of photos that have been gone for long."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from catalog.app.resources import open_resources
from catalog.cli.duration import seconds
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.scanning.prune import plan_prune
from catalog.scanning.prune import prune as run_prune

Grace = Annotated[
    float,
    typer.Option("--grace", parser=seconds, metavar="TIME", help="Keep what was missed for less than this."),
]


def prune(
    grace: Grace = "30d",  # type: ignore[assignment]
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; do nothing.")] = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Remove photos that have been missing for longer than the grace period, with their faces.

    Decisions and charges stay. A photo that comes back later is scanned like a new one.
    """
    now = datetime.now(UTC)
    before = now - timedelta(seconds=float(grace))
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        if dry_run:
            with catalog.existing_database() as existing:
                gone = plan_prune(existing, before)
        else:
            gone = run_prune(
                catalog.database,
                lambda: catalog.engine,
                name=catalog.settings.engine.name,
                gallery=catalog.settings.engine.gallery,
                before=before,
                now=now,
            )
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "places": gone.places, "photos": gone.photos, "faces": gone.faces}))
    elif dry_run:
        typer.echo(f"{gone.places:,} places would go, and {gone.photos:,} photos with their faces.")
    else:
        typer.echo(f"{gone.places:,} places went, {gone.photos:,} photos and {gone.faces:,} faces with them.")
