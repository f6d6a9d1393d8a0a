"""Persons: add, find, list, merge, and assign faces."""

from __future__ import annotations

import difflib
import secrets
import unicodedata
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, distinct, func, insert, or_, select, update

from catalog.domain.errors import AmbiguousPersonError, PersonError
from catalog.domain.people import Person
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name
from catalog.store.person_index import PersonRow, canonical_person, person_by_public_id, persons_where
from catalog.store.tables import assignments, faces, persons, stacked_photos
from catalog.store.upsert import batches

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letters that look like digits, and no u, so that few words occur by accident."""


def new_person_id() -> str:
    """Return a new public id: ``p`` and 40 random bits. The unique index refuses a collision."""
    bits = secrets.randbits(40)
    return "p" + "".join(_ALPHABET[bits >> shift & 31] for shift in range(35, -5, -5))


def add_persons(connection: Connection, count: int, now: datetime) -> list[PersonRow]:
    """Add unnamed persons and return them."""
    ids: list[str] = []
    while len(ids) < count:
        candidates = {new_person_id() for _ in range(count - len(ids))} - set(ids)
        for batch in batches(sorted(candidates)):
            existing = set(connection.scalars(select(persons.c.person_id).where(persons.c.person_id.in_(batch))))
            ids += [person_id for person_id in batch if person_id not in existing]
    if not ids:
        return []
    created = utc_text(now)
    connection.execute(
        insert(persons), [{"person_id": person_id, "hidden": False, "created_at": created} for person_id in ids]
    )
    rows = {
        row.person_id: row
        for batch in batches(ids)
        for row in persons_where(connection, select(persons).where(persons.c.person_id.in_(batch)))
    }
    return [rows[person_id] for person_id in ids]


def find_person(connection: Connection, wanted: str) -> PersonRow:
    """Return the person with this public id or exact name. The id of a merged person finds its canonical person.

    Raises ``PersonError`` if there is none, ``AmbiguousPersonError`` if several persons have the name.
    """
    by_id = person_by_public_id(connection, wanted)
    if by_id is not None:
        return by_id if by_id.merged_into is None else canonical_person(connection, by_id.id)
    named = persons_where(
        connection,
        select(persons)
        .where(persons.c.name.in_(_spellings(wanted)), persons.c.merged_into.is_(None))
        .order_by(persons.c.id),
    )
    if len(named) > 1:
        ids = ", ".join(row.person_id for row in named)
        raise AmbiguousPersonError(
            f'Several people are named "{display_name(wanted)}": {ids}.', remedy="Use the person id."
        )
    if not named:
        similar = _similar_name(connection, wanted)
        suggestion = f'Did you mean "{display_name(similar)}"? ' if similar else ""
        raise PersonError(
            f'No person has the id or name "{display_name(wanted)}".',
            remedy=f"{suggestion}`catalog people list` lists all persons.",
        )
    return named[0]


def namesakes(connection: Connection, name: str) -> list[str]:
    """Return the public ids of the persons with this name, in any Unicode normalization."""
    has_name = persons.c.name.in_(_spellings(name))
    return list(connection.scalars(select(persons.c.person_id).where(has_name, persons.c.merged_into.is_(None))))


def names_by_public_id(connection: Connection, person_ids: Collection[str]) -> dict[str, str | None]:
    """The names of these persons by public id. A merged person has the name that it had."""
    names: dict[str, str | None] = {}
    for batch in batches(sorted(person_ids)):
        query = select(persons.c.person_id, persons.c.name).where(persons.c.person_id.in_(batch))
        names |= {row.person_id: row.name for row in connection.execute(query)}
    return names


def persons_named(connection: Connection, name: str) -> list[PersonRow]:
    """Return the persons with this name, in any Unicode normalization, without merged persons."""
    has_name = persons.c.name.in_(_spellings(name))
    return persons_where(
        connection, select(persons).where(has_name, persons.c.merged_into.is_(None)).order_by(persons.c.id)
    )


def _spellings(name: str) -> set[str]:
    """Return the name as given, composed (NFC) and decomposed (NFD): programs differ in how they write accents."""
    return {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)}


def _similar_name(connection: Connection, wanted: str) -> str | None:
    """Return the shortest name that contains the text, else the most similar name, else None."""
    query = select(persons.c.name).where(persons.c.name.is_not(None), persons.c.merged_into.is_(None)).distinct()
    name_by_folded = {name.casefold(): name for name in connection.scalars(query)}
    text = wanted.casefold()
    containing = [name for folded, name in name_by_folded.items() if text and text in folded]
    close = difflib.get_close_matches(text, name_by_folded, n=1)
    return min(containing, key=len) if containing else name_by_folded[close[0]] if close else None


def list_people(
    connection: Connection,
    gallery: tuple[str, str] | None = None,
    *,
    hidden: bool = False,
    named: bool | None = None,
) -> list[Person]:
    """List persons with a name or a face, most photos first. Merged persons are left out, hidden ones by default.

    ``gallery`` is the engine and gallery whose faces count; by default those of all. ``named``: True for named persons
    only, False for unnamed persons only. Files of one exposure count once.
    """
    counted = faces.c.id == assignments.c.face_id
    if gallery is not None:
        counted = and_(counted, faces.c.engine == gallery[0], faces.c.gallery == gallery[1])
    shots = func.count(distinct(func.coalesce(stacked_photos.c.counted_id, faces.c.photo_id)))
    counted_faces = func.count(faces.c.id) - func.count(stacked_photos.c.photo_id)
    query = (
        select(
            persons.c.person_id,
            persons.c.name,
            persons.c.hidden,
            case((counted_faces < shots, shots), else_=counted_faces).label("faces"),
            shots.label("photos"),
        )
        .select_from(
            persons.outerjoin(assignments)
            .outerjoin(faces, counted)
            .outerjoin(stacked_photos, stacked_photos.c.photo_id == faces.c.photo_id)
        )
        .where(persons.c.merged_into.is_(None))
        .group_by(persons.c.id)
        .order_by(shots.desc(), persons.c.name.is_(None), persons.c.name, persons.c.id)
    )
    if not hidden:
        query = query.where(persons.c.hidden.is_(False))
    if named is not None:
        query = query.where(persons.c.name.is_not(None) if named else persons.c.name.is_(None))
    return [
        Person(row.person_id, row.name, bool(row.hidden), row.faces, row.photos)
        for row in connection.execute(query)
        if row.faces or row.name
    ]


def redirect(connection: Connection, merged: PersonRow, canonical: PersonRow) -> None:
    """Redirect a person id, and all ids that redirect to it, to another person. Does not move faces or the name."""
    connection.execute(
        update(persons)
        .where(or_(persons.c.id == merged.id, persons.c.merged_into == merged.id))
        .values(merged_into=canonical.id)
    )


def person_ids_of(connection: Connection, person: PersonRow) -> list[str]:
    """Return the public ids of a person: its own, then those that redirect to it."""
    return [person.person_id, *connection.scalars(_redirecting_ids(), {"row": person.id})]


@cache
def _redirecting_ids() -> Select[Any]:
    return select(persons.c.person_id).where(persons.c.merged_into == bindparam("row")).order_by(persons.c.id)
