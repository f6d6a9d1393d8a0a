"""Persons and who belongs to them: the questions that the catalogue answers about people, and the rows behind them."""

from __future__ import annotations

import difflib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, distinct, func, insert, or_, select, update

from catalog.domain.errors import AmbiguousPersonError, PersonError
from catalog.domain.people import AssignedBy, Person
from catalog.domain.timestamps import utc_text
from catalog.store.person_index import PersonRow, canonical_person, persons_where
from catalog.store.tables import assignments, faces, persons
from catalog.store.upsert import batches

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is read as a digit, none that spells a word by accident."""


def new_person_id() -> str:
    """A public id: ``p`` and 40 random bits. The unique index refuses the one in a trillion that is taken."""
    return "p" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def add_persons(connection: Connection, count: int, now: datetime) -> list[PersonRow]:
    """So many new persons without a name, in order."""
    ids: list[str] = []
    while len(ids) < count:
        fresh = {new_person_id() for _ in range(count - len(ids))} - set(ids)
        for some in batches(sorted(fresh)):
            taken = set(connection.scalars(select(persons.c.person_id).where(persons.c.person_id.in_(some))))
            ids += [each for each in some if each not in taken]
    if not ids:
        return []
    created = utc_text(now)
    connection.execute(insert(persons), [{"person_id": each, "hidden": False, "created_at": created} for each in ids])
    rows = {
        row.person_id: row
        for some in batches(ids)
        for row in persons_where(connection, select(persons).where(persons.c.person_id.in_(some)))
    }
    return [rows[each] for each in ids]


def find_person(connection: Connection, wanted: str) -> PersonRow:
    """The person with this public id or exact name; an id that was merged away leads to where it went.

    Raises ``PersonError`` for nobody and for several.
    """
    by_id = persons_where(connection, select(persons).where(persons.c.person_id == wanted))
    if by_id:
        return canonical_person(connection, by_id[0].id)
    named = persons_where(
        connection,
        select(persons)
        .where(persons.c.name.in_(_spellings(wanted)), persons.c.merged_into.is_(None))
        .order_by(persons.c.id),
    )
    if len(named) > 1:
        ids = ", ".join(row.person_id for row in named)
        raise AmbiguousPersonError(f'Several people are named "{wanted}": {ids}.', remedy="Say which one by its id.")
    if not named:
        near = _near(connection, wanted)
        raise PersonError(
            f'Nobody in the catalogue has the id or name "{wanted}".',
            remedy=(f'Did you mean "{near}"? ' if near else "") + "`catalog people list` shows everyone.",
        )
    return named[0]


def namesakes(connection: Connection, name: str) -> list[str]:
    """Public ids of the people of a name, however its letters are composed."""
    same = persons.c.name.in_(_spellings(name))
    return list(connection.scalars(select(persons.c.person_id).where(same, persons.c.merged_into.is_(None))))


def _spellings(name: str) -> set[str]:
    """One name in the forms that keyboards, files and other programs write it: an accent in the letter, or after it."""
    return {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)}


def _near(connection: Connection, wanted: str) -> str | None:
    """The name that somebody who wrote this may have meant."""
    query = select(persons.c.name).where(persons.c.name.is_not(None), persons.c.merged_into.is_(None)).distinct()
    folded = {name.casefold(): name for name in connection.scalars(query)}
    text = wanted.casefold()
    parts = [name for fold, name in folded.items() if text and text in fold]
    close = difflib.get_close_matches(text, folded, n=1)
    return min(parts, key=len) if parts else folded[close[0]] if close else None


def list_people(connection: Connection, *, hidden: bool = False, named: bool | None = None) -> list[Person]:
    """The people, those with most faces first; merged ones left out, hidden ones too unless asked for.

    ``named`` True or False keeps those with or without a name.
    """
    query = (
        select(
            persons.c.person_id,
            persons.c.name,
            persons.c.hidden,
            func.count(faces.c.id).label("faces"),
            func.count(distinct(faces.c.photo_id)).label("photos"),
        )
        .select_from(persons.outerjoin(assignments).outerjoin(faces))
        .where(persons.c.merged_into.is_(None))
        .group_by(persons.c.id)
        .order_by(func.count(distinct(faces.c.photo_id)).desc(), persons.c.name.is_(None), persons.c.name, persons.c.id)
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


def assign(
    connection: Connection,
    rows: Sequence[tuple[int, float | None]],
    person_row: int,
    by: AssignedBy,
    assigned_at: str,
) -> None:
    """Give faces (row id, similarity to the person's others) to a person, whoever had them before."""
    unassign(connection, [row for row, _ in rows])
    if rows:
        connection.execute(
            insert(assignments),
            [
                {
                    "face_id": row,
                    "person_id": person_row,
                    "by": by.value,
                    "similarity": similarity,
                    "assigned_at": assigned_at,
                }
                for row, similarity in rows
            ],
        )


def unassign(connection: Connection, rows: Sequence[int]) -> None:
    for some in batches(rows):
        connection.execute(delete(assignments).where(assignments.c.face_id.in_(some)))


def redirect(connection: Connection, gone: PersonRow, kept: PersonRow) -> None:
    """Let one id lead to another person; who led to it leads on. Its faces and name are the caller's to move."""
    connection.execute(
        update(persons)
        .where(or_(persons.c.id == gone.id, persons.c.merged_into == gone.id))
        .values(merged_into=kept.id)
    )


def person_ids_of(connection: Connection, person: PersonRow) -> list[str]:
    """The public ids that lead to a person, its own first."""
    query = select(persons.c.person_id).where(persons.c.merged_into == person.id).order_by(persons.c.id)
    return [person.person_id, *connection.scalars(query)]


def move_redirected_assignments(connection: Connection) -> int:
    """Give faces that are left with ids that lead elsewhere to whom those lead; returns how many."""
    left = select(assignments.c.person_id).join(persons, persons.c.id == assignments.c.person_id)
    moved = 0
    for row in connection.scalars(left.where(persons.c.merged_into.is_not(None)).distinct()).all():
        lead = canonical_person(connection, row)
        mine = assignments.c.person_id == row
        moved += connection.execute(update(assignments).where(mine).values(person_id=lead.id)).rowcount
    return moved
