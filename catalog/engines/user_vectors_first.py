"""Searches the user vectors of the gallery before its faces.

One certain person replaces the neighbor search of a face. A user search costs as much as a neighbor search and covers
no other new face, so the bill grows: by half on LFW, where a few more photos of confirmed persons were found and no
wrong one (``tests/benchmarks/users_first.py``). It is off by default.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from catalog.domain.charges import Charge
from catalog.domain.engine import MAX_MATCHES, Engine
from catalog.domain.faces import Match, NeighborList
from catalog.domain.user_vectors import UserMatch, UserVectors
from catalog.engines.delegating import DelegatingEngine


class UserVectorsFirstEngine(DelegatingEngine):
    """The inner engine, except that :meth:`neighbors` searches user vectors first.

    ``certain`` is the lowest similarity, 0 to 100, at which a single user match is accepted.
    """

    def __init__(self, engine: Engine, users: UserVectors, *, certain: float) -> None:
        super().__init__(engine)
        self._users = users
        self._certain = certain
        self._lock = threading.Lock()
        self._faces_by_person: dict[str, tuple[str, ...]] | None = None
        self._unreported: list[Charge] = []

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        """The faces of the one certain person, as an incomplete list; else the inner engine's list.

        An incomplete list is no evidence against the faces that it lacks: the other persons were not searched.
        """
        associated = self._associated()
        if not associated or any(face_id in faces for faces in associated.values()):
            return self.inner.neighbors(face_id, threshold, limit)
        search = self._users.search_face(face_id, threshold, 2)
        person = self._certain_match(search.matches)
        if person is not None:
            matches = tuple(Match(face, person.similarity) for face in associated.get(person.person_id, ())[:limit])
            return NeighborList(face_id, matches, complete=False, charges=search.charges)
        try:
            neighbors = self.inner.neighbors(face_id, threshold, limit)
        except BaseException:  # also KeyboardInterrupt: the user search was billed
            with self._lock:
                self._unreported += search.charges
            raise
        return replace(neighbors, charges=search.charges + neighbors.charges)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        with self._lock:
            own, self._unreported = self._unreported, []
        return (*own, *super().take_unreported_charges())

    def _certain_match(self, matches: tuple[UserMatch, ...]) -> UserMatch | None:
        certain = [match for match in matches if match.similarity >= self._certain]
        return certain[0] if len(certain) == 1 else None

    def _associated(self) -> dict[str, tuple[str, ...]]:
        """Face ids of each user vector, by person id. Read once."""
        with self._lock:
            if self._faces_by_person is None:
                self._faces_by_person = self._users.associated()
            return self._faces_by_person
