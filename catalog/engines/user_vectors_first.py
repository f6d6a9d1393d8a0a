"""An engine that asks for the person before it asks for the faces: users first, neighbors where they are unsure.

A user's answer names one person and saves the list of neighbors. As it costs as much as that list, and covers no other
new face, the bill grows: by half on LFW, where a few more photos of confirmed persons were found, and no wrong one
(``tests/benchmarks/users_first.py``). So it is off unless somebody wants that.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from catalog.domain.charges import Charge
from catalog.domain.engine import MAX_MATCHES, Engine
from catalog.domain.faces import Match, NeighborList
from catalog.domain.user_vectors import UserMatch, UserVectors
from catalog.engines.delegating import DelegatingEngine


class UsersFirstEngine(DelegatingEngine):
    """Implements ``Engine``; all but :meth:`neighbors` is the other engine's.

    ``certain`` is the similarity, 0 to 100, from which a single user is believed.
    """

    def __init__(self, engine: Engine, users: UserVectors, *, certain: float) -> None:
        super().__init__(engine)
        self._users = users
        self._certain = certain
        self._lock = threading.Lock()
        self._taught: dict[str, tuple[str, ...]] | None = None
        self._unclaimed: list[Charge] = []

    def neighbors(self, face_id: str, threshold: float, limit: int = MAX_MATCHES) -> NeighborList:
        """The faces of the one user who is surely meant, an incomplete list; else the engine's own list.

        What is like no other face than those of a user is not told apart from what was not looked at: so the list does
        not speak against anybody, and clustering, with all that humans decided, has the last word.
        """
        taught = self._faces()
        if not taught or any(face_id in faces for faces in taught.values()):
            return self.inner.neighbors(face_id, threshold, limit)
        asked = self._users.search_face(face_id, threshold, 2)
        person = self._surely(asked.matches)
        if person is not None:
            matches = tuple(Match(face, person.similarity) for face in taught.get(person.person_id, ())[:limit])
            return NeighborList(face_id, matches, complete=False, charges=asked.charges)
        try:
            answer = self.inner.neighbors(face_id, threshold, limit)
        except BaseException:  # whatever it was, the first question was answered and is paid
            with self._lock:
                self._unclaimed += asked.charges
            raise
        return replace(answer, charges=asked.charges + answer.charges)

    def take_unreported_charges(self) -> tuple[Charge, ...]:
        """Implements ``Metered``."""
        with self._lock:
            own, self._unclaimed = self._unclaimed, []
        return (*own, *super().take_unreported_charges())

    def _surely(self, matches: tuple[UserMatch, ...]) -> UserMatch | None:
        sure = [match for match in matches if match.similarity >= self._certain]
        return sure[0] if len(sure) == 1 else None

    def _faces(self) -> dict[str, tuple[str, ...]]:
        """The faces that made each user, by person id; asked for once."""
        with self._lock:
            if self._taught is None:
                self._taught = self._users.taught()
            return self._taught
