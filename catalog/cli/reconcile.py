"""``catalog reconcile``: the gallery and the catalogue compared, and repaired both ways."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.cli.wiring import open_catalog
from catalog.scanning.reconcile import compare
from catalog.scanning.reconcile import reconcile as run_reconcile
from catalog.scanning.summary import Summary


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what differs; do nothing.")] = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Compare the gallery with the catalogue: remove faces that no photo has, enroll those again that it lost.

    Exit code 3 when a photo whose faces are lost could not be enrolled again.
    """
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        gallery = catalog.settings.engine.gallery
        if dry_run:
            found, done = compare(catalog.database, catalog.engine, gallery=gallery), None
        else:
            found, done = run_reconcile(
                catalog.database,
                catalog.engine,
                gallery=gallery,
                read=catalog.read_place,
                open_photo=catalog.open_photo,
                now=datetime.now(UTC),
            )
            if done.enrolled:
                catalog.settle(None, Summary())
    answer = {
        "gallery": found.in_gallery,
        "catalogue": found.in_catalogue,
        "orphans": len(found.orphans),
        "missing_photos": len(found.missing),
        "removed": done.removed if done else 0,
        "enrolled": done.enrolled if done else 0,
        "failed": len(done.failures) if done else 0,
    }
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        typer.echo(f"faces in the gallery    {found.in_gallery:>9,}")
        typer.echo(f"faces in the catalogue  {found.in_catalogue:>9,}")
        typer.echo(
            f"in the gallery only     {len(found.orphans):>9,}" + (f"   {done.removed:,} removed" if done else "")
        )
        typer.echo(
            f"photos with lost faces  {len(found.missing):>9,}"
            + (f"   {done.enrolled:,} enrolled again" if done else "")
        )
    for sha256, reason in done.failures if done else ():
        print(f"failed: {sha256}: {reason}", file=sys.stderr)  # noqa: T201
    return 3 if answer["failed"] else 0
