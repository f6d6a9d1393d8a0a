"""The log of verifications: each row carries a digest of the row before, so that none can be changed unnoticed.

A row's content may be forgotten; its digest stays, and the chain still holds. Rows cut off the end leave no gap: who
wants to notice that notes the last digest elsewhere, and gives it to :func:`check_chain`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from catalog.domain.timestamps import utc_text
from catalog.store.tables import verifications

START = "0" * 64

EMPTIED = "emptied"
"""Key of an entry's content: numbers of the entries whose content was forgotten when it was written."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry. ``content`` is None once it was forgotten."""

    number: int
    at: str
    content: Mapping[str, Any] | None
    chain: str


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """``broken`` is the number of the first row that does not fit, None when all do; ``head`` the last digest."""

    rows: int
    broken: int | None
    head: str


def record(connection: Connection, content: Mapping[str, Any], now: datetime) -> AuditRow:
    """Append an entry. The salt keeps a forgotten content from being guessed by its digest."""
    _wait_for_turn(connection)
    at = utc_text(now) or ""
    text = json.dumps({**content, "salt": secrets.token_hex(16)}, sort_keys=True, ensure_ascii=False)
    last = select(verifications.c.chain).order_by(verifications.c.id.desc()).limit(1)
    previous = connection.scalar(last) or START
    digest = _sha256(text)
    chain = _sha256(previous + at + digest)
    row = {"at": at, "content": text, "content_sha256": digest, "previous": previous, "chain": chain}
    number = connection.execute(insert(verifications).returning(verifications.c.id), row).scalar_one()
    return AuditRow(int(number), at, content, chain)


def check_chain(connection: Connection, *, expected_head: str | None = None) -> ChainCheck:
    """Compute every digest anew. With ``expected_head`` the chain must also contain that digest."""
    previous, count, broken, met = START, 0, None, expected_head in (None, START)
    empty: set[int] = set()
    forgotten: set[int] = set()
    for row in connection.execute(select(verifications).order_by(verifications.c.id)):
        count += 1
        if row.content is None:
            empty.add(int(row.id))
        else:
            forgotten.update(json.loads(row.content).get(EMPTIED, ()) if _is_object(row.content) else ())
        told = row.content is None or _sha256(row.content) == row.content_sha256
        fits = row.previous == previous and row.chain == _sha256(previous + row.at + row.content_sha256)
        if broken is None and not (told and fits):
            broken = int(row.id)
        previous = row.chain
        met = met or previous == expected_head
    if empty - forgotten:  # nobody was removed when these lost their content
        broken = min(empty - forgotten | ({broken} if broken is not None else set()))
    if broken is None and not met:
        broken = count + 1
    return ChainCheck(count, broken, previous)


def read_audit(connection: Connection) -> Iterator[AuditRow]:
    """Every entry, oldest first."""
    for row in connection.execute(select(verifications).order_by(verifications.c.id)):
        content = None if row.content is None else json.loads(row.content)
        if content is not None:
            content.pop("salt", None)
        yield AuditRow(int(row.id), row.at, content, row.chain)


def forget_entries(connection: Connection, employee_id: str) -> list[int]:
    """Take the content, not the digests, of every entry about one employee; returns their numbers.

    They belong into the next entry, under :data:`EMPTIED`: content that is gone otherwise breaks the chain.
    """
    _wait_for_turn(connection)
    gone = [
        int(row.id)
        for row in connection.execute(select(verifications).where(verifications.c.content.is_not(None)))
        if json.loads(row.content).get("employee_id") == employee_id
    ]
    for number in gone:
        connection.execute(update(verifications).where(verifications.c.id == number).values(content=None))
    return gone


def _wait_for_turn(connection: Connection) -> None:
    """Let nobody else write to the log until this transaction ends; readers go on.

    On SQLite a transaction that writes is alone already. The last row must not change hands between being read and
    being followed, and an empty log has no row that could be locked.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {verifications.name} IN EXCLUSIVE MODE")


def _is_object(text: str) -> bool:
    """Whether an entry that somebody may have edited is still JSON."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
