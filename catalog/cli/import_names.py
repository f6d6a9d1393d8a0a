"""``catalog import``: names from other programs, entered as decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from catalog.app.resources import open_resources
from catalog.cli.options import Config, Database, Verbose
from catalog.cli.people_forget import stamp
from catalog.domain.errors import AmbiguousPersonError, PersonError, UsageError
from catalog.domain.people import AssignedBy
from catalog.exchange.names_csv import NameRow, read_names
from catalog.exchange.region_names import read_region_names
from catalog.identities.decisions.verbs import (
    DecisionStamp,
    confirm_face,
    find_or_add_person,
    merge_persons,
    name_person,
)
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.named_faces import face_rows_of_id, photos_with_faces
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow

app = typer.Typer(help="Take over names from XMP sidecars, from JPEGs, or from a CSV.", no_args_is_help=True)

Names = Annotated[Path, typer.Argument(metavar="FILE", help="CSV with name, and person_id or face_id.", dir_okay=False)]
Embedded = Annotated[
    bool, typer.Option("--embedded/--sidecars-only", help="Read regions inside JPEGs as well as sidecars.")
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        metavar="DIR",
        file_okay=False,
        help="Where sidecars of photos in S3 lie, as `export xmp --into` does it.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be entered, and enter nothing.")]


@dataclass
class NameImportResult:
    """Decisions entered: people named or merged, faces confirmed; and faces that had their name already."""

    people: int = 0
    faces: int = 0
    already: int = 0


@app.command("xmp")
def xmp(
    embedded: Embedded = True,
    into: Into = None,
    dry_run: DryRun = False,
    database: Database = None,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Read the named regions of XMP sidecars and JPEGs, and enter the names as decisions.

    Regions are joined to faces by overlap. A person without a name gets the one that all of its regions agree on; a
    region that names a face otherwise moves that face.
    """
    wanted: dict[int, str] = {}
    unmatched = troubles = elsewhere = 0
    with open_resources(config, database, verbose) as catalog:
        with catalog.database.read() as connection:
            for photo in read_region_names(photos_with_faces(connection), into=into, embedded=embedded):
                wanted.update({each.face.row: each.name for each in photo.names})
                unmatched += photo.unmatched
                troubles += len(photo.problems)
                elsewhere += photo.elsewhere
                for problem in photo.problems:
                    typer.echo(f"catalog: {problem}", err=True)
        if dry_run:
            adopted = NameImportResult()
        else:
            with catalog.database.begin() as connection:
                adopted = import_names(connection, wanted, stamp())
    if elsewhere:
        typer.echo(f"{elsewhere:,} photos are no files: the folder of their sidecars is named with --into.", err=True)
    typer.echo(f"{len(wanted):,} faces named by regions, {unmatched:,} regions fit no face")
    if not dry_run:
        typer.echo(f"{adopted.people:,} people named, {adopted.faces:,} faces confirmed, {adopted.already:,} known")
    return 3 if troubles else 0


@app.command("csv")
def csv(
    file: Names, dry_run: DryRun = False, database: Database = None, config: Config = None, verbose: Verbose = 0
) -> None:
    """Enter names from a CSV as decisions: of people by person_id, or of single faces by face_id."""
    given = read_names(file)
    with open_resources(config, database, verbose) as catalog, catalog.database.begin() as connection:
        people = [each for each in given if each.person_id]
        found = [(find_person(connection, each.person_id or ""), each.name) for each in people]
        wanted = _faces_named(connection, [each for each in given if each.face_id])
        if dry_run:
            typer.echo(f"{len(found):,} people and {len(wanted):,} faces would be named")
            return
        who = stamp()
        named = sum(_name(connection, person, name, who) for person, name in found)
        adopted = import_names(connection, wanted, who)
    typer.echo(f"{named + adopted.people:,} people named, {adopted.faces:,} faces confirmed")


def _name(connection: Connection, person: PersonRow, name: str, who: DecisionStamp) -> bool:
    if person.name == name:
        return False
    name_person(connection, person, name, who)
    return True


def _faces_named(connection: Connection, given: Iterable[NameRow]) -> dict[int, str]:
    wanted: dict[int, str] = {}
    for each in given:
        rows = face_rows_of_id(connection, each.face_id or "")
        if not rows:
            raise UsageError(f'Line {each.line}: there is no face "{each.face_id}".')
        wanted.update(dict.fromkeys(rows, each.name))
    return wanted


def import_names(connection: Connection, wanted: Mapping[int, str], who: DecisionStamp) -> NameImportResult:
    """Enter names of faces (by row id) as decisions.

    A person without a name whose faces are all given one name gets it, or is merged into whoever has that name
    already; every face is then confirmed as that person, unless a human has done so before.
    """
    adopted = NameImportResult()
    shown = catalogued_faces_by_row(connection, wanted)
    by_person: dict[str, Counter[str]] = defaultdict(Counter)
    for row, face in shown.items():
        if face.person_id and not face.name:
            by_person[face.person_id][wanted[row]] += 1
    # The largest first: it is whom smaller groups of the same name are merged into.
    for person_id, names in sorted(by_person.items(), key=lambda item: (-item[1].total(), item[0])):
        if len(names) == 1:
            adopted.people += _settle_name(connection, find_person(connection, person_id), next(iter(names)), who)
    for row, face in catalogued_faces_by_row(connection, wanted).items():
        if _is_known(face, wanted[row]):
            adopted.already += 1
        else:
            confirm_face(connection, face, find_or_add_person(connection, wanted[row], who), who, same_photo=True)
            adopted.faces += 1
    return adopted


def _is_known(face: CataloguedFace, name: str) -> bool:
    return face.name == name and face.by is AssignedBy.HUMAN


def _settle_name(connection: Connection, person: PersonRow, name: str, who: DecisionStamp) -> bool:
    try:
        known = find_person(connection, name)
    except AmbiguousPersonError:
        return False  # whom it means cannot be told; the faces are refused below, with the sentence
    except PersonError:
        name_person(connection, person, name, who)
        return True
    if known.id == person.id:
        return False
    try:
        merge_persons(connection, known, person, who)
    except PersonError:
        return False  # both are on one photo: only the faces that were named are moved
    return True
