"""The watch list: persons of interest, looked for in every scan.

A hit is a claim by a machine; a human must review each before anything follows from it, and 99 is the lowest similarity
that Amazon advises where a match may cost somebody dearly. A reference is kept as a padded crop, so that the watch
works after its photo is gone, and goes when the watch is removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from catalog.engines.base import MAX_MATCHES, Engine
from catalog.errors import NoFaceError, UsageError
from catalog.identities.decisions import Stamp
from catalog.identities.purchases import purchases
from catalog.images.crop import cut_out
from catalog.images.fingerprint import sha256_of
from catalog.images.opened import OpenedPhoto
from catalog.store.appearances import Appearance, appearances_by_id, appearances_by_row
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.tables import utc_text, utc_time, watch_hits, watch_references, watches
from catalog.store.upsert import batches, insert_into
from catalog.vocabulary import Analysis, Charge

log = logging.getLogger(__name__)

THRESHOLD = 99.0
REVIEW = "A hit is a guess by a machine: a person must look at both photos before anything follows from it."

State = Literal["open", "confirmed", "dismissed"]

_PADDING = 0.8
_SIDE = 640
_NEGATIVE_FLOOR = 50.0
"""Negative references are searched this far down, so that a margin can be told."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One entry of the list."""

    id: int
    name: str
    threshold: float
    created_at: datetime
    created_by: str
    references: int
    negatives: int
    open_hits: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored face that resembles somebody on the list. ``margin`` is None where no negative reference came near."""

    number: int
    watch: str
    face: Appearance
    similarity: float
    margin: float | None
    state: State
    found_at: datetime
    reviewed_by: str | None


def add_watch(
    database: Database,
    engine: Engine,
    name: str,
    references: Sequence[OpenedPhoto],
    negatives: Sequence[OpenedPhoto],
    stamp: Stamp,
    *,
    threshold: float = THRESHOLD,
    region: str = "",
) -> Watch:
    """Put somebody on the list; the largest face of each photo counts.

    Raises :class:`~catalog.errors.NoFaceError` for a photo without a face and :class:`~catalog.errors.UsageError` for a
    name that is taken or no text, and for a photo that is to show both the person and somebody else.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise UsageError("A name on the watch list must be text.")
    if {sha256_of(photo.data) for photo in references} & {sha256_of(photo.data) for photo in negatives}:
        raise UsageError("The same photo is given as a reference and with --not: nothing would ever be found.")
    seen: list[tuple[OpenedPhoto, Analysis, bool]] = []
    with purchases(database, engine=engine.name, region=region, command="watch", now=stamp.now) as charges:
        for photo, negative in [(each, False) for each in references] + [(each, True) for each in negatives]:
            analysis = engine.analyze(photo)
            charges += analysis.charges
            seen.append((photo, analysis, negative))
        if any(not analysis.faces for _, analysis, _ in seen):
            raise NoFaceError(
                "A reference photo shows no face.", remedy="Take one on which the face is larger or sharper."
            )
        with database.begin() as connection:
            _add(connection, name, threshold, seen, stamp)
            record_charges(
                connection, charges, engine=engine.name, region=region, command="watch", scan_id=None, now=stamp.now
            )
    return next(each for each in list_watches(database) if each.name == name)


def _add(
    connection: Connection,
    name: str,
    threshold: float,
    seen: Sequence[tuple[OpenedPhoto, Analysis, bool]],
    stamp: Stamp,
) -> None:
    if connection.scalar(select(watches.c.id).where(watches.c.name == name)) is not None:
        raise UsageError(f'"{name}" is on the watch list already.', remedy="Remove it first, or take another name.")
    row = {
        "name": name,
        "threshold": threshold,
        "created_at": utc_text(stamp.now),
        "created_by": stamp.who,
    }
    watch = connection.execute(insert(watches).returning(watches.c.id), row).scalar_one()
    for photo, analysis, negative in seen:
        crop = cut_out(photo, analysis.faces[0].box, padding=_PADDING, side=_SIDE, quality=92)
        connection.execute(
            insert(watch_references),
            {"watch_id": watch, "negative": negative, "image": crop, "sha256": sha256_of(photo.data)},
        )


def list_watches(database: Database) -> list[Watch]:
    """The list, by name."""
    with database.read() as connection:
        rows = connection.execute(select(watches).order_by(watches.c.name)).all()
        kinds = connection.execute(
            select(watch_references.c.watch_id, watch_references.c.negative, func.count()).group_by(
                watch_references.c.watch_id, watch_references.c.negative
            )
        ).all()
        waiting = connection.execute(
            select(watch_hits.c.watch_id, func.count())
            .where(watch_hits.c.state == "open")
            .group_by(watch_hits.c.watch_id)
        ).all()
    counts = {(watch, bool(negative)): number for watch, negative, number in kinds}
    open_hits = {row[0]: row[1] for row in waiting}
    return [
        Watch(
            row.id,
            row.name,
            row.threshold,
            _time(row.created_at),
            row.created_by,
            counts.get((row.id, False), 0),
            counts.get((row.id, True), 0),
            open_hits.get(row.id, 0),
        )
        for row in rows
    ]


