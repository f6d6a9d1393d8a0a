"""``catalog sources``: what was scanned, and the removal of a source that was scanned by mistake."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from catalog import UsageError
from catalog.cli.formatting import counted
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display

app = typer.Typer(help="List the scanned sources, or remove one.", invoke_without_command=True)


@app.callback()
def sources(
    context: typer.Context,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List the scanned sources with their photos, their size and their last complete scan; or remove one."""
    if context.invoked_subcommand is not None:
        return
    with open_catalog(config, database, verbose) as catalog:
        rows = catalog.sources()
    for row in rows:
        last = row.last_scan.strftime("%Y-%m-%d %H:%M UTC") if row.last_scan else "never complete"
        if as_json:
            scanned = utc_text(row.last_scan)
            fields = {"uri": row.uri, "photos": row.photos, "places": row.locations, "size": row.size}
            typer.echo(json.dumps({**fields, "last_scan": scanned}))
        else:
            typer.echo(f"{row.photos:>9,} photos {row.size / 1e6:>11,.1f} MB  {last}  {display(row.uri)}")
    if not rows and not as_json:
        typer.echo("No source was scanned yet.")


@app.command()
def remove(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Folder, file or s3:// prefix, as it was scanned.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be removed; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Remove a source that was scanned by mistake, with the photos found nowhere else and their faces.

    Names, decisions and charges stay. The files are not touched.
    """
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        plan = catalog.remove_source(source, dry_run=True)
        if not dry_run:
            text = f"{counted(plan.places, 'location')} and {counted(plan.photos, 'photo')}"
            if not (yes or _is_confirmed(f"Remove {text} from the catalogue?")):
                typer.echo("Nothing was changed.")
                return
            plan = catalog.remove_source(source)
    if as_json:
        fields = {"dry_run": dry_run, "places": plan.places, "photos": plan.photos, "faces": plan.faces}
        typer.echo(json.dumps(fields))
    elif dry_run:
        typer.echo(f"{plan.places:,} locations and {plan.photos:,} photos with their faces would be removed.")
    else:
        typer.echo(f"{plan.places:,} locations, {plan.photos:,} photos and {plan.faces:,} faces were removed.")


def _is_confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as error:
        raise UsageError("No confirmation received. Nothing was changed.", remedy="Use --yes in scripts.") from error
