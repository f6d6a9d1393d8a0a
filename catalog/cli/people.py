"""``catalog people``: who is in the catalogue, and what humans say about them."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from catalog.app.after_scan import assign_released_faces
from catalog.app.resources import Resources, open_resources
from catalog.cli import people_forget, people_review
from catalog.cli.options import AsJson, Config, Database, Verbose
from catalog.cli.people_forget import Who, counted, stamp
from catalog.domain.errors import UsageError
from catalog.domain.uri import display
from catalog.identities.decisions import verbs
from catalog.reports.render import Format, render
from catalog.reports.run_report import ReportTable
from catalog.store.catalogued_faces import CataloguedFace, faces_of_person, find_face
from catalog.store.people import find_person, list_people, namesakes

app = typer.Typer(
    help="List, name, merge and split people, and take decisions about their faces.", no_args_is_help=True
)

FaceId = Annotated[str, typer.Argument(metavar="FACE", help="A face's id, or how it begins; `people show` lists them.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV on stdout.")]


@app.command("list")
def list_(
    hidden: Annotated[bool, typer.Option("--hidden", help="Hidden people too.")] = False,
    named: Annotated[
        bool | None, typer.Option("--named/--unnamed", help="Only those with, or without, a name.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """List everyone, those on most photos first."""
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        found = list_people(connection, hidden=hidden, named=named)
    rows = tuple((each.person_id, each.name, each.photos, each.faces, each.hidden) for each in found)
    answer = ReportTable(("person", "name", "photos", "faces", "hidden"), rows)
    if not rows and not (as_json or as_csv):
        typer.echo("Nobody yet: `catalog scan FOLDER` finds people.")
        return
    typer.echo(render(answer, Format.JSON if as_json else Format.CSV if as_csv else Format.TABLE), nl=False)


@app.command()
def show(
    person: Who,
    as_json: AsJson = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Show a person's faces, oldest photo first."""
    with (
        open_resources(config, database, verbose) as catalog,
        catalog.existing_database() as existing,
        existing.read() as connection,
    ):
        found = find_person(connection, person)
        shown = faces_of_person(connection, found)
    if as_json:
        about = {
            "person": found.person_id,
            "name": found.name,
            "hidden": found.hidden,
            "birth_date": found.birth_date,
            "faces": [face_json(face) for face in shown],
        }
        typer.echo(json.dumps(about, ensure_ascii=False, indent=2))
        return
    photos = len({face.sha256 for face in shown})
    born_on = f", born {found.birth_date}" if found.birth_date else ""
    hidden = ", hidden" if found.hidden else ""
    typer.echo(f"{found}: {counted(len(shown), 'face')} on {counted(photos, 'photo')}{born_on}{hidden}")
    for face in shown:
        taken = face.taken_at.date().isoformat() if face.taken_at else "no date"
        by = "said by a human" if face.by == "human" else _alike(face)
        typer.echo(f"  {face.face_id[:8]}  {taken:10}  {by:16} {display(face.uri or '')}")


