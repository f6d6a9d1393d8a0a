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

from sqlalchemy import Connection, delete, func, insert, select

from catalog.domain.charges import Charge
from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import MAX_MATCHES, Engine
from catalog.domain.errors import NoFaceError, UsageError
from catalog.domain.faces import Analysis
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.timestamps import required_time, utc_text
from catalog.identities.decisions.verbs import DecisionStamp
from catalog.identities.matching.watch_hits import WatchHit, list_hits, record_new_hits
from catalog.images.crop import cut_out
from catalog.store.charge_scope import charge_scope
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.tables import watch_hits, watch_references, watches

log = logging.getLogger(__name__)

THRESHOLD = 99.0

_PADDING = 0.8
_SIDE = 640
_NEGATIVE_FLOOR = 50.0
"""Negative references are searched this far down, so that a margin can be told."""


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """One entry of the list."""

    id: int
    name: str
    threshold: float
    created_at: datetime
    created_by: str
    references: int
    negatives: int
    open_hits: int


def add_watch(
    database: Database,
    engine: Engine,
    name: str,
    references: Sequence[OpenedPhoto],
    negatives: Sequence[OpenedPhoto],
    stamp: DecisionStamp,
    *,
    threshold: float = THRESHOLD,
    region: str = "",
) -> WatchEntry:
    """Put somebody on the list; the largest face of each photo counts.

    Raises ``NoFaceError`` for a photo without a face and ``UsageError`` for a
    name that is taken or no text, and for a photo that is to show both the person and somebody else.
    """
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise UsageError("A name on the watch list must be text.")
    if {sha256_of(photo.data) for photo in references} & {sha256_of(photo.data) for photo in negatives}:
        raise UsageError("The same photo is given as a reference and with --not: nothing would ever be found.")
    seen: list[tuple[OpenedPhoto, Analysis, bool]] = []
    with charge_scope(database, engine=engine.name, region=region, command="watch", now=stamp.now) as charges:
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
    stamp: DecisionStamp,
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


def list_watches(database: Database) -> list[WatchEntry]:
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
        WatchEntry(
            row.id,
            row.name,
            row.threshold,
            required_time(row.created_at),
            row.created_by,
            counts.get((row.id, False), 0),
            counts.get((row.id, True), 0),
            open_hits.get(row.id, 0),
        )
        for row in rows
    ]


def remove_watch(connection: Connection, name: str) -> None:
    """Take somebody off the list, with references and hits. Raises ``UsageError``."""
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
) -> tuple[list[WatchHit], list[Charge]]:
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
        with charge_scope(
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
                fresh += record_new_hits(connection, watch.id, like, unlike, engine.name, gallery, scan_id, now)
        paid += charges
    with database.read() as connection:
        return list_hits(connection, numbers=fresh), paid
