"""Effective decisions: all decisions not undone, applied in order; the latest decision on a face wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from catalog.domain.decisions import Decision, ExemplarsPayload, NamePayload, Verb
from catalog.domain.face_key import FaceKey
from catalog.domain.photo_date import PhotoDate


@dataclass(slots=True)
class EffectiveDecisions:
    """The state of the log. Persons are public ids as they were decided on: a redirect may lead on from them."""

    confirmed: list[tuple[FaceKey, str]] = field(default_factory=list)
    """Faces with the person that they are."""
    rejected: list[tuple[FaceKey, str]] = field(default_factory=list)
    """Faces with a person that they are not. No pair contradicts ``confirmed``."""
    not_faces: list[FaceKey] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    """Persons into which others were merged."""
    apart: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of persons that were split or separated."""
    decided_persons: set[str] = field(default_factory=set)
    """Persons that any decision is about."""
    exemplars: list[tuple[FaceKey, str]] = field(default_factory=list)
    """Faces by which a named person that has lost all faces is found again."""
    awaited: list[tuple[FaceKey, str]] = field(default_factory=list)
    """Faces by which a person of a labels file is found on photos that are scanned later."""
    dates: dict[str, PhotoDate] = field(default_factory=dict)
    """Dates of photos by content hash."""

    @property
    def concerns_faces(self) -> bool:
        """True if any decision is about a face."""
        return bool(self.confirmed or self.rejected or self.not_faces or self.exemplars or self.awaited)


def effective_decisions(decisions: Iterable[Decision]) -> EffectiveDecisions:
    """Apply decisions in order. Decisions that are undone are left out."""
    effective = EffectiveDecisions()
    reader = _LogReader()
    for decision in decisions:
        if decision.undone_by is not None or decision.verb in (Verb.UNDO, Verb.FORGET):
            continue
        person, second = decision.person_id, decision.other_person_id
        effective.decided_persons |= {public_id for public_id in (person, second) if public_id}
        reader.apply(decision)
        effective.dates |= {date.sha256: date for date in decision.dates}
        if decision.verb in (Verb.SPLIT, Verb.APART) and person and second:
            effective.apart.append((person, second))
        elif decision.verb is Verb.MERGE and person:
            effective.merged.add(person)
        elif person and isinstance(decision.payload, NamePayload) and decision.verb is Verb.NAME:
            effective.exemplars += [(key, person) for key in decision.payload.exemplars]
        elif person and isinstance(decision.payload, ExemplarsPayload):
            effective.awaited += [(key, person) for key in decision.payload.exemplars]
    effective.confirmed, effective.rejected, effective.not_faces = reader.result()
    return effective


class _LogReader:
    """The decided faces, updated decision by decision."""

    def __init__(self) -> None:
        self._redirects: dict[str, str] = {}
        self._confirmed = _FaceKeyIndex(self._redirects)
        self._rejected = _FaceKeyIndex(self._redirects)
        self._not_faces = _FaceKeyIndex(self._redirects)

    def apply(self, decision: Decision) -> None:
        person, second = decision.person_id or "", decision.other_person_id or ""
        if decision.verb is Verb.MERGE:
            # Merges of earlier versions do not list these faces in their payload.
            for face in decision.before.faces:
                if face.person_id == second:
                    self._rejected.drop(face.key, person)
            self._redirects[second] = person
        for key in decision.faces:
            if decision.verb in (Verb.CONFIRM, Verb.SPLIT, Verb.MERGE):
                owner = second if decision.verb is Verb.SPLIT else person
                self._confirmed.put(key, owner)
                self._rejected.drop(key, owner)
                self._not_faces.drop_all(key)
            if decision.verb is Verb.SPLIT:
                self._rejected.add(key, person)
            elif decision.verb is Verb.REJECT:
                self._confirmed.drop(key, person)
                self._rejected.add(key, person)
            elif decision.verb is Verb.NOT_A_FACE:
                self._confirmed.drop_all(key)
                self._not_faces.put(key, "")

    def result(self) -> tuple[list[tuple[FaceKey, str]], list[tuple[FaceKey, str]], list[FaceKey]]:
        """Return confirmed faces, rejected faces and boxes that hold no face."""
        for key, person in self._confirmed.pairs():
            self._rejected.drop(key, person)  # "not A" of a face of B, and then A and B were merged
        return self._confirmed.pairs(), self._rejected.pairs(), [key for key, _ in self._not_faces.pairs()]


class _FaceKeyIndex:
    """Persons by face key, found again by overlap. ``redirects`` maps merged persons to their targets."""

    def __init__(self, redirects: Mapping[str, str]) -> None:
        self._by_content: dict[str, list[tuple[FaceKey, str]]] = defaultdict(list)
        self._redirects = redirects

    def put(self, key: FaceKey, person: str) -> None:
        """Make this the only person of the face."""
        self.drop_all(key)
        self.add(key, person)

    def add(self, key: FaceKey, person: str) -> None:
        self.drop(key, person)
        self._by_content[key.sha256].append((key, person))

    def drop(self, key: FaceKey, person: str) -> None:
        """Remove the pairs of this face and this person, or a person merged with it."""
        canonical = self._canonical(person)
        self._by_content[key.sha256] = [
            pair
            for pair in self._by_content[key.sha256]
            if self._canonical(pair[1]) != canonical or not pair[0].same(key)
        ]

    def drop_all(self, key: FaceKey) -> None:
        self._by_content[key.sha256] = [pair for pair in self._by_content[key.sha256] if not pair[0].same(key)]

    def _canonical(self, person: str) -> str:
        visited = {person}
        while person in self._redirects and self._redirects[person] not in visited:  # a damaged log may hold a circle
            person = self._redirects[person]
            visited.add(person)
        return person

    def pairs(self) -> list[tuple[FaceKey, str]]:
        return [pair for pairs in self._by_content.values() for pair in pairs]
