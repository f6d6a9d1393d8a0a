"""``catalog backup`` and ``catalog restore``: whole copies, or names and decisions alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.duration import seconds
from catalog.cli.formatting import counted, path_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import Config, Database, Verbose

LabelsOnly = Annotated[
    bool, typer.Option("--labels-only", help="Names and decisions only: a small file that fits any engine.")
]
Wait = Annotated[
    float,
    typer.Option("--wait", parser=seconds, metavar="TIME", help="Wait this long for other runs of catalog to end."),
]


def backup(
    target: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The new file; default: catalog-TIME in this folder.")
    ] = None,
    labels_only: LabelsOnly = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Copy the catalogue into a new file while it is in use.

    A whole backup is an SQLite catalogue, also of a PostgreSQL database; SQLite and PostgreSQL restore from it.
    """
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        result = catalog.backup(target, labels_only=labels_only)
    if labels_only:
        contents = f"{counted(result.persons or 0, 'person')} and {counted(result.decisions or 0, 'decision')}"
        typer.echo(f"{contents} in {path_text(result.path)}")
    else:
        typer.echo(f"{result.size:,} bytes in {path_text(result.path)}")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, or a labels file.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a catalogue that holds photos.")] = False,
    wait: Wait = 0,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Restore a backup, or add a labels file to the catalogue.

    A whole backup replaces the contents of the catalogue. Labels are added to the catalogue, and its own contents stay.
    """
    with open_catalog(config, database, verbose, create=True) as catalog:
        result = catalog.restore(source, force=force, wait_seconds=wait)
        pending = 0 if result.is_labels else catalog.status().pending_removals
    if result.is_labels:
        typer.echo(
            f"New: {counted(result.persons, 'person')} and {counted(result.decisions, 'decision')}. "
            f"Assigned to their person: {counted(result.faces, 'face')}."
        )
        return
    replaced = f" The replaced catalogue is in {path_text(result.replaced)}." if result.replaced else ""
    typer.echo(f"Restored from {path_text(source)}.{replaced}")
    if pending:
        typer.echo(f"{counted(pending, 'forgotten face')} must still be deleted from galleries; the next scan does it.")
    typer.echo("If the gallery is elsewhere, repair it with: catalog reconcile")
