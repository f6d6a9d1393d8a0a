"""Names from other programs, entered as decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from catalog.app.resources import Resources
from catalog.domain.errors import AmbiguousPersonError, PersonError, UsageError
from catalog.domain.people import AssignedBy
from catalog.exchange.names_csv import NameRow, read_names
from catalog.exchange.region_names import read_region_names
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.verbs import confirm_face, find_or_add_person, merge_persons, name_person
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.named_faces import face_rows_of_id, photos_with_faces
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow


@dataclass(frozen=True, slots=True)
class NameImportResult:
    """``people`` named or merged, ``faces`` confirmed, ``already``: faces that had the name before.

    ``faces_named`` counts the faces that the file or the regions name, ``unmatched`` the regions that fit no face,
    ``elsewhere`` the photos that are no files and whose sidecar folder was not given. ``problems`` are sentences about
    files that could not be read.
    """

    people: int = 0
    faces: int = 0
    already: int = 0
    people_named: int = 0
    faces_named: int = 0
    unmatched: int = 0
    elsewhere: int = 0
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Counts:
    people: int = 0
    faces: int = 0
    already: int = 0


def import_xmp(resources: Resources, *, embedded: bool, into: Path | None, dry_run: bool) -> NameImportResult:
    name_by_row: dict[int, str] = {}
    unmatched = elsewhere = 0
    problems: list[str] = []
    with resources.database.read() as connection:
        for photo in read_region_names(photos_with_faces(connection), into=into, embedded=embedded):
            name_by_row.update({imported.face.row: imported.name for imported in photo.names})
            unmatched += photo.unmatched
            elsewhere += photo.elsewhere
            problems += photo.problems
    counts = _Counts()
    if not dry_run:
        with resources.database.begin() as connection:
            _enter_names(connection, name_by_row, resources.stamp().grouped(), counts)
    return NameImportResult(
        counts.people,
        counts.faces,
        counts.already,
        faces_named=len(name_by_row),
        unmatched=unmatched,
        elsewhere=elsewhere,
        problems=tuple(problems),
    )


def import_csv(resources: Resources, file: Path, *, dry_run: bool) -> NameImportResult:
    names = read_names(file)
    counts = _Counts()
    with resources.database.begin() as connection:
        people = [(find_person(connection, name.person_id), name.name) for name in names if name.person_id]
        name_by_row = _rows_named(connection, [name for name in names if name.face_id])
        if not dry_run:
            stamp = resources.stamp().grouped()
            for person, name in people:
                counts.people += _set_name(connection, person, name, stamp)
            _enter_names(connection, name_by_row, stamp, counts)
    return NameImportResult(
        counts.people, counts.faces, counts.already, people_named=len(people), faces_named=len(name_by_row)
    )


def _set_name(connection: Connection, person: PersonRow, name: str, stamp: DecisionStamp) -> bool:
    if person.name == name:
        return False
    name_person(connection, person, name, stamp)
    return True


def _rows_named(connection: Connection, names: Iterable[NameRow]) -> dict[int, str]:
    name_by_row: dict[int, str] = {}
    for name in names:
        rows = face_rows_of_id(connection, name.face_id or "")
        if not rows:
            raise UsageError(f'Line {name.line}: no face has the id "{name.face_id}".')
        name_by_row.update(dict.fromkeys(rows, name.name))
    return name_by_row


def _enter_names(connection: Connection, name_by_row: Mapping[int, str], stamp: DecisionStamp, counts: _Counts) -> None:
    """Enter the names of faces (by row id) as decisions.

    A person without a name whose faces all have one name gets that name, or is merged into the person who has it.
    Then every face is confirmed as that person, unless a user has confirmed it before.
    """
    unnamed: dict[str, Counter[str]] = defaultdict(Counter)
    for row, face in catalogued_faces_by_row(connection, name_by_row).items():
        if face.person_id and not face.name:
            unnamed[face.person_id][name_by_row[row]] += 1
    # The largest first: smaller groups of the same name are merged into it.
    for person_id, names in sorted(unnamed.items(), key=lambda item: (-item[1].total(), item[0])):
        if len(names) == 1:
            counts.people += _name_or_merge(connection, find_person(connection, person_id), next(iter(names)), stamp)
    for row, face in catalogued_faces_by_row(connection, name_by_row).items():
        if _is_confirmed(face, name_by_row[row]):
            counts.already += 1
        else:
            person = find_or_add_person(connection, name_by_row[row], stamp)
            confirm_face(connection, face, person, stamp, same_photo=True)
            counts.faces += 1


def _is_confirmed(face: CataloguedFace, name: str) -> bool:
    return face.name == name and face.by is AssignedBy.HUMAN


def _name_or_merge(connection: Connection, person: PersonRow, name: str, stamp: DecisionStamp) -> bool:
    try:
        existing = find_person(connection, name)
    except AmbiguousPersonError:
        return False  # several persons have the name; confirming the faces raises the error
    except PersonError:
        name_person(connection, person, name, stamp)
        return True
    if existing.id == person.id:
        return False
    try:
        merge_persons(connection, existing, person, stamp)
    except PersonError:
        return False  # both are on one photo: only the named faces move
    return True
