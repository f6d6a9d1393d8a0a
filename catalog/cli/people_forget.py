"""``catalog people forget``: the one command that cannot be undone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import AmbiguousPersonError, PersonError, UsageError
from catalog.cli.formatting import counted, path_text
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, EngineName, PersonId, Verbose
from catalog.domain.uri import display_name

if TYPE_CHECKING:
    from catalog import Catalog, ForgetReceipt, Person


def forget(
    person: PersonId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
    engine: EngineName = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Remove a person for good, with faces, matches and decisions, also from the gallery. Cannot be undone."""
    with open_catalog(config, database, verbose, {"engine.name": engine}) as catalog:
        shown = _person_or_none(catalog, person)
        if shown is None:
            _print_finished(catalog.forget(person), as_json)
            return
        if not (yes or _is_confirmed(f"Forget {shown} for good? This cannot be undone.")):
            typer.echo("Nothing was changed.")
            return
        receipt = catalog.forget(shown.person_id)
        watched = {entry.name for entry in catalog.watch_list.list()} if shown.name else set()
    _print_receipt(receipt, as_json)
    if shown.name in watched:
        name = display_name(shown.name or "")
        typer.echo(f'The watch list still holds "{name}": catalog watch remove "{name}"', err=True)


def _person_or_none(catalog: Catalog, person: str) -> Person | None:
    """Return the person, or None if no person has the name or id, as after a `people forget` that was killed."""
    try:
        return catalog.person(person)
    except AmbiguousPersonError:
        raise
    except PersonError:
        return None


def _print_finished(receipt: ForgetReceipt, as_json: bool) -> None:
    if not as_json:
        typer.echo(f'No person has the id or name "{display_name(receipt.person_id)}" any more.')
        typer.echo(f"{counted(receipt.faces, 'face')} of an interrupted command were still in the gallery.")
    _print_receipt(receipt, as_json, is_finished=True)


def _is_confirmed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort as error:
        raise UsageError("No confirmation received. Nothing was changed.", remedy="Use --yes in scripts.") from error


def _print_receipt(receipt: ForgetReceipt, as_json: bool, *, is_finished: bool = False) -> None:
    if as_json:
        fields = {name: getattr(receipt, name) for name in receipt.__slots__ if name != "backups"}
        typer.echo(json.dumps({**fields, "backups": [str(path) for path in receipt.backups]}, indent=2))
        return
    if not is_finished:
        typer.echo(
            f"Forgotten: {receipt.person_id}, {counted(receipt.faces, 'face')} on {counted(receipt.photos, 'photo')}, "
            f"{receipt.decisions} decisions."
        )
    verified = "its list holds none of them" if receipt.verified else "but its list STILL HOLDS some: scan again"
    typer.echo(f"{counted(receipt.removed, 'face')} were removed from the gallery; {verified}.")
    if receipt.owed:
        typer.echo(f"{receipt.owed} faces are in other galleries. The next scan with their engine removes them.")
    for count, place in ((receipt.watch_references, "watch list"), (receipt.employee_references, "employees")):
        if count:
            typer.echo(f"{counted(count, 'reference')} of the {place} showed the person and is deleted.")
    if receipt.unchecked_references:
        unchecked = f"{counted(receipt.unchecked_references, 'reference')} of watch list and employees"
        typer.echo(f"{unchecked} were not compared, because the engine charges for it.")
    for path in receipt.backups:
        typer.echo(f"A backup still holds the person: {path_text(path)}")
    for file in receipt.files:
        typer.echo(f"A file still names a face of the person: {display_name(file)}")
    typer.echo(
        "Not reached: crops of hits, pages, albums, exports, backups that you made, and names without a face in files "
        "of other programs."
    )
