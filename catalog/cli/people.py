"""``catalog people``: list persons, and record decisions about persons and their faces."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from catalog import ReportTable, UsageError
from catalog.cli import people_forget, people_import, people_review
from catalog.cli.formatting import counted, face_json
from catalog.cli.opening import open_catalog
from catalog.cli.options import AsJson, Config, Database, FaceId, PersonId, Verbose
from catalog.cli.table_output import print_table
from catalog.domain.uri import display, display_name
from catalog.reports.render import Format

if TYPE_CHECKING:
    from catalog import CataloguedFace

app = typer.Typer(help="List, name, merge and split persons, and record decisions about faces.", no_args_is_help=True)

AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")]


@app.command("list")
def list_(
    hidden: Annotated[bool, typer.Option("--hidden", help="Include hidden persons.")] = False,
    named: Annotated[
        bool | None, typer.Option("--named/--unnamed", help="Only persons with, or without, a name.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List the persons, those on most photos first."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        people = catalog.people(hidden=hidden, named=named)
    rows = tuple(
        (person.person_id, person.name, person.photos, person.faces, person.hidden, person.person_id)
        for person in people
    )
    if not rows and not (as_json or as_csv):
        typer.echo("The catalogue holds no person yet: `catalog scan FOLDER` finds them.")
        return
    table = ReportTable(("person", "name", "photos", "faces", "hidden", "person_id"), rows)
    if not (as_json or as_csv):  # on a terminal one column with the id is enough
        table = ReportTable(table.columns[:-1], tuple(row[:-1] for row in rows))
    print_table(table, Format.JSON if as_json else Format.CSV if as_csv else Format.TABLE)


@app.command()
def show(
    person: PersonId,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show a person's faces, oldest photo first."""
    with open_catalog(config, database, verbose, read_only=True) as catalog:
        shown = catalog.person(person)
        faces = catalog.faces(shown.person_id)
    if as_json:
        answer = {
            "person": shown.person_id,
            "person_id": shown.person_id,
            "name": shown.name,
            "hidden": shown.hidden,
            "birth_date": shown.birth_date,
            "faces": [face_json(face) for face in faces],
        }
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    birth_date = f", born {shown.birth_date}" if shown.birth_date else ""
    hidden = ", hidden" if shown.hidden else ""
    typer.echo(f"{shown}: {counted(shown.faces, 'face')} on {counted(shown.photos, 'photo')}{birth_date}{hidden}")
    for face in faces:
        day = face.taken.day if face.taken else "no date"
        by = "decided by a user" if face.by == "human" else _similarity(face)
        typer.echo(f"  {face.face_id[:8]}  {day:10}  {by:17} {display(face.uri or '')}")


