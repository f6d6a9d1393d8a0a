"""``catalog dates``: when photos were taken, and corrections."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, Verbose

if TYPE_CHECKING:
    from catalog import DateDecision

app = typer.Typer(help="Show when photos were taken, or correct it.", no_args_is_help=True)

Target = Annotated[
    str, typer.Argument(metavar="PHOTO|FOLDER", help="A path, an s3:// address, or how a content hash begins.")
]
_DATE = "A year, a month, a day or a time: 1948, 1948-06, 1948-06-12, 1948-06-12T15:30"


@app.command("show")
def show(
    target: Target,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show the date of a photo, or of each photo of a folder, with its source and how exact it is."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        photos = catalog.photo_dates(target)
    if as_json:
        answer = [
            {
                "photo_sha256": photo.sha256,
                "path": photo.path,
                "date": photo.date,
                "precision": photo.precision,
                "source": photo.source,
            }
            for photo in photos
        ]
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for photo in photos:
        source = f"{photo.precision or 'unknown'}, {photo.source or 'no source'}"
        typer.echo(f"{photo.date or 'no date':25}  {source:22}  {photo.path}")


@app.command("set")
def set_date(
    target: Target,
    date: Annotated[str, typer.Argument(metavar="DATE", help=f"{_DATE}; or unknown.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record when a photo, or each photo of a folder, was taken. Later scans keep the date."""
    with open_catalog(config, database, verbose) as catalog:
        decision = catalog.decisions.set_date(target, date)
    _print(decision)


@app.command("shift", context_settings={"ignore_unknown_options": True})
def shift_dates(
    target: Target,
    shift: Annotated[
        str, typer.Argument(metavar="SHIFT", help="What to add, as weeks, days, hours, minutes, seconds: +1d2h, -30m.")
    ],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Correct a wrong camera clock: add a time to the dates of a photo or folder."""
    with open_catalog(config, database, verbose) as catalog:
        decision = catalog.decisions.shift_dates(target, shift)
    _print(decision)


@app.command("stack")
def stack(
    target: Target,
    first: Annotated[str, typer.Argument(metavar="FIRST", help=f"{_DATE}.")],
    last: Annotated[str, typer.Argument(metavar="LAST", help="The date of the last photo, as FIRST.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Date a stack of scanned photos, in the order of their names, evenly between two dates."""
    with open_catalog(config, database, verbose) as catalog:
        decision = catalog.decisions.stack_dates(target, first, last)
    _print(decision)


@app.command("refresh")
def refresh(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="Folder or prefix, as scanned; default: all."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count the dates; change nothing.")] = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Read the dates of unchanged files again, after a release that reads more of them. Your corrections stay.

    The files are read; nothing is sent to the engine and nothing is charged.
    """
    with open_catalog(config, database, verbose) as catalog:
        result = catalog.refresh_dates(sources or (), dry_run=dry_run)
    for problem in result.problems:
        typer.echo(f"catalog: {problem}", err=True)
    verb = "would change" if dry_run else "changed"
    typer.echo(
        f"{counted(result.read, 'photo')} read: {result.changed:,} dates {verb}, {result.kept:,} corrections kept"
    )
    return 3 if result.problems else 0


def _print(decision: DateDecision) -> None:
    left = f" Unchanged, without a time of day: {counted(decision.left, 'photo')}." if decision.left else ""
    typer.echo(
        f"{counted(decision.photos, 'photo')} dated.{left} (decision {decision.number}; "
        f"`catalog undo {decision.number}` reverts it)"
    )
