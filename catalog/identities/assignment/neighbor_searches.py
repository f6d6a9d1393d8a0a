"""Edges that cost money: which neighbor lists to ask for, and keeping every answer.

With Amazon Rekognition each list of neighbors is a paid call. A face that a searched face found to be very near itself
(``cover``) is not asked about: whatever is near it is near the other too, and the other's list shows it. Good faces
are asked about first, as they cover most. Two that look born far apart, or of different gender, do not cover one
another: they will not be joined. What was bought is kept in ``matches`` and ``searches`` in the transaction that
records its charge, and is never bought again: a scan that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, or_, select

from catalog.domain.charges import Charge
from catalog.domain.engine import Engine
from catalog.domain.faces import NeighborList
from catalog.domain.timestamps import utc_text
from catalog.identities.clustering.face_table import FaceTable, rows_still_there
from catalog.identities.clustering.similarity_graph import Edges, Floats
from catalog.store.database import Database
from catalog.store.scans import record_charges
from catalog.store.tables import enrollments, faces, matches, searches
from catalog.store.upsert import batches, insert_into

_CLIP = 1e-5
"""Shares nearer to 0 or 1 than this are taken as this near: a similarity of 100 is not infinitely sure."""


@dataclass(frozen=True, slots=True)
class SearchRules:
    """What to ask for. ``threshold`` and ``cover`` are similarities, 0-100."""

    threshold: float
    """Lowest similarity that a list shows; lower shows more doubtful pairs and costs the same."""
    cover: float
    """A face this similar to one that was searched need not be searched."""
    need: int
    """By how many searched faces it must be covered: 1 is cheapest, 2 safer."""
    workers: int
    """Searches under way at once."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Searches still to be made. ``at_most`` asks about every face; ``expected`` leaves out those likely covered."""

    at_most: int
    expected: int


def logit(similarity: NDArray[np.float64] | float) -> Floats:
    """The scale on which similarities of 0 to 100 may be averaged: 50 is 0, 80 is 1.4, 99 is 4.6, 99.9 is 6.9."""
    share = np.clip(np.asarray(similarity, dtype=np.float64) / 100.0, _CLIP, 1.0 - _CLIP)
    return np.asarray(np.log(share / (1.0 - share)), dtype=np.float64)


def plan_searches(connection: Connection, *, engine: str, gallery: str, new_photos: int) -> SearchPlan:
    """How many searches the next scan will make, with so many new photos, judged by what this gallery has seen.

    Where it has seen nothing yet, a photo is taken to show two faces and three faces in five to need a search.
    """
    here = (faces.c.engine == engine, faces.c.gallery == gallery)
    known = connection.scalar(select(func.count()).select_from(faces).where(*here)) or 0
    asked = connection.scalar(select(func.count()).select_from(searches.join(faces)).where(*here)) or 0
    waiting = _waiting(connection, engine, gallery)
    photos = (
        connection.scalar(
            select(func.count())
            .select_from(enrollments)
            .where(enrollments.c.engine == engine, enrollments.c.gallery == gallery)
        )
        or 0
    )
    coming = round(new_photos * (known / photos if photos else 2.0))
    rate = asked / known if known and asked else 0.6
    return SearchPlan(at_most=waiting + coming, expected=waiting + round(coming * min(rate, 1.0)))


def _waiting(connection: Connection, engine: str, gallery: str) -> int:
    """Faces that were neither asked about nor found by anybody's list."""
    found = select(matches.c.face_a).where(or_(matches.c.face_a == faces.c.id, matches.c.face_b == faces.c.id)).exists()
    asked = select(searches.c.face_id).where(searches.c.face_id == faces.c.id).exists()
    query = (
        select(func.count())
        .select_from(faces)
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False), ~asked, ~found)
    )
    return int(connection.scalar(query) or 0)


