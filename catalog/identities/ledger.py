"""The ledger of decisions: append-only rows keyed by photo content and box, and what they say when read in order.

Each row carries in ``details`` the rows as they were before it (``before``), so that it can be taken back exactly. What
holds is found by reading those that were not taken back, oldest first: a later decision on the same face wins.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from catalog.store.appearances import Place
from catalog.store.tables import decisions, utc_text, utc_time
from catalog.vocabulary import BoundingBox

FACE_VERBS = ("confirm", "reject", "not_a_face")
"""Decisions on one face, which is in the row's own columns."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the ledger. ``number`` is what `catalog undo` takes; ``undone_by`` the number of the undo, if any."""

    number: int
    decided_at: datetime
    decided_by: str
    verb: str
    person_id: str | None
    other_person_id: str | None
    name: str | None
    place: Place | None
    details: Mapping[str, Any]
    undone_by: int | None

    @property
    def places(self) -> list[Place]:
        """The faces decided on: one, several for a split, none for a decision on persons."""
        return [self.place] if self.place else [place_of(row) for row in self.details.get("faces", ())]

    def touched(self) -> tuple[set[str], list[Place]]:
        """The persons and faces whose rows this decision changed."""
        before = self.details.get("before", {})
        return (
            {row["person_id"] for row in before.get("persons", ())},
            [place_of(row["place"]) for row in before.get("faces", ())],
        )


def append(
    connection: Connection,
    verb: str,
    *,
    who: str,
    now: datetime,
    person_id: str | None = None,
    other_person_id: str | None = None,
    name: str | None = None,
    place: Place | None = None,
    details: Mapping[str, Any] | None = None,
) -> int:
    """Write one decision; returns its number."""
    box = place.box if place else None
    row = {
        "decided_at": utc_text(now),
        "decided_by": who,
        "verb": verb,
        "person_id": person_id,
        "other_person_id": other_person_id,
        "name": name,
        "photo_sha256": place.sha256 if place else None,
        "box_left": box.left if box else None,
        "box_top": box.top if box else None,
        "box_width": box.width if box else None,
        "box_height": box.height if box else None,
        "details": json.dumps(details, separators=(",", ":")) if details else None,
    }
    return int(connection.execute(insert(decisions).returning(decisions.c.id), row).scalar_one())


def read_ledger(
    connection: Connection, *, person_id: str | None = None, verbs: Sequence[str] | None = None
) -> list[Decision]:
    """Decisions, oldest first; those that name a person, or have one of some verbs, if asked so."""
    query = select(decisions).order_by(decisions.c.id)
    if person_id is not None:
        query = query.where(or_(decisions.c.person_id == person_id, decisions.c.other_person_id == person_id))
    if verbs is not None:
        query = query.where(decisions.c.verb.in_(verbs))
    return [_decision(row) for row in connection.execute(query).mappings()]


def read_decision(connection: Connection, number: int) -> Decision | None:
    row = connection.execute(select(decisions).where(decisions.c.id == number)).mappings().first()
    return None if row is None else _decision(row)


def last_in_force(connection: Connection) -> int | None:
    """The newest decision that can be taken back: not undone, no undo itself, and no copy for edited content."""
    query = select(func.max(decisions.c.id)).where(
        decisions.c.undone_by.is_(None),
        decisions.c.verb.not_in(("undo", "forget", "migrate")),
        or_(decisions.c.details.is_(None), decisions.c.details.not_like('%"carried_from":%')),
    )
    found = connection.scalar(query)
    return None if found is None else int(found)


def mark_undone(connection: Connection, number: int, by: int | None) -> None:
    connection.execute(update(decisions).where(decisions.c.id == number).values(undone_by=by))


@dataclass(slots=True)
class Standing:
    """What the ledger says now. Persons are public ids, as they were when decided on: redirects may lead on.

    ``merged`` are persons into which others were merged; ``apart`` pairs of persons that were split; ``touched``
    persons about whom a human said anything; ``exemplars`` faces by which a named person is known.
    """

    claims: list[tuple[Place, str]] = field(default_factory=list)
    refusals: list[tuple[Place, str]] = field(default_factory=list)
    not_faces: list[Place] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    apart: list[tuple[str, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    exemplars: list[tuple[Place, str]] = field(default_factory=list)


def standing(decided: Iterable[Decision]) -> Standing:
    """Read decisions in order; those that were taken back say nothing."""
    found = Standing()
    claims = _ByPlace()
    refusals = _ByPlace()
    for each in decided:
        if each.undone_by is not None or each.verb in ("undo", "forget"):
            continue
        found.touched |= {person for person in (each.person_id, each.other_person_id) if person}
        if each.verb in ("confirm", "split"):
            owner = each.person_id if each.verb == "confirm" else each.other_person_id
            for place in each.places:
                claims.put(place, owner or "")
                refusals.drop(place, owner or "")
            found.not_faces = [one for one in found.not_faces if not any(one.same(place) for place in each.places)]
            if each.verb == "split" and each.person_id and each.other_person_id:
                found.apart.append((each.person_id, each.other_person_id))
        elif each.verb == "reject" and each.place and each.person_id:
            claims.drop(each.place, each.person_id)
            refusals.add(each.place, each.person_id)
        elif each.verb == "not_a_face" and each.place:
            found.not_faces.append(each.place)
        elif each.verb == "merge" and each.person_id:
            found.merged.add(each.person_id)
        elif each.verb == "name" and each.person_id:
            found.exemplars += [(place_of(row), each.person_id) for row in each.details.get("exemplars", ())]
    found.claims, found.refusals = claims.pairs(), refusals.pairs()
    return found


class _ByPlace:
    """Words about faces, found again by overlap."""

    def __init__(self) -> None:
        self._said: dict[str, list[tuple[Place, str]]] = defaultdict(list)

    def put(self, place: Place, word: str) -> None:
        """The only word about this face from now on."""
        self._said[place.sha256] = [pair for pair in self._said[place.sha256] if not pair[0].same(place)]
        self.add(place, word)

    def add(self, place: Place, word: str) -> None:
        self.drop(place, word)
        self._said[place.sha256].append((place, word))

    def drop(self, place: Place, word: str) -> None:
        kept = [pair for pair in self._said[place.sha256] if pair[1] != word or not pair[0].same(place)]
        self._said[place.sha256] = kept

    def pairs(self) -> list[tuple[Place, str]]:
        return [pair for some in self._said.values() for pair in some]


def place_row(place: Place) -> list[object]:
    """A face's key as JSON holds it: [sha256, left, top, width, height]."""
    box = place.box
    return [place.sha256, box.left, box.top, box.width, box.height]


def place_of(row: Sequence[Any]) -> Place:
    return Place(row[0], BoundingBox(*row[1:5]))


def _decision(row: Mapping[Any, Any]) -> Decision:
    moment = utc_time(row["decided_at"])
    assert moment is not None
    place = None
    if row["photo_sha256"] is not None:
        box = BoundingBox(row["box_left"], row["box_top"], row["box_width"], row["box_height"])
        place = Place(row["photo_sha256"], box)
    return Decision(
        number=row["id"],
        decided_at=moment,
        decided_by=row["decided_by"],
        verb=row["verb"],
        person_id=row["person_id"],
        other_person_id=row["other_person_id"],
        name=row["name"],
        place=place,
        details=json.loads(row["details"]) if row["details"] else {},
        undone_by=row["undone_by"],
    )
