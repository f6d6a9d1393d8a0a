"""The watch list: persons of interest that every scan looks for.

A hit is unreviewed until a user confirms or dismisses it. The default threshold is 99, the minimum that Amazon
recommends for decisions about people. A reference is stored as a padded crop, so that it works without its photo. It is
deleted with its entry.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from catalog.domain.charges import Charge
from catalog.domain.content_hash import sha256_of
from catalog.domain.engine import MAX_MATCHES, Engine
from catalog.domain.errors import NoFaceError, UsageError
from catalog.domain.faces import Analysis
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.people import clean_name
from catalog.domain.recommended_thresholds import WATCH_THRESHOLD
from catalog.domain.uri import display_name
from catalog.identities.decisions.log import DecisionStamp
from catalog.identities.matching.photo_flaws import warn_of_unclear_face
from catalog.identities.matching.watch_hits import WatchHit, list_hits, record_new_hits
from catalog.images.crop import cut_out
from catalog.store import watch_rows
from catalog.store.charge_scope import charge_scope
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.watch_rows import WatchEntry
from catalog.store.watch_searches import gallery_faces, has_faces, record_watch_search, searched_watches

log = logging.getLogger(__name__)

_PADDING = 0.8
_SIDE = 640
_NEGATIVE_THRESHOLD = 50.0
"""Negative references are searched at this similarity or below, so that the margin of a hit is known."""


def add_watch(
    database: Database,
    engine: Engine,
    name: str,
    references: Sequence[OpenedPhoto],
    negatives: Sequence[OpenedPhoto],
    stamp: DecisionStamp,
    *,
    threshold: float = WATCH_THRESHOLD,
    region: str = "",
    names: Sequence[str] = (),
) -> WatchEntry:
    """Add an entry. Of each photo the largest face is used. ``names`` are those of all photos, for messages.

    Raises ``NoFaceError`` for a photo without a face, and ``UsageError`` for a name that is taken or not printable, and
    for a photo that is both a reference and a negative reference.
    """
    name = clean_name(name) or ""
    if not name or not name.isprintable():
        raise UsageError("A name on the watch list must be printable text.")
    if {sha256_of(photo.data) for photo in references} & {sha256_of(photo.data) for photo in negatives}:
        raise UsageError("The same photo is given as a reference and with --not: nothing would ever match.")
    analyzed: list[tuple[OpenedPhoto, Analysis, bool]] = []
    with charge_scope(database, engine=engine.name, region=region, command="watch", now=stamp.now) as charges:
        flagged = [(photo, False) for photo in references] + [(photo, True) for photo in negatives]
        for photo, is_negative in flagged:
            analysis = engine.analyze(photo)
            charges += analysis.charges
            analyzed.append((photo, analysis, is_negative))
        shown = names or ["A reference photo"] * len(analyzed)
        for subject, (photo, analysis, _) in zip(shown, analyzed, strict=True):
            if not analysis.faces:
                raise NoFaceError(
                    f"{subject} shows no face.", remedy="Use a photo on which the face is larger or sharper."
                )
            if len(analysis.faces) > 1:
                log.warning("%s shows %d faces. The largest one is used.", subject, len(analysis.faces))
            warn_of_unclear_face(log, subject, photo, analysis.faces[0])
        with database.begin() as connection:
            _add(connection, name, threshold, analyzed, stamp)
            record_charges(
                connection, charges, engine=engine.name, region=region, command="watch", scan_id=None, now=stamp.now
            )
    return next(entry for entry in list_watches(database) if entry.name == name)


def _add(
    connection: Connection,
    name: str,
    threshold: float,
    analyzed: Sequence[tuple[OpenedPhoto, Analysis, bool]],
    stamp: DecisionStamp,
) -> None:
    if watch_rows.has_watch(connection, name):
        raise UsageError(f'"{name}" is on the watch list already.', remedy="Remove it first, or use another name.")
    references = [
        (
            cut_out(photo, analysis.faces[0].box, padding=_PADDING, side=_SIDE, quality=92),
            sha256_of(photo.data),
            is_negative,
        )
        for photo, analysis, is_negative in analyzed
    ]
    watch_rows.insert_watch(connection, name, threshold, references, who=stamp.who, now=stamp.now)


def list_watches(database: Database) -> list[WatchEntry]:
    """All entries, by name."""
    with database.read() as connection:
        return watch_rows.read_watches(connection)


def remove_watch(connection: Connection, name: str) -> None:
    """Delete an entry with its references and hits. Raises ``UsageError`` for an unknown name.

    An entry of an earlier version may have a name that is no longer accepted. It is removed by its exact name.
    """
    names = [name, unicodedata.normalize("NFC", " ".join(name.split()))]
    if not any(watch_rows.delete_watch(connection, form) for form in names):
        raise UsageError(f'"{display_name(name)}" is not on the watch list.', remedy="`catalog watch list` shows it.")


def check_watches(
    database: Database,
    engine: Engine,
    open_photo: Callable[[bytes], OpenedPhoto],
    *,
    gallery: str,
    region: str = "",
    scan_id: int | None,
    now: datetime,
    skip_searched: bool = False,
) -> tuple[list[WatchHit], list[Charge]]:
    """Search for every entry of the watch list; returns the new hits and the charges.

    With a paid engine each reference is one search. A reference without a face for this engine is skipped. With
    ``skip_searched`` only entries are searched for that are new, or that were not searched for since the faces of the
    gallery changed.
    """
    all_charges: list[Charge] = []
    numbers: list[int] = []
    entries = list_watches(database)
    if not entries:
        return [], []
    with database.read() as connection:
        # A paid search could not find a face of this catalogue. A scan makes the searches that its plan counted.
        if not skip_searched and not has_faces(connection, engine.name, gallery):
            return [], []
        present = gallery_faces(connection, engine.name, gallery)
        searched = searched_watches(connection, engine.name, gallery, present) if skip_searched else frozenset()
    for entry in entries:
        if entry.id in searched:
            continue
        with database.read() as connection:
            references = watch_rows.read_references(connection, entry.id)
        with charge_scope(
            database, engine=engine.name, region=region, command="watch", scan_id=scan_id, now=now
        ) as charges:
            matches, negatives = _search_references(engine, open_photo, entry, references, charges)
            with database.begin() as connection:
                record_charges(
                    connection, charges, engine=engine.name, region=region, command="watch", scan_id=scan_id, now=now
                )
                numbers += record_new_hits(connection, entry.id, matches, negatives, engine.name, gallery, scan_id, now)
                record_watch_search(connection, entry.id, engine.name, gallery, present)
        all_charges += charges
    with database.read() as connection:
        return list_hits(connection, numbers=numbers), all_charges


def _search_references(
    engine: Engine,
    open_photo: Callable[[bytes], OpenedPhoto],
    entry: WatchEntry,
    references: Sequence[tuple[bool, bytes]],
    charges: list[Charge],
) -> tuple[dict[str, float], dict[str, float]]:
    """Similarities by face id to the references, and to the negative references; adds to ``charges``."""
    matches: dict[str, float] = {}
    negatives: dict[str, float] = {}
    skipped = 0
    for is_negative, image in references:
        threshold = min(_NEGATIVE_THRESHOLD, entry.threshold) if is_negative else entry.threshold
        try:
            answer = engine.search(open_photo(image), threshold, MAX_MATCHES)
        except NoFaceError as error:  # the reference was added with another engine, or another model of this one
            charges += error.charges
            skipped += 1
            continue
        charges += answer.charges
        similarities = negatives if is_negative else matches
        for match in answer.matches:
            similarities[match.face_id] = max(match.similarity, similarities.get(match.face_id, 0.0))
    if skipped:  # without the name: the log must not say who is on the watch list
        log.warning(
            "Skipped %d of %d references of watch list entry %d: the engine finds no face on them.",
            skipped,
            len(references),
            entry.id,
        )
    return matches, negatives
