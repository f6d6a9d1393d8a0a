"""``catalog people import``: known people from a folder of named photos or a CSV file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose


def import_(
    people: Annotated[
        Path,
        typer.Argument(
            metavar="LIST",
            exists=True,
            help="A folder of photos named like `Ann Example.jpg` or `Ann Example/1.jpg`, or a CSV file with columns"
            " name, photos (separated by `;`), birth_date, and one for each kind of external id (qid, viaf, gnd ...).",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the list and print what would be imported and its cost.")
    ] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Import known people: persons with names, reference photos, birth dates and external ids.

    The reference photos become part of the catalogue, and faces like theirs are assigned to these persons now and by
    every later scan. Contradictions (two names for one face, an id that another person has) are reported and never
    merged. Importing the list again adds only what is new.
    """
    with open_catalog(config, database, verbose, {"engine.name": engine}, create=not dry_run) as catalog:
        result = catalog.import_people(people, dry_run=dry_run)
    if as_json:
        row = {
            "people": result.people,
            "new": result.new,
            "photos": result.photos,
            "faces": result.faces,
            "conflicts": result.conflicts,
            "problems": result.problems,
            "calls": result.calls,
            "dollars": float(result.dollars),
            "dry_run": dry_run,
        }
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    for sentence in [*result.conflicts, *result.problems]:
        typer.echo(sentence, err=True)
    cost = f" for ${result.dollars:.2f}" if result.calls else ""
    verb = "Would import" if dry_run else "Imported"
    faces = "" if dry_run else f", {counted(result.faces, 'face')} confirmed"
    typer.echo(
        f"{verb} {counted(result.people, 'person')} ({result.new:,} new) with "
        f"{counted(result.photos, 'photo')}{faces}{cost}."
    )
    if result.conflicts:
        typer.echo(f"{counted(len(result.conflicts), 'conflict')} reported.")
