"""Finding a person: which stored photos show whoever is on the reference photos, and who that is.

Faces are found by the engine; persons make sense of them. A person's score is the mean of its three best faces, so that
one lookalike photo decides nothing; the margin is how far the runner-up is behind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.domain.charges import Charge
from catalog.domain.engine import MAX_MATCHES, Engine
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import BoundingBox, Face, SearchResult
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.people import AssignedBy
from catalog.domain.user_vectors import UserVectors
from catalog.identities.assignment.neighbor_searches import logit
from catalog.identities.assignment.sync_user_vectors import faces_of_users
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_id, faces_of_person
from catalog.store.database import Database
from catalog.store.person_index import PersonRow, all_persons

_BEST_FACES = 3
_TIE = 1.0
"""Log-odds within which two persons are as good as equal: 99 against 97.3, or 99.9 against 99.7."""
_NEAR = 0.1
"""Points of similarity within which they are too: near 100 all odds are long."""
_PROBES = 5
"""Faces of a known person that are searched with: enough views of one head."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A photo that shows the person looked for: the face at ``box``, else the largest."""

    photo: OpenedPhoto
    box: BoundingBox | None = None
    name: str = ""
    """What to call the photo when it shows no face."""


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """What to look for. Times are aware; a photo without a date is left out once either is given."""

    references: Sequence[Reference] = ()
    negatives: Sequence[Reference] = ()
    """Photos of others who look alike: a face nearer to one of these than to every reference is not shown."""
    person: PersonRow | None = None
    """Search with this person's own faces too."""
    threshold: float = 80.0
    limit: int = 100
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoundFace:
    """A stored face that matches, with the photo it is on."""

    uri: str | None
    face_id: str
    person_id: str | None
    name: str | None
    similarity: float
    taken_at: datetime | None
    box: BoundingBox


@dataclass(frozen=True, slots=True)
class PersonCandidate:
    """A person who may be the one looked for; ``score`` is a similarity."""

    person_id: str
    name: str | None
    score: float
    faces: int


@dataclass(frozen=True, slots=True)
class FindResult:
    """``probes`` are the faces searched with; ``candidates`` the persons, best first.

    ``margin`` is the best score less the runner-up's, None with fewer than two; ``tie`` says that the two are too near
    to be told apart.
    """

    probes: tuple[Face, ...]
    matches: tuple[FoundFace, ...]
    candidates: tuple[PersonCandidate, ...]
    margin: float | None
    tie: bool
    charges: tuple[Charge, ...]


def find_faces(
    database: Database,
    engine: Engine,
    wanted: PersonQuery,
    *,
    gallery: str,
    users: UserVectors | None = None,
    pay: Callable[[Sequence[Charge]], None] | None = None,
) -> FindResult:
    """Search with every reference. Raises ``NoFaceError`` when one shows no face.

    ``pay`` is told of the paid calls of each search once it is answered, so that what was paid is known whatever comes
    next; the error's ``charges`` are all of them.
    Where the engine has ``users``, they are asked first: a reference that is like one is answered by that person's
    faces, and only others are compared with all faces.
    """
    probes: list[Face] = []
    charges: list[Charge] = []
    best: dict[str, float] = {}

    def paid(some: Sequence[Charge]) -> None:
        charges.extend(some)
        if pay is not None:
            pay(some)

    def search(reference: Reference) -> SearchResult:
        try:
            answer = engine.search(reference.photo, wanted.threshold, MAX_MATCHES, reference.box)
        except NoFaceError as error:
            paid(error.charges)
            told = f'"{reference.name}" shows no face.' if reference.name else str(error)
            raise NoFaceError(told, remedy=error.remedy, charges=tuple(charges)) from error
        paid(answer.charges)
        return answer

    for reference in wanted.references:
        if users is not None:
            asked = users.search_image(reference.photo, wanted.threshold, box=reference.box)
            paid(asked.charges)
            theirs = list(faces_of_users(database, asked.matches, engine=engine.name, gallery=gallery))
            _keep_best(best, theirs)
            if asked.probe is not None and theirs:
                probes.append(asked.probe)
                continue
        answer = search(reference)
        probes.append(answer.probe)
        _keep_best(best, ((match.face_id, match.similarity) for match in answer.matches))
    unlike: dict[str, float] = {}
    for reference in wanted.negatives:
        _keep_best(unlike, ((match.face_id, match.similarity) for match in search(reference).matches))
    if wanted.person is not None:
        _search_with_person(database, engine, wanted.person, wanted.threshold, gallery, best, paid)
    best = {face_id: value for face_id, value in best.items() if value > unlike.get(face_id, -1.0)}
    with database.read() as connection:
        known = catalogued_faces_by_id(connection, list(best), engine=engine.name, gallery=gallery)
        born = {row.person_id: row.birth_date for row in all_persons(connection) if row.birth_date}
    shown = [face for face in known.values() if _fits(face, wanted, born)]
    shown.sort(key=lambda face: (-best[face.face_id], face.uri or "", face.face_id))
    candidates = _candidates(shown, best)
    if candidates and (birth := born.get(candidates[0].person_id)):
        # Whom a face of nobody's may be is the best person: not before that one was born.
        shown = [face for face in shown if face.person_id is not None or not _before(face, birth)]
    margin, tie = _margin(candidates)
    return FindResult(
        probes=tuple(probes),
        matches=tuple(_found(face, best[face.face_id]) for face in shown[: wanted.limit]),
        candidates=candidates,
        margin=margin,
        tie=tie,
        charges=tuple(charges),
    )


