"""Person rows, and the only code that follows redirects of merged persons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from catalog.domain.uri import display_name
from catalog.store.among import among, among_parameter
from catalog.store.tables import persons


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as stored. ``id`` is the row id; ``merged_into`` the row id of the person it redirects to."""

    id: int
    person_id: str
    name: str | None
    hidden: bool
    birth_date: str | None
    merged_into: int | None
    created_at: str

    def __str__(self) -> str:
        return f'"{display_name(self.name)}" ({self.person_id})' if self.name else self.person_id


def persons_where(
    connection: Connection, query: Select[Any], parameters: Mapping[str, object] | None = None
) -> list[PersonRow]:
    return [
        PersonRow(row.id, row.person_id, row.name, bool(row.hidden), row.birth_date, row.merged_into, row.created_at)
        for row in connection.execute(query, parameters)
    ]


# An answer runs these statements dozens of times. Building one again takes four times as long as running it.


@cache
def _by_row() -> Select[Any]:
    return select(persons).where(persons.c.id == bindparam("row"))


@cache
def _by_public_id() -> Select[Any]:
    return select(persons).where(persons.c.person_id == bindparam("public_id"))


@cache
def _redirects() -> Select[Any]:
    return select(persons.c.id, persons.c.merged_into).where(among_parameter(persons.c.id, "rows"))


def person_by_public_id(connection: Connection, public_id: str) -> PersonRow | None:
    """The row of a public id; a merged person is its own row here."""
    return next(iter(persons_where(connection, _by_public_id(), {"public_id": public_id})), None)


def persons_by_row(connection: Connection, row_ids: Sequence[int]) -> list[PersonRow]:
    """The persons with these row ids, in this order. Row ids without a row are left out."""
    selected = persons_where(connection, select(persons).where(among(persons.c.id, row_ids)))
    rows = {person.id: person for person in selected}
    return [rows[row_id] for row_id in row_ids if row_id in rows]


def all_persons(connection: Connection) -> list[PersonRow]:
    """Every person row, merged persons included, oldest first."""
    return persons_where(connection, select(persons).order_by(persons.c.id))


def read_birth_dates(connection: Connection) -> dict[str, str]:
    """Birth dates by person id, of the persons that have one."""
    query = select(persons.c.person_id, persons.c.birth_date).where(
        persons.c.birth_date.is_not(None), persons.c.birth_date != ""
    )
    return {row.person_id: row.birth_date for row in connection.execute(query)}


def count_persons(connection: Connection) -> int:
    """The number of person rows, merged persons included."""
    return connection.scalar(select(func.count()).select_from(persons)) or 0


def canonical_person(connection: Connection, row_id: int) -> PersonRow:
    """The person that a row id stands for today. Reads only the rows on the way."""
    rows: dict[int, PersonRow] = {}

    def target_of(wanted: int) -> int | None:
        rows[wanted] = persons_where(connection, _by_row(), {"row": wanted})[0]
        return rows[wanted].merged_into

    return rows[end_of_redirects(row_id, target_of)]


def canonical_row_ids(connection: Connection, row_ids: Iterable[int]) -> dict[int, int]:
    """The row id of the person that each row id stands for today. Row ids without a row are left out."""
    target_of: dict[int, int | None] = {}
    wanted = set(row_ids)
    known = list(wanted)
    while wanted:
        redirects = connection.execute(_redirects(), {"rows": sorted(wanted)}).all()
        target_of |= {row.id: row.merged_into for row in redirects}
        wanted = {target for row in wanted if (target := target_of.get(row)) is not None} - target_of.keys()
    return {row: end_of_redirects(row, target_of.__getitem__) for row in known if row in target_of}


def hidden_persons(connection: Connection, row_ids: Collection[int]) -> set[int]:
    """Those of these persons that are hidden, by row id."""
    return set(connection.scalars(select(persons.c.id).where(among(persons.c.id, row_ids), persons.c.hidden.is_(True))))


def public_ids_of(connection: Connection, row_ids: Iterable[int]) -> list[str]:
    """The public ids of these persons and of all persons that redirect to them."""
    query = select(persons.c.id, persons.c.person_id)
    wanted = sorted(set(row_ids))
    own = connection.execute(query.where(among(persons.c.id, wanted))).all()
    public_ids: dict[int, str] = {row.id: row.person_id for row in own}
    while wanted:
        rows = connection.execute(query.where(among(persons.c.merged_into, wanted))).all()
        redirecting: dict[int, str] = {row.id: row.person_id for row in rows}
        wanted = sorted(redirecting.keys() - public_ids.keys())
        public_ids |= redirecting
    return list(public_ids.values())


@dataclass(frozen=True, slots=True)
class PersonIndex:
    """All person rows by row id and by public id."""

    rows: Mapping[int, PersonRow]
    by_public_id: Mapping[str, PersonRow]

    @classmethod
    def of(cls, rows: Iterable[PersonRow]) -> PersonIndex:
        by_row_id = {row.id: row for row in rows}
        return cls(by_row_id, {row.person_id: row for row in by_row_id.values()})

    def canonical(self, person_id: str) -> PersonRow | None:
        """The person that a public id stands for today; None for an unknown id."""
        row = self.by_public_id.get(person_id)
        return None if row is None else self.canonical_row(row.id)

    def canonical_row(self, row_id: int) -> PersonRow:
        """The person that a row id stands for today. Raises KeyError for an unknown row id."""
        return self.rows[end_of_redirects(row_id, lambda wanted: self.rows[wanted].merged_into)]

    def birth_years(self) -> dict[int, int]:
        """Year of birth by row id, for persons with a birth date."""
        return {row.id: int(row.birth_date[:4]) for row in self.rows.values() if row.birth_date is not None}

    def protected_persons(self, decided: Iterable[str]) -> set[int]:
        """Row ids of named persons, hidden persons and the persons of ``decided``, which are public ids.

        A machine never merges two of them.
        """
        decided_rows = {row.id for row in map(self.canonical, decided) if row is not None}
        return decided_rows | {row.id for row in self.rows.values() if row.name is not None or row.hidden}


def end_of_redirects(row_id: int, target_of: Callable[[int], int | None]) -> int:
    """Return the row id at the end of the redirects; any row id of a circle, which a damaged database may hold."""
    visited = {row_id}
    while (target := target_of(row_id)) is not None and target not in visited:
        visited.add(target)
        row_id = target
    return row_id
