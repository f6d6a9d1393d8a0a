"""``catalog costs``: what was paid, by scan and in this month."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from catalog.app.engines import configured_engine
from catalog.app.resources import open_resources
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.store.charges import ChargeSum, charges_by_scan, charges_since

Scans = Annotated[int, typer.Option("--scans", min=1, help="How many of the last scans that paid are shown.")]


def costs(
    scans: Scans = 10,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show what was paid for calls of Amazon Rekognition: by scan, and in this month (UTC) until now.

    The amounts are the price list's (rekognition.prices); AWS's bill has the last word, and adds what keeping faces
    costs by the month.
    """
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        by_scan = charges_by_scan(connection, scans=scans)
        this_month = charges_since(connection, month)
    if as_json:
        typer.echo(json.dumps({"scans": [_json(each) for each in by_scan], "month": _month_json(month, this_month)}))
        return
    for scan_id in dict.fromkeys(each.scan_id for each in by_scan):
        part = [each for each in by_scan if each.scan_id == scan_id]
        typer.echo(f"scan {scan_id}, {min(each.since for each in part):%Y-%m-%d %H:%M} UTC")
        _print(part)
    typer.echo(f"month to date ({month:%Y-%m})")
    _print(this_month, with_command=True)
    for engine, region in sorted({(row.engine, row.region) for row in (*by_scan, *this_month)}):
        is_known = engine in catalog.settings.engine_options
        if is_known and (note := configured_engine(catalog.settings, engine).price_note(region)):
            typer.echo(note)


def _print(sums: list[ChargeSum], *, with_command: bool = False) -> None:
    for each in sums:
        name = f"{each.operation} ({each.command})" if with_command else each.operation
        typer.echo(f"  {name:38} {each.calls:>10,} calls  ${each.dollars:>12,.4f}")
    calls, dollars = sum(each.calls for each in sums), sum(each.microdollars for each in sums) / 1_000_000
    typer.echo(f"  {'total':38} {calls:>10,} calls  ${dollars:>12,.4f}")


def _json(each: ChargeSum) -> dict[str, Any]:
    return {
        "scan": each.scan_id,
        "command": each.command,
        "engine": each.engine,
        "region": each.region,
        "operation": each.operation,
        "calls": each.calls,
        "dollars": each.dollars,
        "since": each.since.isoformat(),
    }


def _month_json(month: datetime, sums: list[ChargeSum]) -> dict[str, Any]:
    return {
        "month": f"{month:%Y-%m}",
        "calls": sum(each.calls for each in sums),
        "dollars": sum(each.microdollars for each in sums) / 1_000_000,
        "charges": [_json(each) for each in sums],
    }
