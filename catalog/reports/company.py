"""With whom each person shares the most photos.

SQLite sorts the pairs of a million faces in more than the two seconds that a report may take; numpy takes a fraction.
"""

from __future__ import annotations

from collections.abc import Mapping

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
_LISTED = "SELECT id, person_id, COALESCE(name, person_id) FROM persons WHERE NOT hidden AND merged_into IS NULL"

_Numbers = NDArray[np.int64]
_LOW = np.int64(0xFFFFFFFF)


def favorite_company(connection: Connection, values: Mapping[str, str]) -> dict[str, str]:
    """Name (or id) of the favorite company by public id, within a scope's parameters; hidden people are nobody's.

    Of two who share as many photos, the one whom the catalogue has known longer is given.
    """
    listed = {row: (person_id, name) for row, person_id, name in connection.execute(text(_LISTED))}
    seen = _SEEN + (_SEEN_WITH if values["person"] else "")
    # In the order of an index, so that neighbors in memory are neighbors on the photo.
    ordered = f"{seen} ORDER BY assigned.photo_id, assigned.person_id"
    statement = text(spell_scoped(ordered, connection.dialect.name))
    cursor = connection.execute(statement, dict(values)).cursor
    assert cursor is not None
    rows = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    rows = rows[np.isin(rows[:, 1], np.fromiter(listed, np.int64, len(listed)))]
    return {
        listed[person][0]: listed[friend][1]
        for person, friend in zip(*(side.tolist() for side in _closest(rows[:, 0], rows[:, 1])), strict=True)
    }


def _closest(photos: _Numbers, people: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Each person who shares a photo with anyone, and the one it shares most with; both by row id."""
    pairs, counts = np.unique(_pairs(photos, people), return_counts=True)
    one, other = pairs >> 32, pairs & _LOW
    person, friend = np.concatenate([one, other]), np.concatenate([other, one])
    # One number that is highest for the most photos, and among equals for the lowest row id.
    score = np.concatenate([counts, counts]) << 32 | (_LOW - friend)
    order = np.argsort(person, kind="stable")
    person, score = person[order], score[order]
    starts = np.flatnonzero(np.diff(person, prepend=-1))
    best = np.maximum.reduceat(score, starts) if len(starts) else score
    return person[starts], _LOW - (best & _LOW)


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
