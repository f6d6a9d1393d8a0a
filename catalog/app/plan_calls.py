"""The paid calls that a scan would make, by operation."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.app.plan_copies import CountRange
from catalog.app.plan_sample import PhotoSample
from catalog.app.resources import Resources
from catalog.domain.charges import Operation
from catalog.domain.errors import EngineError
from catalog.domain.user_vectors import UserVectorCalls, UserVectorRules
from catalog.engines.engine_spec import EngineResources
from catalog.identities.assignment.neighbor_searches import plan_searches
from catalog.identities.assignment.sync_user_vectors import confirmed_faces
from catalog.identities.decisions.effective import effective_decisions
from catalog.identities.decisions.log import read_decisions
from catalog.store import pending_removals
from catalog.store.database import Database
from catalog.store.gallery_info import count_faces
from catalog.store.photos import find_enrolled
from catalog.store.watch_searches import count_references


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """Calls of one operation."""

    operation: Operation
    calls: CountRange


@dataclass(frozen=True, slots=True)
class ScanCalls:
    """The calls of a scan, and the faces that it would enroll."""

    calls: tuple[PlannedCalls, ...]
    new_faces: int


class CallPlanner:
    """Plans the calls of one scan of a paid engine. ``database`` is read only."""

    def __init__(
        self, resources: Resources, database: Database, parts: EngineResources, sample: PhotoSample | None
    ) -> None:
        """``sample`` is what the free engine saw of the photos to read; None if it looked at none."""
        self._settings = resources.settings
        self._engine = resources.configured_engine
        self._gallery = resources.gallery
        self._database = database
        self._parts = parts
        self._sample = sample

    def plan(self, photos: CountRange, changed: int, without_faces: int = 0) -> ScanCalls:
        """``photos`` would be enrolled. ``changed`` files hold another photo than before.

        On ``without_faces`` of the photos the free engine saw no face in an earlier scan.
        """
        rules = self._engine.user_vector_rules
        users, confirmations = self._user_vectors(rules, photos.highest, changed)
        searches, new_faces = self._searches(photos, without_faces)
        planned = [PlannedCalls(Operation.INDEX_FACES, self._sent(photos))]
        if rules is not None and rules.search_first:
            searches_users = users.users or users.associate or confirmations
            nothing = CountRange(0, 0, 0)
            planned.append(PlannedCalls(Operation.SEARCH_USERS, searches if searches_users else nothing))
        planned.append(PlannedCalls(Operation.SEARCH_FACES, searches))
        after = [
            PlannedCalls(Operation.ASSOCIATE_FACES, self._associations(users, min(confirmations, photos.highest))),
            PlannedCalls(Operation.DISASSOCIATE_FACES, _up_to(users.disassociate, users.disassociate + changed)),
            PlannedCalls(Operation.SEARCH_FACES_BY_IMAGE, self._watch_list(new_faces, photos.highest + changed)),
        ]
        if rules is None:
            after = after[2:]
        return ScanCalls((*planned, *(part for part in after if part.calls.highest)), new_faces)

    def _sent(self, photos: CountRange) -> CountRange:
        if self._sample is None or not self._settings.scan.prefilter:
            return photos
        share = self._settings.scan.prefilter_sample
        lowest, _, _ = self._sample.sent(photos.lowest, share)
        _, expected, _ = self._sample.sent(photos.expected, share)
        _, _, highest = self._sample.sent(photos.highest, share)
        return CountRange(lowest, expected, highest)

    def _searches(self, photos: CountRange, without_faces: int) -> tuple[CountRange, int]:
        """Neighbor searches, and new faces. How many searches user vectors save is not known in advance."""
        expected_photos = max(0, photos.expected - without_faces)
        mean = self._sample.faces_per_photo if self._sample else None
        highest_faces = self._sample.highest_faces_per_photo if self._sample else None
        place = {"engine": self._engine.name, "gallery": self._gallery}
        with self._database.read() as connection:
            expected = plan_searches(connection, **place, new_photos=expected_photos, faces_per_photo=mean)
            highest = plan_searches(connection, **place, new_photos=photos.highest, faces_per_photo=highest_faces)
        return CountRange(expected.at_least, expected.expected, highest.at_most), expected.new_faces

    def _associations(self, users: UserVectorCalls, confirmations: int) -> CountRange:
        """A scan that fills a new gallery enrolls the faces of all confirmed persons again."""
        with self._database.read() as connection:
            is_new = count_faces(connection, self._engine.name, self._gallery) == 0
        highest = users.associate + confirmations
        return _up_to(highest if is_new else users.associate, highest)

    def _watch_list(self, new_faces: int, changed_photos: int) -> CountRange:
        """New references are searched for, and all references if the faces of the gallery change.

        A reference on which the engine finds no face is not charged.
        """
        with self._database.read() as connection:
            references, unsearched = count_references(connection, self._engine.name, self._gallery)
        return _up_to(references if new_faces else unsearched, references if changed_photos else unsearched)

    def _user_vectors(self, rules: UserVectorRules | None, photos: int, changed: int) -> tuple[UserVectorCalls, int]:
        """The calls for the confirmed faces of now, and the most persons that get further ones by the scan."""
        if rules is None:
            return UserVectorCalls(), 0
        place = {"engine": self._engine.name, "gallery": self._gallery}
        wanted = confirmed_faces(self._database, **place, min_faces=rules.min_faces, max_faces=rules.max_faces)
        with self._database.read() as connection:
            removed = pending_removals.read(connection, **place, limit=None)
        try:
            calls = self._engine.spec.count_user_vector_calls(self._engine.options, self._parts, wanted, removed)
        except EngineError:
            # The gallery's note says that it could not be asked. One call holds all faces of a person.
            calls = UserVectorCalls(len(wanted), len(wanted) if removed else 0, users=bool(wanted))
        return calls, (self._awaited_persons() + changed if photos else 0)

    def _awaited_persons(self) -> int:
        """Persons with confirmed faces on photos that the gallery does not hold: a scan may enroll them."""
        with self._database.read() as connection:
            confirmed = effective_decisions(read_decisions(connection)).confirmed
            contents = {key.sha256 for key, _ in confirmed}
            awaited = {
                sha256
                for sha256 in contents
                if find_enrolled(connection, sha256, self._engine.name, self._gallery) is None
            }
        return len({person for key, person in confirmed if key.sha256 in awaited})


def _up_to(expected: int, highest: int) -> CountRange:
    return CountRange(0, expected, highest)
