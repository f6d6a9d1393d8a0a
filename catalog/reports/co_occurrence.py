"""Co-occurrence: numbers of photos that pairs of persons share.

Counted with numpy: SQLite needs more than two seconds, the limit for a report, to sort the pairs of a million faces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from catalog.reports.report_registry import expand_filters

# Photo and person in one number: the driver creates half as many Python objects.
_APPEARANCES = """
SELECT assigned.photo_id << 32 | assigned.person_id
FROM assignments AS assigned
WHERE assigned.photo_id IS NOT NULL AND IN_GALLERY(assigned.face_id)
"""
_FILTERED = " AND assigned.photo_id IN (SELECT photo.id FROM photos AS photo WHERE PASSES_FILTERS(photo))"
_WITH_PERSON = """ AND assigned.photo_id IN (
    SELECT shared.photo_id
    FROM persons AS person
    JOIN assignments AS shared ON shared.person_id = person.id
    WHERE person.person_id = :person AND IN_GALLERY(shared.face_id)
)"""
# In the order of an index. Persons of one photo are adjacent.
_ORDER = " ORDER BY assigned.photo_id, assigned.person_id"
_STACKED = "SELECT photo_id, counted_id FROM stacked_photos ORDER BY photo_id"
_VISIBLE_PERSONS = "SELECT id, person_id, name FROM persons WHERE NOT hidden AND merged_into IS NULL"

_Numbers = NDArray[np.int64]
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class CoOccurrence:
    """Pairs of persons who share photos: ``one[i]`` and ``other[i]`` share ``photos[i]`` photos.

    Persons are row ids, ``one[i] < other[i]``; each pair occurs once. ``people`` has public id and name by row id.
    """

    people: Mapping[int, tuple[str, str | None]]
    one: _Numbers
    other: _Numbers
    photos: _Numbers

    def closest(self, limit: int) -> dict[int, list[tuple[int, int]]]:
        """Return up to ``most`` companions per person with the number of shared photos.

        Most photos first, then the lower row id.
        """
        person, companion = np.concatenate([self.one, self.other]), np.concatenate([self.other, self.one])
        # One sort key: more photos first, then the lower row id.
        score = -np.concatenate([self.photos, self.photos]) << 32 | companion
        if limit == 1:
            order = np.argsort(person, kind="stable")
            starts = np.flatnonzero(np.diff(person[order], prepend=-1))
            best = np.minimum.reduceat(score[order], starts) if len(starts) else score
            return {
                row: [(key & _MASK, -(key >> 32))]
                for row, key in zip(person[order][starts].tolist(), best.tolist(), strict=True)
            }
        order = np.lexsort((score, person))
        companions_by_person: dict[int, list[tuple[int, int]]] = {}
        for row, key in zip(person[order].tolist(), score[order].tolist(), strict=True):
            companions = companions_by_person.setdefault(row, [])
            if len(companions) < limit:
                companions.append((key & _MASK, -(key >> 32)))
        return companions_by_person


def co_occurrence(connection: Connection, values: Mapping[str, str]) -> CoOccurrence:
    """Count co-occurrence for the parameters of filters and a gallery. Hidden persons are excluded."""
    people = {row: (person_id, name) for row, person_id, name in connection.execute(text(_VISIBLE_PERSONS))}
    filtered = bool(values["since"] or values["album"])
    query = _APPEARANCES + filtered * _FILTERED + bool(values["person"]) * _WITH_PERSON + _ORDER
    statement = text(expand_filters(query, connection.dialect.name, several=bool(values["several"])))
    cursor = connection.execute(statement, dict(values)).cursor
    assert cursor is not None
    appearances = np.fromiter(chain.from_iterable(cursor.fetchall()), np.int64)
    appearances = _by_exposure(connection, appearances)
    appearances = appearances[np.isin(appearances & _MASK, np.fromiter(people, np.int64, len(people)))]
    pairs, photos = np.unique(_pairs(appearances), return_counts=True)
    return CoOccurrence(people, pairs >> 32, pairs & _MASK, photos)


def shared_photos(connection: Connection, values: Mapping[str, str], limit: int | None) -> str:
    """Return ``[[one, other, photos], ...]`` as JSON: pairs of row ids and the number of shared photos.

    Most photos first, then the lower row ids; at most ``limit`` pairs.
    """
    counts = co_occurrence(connection, values)
    pairs = np.stack([counts.one, counts.other, counts.photos], axis=1)
    if values["person"]:
        row = next((row for row, (person_id, _) in counts.people.items() if person_id == values["person"]), -1)
        pairs = pairs[(pairs[:, 0] == row) | (pairs[:, 1] == row)]
    if limit is not None and len(pairs) > limit:
        lowest = np.partition(pairs[:, 2], -limit)[-limit]
        pairs = pairs[pairs[:, 2] >= lowest]
    pairs = pairs[np.argsort(-pairs[:, 2], kind="stable")][:limit]
    return json.dumps(pairs.tolist(), separators=(",", ":"))


def most_frequent_companion(connection: Connection, values: Mapping[str, str]) -> dict[str, str]:
    """Return by public id the name (or id) of the person who shares the most photos with this person."""
    counts = co_occurrence(connection, values)
    labels = {row: name or person_id for row, (person_id, name) in counts.people.items()}
    return {counts.people[row][0]: labels[companions[0][0]] for row, companions in counts.closest(1).items()}


def _by_exposure(connection: Connection, appearances: _Numbers) -> _Numbers:
    """Return the appearances with the photo that counts in place of each photo that does not, ascending."""
    stacked = connection.execute(text(_STACKED)).all()
    if not stacked:
        return appearances
    photos, counted = np.array(stacked, dtype=np.int64).T
    index = np.searchsorted(photos, appearances >> 32).clip(max=len(photos) - 1)
    is_stacked = photos[index] == appearances >> 32
    counts_as = np.where(is_stacked, counted[index], appearances >> 32)
    return np.sort(counts_as << 32 | (appearances & _MASK))


def _pairs(appearances: _Numbers) -> _Numbers:
    """Return all pairs of persons on a photo as ``one << 32 | other`` with ``one < other``, once per photo.

    ``appearances`` are ``photo << 32 | person``, ascending.
    """
    distinct = appearances[np.diff(appearances, prepend=-1) != 0]
    photos, people = distinct >> 32, distinct & _MASK
    parts = [np.empty(0, dtype=np.int64)]
    first = np.arange(len(distinct))
    step = 1
    while len(first := first[first + step < len(distinct)]):
        first = first[photos[first] == photos[first + step]]
        parts.append(people[first] << 32 | people[first + step])
        step += 1
    return np.concatenate(parts)
