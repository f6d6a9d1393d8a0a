"""Call intents: paid calls that were sent, or were about to be, and whose charge is not recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.domain.charges import Operation
from catalog.domain.timestamps import utc_text
from catalog.store.tables import call_intents
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class CallIntent:
    """One call. ``sha256`` is empty for calls that enroll nothing."""

    intent: int
    operation: Operation
    sha256: str
    microdollars: int
    started_at: datetime


def add_intents(conn: Connection, intents: Sequence[CallIntent], *, engine: str, gallery: str, region: str) -> None:
    rows = [
        {
            "id": intent.intent,
            "engine": engine,
            "gallery": gallery,
            "region": region,
            "operation": intent.operation.value,
            "sha256": intent.sha256 or None,
            "microdollars": intent.microdollars,
            "started_at": utc_text(intent.started_at),
        }
        for intent in intents
    ]
    if rows:
        conn.execute(insert(call_intents), rows)


def close_intents(conn: Connection, intents: Sequence[int]) -> None:
    """Delete intents whose charge is recorded in this transaction, or whose call was not billed."""
    for batch in batches(intents):
        conn.execute(delete(call_intents).where(call_intents.c.id.in_(batch)))


def unanswered_contents(conn: Connection, engine: str, gallery: str) -> frozenset[str]:
    """Content hashes of photos that were sent to the gallery without a recorded answer."""
    in_gallery = (
        call_intents.c.engine == engine,
        call_intents.c.gallery == gallery,
        call_intents.c.sha256.is_not(None),
    )
    return frozenset(conn.scalars(select(call_intents.c.sha256).where(*in_gallery)))


def empty_answers(conn: Connection, engine: str, gallery: str) -> dict[str, str]:
    """Recorded answers to calls that enrolled no face in the gallery, by content hash."""
    query = select(call_intents.c.sha256, call_intents.c.answer).where(
        call_intents.c.engine == engine,
        call_intents.c.gallery == gallery,
        call_intents.c.sha256.is_not(None),
        call_intents.c.answer.is_not(None),
    )
    rows = conn.execute(query.order_by(call_intents.c.started_at))
    return {row.sha256: row.answer for row in rows}


def record_answers(conn: Connection, answers: Sequence[tuple[int, str]]) -> None:
    """Store answers by intent. An intent that is closed has no row, and nothing is stored."""
    for intent, answer in answers:
        conn.execute(update(call_intents).where(call_intents.c.id == intent).values(answer=answer))


def newest_intent(conn: Connection, engine: str, gallery: str) -> str | None:
    """Time of the newest intent as UTC text; None without any."""
    in_gallery = (call_intents.c.engine == engine, call_intents.c.gallery == gallery)
    newest: str | None = conn.scalar(select(func.max(call_intents.c.started_at)).where(*in_gallery))
    return newest
