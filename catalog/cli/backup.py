"""``catalog backup`` and ``catalog restore``: whole copies, and names and decisions alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from catalog.app.resources import open_resources
from catalog.cli.duration import seconds
from catalog.cli.options import Config, Database, Verbose
from catalog.domain.errors import UsageError
from catalog.identities.decisions.import_labels import restore_labels
from catalog.identities.decisions.replay import replay_decisions
from catalog.store.backup import back_up, backup_name, write_private
from catalog.store.backup import restore as restore_backup
from catalog.store.labels_file import parse_labels, read_labels
from catalog.store.source_locks import CATALOGUE, lock_sources

LabelsOnly = Annotated[
    bool, typer.Option("--labels-only", help="Names and decisions only: a small file that fits any engine.")
]
Wait = Annotated[
    float,
    typer.Option("--wait", parser=seconds, metavar="TIME", help="Wait so long for other runs of catalog to end."),
]


def backup(
    target: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The file to make; default: catalog-TIME in this folder.")
    ] = None,
    labels_only: LabelsOnly = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Copy the catalogue into a new file, while it is in use.

    A whole backup is an SQLite catalogue, also of a PostgreSQL database: either kind restores from it.
    """
    now = datetime.now(UTC)
    target = target or Path(backup_name(now) if not labels_only else Path(backup_name(now)).stem + "-labels.json")
    with open_resources(config, database, verbose) as catalog, catalog.existing_database() as source:
        if source.dialect == "sqlite" and source.path is None:
            raise UsageError("There is no catalogue to back up yet.", remedy="Make one: catalog scan FOLDER")
        if labels_only:
            with source.read() as connection:
                labels = read_labels(connection, now)
            size = write_private(target, json.dumps(labels, indent=1).encode())
            typer.echo(f"{len(labels['persons']):,} persons and {len(labels['decisions']):,} decisions in {target}")
            return
        size = back_up(source, target)
    typer.echo(f"{size:,} bytes in {target}")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A backup, or a file of labels.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a catalogue that holds photos.")] = False,
    wait: Wait = 0,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Put a backup back, or add a file of labels to the catalogue.

    A whole backup replaces what the catalogue holds; labels are added to it, and what is there already stays.
    """
    now = datetime.now(UTC)
    holds_labels = _is_labels(source)
    with open_resources(config, database, verbose, begins=True) as catalog:
        target = catalog.database
        with lock_sources(target, [CATALOGUE], wait_seconds=wait):
            if holds_labels:
                labels = parse_labels(source.read_text(encoding="utf-8"), str(source))
                settings = catalog.settings.engine
                with target.begin() as connection:
                    done = restore_labels(connection, labels, now)
                    changed = replay_decisions(connection, engine=settings.name, gallery=settings.gallery, now=now)
                typer.echo(
                    f"{done.persons:,} persons and {done.decisions:,} decisions were new; "
                    f"{done.faces + changed:,} faces were given their person."
                )
                return
            with target.read() as connection:
                holds = connection.exec_driver_sql("SELECT count(*) FROM photos").scalar() or 0
            if holds and not force:
                raise UsageError(
                    f'The catalogue "{target.url}" holds {holds:,} photos, which the backup would replace.',
                    remedy="Say --force if that is what you want; an SQLite catalogue is copied first.",
                )
            before = restore_backup(target, source)
    typer.echo(f"Restored from {source}." + (f" What was there before is in {before}." if before else ""))
    typer.echo("If the gallery is elsewhere, bring it in line with: catalog reconcile")


def _is_labels(source: Path) -> bool:
    try:
        with source.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise UsageError(f'The backup "{source}" cannot be read: {error.strerror}.') from error
