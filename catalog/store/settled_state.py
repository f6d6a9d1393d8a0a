"""The facts that the steps after a scan follow from, as a short text, and the facts for which they had nothing to do.

The text changes whenever faces, photos, persons, assignments, decisions or stacks do. It holds counts and sums that
indexes answer, because it is computed after every scan. Other changes in place, such as a date that a user set, come
with a decision, or make the stacks be formed again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, case, func, or_, select, update

from catalog.store.catalogue_owner import catalogue_owner
from catalog.store.tables import (
    assignments,
    catalogue,
    decisions,
    locations,
    persons,
    photos,
    removals,
    review_answers,
    review_skips,
    scans,
    stacked_photos,
    tombstones,
    watches,
)
from catalog.store.watch_searches import gallery_faces, searched_watches


@dataclass(frozen=True, slots=True)
class SettledState:
    """``basis`` are the facts and settings for which the steps had nothing to do; ``conflicts`` is their only count."""

    basis: str
    conflicts: int


def read_settled_state(conn: Connection) -> SettledState | None:
    """Return what :func:`write_settled_state` stored; None before the first time."""
    text = conn.scalar(select(catalogue.c.settled_state))
    return None if text is None else SettledState(**json.loads(text))


def write_settled_state(conn: Connection, state: SettledState) -> None:
    catalogue_owner(conn)  # adds the row
    conn.execute(update(catalogue).values(settled_state=json.dumps(asdict(state))))


def facts_now(conn: Connection, engine: str, gallery: str, *, scan_id: int) -> str:
    """Return the present facts. ``scan_id`` is the running scan, whose own row is no fact."""
    missing = locations.c.missing_since.is_not(None)
    answers = (
        select(func.count(), func.max(photos.c.id)),
        select(func.max(locations.c.id)),
        select(func.count(), func.sum(locations.c.id)).where(missing),
        select(func.count(), func.sum(assignments.c.face_id), func.sum(assignments.c.person_id)),
        select(
            func.count(),
            func.max(persons.c.id),
            func.sum(persons.c.merged_into),
            func.sum(func.length(persons.c.name)),
            func.count(persons.c.birth_date),
            func.sum(case((persons.c.hidden, 1), else_=0)),
        ),
        select(func.max(decisions.c.id), func.count(decisions.c.undone_by), func.sum(decisions.c.undone_by)),
        select(func.count(), func.max(tombstones.c.id)),
        select(func.count()).select_from(removals),
        select(func.count(), func.sum(stacked_photos.c.counted_id)),
        select(catalogue.c.stack_state, catalogue.c.review_state),
        select(func.max(scans.c.id)).where(_has_news(), scans.c.id != scan_id),
    )
    values = [str(value or 0) for query in answers for row in conn.execute(query) for value in row]
    return " ".join([gallery_faces(conn, engine, gallery), *values])


def _has_news() -> ColumnElement[bool]:
    """A scan that recorded photos, or that did not end well: it may have recorded some."""
    return or_(scans.c.state != "completed", scans.c.discovered != scans.c.unchanged + scans.c.failed + scans.c.skipped)


def is_anything_due(conn: Connection, engine: str, gallery: str, *, skips_before: str, answers_before: str) -> bool:
    """Return whether a step has work that does not follow from the facts.

    That is an entry of the watch list that was not searched for, or a skip or an answer whose time (UTC text) is over.
    """
    expired = (
        select(review_skips.c.id).where(review_skips.c.until < skips_before),
        select(review_answers.c.key).where(review_answers.c.at < answers_before),
    )
    if any(conn.execute(query.limit(1)).first() for query in expired):
        return True
    watched = set(conn.scalars(select(watches.c.id)))
    return bool(watched and watched - searched_watches(conn, engine, gallery, gallery_faces(conn, engine, gallery)))
