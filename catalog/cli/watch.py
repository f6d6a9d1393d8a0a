"""``catalog watch``: persons of interest, searched for in every scan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from catalog import CheckRefused
from catalog.app.hit_crops import HitCrops
from catalog.app.post_command import run_post_command
from catalog.app.watch_hit_json import REVIEW, hit_json
from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.cli.watch_output import HOW_TO_REVIEW, Crops, hit_line, write_crops
from catalog.domain.recommended_thresholds import WATCH_THRESHOLD
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog import WatchHit

app = typer.Typer(help="Watch for persons of interest in every scan. A user reviews each hit.", no_args_is_help=True)

State = Literal["open", "confirmed", "dismissed"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the entry on the watch list.")]
Numbers = Annotated[list[int], typer.Argument(metavar="HIT...", help="Numbers of hits, as `watch hits` shows them.")]

Lowest = Annotated[float, typer.Option("--threshold", min=0, max=100, help="Lowest similarity of a hit, 0-100.")]


@app.command()
def add(
    name: Name,
    references: Annotated[list[Path], typer.Argument(metavar="REF...", help="Photos of the person.")],
    negatives: Annotated[
        list[Path] | None,
        typer.Option("--not", metavar="REF", help="A photo of another person who looks similar; repeatable."),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0, max=100, help="Lowest similarity of a hit, 0-100.")
    ] = WATCH_THRESHOLD,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Put a person on the watch list."""
    with open_catalog(config, database, verbose, {"engine.name": engine}, create=True) as catalog:
        entry = catalog.watch_list.add(name, references, negatives=negatives or [], threshold=threshold)
    typer.echo(f"Watching for {display_name(entry.name)} from similarity {entry.threshold:g}. {REVIEW}")
    if threshold < WATCH_THRESHOLD:
        typer.echo(f"Amazon recommends at least {WATCH_THRESHOLD:g} for decisions about people.", err=True)


@app.command("list")
def list_(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show the entries of the watch list."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        entries = catalog.watch_list.list()
    if as_json:
        rows = [
            {
                "name": entry.name,
                "threshold": entry.threshold,
                "references": entry.references,
                "negatives": entry.negatives,
                "open_hits": entry.open_hits,
                "created_at": utc_text(entry.created_at),
                "created_by": entry.created_by,
            }
            for entry in entries
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for entry in entries:
        typer.echo(
            f"{display_name(entry.name):24}  from {entry.threshold:g}  {counted(entry.references, 'reference')}, "
            f"{counted(entry.negatives, 'negative')}, {counted(entry.open_hits, 'open hit')}"
        )
    if not entries:
        typer.echo("The watch list is empty.")


@app.command()
def remove(name: Name, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Remove an entry from the watch list, with its references and hits."""
    with open_catalog(config, database, verbose) as catalog:
        catalog.watch_list.remove(name)
    typer.echo(f"{display_name(name)} is no longer on the watch list.")


@app.command()
def check(
    hook: Annotated[
        str | None, typer.Option("--hook", metavar="COMMAND", help="Run this command for new hits, JSON on its stdin.")
    ] = None,
    crops: Crops = None,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Search for every entry now, as each scan does. New hits are printed and give exit code 9."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        hits = catalog.watch_list.check()
        written = HitCrops() if crops is None else write_crops(catalog, hits, crops)
    _print_hits(hits, as_json, written)
    if hits and hook:
        run_post_command(hook, [hit_json(hit, written.paths.get(hit.number)) for hit in hits])
    if written.error is not None:
        raise written.error
    if hits:
        raise CheckRefused(f"{counted(len(hits), 'new hit')} on the watch list.", remedy=HOW_TO_REVIEW)


@app.command()
def hits(
    state: Annotated[str | None, typer.Option("--state", help="open, confirmed or dismissed; default: all.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only hits of this entry.")] = None,
    crops: Crops = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List hits, newest first. Exit code 9 while any of them is open."""
    wanted = _state(state)
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.watch_list.hits(state=wanted, name=name)
        written = HitCrops() if crops is None else write_crops(catalog, shown, crops)
    _print_hits(shown, as_json, written)
    if written.error is not None:
        raise written.error
    open_count = sum(hit.state == "open" for hit in shown)
    if open_count:
        raise CheckRefused(f"{counted(open_count, 'hit')} still open.", remedy=HOW_TO_REVIEW)


@app.command()
def confirm(numbers: Numbers, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Record that hits show the person of the entry."""
    with open_catalog(config, database, verbose) as catalog:
        catalog.watch_list.confirm(*numbers)
    typer.echo(f"{len(numbers)} confirmed.")


@app.command()
def dismiss(numbers: Numbers, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Record that hits show another person."""
    with open_catalog(config, database, verbose) as catalog:
        catalog.watch_list.dismiss(*numbers)
    typer.echo(f"{len(numbers)} dismissed.")


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    for state in get_args(State):
        if text == state:
            return state  # type: ignore[no-any-return]  # get_args gives Any
    raise typer.BadParameter(f"{text!r} is not open, confirmed or dismissed", param_hint="--state")


def _print_hits(hits: Sequence[WatchHit], as_json: bool, crops: HitCrops) -> None:
    if as_json:
        rows = [hit_json(hit, crops.paths.get(hit.number)) for hit in hits]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for hit in hits:
        typer.echo(hit_line(hit, named=True))
    if not hits:
        typer.echo("No hits.")
