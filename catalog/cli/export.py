"""``catalog export``: XMP sidecars, tables and albums for other programs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from catalog import UsageError
from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, NoProgress, Verbose
from catalog.cli.slow_progress import slow_progress
from catalog.domain.uri import display_name

app = typer.Typer(help="Write XMP sidecars, tables or albums for other programs.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that gets one file for each documented view.")]
People = Annotated[list[str], typer.Argument(metavar="PERSON...", help="Photos that show all of these persons.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count the sidecars that would be written; write nothing.")]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        metavar="DIR",
        file_okay=False,
        help="Folder for sidecars of photos in S3: DIR/bucket/key.xmp; those of files stay beside the photos.",
    ),
]
Keywords = Annotated[
    bool, typer.Option("--keywords", help="Write names as keywords, too: dc:subject, PersonInImage, digiKam's tags.")
]
CopyTo = Annotated[Path | None, typer.Option("--copy-to", metavar="DIR", help="Copy the photos into this folder.")]
LinkTo = Annotated[Path | None, typer.Option("--link-to", metavar="DIR", help="Link to the photos in this folder.")]

Partition = Annotated[
    Literal["month"] | None, typer.Option("--partition", help="Write folders, by month of the photo's local date.")
]
Only = Annotated[bool, typer.Option("--only", help="No other person is on the photo; hidden persons do not count.")]


@app.command("xmp")
def xmp(
    into: Into = None,
    keywords: Keywords = False,
    dry_run: DryRun = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write the names of persons into XMP sidecars (photo.jpg.xmp); photos are never changed.

    Regions follow the layouts of the Metadata Working Group and Microsoft. Unnamed and hidden persons are left out.
    What other programs wrote into a sidecar stays.
    """
    counts: Counter[str] = Counter()
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        for written in catalog.export_xmp(into=into, keywords=keywords, dry_run=dry_run):
            counts[written.outcome] += 1
            if written.reason:
                typer.echo(f"catalog: {written.reason}", err=True)
    verb = "would be written" if dry_run else "written"
    typer.echo(
        f"{counts['written']:,} sidecars {verb}, {counts['unchanged']:,} up to date, {counts['failed']:,} failed"
    )
    if counts["elsewhere"]:
        typer.echo(
            f"{counts['elsewhere']:,} photos are not files. Name a folder for their sidecars with --into.", err=True
        )
    return 3 if counts["failed"] else 0


@app.command("csv")
def csv(
    directory: Folder,
    quiet: NoProgress = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Write each documented view as CSV: people.csv, appearances.csv and so on."""
    _export_tables(directory, "csv", database, config, verbose, quiet)


@app.command("json")
def json(
    directory: Folder,
    quiet: NoProgress = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Write each documented view as JSON, a list of objects."""
    _export_tables(directory, "json", database, config, verbose, quiet)


@app.command("parquet")
def parquet(
    directory: Folder,
    partition: Partition = None,
    quiet: NoProgress = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Write each documented view as Parquet; needs the extra `parquet`.

    With --partition month each view is a folder, and those about photos have files by the month of the photo's local
    date: photos/year=2024/month=06/part-0.parquet. An earlier export in DIR is replaced when the new one is complete.
    """
    _export_tables(directory, "parquet", database, config, verbose, quiet, partition)


@app.command("album")
def album(
    people: People,
    only: Only = False,
    copy_to: CopyTo = None,
    link_to: LinkTo = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Copy, or link to, the photos that show all of these persons together."""
    if not (copy_to or link_to):
        raise UsageError("No folder is given for the photos.", remedy="Give --copy-to DIR or --link-to DIR.")
    problems: tuple[str, ...] = ()
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        for folder, is_link in ((copy_to, False), (link_to, True)):
            if folder is None:
                continue
            placed = catalog.export_album(people, folder, link=is_link, only=only)
            existing = f", {placed.already:,} were in it already" if placed.already else ""
            verb = "linked" if is_link else "copied"
            typer.echo(f"{placed.placed:,} photos {verb} to {display_name(str(folder))}{existing}")
            problems += placed.problems
    for problem in problems:
        typer.echo(f"catalog: {problem}", err=True)
    return 3 if problems else 0


def _export_tables(
    directory: Path,
    form: Literal["csv", "json", "parquet"],
    database: str | None,
    config: Path | None,
    verbose: int,
    quiet: bool,
    partition: Literal["month"] | None = None,
) -> None:
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        with slow_progress(f"export {form}", quiet=quiet) as progress:
            tables = catalog.export_tables(directory, form, partition=partition, on_rows=progress.add)
        for path, rows in tables:
            typer.echo(f"{display_name(str(path))}: {counted(rows, 'row')}")
