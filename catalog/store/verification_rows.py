"""Enrolled employees with their reference crops, and the rows of the verification log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.domain.timestamps import utc_text
from catalog.store.tables import employee_references, employees, verifications
from catalog.store.upsert import batches, insert_into


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """One row of the verification log. ``content`` is JSON text, None once it was forgotten."""

    number: int
    logged_at: str
    content: str | None
    content_sha256: str
    previous: str
    """``chain`` of the row before."""
    chain: str


@dataclass(frozen=True, slots=True)
class EmployeeRow:
    """An enrolled employee. ``references`` is the number of reference photos, 1 or more."""

    employee_id: str
    enrolled_at: str
    enrolled_by: str
    references: int


@dataclass(frozen=True, slots=True)
class StoredReference:
    """One reference crop (JPEG). ``row`` is its row id; a later reference has a higher one."""

    row: int
    employee_id: str
    image: bytes
    sha256: str = ""
    """Content hash of the photo that the crop is from; empty if it was not asked for."""


def insert_reference(
    connection: Connection, employee_id: str, image: bytes, sha256: str, *, who: str, now: datetime
) -> None:
    """Add a reference crop (JPEG), and the employee if needed. ``sha256`` is that of the photo; a known one is kept."""
    row = {"employee_id": employee_id, "enrolled_at": utc_text(now), "enrolled_by": who}
    connection.execute(insert_into(connection, employees).on_conflict_do_nothing(), row)
    employee_row = connection.scalar(select(employees.c.id).where(employees.c.employee_id == employee_id))
    reference = {"employee_id": employee_row, "image": image, "sha256": sha256}
    connection.execute(insert_into(connection, employee_references).on_conflict_do_nothing(), reference)


def read_references(connection: Connection, employee_id: str) -> list[bytes]:
    """The reference crops of an employee in order of their addition."""
    query = (
        select(employee_references.c.image)
        .join(employees, employees.c.id == employee_references.c.employee_id)
        .where(employees.c.employee_id == employee_id)
        .order_by(employee_references.c.id)
    )
    return [bytes(image) for image in connection.scalars(query)]


def reference_hashes(connection: Connection, employee_id: str) -> set[str]:
    """Content hashes of the photos that an employee's references were cut from."""
    query = (
        select(employee_references.c.sha256)
        .join(employees, employees.c.id == employee_references.c.employee_id)
        .where(employees.c.employee_id == employee_id)
    )
    return set(connection.scalars(query))


def references_of_others(connection: Connection, employee_id: str, *, after: int = 0) -> list[StoredReference]:
    """The references of all other employees whose row id is above ``after``, in order of their addition."""
    query = (
        select(employee_references.c.id, employees.c.employee_id, employee_references.c.image)
        .join(employees, employees.c.id == employee_references.c.employee_id)
        .where(employees.c.employee_id != employee_id, employee_references.c.id > after)
        .order_by(employee_references.c.id)
    )
    return [StoredReference(int(row), other, bytes(image)) for row, other, image in connection.execute(query)]


def all_references(connection: Connection) -> list[StoredReference]:
    """The references of all employees, with their content hashes."""
    columns = (employee_references.c.id, employees.c.employee_id, employee_references.c.image)
    query = (
        select(*columns, employee_references.c.sha256)
        .join(employees, employees.c.id == employee_references.c.employee_id)
        .order_by(employee_references.c.id)
    )
    return [StoredReference(int(row[0]), row[1], bytes(row[2]), row[3]) for row in connection.execute(query)]


def delete_references(connection: Connection, rows: Sequence[int]) -> None:
    """Delete references by row id. An employee without a reference stays."""
    for batch in batches(rows):
        connection.execute(delete(employee_references).where(employee_references.c.id.in_(batch)))


def has_references(connection: Connection, employee_id: str) -> bool:
    query = select(employee_references.c.id).join(employees, employees.c.id == employee_references.c.employee_id)
    return connection.scalar(query.where(employees.c.employee_id == employee_id).limit(1)) is not None


def read_employees(connection: Connection) -> list[EmployeeRow]:
    """All employees in order of their ids."""
    query = (
        select(employees.c.employee_id, employees.c.enrolled_at, employees.c.enrolled_by, func.count())
        .join(employee_references, employee_references.c.employee_id == employees.c.id)
        .group_by(employees.c.employee_id, employees.c.enrolled_at, employees.c.enrolled_by)
    )
    # Databases sort text by different rules.
    return sorted((EmployeeRow(*row) for row in connection.execute(query)), key=lambda row: row.employee_id)


def reference_numbers(connection: Connection, employee_id: str) -> list[int]:
    """Row ids of an employee's references, in order of their addition."""
    query = (
        select(employee_references.c.id)
        .join(employees, employees.c.id == employee_references.c.employee_id)
        .where(employees.c.employee_id == employee_id)
    )
    return list(connection.scalars(query.order_by(employee_references.c.id)))


def reference_image(connection: Connection, number: int) -> bytes | None:
    """The crop (JPEG) of a reference; None for an unknown row id."""
    image = connection.scalar(select(employee_references.c.image).where(employee_references.c.id == number))
    return None if image is None else bytes(image)


def has_employees(connection: Connection) -> bool:
    return connection.scalar(select(employees.c.id).limit(1)) is not None


def delete_employee(connection: Connection, employee_id: str) -> bool:
    """Delete an employee with the references; returns False for an unknown id."""
    return connection.execute(delete(employees).where(employees.c.employee_id == employee_id)).rowcount > 0


def lock_log(connection: Connection) -> None:
    """Lock the verification log for writing until the transaction ends. Readers are not blocked.

    SQLite locks the whole database for a writing transaction. On PostgreSQL the table is locked: the last row must not
    change between being read and being followed, and an empty log has no row that could be locked.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {verifications.name} IN EXCLUSIVE MODE")


def last_chain(connection: Connection) -> str | None:
    """``chain`` of the newest row."""
    return connection.scalar(select(verifications.c.chain).order_by(verifications.c.id.desc()).limit(1))


def insert_verification(
    connection: Connection, *, logged_at: str, content: str, content_sha256: str, previous: str, chain: str
) -> int:
    """Append a row to the log; returns its number."""
    row = {"at": logged_at, "content": content, "content_sha256": content_sha256, "previous": previous, "chain": chain}
    return int(connection.execute(insert(verifications).returning(verifications.c.id), row).scalar_one())


def read_verifications(connection: Connection) -> Iterator[VerificationRow]:
    """All rows of the log, oldest first."""
    for row in connection.execute(select(verifications).order_by(verifications.c.id)):
        yield VerificationRow(int(row.id), row.at, row.content, row.content_sha256, row.previous, row.chain)


def delete_content(connection: Connection, number: int) -> None:
    """Delete the content of a row. Its digests stay."""
    connection.execute(update(verifications).where(verifications.c.id == number).values(content=None))
