"""``catalog stacks``: files of one exposure, and the user's decisions about them."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.domain.uri import display

app = typer.Typer(help="List stacks of files of one exposure, part or join them.", no_args_is_help=True)


@app.command("list")
def list_stacks(
    as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0
) -> None:
    """List the stacks: the photo that counts first, then its other files and what says that they are one exposure."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        stacks = catalog.stacks()
    for number, stack in enumerate(stacks, 1):
        for photo in stack.photos:
            evidence = None if photo.evidence is None else photo.evidence.value
            if as_json:
                size = {"width": photo.width, "height": photo.height}
                fields = {"stack": number, "photo_sha256": photo.sha256, "counts": photo.counts, "evidence": evidence}
                typer.echo(json.dumps({**fields, **size, "uris": list(photo.uris)}))
                continue
            for uri in photo.uris:
                size_text = f"{photo.width} x {photo.height}"
                typer.echo(
                    f"{number:>5}  {evidence or 'counts':6}  {photo.sha256[:8]}  {size_text:>13}  {display(uri)}"
                )
    if not (stacks or as_json):
        typer.echo("There are no stacks.")


@app.command()
def part(
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="Path, uri, or the beginning of the content hash.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record that a photo is an exposure of its own: it never belongs to a stack. `catalog undo` reverts it."""
    with open_catalog(config, database, verbose) as catalog:
        number = catalog.decisions.part(photo)
        is_left_to_send = catalog.capabilities.is_paid
    typer.echo(f"Parted (decision {number}).")
    if is_left_to_send:
        typer.echo("If it was not sent to the paid engine before, the next scan sends it.")


@app.command()
def join(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Two or more: path, uri, or the beginning of the content hash."),
    ],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record that photos are files of one exposure: they form one stack, of which one counts.

    Later scans keep the stack. `catalog stacks part` takes a photo out again, `catalog undo` reverts the decision.
    """
    with open_catalog(config, database, verbose) as catalog:
        number = catalog.decisions.join(photos)
    typer.echo(f"Joined (decision {number}).")
