"""Who shares how many photos with whom.

SQLite sorts the pairs of a million faces in more than the two seconds that a report may take; numpy takes a fraction.
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

# Photo and person in one number: half as many for the driver to make.
_SEEN = """
SELECT assigned.photo_id << 32 | assigned.person_id
FROM assignments AS assigned
WHERE assigned.photo_id IS NOT NULL AND IN_GALLERY(assigned.face_id)
"""
_SEEN_IN_SCOPE = " AND assigned.photo_id IN (SELECT photo.id FROM photos AS photo WHERE IN_SCOPE(photo))"
_SEEN_WITH = """ AND assigned.photo_id IN (
    SELECT theirs.photo_id
    FROM persons AS person
    JOIN assignments AS theirs ON theirs.person_id = person.id
    WHERE person.person_id = :person AND IN_GALLERY(theirs.face_id)
)"""
# In the order of an index, so that neighbors in memory are neighbors on the photo.
_IN_ORDER = " ORDER BY assigned.photo_id, assigned.person_id"
_LISTED = "SELECT id, person_id, name FROM persons WHERE NOT hidden AND merged_into IS NULL"

_Numbers = NDArray[np.int64]
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class CoOccurrence:
    """Who shares how many photos with whom, by row ids; ``people`` has the public id and the name of each.

    Each two who share a photo are there once, as ``one[i]``, ``other[i]`` and ``photos[i]``, ``one`` below ``other``.
    """

    people: Mapping[int, tuple[str, str | None]]
    one: _Numbers
    other: _Numbers
    photos: _Numbers

    def closest(self, most: int) -> dict[int, list[tuple[int, int]]]:
        """For each person, up to ``most`` others with the photos shared, most first, then the lower row id."""
        person, friend = np.concatenate([self.one, self.other]), np.concatenate([self.other, self.one])
        # One number that is lowest for the most photos, and among equals for the lowest row id.
        score = -np.concatenate([self.photos, self.photos]) << 32 | friend
        if most == 1:
            order = np.argsort(person, kind="stable")
            starts = np.flatnonzero(np.diff(person[order], prepend=-1))
            best = np.minimum.reduceat(score[order], starts) if len(starts) else score
            return {
                each: [(first & _MASK, -(first >> 32))]
                for each, first in zip(person[order][starts].tolist(), best.tolist(), strict=True)
            }
        order = np.lexsort((score, person))
        found: dict[int, list[tuple[int, int]]] = {}
        for each, first in zip(person[order].tolist(), score[order].tolist(), strict=True):
            friends = found.setdefault(each, [])
            if len(friends) < most:
                friends.append((first & _MASK, -(first >> 32)))
        return found


def company(connection: Connection, values: Mapping[str, str]) -> CoOccurrence:
    """Who is with whom within the parameters of a scope and a gallery; hidden people are nobody's company."""
    people = {row: (person_id, name) for row, person_id, name in connection.execute(text(_LISTED))}
    scoped = bool(values["since"] or values["album"])
    query = _SEEN + scoped * _SEEN_IN_SCOPE + bool(values["person"]) * _SEEN_WITH + _IN_ORDER
    statement = text(expand_filters(query, connection.dialect.name, several=bool(values["several"])))
    cursor = connection.execute(statement, dict(values)).cursor
    assert cursor is not None
    seen = np.fromiter(chain.from_iterable(cursor.fetchall()), np.int64)
    seen = seen[np.isin(seen & _MASK, np.fromiter(people, np.int64, len(people)))]
    pairs, photos = np.unique(_pairs(seen), return_counts=True)
    return CoOccurrence(people, pairs >> 32, pairs & _MASK, photos)


def shared_photos(connection: Connection, values: Mapping[str, str], limit: int | None) -> str:
    """Two people and the photos that show both, ``[[one, other, photos], ...]`` as JSON, within the same parameters.

    Most photos first, then the lower row ids; ``limit`` are enough.
    """
    found = company(connection, values)
    pairs = np.stack([found.one, found.other, found.photos], axis=1)
    if values["person"]:
        row = next((row for row, (person_id, _) in found.people.items() if person_id == values["person"]), -1)
        pairs = pairs[(pairs[:, 0] == row) | (pairs[:, 1] == row)]
    if limit is not None and len(pairs) > limit:
        least = np.partition(pairs[:, 2], -limit)[-limit]
        pairs = pairs[pairs[:, 2] >= least]
    pairs = pairs[np.argsort(-pairs[:, 2], kind="stable")][:limit]
    return json.dumps(pairs.tolist(), separators=(",", ":"))


def most_frequent_companion(connection: Connection, values: Mapping[str, str]) -> dict[str, str]:
    """Name (or id) of whoever shares the most photos with each person, by public id, within the same parameters."""
    found = company(connection, values)
    named = {row: name or person_id for row, (person_id, name) in found.people.items()}
    return {found.people[person][0]: named[friends[0][0]] for person, friends in found.closest(1).items()}


def _pairs(seen: _Numbers) -> _Numbers:
    """Every two people on one photo, the lower row id first, once a photo, as ``one << 32 | other``.

    ``seen`` are ``photo << 32 | person``, ascending.
    """
    seen = seen[np.diff(seen, prepend=-1) != 0]
    photos, people = seen >> 32, seen & _MASK
    found = [np.empty(0, dtype=np.int64)]
    first = np.arange(len(seen))
    step = 1
    while len(first := first[first + step < len(seen)]):
        first = first[photos[first] == photos[first + step]]
        found.append(people[first] << 32 | people[first + step])
        step += 1
    return np.concatenate(found)
