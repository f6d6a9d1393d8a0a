"""``catalog reconcile``: the gallery and the catalogue compared, and repaired both ways."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from catalog.app.after_scan import run_after_scan_steps
from catalog.app.resources import open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.scanning.reconcile import compare
from catalog.scanning.reconcile import reconcile as run_reconcile
from catalog.scanning.summary import Summary

Strangers = Annotated[
    bool,
    typer.Option(
        "--strangers",
        help="Remove faces of photos that this catalogue does not know, too: no other catalogue uses the collection.",
    ),
]


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what differs; do nothing.")] = False,
    strangers: Strangers = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Compare the gallery with the catalogue: remove faces that no photo has, enroll those again that it lost.

    In a collection at Amazon, faces of photos that this catalogue does not know are counted and left alone: another
    catalogue may have enrolled them.

    Exit code 3 when a photo whose faces are lost could not be enrolled again.
    """
    with open_resources(config, database, verbose, {"engine.name": engine}, begins=True) as catalog:
        gallery = catalog.settings.engine.gallery
        shared = catalog.configured_engine.capabilities.shares_gallery and not strangers
        if dry_run:
            found, done = compare(catalog.database, catalog.engine, gallery=gallery, shared=shared), None
        else:
            found, done = run_reconcile(
                catalog.database,
                catalog.engine,
                gallery=gallery,
                shared=shared,
                region=catalog.region,
                read=catalog.read_location,
                open_photo=catalog.open_photo,
                now=datetime.now(UTC),
            )
            if done.enrolled:
                run_after_scan_steps(catalog, None, Summary())
    answer = {
        "gallery": found.in_gallery,
        "catalogue": found.in_catalogue,
        "orphans": len(found.orphans),
        "strangers": found.strangers,
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
        if found.strangers:
            typer.echo(
                f"of unknown photos       {found.strangers:>9,}   left alone: another catalogue may have enrolled them "
                "(--strangers removes them)"
            )
        typer.echo(
            f"photos with lost faces  {len(found.missing):>9,}"
            + (f"   {done.enrolled:,} enrolled again" if done else "")
        )
    for sha256, reason in done.failures if done else ():
        print(f"failed: {sha256}: {reason}", file=sys.stderr)  # noqa: T201
    return 3 if answer["failed"] else 0
