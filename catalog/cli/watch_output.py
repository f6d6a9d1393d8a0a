"""Hits on the watch list as commands tell them: in lines, as JSON, as crops."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.resources import Resources
from catalog.cli.crop_files import write_privately
from catalog.domain.errors import PhotoError, SourceError, UsageError
from catalog.domain.uri import display, display_name
from catalog.identities.matching.watch_hits import REVIEW, WatchHit
from catalog.images.crop import cut_out
from catalog.store.photos import locations_of_content

Crops = Annotated[Path | None, typer.Option("--crops", metavar="DIR", help="Write a crop of each hit there.")]

HOW = f"{REVIEW} `catalog watch confirm HIT...` or `catalog watch dismiss HIT...` records the answer."


def hit_json(hit: WatchHit) -> dict[str, object]:
    """Everything about a hit, the watch's name included."""
    return {
        "hit": hit.number,
        "watch": hit.watch,
        "state": hit.state,
        "similarity": hit.similarity,
        "margin": hit.margin,
        "uri": hit.face.uri,
        "face": hit.face.face_id,
        "person": hit.face.person_id,
        "name": hit.face.name,
        "taken_at": hit.face.taken_at.isoformat() if hit.face.taken_at else None,
        "found_at": hit.found_at.isoformat(),
        "reviewed_by": hit.reviewed_by,
        "review": REVIEW,
    }


def hit_line(hit: WatchHit, *, named: bool) -> str:
    """One hit for a human to read; without ``named`` for what may end in a system's log."""
    margin = "" if hit.margin is None else f"  margin {hit.margin:.2f}"
    who = f"  {hit.watch:20}" if named else ""
    return f"{hit.number:6}  {hit.state:9}{who}  {hit.similarity:6.2f}{margin}  {display(hit.face.uri or '')}"


def write_crops(catalog: Resources, hits: Iterable[WatchHit], folder: Path) -> None:
    """Write a crop of each hit, for its owner only, as ``hit-NUMBER.jpg``; says which have none. Raises UsageError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        name = display_name(os.fsencode(folder))
        raise UsageError(f'The folder "{name}" cannot be made: {error.strerror}.') from error
    for hit in hits:
        with catalog.database.read() as connection:
            places = [
                place for place in locations_of_content(connection, hit.face.sha256) if place.missing_since is None
            ]
        for place in places:
            try:
                photo = catalog.open_photo(catalog.read_location(place).data)
            except (PhotoError, SourceError) as error:
                typer.echo(f"no crop of hit {hit.number}: {error}", err=True)
                continue
            write_privately(folder / f"hit-{hit.number}.jpg", cut_out(photo, hit.face.box))
            break
