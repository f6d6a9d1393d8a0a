"""Find a person: the stored photos that show the person on reference photos, and the persons it may be.

The engine finds faces; their assignments lead to persons. A person's score is the mean of the three most similar faces,
so that one photo of a lookalike decides nothing. The margin is the distance to the second person.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain.charges import Charge
from catalog.domain.engine import MAX_MATCHES, Engine
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import BoundingBox, Face, SearchResult
from catalog.domain.local_day import ANY_TIME, LocalSpan, Period
from catalog.domain.log_odds import similarity_odds
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.people import AssignedBy
from catalog.domain.uri import display_name
from catalog.domain.user_vectors import UserVectors
from catalog.identities.assignment.sync_user_vectors import faces_of_users
from catalog.identities.matching.photo_flaws import warn_of_unclear_face
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_id, faces_of_person
from catalog.store.database import Database
from catalog.store.person_index import PersonRow, read_birth_dates

log = logging.getLogger(__name__)

_BEST_FACES = 3
_TIE_ODDS = 1.0
"""Two persons tie within this many log-odds: 99 against 97.3, or 99.9 against 99.7. Not measured."""
_TIE_SIMILARITY = 0.1
"""Two persons also tie within this similarity, 0-100: near 100 small differences are many log-odds. Not measured."""
_PROBES = 5
"""Faces of a known person that are searched with: enough views of one head."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A photo of the wanted person: the face at ``box``, else the largest face."""

    photo: OpenedPhoto
    box: BoundingBox | None = None
    name: str = ""
    """Name of the photo in error messages."""


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """A search. Photos without a date are left out if ``period`` has a limit."""

    references: Sequence[Reference] = ()
    negatives: Sequence[Reference] = ()
    """Photos of lookalikes. A face that is more similar to one of these than to every reference is left out."""
    person: PersonRow | None = None
    """Search with this person's own faces too."""
    threshold: float = 80.0
    limit: int = 100
    period: Period = ANY_TIME


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A stored face that matches, with its photo."""

    uri: str | None
    face_id: str
    person_id: str | None
    name: str | None
    similarity: float
    taken_at: datetime | None
    box: BoundingBox
    taken: LocalSpan | None = None
    """The local date of the photo, as exact as it is known."""


@dataclass(frozen=True, slots=True)
class PersonCandidate:
    """A person who may be the wanted one. ``score`` is a similarity, 0-100; ``faces`` counts the matching faces."""

    person_id: str
    name: str | None
    score: float
    faces: int


@dataclass(frozen=True, slots=True)
class FindResult:
    """``probes`` are the faces searched with; ``candidates`` are persons, the best first.

    ``undated`` counts the photos without a date that match and were left out, because the search has a period.
    ``margin`` is the best score less the second, None for fewer than two candidates. ``tie`` is True if the two scores
    are too close to prefer one.
    """

    probes: tuple[Face, ...]
    matches: tuple[FoundFace, ...]
    candidates: tuple[PersonCandidate, ...]
    margin: float | None
    tie: bool
    charges: tuple[Charge, ...]
    undated: int = 0


def find_faces(
    database: Database,
    engine: Engine,
    query: PersonQuery,
    *,
    gallery: str,
    users: UserVectors | None = None,
    on_charges: Callable[[Sequence[Charge]], None] | None = None,
) -> FindResult:
    """Search with every reference. Raises ``NoFaceError`` for a reference without a face, with all charges so far.

    ``on_charges`` gets the charges of each search right after it, so that they are known whatever fails next. With
    ``users``, user vectors are searched first; only a reference that matches none is compared with all faces.
    """
    search = _Search(engine, query.threshold, on_charges)
    probes: list[Face] = []
    best: dict[str, float] = {}
    for reference in query.references:
        if users is not None:
            answer = users.search_image(reference.photo, query.threshold, box=reference.box)
            search.charge(answer.charges)
            user_faces = list(faces_of_users(database, answer.matches, engine=engine.name, gallery=gallery))
            _keep_best(best, user_faces)
            if answer.probe is not None and user_faces:
                probes.append(answer.probe)
                _warn(reference, answer.probe)
                continue
        result = search.with_reference(reference)
        probes.append(result.probe)
        _warn(reference, result.probe)
        _keep_best(best, ((match.face_id, match.similarity) for match in result.matches))
    negative: dict[str, float] = {}
    for reference in query.negatives:
        result = search.with_reference(reference)
        _keep_best(negative, ((match.face_id, match.similarity) for match in result.matches))
    if query.person is not None:
        _search_with_person(database, search, query.person, gallery, best)
    best = {face_id: similarity for face_id, similarity in best.items() if similarity > negative.get(face_id, -1.0)}
    with database.read() as connection:
        catalogued = catalogued_faces_by_id(connection, list(best), engine=engine.name, gallery=gallery)
        birth_dates = read_birth_dates(connection)
    possible = [face for face in catalogued.values() if _is_possible(face, birth_dates)]
    faces = [face for face in possible if query.period.contains(face.taken, face.taken_at)]
    undated = set() if query.period.is_open else {face.sha256 for face in possible if face.taken is None}
    faces.sort(key=lambda face: (-best[face.face_id], face.uri or "", face.face_id))
    candidates = _candidates(faces, best)
    if candidates and (birth_date := birth_dates.get(candidates[0].person_id)):
        # An unassigned face would be the best candidate, who was not born before this date.
        faces = [face for face in faces if face.person_id is not None or not _is_before(face, birth_date)]
    margin, tie = _margin(candidates)
    return FindResult(
        probes=tuple(probes),
        matches=tuple(_found_face(face, best[face.face_id]) for face in faces[: query.limit]),
        candidates=candidates,
        margin=margin,
        tie=tie,
        charges=tuple(search.charges),
        undated=len(undated),
    )


def _warn(reference: Reference, probe: Face) -> None:
    warn_of_unclear_face(
        log, f'"{display_name(os.fsencode(reference.name))}"' if reference.name else "The photo", reference.photo, probe
    )


class _Search:
    """Searches of one query, with their charges."""

    def __init__(self, engine: Engine, threshold: float, on_charges: Callable[[Sequence[Charge]], None] | None) -> None:
        self.engine, self.threshold = engine, threshold
        self.charges: list[Charge] = []
        self._on_charges = on_charges

    def charge(self, charges: Sequence[Charge]) -> None:
        self.charges.extend(charges)
        if self._on_charges is not None:
            self._on_charges(charges)

    def with_reference(self, reference: Reference) -> SearchResult:
        try:
            result = self.engine.search(reference.photo, self.threshold, MAX_MATCHES, reference.box)
        except NoFaceError as error:
            self.charge(error.charges)
            message = f'"{reference.name}" shows no face.' if reference.name else str(error)
            raise NoFaceError(message, remedy=error.remedy, charges=tuple(self.charges)) from error
        self.charge(result.charges)
        return result


def _search_with_person(
    database: Database, search: _Search, person: PersonRow, gallery: str, best: dict[str, float]
) -> None:
    """Search with the best faces of a person. The person's own faces match too."""
    engine = search.engine
    with database.read() as connection:
        faces = [
            face
            for face in faces_of_person(connection, person)
            if (face.engine, face.gallery) == (engine.name, gallery)
        ]
    faces.sort(key=lambda face: (face.by is not AssignedBy.HUMAN, -face.box.area, face.face_id))
    for face in faces[:_PROBES]:
        try:
            answer = engine.neighbors(face.face_id, search.threshold)
        except KeyError:
            continue  # the gallery lost the face since it was recorded
        search.charge(answer.charges)
        _keep_best(best, ((match.face_id, match.similarity) for match in answer.matches))
    _keep_best(best, ((face.face_id, 100.0 if face.similarity is None else face.similarity) for face in faces))


