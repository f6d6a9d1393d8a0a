"""The verification log: a hash chain of enrollments and verifications, in which no row can be changed unnoticed.

Each row carries a digest of the row before. The content of a row may be forgotten; its digest stays, and the chain
still holds. Rows that are deleted at the end leave no gap. To detect that, keep the last digest elsewhere and pass it
to :func:`check_chain`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from catalog.domain.errors import CatalogError, DatabaseError
from catalog.domain.timestamps import utc_text
from catalog.domain.uri import display_name
from catalog.store.database import Database
from catalog.store.verification_rows import (
    delete_content,
    insert_verification,
    last_chain,
    lock_log,
    read_verifications,
)

START = "0" * 64

EMPTIED = "emptied"
"""Key of an entry's content: numbers of the entries whose content was forgotten when it was written."""

SAME_FACE_AS = "same_face_as"
"""Key of an entry's content: ids of other employees who have the face of a refused photo."""


FAILED = "failed"
"""Verdict of an attempt that ended with an error, such as an unknown id or a photo that cannot be read."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry. ``content`` is None once it was forgotten, and empty if it was edited and is no JSON object."""

    number: int
    logged_at: str
    content: Mapping[str, Any] | None
    chain: str


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """``broken`` is the number of the first row that does not fit, None if all fit; ``head`` is the last digest."""

    rows: int
    broken: int | None
    head: str


def record(connection: Connection, content: Mapping[str, Any], now: datetime) -> AuditRow:
    """Append an entry. A salt keeps a forgotten content from being guessed by its digest."""
    lock_log(connection)
    logged_at = utc_text(now) or ""
    text = json.dumps({**content, "salt": secrets.token_hex(16)}, sort_keys=True, ensure_ascii=False)
    previous = last_chain(connection) or START
    digest = _sha256(text)
    chain = _sha256(previous + logged_at + digest)
    number = insert_verification(
        connection, logged_at=logged_at, content=text, content_sha256=digest, previous=previous, chain=chain
    )
    return AuditRow(number, logged_at, content, chain)


@contextmanager
def logged_failure(database: Database, attempt: Mapping[str, Any], now: datetime) -> Iterator[None]:
    """Append an entry with the verdict "failed" if an error ends the block. The error is raised again, with its number.

    A failure of the database is not logged, because the log is in the database.
    """
    try:
        yield
    except DatabaseError:
        raise
    except CatalogError as error:
        with database.begin() as connection:
            content = {**attempt, "verdict": FAILED, "reasons": [display_name(str(error))]}
            error.audit_entry = record(connection, content, now).number
        raise


def check_chain(connection: Connection, *, expected_head: str | None = None) -> ChainCheck:
    """Compute every digest again. With ``expected_head`` the chain must also contain that digest."""
    previous, count, broken, has_head = START, 0, None, expected_head in (None, START)
    without_content: set[int] = set()
    forgotten: set[int] = set()
    for row in read_verifications(connection):
        count += 1
        if row.content is None:
            without_content.add(row.number)
        else:
            forgotten.update(_parsed(row.content).get(EMPTIED, ()))
        is_content_right = row.content is None or _sha256(row.content) == row.content_sha256
        is_chain_right = row.previous == previous and row.chain == _sha256(
            previous + row.logged_at + row.content_sha256
        )
        if broken is None and not (is_content_right and is_chain_right):
            broken = row.number
        previous = row.chain
        has_head = has_head or previous == expected_head
    if without_content - forgotten:  # content was deleted without the removal of an employee
        broken = min(without_content - forgotten | ({broken} if broken is not None else set()))
    if broken is None and not has_head:
        broken = count + 1
    return ChainCheck(count, broken, previous)


def read_audit(connection: Connection) -> Iterator[AuditRow]:
    """Every entry, oldest first."""
    for row in read_verifications(connection):
        content = None if row.content is None else _parsed(row.content)
        if content is not None:
            content.pop("salt", None)
        yield AuditRow(row.number, row.logged_at, content, row.chain)


def forget_entries(connection: Connection, employee_id: str) -> list[int]:
    """Delete the content of every entry about one employee, and keep the digests; returns the entries' numbers.

    An entry of another id is about the employee, too, if the photo was refused because it shows the employee's face.
    The caller puts them into the next entry under :data:`EMPTIED`. Content that is missing otherwise breaks the chain.
    """
    lock_log(connection)
    numbers = [
        row.number
        for row in read_verifications(connection)
        if row.content is not None and _is_about(_parsed(row.content), employee_id)
    ]
    for number in numbers:
        delete_content(connection, number)
    return numbers


def _is_about(content: Mapping[str, Any], employee_id: str) -> bool:
    return content.get("employee_id") == employee_id or employee_id in content.get(SAME_FACE_AS, ())


def _parsed(text: str) -> dict[str, Any]:
    """The content of an entry; empty if it is no JSON object. It may have been edited in the database."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
