"""Watch hits as lines and as crops."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.app.hit_crops import HitCrops, write_hit_crops
from catalog.app.watch_hit_json import REVIEW
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


def write_crops(catalog: Catalog, hits: Iterable[WatchHit], folder: Path) -> HitCrops:
    """Write a crop of each hit into a folder, and print the reason for each hit without one."""
    crops = write_hit_crops(catalog.crop, hits, folder)
    print_missing_crops(crops)
    return crops


def print_missing_crops(crops: HitCrops) -> None:
    for number, reason in crops.reasons.items():
        typer.echo(f"no crop of hit {number}: {reason}", err=True)
