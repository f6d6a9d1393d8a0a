"""Neighbor searches: which faces to search for, and storing every answer with its charge.

With Amazon Rekognition each neighbor list is a paid call. A face that is very similar to a searched face
(``covered_similarity``) is not searched: its neighbors are near the searched face too, and are in that list. Faces of
high quality are searched first, because they cover most others. Two faces in conflict by demographics do not cover one
another, because they are not merged. Faces of one photo do not cover one another either. If a face covers several faces
of another photo, one of them is searched all the same: only its list shows if they are copies of one face. An answer is
stored in the transaction that records its charge. A search is never repeated: a scan that was killed continues where it
stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from catalog.domain.charges import Charge
from catalog.domain.engine import Engine
from catalog.domain.faces import NeighborList
from catalog.domain.timestamps import utc_text
from catalog.identities.assignment.gallery_clustering import SearchRules
from catalog.identities.clustering.arrays import Ints
from catalog.identities.clustering.face_table import FaceTable
from catalog.store.database import Database
from catalog.store.face_rows import present_rows
from catalog.store.neighbor_search_rows import count_searches, insert_search, matching_rows
from catalog.store.scans import record_charges

_FACES_PER_PHOTO = 2.0
"""Assumed while a gallery is empty. Not measured."""
_SEARCHES_PER_FACE = 0.75
"""Assumed while a gallery has no searches. It lies between 0.9, measured on 12 photos, and the lower rates of large
libraries. It was chosen on the table of tests/benchmarks/cost_table.py."""
_ASSUMED_FACES = 20
"""The assumption counts as much as so many faces of the gallery. Not measured."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Number of searches still to run.

    ``at_most`` counts every face; ``expected`` leaves out those likely covered. ``new_faces`` is the expected number
    of faces on the new photos.
    """

    at_least: int
    expected: int
    at_most: int
    new_faces: int


def plan_searches(
    connection: Connection, *, engine: str, gallery: str, new_photos: int, faces_per_photo: float | None = None
) -> SearchPlan:
    """Estimate the searches of the next scan from this gallery's faces and searches so far.

    ``faces_per_photo`` replaces the assumption for a gallery without photos.
    """
    counts = count_searches(connection, engine=engine, gallery=gallery)
    assumed = _FACES_PER_PHOTO if faces_per_photo is None else faces_per_photo
    new_faces = round(new_photos * (counts.faces / counts.photos if counts.photos else assumed))
    rate = (counts.searched + _ASSUMED_FACES * _SEARCHES_PER_FACE) / (counts.faces + _ASSUMED_FACES)
    return SearchPlan(
        at_least=0,
        expected=counts.unsearched + round(new_faces * min(rate, 1.0)),
        at_most=counts.unsearched + new_faces,
        new_faces=new_faces,
    )


def run_neighbor_searches(
    database: Database,
    engine: Engine,
    table: FaceTable,
    rules: SearchRules,
    *,
    region: str,
    scan_id: int | None,
    now: datetime,
) -> list[Charge]:
    """Search for every face that is not covered. Each answer is stored with its charge before the next one starts.

    Raises what the engine raises. Answers until then are stored, including those of searches that were running.
    """
    index_by_id = dict(zip(table.face_ids, range(len(table)), strict=True))
    covering = _covering_counts(database, table, rules)
    unsearched = np.flatnonzero(~table.is_searched)
    order = iter(unsearched[np.argsort(-table.quality[unsearched], kind="stable")].tolist())
    charges: list[Charge] = []
    with ThreadPoolExecutor(rules.workers, thread_name_prefix="search") as pool:
        while wave := _wave(order, covering, rules):
            searches = [pool.submit(_search, engine, table.face_ids[index], rules.threshold) for index in wave]
            try:
                wait(searches)
            finally:
                # Also on KeyboardInterrupt: the running searches are billed.
                failures = [error for search in searches if (error := search.exception()) is not None]
                answers = [
                    (index, search.result())
                    for index, search in zip(wave, searches, strict=True)
                    if not search.exception()
                ]
                for index, answer in answers:
                    if answer is None:
                        continue
                    neighbors = [
                        (index_by_id[match.face_id], match.similarity)
                        for match in answer.matches
                        if match.face_id in index_by_id
                    ]
                    _store(database, engine.name, table, index, answer, neighbors, rules, region, scan_id, now)
                    charges += answer.charges
                    candidates = [
                        neighbor for neighbor, similarity in neighbors if similarity >= rules.covered_similarity
                    ]
                    _count_covered(table, index, np.array(candidates, dtype=np.int64), covering)
            if failures:
                raise failures[0]
    return charges


def _covering_counts(database: Database, table: FaceTable, rules: SearchRules) -> Ints:
    """For each face without a search the number of searched faces that cover it."""
    counts = np.zeros(len(table), dtype=np.int64)
    with database.read() as connection:
        unsearched_rows = table.row_ids[~table.is_searched].tolist()
        pairs = list(matching_rows(connection, unsearched_rows, rules.covered_similarity))
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    covered, covering = table.indexes_of_rows(rows[:, 0]), table.indexes_of_rows(rows[:, 1])
    covered_by: dict[int, list[int]] = defaultdict(list)
    for face, index in zip(covering.tolist(), covered.tolist(), strict=True):
        if face >= 0:
            covered_by[face].append(index)
    for face, indexes in covered_by.items():
        _count_covered(table, face, np.array(indexes, dtype=np.int64), counts)
    return counts


def _count_covered(table: FaceTable, face: int, candidates: Ints, counts: Ints) -> None:
    """Add 1 to the count of each face that ``face`` covers; ``candidates`` are those similar enough."""
    is_covered = ~table.demographics.conflict(candidates, np.full_like(candidates, face)) & (
        table.photo[candidates] != table.photo[face]
    )
    covered = np.sort(candidates[is_covered])
    _, first, faces_on_photo = np.unique(table.photo[covered], return_index=True, return_counts=True)
    counts[np.delete(covered, first[faces_on_photo > 1])] += 1


def _wave(order: Iterator[int], covering: Ints, rules: SearchRules) -> list[int]:
    """The next faces that are not covered, as many as are searched at a time."""
    wave: list[int] = []
    for index in order:
        if covering[index] < rules.covering_faces:
            wave.append(index)
        if len(wave) == rules.workers:
            break
    return wave


def _search(engine: Engine, face_id: str, threshold: float) -> NeighborList | None:
    try:
        return engine.neighbors(face_id, threshold)
    except KeyError:
        return None  # the gallery lost the face since it was recorded; the next scan reconciles


def _store(
    database: Database,
    engine: str,
    table: FaceTable,
    index: int,
    answer: NeighborList,
    neighbors: Sequence[tuple[int, float]],
    rules: SearchRules,
    region: str,
    scan_id: int | None,
    now: datetime,
) -> None:
    row = int(table.row_ids[index])
    matches = [(int(table.row_ids[neighbor]), similarity) for neighbor, similarity in neighbors]
    with database.begin() as connection:
        present = present_rows(connection, [row, *(neighbor for neighbor, _ in matches)])
        if row in present:
            insert_search(
                connection,
                row,
                [(neighbor, similarity) for neighbor, similarity in matches if neighbor in present],
                threshold=rules.threshold,
                is_complete=answer.complete,
                searched_at=utc_text(now) or "",
            )
        record_charges(
            connection, answer.charges, engine=engine, region=region, command="scan", scan_id=scan_id, now=now
        )
