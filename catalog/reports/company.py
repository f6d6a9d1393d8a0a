"""With whom each person shares the most photos.

SQLite sorts the pairs of a million faces in more than the two seconds that a report may take; numpy takes a fraction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from catalog.reports.questions import spell_scoped

_SEEN = """
SELECT assigned.photo_id, assigned.person_id
FROM assignments AS assigned
JOIN photos AS photo ON photo.id = assigned.photo_id
WHERE IN_SCOPE(photo)
"""
_SEEN_WITH = """ AND assigned.photo_id IN (
    SELECT theirs.photo_id
    FROM persons AS person
    JOIN assignments AS theirs ON theirs.person_id = person.id
    WHERE person.person_id = :person
)"""
_LISTED = "SELECT id, person_id, name FROM persons WHERE NOT hidden AND merged_into IS NULL"

_Numbers = NDArray[np.int64]
_MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, eq=False)
class Company:
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


def company(connection: Connection, values: Mapping[str, str]) -> Company:
    """Who is with whom within a scope's parameters; hidden people are nobody's company."""
    people = {row: (person_id, name) for row, person_id, name in connection.execute(text(_LISTED))}
    seen = _SEEN + (_SEEN_WITH if values["person"] else "")
    # In the order of an index, so that neighbors in memory are neighbors on the photo.
    ordered = f"{seen} ORDER BY assigned.photo_id, assigned.person_id"
    statement = text(spell_scoped(ordered, connection.dialect.name))
    cursor = connection.execute(statement, dict(values)).cursor
    assert cursor is not None
    rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    rows = rows[np.isin(rows[:, 1], np.fromiter(people, np.int64, len(people)))]
    pairs, photos = np.unique(_pairs(rows[:, 0], rows[:, 1]), return_counts=True)
    return Company(people, pairs >> 32, pairs & _MASK, photos)


def favorite_company(connection: Connection, values: Mapping[str, str]) -> dict[str, str]:
    """Name (or id) of whoever shares the most photos with each person, by public id, within a scope's parameters."""
    found = company(connection, values)
    named = {row: name or person_id for row, (person_id, name) in found.people.items()}
    return {found.people[person][0]: named[friends[0][0]] for person, friends in found.closest(1).items()}


def _pairs(photos: _Numbers, people: _Numbers) -> _Numbers:
    """Every two people on one photo, the lower row id first, once a photo, as ``one << 32 | other``.

    Rows come ordered by photo and person.
    """
    again = (photos[1:] == photos[:-1]) & (people[1:] == people[:-1])
    once = np.concatenate([np.ones(min(1, len(photos)), dtype=bool), ~again])
    photos, people = photos[once], people[once]
    found = [np.empty(0, dtype=np.int64)]
    step = 1
    while step < len(photos) and (together := photos[step:] == photos[:-step]).any():
        found.append(people[:-step][together] << 32 | people[step:][together])
        step += 1
    return np.concatenate(found)
