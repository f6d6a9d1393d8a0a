"""Copies of decisions for edited photos: what was decided on a face holds for the same face of the edited photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from catalog.domain.decisions import (
    DatesPayload,
    Decision,
    FacePayload,
    FacesPayload,
    PriorFace,
    PriorState,
)
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.photo_date import PhotoDate
from catalog.domain.same_face import EDITED_PHOTO, best_match
from catalog.store.decision_rows import append_copy, decisions_to_carry, mark_undone
from catalog.store.photo_dates import read_photo_dates


def copy_decisions(connection: Connection, old: str, new: str, boxes: Sequence[BoundingBox]) -> list[int]:
    """Append a copy of each decision on the content ``old`` and its faces, for ``new`` and the same faces.

    ``boxes`` are those of the faces of ``new``. Returns the numbers of the copies, in the order of the originals. Each
    copy names its original, because undo reverts all of them together. The copy of an undone decision is undone: it
    comes into force when its original does.
    """
    copies = []
    dates = read_photo_dates(connection, [new])
    for decision in decisions_to_carry(connection, old):
        if isinstance(decision.payload, DatesPayload):
            copy: Decision | None = _dated_copy(decision, decision.payload, old, new, dates)
            if decision.undone_by is None:
                dates = [replace(date, sha256=new) for date in decision.dates if date.sha256 == old]
        else:
            copy = _copy(decision, old, new, boxes)
        if copy is not None:
            copies.append(append_copy(connection, copy))
            mark_undone(connection, copies[-1:], decision.undone_by)
    return copies


def _dated_copy(decision: Decision, payload: DatesPayload, old: str, new: str, before: Sequence[PhotoDate]) -> Decision:
    """The copy of a decision on dates for one edited photo. Its date was ``before``."""
    copied = DatesPayload(
        before=PriorState(dates=tuple(before)),
        dates=tuple(replace(date, sha256=new) for date in payload.dates if date.sha256 == old),
        carried_from=payload.carried_from or (old,),
        copy_of=payload.copy_of or decision.number,
    )
    return replace(decision, payload=copied)


def _copy(decision: Decision, old: str, new: str, boxes: Sequence[BoundingBox]) -> Decision | None:
    payload = decision.payload
    if decision.face is not None and isinstance(payload, FacePayload):
        box = best_match(decision.face.box, boxes, EDITED_PHOTO, key=_itself)
        if box is None:
            return None
        carried = replace(
            payload,
            before=_moved(payload.before, old, new, boxes),
            carried_from=payload.carried_from or decision.face,
            copy_of=payload.copy_of or decision.number,
        )
        return replace(decision, face=FaceKey(new, box), payload=carried)
    if isinstance(payload, FacesPayload):
        matches = [best_match(key.box, boxes, EDITED_PHOTO, key=_itself) for key in payload.faces if key.sha256 == old]
        keys = tuple(FaceKey(new, box) for box in matches if box is not None)
        if not keys:
            return None
        on_photo = tuple(face for face in payload.before.faces if face.key.sha256 == old)
        return replace(
            decision,
            payload=FacesPayload(
                before=_moved(replace(payload.before, faces=on_photo), old, new, boxes),
                faces=keys,
                carried_from=payload.carried_from or (old,),
                copy_of=payload.copy_of or decision.number,
            ),
        )
    return None


def _moved(before: PriorState, old: str, new: str, boxes: Sequence[BoundingBox]) -> PriorState:
    """Return the prior state with the keys of the edited photo's faces where they are the same faces."""

    def moved(face: PriorFace) -> PriorFace:
        box = best_match(face.key.box, boxes, EDITED_PHOTO, key=_itself) if face.key.sha256 == old else None
        return face if box is None else replace(face, key=FaceKey(new, box))

    return replace(before, faces=tuple(map(moved, before.faces)))


def _itself(box: BoundingBox) -> BoundingBox:
    return box
