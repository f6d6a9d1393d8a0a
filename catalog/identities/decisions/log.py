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

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.timestamps import utc_text, utc_time
from catalog.store.tables import decisions

LASTING = ("forget", "migrate", "recluster", "restore")
"""What cannot be taken back."""


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
    place: FaceKey | None
    details: Mapping[str, Any]
    undone_by: int | None

    @property
    def places(self) -> list[FaceKey]:
        """The faces decided on: one; several for a split, and for a merge of two who are on one photo; or none."""
        return [self.place] if self.place else [place_of(row) for row in self.details.get("faces", ())]

    def touched(self) -> set[str]:
        """The persons that this decision is about, or whose rows it changed."""
        return {row["person_id"] for row in self._before("persons")}

    def changed(self) -> set[str]:
        """The persons whose own rows it changed, or made."""
        return {row["person_id"] for row in self._before("persons") if not row.get("stays")}

    def made(self) -> set[str]:
        """The persons that it made."""
        return {row["person_id"] for row in self._before("persons") if row.get("new")}

    def moved(self) -> list[FaceKey]:
        """The faces whose rows it changed."""
        return [place_of(row["place"]) for row in self._before("faces")]

    def _before(self, kind: str) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = self.details.get("before", {}).get(kind, ())
        return rows


def append(
    connection: Connection,
    verb: str,
    *,
    who: str,
    now: datetime,
    person_id: str | None = None,
    other_person_id: str | None = None,
    name: str | None = None,
    place: FaceKey | None = None,
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


def read_decisions(
    connection: Connection,
    *,
    person_ids: Sequence[str] | None = None,
    verbs: Sequence[str] | None = None,
    after: int = 0,
) -> list[Decision]:
    """Decisions, oldest first; those that name some persons, have one of some verbs, or come after one, if asked so."""
    query = select(decisions).where(decisions.c.id > after).order_by(decisions.c.id)
    if person_ids is not None:
        query = query.where(or_(decisions.c.person_id.in_(person_ids), decisions.c.other_person_id.in_(person_ids)))
    if verbs is not None:
        query = query.where(decisions.c.verb.in_(verbs))
    return [_decision(row) for row in connection.execute(query).mappings()]


def read_decision(connection: Connection, number: int) -> Decision | None:
    row = connection.execute(select(decisions).where(decisions.c.id == number)).mappings().first()
    return None if row is None else _decision(row)


def last_undoable(connection: Connection) -> int | None:
    """The newest decision that can be taken back: not undone, no undo itself, and no copy for edited content."""
    query = select(func.max(decisions.c.id)).where(
        decisions.c.undone_by.is_(None),
        decisions.c.verb.not_in(("undo", *LASTING)),
        or_(decisions.c.details.is_(None), decisions.c.details.not_like('%"carried_from":%')),
    )
    found = connection.scalar(query)
    return None if found is None else int(found)


def mark_undone(connection: Connection, number: int, by: int | None) -> None:
    connection.execute(update(decisions).where(decisions.c.id == number).values(undone_by=by))


@dataclass(slots=True)
class EffectiveDecisions:
    """What the ledger says now. Persons are public ids, as they were when decided on: redirects may lead on.

    ``claims`` give a face its person; ``refusals`` say whom it is not, which no claim contradicts. ``merged`` are
    persons into which others were merged; ``apart`` pairs of persons that were split or told apart; ``touched`` persons
    about whom a human said anything; ``exemplars`` faces by which a named person is found again when it has lost all
    others; ``expected`` those by which a person of a restored file is found on photos that are scanned later.
    """

    claims: list[tuple[FaceKey, str]] = field(default_factory=list)
    refusals: list[tuple[FaceKey, str]] = field(default_factory=list)
    not_faces: list[FaceKey] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    apart: list[tuple[str, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    exemplars: list[tuple[FaceKey, str]] = field(default_factory=list)
    expected: list[tuple[FaceKey, str]] = field(default_factory=list)

    @property
    def of_faces(self) -> bool:
        """Whether anything was said of a face."""
        return bool(self.claims or self.refusals or self.not_faces or self.exemplars or self.expected)


def effective_decisions(decided: Iterable[Decision]) -> EffectiveDecisions:
    """Read decisions in order; those that were taken back say nothing."""
    found = EffectiveDecisions()
    words = _LogReader()
    for each in decided:
        if each.undone_by is not None or each.verb in ("undo", "forget"):
            continue
        found.touched |= {person for person in (each.person_id, each.other_person_id) if person}
        words.hear(each)
        if each.verb in ("split", "apart") and each.person_id and each.other_person_id:
            found.apart.append((each.person_id, each.other_person_id))
        elif each.verb == "merge" and each.person_id:
            found.merged.add(each.person_id)
        elif each.verb in ("name", "restore") and each.person_id:
            known = found.exemplars if each.verb == "name" else found.expected
            known += [(place_of(row), each.person_id) for row in each.details.get("exemplars", ())]
    found.claims, found.refusals, found.not_faces = words.sums()
    return found


class _LogReader:
    """What was said about faces, one decision after the other: the last word about a face holds."""

    def __init__(self) -> None:
        self._leads: dict[str, str] = {}
        self._claims = _FaceKeyIndex(self._leads)
        self._refusals = _FaceKeyIndex(self._leads)
        self._no_faces = _FaceKeyIndex(self._leads)

    def hear(self, said: Decision) -> None:
        person, other = said.person_id or "", said.other_person_id or ""
        if said.verb == "merge":
            self._leads[other] = person
        for place in said.places:
            if said.verb in ("confirm", "split", "merge"):
                owner = other if said.verb == "split" else person
                self._claims.put(place, owner)
                self._refusals.drop(place, owner)
                self._no_faces.drop_all(place)
            if said.verb == "split":
                self._refusals.add(place, person)
            elif said.verb == "reject":
                self._claims.drop(place, person)
                self._refusals.add(place, person)
            elif said.verb == "not_a_face":
                self._claims.drop_all(place)
                self._no_faces.put(place, "")

    def sums(self) -> tuple[list[tuple[FaceKey, str]], list[tuple[FaceKey, str]], list[FaceKey]]:
        """Claims, refusals and what is no face."""
        for place, person in self._claims.pairs():
            self._refusals.drop(place, person)  # "not A" of a face of B, and then "B is A"
        return self._claims.pairs(), self._refusals.pairs(), [place for place, _ in self._no_faces.pairs()]


class _FaceKeyIndex:
    """Words about faces, found again by overlap; a word is a person, ``leads`` where merged ones lead by now."""

    def __init__(self, leads: Mapping[str, str]) -> None:
        self._said: dict[str, list[tuple[FaceKey, str]]] = defaultdict(list)
        self._leads = leads

    def put(self, place: FaceKey, word: str) -> None:
        """The only word about this face from now on."""
        self.drop_all(place)
        self.add(place, word)

    def add(self, place: FaceKey, word: str) -> None:
        self.drop(place, word)
        self._said[place.sha256].append((place, word))

    def drop(self, place: FaceKey, word: str) -> None:
        """What was said about this face and this person, or whoever was merged with it."""
        lead = self._lead(word)
        self._said[place.sha256] = [
            pair for pair in self._said[place.sha256] if self._lead(pair[1]) != lead or not pair[0].same(place)
        ]

    def drop_all(self, place: FaceKey) -> None:
        self._said[place.sha256] = [pair for pair in self._said[place.sha256] if not pair[0].same(place)]

    def _lead(self, word: str) -> str:
        seen = {word}
        while word in self._leads and self._leads[word] not in seen:  # a circle would have no end
            word = self._leads[word]
            seen.add(word)
        return word

    def pairs(self) -> list[tuple[FaceKey, str]]:
        return [pair for some in self._said.values() for pair in some]


def place_row(place: FaceKey) -> list[object]:
    """A face's key as JSON holds it: [sha256, left, top, width, height]."""
    box = place.box
    return [place.sha256, box.left, box.top, box.width, box.height]


def place_of(row: Sequence[Any]) -> FaceKey:
    return FaceKey(row[0], BoundingBox(*row[1:5]))


def _decision(row: Mapping[Any, Any]) -> Decision:
    moment = utc_time(row["decided_at"])
    assert moment is not None
    place = None
    if row["photo_sha256"] is not None:
        box = BoundingBox(row["box_left"], row["box_top"], row["box_width"], row["box_height"])
        place = FaceKey(row["photo_sha256"], box)
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
