"""``catalog status``: what the catalogue holds, and the last scans."""

from __future__ import annotations

import json
from dataclasses import replace

import typer

from catalog.app.resources import database_address, open_resources
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.domain.uri import display
from catalog.reports.status import ScanStatus, Status, read_status
from catalog.store.database_address import parse_address, safe_form


def status(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show what the catalogue holds, and what the last scans did."""
    with open_resources(config, database, verbose) as catalog, catalog.existing_database() as existing:
        found = read_status(existing)
        name = safe_form(parse_address(database_address(catalog.settings)))
    is_missing = name != found.database
    found = replace(found, database=name)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
        return
    if is_missing:
        typer.echo(f"catalogue  {name}, which is not there yet")
    for label, value in [] if is_missing else _lines(found):
        typer.echo(f"{label:10} {value}")
    for scan in found.scans:
        typer.echo(_scan_line(scan))
    if not found.scans:
        typer.echo("No scan yet: `catalog scan FOLDER` makes the first.")


def _lines(found: Status) -> list[tuple[str, str]]:
    lines = [
        ("catalogue", found.database),
        ("photos", f"{found.photos:,} in {found.places:,} places, {found.missing_places:,} places gone"),
        ("faces", f"{found.faces:,}, {found.unassigned_faces:,} of nobody, {found.rejected_faces:,} more rejected"),
        ("people", f"{found.people:,}, {found.named_people:,} with a name; {found.hidden_people:,} hidden"),
        ("decisions", f"{found.decisions:,}"),
        *[
            ("gallery", f"{each.gallery} ({each.engine}, {each.model}): {each.photos:,} photos")
            for each in found.galleries
        ],
    ]
    return [*lines, ("paid", f"${found.dollars:,.2f}")] if found.dollars else lines


def _scan_line(scan: ScanStatus) -> str:
    where = ", ".join(map(display, scan.sources))
    counts = f"{scan.discovered:,} photos, {scan.new:,} new, {scan.failed:,} failed"
    return (
        f"{'scan ' + str(scan.scan):10} {scan.started_at[:16].replace('T', ' ')} UTC  {scan.state}: {counts}  {where}"
    )
