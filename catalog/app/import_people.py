"""Import of known people: reference photos are enrolled and confirmed, then the other faces are assigned to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection

from catalog.app.engines import search_engine
from catalog.app.resources import Resources
from catalog.app.scan_plan import plan
from catalog.domain.charges import Operation
from catalog.domain.content_hash import sha256_of
from catalog.domain.errors import UsageError
from catalog.domain.people import AssignedBy, clean_name
from catalog.domain.photos import Outcome, OutcomeKind
from catalog.domain.uri import display_name
from catalog.exchange.people_list import ListedPerson, read_people_list
from catalog.identities.assignment.assign_people import assign_people
from catalog.identities.assignment.name_conflicts import find_name_conflicts
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.decisions.verbs import add_named_person, confirm_face, set_birth_date
from catalog.scanning.run_scan import RunLimits, scan
from catalog.scanning.summary import Summary
from catalog.store.catalogued_faces import CataloguedFace, faces_by_content
from catalog.store.external_ids import read_external_ids, set_external_ids
from catalog.store.people import find_person, namesakes
from catalog.store.person_index import PersonIndex, PersonRow, all_persons
from catalog.store.tombstones import has_tombstone
from catalog.store.upsert import batches

_SOURCES_AT_ONCE = 100
"""Photos of a CSV list per scan: each photo is a source with a lock of its own."""
_MAX_SECOND_FACE = 0.5
"""Largest area of a second face on a reference photo, as a share of the largest face. Not measured."""


_OPERATIONS = {Operation.INDEX_FACES, Operation.SEARCH_USERS, Operation.SEARCH_FACES}
"""Paid calls of an import."""


@dataclass(slots=True)
class PeopleImportResult:
    """``people`` in the list, ``new`` persons among them, reference ``photos``, and ``faces`` confirmed by the import.

    ``conflicts`` are sentences about names, ids and faces that contradict one another; nothing was merged for them.
    ``problems`` are sentences about photos without a usable face. ``calls`` and ``dollars`` are the paid
    calls, or their quote if nothing was imported.
    """

    people: int = 0
    new: int = 0
    photos: int = 0
    faces: int = 0
    conflicts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    dollars: Decimal = Decimal(0)


def import_people(resources: Resources, path: Path, *, dry_run: bool) -> PeopleImportResult:
    """Import a list of known people. Running it again continues where it stopped, and imports only what is new.

    With ``dry_run`` nothing is read but the list, and nothing is written. Raises UsageError for a malformed list.
    """
    listed = read_people_list(path)
    result = PeopleImportResult(conflicts=list(listed.conflicts))
    people = [replace(person, name=_usable_name(person)) for person in listed.people]
    with resources.existing_database() as database, database.read() as connection:
        person_by_name = _known_persons(connection, people, result)
    people = [person for person in people if person.name in person_by_name]
    people = _without_shared_photos(people, result)
    result.people, result.new = len(people), sum(row is None for row in person_by_name.values())
    result.photos = sum(len(person.photos) for person in people)
    # A folder is one source, so that it takes one lock; photos of a CSV file may lie anywhere.
    sources = [str(path)] if path.is_dir() else [str(photo) for person in people for photo in person.photos]
    if dry_run:
        # The import enrolls and assigns. The other steps of a scan run at the next scan.
        quotes = [quote for quote in plan(resources, sources).charges if quote.operation in _OPERATIONS]
        result.calls = sum(quote.calls for quote in quotes)
        result.dollars = sum((quote.dollars for quote in quotes), Decimal(0))
        return result
    _enroll(resources, sources, result)
    stamp = resources.stamp().grouped()
    rows = _enter(resources, people, stamp, result)
    assigned = assign_people(
        resources.database,
        search_engine(resources.engine),
        resources.rules,
        gallery=resources.gallery,
        region=resources.region,
        scan_id=None,
        now=stamp.now,
        compared=rows,
    )
    result.calls += sum(charge.calls for charge in assigned.charges)
    result.dollars += sum((charge.dollars for charge in assigned.charges), Decimal(0))
    with resources.database.read() as connection:
        conflicts = find_name_conflicts(connection, resources.engine, resources.rules, rows, gallery=resources.gallery)
    result.conflicts += [
        f"{conflict.person} and {conflict.other} look like one person (similarity {conflict.similarity:.1f})."
        for conflict in conflicts
    ]
    return result


def _usable_name(person: ListedPerson) -> str:
    name = clean_name(person.name)
    if name is None:
        raise UsageError("A name of the list has no readable character.")
    return name


def _known_persons(
    connection: Connection, people: Iterable[ListedPerson], result: PeopleImportResult
) -> dict[str, PersonRow | None]:
    """The person of each name that can be imported, None for a new one. The others are reported as conflicts."""
    index = PersonIndex.of(all_persons(connection))
    ids_by_row = read_external_ids(connection)
    holder = {
        (scheme, value): index.canonical_row(row) for row, ids in ids_by_row.items() for scheme, value in ids.items()
    }
    person_by_name: dict[str, PersonRow | None] = {}
    name_by_id: dict[tuple[str, str], str] = {}
    for person in people:
        same_name = [index.by_public_id[person_id] for person_id in namesakes(connection, person.name)]
        if len(same_name) > 1:
            ids = ", ".join(row.person_id for row in same_name)
            result.conflicts.append(f'Several persons are named "{person.name}" ({ids}); the name was left out.')
            continue
        row = same_name[0] if same_name else None
        conflict = _id_conflict(person, row, holder, ids_by_row, name_by_id)
        if conflict is not None:
            result.conflicts.append(conflict)
            continue
        if row is not None and person.birth_date and row.birth_date not in (None, person.birth_date.isoformat()):
            result.conflicts.append(
                f"{row} is born {row.birth_date} in the catalogue and {person.birth_date} in the list."
            )
        name_by_id.update(dict.fromkeys(person.external_ids.items(), person.name))
        person_by_name[person.name] = row
    return person_by_name


def _id_conflict(
    person: ListedPerson,
    row: PersonRow | None,
    holder: Mapping[tuple[str, str], PersonRow],
    ids_by_row: Mapping[int, Mapping[str, str]],
    name_by_id: Mapping[tuple[str, str], str],
) -> str | None:
    """A sentence if an id of the person belongs to another person, or the person has another id of that scheme."""
    for scheme, value in person.external_ids.items():
        holder_person = holder.get((scheme, value))
        if holder_person is not None and (row is None or holder_person.id != row.id):
            return f'The {scheme} {value} of "{person.name}" belongs to {holder_person}; "{person.name}" was left out.'
        if (scheme, value) in name_by_id:
            return (
                f'"{person.name}" and "{name_by_id[scheme, value]}" have the {scheme} {value}; the former was left out.'
            )
        stored = ids_by_row.get(row.id, {}).get(scheme, value) if row is not None else value
        if stored != value:
            return f"{row} has the {scheme} {stored} in the catalogue and {value} in the list; it was left out."
    return None


def _without_shared_photos(people: Sequence[ListedPerson], result: PeopleImportResult) -> list[ListedPerson]:
    """Take out photos whose content stands under two names."""
    names: dict[str, set[str]] = {}
    hashes: dict[Path, str] = {}
    for person in people:
        for photo in person.photos:
            hashes[photo] = _content_hash(photo)
            names.setdefault(hashes[photo], set()).add(person.name)
    for shared in sorted(tuple(sorted(of)) for of in names.values() if len(of) > 1):
        quoted = " and ".join(f'"{name}"' for name in shared)
        result.conflicts.append(f"One photo has the names {quoted}; it was not used.")
    return [
        ListedPerson(
            person.name,
            [photo for photo in person.photos if len(names[hashes[photo]]) == 1],
            person.birth_date,
            person.external_ids,
        )
        for person in people
    ]


def _content_hash(path: Path) -> str:
    try:
        return sha256_of(path.read_bytes())
    except OSError as error:
        shown = display_name(bytes(path))
        raise UsageError(f'The photo "{shown}" cannot be read: {error.strerror}.') from error


def _enroll(resources: Resources, sources: Sequence[str], result: PeopleImportResult) -> None:
    """Scan the reference photos. No person is assigned before the names are entered."""
    for batch in batches(sources, _SOURCES_AT_ONCE):
        for item in scan(
            resources.sources(batch),
            database=resources.database,
            engine=resources.scan_engine,
            open_photo=resources.open_photo,
            after_scan=_assign_nothing,
            gallery=resources.gallery,
            region=resources.region,
            version=version("face-catalog"),
            workers=resources.workers,
            limits=RunLimits(),
        ):
            if isinstance(item, Summary):
                result.calls += item.calls
                result.dollars += item.dollars
                if item.limit is not None:
                    raise item.limit
            elif isinstance(item, Outcome) and item.kind in (OutcomeKind.FAILED, OutcomeKind.SKIPPED):
                result.problems.append(f"{item.uri}: {item.reason}")


def _assign_nothing(_scan_id: int, _summary: Summary) -> None:
    """Instead of the steps after a scan: names are entered first."""


def _enter(
    resources: Resources, people: Sequence[ListedPerson], stamp: DecisionStamp, result: PeopleImportResult
) -> set[int]:
    """Enter names, birth dates, ids and reference faces as one group of decisions. Returns row ids of the persons."""
    rows = set()
    for batch in batches(people, _SOURCES_AT_ONCE):
        with resources.database.begin() as connection:
            ids_by_row = read_external_ids(connection)
            for person in batch:
                # Looked up again: a user may have decided since the list was checked.
                namesake_ids = namesakes(connection, person.name)
                row = (
                    find_person(connection, namesake_ids[0])
                    if namesake_ids
                    else add_named_person(connection, person.name, stamp)
                )
                if person.birth_date is not None and row.birth_date is None:
                    set_birth_date(connection, row, person.birth_date, stamp)
                if person.external_ids:
                    set_external_ids(connection, row.id, {**person.external_ids, **ids_by_row.get(row.id, {})})
                for face in _reference_faces(connection, resources, person, result):
                    result.faces += _confirm(connection, face, row, stamp, result)
                rows.add(row.id)
    return rows


def _reference_faces(
    connection: Connection, resources: Resources, person: ListedPerson, result: PeopleImportResult
) -> Iterator[CataloguedFace]:
    """The face of each reference photo. A photo without a face, or with a second large one, is reported."""
    for photo in person.photos:
        sha256 = _content_hash(photo)
        faces = [
            face
            for face in faces_by_content(connection, [sha256]).get(sha256, ())
            if (face.engine, face.gallery) == (resources.engine.name, resources.gallery) and not face.not_a_face
        ]
        faces.sort(key=lambda face: -face.box.area)
        shown = display_name(bytes(photo))
        if not faces:
            is_forgotten = has_tombstone(connection, sha256)
            reason = "holds a face that was forgotten" if is_forgotten else "shows no face that is good enough"
            result.problems.append(f'"{shown}" {reason}.')
        elif len(faces) > 1 and faces[1].box.area > _MAX_SECOND_FACE * faces[0].box.area:
            result.problems.append(f'"{shown}" shows several faces; none was used.')
        else:
            yield faces[0]


def _confirm(
    connection: Connection, face: CataloguedFace, person: PersonRow, stamp: DecisionStamp, result: PeopleImportResult
) -> int:
    """Confirm a reference face, unless a user decided on it before; returns 1 if it was confirmed."""
    if face.by is AssignedBy.HUMAN:
        if face.person_id != person.person_id:
            result.conflicts.append(
                f'The face on a photo of {person} was confirmed as "{face.name or face.person_id}" before; it stays so.'
            )
        return 0
    confirm_face(connection, face, person, stamp)
    return 1
