"""``catalog costs``: charges of paid engines, by scan and in this month."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.cli.table_output import print_rows
from catalog.domain.timestamps import utc_text

if TYPE_CHECKING:
    from catalog import ChargeSum

LOST = "lost"
"""Command of calls without a recorded answer."""

Scans = Annotated[int, typer.Option("--scans", min=1, help="How many of the last scans with charges are shown.")]


def costs(
    scans: Scans = 10,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show the charges of Amazon Rekognition: by scan, and in this month (UTC) until now.

    Amounts follow the price list (rekognition.prices). The bill of AWS is authoritative. The monthly price of stored
    faces is shown for the faces that the catalogue knows.
    """
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        by_scan = catalog.charges_by_scan(scans)
        this_month = catalog.charges(month)
        regions = sorted({(total.engine, total.region) for total in (*by_scan, *this_month)})
        storage = catalog.stored_faces()
        notes = [catalog.price_note(engine, region) for engine, region in regions]
    if as_json:
        answer = {
            "scans": [_json(total) for total in by_scan],
            "month": _month_json(month, this_month),
            "storage": [
                {
                    "engine": stored.engine,
                    "gallery": stored.gallery,
                    "faces": stored.faces,
                    "dollars_a_month": float(stored.dollars_a_month),
                }
                for stored in storage
            ],
        }
        typer.echo(json.dumps(answer))
        return
    for scan_id in dict.fromkeys(total.scan_id for total in by_scan):
        totals = [total for total in by_scan if total.scan_id == scan_id]
        typer.echo(f"scan {scan_id}, {min(total.since for total in totals):%Y-%m-%d %H:%M} UTC")
        _print(totals)
    typer.echo(f"month to date ({month:%Y-%m})")
    _print(this_month, with_command=True)
    lost = sum(total.calls for total in this_month if total.command == LOST)
    if lost:
        typer.echo(f"{lost:,} calls whose answers were lost, or are still awaited, may be billed and are counted.")
    for stored in storage:
        typer.echo(f"storing {stored.faces:,} faces in {stored.gallery}: ${stored.dollars_a_month:,.5f} a month")
    for note in filter(None, notes):
        typer.echo(note)


def _print(totals: Sequence[ChargeSum], *, with_command: bool = False) -> None:
    rows = [
        (f"{total.operation} ({total.command})" if with_command else total.operation, total.calls, total.dollars)
        for total in totals
    ]
    calls, dollars = sum(total.calls for total in totals), sum(total.microdollars for total in totals) / 1_000_000
    print_rows(
        [
            (f"  {name:38}", f"{calls:>10,} calls", f"${dollars:>12,.4f}")
            for name, calls, dollars in (*rows, ("total", calls, dollars))
        ]
    )


def _json(total: ChargeSum) -> dict[str, Any]:
    return {
        "scan": total.scan_id,
        "command": total.command,
        "engine": total.engine,
        "region": total.region,
        "operation": total.operation,
        "calls": total.calls,
        "dollars": total.dollars,
        "since": utc_text(total.since),
    }


def _month_json(month: datetime, totals: Sequence[ChargeSum]) -> dict[str, Any]:
    return {
        "month": f"{month:%Y-%m}",
        "calls": sum(total.calls for total in totals),
        "dollars": sum(total.microdollars for total in totals) / 1_000_000,
        "charges": [_json(total) for total in totals],
    }