def run_neighbor_searches(
    database: Database,
    engine: Engine,
    roster: FaceTable,
    rules: SearchRules,
    *,
    region: str,
    scan_id: int | None,
    now: datetime,
) -> list[Charge]:
    """Ask for the lists that the cover leaves open; each answer is kept with its charge before the next is begun.

    Raises what the engine raises; everything bought until then is kept, the answers to searches that were under way at
    the time too.
    """
    place = dict(zip(roster.face_ids, range(len(roster)), strict=True))
    hits = np.zeros(len(roster), dtype=np.int64)
    with database.read() as connection:
        open_rows = roster.rows[~roster.asked].tolist()
        for some in batches(list(_covered(connection, open_rows, rules.cover))):
            covered, by = (roster.places(rows) for rows in zip(*some, strict=True))
            known = by >= 0
            np.add.at(hits, covered[known], ~roster.apparent.at_odds(covered[known], by[known]))
    open_faces = np.flatnonzero(~roster.asked)
    order = iter(open_faces[np.argsort(-roster.quality[open_faces], kind="stable")].tolist())
    charges: list[Charge] = []
    with ThreadPoolExecutor(rules.workers, thread_name_prefix="search") as pool:
        while wave := _wave(order, hits, rules):
            asked = [pool.submit(_ask, engine, roster.face_ids[at], rules.threshold) for at in wave]
            try:
                wait(asked)
            finally:
                # Also when somebody interrupts: what is under way will be paid for.
                failures = [error for each in asked if (error := each.exception()) is not None]
                answers = [(at, each.result()) for at, each in zip(wave, asked, strict=True) if not each.exception()]
                for at, answer in answers:
                    if answer is None:
                        continue
                    near = [
                        (place[match.face_id], match.similarity) for match in answer.matches if match.face_id in place
                    ]
                    _keep(database, engine.name, roster, at, answer, near, rules, region, scan_id, now)
                    charges += answer.charges
                    covered = np.array([other for other, alike in near if alike >= rules.cover], dtype=np.int64)
                    hits[covered] += ~roster.apparent.at_odds(covered, np.full_like(covered, at))
            if failures:
                raise failures[0]
    return charges


def _wave(order: Iterator[int], hits: NDArray[np.int64], rules: SearchRules) -> list[int]:
    """The next faces that nobody covers, as many as are searched at once."""
    wave: list[int] = []
    for at in order:
        if hits[at] < rules.need:
            wave.append(at)
        if len(wave) == rules.workers:
            break
    return wave


def _ask(engine: Engine, face_id: str, threshold: float) -> NeighborList | None:
    try:
        return engine.neighbors(face_id, threshold)
    except KeyError:
        return None  # gone from the gallery since it was recorded: the next scan reconciles


def _keep(
    database: Database,
    engine: str,
    roster: FaceTable,
    at: int,
    answer: NeighborList,
    near: Sequence[tuple[int, float]],
    rules: SearchRules,
    region: str,
    scan_id: int | None,
    now: datetime,
) -> None:
    row = int(roster.rows[at])
    found = [(int(roster.rows[other]), similarity) for other, similarity in near]
    with database.begin() as connection:
        there = rows_still_there(connection, [row, *(other for other, _ in found)])
        edges = [
            {"face_a": min(row, other), "face_b": max(row, other), "similarity": similarity}
            for other, similarity in found
            if other != row and row in there and other in there
        ]
        for some in batches(edges, 200):
            connection.execute(insert_into(connection, matches).on_conflict_do_nothing(), list(some))
        if row in there:
            connection.execute(
                insert_into(connection, searches).on_conflict_do_nothing(),
                {
                    "face_id": row,
                    "threshold": rules.threshold,
                    "complete": answer.complete,
                    "searched_at": utc_text(now),
                },
            )
        record_charges(
            connection, answer.charges, engine=engine, region=region, command="scan", scan_id=scan_id, now=now
        )


def _covered(connection: Connection, rows: Sequence[int], cover: float) -> Iterator[tuple[int, int]]:
    """Row ids among ``rows``, each with that of a searched face that covers it, once for each such face."""
    ends = (matches.c.face_a, matches.c.face_b)
    for some in batches(rows):
        for end, other in (ends, ends[::-1]):
            query = select(end, other).where(end.in_(some), matches.c.similarity >= cover)
            yield from ((row, by) for row, by in connection.execute(query))


def read_edges(connection: Connection, roster: FaceTable, *, engine: str, gallery: str) -> Edges:
    """The edges that were bought between the faces of a roster, with their similarity on the logit scale."""
    query = (
        select(matches.c.face_a, matches.c.face_b, matches.c.similarity)
        .join(faces, faces.c.id == matches.c.face_a)
        .where(faces.c.engine == engine, faces.c.gallery == gallery)
        .execution_options(yield_per=10_000)
    )
    rows = np.fromiter(
        (tuple(row) for row in connection.execute(query)), dtype=[("a", np.int64), ("b", np.int64), ("s", np.float64)]
    )
    first, second = roster.places(rows["a"]), roster.places(rows["b"])
    known = (first >= 0) & (second >= 0)
    first, second = first[known], second[known]
    return Edges(np.minimum(first, second), np.maximum(first, second), logit(rows["s"][known]))