def remove_watch(connection: Connection, name: str) -> None:
    """Take somebody off the list, with references and hits. Raises :class:`~catalog.errors.UsageError`."""
    if connection.execute(delete(watches).where(watches.c.name == name)).rowcount == 0:
        raise UsageError(f'Nobody named "{name}" is on the watch list.', remedy="`catalog watch list` shows it.")


def check_watches(
    database: Database,
    engine: Engine,
    open_photo: Callable[[bytes], OpenedPhoto],
    *,
    gallery: str,
    region: str = "",
    scan_id: int | None,
    now: datetime,
) -> tuple[list[Hit], list[Charge]]:
    """Look for everybody on the list; returns the hits that are new, and what was paid.

    With a paid engine each reference costs one search. A reference in which the engine finds no face is left out.
    """
    paid: list[Charge] = []
    fresh: list[int] = []
    for watch in list_watches(database):
        with database.read() as connection:
            kept = connection.execute(
                select(watch_references.c.negative, watch_references.c.image)
                .where(watch_references.c.watch_id == watch.id)
                .order_by(watch_references.c.id)
            ).all()
        like: dict[str, float] = {}
        unlike: dict[str, float] = {}
        with purchases(
            database, engine=engine.name, region=region, command="watch", scan_id=scan_id, now=now
        ) as charges:
            blank = 0
            for negative, image in kept:
                floor = min(_NEGATIVE_FLOOR, watch.threshold) if negative else watch.threshold
                try:
                    answer = engine.search(open_photo(bytes(image)), floor, MAX_MATCHES)
                except NoFaceError as error:  # it was kept for another engine, or another model of this one
                    charges += error.charges
                    blank += 1
                    continue
                charges += answer.charges
                found = unlike if negative else like
                for match in answer.matches:
                    found[match.face_id] = max(match.similarity, found.get(match.face_id, 0.0))
            if blank:  # without the name: who is looked for is nobody's business who reads the log
                log.warning(
                    "%d of %d references of entry %d of the watch list were left out: they show the engine no face.",
                    blank,
                    len(kept),
                    watch.id,
                )
            with database.begin() as connection:
                record_charges(
                    connection, charges, engine=engine.name, region=region, command="watch", scan_id=scan_id, now=now
                )
                fresh += _keep(connection, watch, like, unlike, engine.name, gallery, scan_id, now)
        paid += charges
    with database.read() as connection:
        return _hits(connection, numbers=fresh), paid


def _keep(
    connection: Connection,
    watch: Watch,
    like: dict[str, float],
    unlike: dict[str, float],
    engine: str,
    gallery: str,
    scan_id: int | None,
    now: datetime,
) -> list[int]:
    """Write down the hits that are not known yet; returns their numbers."""
    known = appearances_by_id(connection, list(like), engine=engine, gallery=gallery)
    fresh = []
    for face_id, similarity in sorted(like.items(), key=lambda pair: -pair[1]):
        face, other = known.get(face_id), unlike.get(face_id)
        if face is None or (other is not None and other >= similarity):
            continue
        row = {
            "watch_id": watch.id,
            "face_id": face.row,
            "similarity": similarity,
            "margin": None if other is None else similarity - other,
            "state": "open",
            "found_at": utc_text(now),
            "scan_id": scan_id,
        }
        added = connection.execute(
            insert_into(connection, watch_hits).on_conflict_do_nothing().returning(watch_hits.c.id), row
        ).scalar()
        if added is not None:
            fresh.append(int(added))
    return fresh


def read_hits(database: Database, *, state: State | None = None, name: str | None = None) -> list[Hit]:
    """Hits, newest first; of one state, of one watch, if asked so."""
    with database.read() as connection:
        return _hits(connection, state=state, name=name)


def review_hit(connection: Connection, number: int, state: State, stamp: Stamp) -> None:
    """Say what a human saw. Raises :class:`~catalog.errors.UsageError` for a number that is no hit's."""
    reviewed = {"state": state, "reviewed_at": utc_text(stamp.now), "reviewed_by": stamp.who}
    if connection.execute(update(watch_hits).where(watch_hits.c.id == number).values(**reviewed)).rowcount == 0:
        raise UsageError(f"There is no hit {number}.", remedy="`catalog watch hits` lists them.")


def _hits(
    connection: Connection, *, state: State | None = None, name: str | None = None, numbers: Sequence[int] | None = None
) -> list[Hit]:
    query = (
        select(watch_hits, watches.c.name)
        .join(watches, watches.c.id == watch_hits.c.watch_id)
        .order_by(watch_hits.c.id.desc())
    )
    if state is not None:
        query = query.where(watch_hits.c.state == state)
    if name is not None:
        query = query.where(watches.c.name == name)
    asked = [query]
    if numbers is not None:
        asked = [query.where(watch_hits.c.id.in_(some)) for some in batches(sorted(numbers, reverse=True))]
    rows = [row for each in asked for row in connection.execute(each)]
    shown = appearances_by_row(connection, [row.face_id for row in rows])
    return [
        Hit(
            row.id,
            row.name,
            shown[row.face_id],
            row.similarity,
            row.margin,
            row.state,
            _time(row.found_at),
            row.reviewed_by,
        )
        for row in rows
        if row.face_id in shown
    ]


def _time(text: str) -> datetime:
    moment = utc_time(text)
    assert moment is not None
    return moment
