"""Watch hits as lines and as crops."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import PhotoError, SourceError, UsageError
from catalog.app.watch_hit_json import REVIEW
from catalog.cli.crop_files import write_privately
from catalog.domain.uri import display, display_name

if TYPE_CHECKING:
    from catalog import Catalog, WatchHit

Crops = Annotated[
    Path | None, typer.Option("--crops", metavar="DIR", help="Write a crop of each hit into this folder.")
]

HOW_TO_REVIEW = f"{REVIEW} Record the answer with `catalog watch confirm HIT...` or `catalog watch dismiss HIT...`."


def hit_line(hit: WatchHit, *, named: bool) -> str:
    """One hit as a line. Without ``named`` it holds no name, for output that is kept in logs."""
    margin = "" if hit.margin is None else f"  margin {hit.margin:.2f}"
    name = f"  {display_name(hit.watch):20}" if named else ""
    return f"{hit.number:6}  {hit.state:9}{name}  {hit.similarity:6.2f}{margin}  {display(hit.face.uri or '')}"


def write_crops(catalog: Catalog, hits: Iterable[WatchHit], folder: Path) -> None:
    """Write a crop of each hit as ``hit-NUMBER.jpg``, readable by its owner only. Raises UsageError.

    Prints the reason for each hit whose photo cannot be read.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        name = display_name(os.fsencode(folder))
        raise UsageError(f'The folder "{name}" cannot be created: {error.strerror}.') from error
    for hit in hits:
        try:
            crop = catalog.crop(hit.face)
        except (PhotoError, SourceError) as error:
            typer.echo(f"no crop of hit {hit.number}: {error}", err=True)
            continue
        write_privately(folder / f"hit-{hit.number}.jpg", crop)
