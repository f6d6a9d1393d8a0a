"""The ledger of a file of labels, added to the ledger here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from catalog.domain.face_key import FaceKey
from catalog.identities.decisions.log import EffectiveDecisions, place_of
from catalog.store.person_index import PersonIndex, PersonRow
from catalog.store.tables import decisions
from catalog.store.tombstones import place_at


class LocalDecisions:
    """What humans said of faces here; who is meant is found by following redirects."""

    def __init__(self, said: EffectiveDecisions, people: PersonIndex) -> None:
        self._people = people
        self._claims = _by_content(said.claims)
        self._refusals = _by_content(said.refusals)
        self._not_faces = _by_content((place, None) for place in said.not_faces)

    def contradict(self, place: FaceKey, person_id: str) -> bool:
        """Whether it was said that the face is somebody else, that it is not this person, or that it is none."""
        person = self._people.canonical(person_id)
        owner = self.owner(place)
        refused = (
            self._people.canonical(public)
            for each, public in self._refusals.get(place.sha256, ())
            if public is not None and each.same(place)
        )
        none = any(each.same(place) for each, _ in self._not_faces.get(place.sha256, ()))
        return none or (owner is not None and owner != person) or person in refused

    def means(self, person: PersonRow, person_id: str) -> bool:
        return self._people.canonical(person_id) == person

    def owner(self, place: FaceKey) -> PersonRow | None:
        """Whom a face was said to be."""
        for each, public in self._claims.get(place.sha256, ()):
            if public is not None and each.same(place):
                return self._people.canonical(public)
        return None


def add_decisions(connection: Connection, said: Sequence[Mapping[str, Any]], words: LocalDecisions) -> int:
    """Add the decisions of a file that are not here yet, in their order; returns how many.

    They get numbers of this ledger, and what they remember of other decisions' numbers is told in these. What holds
    here goes on to hold: ``words`` that were said here of a face count more than what the file says of it, and an undo
    of what was decided here already is left out.
    """
    known = known_decisions(connection)
    undone = _undone_by(said)
    numbers: dict[int, int] = {}
    added: set[int] = set()
    for row in said:
        there = known[decision_key(row)]
        if there:
            numbers[row["id"]] = there.pop(0)
            continue
        details = json.loads(row["details"]) if row["details"] else {}
        if row["verb"] == "undo":
            took_back = {details["of"], *details.get("with", ())} if "of" in details else undone[row["id"]]
            if not took_back & added or took_back & (numbers.keys() - added):
                continue
        elif row["undone_by"] is None and not _is_heard(row, details, words):
            continue
        values = {name: value for name, value in row.items() if name not in ("id", "undone_by")}
        values["details"] = _renumbered(details, numbers)
        numbers[row["id"]] = int(connection.execute(insert(decisions).returning(decisions.c.id), values).scalar_one())
        added.add(row["id"])
    for row in said:
        if row["id"] in added and row["undone_by"] in numbers:
            mine = decisions.c.id == numbers[row["id"]]
            connection.execute(update(decisions).where(mine).values(undone_by=numbers[row["undone_by"]]))
    return len(added)


def _is_heard(row: Mapping[str, Any], details: dict[str, Any], words: LocalDecisions) -> bool:
    """Whether a decision is added; out of ``details`` go those of several faces about which something was said here."""
    verb, person = row["verb"], row["person_id"]
    if verb in ("split", "merge"):
        owner = row["other_person_id"] if verb == "split" else person
        told = details.get("faces", ())
        heard = [face for face in told if not words.contradict(place_of(face), owner)]
        if told:
            details["faces"] = heard
        return bool(heard) or not told or verb == "merge"
    if verb == "confirm":
        return not words.contradict(place_at(row), person)
    if verb not in ("reject", "not_a_face"):
        return True
    owner = words.owner(place_at(row))
    return owner is None or (verb == "reject" and not words.means(owner, person))


def _by_content(said: Iterable[tuple[FaceKey, str | None]]) -> dict[str, list[tuple[FaceKey, str | None]]]:
    found: dict[str, list[tuple[FaceKey, str | None]]] = defaultdict(list)
    for place, word in said:
        found[place.sha256].append((place, word))
    return found


def known_decisions(connection: Connection) -> defaultdict[tuple[Any, ...], list[int]]:
    """The numbers of the decisions that are here, by what tells them from others."""
    found: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in connection.execute(select(decisions).order_by(decisions.c.id)).mappings():
        found[decision_key(row)].append(row["id"])
    return found


def decision_key(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """What tells one decision from another in every catalogue; those of one instant that look alike go by order."""
    names = ("decided_at", "decided_by", "verb", "person_id", "other_person_id", "photo_sha256", "box_left")
    copied = None
    if row["verb"] in ("split", "merge") and '"carried_from"' in (row.get("details") or ""):
        # Copies for edited content differ in that alone.
        copied = tuple(sorted({content for content, *_ in json.loads(row["details"]).get("faces", ())}))
    return (*(row[name] for name in names), copied)


def _undone_by(said: Iterable[Mapping[str, Any]]) -> defaultdict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for row in said:
        if row["undone_by"] is not None:
            found[row["undone_by"]].add(row["id"])
    return found


def _renumbered(details: Mapping[str, Any], numbers: Mapping[int, int]) -> str | None:
    """What a decision remembers, with the numbers that other decisions have here; those left out are not mentioned."""
    told = dict(details)
    if "of" in told:
        told["of"], *told["with"] = [numbers[each] for each in (told["of"], *told.get("with", ())) if each in numbers]
    if told.get("copy_of") in numbers:
        told["copy_of"] = numbers[told["copy_of"]]
    else:
        told.pop("copy_of", None)
    return json.dumps(told, separators=(",", ":")) if told else None
