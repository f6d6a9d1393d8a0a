"""``catalog import``: names from other programs, entered as decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose

app = typer.Typer(help="Import names from XMP sidecars, JPEGs or a CSV file.", no_args_is_help=True)

Names = Annotated[Path, typer.Argument(metavar="FILE", help="CSV with name, and person_id or face_id.", dir_okay=False)]
Embedded = Annotated[
    bool, typer.Option("--embedded/--sidecars-only", help="Read regions inside JPEGs as well as sidecars.")
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        metavar="DIR",
        file_okay=False,
        help="Folder with the sidecars of photos in S3, as `export xmp --into` writes them.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count the names that would be entered; change nothing.")]


@app.command("xmp")
def xmp(
    embedded: Embedded = True,
    into: Into = None,
    dry_run: DryRun = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Read the named regions of XMP sidecars and JPEGs, and enter the names as decisions.

    A region names the face that it overlaps. A person without a name gets the name that all of its regions agree on. A
    region with another name moves its face to the person of that name.
    """
    with open_catalog(config, database, verbose) as catalog:
        result = catalog.import_xmp(embedded=embedded, into=into, dry_run=dry_run)
    for problem in result.problems:
        typer.echo(f"catalog: {problem}", err=True)
    if result.elsewhere:
        typer.echo(
            f"{result.elsewhere:,} photos are not files. Name the folder of their sidecars with --into.", err=True
        )
    typer.echo(f"{result.faces_named:,} faces named by regions, {result.unmatched:,} regions fit no face")
    if not dry_run:
        typer.echo(
            f"{result.people:,} persons named, {result.faces:,} faces confirmed, {result.already:,} confirmed before"
        )
    return 3 if result.problems else 0


@app.command("csv")
def csv(
    file: Names, dry_run: DryRun = False, database: Database = None, config: Config = None, verbose: Verbose = 0
) -> None:
    """Enter names from a CSV file as decisions: of persons by person_id, of faces by face_id."""
    with open_catalog(config, database, verbose) as catalog:
        result = catalog.import_csv(file, dry_run=dry_run)
    if dry_run:
        typer.echo(f"{result.people_named:,} persons and {result.faces_named:,} faces would be named")
    else:
        typer.echo(f"{result.people:,} persons named, {result.faces:,} faces confirmed")
