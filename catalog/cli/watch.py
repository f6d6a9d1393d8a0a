"""``catalog watch``: persons of interest, looked for in every scan."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.resources import open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.cli.people_forget import counted, stamp
from catalog.cli.post_command import run_hook
from catalog.cli.watch_output import HOW, Crops, hit_json, hit_line, write_crops
from catalog.domain.errors import CheckRefused
from catalog.identities.matching import watch_list as watching
from catalog.identities.matching.watch_hits import REVIEW, State, WatchHit, read_hits, review_hit
from catalog.identities.matching.watch_list import THRESHOLD

app = typer.Typer(help="Watch for persons of interest in every scan; a human reviews each hit.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the list calls this person.")]
Numbers = Annotated[list[int], typer.Argument(metavar="HIT...", help="Numbers of hits, as `watch hits` shows them.")]


@app.command()
def add(
    name: Name,
    references: Annotated[list[Path], typer.Argument(metavar="REF...", help="Photos of the person.")],
    negatives: Annotated[
        list[Path] | None, typer.Option("--not", metavar="REF", help="A photo of somebody else who looks alike.")
    ] = None,
    threshold: Annotated[float, typer.Option(min=0, max=100, help="Lowest similarity of a hit, 0-100.")] = THRESHOLD,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Put somebody on the watch list."""
    with open_resources(config, database, verbose, {"engine.name": engine}, begins=True) as catalog:
        added = watching.add_watch(
            catalog.database,
            catalog.engine,
            name,
            [catalog.open_file(path) for path in references],
            [catalog.open_file(path) for path in negatives or []],
            stamp(),
            threshold=threshold,
            region=catalog.region,
        )
    typer.echo(f"Watching for {added.name} from similarity {added.threshold:g} on. {REVIEW}")
    if threshold < THRESHOLD:
        typer.echo(f"Amazon advises {THRESHOLD:g} or more where a match may cost somebody dearly.", err=True)


@app.command("list")
def list_(as_json: AsJson = False, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show who is on the watch list."""
    with open_resources(config, database, verbose) as catalog, catalog.existing_database() as existing:
        found = watching.list_watches(existing)
    if as_json:
        rows = [
            {
                "name": each.name,
                "threshold": each.threshold,
                "references": each.references,
                "negatives": each.negatives,
                "open_hits": each.open_hits,
                "created_at": each.created_at.isoformat(),
                "created_by": each.created_by,
            }
            for each in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in found:
        typer.echo(
            f"{each.name:24}  from {each.threshold:g}  {counted(each.references, 'reference')}, "
            f"{each.negatives} of others, {counted(each.open_hits, 'open hit')}"
        )
    if not found:
        typer.echo("Nobody is on the watch list.")


@app.command()
def remove(name: Name, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Take somebody off the watch list, with references and hits."""
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        watching.remove_watch(connection, name)
    typer.echo(f"{name} is off the watch list.")


@app.command()
def check(
    hook: Annotated[
        str | None, typer.Option("--hook", metavar="COMMAND", help="Run it for new hits, JSON on stdin.")
    ] = None,
    crops: Crops = None,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Look for everybody on the list now; new hits are printed, and end with exit code 9. Each scan does so too."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        found, _ = watching.check_watches(
            catalog.database,
            catalog.engine,
            catalog.open_photo,
            gallery=catalog.settings.engine.gallery,
            region=catalog.region,
            scan_id=None,
            now=datetime.now(UTC),
        )
        _print_hits(found, as_json)
        if found and hook:
            run_hook(hook, [hit_json(each) for each in found])
        if crops is not None:  # last: where they cannot be written, everybody was told all the same
            write_crops(catalog, found, crops)
    if found:
        raise CheckRefused(f"{counted(len(found), 'new hit')} on the watch list.", remedy=HOW)


@app.command()
def hits(
    state: Annotated[str | None, typer.Option("--state", help="open, confirmed or dismissed; default: all.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only this person's.")] = None,
    crops: Crops = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List hits, newest first. Exit code 9 while any of them is open."""
    wanted = _state(state)
    with open_resources(config, database, verbose) as catalog:
        found = read_hits(catalog.database, state=wanted, name=name)
        if crops is not None:
            write_crops(catalog, found, crops)
    _print_hits(found, as_json)
    waiting = sum(each.state == "open" for each in found)
    if waiting:
        raise CheckRefused(f"{counted(waiting, 'hit')} still open.", remedy=HOW)


@app.command()
def confirm(numbers: Numbers, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Say that hits are the person watched for."""
    _review(numbers, "confirmed", database, config, verbose)


@app.command()
def dismiss(numbers: Numbers, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Say that hits are somebody else."""
    _review(numbers, "dismissed", database, config, verbose)


def _review(numbers: list[int], state: State, database: Database, config: Config, verbose: int) -> None:
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        for number in numbers:
            review_hit(connection, number, state, stamp())
    typer.echo(f"{len(numbers)} {state}.")


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    for state in ("open", "confirmed", "dismissed"):
        if text == state:
            return state
    raise typer.BadParameter(f"{text!r} is not open, confirmed or dismissed", param_hint="--state")


def _print_hits(found: list[WatchHit], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([hit_json(each) for each in found], ensure_ascii=False, indent=2))
        return
    for each in found:
        typer.echo(hit_line(each, named=True))
    if not found:
        typer.echo("No hits.")