def _keep_best(best: dict[str, float], matches: Iterable[tuple[str, float]]) -> None:
    for face_id, similarity in matches:
        best[face_id] = max(similarity, best.get(face_id, -1.0))


def _is_possible(face: CataloguedFace, birth_dates: Mapping[str, str]) -> bool:
    return not face.hidden and not _is_before(face, birth_dates.get(face.person_id or "", ""))


def _is_before(face: CataloguedFace, day: str) -> bool:
    return face.taken is not None and face.taken.is_before(day)


def _candidates(faces: Sequence[CataloguedFace], best: Mapping[str, float]) -> tuple[PersonCandidate, ...]:
    by_person: dict[str, list[CataloguedFace]] = defaultdict(list)
    for face in faces:
        if face.person_id is not None:
            by_person[face.person_id].append(face)
    candidates = []
    for person_id, own in by_person.items():
        top = [best[face.face_id] for face in own[:_BEST_FACES]]
        candidates.append(PersonCandidate(person_id, own[0].name, sum(top) / len(top), len(own)))
    return tuple(sorted(candidates, key=lambda candidate: (-candidate.score, candidate.person_id)))


def _margin(candidates: Sequence[PersonCandidate]) -> tuple[float | None, bool]:
    if len(candidates) < 2:
        return None, False
    first, second = candidates[0].score, candidates[1].score
    is_tie = first - second < _TIE_SIMILARITY or similarity_odds(first) - similarity_odds(second) < _TIE_ODDS
    return first - second, is_tie


def _found_face(face: CataloguedFace, similarity: float) -> FoundFace:
    return FoundFace(face.uri, face.face_id, face.person_id, face.name, similarity, face.taken_at, face.box, face.taken)
