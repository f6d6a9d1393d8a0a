"""Neighbor searches and their matches. Each answer was paid for, and is stored with its charge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, or_, select

from catalog.store.tables import enrollments, faces, matches, searches
from catalog.store.upsert import batches, insert_into

_INSERT_ROWS = 200


@dataclass(frozen=True, slots=True)
class SearchCounts:
    """Counts of one gallery. ``unsearched`` faces have no search and occur in no match."""

    faces: int
    photos: int
    searched: int
    unsearched: int


def count_searches(connection: Connection, *, engine: str, gallery: str) -> SearchCounts:
    in_gallery = (faces.c.engine == engine, faces.c.gallery == gallery)
    is_matched = (
        select(matches.c.face_a).where(or_(matches.c.face_a == faces.c.id, matches.c.face_b == faces.c.id)).exists()
    )
    is_searched = select(searches.c.face_id).where(searches.c.face_id == faces.c.id).exists()
    count = select(func.count())
    is_enrolled = (enrollments.c.engine == engine, enrollments.c.gallery == gallery)
    return SearchCounts(
        faces=connection.scalar(count.select_from(faces).where(*in_gallery)) or 0,
        photos=connection.scalar(count.select_from(enrollments).where(*is_enrolled)) or 0,
        searched=connection.scalar(count.select_from(searches.join(faces)).where(*in_gallery)) or 0,
        unsearched=connection.scalar(
            count.select_from(faces).where(*in_gallery, faces.c.not_a_face.is_(False), ~is_searched, ~is_matched)
        )
        or 0,
    )


def insert_search(
    connection: Connection,
    face_row: int,
    neighbors: Sequence[tuple[int, float]],
    *,
    threshold: float,
    is_complete: bool,
    searched_at: str,
) -> None:
    """Store one neighbor list: row ids of the neighbors with their similarity, 0-100. Known matches are kept."""
    rows = [
        {"face_a": min(face_row, row), "face_b": max(face_row, row), "similarity": similarity}
        for row, similarity in neighbors
        if row != face_row
    ]
    for batch in batches(rows, _INSERT_ROWS):
        connection.execute(insert_into(connection, matches).on_conflict_do_nothing(), list(batch))
    search = {"face_id": face_row, "threshold": threshold, "complete": is_complete, "searched_at": searched_at}
    connection.execute(insert_into(connection, searches).on_conflict_do_nothing(), search)


def matching_rows(connection: Connection, rows: Sequence[int], similarity: float) -> Iterator[tuple[int, int]]:
    """Each of the faces with each face that matches it at this similarity, 0-100, or above, by row id."""
    ends = (matches.c.face_a, matches.c.face_b)
    for batch in batches(rows):
        for end, far_end in (ends, ends[::-1]):
            query = select(end, far_end).where(end.in_(batch), matches.c.similarity >= similarity)
            yield from ((row, match) for row, match in connection.execute(query))


def read_matches(
    connection: Connection, *, engine: str, gallery: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """All matches of a gallery: row ids of both faces, and similarity, 0-100."""
    query = (
        select(matches.c.face_a, matches.c.face_b, matches.c.similarity)
        .join(faces, faces.c.id == matches.c.face_a)
        .where(faces.c.engine == engine, faces.c.gallery == gallery)
        .execution_options(yield_per=10_000)
    )
    rows = np.fromiter(
        (tuple(row) for row in connection.execute(query)), dtype=[("a", np.int64), ("b", np.int64), ("s", np.float64)]
    )
    return rows["a"], rows["b"], rows["s"]


def matches_of_face(connection: Connection, face_row: int, limit: int) -> list[tuple[int, float]]:
    """Row ids of the most similar matches of a face with their similarity, 0-100, the highest first."""
    query = (
        select(matches.c.face_a, matches.c.face_b, matches.c.similarity)
        .where(or_(matches.c.face_a == face_row, matches.c.face_b == face_row))
        .order_by(matches.c.similarity.desc())
        .limit(limit)
    )
    return [(a if b == face_row else b, similarity) for a, b, similarity in connection.execute(query)]


def are_known_apart(connection: Connection, rows: Sequence[int], other_rows: Sequence[int]) -> bool:
    """Return True if a complete search of a face of one group shows that no face of the other group matches it."""
    has_search = connection.scalar(
        select(searches.c.face_id).where(searches.c.face_id.in_([*rows, *other_rows]), searches.c.complete).limit(1)
    )
    has_match = connection.scalar(
        select(matches.c.face_a)
        .where(
            or_(
                matches.c.face_a.in_(rows) & matches.c.face_b.in_(other_rows),
                matches.c.face_a.in_(other_rows) & matches.c.face_b.in_(rows),
            )
        )
        .limit(1)
    )
    return has_search is not None and has_match is None