def _search_with_person(
    database: Database,
    engine: Engine,
    person: PersonRow,
    threshold: float,
    gallery: str,
    best: dict[str, float],
    paid: Callable[[Sequence[Charge]], None],
) -> None:
    """Search with the best faces of a person; its own faces match themselves wholly."""
    with database.read() as connection:
        own = [
            face
            for face in faces_of_person(connection, person)
            if (face.engine, face.gallery) == (engine.name, gallery)
        ]
    own.sort(key=lambda face: (face.by is not AssignedBy.HUMAN, -face.box.area, face.face_id))
    for face in own[:_PROBES]:
        try:
            answer = engine.neighbors(face.face_id, threshold)
        except KeyError:
            continue  # gone from the gallery since it was recorded
        paid(answer.charges)
        _keep_best(best, ((match.face_id, match.similarity) for match in answer.matches))
    _keep_best(best, ((face.face_id, 100.0 if face.similarity is None else face.similarity) for face in own))


def _keep_best(best: dict[str, float], found: Iterable[tuple[str, float]]) -> None:
    for face_id, similarity in found:
        best[face_id] = max(similarity, best.get(face_id, -1.0))


def _fits(face: CataloguedFace, wanted: PersonQuery, born: Mapping[str, str]) -> bool:
    if face.hidden:
        return False
    if (wanted.since or wanted.until) and face.taken_at is None:
        return False
    if face.taken_at is not None:
        if wanted.since and face.taken_at < wanted.since:
            return False
        if wanted.until and face.taken_at > wanted.until:
            return False
    return not _before(face, born.get(face.person_id or "", ""))


def _before(face: CataloguedFace, day: str) -> bool:
    return face.taken_at is not None and face.taken_at.date().isoformat() < day


def _candidates(shown: Sequence[CataloguedFace], best: Mapping[str, float]) -> tuple[PersonCandidate, ...]:
    by_person: dict[str, list[CataloguedFace]] = defaultdict(list)
    for face in shown:
        if face.person_id is not None:
            by_person[face.person_id].append(face)
    found = []
    for person_id, some in by_person.items():
        top = [best[face.face_id] for face in some[:_BEST_FACES]]
        found.append(PersonCandidate(person_id, some[0].name, sum(top) / len(top), len(some)))
    return tuple(sorted(found, key=lambda each: (-each.score, each.person_id)))


def _margin(candidates: Sequence[PersonCandidate]) -> tuple[float | None, bool]:
    if len(candidates) < 2:
        return None, False
    first, second = candidates[0].score, candidates[1].score
    return first - second, first - second < _NEAR or float(logit(first) - logit(second)) < _TIE


def _found(face: CataloguedFace, similarity: float) -> FoundFace:
    return FoundFace(face.uri, face.face_id, face.person_id, face.name, similarity, face.taken_at, face.box)
