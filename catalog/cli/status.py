"""``catalog status``: the contents of the catalogue, and the last scans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.cli.table_output import print_line
from catalog.domain.uri import display

if TYPE_CHECKING:
    from catalog import ScanStatus, Status


def status(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show the contents of the catalogue and its last scans."""
    with open_catalog(config, database, verbose, read_only=True, may_be_missing=True) as catalog:
        is_missing = not catalog.exists()
        shown = catalog.status()
    if as_json:
        typer.echo(json.dumps(shown.as_dict(), ensure_ascii=False, indent=2))
        return
    if is_missing:
        print_line(f"catalogue  {shown.database}, which does not exist yet")
    for label, value in [] if is_missing else _lines(shown):
        print_line(f"{label:10} {value}")
    for scan in shown.scans:
        print_line(_scan_line(scan))
    if not shown.scans:
        typer.echo("No scan yet. `catalog scan FOLDER` runs the first.")


def _lines(shown: Status) -> list[tuple[str, str]]:
    places, missing = (counted(number, "location") for number in (shown.places, shown.missing_places))
    lines = [
        ("catalogue", shown.database),
        ("photos", f"{shown.photos:,} at {places}, {missing} missing"),
        ("faces", f"{shown.faces:,}, {shown.unassigned_faces:,} unassigned, {shown.rejected_faces:,} more rejected"),
        ("people", f"{shown.people:,}, {shown.named_people:,} with a name; {shown.hidden_people:,} hidden"),
        ("decisions", f"{shown.decisions:,}"),
        *[
            ("gallery", f"{gallery.gallery} ({gallery.engine}, {gallery.model}): {counted(gallery.photos, 'photo')}")
            for gallery in shown.galleries
        ],
    ]
    if shown.employees:
        lines.append(("employees", f"{shown.employees:,} enrolled for verification"))
    if shown.pending_removals:
        faces = f"{shown.pending_removals:,} faces must still be deleted from galleries; the next scan does it"
        lines.append(("pending", faces))
    return [*lines, ("charges", f"${shown.dollars:,.4f}")] if shown.dollars else lines


def _scan_line(scan: ScanStatus) -> str:
    sources = ", ".join(map(display, scan.sources))
    counts = f"{counted(scan.discovered, 'photo')}, {scan.new:,} new, {scan.failed:,} failed"
    time = scan.started_at[:16].replace("T", " ")
    return f"{'scan ' + str(scan.scan):10} {time} UTC  {scan.state}: {counts}  {sources}"
