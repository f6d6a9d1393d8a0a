"""Decisions of users: the rows of the decision log as frozen values.

A decision names faces by face key and persons by public id, so that it survives another engine, a new model and a
restored backup. The payload carries the prior state, which undo puts back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.photo_date import PhotoDate


class Verb(StrEnum):
    """The verbs of the log. Their values are stored and stand in labels files; they never change."""

    NAME = "name"
    RENAME = "rename"
    HIDE = "hide"
    UNHIDE = "unhide"
    BORN = "born"
    APART = "apart"
    CONFIRM = "confirm"
    REJECT = "reject"
    NOT_A_FACE = "not_a_face"
    MERGE = "merge"
    SPLIT = "split"
    UNDO = "undo"
    RESTORE = "restore"
    RECLUSTER = "recluster"
    FORGET = "forget"
    MIGRATE = "migrate"
    IMPORT = "import"
    DATE = "date"
    PART = "part"
    JOIN = "join"
    APPEAR = "appear"


PERMANENT_VERBS = frozenset({Verb.FORGET, Verb.MIGRATE, Verb.RECLUSTER, Verb.RESTORE})
"""Decisions with these verbs cannot be undone."""


@dataclass(frozen=True, slots=True)
class ChangedPerson:
    """A person row before the decision changed it.

    ``merged_into`` is the public id of the redirect target. It is restored only if ``has_redirect`` is set, because a
    machine may redirect ids between decisions.
    """

    person_id: str
    name: str | None
    hidden: bool
    birth_date: str | None
    created_at: str
    merged_into: str | None = None
    has_redirect: bool = False


@dataclass(frozen=True, slots=True)
class UnchangedPerson:
    """A person that the decision is about, and whose row stays."""

    person_id: str


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person that the decision created."""

    person_id: str


PriorPerson = ChangedPerson | UnchangedPerson | NewPerson


@dataclass(frozen=True, slots=True)
class PriorFace:
    """A face row and its assignment before the decision. ``person_id`` and ``by`` are None for an unassigned face."""

    key: FaceKey
    engine: str
    gallery: str
    not_a_face: bool
    person_id: str | None
    by: AssignedBy | None
    similarity: float | None
    assigned_at: str | None


@dataclass(frozen=True, slots=True)
class StatedAppearance:
    """A person on a photo without a detected face, as the file ``source`` states. ``box`` is None without a position.

    ``named_at`` is the stored text of the time.
    """

    person_id: str
    box: BoundingBox | None
    source: str
    named_at: str


@dataclass(frozen=True, slots=True)
class PhotoAppearances:
    """All persons on one photo without a detected face."""

    sha256: str
    appearances: tuple[StatedAppearance, ...] = ()


@dataclass(frozen=True, slots=True)
class PriorState:
    """The rows that a decision changed, as they were before it."""

    persons: tuple[PriorPerson, ...] = ()
    faces: tuple[PriorFace, ...] = ()
    dates: tuple[PhotoDate, ...] = ()
    appearances: tuple[PhotoAppearances, ...] = ()


@dataclass(frozen=True, slots=True)
class NamePayload:
    """Payload of ``name`` and ``rename``. By its exemplars a person is found again after its rows are lost."""

    before: PriorState = PriorState()
    exemplars: tuple[FaceKey, ...] = ()


@dataclass(frozen=True, slots=True)
class StatePayload:
    """Payload of ``hide``, ``unhide``, ``born``, ``apart``, ``import`` and ``appear``."""

    before: PriorState = PriorState()


@dataclass(frozen=True, slots=True)
class FacePayload:
    """Payload of ``confirm``, ``reject`` and ``not_a_face``.

    A scan copies a decision to an edited photo. The copy has ``carried_from``, the face key that the user decided on,
    and ``copy_of``, the number of the original if the original is in the same log.
    """

    before: PriorState = PriorState()
    carried_from: FaceKey | None = None
    copy_of: int | None = None


@dataclass(frozen=True, slots=True)
class FacesPayload:
    """Payload of ``merge`` and ``split``. ``carried_from`` holds the content hash of the previous photo, in a copy."""

    before: PriorState = PriorState()
    faces: tuple[FaceKey, ...] = ()
    carried_from: tuple[str, ...] = ()
    copy_of: int | None = None