@app.command()
def name(
    person: PersonId,
    new_name: Annotated[str, typer.Argument(metavar="NAME", help="The name; an empty one removes the name.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Name a person, or rename it."""
    with open_catalog(config, database, verbose) as catalog:
        before = catalog.person(person)
        number = catalog.decisions.name(before.person_id, new_name)
        named = catalog.person(before.person_id)
        namesakes = [namesake for namesake in catalog.namesakes(named.name or "") if namesake != named.person_id]
    _print_done(
        number, f"{named.person_id} is " + (f'"{display_name(named.name)}" now' if named.name else "without a name now")
    )
    if namesakes:
        have = "Another person has" if len(namesakes) == 1 else f"{len(namesakes)} other persons have"
        typer.echo(f"{have} this name. If they are one person, merge them:", err=True)
        typer.echo(f"  catalog people merge {' '.join([*namesakes, named.person_id])}", err=True)


@app.command()
def merge(
    canonical: Annotated[str, typer.Argument(metavar="PERSON", help="This person keeps its id.")],
    others: Annotated[
        list[str], typer.Argument(metavar="PERSON...", help="These become the first person; their ids redirect to it.")
    ],
    same_photo: Annotated[
        bool, typer.Option("--same-photo", help="Merge even if both persons are on one photo.")
    ] = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record that several persons are one. The first keeps its id."""
    with open_catalog(config, database, verbose) as catalog:
        first, merged = catalog.person(canonical), [catalog.person(person_id) for person_id in others]
        numbers = catalog.decisions.merge_several(canonical, others, same_photo=same_photo)
    for number, person_id in zip(numbers, merged, strict=True):
        _print_done(number, f"{person_id} is {first} now")


@app.command()
def split(
    person: PersonId,
    face: Annotated[list[str], typer.Argument(metavar="FACE...", help="The faces of another person.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record that some faces of a person are another person, who gets a new id."""
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.person(person)
        number = catalog.decisions.split(person, face)
        new_id = catalog.decisions.get(number).other_person_id
    _print_done(number, f"{counted(len(face), 'face')} of {shown} {'is' if len(face) == 1 else 'are'} {new_id} now")


@app.command()
def confirm(
    face: FaceId,
    person: PersonId,
    same_photo: Annotated[
        bool, typer.Option("--same-photo", help="Confirm even if another face of the photo is this person.")
    ] = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record that a face is this person. No machine changes that."""
    with open_catalog(config, database, verbose) as catalog:
        confirmed, shown = catalog.person(person), catalog.face(face)
        number = catalog.decisions.confirm(face, person, same_photo=same_photo)
    _print_done(number, f"Face {shown.face_id[:8]} is {confirmed}")


@app.command()
def reject(
    face: FaceId,
    person: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="Default: the person that the face is assigned to.")
    ] = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record that a face is not this person. The face is assigned again and never to this person."""
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.face(face)
        wanted = person or shown.person_id
        rejected = catalog.person(wanted) if wanted is not None else None
        number = catalog.decisions.reject(face, person)
        assigned_to = catalog.face(shown.face_id).person_id
        state = f"assigned to {catalog.person(assigned_to)}" if assigned_to else "unassigned until the next scan"
    _print_done(number, f"Face {shown.face_id[:8]} is not {rejected}. It is {state}")


@app.command("not-a-face")
def not_a_face(face: FaceId, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Record that a detection is not a face. It is left out of all answers."""
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.face(face)
        number = catalog.decisions.not_a_face(face)
    _print_done(number, f"{shown.face_id[:8]} is not a face")


@app.command()
def hide(person: PersonId, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Leave a person out of lists and reports."""
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.person(person)
        number = catalog.decisions.hide(person)
    _print_done(number, f"{shown} is hidden now")


@app.command()
def unhide(person: PersonId, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Show a hidden person again."""
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.person(person)
        number = catalog.decisions.unhide(person)
    _print_done(number, f"{shown} is shown now")


@app.command("birth-date")
def birth_date(
    person: PersonId,
    day: Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help="Day of birth; an empty one removes it.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Record a person's day of birth. Faces on photos taken before are not assigned to this person."""
    try:
        birth_day = date.fromisoformat(day) if day.strip() else None
    except ValueError as error:
        raise UsageError(f'"{day}" is not a date.', remedy="Write it as 1984-02-29.") from error
    with open_catalog(config, database, verbose) as catalog:
        shown = catalog.person(person)
        number = catalog.decisions.birth_date(person, birth_day)
    _print_done(number, f"{shown} was born on {day}" if birth_day else f"The birth date of {shown} is unknown")


def _similarity(face: CataloguedFace) -> str:
    return "alone" if face.similarity is None else f"similarity {face.similarity:.1f}"


def _print_done(number: int, sentence: str) -> None:
    typer.echo(f"{sentence}. (decision {number}; `catalog undo {number}` reverts it)")


app.command("born", hidden=True)(birth_date)  # the old name of birth-date
app.command("forget")(people_forget.forget)
app.command("import")(people_import.import_)
app.command("history")(people_review.history)
app.command("suggest")(people_review.suggest)
app.command("review")(people_review.review)
app.command("recluster")(people_review.recluster)
app.command("migrate")(people_review.migrate)