@app.command()
def name(
    person: Who,
    new_name: Annotated[str, typer.Argument(metavar="NAME", help="The name; empty takes it away.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Name a person, or rename it."""
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        found = find_person(connection, person)
        if verbs.clean_name(new_name) is None and (found.name is None or new_name.strip()):
            raise UsageError(f"{found} has no name that could be taken away, and that is none that could be read.")
        number = verbs.name_person(connection, found, new_name, stamp())
        called = find_person(connection, found.person_id).name
        alike = namesakes(connection, called) if called else []
    _done(number, f"{found.person_id} is " + (f'"{called}" now' if called else "without a name now"))
    others = [each for each in alike if each != found.person_id]
    if others:
        more = "Another person has" if len(others) == 1 else f"{len(others)} other people have"
        typer.echo(f"{more} this name. If they are one person, say so:", err=True)
        typer.echo(f"  catalog people merge {' '.join([*others, found.person_id])}", err=True)


@app.command()
def merge(
    kept: Annotated[str, typer.Argument(metavar="PERSON", help="Stays, with its id.")],
    others: Annotated[list[str], typer.Argument(metavar="PERSON...", help="Become the first; their ids lead to it.")],
    same_photo: Annotated[bool, typer.Option("--same-photo", help="Even if both are on one photo.")] = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Say that several persons are one: the first stays."""
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        told = []
        for other in others:
            one, two = find_person(connection, kept), find_person(connection, other)
            number = verbs.merge_persons(connection, one, two, stamp(), same_photo=same_photo)
            told.append((number, f"{two} is {one} now"))
    for number, sentence in told:
        _done(number, sentence)


@app.command()
def split(
    person: Who,
    face: Annotated[list[str], typer.Argument(metavar="FACE...", help="Faces of somebody else.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Say that some faces of a person are somebody else, who gets an id of their own."""
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        found = find_person(connection, person)
        parted = [the_face(catalog, connection, each) for each in face]
        number, other = verbs.split_person(connection, found, parted, stamp())
    _done(
        number, f"{counted(len(parted), 'face')} of {found} {'is' if len(parted) == 1 else 'are'} {other.person_id} now"
    )


@app.command()
def confirm(
    face: FaceId,
    person: Who,
    same_photo: Annotated[bool, typer.Option("--same-photo", help="Even if another face of the photo is.")] = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Say that a face is this person; no machine will move it again."""
    with open_resources(config, database, verbose) as catalog:
        with catalog.database.begin() as connection:
            found, shown = find_person(connection, person), the_face(catalog, connection, face)
            number = verbs.confirm_face(connection, shown, found, stamp(), same_photo=same_photo)
        assign_released_faces(catalog, number)
    _done(number, f"Face {shown.face_id[:8]} is {found}")


@app.command()
def reject(
    face: FaceId,
    person: Annotated[str | None, typer.Argument(metavar="[PERSON]", help="Default: whom it is taken for.")] = None,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Say that a face is not this person; it is looked at anew, and never given to that person again."""
    with open_resources(config, database, verbose) as catalog:
        with catalog.database.begin() as connection:
            shown = the_face(catalog, connection, face)
            wanted = person or shown.person_id
            if wanted is None:
                raise UsageError(f"Face {shown.face_id[:8]} is nobody's.", remedy="Name the person that it is not.")
            found = find_person(connection, wanted)
            number = verbs.reject_face(connection, shown, found, stamp())
        assign_released_faces(catalog, number)
        with catalog.database.read() as connection:
            holder = the_face(catalog, connection, shown.face_id).person_id
            now = "nobody's until the next scan" if holder is None else f"{find_person(connection, holder)} for now"
    _done(number, f"Face {shown.face_id[:8]} is not {found}. It is {now}")


@app.command("not-a-face")
def not_a_face(face: FaceId, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Say that there is no face: it is left out of everything."""
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        shown = the_face(catalog, connection, face)
        number = verbs.mark_not_a_face(connection, shown, stamp())
    _done(number, f"{shown.face_id[:8]} is no face")


@app.command()
def hide(person: Who, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Leave a person out of lists and reports."""
    _set_hidden(person, True, database, config, verbose)


@app.command()
def unhide(person: Who, database: Database = None, config: Config = None, verbose: Verbose = 0) -> None:
    """Bring a hidden person back."""
    _set_hidden(person, False, database, config, verbose)


@app.command()
def born(
    person: Who,
    day: Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help="Day of birth; empty takes it away.")],
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> None:
    """Say when a person was born: nobody is taken for them on photos from before."""
    try:
        birth_date = date.fromisoformat(day) if day.strip() else None
    except ValueError as error:
        raise UsageError(f'"{day}" is not a day.', remedy="Write it as 1984-02-29.") from error
    if birth_date is not None and birth_date > datetime.now().astimezone().date():
        raise UsageError(f"The day {birth_date} has not come yet.")
    with open_resources(config, database, verbose) as catalog:
        with catalog.database.begin() as connection:
            found = find_person(connection, person)
            if found.birth_date == (birth_date.isoformat() if birth_date else None):
                raise UsageError(f"That is what is known of the birth of {found} already.")
            number = verbs.set_birth_date(connection, found, birth_date, stamp())
        assign_released_faces(catalog, number)
    _done(number, f"{found} was born on {day}" if birth_date else f"The birth of {found} is unknown")


def _set_hidden(person: str, hidden: bool, database: Database, config: Config, verbose: int) -> None:
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        found = find_person(connection, person)
        if found.hidden == hidden:
            raise UsageError(f"{found} is {'hidden' if hidden else 'shown'} already.")
        number = verbs.set_hidden(connection, found, hidden, stamp())
    _done(number, f"{found} is {'hidden' if hidden else 'shown'} now")


def the_face(catalog: Resources, connection: Connection, wanted: str) -> CataloguedFace:
    """The face of the gallery in use whose id is, or begins with, this."""
    engine = catalog.settings.engine
    return find_face(connection, wanted, engine=engine.name, gallery=engine.gallery)


def face_json(face: CataloguedFace) -> dict[str, object]:
    return {
        "face": face.face_id,
        "uri": face.uri,
        "taken_at": face.taken_at.isoformat() if face.taken_at else None,
        "box": {
            "left": face.box.left,
            "top": face.box.top,
            "width": face.box.width,
            "height": face.box.height,
        },
        "by": face.by,
        "similarity": face.similarity,
    }


def _alike(face: CataloguedFace) -> str:
    return "alone" if face.similarity is None else f"similarity {face.similarity:.1f}"


def _done(number: int, sentence: str) -> None:
    typer.echo(f"{sentence}. (decision {number}; `catalog undo {number}` takes it back)")


# The rest of the group: questions to humans and work on everybody at once.
app.command("forget")(people_forget.forget)
app.command("history")(people_review.history)
app.command("suggest")(people_review.suggest)
app.command("review")(people_review.review)
app.command("recluster")(people_review.recluster)
app.command("migrate")(people_review.migrate)
