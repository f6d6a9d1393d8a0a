"""``catalog import``: names from other programs, entered as decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose
from catalog.domain.uri import display, display_name

if TYPE_CHECKING:
    from catalog import NameImportResult

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
FromS3 = Annotated[
    bool, typer.Option("--from-s3", help="Download the sidecars, Takeout and Picasa files beside photos in S3.")
]
Contacts = Annotated[
    Path | None, typer.Option("--contacts", metavar="FILE", dir_okay=False, help="Picasa's contacts.xml.")
]
AcceptDoubtful = Annotated[
    bool, typer.Option("--accept-doubtful", help="Enter doubtful names, too: those whose faces are far apart.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count the names that would be entered; change nothing.")]


@app.command("xmp")
def xmp(
    embedded: Embedded = True,
    into: Into = None,
    from_s3: FromS3 = False,
    contacts: Contacts = None,
    accept_doubtful: AcceptDoubtful = False,
    dry_run: DryRun = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Read names from XMP, .picasa.ini, Takeout's JSON and Apple Photos, and enter them as decisions.

    XMP is read from sidecars and photo files. Faces of Apple Photos are read for the photos inside its library.
    A region names the face that it overlaps. A person without a name gets the name that all of its regions agree on. A
    region with another name moves its face to the person of that name. A name without a detected face is kept as an
    appearance without a face. Doubtful names are listed and not entered. Placeholders such as "Unknown" name no person.
    """
    with open_catalog(config, database, verbose) as catalog:
        result = catalog.import_xmp(
            embedded=embedded,
            into=into,
            from_s3=from_s3,
            contacts=contacts,
            accept_doubtful=accept_doubtful,
            dry_run=dry_run,
        )
    for problem in result.problems:
        typer.echo(f"catalog: {problem}", err=True)
    if result.elsewhere:
        typer.echo(
            f"{result.elsewhere:,} photos are not files. Use --from-s3, or name the folder with --into.",
            err=True,
        )
    _list_names(result, verbose)
    typer.echo(
        f"{result.files:,} files read: {result.faces_named:,} faces named, {len(result.doubtful):,} names doubtful,"
        f" {result.appearances:,} names without a face kept, {result.unmatched:,} not kept,"
        f" {result.placeholders:,} placeholders"
    )
    if not dry_run:
        typer.echo(
            f"{counted(result.people, 'person')} named, {counted(result.faces, 'face')} confirmed, "
            f"{result.already:,} confirmed before"
        )
    return 3 if result.problems else 0


def _list_names(result: NameImportResult, verbose: int) -> None:
    for doubt in result.doubtful:
        photo = display(doubt.uri)
        typer.echo(f'Doubtful: "{display_name(doubt.name)}" for face {doubt.face_id} on "{photo}": {doubt.reason}.')
    if result.doubtful:
        typer.echo("Confirm a face with `catalog people confirm FACE PERSON`, or all with --accept-doubtful.")
    if verbose:
        for name in result.without_face:
            state = "kept without a face" if name.is_certain else "not kept, the photo was cropped or turned"
            typer.echo(f'"{display_name(name.name)}" on "{display(name.uri)}" by "{name.file}": {state}.')


@app.command("csv")
def csv(
    file: Names, dry_run: DryRun = False, database: Database = None, config: Config = None, verbose: Verbose = 0
) -> None:
    """Enter names from a CSV file as decisions: of persons by person_id, of faces by face_id."""
    with open_catalog(config, database, verbose) as catalog:
        result = catalog.import_csv(file, dry_run=dry_run)
    if dry_run:
        named = f"{counted(result.people_named, 'person')} and {counted(result.faces_named, 'face')}"
        typer.echo(f"{named} would be named")
    else:
        typer.echo(f"{counted(result.people, 'person')} named, {counted(result.faces, 'face')} confirmed")
