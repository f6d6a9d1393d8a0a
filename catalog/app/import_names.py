"""Names from other programs, entered as decisions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from catalog.app.resources import Resources
from catalog.domain.engine import GroupMeans
from catalog.domain.errors import AmbiguousPersonError, PersonError, UsageError
from catalog.domain.face_key import FaceKey
from catalog.domain.people import AssignedBy
from catalog.exchange.names_csv import NameRow, read_names
from catalog.exchange.region_names import NameSources, NameWithoutFace, PhotoNames, RegionName, read_region_names
from catalog.identities.assignment.doubtful_names import doubtful_names
from catalog.identities.decisions.appearance_verbs import record_appearances
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.verbs import confirm_face, find_or_add_person, merge_persons, name_person
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row
from catalog.store.named_appearances import NamedAppearance
from catalog.store.named_faces import face_rows_of_id, photos_with_faces
from catalog.store.people import find_person
from catalog.store.person_index import PersonRow
from catalog.store.tombstones import TombstoneIndex, tombstone_index


@dataclass(frozen=True, slots=True)
class DoubtfulName:
    """A name that was not entered for a face. ``file`` states the name; ``reason`` completes the sentence."""

    name: str
    face_id: str
    uri: str
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class NameImportResult:
    """``people`` named or merged, ``faces`` confirmed, ``already``: faces that had the name before.

    ``faces_named`` counts the faces that files name, without doubtful ones. ``without_face`` are names
    on photos without a matching face; ``appearances`` of them were kept. ``unmatched`` counts their regions that were
    not kept, because the photo was cropped or turned. ``placeholders`` counts names that are no persons. ``elsewhere``
    counts photos that are not files and whose sidecar folder was not given. ``files`` were read. ``problems`` are
    sentences about files that could not be read.
    """

    people: int = 0
    faces: int = 0
    already: int = 0
    people_named: int = 0
    faces_named: int = 0
    unmatched: int = 0
    elsewhere: int = 0
    problems: tuple[str, ...] = ()
    appearances: int = 0
    placeholders: int = 0
    files: int = 0
    doubtful: tuple[DoubtfulName, ...] = ()
    without_face: tuple[NameWithoutFace, ...] = ()


@dataclass(slots=True)
class _Counts:
    people: int = 0
    faces: int = 0
    already: int = 0


def import_xmp(
    resources: Resources, sources: NameSources, *, accept_doubtful: bool = False, dry_run: bool = False
) -> NameImportResult:
    """Enter names from other programs: for faces as decisions, for persons without a face as named appearances."""
    name_by_row: dict[int, RegionName] = {}
    photos: list[PhotoNames] = []
    with resources.database.read() as connection:
        for photo in read_region_names(photos_with_faces(connection), sources):
            name_by_row.update({name.face.row: name for name in photo.names})
            photos.append(photo)
        forgotten = tombstone_index(connection)
        doubtful = {} if accept_doubtful else _doubtful_rows(resources, connection, name_by_row)
    accepted = {row: name.name for row, name in name_by_row.items() if row not in doubtful}
    without_face = tuple(name for photo in photos for name in photo.without_face)
    certain_names = [name for name in without_face if name.is_certain and not _is_forgotten(name, forgotten)]
    counts = _Counts()
    if not dry_run:
        with resources.database.begin() as connection:
            stamp = resources.stamp().grouped()
            _enter_names(connection, accepted, stamp, counts)
            _enter_appearances(connection, photos, certain_names, stamp)
    return NameImportResult(
        counts.people,
        counts.faces,
        counts.already,
        faces_named=len(accepted),
        unmatched=len(without_face) - len(certain_names),
        elsewhere=sum(photo.elsewhere for photo in photos),
        problems=tuple(problem for photo in photos for problem in photo.problems),
        appearances=len(certain_names),
        placeholders=sum(photo.placeholders for photo in photos),
        files=sum(photo.files for photo in photos),
        doubtful=tuple(
            DoubtfulName(name.name, name.face.face_id, name.uri, name.file, doubtful[row])
            for row, name in name_by_row.items()
            if row in doubtful
        ),
        without_face=without_face,
    )


def _doubtful_rows(
    resources: Resources, connection: Connection, name_by_row: Mapping[int, RegionName]
) -> dict[int, str]:
    spec = resources.configured_engine
    return doubtful_names(
        connection,
        (lambda: _group_means(resources)) if spec.capabilities.lends_group_means else None,
        resources.rules.mean_linkage.threshold,
        {row: name.name for row, name in name_by_row.items()},
        engine=spec.name,
        gallery=resources.gallery,
    )


def _group_means(resources: Resources) -> GroupMeans:
    means = resources.engine.group_means
    assert means is not None
    return means


def _is_forgotten(name: NameWithoutFace, forgotten: TombstoneIndex) -> bool:
    """Whether a forgotten person was named at this position. A name without a position cannot be compared."""
    return name.box is not None and forgotten.contains(FaceKey(name.sha256, name.box))


def _enter_appearances(
    connection: Connection, photos: Iterable[PhotoNames], names: Iterable[NameWithoutFace], stamp: DecisionStamp
) -> None:
    """Replace the named appearances of all photos that were read. Adds persons for new names."""
    by_photo: dict[str, list[NamedAppearance]] = {photo.sha256: [] for photo in photos}
    for name in names:
        person = find_or_add_person(connection, name.name, stamp)
        by_photo[name.sha256].append(NamedAppearance(person.id, name.box, name.file))
    record_appearances(connection, by_photo, stamp)


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
