"""``catalog export``: what other programs read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.resources import Resources, open_resources
from catalog.cli.options import Config, Database, Verbose
from catalog.domain.errors import UsageError
from catalog.domain.uri import display_name
from catalog.exchange.albums import place_photos
from catalog.exchange.sidecars import write_sidecars
from catalog.exchange.view_export import export_tables
from catalog.store.database import Database as OpenedDatabase
from catalog.store.named_faces import photos_with_faces, uris_showing_all
from catalog.store.people import find_person

app = typer.Typer(help="Write what other programs read: XMP sidecars, tables, albums.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="One file for each documented view is written there.")]
People = Annotated[list[str], typer.Argument(metavar="PERSON...", help="Photos that show all of these people.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        metavar="DIR",
        file_okay=False,
        help="Where sidecars of photos in S3 go: DIR/bucket/key.xmp; those of files stay beside them.",
    ),
]
CopyTo = Annotated[Path | None, typer.Option("--copy-to", metavar="DIR", help="Copy the photos there.")]
LinkTo = Annotated[Path | None, typer.Option("--link-to", metavar="DIR", help="Link to the photos there.")]


@app.command("xmp")
def xmp(
    into: Into = None,
    dry_run: DryRun = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write the names of people into XMP sidecars (photo.jpg.xmp); photos are never touched.

    Regions follow the Metadata Working Group's and Microsoft's layout. Unnamed and hidden people are left out, and
    what other programs wrote in a sidecar stays.
    """
    counts: Counter[str] = Counter()
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        for written in write_sidecars(photos_with_faces(connection), into=into, dry_run=dry_run):
            counts[written.outcome] += 1
            if written.reason:
                typer.echo(f"catalog: {written.reason}", err=True)
    verb = "would be written" if dry_run else "written"
    typer.echo(
        f"{counts['written']:,} sidecars {verb}, {counts['unchanged']:,} up to date, {counts['failed']:,} failed"
    )
    if counts["elsewhere"]:
        typer.echo(
            f"{counts['elsewhere']:,} photos are no files: their sidecars need a folder, which --into names.", err=True
        )
    return 3 if counts["failed"] else 0


@app.command("csv")
def csv(directory: Folder, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Write each documented view as CSV: people.csv, appearances.csv and so on."""
    _export(directory, "csv", database, config, verbose)


@app.command("json")
def json(directory: Folder, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Write each documented view as JSON, a list of objects."""
    _export(directory, "json", database, config, verbose)


@app.command("parquet")
def parquet(directory: Folder, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Write each documented view as Parquet; needs the extra `parquet`."""
    _export(directory, "parquet", database, config, verbose)


@app.command("album")
def album(
    people: People,
    copy_to: CopyTo = None,
    link_to: LinkTo = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Copy, or link to, the photos that show all of these people together."""
    if not (copy_to or link_to):
        raise UsageError("It is not said where to.", remedy="Give --copy-to DIR or --link-to DIR.")
    problems: tuple[str, ...] = ()
    with open_resources(config, database, verbose) as catalog, catalog.existing_database() as existing:
        uris = _photos_of(existing, people)
        for folder, link in ((copy_to, False), (link_to, True)):
            if folder is not None:
                problems += _place(catalog, uris, folder, link=link)
    for problem in problems:
        typer.echo(f"catalog: {problem}", err=True)
    return 3 if problems else 0


def _place(catalog: Resources, uris: list[str], folder: Path, *, link: bool) -> tuple[str, ...]:
    def read(uri: str) -> bytes:
        return catalog.read_uri(uri)

    placed = place_photos(uris, folder, link=link, read=read)
    there = f", {placed.already:,} were there already" if placed.already else ""
    typer.echo(f"{placed.placed:,} photos {'linked' if link else 'copied'} to {display_name(str(folder))}{there}")
    return placed.problems


def _photos_of(existing: OpenedDatabase, people: list[str]) -> list[str]:
    with existing.read() as connection:
        persons = [find_person(connection, wanted) for wanted in people]
        return uris_showing_all(connection, [person.id for person in persons])


def _export(directory: Path, form: str, database: str | None, config: Path | None, verbose: int) -> None:
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        for path, rows in export_tables(connection, directory, form):
            typer.echo(f"{display_name(str(path))}: {rows:,} rows")
