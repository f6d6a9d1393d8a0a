"""``catalog reconcile``: compare gallery and catalogue, and repair both."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import typer

from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose

RemoveUnknown = Annotated[
    bool,
    typer.Option(
        "--remove-unknown",
        help="Also remove faces of photos that this catalogue does not know. Use it only if no other catalogue uses "
        "the collection.",
    ),
]
MaxCalls = Annotated[
    int | None, typer.Option("--max-calls", min=0, help="Make at most this many paid calls; exit code 7.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, metavar="DOLLARS", help="Spend at most this much; exit code 7.")
]
Strangers = Annotated[bool, typer.Option("--strangers", hidden=True, help="Old name of --remove-unknown.")]


def reconcile(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences; change nothing.")] = False,
    remove_unknown: RemoveUnknown = False,
    strangers: Strangers = False,
    max_calls: MaxCalls = None,
    max_cost: MaxCost = None,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Compare the gallery with the catalogue: remove faces without a photo, enroll lost faces again.

    In a collection at Amazon, faces of photos that this catalogue does not know are counted and kept, because another
    catalogue may have enrolled them.

    Exit code 3 if a photo with lost faces could not be enrolled again.
    """
    with open_catalog(config, database, verbose, {"engine.name": engine}, create=True) as catalog:
        result = catalog.reconcile(
            dry_run=dry_run,
            remove_unknown=remove_unknown or strangers,
            max_calls=max_calls,
            max_dollars=None if max_cost is None else Decimal(str(max_cost)),
        )
    difference, repair = result.difference, result.repair
    failures = repair.failures if repair else ()
    if as_json:
        answer = {
            "gallery": difference.in_gallery,
            "catalogue": difference.in_catalogue,
            "orphans": len(difference.orphans),
            "strangers": difference.strangers,
            "missing_photos": len(difference.missing),
            "removed": repair.removed if repair else 0,
            "enrolled": repair.enrolled if repair else 0,
            "failed": len(failures),
            "calls": [
                {"operation": quote.operation.value, "calls": quote.calls, "dollars": float(quote.dollars)}
                for quote in result.quotes
            ],
        }
        typer.echo(json.dumps(answer))
    else:
        removed = f"   {repair.removed:,} removed" if repair else ""
        enrolled = f"   {repair.enrolled:,} enrolled again" if repair else ""
        typer.echo(f"faces in the gallery    {difference.in_gallery:>9,}")
        typer.echo(f"faces in the catalogue  {difference.in_catalogue:>9,}")
        typer.echo(f"in the gallery only     {len(difference.orphans):>9,}{removed}")
        if difference.strangers:
            typer.echo(
                f"of unknown photos       {difference.strangers:>9,}   kept, because another catalogue may have "
                "enrolled them (--remove-unknown removes them)"
            )
        typer.echo(f"photos with lost faces  {len(difference.missing):>9,}{enrolled}")
        for quote in result.quotes:
            typer.echo(
                f"the repair makes at most {quote.calls:,} calls of {quote.operation.value}: ${quote.dollars:,.4f}"
            )
    for sha256, reason in failures:
        typer.echo(f"failed: {sha256}: {reason}", err=True)
    return 3 if failures else 0