@dataclass(frozen=True, slots=True)
class DatesPayload:
    """Payload of ``date``: the date of each photo. ``carried_from`` and ``copy_of`` as in :class:`FacesPayload`."""

    before: PriorState = PriorState()
    dates: tuple[PhotoDate, ...] = ()
    carried_from: tuple[str, ...] = ()
    copy_of: int | None = None


CopiedPayload = FacePayload | FacesPayload | DatesPayload
"""Payloads of decisions that a scan copies to edited photos."""


@dataclass(frozen=True, slots=True)
class UndoPayload:
    """Payload of ``undo``: ``of`` is the number of the decision undone, ``also`` are those undone along with it.

    ``of`` is None only in rows that were written without a payload.
    """

    before: PriorState = PriorState()
    of: int | None = None
    also: tuple[int, ...] = ()

    @property
    def targets(self) -> tuple[int, ...]:
        return () if self.of is None else (self.of, *self.also)


@dataclass(frozen=True, slots=True)
class ExemplarsPayload:
    """Payload of ``restore``: faces by which a person of a labels file is found on photos that are scanned later."""

    exemplars: tuple[FaceKey, ...] = ()


@dataclass(frozen=True, slots=True)
class ReclusterPayload:
    """Payload of ``recluster``. ``redirected`` maps public ids to the public ids that they redirect to."""

    moved: int = 0
    persons_new: int = 0
    redirected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhotosPayload:
    """Payload of ``part`` and ``join``: content hashes of the photos decided on. No row changes."""

    photos: tuple[str, ...] = ()


Payload = (
    NamePayload
    | StatePayload
    | FacePayload
    | FacesPayload
    | DatesPayload
    | UndoPayload
    | ExemplarsPayload
    | ReclusterPayload
    | PhotosPayload
)


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the decision log. ``number`` is the argument of `catalog undo`.

    ``undone_by`` is the number of the undo in force. ``copy_of`` is the number of the original, for a copy made for an
    edited photo; it is the decision's own number if the original is not in this log. ``group`` is the number of the
    first decision of a group, which is undone as a whole; None for a decision of its own.
    """

    number: int
    decided_at: datetime
    decided_by: str
    verb: Verb
    person_id: str | None = None
    other_person_id: str | None = None
    name: str | None = None
    face: FaceKey | None = None
    payload: Payload | None = None
    undone_by: int | None = None
    copy_of: int | None = None
    group: int | None = None

    @property
    def before(self) -> PriorState:
        return getattr(self.payload, "before", PriorState())

    @property
    def faces(self) -> tuple[FaceKey, ...]:
        """The faces decided on: one, several for ``split`` and for ``merge`` of two persons on one photo, or none."""
        if self.face is not None:
            return (self.face,)
        return self.payload.faces if isinstance(self.payload, FacesPayload) else ()

    @property
    def dates(self) -> tuple[PhotoDate, ...]:
        """The dates decided on; empty for every verb but ``date``."""
        return self.payload.dates if isinstance(self.payload, DatesPayload) else ()

    @property
    def original(self) -> int:
        """The number of the user's decision: the original's for a copy, else its own."""
        return self.number if self.copy_of is None else self.copy_of

    @property
    def targets(self) -> tuple[int, ...]:
        """The numbers of the decisions that an undo undid; empty for every other verb."""
        return self.payload.targets if isinstance(self.payload, UndoPayload) else ()

    def persons_involved(self) -> set[str]:
        """Public ids of the persons in the prior state, unchanged ones included."""
        return {person.person_id for person in self.before.persons}

    def changed_persons(self) -> set[str]:
        """Public ids of the persons whose rows the decision changed or created."""
        return {person.person_id for person in self.before.persons if not isinstance(person, UnchangedPerson)}

    def new_persons(self) -> set[str]:
        return {person.person_id for person in self.before.persons if isinstance(person, NewPerson)}

    def changed_dates(self) -> list[str]:
        """Content hashes of the photos whose date the decision changed."""
        return [date.sha256 for date in self.before.dates]

    def changed_appearances(self) -> list[str]:
        """Content hashes of the photos whose named appearances the decision changed."""
        return [photo.sha256 for photo in self.before.appearances]

    def changed_faces(self) -> list[FaceKey]:
        """Face keys of the faces whose rows the decision changed."""
        return [face.key for face in self.before.faces]
