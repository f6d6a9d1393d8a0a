"""``catalog people forget``: the one command that cannot be undone."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from catalog.app.resources import open_resources
from catalog.cli.options import AsJson, Config, Database, EngineName, Verbose
from catalog.domain.errors import UsageError
from catalog.identities.decisions.forget import ForgetReceipt, forget_person
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.identities.matching.watch_list import list_watches
from catalog.store.people import find_person

Who = Annotated[str, typer.Argument(metavar="PERSON", help="A person's id or exact name.")]


def stamp() -> DecisionStamp:
    """Who is deciding on this command line, now."""
    return DecisionStamp(getpass.getuser(), datetime.now(UTC))


def counted(number: int, noun: str) -> str:
    """``1 face``, ``2 faces``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def forget(
    person: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Forget a person for ever: faces, matches and decisions go, also from the gallery. Cannot be undone."""
    with open_resources(config, database, verbose, {"engine.name": engine}) as catalog:
        with catalog.database.read() as connection:
            found = find_person(connection, person)
        if not (yes or _confirmed(f"Forget {found} for ever? This cannot be undone.")):
            typer.echo("Nothing was forgotten.")
            return
        gallery = catalog.settings.engine.gallery
        receipt = forget_person(catalog.database, catalog.engine, found, stamp(), gallery=gallery)
        watched = {each.name for each in list_watches(catalog.database)} if found.name else set()
    _print_receipt(receipt, as_json)
    if found.name in watched:
        typer.echo(f'The watch list still looks for "{found.name}": catalog watch remove "{found.name}"', err=True)


def _confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as error:
        raise UsageError("Nobody answered, and nothing was forgotten.", remedy="In scripts, --yes answers.") from error


def _print_receipt(receipt: ForgetReceipt, as_json: bool) -> None:
    if as_json:
        told = {name: getattr(receipt, name) for name in receipt.__slots__ if name != "backups"}
        typer.echo(json.dumps({**told, "backups": [str(path) for path in receipt.backups]}, indent=2))
        return
    typer.echo(
        f"Forgotten: {receipt.person_id}, {counted(receipt.faces, 'face')} on {counted(receipt.photos, 'photo')}, "
        f"{receipt.decisions} decisions."
    )
    verified = "its list holds none of them" if receipt.verified else "but its list STILL HOLDS some: scan again"
    typer.echo(f"The gallery let go of {receipt.removed}; {verified}.")
    if receipt.owed:
        typer.echo(f"{receipt.owed} faces are in other galleries; the next scan with their engine removes them.")
    for path in receipt.backups:
        typer.echo(f"A backup still holds the person: {path}")
